"""Compressed messages that are received, where vectors do not reach.

Large windows, pieces that come as they are taken, and calls in between.
"""

from __future__ import annotations

import random
import zlib
from itertools import islice
from typing import Any

import pytest

from support.deflate import TAIL, Blocks
from support.frames import Frame
from support.negotiation import NAME, Agreement, Hooked, Make, opened, other
from support.strategies import written
from support.vectors import pieces_of
from support.windows import check_received, compressed, noise, outcome
from ws13 import Config, WSConnection
from ws13.connection import ConnectionState
from ws13.events import BytesMessage, CloseConnection, Event, Message, Ping, TextMessage
from ws13.utilities import LocalProtocolError

ROLES = pytest.mark.parametrize("role", ["client", "server"])
HELLO = bytes.fromhex("f248cdc9c90700")


def deflated(data: bytes, bits: int = 15, level: int = 6) -> bytes:
    """The payload of a message by itself."""
    codec = zlib.compressobj(level, zlib.DEFLATED, -bits)
    return (codec.compress(data) + codec.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def zeros(size: int) -> bytes:
    return deflated(bytes(size), level=9)


def of_the_peer(role: str, bits: int, takeover: bool = True) -> str:
    """What is agreed for what our end receives."""
    peer = other(role)
    return Agreement(
        **{f"{peer}_max_window_bits": bits, f"{peer}_no_context_takeover": not takeover}  # type: ignore[arg-type]
    ).text


def taken(connection: WSConnection) -> bytes:
    """The payload of all events, which are pieces of binary messages."""
    parts = []
    for event in connection.events():
        assert isinstance(event, BytesMessage), event
        parts.append(event.data)
    return b"".join(parts)


# M-085: windows.


@ROLES
@pytest.mark.parametrize("takeover", [True, False])
@pytest.mark.parametrize("bits", range(8, 16))
def test_m085_an_earlier_message_is_known_as_far_back_as_agreed(
    role: str, bits: int, takeover: bool
) -> None:
    text = of_the_peer(role, bits, takeover)
    check_received(lambda: opened(role, text), role, bits, takeover)


@ROLES
@pytest.mark.parametrize("size", [None, 1, 50, 1500, 4000, 16384])
@pytest.mark.parametrize("bits", [8, 9, 10, 12, 15])
def test_m085_within_a_message_any_distance_has_one_verdict(
    role: str, bits: int, size: int | None
) -> None:
    """Whatever was agreed, and however it arrives."""
    block = noise(6000 if size == 1 else 32_000)
    stream = written([compressed(deflated(block + block))], role, bytes(4))
    connection, seen = opened(role, of_the_peer(role, bits)), b""
    for chunk in pieces_of(stream, size or len(stream)):
        connection.receive_data(chunk)
        seen += taken(connection)
    assert seen == block + block


@ROLES
@pytest.mark.parametrize("size", [100, 1000, 32768, 40_000])
def test_m085_a_window_slides_over_many_messages(role: str, size: int) -> None:
    connection, codec = opened(role), zlib.compressobj(6, zlib.DEFLATED, -15)
    draw, said = random.Random(size), noise(50_000)
    for _ in range(30):
        at = draw.randrange(len(said))
        body = said[at : at + size] + draw.randbytes(10)
        payload = (codec.compress(body) + codec.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
        connection.receive_data(written([compressed(payload)], role, bytes(4)))
        assert taken(connection) == body


@ROLES
def test_m085_connections_that_take_turns_do_not_know_each_other_s_words(role: str) -> None:
    """States of DEFLATE may be shared; messages may be under way on many connections at once."""
    draw = random.Random(85)
    ends = [(opened(role), zlib.compressobj(6, zlib.DEFLATED, -15)) for _ in range(40)]
    waiting: dict[int, tuple[bytes, bytes, bytes]] = {}
    for turn in range(800):
        number = draw.randrange(len(ends))
        connection, codec = ends[number]
        if number in waiting:
            rest, seen, body = waiting.pop(number)
            connection.receive_data(rest)
            assert seen + taken(connection) == body
            continue
        body = f"{number} {turn % 7} ".encode() * draw.randrange(5, 200)
        payload = (codec.compress(body) + codec.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
        stream = written([compressed(payload)], role)
        at = draw.randrange(len(stream))
        connection.receive_data(stream[:at])
        waiting[number] = (stream[at:], taken(connection), body)


@ROLES
def test_m085_a_message_of_one_connection_cannot_be_looked_back_at_from_another(role: str) -> None:
    for _ in range(20):
        first, second = opened(role), opened(role)
        assert outcome(first, role, [compressed(HELLO)]) == [b"Hello"]
        looks_back = compressed(Blocks().fixed((5, 5)).message())
        assert outcome(second, role, [looks_back]) == [1007]
        assert outcome(first, role, [looks_back]) == [b"Hello"]


# Pieces.


def sizes(events: list[Event]) -> list[int]:
    assert all(isinstance(event, Message) for event in events)
    return [len(event.data) for event in events if isinstance(event, Message)]


@ROLES
@pytest.mark.parametrize("size", [1, 2, 100, 1000, 65535, 65536, 65537, 10**6])
def test_inflated_data_comes_in_pieces_of_at_most_the_asked_size(role: str, size: int) -> None:
    total = 300_000 if size > 10 else 3000
    connection = opened(role, NAME, Config(piece_size=size))
    connection.receive_data(written([compressed(zeros(total))], role))
    events = list(connection.events())
    assert max(sizes(events)) <= size
    assert sum(sizes(events)) == total
    assert len(events) <= total // size + 3
    ended = [event.message_finished for event in events if isinstance(event, Message)]
    assert ended == [False] * (len(events) - 1) + [True]


@ROLES
def test_without_a_piece_size_a_read_is_one_piece(role: str) -> None:
    connection = opened(role, NAME, Config(piece_size=None))
    connection.receive_data(written([compressed(zeros(300_000))], role))
    assert sizes(list(connection.events())) == [300_000]


@ROLES
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 100])
def test_pieces_of_text_hold_whole_code_points(role: str, size: int) -> None:
    """A code point longer than a piece comes with the piece in which it ends."""
    text = "aé€😀" * 20
    connection = opened(role, NAME, Config(piece_size=size))
    payload = deflated(text.encode())
    connection.receive_data(written([Frame(1, payload, rsv=4)], role))
    events = [event for event in connection.events() if isinstance(event, TextMessage)]
    assert "".join(event.data for event in events) == text
    assert max(len(event.data.encode()) for event in events) <= size + 3


@ROLES
def test_data_is_inflated_as_its_events_are_taken(role: str) -> None:
    """The first pieces of 10^8 bytes are there at once, and nobody has to take the others."""
    connection = opened(role)
    connection.receive_data(written([compressed(zeros(10**8))], role, bytes(4)))
    events = connection.events()
    for _ in range(3):
        event = next(events)
        assert isinstance(event, BytesMessage)
        assert len(event.data) == 65536
        assert not event.frame_finished
    assert connection.send(BytesMessage(b"in between"))
    for event in connection.events():  # another iterator goes on where the first one was
        assert isinstance(event, BytesMessage)
        assert len(event.data) == 65536
        break


@ROLES
def test_events_behind_a_long_message_come_behind_it(role: str) -> None:
    connection = opened(role, NAME, Config(piece_size=10))
    stream = written([compressed(zeros(95)), Frame(9, b"p"), compressed(HELLO)], role)
    connection.receive_data(stream)
    events = list(connection.events())
    assert sizes(events[:10]) == [10] * 9 + [5]
    assert events[10:] == [Ping(b"p"), BytesMessage(b"Hello")]


@ROLES
def test_bytes_that_arrive_while_pieces_wait_are_not_lost(role: str) -> None:
    connection, total = opened(role, NAME, Config(piece_size=10)), 0
    stream = written([compressed(zeros(1000)), Frame(9, b"p")] * 3, role)
    pings = 0
    for byte in stream:
        connection.receive_data(bytes([byte]))
        event = next(connection.events(), None)
        total += len(event.data) if isinstance(event, BytesMessage) else 0
        pings += isinstance(event, Ping)
    for event in connection.events():
        total += len(event.data) if isinstance(event, BytesMessage) else 0
        pings += isinstance(event, Ping)
    assert (total, pings) == (3000, 3)


@ROLES
def test_the_end_of_the_stream_comes_behind_the_pieces_that_wait(role: str) -> None:
    connection = opened(role, NAME, Config(piece_size=10))
    connection.receive_data(written([compressed(zeros(95))], role))
    assert sizes(list(islice(connection.events(), 2))) == [10, 10]
    connection.receive_data(None)
    events = list(connection.events())
    assert sum(sizes(events[:-1])) == 75
    assert isinstance(events[-1], CloseConnection)
    assert events[-1].code == 1006
    assert connection.state is ConnectionState.CLOSED


@ROLES
def test_what_was_good_before_a_fault_is_given_out_before_the_failure(role: str) -> None:
    connection = opened(role, NAME, Config(piece_size=10))
    payload = Blocks().stored(b"x" * 25).raw(b"\x07").data
    connection.receive_data(written([compressed(payload), Frame(9, b"never")], role))
    *pieces, failure = connection.events()
    assert sizes(pieces) == [10, 10, 5]
    assert not any(piece.message_finished for piece in pieces if isinstance(piece, Message))
    assert isinstance(failure, CloseConnection)
    assert failure.code == 1007
    with pytest.raises(LocalProtocolError):
        connection.send(BytesMessage(b"late"))
    assert connection.send(CloseConnection(1007))


@ROLES
@pytest.mark.parametrize("make", [Hooked])
def test_a_subclass_gives_out_pieces_of_bounded_size_too(role: str, make: Make) -> None:
    connection = opened(role, NAME, Config(piece_size=1000), make)
    connection.receive_data(written([compressed(zeros(100_000))], role))
    events = list(connection.events())
    assert max(sizes(events)) <= 1000
    assert sum(sizes(events)) == 100_000


# Random payloads against zlib, in both ways of giving out.


@ROLES
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("bits", [9, 12, 15])
def test_random_messages_of_any_size_arrive(role: str, whole: bool, bits: int) -> None:
    draw = random.Random(bits)
    connection = opened(role, of_the_peer(role, bits), Config(whole_messages=whole))
    codec = zlib.compressobj(6, zlib.DEFLATED, -bits)
    for _ in range(40):
        body = b"".join(
            draw.choice([draw.randbytes(20), bytes(300), b"the same words "])
            for _ in range(draw.choice([0, 1, 10, 100, 1000]))
        )
        payload = (codec.compress(body) + codec.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
        stream: Any = written([compressed(payload)], role, bytes(4))
        seen = []
        for chunk in pieces_of(stream, draw.choice([1000, 10_000, 10**6])):
            connection.receive_data(chunk)
            seen.append(taken(connection))
        assert b"".join(seen) == body
