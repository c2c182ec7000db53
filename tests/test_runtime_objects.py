"""A connection as a Python object: attributes, subclasses, copies, weak references."""

from __future__ import annotations

import contextlib
import copy
import gc
import pickle
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Generator
from typing import Any

import pytest

from support import frames, heads
from support.frames import Frame
from support.model import OPEN, connection_type, opened
from ws13 import Config, H11Handshake, WSConnection
from ws13.connection import CLIENT, SERVER, Connection, ConnectionState, ConnectionType
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
from ws13.utilities import ProtocolError

CLEAN = (AttributeError, RuntimeError, TypeError, ValueError, ProtocolError)
MAKERS: list[Callable[[], Any]] = [
    lambda: opened("client"),
    lambda: WSConnection(CLIENT),
    lambda: H11Handshake(CLIENT),
]
each_kind = pytest.mark.parametrize(
    "make", MAKERS, ids=["Connection", "WSConnection", "H11Handshake"]
)


def accepted() -> WSConnection:
    """A server with an open connection."""
    server = WSConnection(SERVER)
    server.receive_data(heads.head(heads.REQUEST))
    assert [type(event) for event in server.events()] == [Request]
    server.send(AcceptConnection())
    return server


@each_kind
@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, *[lambda one, p=p: pickle.dumps(one, p) for p in range(6)]],
)
def test_a_connection_cannot_be_copied_or_pickled(
    make: Callable[[], Any], duplicate: Callable[[Any], Any]
) -> None:
    with pytest.raises(TypeError):
        duplicate(make())


@each_kind
def test_a_connection_can_be_held_weakly(make: Callable[[], Any]) -> None:
    connection = make()
    weak = weakref.ref(connection)
    assert weak() is connection
    kept = weakref.WeakValueDictionary({"one": connection})
    del connection
    gc.collect()
    assert weak() is None
    assert "one" not in kept


@each_kind
def test_connections_are_equal_only_to_themselves(make: Callable[[], Any]) -> None:
    one, other = make(), make()
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_an_iterator_keeps_its_connection_alive() -> None:
    connection = opened("client")
    connection.receive_data(b"\x89\x00\x8a\x00")
    iterator = connection.events()
    del connection
    gc.collect()
    assert list(iterator) == [Ping(), Pong()]


def test_an_iterator_that_has_ended_stays_at_its_end() -> None:
    connection = opened("client")
    iterator = connection.events()
    assert next(iterator, None) is None
    connection.receive_data(b"\x89\x00")
    assert next(iterator, None) is None
    assert list(connection.events()) == [Ping()]


def test_an_iterator_has_the_methods_of_a_generator_and_loses_nothing() -> None:
    connection = Connection(CLIENT)
    connection.receive_data(b"\x89\x01a\x89\x01b\x89\x01c\x89\x01d")
    iterator = connection.events()
    assert isinstance(iterator, Generator)
    assert iterator.send(None) == Ping(b"a")
    iterator.close()
    iterator.close()
    assert list(iterator) == []
    with contextlib.closing(connection.events()) as iterator:
        assert next(iterator) == Ping(b"b")
    error = KeyError("a program's")
    iterator = connection.events()
    with pytest.raises(KeyError) as raised:
        iterator.throw(error)
    assert raised.value is error
    assert list(iterator) == []
    assert list(connection.events()) == [Ping(b"c"), Ping(b"d")]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((KeyError("x"),), "'x'"),
        ((KeyError,), ""),
        ((KeyError, "x"), "'x'"),
        ((KeyError, KeyError("x"), None), "'x'"),
    ],
)
def test_an_iterator_throws_what_a_generator_throws(arguments: tuple[Any, ...], text: str) -> None:
    connection = Connection(CLIENT)
    with pytest.raises(KeyError) as raised:
        connection.events().throw(*arguments)
    assert str(raised.value) == text


def asked(connection: Connection) -> WSConnection:
    """A server that hands its work to `connection` when it accepts."""
    ws = WSConnection(SERVER)
    ws.receive_data(heads.head(heads.REQUEST))
    for event in ws.events():
        assert isinstance(event, Request)
        ws.send(AcceptConnection())
        ws.connection = connection
    return ws


class Stand:
    """What a program may put in the place of a connection."""

    state = ConnectionState.OPEN

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def receive_data(self, data: bytes) -> None:
        self.received.append(data)

    def events(self) -> Generator[Event, None, None]:
        while self.received:
            yield Ping(self.received.pop(0))

    def send(self, event: Event) -> bytearray:
        return bytearray(repr(event).encode())


def test_another_object_may_stand_in_the_place_of_a_connection() -> None:
    stand: Any = Stand()
    ws = asked(stand)
    assert ws.connection is stand
    assert ws.state is ConnectionState.OPEN
    assert ws.send(Pong(b"x")) == bytearray(b"Pong(payload=b'x')")
    ws.receive_data(b"one")
    events = ws.events()
    assert isinstance(events, Generator)
    assert next(events) == Ping(b"one")
    events.close()
    assert ws.receive(b"two") == [Ping(b"two")]
    with pytest.raises(AttributeError):
        ws.send_text("x")


class Loud(Connection):
    """Overrides what gives events out."""

    def events(self) -> Generator[Event, None, None]:
        for event in super().events():
            yield Ping(b"loud")
            yield event


def test_a_loop_that_is_under_way_asks_the_connection_that_was_put_in_place() -> None:
    ws = WSConnection(SERVER)
    ws.receive_data(heads.head(heads.REQUEST))
    seen: list[Any] = []
    for event in ws.events():
        seen.append(type(event))
        if isinstance(event, Request):
            ws.send(AcceptConnection())
            ws.connection = Loud(SERVER)
            ws.receive_data(b"\x8a\x80\0\0\0\0")
    assert seen == [Request, Ping, Pong]


def test_a_method_that_was_replaced_stays_so_when_init_runs_again() -> None:
    ws = asked(Connection(SERVER))
    native: Any = ws.connection
    native.send = lambda event: b"replaced"
    native.__init__(SERVER)
    assert ws.send(Ping()) == b"replaced"


def test_abandoned_and_nested_iterators_lose_nothing() -> None:
    connection = opened("client")
    connection.receive_data(b"".join(frames.encode(Frame(9, bytes([i]))) for i in range(6)))
    seen = [next(connection.events())]
    for event in connection.events():
        seen.append(event)
        seen.append(next(connection.events()))
        for inner in connection.events():
            seen.append(inner)
            break
        break
    outer, other = connection.events(), connection.events()
    seen += [next(outer), next(other)]
    assert seen == [Ping(bytes([i])) for i in range(6)]
    assert list(outer) == list(other) == []


# Attributes


@pytest.mark.parametrize("make", MAKERS[:2], ids=["Connection", "WSConnection"])
def test_a_connection_takes_new_attributes(make: Callable[[], Any]) -> None:
    connection = make()
    connection.label = "mine"
    assert vars(connection) == {"label": "mine"}
    del connection.label
    assert not hasattr(connection, "label")
    with pytest.raises(AttributeError):
        connection.state = OPEN


@pytest.mark.parametrize("make", MAKERS[:2], ids=["Connection", "WSConnection"])
def test_methods_can_be_replaced_on_one_object(make: Callable[[], Any]) -> None:
    connection: Any = make()
    connection.send = lambda event: ("sent", event)
    connection.receive_data = lambda data: ("received", data)
    connection.events = lambda: iter(["event"])
    assert connection.send(1) == ("sent", 1)
    assert connection.receive_data(b"x") == ("received", b"x")
    assert list(connection.events()) == ["event"]
    another = make()
    assert list(another.events()) == []


def test_the_replaced_methods_of_the_inner_connection_are_those_that_run() -> None:
    """As in wsproto, where a WSConnection calls the methods of its connection."""
    server = accepted()
    inner: Any = server.connection
    calls: list[Any] = []

    def send(event: Event) -> bytes:
        calls.append(event)
        return b"sent"

    inner.send = send
    inner.receive_data = calls.append
    inner.events = lambda: iter([Pong(b"made up")])
    assert server.send(Ping()) == b"sent"
    server.receive_data(b"data")
    assert calls == [Ping(), b"data"]
    assert list(server.events()) == [Pong(b"made up")]


@pytest.mark.parametrize("kind", list(ConnectionType))
def test_what_can_be_read_of_a_connection(kind: ConnectionType) -> None:
    whole = WSConnection(connection_type=kind)
    assert whole.client is (kind is CLIENT)
    assert whole.connection is None
    assert type(whole.handshake) is H11Handshake
    assert whole.handshake.client is whole.client
    assert whole.state is whole.handshake.state is ConnectionState.CONNECTING
    server = accepted()
    assert type(server.connection) is Connection
    assert server.connection is server.connection is server.handshake.connection
    assert server.connection.client is False
    assert server.state is server.connection.state is OPEN


# Private names that programs use


def test_injected_events_are_drained_first_and_in_order() -> None:
    connection: Any = opened("client")
    connection.receive_data(b"\x89\x00")
    connection._events.append(TextMessage("first"))
    connection._events.extend([TextMessage("second"), CloseConnection(1000)])
    given = list(connection.events())
    assert given == [
        TextMessage("first"),
        TextMessage("second"),
        CloseConnection(1000),
        Ping(),
    ]
    assert connection.state is OPEN  # an injected close changes nothing
    assert len(connection._events) == 0


def test_events_injected_during_the_iteration_come_next() -> None:
    connection: Any = opened("client")
    connection.receive_data(b"\x89\x00\x8a\x00")
    seen: list[Event] = []
    for event in connection.events():
        seen.append(event)
        if event == Ping():
            connection._events.append(Pong(b"injected"))
    # wsproto drains its queue only at the beginning; in both none is lost.
    seen += connection.events()
    assert sorted(map(repr, seen)) == sorted(map(repr, [Ping(), Pong(b"injected"), Pong()]))


@pytest.mark.parametrize("state", list(ConnectionState))
def test_the_state_can_be_set(state: ConnectionState) -> None:
    connection: Any = opened("client")
    connection._state = state
    assert connection.state is connection._state is state


def test_a_state_that_was_set_decides_what_may_be_sent() -> None:
    connection: Any = opened("server")
    connection._state = ConnectionState.REMOTE_CLOSING
    assert connection.send(CloseConnection(1000)) == b"\x88\x02\x03\xe8"
    assert connection.state is ConnectionState.CLOSED


# Subclasses


class NamedConnection(Connection):
    def __init__(self, name: str, *, kind: ConnectionType, color: str = "red") -> None:
        super().__init__(kind)
        self.name, self.color = name, color
        self.calls: list[str] = []

    def send(self, event: Event) -> bytes:
        self.calls.append("send")
        return super().send(event)

    def receive_data(self, data: bytes | None) -> None:
        self.calls.append("receive_data")
        super().receive_data(data)

    def events(self) -> Generator[Event, None, None]:
        self.calls.append("events")
        yield from super().events()


class NamedWSConnection(WSConnection):
    def __init__(self, name: str, *, server: bool = False) -> None:
        super().__init__(SERVER if server else CLIENT)
        self.name = name

    def send(self, event: Event) -> bytes:
        return b"<" + super().send(event) + b">"


def test_a_subclass_of_connection_may_have_other_arguments_and_override_methods() -> None:
    connection = NamedConnection("mine", kind=CLIENT, color="blue")
    assert (connection.name, connection.color, connection.client) == ("mine", "blue", True)
    assert frames.decode(connection.send(BytesMessage(b"x"))) == [Frame(2, b"x", masked=True)]
    connection.receive_data(b"\x89\x00")
    assert list(connection.events()) == [Ping()]
    assert connection.calls == ["send", "receive_data", "events"]


def test_a_subclass_of_wsconnection_may_have_other_arguments_and_override_methods() -> None:
    client = NamedWSConnection("mine")
    assert (client.name, client.client) == ("mine", True)
    sent = client.send(Request("example.com", "/"))
    assert sent[:5] == b"<GET "
    assert sent[-1:] == b">"
    assert NamedWSConnection("other", server=True).client is False


def test_a_subclass_with_slots_and_properties_works() -> None:
    class Slotted(Connection):
        __slots__ = ("extra",)

        @property
        def is_open(self) -> bool:
            return self.state is OPEN

    connection: Any = Slotted(CLIENT)
    connection.extra = 1
    assert connection.is_open
    assert connection.extra == 1


@pytest.mark.parametrize("base", [Connection, WSConnection, H11Handshake])
def test_a_subclass_that_forgets_init_cannot_bring_the_process_down(base: type) -> None:
    class Forgetful(base):  # type: ignore[misc]
        def __init__(self) -> None:
            pass

    connection: Any = Forgetful()
    for call in (
        lambda: connection.send(Ping()),
        lambda: connection.receive_data(b"x"),
        lambda: list(connection.events()),
        lambda: connection.state,
        lambda: connection.client,
        lambda: repr(connection),
    ):
        with contextlib.suppress(*CLEAN):
            call()


def test_init_may_be_called_again_and_begins_anew() -> None:
    connection: Any = opened("client")
    connection.send(CloseConnection(1000))
    connection.__init__(connection_type("server"))
    assert (connection.client, connection.state) == (False, OPEN)


def test_whole_messages_let_go_of_what_they_came_in_when_they_are_given_out() -> None:
    def frame(first: int, size: int) -> bytes:
        return bytes([first, 0xFE]) + size.to_bytes(2, "big") + bytes(4) + bytes(size)

    close = b"\x88\x80" + bytes(4)
    for last in (frame(0x80, 5000), close, b"\xff\xff"):
        connection = Connection(SERVER, config=Config(whole_messages=True))
        chunk = frame(0x02, 5000)
        known = sys.getrefcount(chunk)
        connection.receive_data(chunk)
        assert not list(connection.events())
        assert sys.getrefcount(chunk) == known + 1
        connection.receive_data(last)
        (event,) = connection.events()
        assert sys.getrefcount(chunk) == known, event


@pytest.mark.parametrize("last", [b"\x88\x80\0\0\0\0", b"\xff\xff", None])
def test_what_has_come_of_a_whole_message_goes_with_the_connection(last: bytes | None) -> None:
    def frame(first: int) -> bytes:
        return bytes([first, 0xFE]) + (1000).to_bytes(2, "big") + bytes(4) + bytes(1000)

    connection = Connection(SERVER, config=Config(whole_messages=True))
    tracemalloc.start()
    try:
        for first in [0x02, *[0x00] * 300]:
            connection.receive_data(frame(first))
            assert not list(connection.events())
        assert tracemalloc.get_traced_memory()[0] > 300_000
        connection.receive_data(last)
        (event,) = connection.events()
        assert tracemalloc.get_traced_memory()[0] < 50_000, event
    finally:
        tracemalloc.stop()
