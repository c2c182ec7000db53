"""Hypothesis strategies: frames, conversations, broken frames, cuts, and values of any type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from hypothesis import strategies as st

from support.frames import Frame, encode

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4000, 4999)
BAD_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535)
LENGTHS = (0, 1, 2, 124, 125, 126, 127, 128, 300)

Takes = Literal["none", "one", "all"]
Schedule = list[tuple[bytes, Takes]]

roles = st.sampled_from(["client", "server"])
texts = st.text(max_size=12) | st.text("aé€😀", max_size=60)
binaries = st.binary(max_size=12) | st.sampled_from(LENGTHS).map(lambda n: b"\xa5" * n)
control_payloads = st.binary(max_size=8) | st.just(b"p" * 125)
close_bodies = st.just(b"") | st.builds(
    lambda code, reason: code.to_bytes(2, "big") + reason.encode(),
    st.sampled_from(CODES),
    st.text(max_size=10),
)


def written(frames: list[Frame], role: str, key: bytes = b"\x37\xfa\x21\x3d") -> bytes:
    """The bytes that the end with this role receives: masked for a server."""
    return b"".join(encode(frame, key if role == "server" else None) for frame in frames)


@st.composite
def fragments(draw: st.DrawFn, whole_code_points: bool = False) -> list[Frame]:
    """The frames of one message."""
    opcode = draw(st.sampled_from([TEXT, BINARY]))
    if opcode == BINARY:
        parts = draw(st.lists(binaries, min_size=1, max_size=4))
    elif whole_code_points:
        parts = [part.encode() for part in draw(st.lists(texts, min_size=1, max_size=4))]
    else:
        whole = draw(texts).encode()
        cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
        parts = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    last = len(parts) - 1
    return [Frame(opcode if i == 0 else 0, part, i == last) for i, part in enumerate(parts)]


control_frames = st.builds(Frame, st.sampled_from([PING, PONG]), control_payloads)


@st.composite
def conversations(
    draw: st.DrawFn,
    whole_code_points: bool = False,
    close: bool | None = None,
    max_messages: int = 4,
) -> list[Frame]:
    """Legal frames of one direction: control frames anywhere, a close at the end or not."""
    frames: list[Frame] = []
    for message in draw(st.lists(fragments(whole_code_points), max_size=max_messages)):
        for frame in message:
            frames += draw(st.lists(control_frames, max_size=1))
            frames.append(frame)
    frames += draw(st.lists(control_frames, max_size=2))
    if close or (close is None and draw(st.booleans())):
        frames.append(Frame(CLOSE, draw(close_bodies)))
    return frames


@st.composite
def broken_frames(draw: st.DrawFn, role: str, bad_text: bool = True) -> bytes:
    """One complete frame with one fault, or one that does not fit between two messages."""
    key, bit = (b"\x01\x02\x03\x04", 0x80) if role == "server" else (None, 0)
    legal = draw(st.sampled_from([Frame(TEXT, b"x"), Frame(BINARY, b"y"), Frame(PING, b"z")]))
    shape = draw(st.integers(0, 9))
    if shape == 0:
        return encode(Frame(draw(st.sampled_from([3, 4, 5, 6, 7, 11, 15])), b"x"), key)
    if shape == 1:
        return encode(Frame(legal.opcode, b"x", rsv=draw(st.integers(1, 7))), key)
    if shape == 2:
        return encode(Frame(draw(st.sampled_from([CLOSE, PING, PONG])), b"", fin=False), key)
    if shape == 3:  # a control frame of more than 125 bytes
        return encode(Frame(draw(st.sampled_from([PING, PONG, CLOSE])), b"x" * 126), key)
    if shape == 4:  # masked when it must not be, or the other way round
        return encode(legal, None if key else b"\x01\x02\x03\x04")
    if shape == 5:  # a length in the wrong form
        head = bytes([0x80 | draw(st.sampled_from([TEXT, BINARY]))])
        size = draw(st.integers(0, 125))
        length = draw(
            st.sampled_from(
                [
                    bytes([bit | 126]) + size.to_bytes(2, "big"),
                    bytes([bit | 127]) + size.to_bytes(8, "big"),
                    bytes([bit | 127]) + (2**63 + size).to_bytes(8, "big"),
                ]
            )
        )
        return head + length + (key or b"") + b"\x00" * size
    if shape == 6:
        return encode(Frame(0, draw(st.binary(min_size=1, max_size=4))), key)
    if shape == 7:  # a message inside a message
        inner = Frame(draw(st.sampled_from([TEXT, BINARY])), b"b")
        return encode(Frame(BINARY, b"a", fin=False), key) + encode(inner, key)
    if shape == 8 and bad_text:
        return encode(Frame(TEXT, draw(bad_utf8)), key)
    body = draw(
        st.sampled_from([b"\x03", b"\x03\xe8\xff", b"\x03\xe8a\xc3"])
        | st.sampled_from(BAD_CODES).map(lambda code: code.to_bytes(2, "big"))
    )
    return encode(Frame(CLOSE, body), key)


bad_utf8 = st.builds(
    lambda before, bad, after: before.encode() + bad + after,
    texts,
    st.sampled_from(
        [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe2("]
    ),
    st.binary(max_size=4),
)


@st.composite
def streams(draw: st.DrawFn, role: str) -> bytes:
    """What a peer may send: legal frames, then perhaps a fault, then perhaps anything."""
    data = written(draw(conversations()), role)
    if draw(st.booleans()):
        data += draw(broken_frames(role))
    return data + draw(st.binary(max_size=6) | st.just(b""))


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The same bytes in pieces, some of them empty."""
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    if draw(st.integers(0, 9)) == 0:
        places = list(range(min(len(data), 200)))
    return [data[i:j] for i, j in zip([0, *places], [*places, len(data)], strict=True)]


takes: st.SearchStrategy[Takes] = st.sampled_from(["none", "one", "all", "all"])


@st.composite
def schedules(draw: st.DrawFn, data: bytes) -> Schedule:
    """The same bytes in pieces, and how many events are taken behind each."""
    return [(chunk, draw(takes)) for chunk in draw(cuts(data))]


class Hostile:
    """Converts to nothing and says so."""

    def __index__(self) -> int:
        raise TypeError("no index")

    def __len__(self) -> int:
        raise TypeError("no length")

    def __iter__(self) -> Any:
        raise TypeError("no iteration")

    def __bool__(self) -> bool:
        raise ValueError("no truth value")


def released() -> memoryview:
    view = memoryview(b"gone")
    view.release()
    return view


_SIMPLE: list[Any] = [
    None,
    True,
    0,
    -1,
    1000,
    2**64,
    -(2**70),
    1.5,
    float("nan"),
    "text",
    "\ud800",
    "a\r\nb: c",
    b"bytes",
    bytearray(b"array"),
    (),
    [],
    {},
    [("a", "b")],
    [(b"a", b"b")],
    [(b"a",)],
    [1, 2],
    [None],
    {"a": 1},
    range(3),
    object(),
    int,
    Ellipsis,
]
_FRESH: list[Callable[[], Any]] = [
    Hostile,
    released,
    lambda: (i for i in [1, 2]),
    lambda: iter(()),
    lambda: bytearray(5),
    lambda: memoryview(b"view"),
    lambda: memoryview(b"strided")[::2],
    lambda: memoryview(b"12345678").cast("I"),
]


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


#: Makers of values of every kind that a program may pass by mistake; each call makes one that
#: nobody has used up.
makers: st.SearchStrategy[Callable[[], Any]] = st.one_of(
    st.sampled_from([_constant(value) for value in _SIMPLE]),
    st.sampled_from(_FRESH),
    (st.integers() | st.text(max_size=5) | st.binary(max_size=5)).map(_constant),
)

#: The values themselves.
anything: st.SearchStrategy[Any] = makers.map(lambda make: make())
