"""Received text beside what `bytes.decode()` makes of it: the same `str`, of the same kind."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain, pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.frames import Frame, encode
from ws13 import Config
from ws13.connection import CLIENT, SERVER, Connection
from ws13.events import CloseConnection, Event, TextMessage

KEYS = (b"\0\0\0\0", b"\x01\x80\x7f\xff", b"\xde\xad\xbe\xef")
#: The first and the last code point of each length in UTF-8 and of each kind of `str`.
EDGES = "\x7f\x80\xff\u0100\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"
#: Not UTF-8, wherever it stands.
INVALID = (
    b"\x80",
    b"\xbf",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xff",
    b"\xc2\xc2",
    b"\xe2\xe2",
    b"\xe2\x82\x41",
    b"\xe2\x82\xc3\xa9",
    b"\xf0\x9f\x41",
    b"\xf0\x9f\x98\x41",
    b"\xf0\x9f\x98\xc3\xa9",
    b"\xc3\xa9\xa9",
    b"\xe2\x82\xac\xac",
    b"\xf0\x9f\x98\x80\x80",
)
#: Blocks of the fast code have 64 bytes and their halves 32; text is unmasked 16 KiB at a time.
BLOCK = 16 * 1024


def framed(payload: bytes, key: bytes = KEYS[1], cuts: Sequence[int] = ()) -> bytes:
    """A message, its frames cut there."""
    places = [0, *sorted(cuts), len(payload)]
    parts = [payload[a:b] for a, b in pairwise(places)]
    return b"".join(
        encode(Frame(0 if i else 1, part, fin=i == len(parts) - 1), key)
        for i, part in enumerate(parts)
    )


def events_of(stream: bytes, config: Config | None = None, chunk: int = 0) -> list[Event]:
    connection = Connection(SERVER, config=config)
    events: list[Event] = []
    for at in range(0, len(stream), chunk or len(stream)):
        connection.receive_data(stream[at : at + (chunk or len(stream))])
        events += connection.events()
    return events


def check_same(text: object, wanted: str) -> None:
    assert type(text) is str
    assert text == wanted
    assert hash(text) == hash(wanted)
    assert sys.getsizeof(text) == sys.getsizeof(wanted)  # the kind
    assert (max(map(ord, text)) if text else 0) == (max(map(ord, wanted)) if wanted else 0)


def check(payload: bytes, key: bytes = KEYS[1]) -> None:
    """Whole, in one frame, through both interfaces."""
    wanted = payload.decode()
    (event,) = events_of(framed(payload, key))
    assert isinstance(event, TextMessage)
    assert event.message_finished
    check_same(event.data, wanted)


def check_all(payloads: Sequence[bytes]) -> None:
    """Many messages in one chunk."""
    wanted = [payload.decode() for payload in payloads]
    stream = b"".join(framed(p, KEYS[i % 3]) for i, p in enumerate(payloads))
    events = events_of(stream)
    assert len(events) == len(wanted)
    for event, text in zip(events, wanted, strict=True):
        assert isinstance(event, TextMessage)
        data = event.data
        assert data == text, f"{text!r}"
        assert sys.getsizeof(data) == sys.getsizeof(text), f"{text!r}"


def check_cut(payload: bytes, cuts: Sequence[int], chunk: int, key: bytes) -> None:
    """In pieces, and given out whole."""
    wanted, stream = payload.decode(), framed(payload, key, cuts)
    pieces = [event.data for event in events_of(stream, chunk=chunk)]
    assert all(isinstance(piece, str) for piece in pieces)
    for piece in pieces:
        check_same(piece, piece.encode().decode())
    assert "".join(pieces) == wanted
    (whole,) = events_of(stream, Config(whole_messages=True), chunk)
    check_same(whole.data, wanted)


@pytest.mark.parametrize("plane", range(17))
def test_every_code_point_is_decoded(plane: int) -> None:
    """In blocks of 64, each as text of its own, shifted by letters in front."""
    start = plane << 16
    payloads = []
    for first in range(start, start + 0x10000, 64):
        if 0xD800 <= first < 0xE000:
            continue
        block = "".join(map(chr, range(max(first, 0x80), first + 64)))
        payloads.append(("x" * (first // 64 % 70) + block).encode())
    check_all(payloads)
    check(b"".join(payloads))


def test_each_first_and_last_code_point_is_decoded_at_every_position() -> None:
    payloads = []
    for edge in EDGES:
        for at in range(131):
            payloads += ["x" * at + edge, "x" * at + edge + "y" * (130 - at), "я" * at + edge + "z"]
            payloads += [edge * at, edge * at + "é", "é" * at + edge, "漢" * at + edge]
    check_all([payload.encode() for payload in payloads])


def test_every_pair_is_decoded_beside_each_other() -> None:
    pairs = [a + b for a in EDGES for b in EDGES]
    check_all([(pair * 40)[shift:].encode() for pair in pairs for shift in (0, 1)])
    check_all([("x" * at + "".join(pairs)).encode() for at in range(64)])


@pytest.mark.parametrize("shift", range(8))
def test_code_points_across_the_borders_of_blocks_are_decoded(shift: int) -> None:
    for filler in "xé漢😀":
        size = len(filler.encode())
        for edge in EDGES:
            body = filler * ((2 * BLOCK - 40) // size)
            check(("y" * shift + body + edge * 40 + "é").encode(), KEYS[shift % 3])


def test_ascii_that_ends_late_is_decoded() -> None:
    for size in (7, 8, 63, 4095, 4096, 4097, 5000, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK):
        for tail in "é", "я", "漢", "😀", "😀" + "x" * 5000:
            check(b"x" * size + tail.encode())


def test_texts_of_no_and_one_character_are_the_shared_ones() -> None:
    for text in ["", *map(chr, range(256))]:
        (event,) = events_of(framed(text.encode()))
        assert event.data is text.encode().decode()
        (event,) = events_of(framed(text.encode()), Config(whole_messages=True))
        assert event.data is text.encode().decode()
        if text:  # and where nothing else is left in front of a fault
            event, _ = events_of(framed(text.encode() + b"\xff" * 100))
            assert event.data is text.encode().decode()
    for code_point in "Āя漢😀\U0010ffff":
        check(code_point.encode())


@pytest.mark.parametrize("key", KEYS)
def test_text_is_decoded_in_every_cut(key: bytes) -> None:
    text = ("x" * 30 + "é я漢😀" * 3 + "ÿ" * 20 + "z" * 70 + "😀漢яé").encode()
    for cut in range(len(text) + 1):
        check_cut(text, [cut], 0, key)
    for chunk in (1, 2, 3, 7, 31, 33, 64, 67):
        check_cut(text, [33, 64], chunk, key)


def test_long_text_is_decoded_in_every_cut_of_a_code_point_at_a_block() -> None:
    text = ("z" * (BLOCK - 9) + "é漢😀" * 3 + "я" * BLOCK + "😀" * 40).encode()
    for cut in range(BLOCK - 12, BLOCK + 20):
        check_cut(text, [cut], 0, KEYS[2])
        check_cut(text, [5, cut], BLOCK + 7, KEYS[1])


def test_whole_text_is_the_same_whatever_parts_it_comes_in() -> None:
    """Parts that are held or copied, ASCII or not, one to three of them."""
    parts = ["", "a", "b" * 5000, "c" * 40_000, "é", "漢" * 2000, "d" * 5000 + "😀"]
    for texts in chain(*(product(parts, repeat=count) for count in (1, 2, 3))):
        connection = Connection(SERVER, config=Config(whole_messages=True))
        events: list[Event] = []
        for i, text in enumerate(texts):
            frame = Frame(0 if i else 1, text.encode(), fin=i == len(texts) - 1)
            connection.receive_data(encode(frame, KEYS[i]))
            assert events == []
            events += connection.events()
        (event,) = events
        check_same(event.data, "".join(texts).encode().decode())


def test_whole_text_fails_in_any_part() -> None:
    for texts in product([b"b" * 5000, "é".encode(), b"c" * 5000 + b"\xff", b"\xff"], repeat=3):
        connection = Connection(SERVER, config=Config(whole_messages=True))
        events: list[Event] = []
        for i, text in enumerate(texts):
            connection.receive_data(encode(Frame(0 if i else 1, text, fin=i == 2), KEYS[i]))
            events += connection.events()
            if b"\xff" in text:
                break
        wanted = outcome(b"".join(texts))[-1]
        assert events == [wanted], texts


def test_text_from_a_server_is_decoded() -> None:
    for text in ("é", "é漢😀 " * 50, "я" * BLOCK):
        connection = Connection(CLIENT)
        connection.receive_data(encode(Frame(1, text.encode())))
        (event,) = connection.events()
        check_same(event.data, text.encode().decode())


def outcome(payload: bytes) -> list[Event]:
    """The text in front of the fault, if there is any, and 1007 in CPython's words."""
    try:
        return [TextMessage(payload.decode())]
    except UnicodeDecodeError as error:
        front: list[Event] = []
        if error.start:
            text = payload[: error.start].decode()
            front.append(TextMessage(text, frame_finished=False, message_finished=False))
        return [*front, CloseConnection(1007, str(error))]


@pytest.mark.parametrize("filler", ["x", "é", "漢", "😀"])
def test_no_invalid_sequence_passes_at_any_offset(filler: str) -> None:
    for sequence in INVALID:
        for at in range(71):
            front = filler.encode() * (at // len(filler.encode())) + b"y" * (
                at % len(filler.encode())
            )
            for tail in (b"", b"z" * 70):
                payload = front + sequence + tail
                with pytest.raises(UnicodeDecodeError):
                    payload.decode()
                assert events_of(framed(payload)) == outcome(payload), payload


@pytest.mark.parametrize("sequence", ["é", "漢", "😀"])
def test_no_truncated_sequence_passes_at_any_offset(sequence: str) -> None:
    encoded = sequence.encode()
    for length in range(1, len(encoded)):
        for at in range(71):
            for tail in (b"", b"x", b"\xc3\xa9", b"x" * 70):
                payload = "é".encode() * (at // 2) + b"y" * (at % 2) + encoded[:length] + tail
                assert events_of(framed(payload)) == outcome(payload), payload


@pytest.mark.parametrize("sequence", INVALID)
def test_no_invalid_sequence_passes_at_the_border_of_a_block(sequence: bytes) -> None:
    for at in range(BLOCK - 6, BLOCK + 4):
        payload = "é".encode() + b"y" * (at - 2) + sequence + "я".encode() * 100
        assert events_of(framed(payload)) == outcome(payload)
        (event,) = events_of(framed(payload), Config(whole_messages=True))
        assert event == outcome(payload)[-1]


@given(st.text(), st.integers(0, 100), st.data())
def test_any_text_in_any_cut_is_decoded(text: str, times: int, data: st.DataObject) -> None:
    payload = (text * times).encode() + text.encode()
    key = data.draw(st.binary(min_size=4, max_size=4))
    cuts = data.draw(st.lists(st.integers(0, len(payload)), max_size=3))
    chunk = data.draw(st.integers(1 + len(payload) // 20, 2 * len(payload) + 20))
    check(payload, key)
    check_cut(payload, cuts, chunk, key)
