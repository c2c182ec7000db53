"""DEFLATE of every shape, inflated by zlib, by ws13, and as strictly as the RFCs."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws13.events import AcceptConnection, BytesMessage, CloseConnection, Request
from ws13.extensions import PerMessageDeflate
from ws13.testing import (
    Blocks,
    BlockWriter,
    Deflater,
    Frame,
    Inflater,
    NotDeflateError,
    Opcode,
    Tail,
    deflate,
    opened,
    strategies,
)
from ws13.testing.blocks import TAIL

PROFILE = settings(max_examples=100, deadline=None)
RANDOM = random.Random(13).randbytes(3000)


def inflated(payload: bytes) -> bytes:
    """What comes out of it, by zlib alone; a stream follows on one with BFINAL."""
    data, parts = payload + TAIL, []
    while data:
        codec = zlib.decompressobj(-15)
        parts.append(codec.decompress(data))
        data = codec.unused_data
    return b"".join(parts)


shapes = st.fixed_dictionaries(
    {},
    optional={
        "window_bits": st.integers(8, 15),
        "level": st.integers(0, 9),
        "strategy": st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY]),
        "blocks": st.sampled_from(Blocks),
        "block_size": st.integers(1, 100),
        "final": st.booleans(),
        "tail": st.sampled_from([Tail.REMOVED, Tail.EXTRA]),
    },
)


@PROFILE
@given(payload=strategies.payloads(1000), shape=shapes)
def test_every_shape_inflates_to_what_it_was(payload: bytes, shape: dict[str, object]) -> None:
    compressed = deflate(payload, **shape)  # type: ignore[arg-type]
    assert inflated(compressed) == payload
    bits = shape.get("window_bits", 15)
    assert isinstance(bits, int)
    assert Inflater(bits).message(compressed) == payload


@pytest.mark.parametrize(
    ("blocks", "kind"), [(Blocks.STORED, 0), (Blocks.FIXED, 1), (Blocks.DYNAMIC, 2)]
)
@pytest.mark.parametrize("final", [False, True])
def test_blocks_are_of_the_kind_that_was_asked_for(blocks: Blocks, kind: int, final: bool) -> None:
    for payload in (b"", b"Hello", RANDOM):
        first = deflate(payload, blocks=blocks, final=final)[0]
        assert (first & 1, first >> 1 & 3) == (final, kind)


def test_the_examples_of_the_rfc_are_what_comes_out() -> None:
    assert deflate(b"Hello").hex() == "f248cdc9c90700"
    assert deflate(b"Hello", blocks=Blocks.STORED).hex() == "000500faff48656c6c6f00"
    assert deflate(b"Hello", final=True).hex() == "f348cdc9c9070000"
    assert deflate(b"").hex() == "00" == deflate(b"", blocks=Blocks.STORED)[-1:].hex()
    deflater = Deflater()
    assert [deflater.message(b"Hello").hex() for _ in range(2)] == ["f248cdc9c90700", "f200110000"]


def test_without_context_takeover_messages_are_alike() -> None:
    deflater = Deflater(context_takeover=False)
    assert deflater.message(b"Hello") == deflater.message(b"Hello")


def test_a_tail_that_is_kept_stands_there_and_an_extra_one_has_its_header() -> None:
    for blocks in Blocks:
        assert deflate(b"Hello", blocks=blocks, tail=Tail.KEPT).endswith(TAIL)
        assert deflate(b"Hello", blocks=blocks, tail=Tail.EXTRA).endswith(TAIL + b"\x00")


@pytest.mark.parametrize("arguments", [{"window_bits": 7}, {"window_bits": 16}, {"block_size": 0}])
def test_what_deflate_cannot_do_is_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"bits|byte"):
        deflate(b"", **arguments)  # type: ignore[arg-type]


def test_every_length_and_every_distance_can_be_referred_to() -> None:
    before = random.Random(13).randbytes(32768)
    for length in range(3, 259):
        distance = 32768 - 97 * (length - 3)
        start = 32768 - distance
        message = BlockWriter().stored(before).fixed([(length, distance)]).message()
        assert inflated(message)[32768:] == (before[start:] + bytes(300))[:length]
    for distance in (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 4096, 4097, 24576, 24577, 32767):
        message = BlockWriter().stored(before).fixed([(3, distance)]).message()
        source = before[-distance:]
        assert inflated(message)[32768:] == (source * 3)[:3]


@PROFILE
@given(messages=st.lists(st.tuples(strategies.payloads(600), shapes), min_size=1, max_size=4))
def test_ws13_inflates_every_shape_with_one_window(
    messages: list[tuple[bytes, dict[str, object]]],
) -> None:
    extension = PerMessageDeflate
    talk = opened(
        request=Request("example.com", "/", extensions=[extension()]),
        accept=AcceptConnection(extensions=[extension()]),
    )
    deflater = Deflater()
    for payload, shape in messages:
        chosen = {name: value for name, value in shape.items() if name != "window_bits"}
        compressed = deflater.message(payload, **chosen)  # type: ignore[arg-type]
        talk.server.send_bytes(bytes(Frame(Opcode.BINARY, compressed, rsv1=True)))
        events = talk.client.new_events()
        assert all(isinstance(event, BytesMessage) for event in events), events
        assert b"".join(event.data for event in events) == payload  # type: ignore[attr-defined]


def test_a_message_that_is_cut_is_no_message() -> None:
    for payload in (deflate(b"Hello, hello, hello" * 9), deflate(RANDOM, blocks=Blocks.FIXED)):
        for size in range(min(len(payload), 300)):
            with pytest.raises(NotDeflateError):
                Inflater().message(payload[:size])
    four_bytes_short = b"\x00\x09\x00\xf6\xffHello"
    for kept in (deflate(b"Hello", tail=Tail.KEPT), TAIL, four_bytes_short):
        with pytest.raises(NotDeflateError, match="does not end"):
            Inflater().message(kept)


@pytest.mark.parametrize(
    ("payload", "words", "message"),
    [
        (b"", "it is empty", b""),
        (deflate(b"Hello", final=True)[:-1], "behind a block with BFINAL", b"Hello"),
    ],
)
def test_a_message_without_its_last_block_is_wrong_and_readable(
    payload: bytes, words: str, message: bytes
) -> None:
    inflater = Inflater()
    with pytest.raises(NotDeflateError, match=words) as error:
        inflater.message(payload)
    assert error.value.readable == message
    assert not inflater.lost
    assert inflater.message(Deflater().message(b"Hello")) == b"Hello"
    if message:
        assert inflater.message(bytes.fromhex("f200110000")) == message


@pytest.mark.parametrize("bits", range(8, 16))
@pytest.mark.parametrize("joined", [False, True])
def test_a_reference_stays_within_the_window(bits: int, joined: bool) -> None:
    window = 1 << bits
    for before, distance in ((window, window), (window + 9, window), (window - 1, window - 1)):
        assert refer(bits, before, distance, joined)
    assert not refer(bits, window - 1, window, joined)
    if bits < 15:
        assert not refer(bits, window + 9, window + 1, joined)


def refer(bits: int, before: int, distance: int, joined: bool) -> bool:
    """Whether a reference so far back is accepted behind so many bytes."""
    inflater, data = Inflater(bits), random.Random(13).randbytes(before)
    try:
        if joined:
            inflater.message(BlockWriter().fixed([data, (5, distance)]).message())
        else:
            inflater.message(deflate(data, blocks=Blocks.STORED))
            inflater.message(BlockWriter().fixed([(5, distance)]).message())
    except NotDeflateError:
        return False
    return True


def test_a_window_that_is_left_is_a_rule_of_its_own_and_the_context_is_lost() -> None:
    inflater = Inflater(9)
    with pytest.raises(NotDeflateError, match=r"window: .*far back") as window:
        inflater.message(BlockWriter().stored(RANDOM).fixed([(5, 513)]).message())
    assert window.value.section == "RFC 7692 §7.1.2"
    assert inflater.lost
    with pytest.raises(NotDeflateError, match="block type") as block:
        Inflater().message(b"\xff")
    assert block.value.section == "RFC 7692 §7.2.1"


def test_without_context_takeover_nothing_is_there_to_refer_to() -> None:
    inflater = Inflater(context_takeover=False)
    inflater.message(deflate(b"Hello"))
    with pytest.raises(NotDeflateError, match="far back"):
        inflater.message(bytes.fromhex("f200110000"))
    assert not inflater.lost
    assert inflater.message(deflate(b"Hello")) == b"Hello"


def test_zlib_keeps_to_the_window_that_was_asked_for() -> None:
    payload = RANDOM[:1000] * 2
    assert len(deflate(payload)) < 1100
    for bits in (8, 9):
        compressed = deflate(payload, window_bits=bits, history=payload)
        assert Inflater(bits).message(deflate(payload, window_bits=bits)) == payload
        assert len(compressed) > 1900


@pytest.mark.parametrize(
    ("make", "bits"),
    [
        (lambda n: b"\x03\x00" * n + b"\x00", 15),  # BFINAL everywhere
        (lambda n: deflate(bytes(n * 4)), 9),  # byte by byte, for the window
    ],
)
def test_eight_times_as_much_takes_about_eight_times_as_long(
    make: Callable[[int], bytes], bits: int
) -> None:
    def seconds(size: int) -> float:
        payload, best = make(size), 1e9
        for _ in range(2):
            start = perf_counter()
            Inflater(bits).message(payload)
            best = min(best, perf_counter() - start)
        return best

    assert seconds(160_000) < 16 * max(seconds(20_000), 0.01)


def test_ws13_and_the_judge_differ_where_a_window_is_left_within_one_message() -> None:
    """ws13 inflates with the bytes at hand (docs/compression.md); a sender must not rely on it."""
    talk = opened(
        request=Request("example.com", "/", extensions=[PerMessageDeflate()]),
        accept=AcceptConnection(extensions=[PerMessageDeflate(server_max_window_bits=9)]),
    )
    payload = BlockWriter().fixed([RANDOM, (5, 513)]).message()
    talk.server.send_bytes(bytes(Frame(Opcode.BINARY, payload, rsv1=True)))
    assert not any(isinstance(event, CloseConnection) for event in talk.client.new_events())
    with pytest.raises(NotDeflateError, match="far back"):
        Inflater(9).message(payload)
