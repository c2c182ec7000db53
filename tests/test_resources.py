"""Memory, whatever a peer sends: rows M-201 to M-209 of the protocol matrix."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from support.bombs import bomb, final, framed, pieces
from support.frames import Frame
from support.memory import KIB, MIB, kept, memory, needs_proc, peak
from support.negotiation import NAME, opened
from support.strategies import written
from support.vectors import pieces_of
from ws13 import Config, ConnectionType, WSConnection
from ws13.events import BytesMessage, CloseConnection, TextMessage
from ws13.utilities import LocalProtocolError

ROLES = pytest.mark.parametrize("role", ["client", "server"])


# M-201, M-202: bombs.


@needs_proc
@ROLES
@pytest.mark.parametrize("size", [0, 8192], ids=["one frame", "fragments"])
def test_m201_a_bomb_in_one_call_comes_in_pieces_and_needs_little_memory(
    role: str, size: int
) -> None:
    stream = framed(bomb(100), role, size)
    connection, lengths = opened(role), [0, 0]

    def work() -> None:
        connection.receive_data(stream)
        for length in pieces(connection):
            assert 0 <= length <= 64 * KIB
            lengths[0] += length
            lengths[1] += 1

    assert peak(work) < 2 * MIB
    assert lengths[0] == 100 * MIB
    assert lengths[1] < 100 * 16 + 200


@needs_proc
@ROLES
@pytest.mark.parametrize("whole", [False, True], ids=["pieces", "whole"])
@pytest.mark.parametrize("limit", [1000, MIB])
def test_m201_a_bomb_is_refused_at_the_limit(role: str, whole: bool, limit: int) -> None:
    stream = framed(bomb(100), role)
    connection = opened(role, NAME, Config(max_message_size=limit, whole_messages=whole))
    seen: list[int] = []

    def work() -> None:
        connection.receive_data(stream)
        seen.extend(pieces(connection))

    started = time.process_time()
    assert peak(work) <= limit + 64 * KIB + 2 * MIB
    assert time.process_time() - started < 1
    assert seen.pop() == -1009
    assert sum(seen) == (0 if whole else limit)


@needs_proc
@ROLES
@pytest.mark.parametrize("size", [65536, 4096, 100])
def test_m202_a_bomb_in_reads_of_any_size_comes_in_pieces(role: str, size: int) -> None:
    stream = framed(bomb(32), role)
    connection, total = opened(role), 0

    def work() -> None:
        nonlocal total
        for chunk in pieces_of(stream, size):
            connection.receive_data(chunk)
            for length in pieces(connection):
                assert 0 <= length <= 64 * KIB
                total += length

    assert peak(work) < 2 * MIB
    assert total == 32 * MIB


@needs_proc
@ROLES
def test_m202_a_whole_message_is_held_once(role: str) -> None:
    stream = framed(bomb(32), role)
    connection = opened(role, NAME, Config(whole_messages=True, max_message_size=64 * MIB))
    events: list[Any] = []

    def work() -> None:
        connection.receive_data(stream)
        events.extend(connection.events())

    assert peak(work) < 32 * MIB * 2.2  # growing may copy
    assert events == [BytesMessage(bytes(32 * MIB))]


@needs_proc
@ROLES
@pytest.mark.parametrize("whole", [False, True], ids=["pieces", "whole"])
@pytest.mark.parametrize("first", [0x82, 0x81, 0xC2, 0x02], ids=hex)
@pytest.mark.parametrize("size", [2**16, 2**25, 2**32, 2**62, 2**63 - 1])
def test_m012_nothing_is_set_aside_for_what_a_header_announces(
    role: str, whole: bool, first: int, size: int
) -> None:
    masked = role == "server"
    start = bytes([first, 127 | masked << 7]) + size.to_bytes(8, "big") + bytes(4 * masked)
    connections = []

    def work() -> None:
        for _ in range(100):
            connection = opened(role, NAME, Config(whole_messages=whole))
            connection.receive_data(start + b"\0")
            assert sum(pieces(connection)) in (0, 1)
            connections.append(connection)

    reserved = memory("VmSize")
    assert peak(work) < 100 * 64 * KIB + MIB
    assert memory("VmSize") - reserved < 200 * MIB  # memory that nobody has touched yet, too


# M-205, M-209: what nobody wants is not kept.

FAULTS = [
    pytest.param([Frame(1, b"\xff" * 8, rsv=4)], id="bad DEFLATE"),
    pytest.param([Frame(2, b"\x00", False, 4), Frame(0, b"", rsv=4)], id="RSV1 on a continuation"),
    pytest.param([Frame(2, b"\x4a", True, 4)], id="broken off"),
    pytest.param([Frame(1, b"\x00\x01\x00\xfe\xff\xff\x00", rsv=4)], id="inflated bad UTF-8"),
    pytest.param([Frame(2, bytes.fromhex("f348cdc9c90700") + b"\x07", rsv=4)], id="behind BFINAL"),
    pytest.param([Frame(2, b"x" * 101)], id="above a limit"),
    pytest.param([Frame(8, b"\x03\xe8")], id="the peer's close"),
]


@needs_proc
@ROLES
@pytest.mark.parametrize("whole", [False, True], ids=["pieces", "whole"])
@pytest.mark.parametrize("frames", FAULTS)
def test_m205_nothing_is_kept_behind_a_failure(role: str, whole: bool, frames: list[Frame]) -> None:
    connection = opened(role, NAME, Config(max_message_size=100, whole_messages=whole))
    connection.receive_data(written(frames, role))
    assert isinstance(list(connection.events())[-1], CloseConnection)
    junk = [bytes(64 * KIB), written([Frame(2, b"x" * 1000)] * 60, role, bytes(4))]

    def work() -> None:
        for i in range(256):
            connection.receive_data(junk[i % 2])
            assert list(connection.events()) == []

    work()
    assert kept(work) < MIB


@needs_proc
@ROLES
@pytest.mark.parametrize("size", [MIB, 1000], ids=["held", "written"])
@pytest.mark.parametrize("payload", [b"x", "я".encode()], ids=["ascii", "other"])
@pytest.mark.parametrize("opcode", [1, 2])
def test_m205_the_beginning_of_a_whole_message_is_let_go_with_a_failure(
    role: str, opcode: int, payload: bytes, size: int
) -> None:
    connections = []

    def work() -> None:
        for _ in range(20):
            connection = opened(role, NAME, Config(whole_messages=True))
            stream = written([Frame(opcode, MIB // len(payload) * payload, False)], role, bytes(4))
            for at in range(0, len(stream), size):
                connection.receive_data(stream[at : at + size])
                assert list(connection.events()) == []
            connection.receive_data(written([Frame(2, b"")], role))
            assert len(list(connection.events())) == 1
            connections.append(connection)

    assert kept(work) < 4 * MIB


@needs_proc
@ROLES
def test_m209_nothing_is_kept_behind_a_final_block(role: str) -> None:
    connection = opened(role)
    start = [Frame(2, bytes.fromhex("f348cdc9c90700"), False, 4)]
    connection.receive_data(written(start, role))
    list(connection.events())
    more = written([Frame(0, b"\x03\x00" * 4096, False)], role, bytes(4))

    def work() -> None:
        for _ in range(256):
            connection.receive_data(more)
            assert sum(pieces(connection)) == 0

    work()
    assert kept(work) < MIB


@needs_proc
@ROLES
def test_m209_nothing_is_kept_of_messages_behind_one_with_a_final_block(role: str) -> None:
    connection = opened(role)
    message = framed(final(bytes(8192), 9), role)

    def work() -> None:
        for _ in range(1000):
            connection.receive_data(message)
            assert sum(pieces(connection)) == 8192

    work()
    assert kept(work) < MIB


# M-207: memory of idle connections.


def each(make: Callable[[], Any], count: int = 400) -> float:
    """Memory of what is made, in bytes."""
    warm = [make() for _ in range(50)]
    made: list[Any] = []

    def work() -> None:
        made.extend(make() for _ in range(count))

    size = kept(work) / count
    assert len(warm) + len(made) == count + 50
    return size


def used(role: str, extensions: str | None, body: bytes) -> WSConnection:
    """A connection that has sent and received a message."""
    connection = opened(role, extensions)
    payload = final(body, 6) if extensions else body
    connection.receive_data(written([Frame(2, payload, rsv=4 if extensions else 0)], role))
    assert sum(pieces(connection)) == len(body)
    connection.send(BytesMessage(body))
    return connection


@needs_proc
@ROLES
def test_m207_an_idle_connection_takes_little_memory(role: str) -> None:
    assert each(lambda: used(role, None, b"hello"), 4000) < 2 * KIB


@needs_proc
@ROLES
@pytest.mark.parametrize(
    ("size", "most"), [(5, 4 * KIB), (1000, 8 * KIB), (4000, 16 * KIB), (50_000, 48 * KIB)]
)
def test_m207_an_idle_connection_with_context_keeps_what_was_said_and_no_codec(
    role: str, size: int, most: int
) -> None:
    body = os.urandom(size)
    assert each(lambda: used(role, NAME, body), 150) < most


@needs_proc
@ROLES
@pytest.mark.parametrize(
    ("parameters", "most"),
    [
        ("", 44 * KIB),
        ("; client_max_window_bits=12; server_max_window_bits=12", 14 * KIB),
        ("; client_no_context_takeover; server_no_context_takeover", 4 * KIB),
    ],
)
def test_m207_a_connection_keeps_no_more_than_its_windows_however_much_it_has_seen(
    role: str, parameters: str, most: int
) -> None:
    body = os.urandom(20_000)

    def busy() -> WSConnection:
        connection = used(role, NAME + parameters, body)
        for _ in range(20):
            connection.receive_data(written([Frame(2, final(body, 6), rsv=4)], role))
            assert sum(pieces(connection)) == len(body)
            connection.send(BytesMessage(body))
        return connection

    assert each(busy, 100) < most


@needs_proc
@ROLES
def test_m207_an_idle_connection_without_context_keeps_nothing(role: str) -> None:
    text = f"{NAME}; client_no_context_takeover; server_no_context_takeover"
    body = os.urandom(30_000)
    assert each(lambda: used(role, text, body), 300) < 4 * KIB


@needs_proc
@ROLES
def test_m207_connections_that_are_dropped_leave_nothing_behind(role: str) -> None:
    body = os.urandom(20_000)

    def work() -> None:
        for _ in range(300):
            used(role, NAME, body)

    work()
    assert kept(work) < MIB


@needs_proc
@ROLES
def test_a_message_that_is_broken_off_leaves_nothing_behind(role: str) -> None:
    stream = framed(final(os.urandom(1000), 6), role)[:-20]

    def work() -> None:
        for _ in range(500):
            connection = opened(role)
            connection.receive_data(stream)
            list(connection.events())

    work()
    assert kept(work) < MIB


@needs_proc
@pytest.mark.parametrize("size", [64 * KIB, 10])
def test_m206_what_comes_before_the_answer_is_bounded(size: int) -> None:
    from support import heads
    from ws13.utilities import RemoteProtocolError

    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(heads.head(heads.REQUEST))
    assert len(list(server.events())) == 1

    def work() -> None:
        with pytest.raises(RemoteProtocolError):
            for _ in range(16 * MIB // size):
                server.receive_data(bytes(size))

    assert peak(work) < 2 * MIB


@ROLES
def test_sending_large_messages_needs_no_more_than_a_few_times_their_size(role: str) -> None:
    connection = opened(role)
    assert len(connection.send(BytesMessage(bytes(10 * MIB)))) < 64 * KIB
    with pytest.raises(LocalProtocolError):
        connection.send(CloseConnection(999))
    assert connection.send(TextMessage("still open"))
