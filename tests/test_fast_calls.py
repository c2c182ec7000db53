"""The calls without event objects do what the calls with them do."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import heads, strategies
from support.model import opened
from support.strategies import roles
from ws13 import Config, WSConnection
from ws13.connection import CLIENT, SERVER, Connection, ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from ws13.extensions import Extension, PerMessageDeflate
from ws13.frame_protocol import CloseReason
from ws13.utilities import LocalProtocolError, RemoteProtocolError

PROFILE = settings(max_examples=150, deadline=None)


def deflate() -> PerMessageDeflate:
    extension = PerMessageDeflate()
    extension.accept("permessage-deflate")
    return extension


def shaken() -> WSConnection:
    """A server behind its opening handshake."""
    ws = WSConnection(SERVER)
    ws.receive_data(heads.head(heads.REQUEST))
    assert [type(event) for event in ws.events()] == [Request]
    ws.send(AcceptConnection())
    return ws


MAKES: list[Callable[[], Any]] = [
    lambda: Connection(SERVER),
    lambda: Connection(CLIENT),
    lambda: Connection(SERVER, [deflate()]),
    shaken,
]
each = pytest.mark.parametrize("make", MAKES, ids=["server", "client", "deflate", "WSConnection"])

CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], Event]] = [
    ("send_text", ("Grüße",), {}, TextMessage("Grüße")),
    ("send_text", ("",), {}, TextMessage("")),
    ("send_text", (), {"text": "x"}, TextMessage("x")),
    ("send_text", ("x", False), {}, TextMessage("x", message_finished=False)),
    ("send_text", ("x",), {"message_finished": False}, TextMessage("x", message_finished=False)),
    ("send_bytes", (b"\x00" * 126,), {}, BytesMessage(b"\x00" * 126)),
    ("send_bytes", (bytearray(65536),), {}, BytesMessage(bytes(65536))),
    ("send_bytes", (memoryview(b"abc")[::2],), {}, BytesMessage(b"ac")),
    ("send_bytes", (b"x", False), {}, BytesMessage(b"x", message_finished=False)),
    ("ping", (), {}, Ping()),
    ("ping", (b"p",), {}, Ping(b"p")),
    ("pong", (), {}, Pong()),
    ("pong", (), {"payload": b"p"}, Pong(b"p")),
    ("close", (), {}, CloseConnection(1000)),
    ("close", (1001, "bye"), {}, CloseConnection(1001, "bye")),
    ("close", (), {"code": 4000, "reason": "x" * 200}, CloseConnection(4000, "x" * 200)),
    ("close", (CloseReason.NO_STATUS_RCVD,), {}, CloseConnection(CloseReason.NO_STATUS_RCVD)),
]


def received(sender: Any, data: bytes) -> list[Any]:
    """What the other end makes of it."""
    native = sender.connection if isinstance(sender, WSConnection) else sender
    receiver = Connection(SERVER if native.client else CLIENT)
    return receiver.receive(data)


@each
@pytest.mark.parametrize(("name", "arguments", "options", "event"), CALLS)
def test_a_call_sends_what_the_event_sends(
    make: Any, name: str, arguments: tuple[Any, ...], options: dict[str, Any], event: Event
) -> None:
    one, other = make(), make()
    ours, theirs = getattr(one, name)(*arguments, **options), other.send(event)
    assert type(ours) is bytes
    assert one.state is other.state
    if getattr(one, "client", False):  # its masking keys are its own
        assert len(ours) == len(theirs)
        assert received(one, ours) == received(other, theirs)
    else:
        assert ours == theirs


@pytest.mark.parametrize("compress", [True, False, None])
@pytest.mark.parametrize(("name", "data"), [("send_text", "words " * 9), ("send_bytes", b"x" * 9)])
def test_a_call_takes_the_choice_of_compression(name: str, data: Any, compress: Any) -> None:
    event = TextMessage(data) if name == "send_text" else BytesMessage(data)
    one, other = (Connection(SERVER, [deflate()]) for _ in range(2))
    assert getattr(one, name)(data, compress=compress) == other.send(event, compress=compress)


REFUSED: list[tuple[str, tuple[Any, ...], type[Exception]]] = [
    ("send_text", (b"bytes",), TypeError),
    ("send_text", (None,), TypeError),
    ("send_text", ("\ud800",), LocalProtocolError),
    ("send_text", (), TypeError),
    ("send_text", ("x", 1), TypeError),
    ("send_bytes", ("text",), TypeError),
    ("send_bytes", (5,), TypeError),
    ("send_bytes", (b"x", True, True), TypeError),
    ("ping", (b"x" * 126,), LocalProtocolError),
    ("ping", ("text",), TypeError),
    ("pong", (b"x" * 126,), LocalProtocolError),
    ("close", (999,), LocalProtocolError),
    ("close", ("1000",), TypeError),
    ("close", (1000, b"bytes"), TypeError),
    ("send_all", (5,), TypeError),
    ("send_parts", (Ping(b"x" * 126),), LocalProtocolError),
    ("send_parts", (5,), LocalProtocolError),
    ("receive", ("text",), TypeError),
    ("receive", (), TypeError),
]


@each
@pytest.mark.parametrize(("name", "arguments", "error"), REFUSED)
def test_a_call_that_is_refused_changes_nothing(
    make: Any, name: str, arguments: tuple[Any, ...], error: type[Exception]
) -> None:
    connection = make()
    connection.send_text("begun", False)
    with pytest.raises(error):
        getattr(connection, name)(*arguments)
    with pytest.raises(TypeError, match="Data type mismatch inside message"):
        connection.send_bytes(b"bytes")
    assert connection.state is ConnectionState.OPEN
    assert connection.send_text("done")


@each
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("send_text", ("x",)), ("send_bytes", (b"x",)), ("ping", ()), ("pong", ()), ("close", ())],
)
def test_nothing_can_be_sent_behind_a_close(
    make: Any, name: str, arguments: tuple[Any, ...]
) -> None:
    connection = make()
    connection.close()
    with pytest.raises(LocalProtocolError, match=r"cannot be sent in state .*LOCAL_CLOSING"):
        getattr(connection, name)(*arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("send_text", ("x",)),
        ("send_bytes", (b"x",)),
        ("ping", ()),
        ("pong", (b"",)),
        ("close", ()),
        ("send_all", ([],)),
        ("send_parts", (Ping(),)),
    ],
)
def test_nothing_can_be_sent_before_the_handshake_is_done(
    name: str, arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(LocalProtocolError, match=r"cannot be sent in state .*CONNECTING"):
        getattr(WSConnection(CLIENT), name)(*arguments)


@PROFILE
@given(role=roles, data=st.data())
def test_receive_returns_what_events_gives(role: str, data: st.DataObject) -> None:
    stream = data.draw(strategies.streams(role))
    chunks = [*data.draw(strategies.cuts(stream)), None]
    one, other = opened(role), opened(role)
    for chunk in chunks:
        other.receive_data(chunk)
        assert one.receive(chunk) == list(other.events())
        assert one.state is other.state


@PROFILE
@given(data=st.data())
def test_receive_returns_whole_messages_where_they_are_wanted(data: st.DataObject) -> None:
    stream = strategies.written(data.draw(strategies.conversations()), "server")
    config = Config(whole_messages=True)
    one, other = (Connection(SERVER, config=config) for _ in range(2))
    for chunk in data.draw(strategies.cuts(stream)):
        other.receive_data(chunk)
        assert one.receive(chunk) == list(other.events())


@pytest.mark.parametrize("cut", [1, 10, 1000])
def test_receive_brings_a_server_through_the_handshake(cut: int) -> None:
    client, server = WSConnection(CLIENT), WSConnection(SERVER)
    request = client.send(Request(host="example.com", target="/"))
    events = []
    for start in range(0, len(request), cut):
        events += server.receive(request[start : start + cut])
    assert [type(event) for event in events] == [Request]
    answer = server.send(AcceptConnection()) + server.send_text("first")
    events = []
    for start in range(0, len(answer), cut):
        events += client.receive(answer[start : start + cut])
    assert events[0] == AcceptConnection()
    assert "".join(event.data for event in events[1:] if isinstance(event, TextMessage)) == "first"
    assert client.receive(server.close()) == [CloseConnection(1000, "")]
    assert server.receive(client.close()) == [CloseConnection(1000, "")]
    assert (client.state, server.state) == (ConnectionState.CLOSED, ConnectionState.CLOSED)
    assert server.receive(b"whatever") == []


def test_receive_raises_what_receive_data_raises() -> None:
    with pytest.raises(RemoteProtocolError):
        WSConnection(SERVER).receive(b"BREW / HTTP/1.1\r\n\r\n")


class Fails(Extension):
    """Raises at the frame with one byte."""

    name = "fails"

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool | str:
        return True

    def frame_inbound_payload_data(self, proto: object, data: bytes) -> bytes:
        if len(data) == 1:
            raise KeyError("a hook")
        return data


def test_what_came_before_an_exception_is_there_in_the_next_call() -> None:
    connection = Connection(CLIENT, [Fails()])
    with pytest.raises(KeyError):
        connection.receive(b"\x89\x02aa\x89\x02bb\x89\x01c")
    assert connection.receive(b"") == [Ping(b"aa"), Ping(b"bb")]
    with contextlib.suppress(LocalProtocolError):
        assert list(connection.events()) == []


def test_injected_events_come_first() -> None:
    connection = Connection(CLIENT)
    connection._events.append(Ping(b"injected"))
    assert connection.receive(b"\x89\x01c") == [Ping(b"injected"), Ping(b"c")]
    assert connection.receive(b"") == []


def events_to_send() -> list[Event]:
    return [
        TextMessage("one", message_finished=False),
        Ping(b"p"),
        TextMessage("two"),
        BytesMessage(bytes(300)),
        CloseConnection(1000, "bye"),
    ]


@pytest.mark.parametrize("make", [MAKES[0], MAKES[2], MAKES[3]])
def test_many_events_become_one_bytes(make: Any) -> None:
    one, other = make(), make()
    assert one.send_all(iter(events_to_send())) == b"".join(map(other.send, events_to_send()))
    assert one.state is other.state is ConnectionState.LOCAL_CLOSING
    assert make().send_all([]) == b""


@pytest.mark.parametrize("form", ["send", "send_all", "send_parts", "send_text", "close"])
@pytest.mark.parametrize("make", [MAKES[0], MAKES[2], MAKES[3]])
def test_what_was_made_before_a_refused_event_comes_with_the_next_call(
    make: Any, form: str
) -> None:
    one, other = make(), make()
    refused = [TextMessage("one"), Ping(b"p"), Ping(b"x" * 126), TextMessage("never")]
    with pytest.raises(LocalProtocolError):
        one.send_all(refused)
    with pytest.raises(LocalProtocolError):
        one.send(Pong(b"x" * 126))
    before = other.send(TextMessage("one")) + other.send(Ping(b"p"))
    behind = CloseConnection(1000) if form == "close" else TextMessage("two")
    sent: bytes = {
        "send": lambda: one.send(behind),
        "send_all": lambda: one.send_all([behind]),
        "send_parts": lambda: b"".join(one.send_parts(behind)),
        "send_text": lambda: one.send_text("two"),
        "close": lambda: one.close(),
    }[form]()
    assert sent == before + other.send(behind)


def test_an_iterator_that_raises_loses_nothing() -> None:
    def events() -> Any:
        yield TextMessage("one")
        raise KeyError("the program's")

    connection = Connection(SERVER)
    with pytest.raises(KeyError):
        connection.send_all(events())
    assert connection.send_bytes(b"") == b"\x81\x03one\x82\x00"


@each
@pytest.mark.parametrize("event", events_to_send(), ids=lambda event: type(event).__name__)
def test_the_parts_are_the_frame(make: Any, event: Event) -> None:
    one, other = make(), make()
    header, payload = one.send_parts(event)
    assert type(header) is type(payload) is bytes
    whole = other.send(event)
    if getattr(one, "client", False):
        assert received(one, header + payload) == received(other, whole)
    else:
        assert header + payload == whole


def test_a_servers_payload_is_not_copied() -> None:
    data = bytes(range(256)) * 300
    assert Connection(SERVER).send_parts(BytesMessage(data))[1] is data
    compressing = Connection(SERVER, [deflate()])
    assert compressing.send_parts(BytesMessage(data), compress=False)[1] is data
    assert compressing.send_parts(BytesMessage(data))[1] != data
    assert Connection(CLIENT).send_parts(BytesMessage(data))[1] != data
    assert Connection(SERVER).send_parts(data)[1] is data
    assert shaken().send_parts(data)[1] is data
    assert b"".join(Connection(SERVER).send_parts(data)) == Connection(SERVER).send_bytes(data)
    mine = bytearray(data)
    assert type(Connection(SERVER).send_parts(BytesMessage(mine))[1]) is bytes


class Counts(Connection):
    """Overrides a method by name."""

    sent = 0

    def send_text(self, *args: Any, **kwargs: Any) -> bytes:
        self.sent += 1
        return super().send_text(*args, **kwargs)


def test_wsconnection_calls_a_method_that_a_subclass_has_overridden() -> None:
    ws = shaken()
    ws.connection = counting = Counts(SERVER)
    assert ws.send_text("x") == ws.send_text(text="x", message_finished=True) == b"\x81\x01x"
    assert counting.sent == 2


def test_wsconnection_calls_a_method_that_was_replaced_on_the_object() -> None:
    ws = shaken()
    native: Any = ws.connection
    native.send_bytes = lambda data: b"replaced " + data
    native.receive_data = lambda data: native._events.append(Pong(data))
    assert ws.send_bytes(b"x") == b"replaced x"
    assert ws.receive(b"y") == [Pong(b"y")]


SHORT: dict[str, tuple[list[Any], str]] = {
    "send": ([Ping(b"x")], "event"),
    "send_text": (["x"], "text"),
    "send_bytes": ([b"x"], "data"),
    "send_parts": ([b"x"], "event"),
    "pong": ([b"x"], "payload"),
    "receive": ([b"\x89\x80\0\0\0\0"], "data"),
    "receive_data": ([b"\x89\x80\0\0\0\0"], "data"),
}


@pytest.mark.parametrize("make", [MAKES[0], MAKES[3]], ids=["Connection", "WSConnection"])
@pytest.mark.parametrize("name", SHORT)
def test_the_short_way_of_a_method_does_what_the_usual_one_does(make: Any, name: str) -> None:
    (argument,), keyword = SHORT[name]
    method = getattr(type(make()), name)
    assert method.__name__ == name
    assert method.__doc__
    assert list(inspect.signature(method).parameters)[:2] == ["self", keyword]
    short, usual = make(), make()
    assert method(short, argument) == method(usual, **{keyword: argument})
    assert list(short.events()) == list(usual.events())
    with pytest.raises(TypeError, match="doesn't apply to"):
        method(object(), argument)
    if name != "pong":
        with pytest.raises(TypeError, match="missing"):
            method(make())
    with pytest.raises(TypeError, match="unexpected keyword"):
        method(make(), argument, nothing=1)


def test_what_was_made_before_a_close_can_be_fetched_behind_it() -> None:
    one, other = Connection(SERVER), Connection(SERVER)
    events = [TextMessage("a"), CloseConnection(1000), TextMessage("b")]
    with pytest.raises(LocalProtocolError):
        one.send_all(events)
    assert one.send_all(()) == b"".join(map(other.send, events[:2]))
    assert one.send_all(()) == b""


def test_an_iterator_that_sends_itself_does_not_overtake_what_was_made_before() -> None:
    connection = Connection(SERVER)
    inside: list[bytes] = []

    def events() -> Any:
        yield TextMessage("a", message_finished=False)
        with pytest.raises(LocalProtocolError):
            connection.send_all([TextMessage("b", message_finished=False), Ping(b"x" * 126)])
        inside.append(connection.send_text("c", False))
        yield TextMessage("d")

    last = connection.send_all(events())
    assert inside == [b"\x01\x01a\x00\x01b\x00\x01c"]
    assert last == b"\x80\x01d"


@pytest.mark.parametrize("make", [MAKES[0], MAKES[3]], ids=["Connection", "WSConnection"])
def test_none_is_a_value_and_not_the_default(make: Any) -> None:
    assert make().close(None) == make().send(CloseConnection(None)) == b"\x88\x00"
    for name in ("ping", "pong"):
        with pytest.raises(TypeError):
            getattr(make(), name)(None)
        with pytest.raises(TypeError):
            getattr(make(), name)(payload=None)
