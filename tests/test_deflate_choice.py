"""What is compressed: the choice with a message, the threshold, and the level."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest

from support.deflate import TAIL
from support.inflate import Inflater
from support.negotiation import Hooked, Make, opened
from support.sent import RSV1, inflated, message, sent
from support.windows import noise
from ws13.events import BytesMessage, Message, TextMessage
from ws13.extensions import PerMessageDeflate

ROLES = pytest.mark.parametrize("role", ["client", "server"])
MAKES = pytest.mark.parametrize("make", [PerMessageDeflate, Hooked])


@ROLES
@MAKES
@pytest.mark.parametrize("event", [TextMessage("some words"), BytesMessage(b"some bytes")])
def test_a_message_is_compressed_unless_told_otherwise(
    role: str, make: Make, event: Message[Any]
) -> None:
    connection = opened(role, make=make)
    assert sent(connection, event).rsv == RSV1
    assert sent(connection, event, compress=None).rsv == RSV1
    assert sent(connection, event, compress=True).rsv == RSV1


@ROLES
def test_a_message_that_is_not_to_be_compressed_is_sent_as_it_is(role: str) -> None:
    connection, inflater = opened(role), Inflater()
    assert inflated(inflater, message(connection, b"Hello")) == b"Hello"
    plain = sent(connection, BytesMessage(b"Hello"), compress=False)
    assert (plain.rsv, plain.payload) == (0, b"Hello")
    assert inflated(inflater, message(connection, b"Hello")) == b"Hello"  # the window goes on


@ROLES
@pytest.mark.parametrize("compress", [True, False])
def test_the_choice_holds_for_all_fragments_of_a_message(role: str, compress: bool) -> None:
    connection = opened(role, threshold=1000)
    first = sent(connection, TextMessage("one ", message_finished=False), compress=compress)
    rest = [
        sent(connection, TextMessage(text, message_finished=fin))
        for text, fin in (("two ", False), ("three", True))
    ]
    assert [frame.rsv for frame in (first, *rest)] == [RSV1 * compress, 0, 0]
    payload = b"".join(frame.payload for frame in (first, *rest))
    assert (Inflater().message(payload).data if compress else payload) == b"one two three"


@ROLES
@MAKES
@pytest.mark.parametrize("threshold", [1, 2, 10, 126, 1000])
def test_short_messages_of_one_frame_are_sent_as_they_are(
    role: str, make: Make, threshold: int
) -> None:
    connection, inflater = opened(role, make=make, threshold=threshold), Inflater()
    for size in (0, threshold - 1, threshold, threshold + 1, 5 * threshold):
        for event in (BytesMessage(b"x" * size), TextMessage("x" * size)):
            frame = sent(connection, event)
            assert frame.rsv == (RSV1 if size >= threshold else 0)
            plain = inflated(inflater, [frame]) if frame.rsv else frame.payload
            assert plain == b"x" * size


@ROLES
@MAKES
def test_the_threshold_is_counted_in_bytes(role: str, make: Make) -> None:
    connection = opened(role, make=make, threshold=6)
    assert sent(connection, TextMessage("€a")).rsv == 0
    assert sent(connection, TextMessage("€€")).rsv == RSV1


@ROLES
@MAKES
def test_fragmented_messages_are_compressed_however_short(role: str, make: Make) -> None:
    connection, inflater = opened(role, make=make, threshold=1000), Inflater()
    for _ in range(2):
        first = sent(connection, TextMessage("", message_finished=False))
        last = sent(connection, TextMessage("x"))
        assert (first.rsv, last.rsv) == (RSV1, 0)
        assert inflated(inflater, [first, last]) == b"x"


@ROLES
def test_the_choice_is_above_the_threshold(role: str) -> None:
    connection = opened(role, threshold=100)
    assert sent(connection, TextMessage("x"), compress=True).rsv == RSV1
    assert sent(connection, TextMessage("x" * 200), compress=False).rsv == 0
    assert sent(connection, TextMessage("x")).rsv == 0


@ROLES
@pytest.mark.parametrize("compress", [None, True, False])
def test_without_an_extension_the_choice_changes_nothing(role: str, compress: bool | None) -> None:
    frame = sent(opened(role, None), TextMessage("Hello"), compress=compress)
    assert (frame.rsv, frame.payload) == (0, b"Hello")


@ROLES
@pytest.mark.parametrize("compress", [1, 0, "yes", b"", [], 1.0])
def test_the_choice_is_a_bool_or_none(role: str, compress: Any) -> None:
    connection = opened(role)
    with pytest.raises(TypeError):
        connection.send(TextMessage("Hello"), compress=compress)
    assert sent(connection, TextMessage("Hello")).payload.hex() == "f248cdc9c90700"


def test_the_choice_is_a_keyword() -> None:
    send: Any = opened("server").send
    with pytest.raises(TypeError):
        send(TextMessage("Hello"), True)


@ROLES
def test_a_higher_level_does_not_make_more_of_a_message(role: str) -> None:
    draw = random.Random(1)
    body = "".join(draw.choices(["alpha ", "beta ", "gamma ", "delta "], k=3000)).encode()
    sizes = []
    for level in range(1, 10):
        connection = opened(role, level=level)
        made = message(connection, body)
        assert inflated(Inflater(), made) == body
        sizes.append(len(made[0].payload))
    assert sizes[8] < sizes[0] < len(body) / 2


@ROLES
@pytest.mark.parametrize("size", [65535, 65536, 65537, 1_000_000])
def test_a_large_message_is_one_frame(role: str, size: int) -> None:
    connection = opened(role)
    for body in (noise(size), b"words " * (size // 6)):
        frame = sent(connection, BytesMessage(body))
        assert zlib.decompressobj(-15).decompress(frame.payload + TAIL)[-20:] == body[-20:]
        connection = opened(role)
