"""Compressed messages that are sent: their bytes and their windows.

Rows M-088 and M-089 of the protocol matrix.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from support import frames
from support.deflate import TAIL
from support.frames import Frame
from support.inflate import Inflated, Inflater
from support.negotiation import NAME, Agreement, Hooked, Make, opened
from support.sent import inflated, message, sent
from support.windows import check_sent, noise
from ws13.events import BytesMessage, CloseConnection, Message, Ping, Pong, TextMessage
from ws13.extensions import PerMessageDeflate
from ws13.utilities import LocalProtocolError

ROLES = pytest.mark.parametrize("role", ["client", "server"])
MAKES = pytest.mark.parametrize("make", [PerMessageDeflate, Hooked])
RSV1 = 4


# M-088: what goes over the wire.


@ROLES
@MAKES
@pytest.mark.parametrize("event", [TextMessage(""), BytesMessage(b"")])
def test_m088_an_empty_message_is_the_octet_00(role: str, make: Make, event: Message[Any]) -> None:
    connection = opened(role, make=make)
    for _ in range(3):
        frame = sent(connection, event)
        assert (frame.rsv, frame.payload) == (RSV1, b"\0")
        sent(connection, TextMessage("between"))


@ROLES
@pytest.mark.parametrize("before", [(), (b"",), (b"a",), (b"a", b""), (b"", b"", b"abc" * 100)])
def test_m088_an_empty_last_fragment_is_the_octet_00(role: str, before: tuple[bytes, ...]) -> None:
    connection, inflater = opened(role), Inflater()
    for _ in range(2):
        made = message(connection, *before, b"")
        assert made[-1].payload == b"\0"
        assert inflated(inflater, made) == b"".join(before)


@ROLES
@pytest.mark.parametrize(
    "parts",
    [
        (b"Hello",),
        (b"ab", b"cd"),
        (b"x", b""),
        (b"", b"x"),
        (b"a" * 500, b"", b"a" * 500),
        (TAIL, TAIL),
        (TAIL * 50,),
        (b"\0",),
        (b"\0" * 70_000,),
        (noise(70_000), noise(10)),
        tuple(bytes([byte]) for byte in range(100)),
    ],
    ids=lambda parts: f"{len(parts)} parts, the first of {len(parts[0])} bytes",
)
@MAKES
def test_m088_a_message_in_any_fragments_arrives(
    role: str, make: Make, parts: tuple[bytes, ...]
) -> None:
    connection, inflater = opened(role, make=make), Inflater()
    for _ in range(2):
        assert inflated(inflater, message(connection, *parts)) == b"".join(parts)


@ROLES
@MAKES
def test_m088_the_end_of_a_message_that_looks_like_the_tail_is_not_taken_off(
    role: str, make: Make
) -> None:
    connection, inflater = opened(role, make=make), Inflater()
    for size in (1, 2, 3, 10, 5000):
        body = noise(size) + TAIL
        assert inflated(inflater, message(connection, body)) == body


@ROLES
def test_m088_a_fragment_can_be_inflated_as_soon_as_it_arrives(role: str) -> None:
    import zlib

    connection, codec = opened(role), zlib.decompressobj(-15)
    parts = [b"first", b"", b"second" * 50, noise(3000), TAIL, b"last"]
    *first, last = message(connection, *parts)
    for part, frame in zip(parts, first, strict=False):
        assert codec.decompress(frame.payload) == part
        assert not part or frame.payload.endswith(TAIL)
    assert codec.decompress(last.payload + TAIL) == parts[-1]  # the tail is taken off once


@ROLES
@MAKES
def test_m088_300_random_messages_arrive(role: str, make: Make) -> None:
    connection, inflater = opened(role, make=make), Inflater()
    draw = random.Random(88)
    for _ in range(300):
        body = bytes(draw.choices(b"\0\0\xff\xffab", k=draw.randrange(60)))
        cuts = sorted(draw.randint(0, len(body)) for _ in range(draw.randrange(3)))
        parts = [body[i:j] for i, j in zip([0, *cuts], [*cuts, len(body)], strict=True)]
        assert inflated(inflater, message(connection, *parts)) == body


@ROLES
@MAKES
def test_m088_control_frames_between_fragments_are_not_compressed(role: str, make: Make) -> None:
    connection, inflater = opened(role, make=make), Inflater()
    first = sent(connection, TextMessage("Hello ", message_finished=False))
    for event, opcode in ((Ping(b"p" * 125), 9), (Pong(b""), 10)):
        (control,) = frames.decode(connection.send(event))
        assert (control.opcode, control.rsv, control.payload) == (opcode, 0, event.payload)
    last = sent(connection, TextMessage("world"))
    (close,) = frames.decode(connection.send(CloseConnection(1000, "a reason, a reason")))
    assert (close.opcode, close.rsv, close.payload[2:]) == (8, 0, b"a reason, a reason")
    assert inflated(inflater, [first, last]) == b"Hello world"


def test_m088_hello_has_the_bytes_that_zlib_gives_it() -> None:
    connection = opened("server", f"{NAME}; server_max_window_bits=10")
    assert connection.send(TextMessage("Hello")).hex() == "c107f248cdc9c90700"
    assert connection.send(TextMessage("Hello")).hex() == "c105f200110000"


@MAKES
def test_m088_without_context_takeover_each_message_stands_alone(make: Make) -> None:
    for role in ("client", "server"):
        connection = opened(role, f"{NAME}; {role}_no_context_takeover", make=make)
        payloads = {sent(connection, TextMessage("Hello")).payload for _ in range(3)}
        assert payloads == {bytes.fromhex("f248cdc9c90700")}
        for _ in range(2):
            made = message(connection, *[b"Hello, Hello, " * 3] * 9)  # one message is one window
            assert inflated(Inflater(), made) == b"Hello, Hello, " * 27
            assert len(b"".join(frame.payload for frame in made)) < 100


@ROLES
@MAKES
def test_m088_with_context_takeover_what_was_said_before_is_short(role: str, make: Make) -> None:
    connection, words = opened(role, make=make), noise(200)
    lengths = [len(sent(connection, BytesMessage(words), compress=True).payload) for _ in range(9)]
    assert lengths[0] >= 200
    assert all(length < 20 for length in lengths[1:])


@ROLES
def test_m088_connections_that_take_turns_do_not_disturb_each_other(role: str) -> None:
    """States of DEFLATE may be shared; what was said on one connection is not said on another."""
    ends = [(opened(role), Inflater()) for _ in range(40)]
    draw = random.Random(7)
    for turn in range(600):
        connection, inflater = draw.choice(ends)
        body = f"{turn} ".encode() * draw.randrange(30) + draw.randbytes(draw.randrange(40))
        assert inflated(inflater, message(connection, body)) == body


@ROLES
@MAKES
def test_an_event_that_is_refused_leaves_the_window_as_it_was(role: str, make: Make) -> None:
    connection, inflater = opened(role, make=make), Inflater()
    assert inflated(inflater, message(connection, b"Hello")) == b"Hello"
    first = sent(connection, BytesMessage(b"Hel", message_finished=False))
    with pytest.raises(TypeError):
        connection.send(TextMessage("of another kind"))
    with pytest.raises(LocalProtocolError):
        connection.send(Ping(b"x" * 126))
    last = sent(connection, BytesMessage(b"lo"))
    assert (last.opcode, last.rsv) == (0, 0)
    assert inflated(inflater, [first, last]) == b"Hello"
    assert inflated(inflater, message(connection, b"Hello")) == b"Hello"


# M-089: windows.


@ROLES
@MAKES
@pytest.mark.parametrize("takeover", [True, False])
@pytest.mark.parametrize("bits", range(8, 16))
def test_m089_no_distance_is_longer_than_the_agreed_window(
    role: str, make: Make, bits: int, takeover: bool
) -> None:
    agreement = Agreement(
        **{f"{role}_max_window_bits": bits, f"{role}_no_context_takeover": not takeover}  # type: ignore[arg-type]
    )
    connection = opened(role, agreement.text, make=make)
    window = 1 << bits
    periods = [60, window // 2, window - 263, window - 5, window, window + 1, 2 * window, 5000, 60]
    longest = check_sent(connection, bits, takeover, tuple(p for p in periods if 0 < p <= 12_000))
    assert longest >= min(window // 3, 4096)  # the window is used, too


@ROLES
@pytest.mark.parametrize("level", range(1, 10))
def test_m089_no_level_looks_back_too_far(role: str, level: int) -> None:
    agreement = Agreement(**{f"{role}_max_window_bits": 8})  # type: ignore[arg-type]
    connection = opened(role, agreement.text, level=level)
    check_sent(connection, 8)


def measured(made: list[Frame], inflater: Inflater) -> Inflated:
    found = inflater.message(b"".join(frame.payload for frame in made))
    assert found.fault is None
    return found


@ROLES
@pytest.mark.parametrize("bits", [8, 9, 12])
def test_m089_fragments_and_messages_share_a_window_of_the_agreed_size(
    role: str, bits: int
) -> None:
    agreement = Agreement(**{f"{role}_max_window_bits": bits})  # type: ignore[arg-type]
    connection, inflater = opened(role, agreement.text), Inflater(bits)
    draw, said = random.Random(bits), noise(5000)
    for _ in range(60):
        parts = []
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(said))
            parts.append(said[at : at + draw.randrange(300)])
        found = measured(message(connection, *parts), inflater)
        assert found.data == b"".join(parts)
        assert found.longest <= 1 << bits
