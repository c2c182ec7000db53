"""Time, whatever a peer sends: row M-204 of the protocol matrix."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable

import pytest

from support.bombs import final, framed, pieces
from support.deflate import TAIL
from support.frames import Frame
from support.negotiation import NAME, opened
from support.strategies import written

ROLES = pytest.mark.parametrize("role", ["client", "server"])


def seconds(work: Callable[[], None]) -> float:
    """The least of three runs: whatever else the machine does only adds."""

    def one() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return min(one() for _ in range(3))


def byte_by_byte(
    stream: bytes, role: str, at_the_end: bool, extensions: str | None = NAME
) -> float:
    def work() -> None:
        connection = opened(role, extensions)
        for i in range(len(stream)):
            connection.receive_data(stream[i : i + 1])
            if not at_the_end:
                for _ in connection.events():
                    pass
        for _ in connection.events():
            pass

    return seconds(work)


@ROLES
@pytest.mark.parametrize("at_the_end", [False, True], ids=["events at once", "events at the end"])
@pytest.mark.parametrize("opcode", [1, 2])
@pytest.mark.parametrize("rsv", [0, 4], ids=["plain", "compressed"])
def test_m204_byte_by_byte_takes_time_in_proportion(
    role: str, at_the_end: bool, opcode: int, rsv: int
) -> None:
    def stream(size: int) -> bytes:
        data = b"ab" * (size // 2)
        codec = zlib.compressobj(0, zlib.DEFLATED, -15)
        packed = (codec.compress(data) + codec.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
        return written([Frame(opcode, packed if rsv else data, rsv=rsv)], role)

    short, long = (byte_by_byte(stream(n), role, at_the_end) for n in (10_000, 40_000))
    assert long < short * 8 + 0.02  # in proportion it is 4 times


@ROLES
@pytest.mark.parametrize("payload", [b"", b"\0\0\0\xff\xff"], ids=["empty", "an empty block"])
def test_m204_fragments_of_a_compressed_message_take_time_in_proportion(
    role: str, payload: bytes
) -> None:
    def run(count: int) -> float:
        frames = [Frame(2, b"", False, 4), *[Frame(0, payload, False)] * count, Frame(0, b"\0")]
        stream = written(frames, role, bytes(4))

        def work() -> None:
            connection = opened(role)
            connection.receive_data(stream)
            assert sum(pieces(connection)) == 0

        return seconds(work)

    assert run(40_000) < run(10_000) * 8 + 0.02


@ROLES
def test_m204_short_compressed_messages_take_time_in_proportion(role: str) -> None:
    """And no time for the window with each of them."""

    def run(count: int) -> float:
        first = framed(final(os.urandom(40_000), 1), role)
        short = framed(bytes.fromhex("f248cdc9c90700"), role) * count

        def work() -> None:
            connection = opened(role)
            connection.receive_data(first + short)
            assert sum(pieces(connection)) == 40_000 + 5 * count

        return seconds(work)

    long = run(40_000)
    assert long < run(10_000) * 8 + 0.02
    assert long < 40_000 * 20e-6
