"""
Any call at any moment: out of buffers, hooks and loops, out of many iterators and many threads.

A program is a tree of calls: each call may have others inside, which run while it does, from the
places where ws13 runs a program's code. Only documented exceptions come out, what was sent are
whole frames, and what was received comes out once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import frames, strategies
from support.frames import Frame
from support.profiles import profile
from support.strategies import roles
from ws13 import Config, WSConnection
from ws13.connection import Connection, ConnectionState, ConnectionType
from ws13.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from ws13.extensions import Extension
from ws13.frame_protocol import CloseReason, Opcode, RsvBits
from ws13.utilities import LocalProtocolError

#: What a call may raise, wherever it comes from.
DOCUMENTED = (LocalProtocolError, TypeError, ValueError)

#: A program: what is called, and the programs that run inside that call.
Program = list[tuple[str, "Program"]]

LEAVES = ["send", "parts", "all", "receive", "receive_data", "take", "iterate", "go on", "state"]
LEAVES += ["close", "end", "violate"]
HOSTS = ["a buffer sends", "a buffer is received", "a loop", "a list", "a truth value", "an index"]

programs: st.SearchStrategy[Program] = st.recursive(
    st.lists(st.tuples(st.sampled_from(LEAVES), st.just([])), max_size=4),
    lambda inner: st.lists(
        st.tuples(st.sampled_from(HOSTS), inner) | st.tuples(st.sampled_from(LEAVES), st.just([])),
        max_size=5,
    ),
    max_leaves=15,
)


class Run:
    """A connection at work, and what came of that."""

    def __init__(self, connection: Any, role: str) -> None:
        self.connection, self.role = connection, role
        self.sent: list[bytes] = []
        self.fed = 0
        self.taken: list[Event] = []
        self.iterators: list[Iterator[Event]] = []
        self.inside: list[Program] = []
        self.lock = threading.Lock()

    def play(self, program: Program) -> None:
        for name, inner in program:
            self.inside.append(inner)
            try:
                self.call(name)
            except DOCUMENTED:
                pass
            finally:
                self.inside.pop()

    def here(self) -> None:
        """A place inside a call: what is to run there runs, once."""
        if self.inside and (inner := self.inside[-1]):
            self.inside[-1] = []
            self.play(inner)

    def next_ping(self) -> bytes:
        with self.lock:
            self.fed += 1
            return strategies.written([Frame(9, b"%d" % self.fed)], self.role)

    def took(self, events: list[Event]) -> None:
        self.taken += events

    def call(self, name: str) -> None:
        connection = self.connection
        match name:
            case "send":
                self.sent.append(connection.send(TextMessage("text")))
            case "parts":
                self.sent.append(b"".join(connection.send_parts(BytesMessage(b"bytes"))))
            case "all":
                self.sent.append(connection.send_all([Ping(), Pong()]))
            case "receive":
                self.took(connection.receive(self.next_ping() + self.next_ping()))
            case "receive_data":
                connection.receive_data(self.next_ping())
            case "take":
                self.took(list(connection.events()))
            case "iterate":
                self.iterators.append(connection.events())
            case "go on":
                for iterator in self.iterators[-3:]:
                    self.took([event for event in [next(iterator, None)] if event is not None])
            case "state":
                assert isinstance(connection.state, ConnectionState)
            case "close":
                self.sent.append(connection.close(1000))
            case "end":
                connection.receive_data(None)
            case "violate":
                connection.receive_data(strategies.written([Frame(3, b"")], self.role))
            case "a buffer sends":
                self.sent.append(connection.send_bytes(Buffer(self)))
            case "a buffer is received":
                connection.receive_data(Buffer(self))
            case "a loop":
                for event in connection.events():
                    self.took([event])
                    self.here()
            case "a list":
                self.sent.append(connection.send_all(self.some()))
            case "a truth value":
                message = TextMessage("text", message_finished=Truth(self))  # type: ignore[arg-type]
                self.sent.append(connection.send(message))
            case "an index":
                self.sent.append(connection.close(Index(self)))
            case _:
                raise AssertionError(name)

    def some(self) -> Iterator[Event]:
        yield Pong(b"first")
        self.here()
        yield Pong(b"second")


class Buffer:
    """Runs a program whenever it is asked for its bytes, where CPython lets a class have some."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __buffer__(self, flags: int) -> memoryview:
        self.run.here()
        return memoryview(self.run.next_ping())

    def __len__(self) -> int:
        self.run.here()
        return 3

    def __iter__(self) -> Iterator[int]:
        self.run.here()
        return iter(b"abc")

    def __eq__(self, other: object) -> bool:
        self.run.here()
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]


class Truth:
    def __init__(self, run: Run) -> None:
        self.run = run

    def __bool__(self) -> bool:
        self.run.here()
        return True


class Index(int):
    run: Run

    def __new__(cls, run: Run) -> Index:
        made = super().__new__(cls, 1000)
        made.run = run
        return made

    def __index__(self) -> int:
        self.run.here()
        return 1000

    __int__ = __index__


class Calling(Extension):
    """Its hooks run programs, and pass on what they get."""

    name = "x-calling"
    run: Run | None = None

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool:
        return True

    def accept(self, offer: str) -> bool:
        return True

    def finalize(self, offer: str) -> None:
        pass

    def here(self) -> None:
        if self.run is not None:
            self.run.here()

    def frame_inbound_header(
        self, proto: Any, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self.here()
        return RsvBits(False, False, False)

    def frame_inbound_payload_data(self, proto: Any, data: bytes) -> bytes | CloseReason:
        self.here()
        return data

    def frame_inbound_complete(self, proto: Any, fin: bool) -> bytes | CloseReason | None:
        self.here()
        return None

    def frame_outbound(
        self, proto: Any, opcode: Opcode, rsv: RsvBits, data: bytes, fin: bool
    ) -> tuple[RsvBits, bytes]:
        self.here()
        return rsv, data


def started(role: str, kind: str) -> Run:
    connection_type = ConnectionType[role.upper()]
    if kind == "hooks":
        extension = Calling()
        run = Run(Connection(connection_type, [extension]), role)
        extension.run = run
        return run
    if kind == "WSConnection":
        outer = WSConnection(connection_type)
        outer.connection = Connection(connection_type)
        return Run(outer, role)
    config = Config(whole_messages=kind == "whole")
    return Run(Connection(connection_type, config=config), role)


KINDS = ["plain", "whole", "WSConnection", "hooks"]


def check(run: Run) -> None:
    """Whole frames went out, and what came in came out once."""
    for _ in range(3):
        run.play([("take", [])])
    out = frames.decode(b"".join(run.sent))
    assert all(frame.masked is (run.role == "client") for frame in out)
    assert all(frame.opcode != 8 for frame in out[:-1]), "nothing goes out behind a Close frame"
    numbers = [int(event.payload) for event in run.taken if isinstance(event, Ping)]
    assert len(set(numbers)) == len(numbers), "nothing comes out twice"
    others = [event for event in run.taken if not isinstance(event, Ping)]
    assert all(isinstance(event, CloseConnection) for event in others)
    assert len(others) <= 1


@pytest.mark.parametrize("kind", KINDS)
@profile(120)
@given(role=roles, program=programs)
def test_any_program_of_calls_inside_calls_leaves_a_connection_whole(
    kind: str, role: str, program: Program
) -> None:
    run = started(role, kind)
    run.play(program)
    check(run)
    numbers = [int(event.payload) for event in run.taken if isinstance(event, Ping)]
    if not any(isinstance(event, CloseConnection) for event in run.taken):
        # A ping that a buffer holds is sent, or received, or neither where that is refused.
        assert set(numbers) <= set(range(1, run.fed + 1))


@pytest.mark.parametrize("kind", KINDS)
@profile(15)
@given(role=roles, several=st.lists(programs, min_size=2, max_size=4))
def test_any_programs_in_threads_leave_a_connection_whole(
    kind: str, role: str, several: list[Program]
) -> None:
    run = started(role, kind)
    errors: list[BaseException] = []
    start = threading.Barrier(len(several))

    def work(program: Program) -> None:
        # Each thread has calls of its own, and the connection together with the others.
        own = Run(run.connection, role)
        own.lock, own.next_ping = run.lock, run.next_ping  # type: ignore[method-assign]
        start.wait()
        try:
            for _ in range(5):
                own.play(program)
        except BaseException as error:
            errors.append(error)
        with run.lock:
            run.sent += own.sent
            run.taken += own.taken

    threads = [threading.Thread(target=work, args=(program,)) for program in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[0]
    run.play([("take", [])])
    numbers = [int(event.payload) for event in run.taken if isinstance(event, Ping)]
    assert len(set(numbers)) == len(numbers), "nothing comes out twice"
    assert sum(isinstance(event, CloseConnection) for event in run.taken) <= 1
    for piece in run.sent:
        frames.decode(piece)


def test_a_program_runs_what_is_inside_a_call_while_that_is_under_way() -> None:
    """That the places are found at all."""
    order: list[str] = []

    class Noting(Run):
        def call(self, name: str) -> None:
            order.append(name)
            super().call(name)
            order.append(f"end of {name}")

    for host in ("a loop", "a list", "a truth value"):
        order.clear()
        run = Noting(Connection(ConnectionType.SERVER), "server")
        run.connection.receive_data(run.next_ping())
        run.play([(host, [("state", [])])])
        assert order == [host, "state", "end of state", f"end of {host}"]
