"""Code of the program that runs in the middle of a call and calls back into the connection."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from support import frames, heads, strategies
from support.frames import Frame
from support.model import OPEN, connection_type, opened
from ws13 import WSConnection
from ws13.connection import Connection, ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from ws13.utilities import ProtocolError

DOCUMENTED = (ProtocolError, TypeError, ValueError, RuntimeError)
both_roles = pytest.mark.parametrize("role", ["client", "server"])


def meddle(connection: Connection) -> None:
    """Whatever a program can do with a connection in the middle of another call."""
    pings = strategies.written([Frame(9, b"meddled")], "client" if connection.client else "server")
    calls: list[Callable[[], object]] = [
        lambda: connection.send(TextMessage("meddled", message_finished=False)),
        lambda: connection.send(Ping(b"meddled")),
        lambda: connection.receive_data(pings),
        lambda: next(connection.events(), None),
        lambda: connection.state,
        lambda: connection.send(TextMessage("")),
    ]
    for call in calls:
        with contextlib.suppress(*DOCUMENTED):
            call()
    # Nothing refuses this: no extension is in use, so the connection is free whenever Python runs.
    assert isinstance(connection.state, ConnectionState)


class Meddler:
    """Meddles whenever Python asks it for anything."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.meddled = 0

    def _now(self) -> None:
        self.meddled += 1
        if self.meddled < 20:
            meddle(self.connection)

    def __index__(self) -> int:
        self._now()
        return 1000

    def __int__(self) -> int:
        return self.__index__()

    def __bool__(self) -> bool:
        self._now()
        return True

    def __len__(self) -> int:
        self._now()
        return 1

    def __iter__(self) -> Any:
        self._now()
        return iter([])

    def __str__(self) -> str:
        self._now()
        return "meddler"

    __repr__ = __str__

    def __bytes__(self) -> bytes:
        self._now()
        return b"meddler"

    def __buffer__(self, flags: int) -> memoryview:
        self._now()
        return memoryview(b"meddler")


class MeddlingInt(int):
    connection: Connection

    def __index__(self) -> int:
        meddle(self.connection)
        return 1000

    __int__ = __index__

    def __eq__(self, other: object) -> bool:
        meddle(self.connection)
        return int.__eq__(self, other)

    def __hash__(self) -> int:
        meddle(self.connection)
        return int.__hash__(self)


def works(connection: Connection, role: str) -> None:
    """The connection still sends and receives whole frames."""
    assert connection.state is OPEN
    for _event in connection.events():
        pass
    sent = frames.decode(connection.send(BytesMessage(b"after")))
    assert [(frame.opcode, frame.payload) for frame in sent] == [(2, b"after")]
    connection.receive_data(strategies.written([Frame(9, b"after")], role))
    assert list(connection.events()) == [Ping(b"after")]


MEDDLED: list[Callable[[Any], Any]] = [
    lambda meddler: BytesMessage(meddler),
    lambda meddler: TextMessage(meddler),
    lambda meddler: TextMessage("x", True, meddler),
    lambda meddler: BytesMessage(b"x", meddler, meddler),
    lambda meddler: Ping(meddler),
    lambda meddler: Pong(meddler),
    lambda meddler: CloseConnection(4999 + 1, meddler),
    lambda meddler: Request(meddler, meddler, meddler, meddler, meddler),
    lambda meddler: meddler,
]


@both_roles
@pytest.mark.parametrize("number", range(len(MEDDLED)))
def test_values_of_an_event_may_use_the_connection_while_it_is_sent(role: str, number: int) -> None:
    connection = opened(role)
    event = MEDDLED[number](Meddler(connection))
    try:
        sent = connection.send(event)
    except DOCUMENTED:
        pass
    else:
        assert len(frames.decode(sent)) == 1
    works(connection, role)


@both_roles
def test_a_truth_value_that_sends_is_asked_before_the_message_is_written(role: str) -> None:
    """What the meddler sends is a whole message of its own, never one inside the other."""
    connection = opened(role)
    sent = [connection.send(BytesMessage(b"a", message_finished=False))]

    class Truth:
        def __bool__(self) -> bool:
            sent.append(connection.send(BytesMessage(b"b", message_finished=False)))
            return True

    truth: Any = Truth()
    last = connection.send(BytesMessage(b"c", message_finished=truth))
    found = frames.decode(b"".join([*sent, last]))
    assert [(one.opcode, one.payload, one.fin) for one in found] == [
        (2, b"a", False),
        (0, b"b", False),
        (0, b"c", True),
    ]


@both_roles
def test_a_close_code_may_use_the_connection_when_it_becomes_a_number(role: str) -> None:
    connection = opened(role)
    code = MeddlingInt(1000)
    code.connection = connection
    try:
        sent = connection.send(CloseConnection(code))
    except DOCUMENTED:
        works(connection, role)
    else:
        assert frames.decode(sent)[0].payload == b"\x03\xe8"
        assert connection.state is not OPEN


@both_roles
@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs __buffer__ (Python 3.12)")
def test_a_buffer_may_use_the_connection_when_it_is_received(role: str) -> None:
    connection = opened(role)
    frame = strategies.written([Frame(9, b"outer")], role)

    class Buffer:
        def __buffer__(self, flags: int) -> memoryview:
            meddle(connection)
            return memoryview(frame)

    buffer: Any = Buffer()
    try:
        connection.receive_data(buffer)
    except DOCUMENTED:
        pass
    else:
        assert list(connection.events())[-1] == Ping(b"outer")
    works(connection, role)


@both_roles
def test_the_repr_of_a_refused_event_may_use_the_connection(role: str) -> None:
    connection = opened(role)
    connection.send(CloseConnection(1000))
    host: Any = Meddler(connection)
    with pytest.raises(ProtocolError, match="cannot be sent in state"):
        connection.send(Request(host, "/"))
    assert host.meddled


@both_roles
def test_everything_may_be_called_inside_the_loop_over_events(role: str) -> None:
    connection = opened(role)
    connection.receive_data(strategies.written([Frame(9, bytes([i])) for i in range(3)], role))
    sent, seen = b"", []
    for event in connection.events():
        assert isinstance(event, Ping)
        seen.append(event.payload)
        sent += connection.send(event.response())
        if event.payload == b"\x01":
            connection.receive_data(strategies.written([Frame(9, b"more")], role))
    assert seen == [b"\0", b"\1", b"\2", b"more"]
    assert [frame.payload for frame in frames.decode(sent)] == seen


@both_roles
def test_the_end_of_the_stream_may_come_inside_the_loop(role: str) -> None:
    connection = opened(role)
    connection.receive_data(strategies.written([Frame(9, b"a"), Frame(9, b"b")], role))
    seen: list[Any] = []
    for event in connection.events():
        seen.append(event)
        connection.receive_data(None)
    assert seen[:2] == [Ping(b"a"), Ping(b"b")]
    assert [int(event.code) for event in seen[2:]] == [1006]


def test_a_server_may_accept_and_talk_inside_the_loop() -> None:
    server = WSConnection(connection_type("server"))
    behind = strategies.written([Frame(1, b"early")], "server")
    server.receive_data(heads.head(heads.REQUEST) + behind)
    seen: list[Any] = []
    for event in server.events():
        seen.append(event)
        if isinstance(event, Request):
            server.send(AcceptConnection())
            server.send(TextMessage("welcome"))
    seen += server.events()
    assert seen[1:] == [TextMessage("early")]


@both_roles
def test_a_value_may_use_the_connection_when_it_dies(role: str) -> None:
    connection: Any = opened(role)
    died: list[int] = []

    class Dying:
        def __del__(self) -> None:
            died.append(1)
            meddle(connection)

    dying: Any = Dying()
    connection.send(TextMessage("x", frame_finished=dying))
    del dying
    connection._events.append(Dying())
    for event in connection.events():
        del event
    connection.attribute = Dying()
    del connection.attribute
    gc.collect()
    assert len(died) == 3
    works(connection, role)


@both_roles
def test_an_injected_queue_may_use_the_connection(role: str) -> None:
    connection: Any = opened(role)

    class Queue(list[Any]):
        def __len__(self) -> int:
            meddle(connection) if list.__len__(self) else None
            return list.__len__(self)

        def popleft(self) -> Any:
            meddle(connection)
            return self.pop(0)

    try:
        connection._events = Queue([Ping(b"injected"), Ping(b"too")])
        assert all(isinstance(event, Ping) for event in connection.events())
    except (*DOCUMENTED, IndexError):
        pass  # the queue's own
    connection._events = deque()
    works(connection, role)
