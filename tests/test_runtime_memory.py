"""Memory that runs out at any one allocation, and what a panic leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.frames import Frame, encode
from support.negotiation import NAME, opened
from ws13 import Config, WSConnection
from ws13.connection import CLIENT, Connection
from ws13.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from ws13.utilities import InternalError, LocalProtocolError

_testcapi = pytest.importorskip("_testcapi", reason="this Python lacks its own test module")

TEXT, BINARY, PING = 1, 2, 9


def frame(opcode: int, payload: bytes) -> bytes:
    return encode(Frame(opcode, payload))


SENT = [
    Ping(b"first"),
    TextMessage("ascii and more"),
    TextMessage("éé€"),
    TextMessage("ж" * 40),
    BytesMessage(b"x" * 40),
    Ping(b"last"),
]
DATA = (
    frame(PING, b"first")
    + frame(TEXT, b"ascii and more")
    + frame(TEXT, "éé€".encode())
    + frame(TEXT, ("ж" * 40).encode())
    + frame(BINARY, b"x" * 40)
    + frame(PING, b"last")
)
ALLOCATIONS = range(40)
TAKEN: list[Event] = []


def one_call(connection: Connection, data: bytes, got: list[Any]) -> None:
    got[0] = connection.receive(data)


def step_by_step(connection: Connection, data: bytes, got: list[Any]) -> None:
    connection.receive_data(data)
    got[0] = TAKEN
    events = connection.events()
    for at in range(len(got)):
        got[at] = next(events)


def without_memory(at: int, what: Callable[[], Any]) -> BaseException | None:
    """Let the allocation with this number fail in ``what``; return what was raised."""
    _testcapi.set_nomemory(at, at + 1)
    try:
        what()
    except BaseException as error:
        return error
    finally:
        _testcapi.remove_mem_hooks()
    return None


@pytest.mark.parametrize("take", [one_call, step_by_step])
@pytest.mark.parametrize("at", ALLOCATIONS)
def test_a_failed_allocation_is_a_memory_error_and_leaves_no_hole_in_the_stream(
    at: int, take: Callable[[Connection, bytes, list[Any]], None]
) -> None:
    connection, got = Connection(CLIENT), []
    # Made before, so that keeping an event needs no memory.
    places: list[Any] = [None] * len(SENT)
    error = without_memory(at, lambda: take(connection, DATA, places))
    assert error is None or type(error) is MemoryError
    for place in places:
        got += place if isinstance(place, list) else [place] if place else []
    got += connection.receive(b"")
    behind = connection.receive(frame(PING, b"behind"))
    assert got == SENT[: len(got)]
    if take is step_by_step and places[0] is None:
        # It failed before the call: nothing was taken, and so nothing is lost.
        assert behind == [Ping(b"behind")]
        return
    # All of it, or what came before the failure and nothing behind it.
    assert behind == ([Ping(b"behind")] if got == SENT else [])


#: Whole messages that come in parts which are held, or copied, or are text of both kinds.
WHOLE = {
    "binary fragments": [(BINARY, b"x" * 5000), (0, b"y" * 9000), (PING, b"1")],
    "small binary parts": [(BINARY, b"x" * 90_000), (PING, b"1")],
    "ascii, held": [(TEXT, b"a" * 5000), (0, b"b" * 5000), (PING, b"1")],
    "ascii, in small parts": [(TEXT, b"a" * 90_000), (PING, b"1")],
    "ascii, then other": [(TEXT, b"a" * 5000), (0, "é".encode() * 30_000), (PING, b"1")],
}


def in_parts(frames: list[tuple[int, bytes]], size: int) -> list[bytes]:
    """A message in these frames, cut into parts of so many bytes; a Ping is a frame of its own."""
    last = max(i for i, (opcode, _) in enumerate(frames) if opcode != PING)
    stream = b"".join(
        encode(Frame(opcode, payload, fin=opcode == PING or i == last))
        for i, (opcode, payload) in enumerate(frames)
    )
    return [stream[at : at + size] for at in range(0, len(stream), size)]


@pytest.mark.parametrize("size", [1000, 5010])
@pytest.mark.parametrize("name", WHOLE)
def test_a_failed_allocation_leaves_no_hole_in_a_whole_message(name: str, size: int) -> None:
    parts = in_parts(WHOLE[name], size)
    wanted = Connection(CLIENT, config=Config.client()).receive(b"".join(parts))
    assert len(wanted) == 2
    failed = 0
    for at in range(5):
        for unlucky in {0, 1, len(parts) // 2, len(parts) - 2, len(parts) - 1}:
            connection, got = Connection(CLIENT, config=Config.client()), []
            error = None
            for i, part in enumerate(parts):
                places: list[Any] = [None]
                if i == unlucky:
                    error = without_memory(at, lambda: one_call(connection, part, places))  # noqa: B023
                else:
                    one_call(connection, part, places)
                got += places[0] or []
            got += connection.receive(b"")
            assert error is None or type(error) is MemoryError
            failed += error is not None
            assert got == wanted[: len(got)]
            assert (got == wanted) == (error is None)
    assert failed >= 3


@pytest.mark.parametrize("at", ALLOCATIONS)
def test_events_of_a_failed_call_do_not_come_out_of_another_connection(at: int) -> None:
    connection, other = Connection(CLIENT), Connection(CLIENT)
    without_memory(at, lambda: connection.receive(DATA))
    assert other.receive(frame(PING, b"other")) == [Ping(b"other")]


def test_events_before_a_panic_do_not_come_out_of_another_connection() -> None:
    class Panicking:
        """A queue out of which a panic comes, as PyO3 hands it on, behind two events."""

        popped = 0

        def __len__(self) -> int:
            return 3

        def extend(self, events: list[Event]) -> None:
            raise AssertionError("events before a panic are lost")

        def popleft(self) -> Event:
            self.popped += 1
            if self.popped < 3:
                return Ping(b"of the first")
            (panic,) = InternalError.__subclasses__()
            raise panic

    connection, other = Connection(CLIENT), Connection(CLIENT)
    connection._events = Panicking()
    with pytest.raises(InternalError, match="please report"):
        connection.receive(b"")
    assert other.receive(frame(PING, b"other")) == [Ping(b"other")]


def test_events_that_cannot_be_had_from_a_replaced_connection_are_asked_for_once() -> None:
    class Broken:
        asked = 0

        def events(self) -> None:
            self.asked += 1
            raise ZeroDivisionError

    connection, broken = WSConnection(CLIENT), Broken()
    connection.connection = broken
    events = connection.events()
    with pytest.raises(ZeroDivisionError):
        next(events)
    assert list(events) == []
    assert broken.asked == 1


SENDING: dict[str, Callable[[Any], Any]] = {
    "send(TextMessage)": lambda it: it.send(SENT[1]),
    "send(BytesMessage)": lambda it: it.send(SENT[4], compress=True),
    "send(Ping)": lambda it: it.send(SENT[0]),
    "send(CloseConnection)": lambda it: it.send(CLOSE),
    "send_text": lambda it: it.send_text("é" * 40),
    "send_text, a fragment": lambda it: it.send_text("x", message_finished=False),
    "send_bytes": lambda it: it.send_bytes(b"x" * 40),
    "send_bytes of a bytearray, a fragment": lambda it: it.send_bytes(bytearray(b"x"), False),
    "send_all": lambda it: it.send_all(SENT),
    "send_parts": lambda it: it.send_parts(b"x" * 40),
    "ping": lambda it: it.ping(),
    "ping(payload)": lambda it: it.ping(payload=b"x" * 40),
    "pong": lambda it: it.pong(b"x" * 40),
    "close": lambda it: it.close(),
    "close(code, reason)": lambda it: it.close(1001, reason="bye"),
}
CLOSE = CloseConnection(1000, "bye")


def rest(connection: Any) -> list[Any]:
    """What a connection goes on to do, a message and a closing handshake, until it refuses."""
    done: list[Any] = [connection.state]
    for call in (
        lambda: connection.send_bytes(b"y", False),
        lambda: connection.send_bytes(b"z" * 40),
        lambda: connection.receive(frame(PING, b"y")),
        lambda: connection.close(1001),
        lambda: connection.receive(frame(8, b"\x03\xe8")),
    ):
        try:
            done.append(call())
        except (LocalProtocolError, TypeError) as error:
            done.append(str(error))
    return [*done, connection.state]


@pytest.mark.parametrize("extensions", [None, NAME], ids=["plain", "compressed"])
@pytest.mark.parametrize("call", SENDING.values(), ids=SENDING)
def test_a_frame_that_there_is_no_memory_for_has_not_been_sent(
    call: Callable[[Any], Any], extensions: str | None
) -> None:
    def made() -> Any:
        return opened("server", extensions).connection

    untouched = rest(made())
    for at in range(200):
        connection = made()
        error = without_memory(at, lambda: call(connection))  # noqa: B023
        if error is None:
            break
        assert type(error) is MemoryError
        # What `send_all` had made before comes with the next call.
        if call is SENDING["send_all"]:
            connection.send_all(())
        assert inflated(rest(connection)) == inflated(untouched)
    assert at > 0


def inflated(done: list[Any]) -> list[Any]:
    """The same, of compressed frames only that they are there: a state may have been let go of."""
    return [len(one) > 0 if isinstance(one, bytes) and one[0] & 0x40 else one for one in done]
