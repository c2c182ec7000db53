"""
A panic at every place where one may come: the exception that is documented, a connection that has
failed, and a process that lives.

Needs a module that was built with the feature `inject-panic`: `make test-panics`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import heads
from support.frames import Frame
from support.negotiation import NAME, opened
from support.strategies import written
from ws13 import Config, ConnectionType, WSConnection, _native
from ws13.connection import CLIENT, SERVER, Connection, ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from ws13.extensions import PerMessageDeflate
from ws13.frame_protocol import FrameProtocol
from ws13.handshake import H11Handshake
from ws13.utilities import InternalError, LocalProtocolError, RemoteProtocolError

panic_behind: Callable[[int], int] = _native.panic_behind  # type: ignore[attr-defined]

#: A connection that was at work, and what it was asked to do.
Call = Callable[[Any], Any]


def panics(make: Callable[[], Any], call: Call) -> Iterator[Any]:
    """Let a panic come at each place that `call` passes; the objects that it passed through."""
    for points in range(1000):
        connection = make()
        panic_behind(points)
        error: BaseException | None = None
        try:
            call(connection)
        except BaseException as raised:
            error = raised
        finally:
            came = panic_behind(-1) == -1
        if not came:
            assert not isinstance(error, InternalError)
            assert points > 0, "no place was passed"
            return
        assert isinstance(error, InternalError), repr(error)
        assert isinstance(error, RuntimeError)
        assert "please report" in str(error)
        assert "injected" in str(error)
        yield connection
    raise AssertionError("it does not come to an end")


def server(extensions: str | None = None) -> Connection:
    connection = opened("server", extensions).connection
    assert isinstance(connection, Connection)
    return connection


def whole() -> Connection:
    return Connection(SERVER, config=Config(whole_messages=True))


def both(extensions: str | None = None) -> WSConnection:
    return opened("server", extensions)


def closing() -> Connection:
    connection = Connection(SERVER)
    assert connection.receive(written([Frame(8, b"\x03\xe8")], "server"))
    return connection


FRAMES = written(
    [
        Frame(1, b"ascii"),
        Frame(1, "é€".encode(), False),
        Frame(9, b"ping"),
        Frame(0, b"more"),
        Frame(2, b"binary"),
    ],
    "server",
)
CLOSED = written([Frame(1, b"x"), Frame(8, b"\x03\xe8bye")], "server")
BROKEN = written([Frame(1, b"x"), Frame(3, b"")], "server")

OPEN: dict[str, Callable[[], Any]] = {
    "Connection": server,
    "compressed": lambda: server(NAME),
    "whole messages": whole,
    "WSConnection": both,
    "WSConnection, compressed": lambda: both(NAME),
}

# Made before: a panic while an event is made is nothing to a connection.
TEXT, BINARY = TextMessage("hello"), BytesMessage(b"hello")
PING, PONG, CLOSE = Ping(b"hello"), Pong(), CloseConnection(1000, "bye")
REQUEST = Request("example.com", "/")
ACCEPT = AcceptConnection(extensions=[PerMessageDeflate()])
REJECT = RejectConnection(status_code=403)

CALLS: dict[str, Call] = {
    "send(TextMessage)": lambda it: it.send(TEXT),
    "send(BytesMessage, compress=)": lambda it: it.send(BINARY, compress=True),
    "send(Ping)": lambda it: it.send(PING),
    "send(CloseConnection)": lambda it: it.send(CLOSE),
    "send(Request)": lambda it: it.send(REQUEST),
    "send_text": lambda it: it.send_text("hello"),
    "send_text, a fragment": lambda it: it.send_text("hello", message_finished=False),
    "send_bytes": lambda it: it.send_bytes(bytearray(b"hello")),
    "send_bytes, a fragment": lambda it: it.send_bytes(b"hello", False),
    "send_all": lambda it: it.send_all([PING, TEXT, PONG]),
    "send_parts": lambda it: it.send_parts(b"hello"),
    "send_parts(TextMessage)": lambda it: it.send_parts(TEXT, compress=False),
    "ping": lambda it: it.ping(),
    "ping(payload)": lambda it: it.ping(payload=b"hello"),
    "pong": lambda it: it.pong(b"hello"),
    "close": lambda it: it.close(),
    "close(code, reason)": lambda it: it.close(1001, reason="bye"),
    "receive": lambda it: it.receive(FRAMES),
    "receive(data=)": lambda it: it.receive(data=FRAMES),
    "receive a Close": lambda it: it.receive(CLOSED),
    "receive nonsense": lambda it: it.receive(BROKEN),
    "receive the end": lambda it: it.receive(None),
    "receive_data": lambda it: it.receive_data(FRAMES),
    "receive_data(data=)": lambda it: it.receive_data(data=FRAMES),
    "events": lambda it: (it.receive_data(FRAMES), list(it.events())),
    "events of a Close": lambda it: (it.receive_data(CLOSED), list(it.events())),
    "events of nonsense": lambda it: (it.receive_data(BROKEN), list(it.events())),
    "state": lambda it: it.state,
    "client": lambda it: it.client,
}


def has_failed(connection: Any) -> None:
    """It gives out nothing more, whatever comes, and only a Close frame can be sent, once."""
    with refused_when_closed(connection):
        assert connection.receive(FRAMES) == []
        connection.receive_data(CLOSED)
        assert list(connection.events()) == []
    for send in (
        lambda: connection.send_text("hello"),
        lambda: connection.send(BytesMessage(b"hello")),
        lambda: connection.ping(),
        lambda: connection.send_all([Pong()]),
    ):
        with pytest.raises(LocalProtocolError):
            send()
    with contextlib.suppress(LocalProtocolError):
        # Behind frames that `send_all` had made before the panic, perhaps.
        assert connection.close(1011).endswith(b"\x88\x02\x03\xf3")
    with pytest.raises(LocalProtocolError):
        connection.close(1011)
    assert connection.receive(None) in ([], [CloseConnection(1006)])
    assert connection.receive(None) == []


def refused_when_closed(connection: Any) -> contextlib.AbstractContextManager[object]:
    """Data for a connection whose stream had ended already is refused, as without a panic."""
    if connection.state is ConnectionState.CLOSED:
        return contextlib.suppress(LocalProtocolError)
    return contextlib.nullcontext()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("make", OPEN.values(), ids=OPEN)
def test_a_panic_in_a_call_of_an_open_connection_fails_it(
    make: Callable[[], Any], call: Call
) -> None:
    for connection in panics(make, call):
        has_failed(connection)


def test_a_panic_while_a_close_frame_is_answered_fails_the_connection() -> None:
    for connection in panics(closing, lambda it: it.send(CLOSE)):
        assert connection.receive(FRAMES) == []
        with pytest.raises(LocalProtocolError):
            connection.ping()


@pytest.mark.parametrize(
    "call",
    [
        lambda it: it._events.append(PING),
        lambda it: setattr(it, "_state", it._state),
        lambda it: setattr(it, "send", None),
        lambda it: setattr(it, "_events", []),
    ],
)
def test_a_panic_in_an_attribute_fails_the_connection(call: Call) -> None:
    for connection in panics(server, call):
        assert connection.receive(FRAMES) == []


def test_a_panic_in_one_connection_is_nothing_to_another_one() -> None:
    for compressed in (None, NAME):
        other = both(compressed)
        for call in CALLS.values():
            for _ in panics(lambda: both(compressed), call):  # noqa: B023
                assert len(other.receive(FRAMES)) == 5
                assert other.send_text("hello")


def asked() -> WSConnection:
    connection = WSConnection(ConnectionType.SERVER)
    connection.receive_data(heads.head(heads.REQUEST))
    list(connection.events())
    return connection


def asking() -> WSConnection:
    connection = WSConnection(ConnectionType.CLIENT)
    connection.send(Request("example.com", "/", extensions=[PerMessageDeflate()]))
    return connection


REJECTION = heads.head(["HTTP/1.1 403 No", "Content-Length: 5"]) + b"hello"


@pytest.mark.parametrize(
    ("make", "call"),
    [
        (
            lambda: WSConnection(SERVER),
            lambda it: (it.receive_data(heads.head(heads.REQUEST)), list(it.events())),
        ),
        (asked, lambda it: it.send(ACCEPT)),
        (asked, lambda it: it.send(REJECT)),
        (lambda: WSConnection(CLIENT), lambda it: it.send(REQUEST)),
        (asking, lambda it: (it.receive_data(REJECTION), list(it.events()))),
        (asking, lambda it: it.receive_data(None)),
        (asked, lambda it: it.state),
        (asked, lambda it: it.ping()),
        (lambda: H11Handshake(SERVER), lambda it: it.receive_data(heads.head(heads.REQUEST))),
        (lambda: H11Handshake(SERVER), lambda it: (it.state, it.client, repr(it), it.connection)),
    ],
)
def test_a_panic_in_a_handshake_leaves_no_connection_behind(
    make: Callable[[], Any], call: Call
) -> None:
    for handshake in panics(make, call):
        with contextlib.suppress(RemoteProtocolError, LocalProtocolError):
            handshake.receive_data(heads.head(heads.REQUEST))
            handshake.receive_data(REJECTION)
        with pytest.raises(LocalProtocolError):
            handshake.send(AcceptConnection())
        # What was opened before the panic has failed with it.
        if handshake.connection is not None:
            has_failed(handshake.connection)


@pytest.mark.parametrize(
    "call",
    [
        lambda _: Ping(b"x"),
        lambda _: TextMessage("x", message_finished=False),
        lambda _: Config(piece_size=5),
        lambda _: Config.server().__replace__(max_message_size=5),
        lambda _: Connection(CLIENT, config=Config.client()),
        lambda _: WSConnection(CLIENT),
        lambda _: H11Handshake(CLIENT),
        lambda _: opened("server", NAME),
        lambda _: opened("client", NAME),
        lambda _: FrameProtocol(client=False, extensions=[]).receive_bytes(FRAMES),
        lambda _: FrameProtocol(client=True, extensions=[]).ping(b"x"),
        lambda _: RejectData(b"x").body_finished,
    ],
)
def test_a_panic_while_an_object_is_made_makes_none(call: Call) -> None:
    for _ in panics(object, call):
        call(None)
