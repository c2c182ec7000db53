"""Strategies for Hypothesis: payloads, frames, conversations, handshakes, cuts.

Needs Hypothesis: ``pip install 'ws13[testing]'``.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TypedDict

try:
    from hypothesis import strategies as st
except ImportError:
    raise ImportError(
        "ws13.testing.strategies needs Hypothesis: pip install 'ws13[testing]'"
    ) from None

from ws13.testing.blocks import Blocks, Deflater, Tail
from ws13.testing.cuts import Cut, at, bytewise, every, scattered, whole
from ws13.testing.extensions import DEFLATE
from ws13.testing.frames import (
    LARGEST,
    Frame,
    LengthForm,
    Opcode,
    binary,
    close,
    encoded,
    fragments,
    ping,
    pong,
    text,
)
from ws13.testing.handshakes import RequestHead, ResponseHead, request, response
from ws13.testing.judge import SENDABLE_CODES
from ws13.testing.roles import Role

#: Lengths in bytes at which the form of a header's length changes (RFC 6455 §5.2), and beside them.
LENGTHS = (0, 1, 2, 124, 125, 126, 127, 128, 65535, 65536)

#: Close codes at which the rules change (RFC 6455 §7.4), and beside them.
EDGES_OF_CODES = (
    0, 1, 999, *range(1000, 1017), 1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535,
)  # fmt: skip

# Letters of one to four bytes of UTF-8, the edges of each length, and what is easily mistreated.
_LETTERS = "a\x00\x7f\x80é\u07ff\u0800€\ud7ff\ue000\ufeff\ufffd\uffff\U00010000😀\U0010ffff"
_NOT_TEXT = (
    b"\x80", b"\xff", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80", b"\xc3(", b"\xe2\x82", b"\xf0\x9f\x98",
)  # fmt: skip


def lengths(max_size: int = 65536) -> st.SearchStrategy[int]:
    """Numbers of bytes up to `max_size`, most of them interesting."""
    edges = [one for one in LENGTHS if one <= max_size]
    return st.sampled_from(edges) | st.integers(0, min(max_size, 300))


def payloads(max_size: int = 65536) -> st.SearchStrategy[bytes]:
    """Payloads of interesting lengths; long ones repeat themselves."""

    def filled(size: int, pattern: bytes) -> bytes:
        return (pattern * (size // len(pattern) + 1))[:size]

    patterns = st.binary(min_size=1, max_size=8)
    return st.binary(max_size=min(max_size, 40)) | st.builds(filled, lengths(max_size), patterns)


def texts(max_size: int = 100) -> st.SearchStrategy[str]:
    """Text of up to `max_size` code points, with all lengths of UTF-8 and its edges."""
    letters = st.sampled_from(_LETTERS) | st.characters(exclude_categories=["Cs"])
    return st.text(letters, max_size=max_size)


def not_texts() -> st.SearchStrategy[bytes]:
    """Bytes that are not UTF-8 (RFC 3629)."""

    def around(before: str, bad: bytes, behind: str) -> bytes:
        return before.encode() + bad + behind.encode()

    behind = st.sampled_from(["", "a", "€"])
    return st.builds(around, texts(4), st.sampled_from(_NOT_TEXT), behind)


def masking_keys() -> st.SearchStrategy[bytes]:
    """Keys of 4 bytes (RFC 6455 §5.3)."""
    return st.sampled_from([bytes(4), b"\xff" * 4]) | st.binary(min_size=4, max_size=4)


def close_codes(sendable: frozenset[int] = SENDABLE_CODES) -> st.SearchStrategy[int]:
    """Codes that may stand in a Close frame (RFC 6455 §7.4)."""
    edges = [code for code in EDGES_OF_CODES if code in sendable]
    return st.sampled_from(edges) | st.sampled_from(sorted(sendable))


def any_close_codes() -> st.SearchStrategy[int]:
    """Codes of 16 bits, most of them at edges."""
    return st.sampled_from(EDGES_OF_CODES) | st.integers(0, 0xFFFF)


def _reasons() -> st.SearchStrategy[str]:
    return texts(30).filter(lambda reason: len(reason.encode()) <= 123)


def close_frames() -> st.SearchStrategy[Frame]:
    """Legal Close frames, empty ones among them (RFC 6455 §5.5.1)."""
    return st.just(close()) | st.builds(close, close_codes(), _reasons())


def control_frames() -> st.SearchStrategy[Frame]:
    """Legal Pings and Pongs (RFC 6455 §5.5)."""
    payload = payloads(125)
    return st.builds(ping, payload) | st.builds(pong, payload)


def frames() -> st.SearchStrategy[Frame]:
    """Legal frames, each a whole message or a control frame, without a mask."""
    return st.one_of(
        st.builds(text, texts()), st.builds(binary, payloads()), control_frames(), close_frames()
    )


@st.composite
def any_frames(draw: st.DrawFn, max_size: int = 300) -> Frame:
    """Frames of any header, legal or not; the length may lie, and the payload be masked or not."""
    payload = draw(payloads(max_size))
    announced = draw(st.none() | st.sampled_from([len(payload) + 1, 2**31, 2**63 - 1, 2**63]))
    length = len(payload) if announced is None else announced
    fitting: list[LengthForm] = [form for form, largest in LARGEST.items() if length <= largest]
    return Frame(
        draw(st.sampled_from(Opcode) | st.integers(0, 15)),
        payload,
        fin=draw(st.booleans()),
        rsv1=draw(st.booleans()),
        rsv2=draw(st.booleans()),
        rsv3=draw(st.booleans()),
        masking_key=draw(st.none() | masking_keys()),
        length_form=draw(st.none() | st.sampled_from(fitting)),
        announced_length=announced,
    )


@st.composite
def cut_payloads(draw: st.DrawFn, payload: bytes, max_parts: int = 4) -> list[bytes]:
    """The payload in one to `max_parts` pieces, empty ones among them."""
    offsets = draw(st.lists(st.integers(0, len(payload)), max_size=max_parts - 1))
    return list(at(*offsets)(payload))


class _Shape(TypedDict):
    """How a message is compressed."""

    blocks: Blocks
    final: bool
    tail: Tail


def _shape(blocks: Blocks, final: bool, tail: Tail) -> _Shape:
    return {"blocks": blocks, "final": final, "tail": tail}


_SHAPES = st.builds(
    _shape,
    st.sampled_from(Blocks),
    st.booleans(),
    st.sampled_from([Tail.REMOVED, Tail.EXTRA]),
)


@st.composite
def conversations(
    draw: st.DrawFn,
    role: Role,
    deflate: bool = False,
    max_messages: int = 4,
    max_size: int = 300,
) -> list[Frame]:
    """What one end sends on an open connection: legal, masked as its role asks for.

    Messages in one frame or in fragments with control frames between them, some of them compressed
    if `deflate` says that plain permessage-deflate was agreed; at the end perhaps a Close frame.
    """
    messages = st.tuples(st.just(Opcode.TEXT), texts(max_size // 4).map(encoded)) | st.tuples(
        st.just(Opcode.BINARY), payloads(max_size)
    )
    between = st.lists(control_frames(), max_size=1)
    compressing = st.booleans() if deflate else st.just(False)
    deflater = Deflater()
    sent: list[Frame] = []
    for opcode, payload in draw(st.lists(messages, max_size=max_messages)):
        compressed = draw(compressing)
        if compressed:
            payload = deflater.message(payload, **draw(_SHAPES))
        for frame in fragments(opcode, draw(cut_payloads(payload)), compressed=compressed):
            sent.append(frame)
            sent += draw(between)
    if draw(st.booleans()):
        sent.append(draw(close_frames()))
    if role is Role.CLIENT:
        keys = masking_keys()
        sent = [frame.masked(draw(keys)) for frame in sent]
    return sent


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """These bytes with one of them changed, lost, or put in; headers are not spared."""
    where = draw(st.integers(0, len(data)))
    what = draw(st.sampled_from(["change", "lose", "put in", "cut"]))
    if what == "change" and where < len(data):
        changed = data[where] ^ (1 << draw(st.integers(0, 7)))
        return data[:where] + bytes([changed]) + data[where + 1 :]
    if what == "lose":
        return data[:where] + data[where + 1 :]
    if what == "cut":
        return data[:where]
    return data[:where] + draw(st.binary(min_size=1, max_size=4)) + data[where:]


def _at(offsets: list[int]) -> Cut:
    return at(*offsets)


def cuts() -> st.SearchStrategy[Cut]:
    """Ways to cut bytes (`ws13.testing.cuts`)."""
    return st.one_of(
        st.just(whole),
        st.just(bytewise),
        st.builds(every, st.integers(1, 20)),
        st.lists(st.integers(0, 200), max_size=5).map(_at),
        st.builds(scattered, st.integers(0, 2**16), st.integers(1, 50)),
    )


def _tokens() -> st.SearchStrategy[str]:
    return st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=10)


def _subprotocols() -> st.SearchStrategy[list[str]]:
    return st.lists(_tokens(), max_size=3, unique=True)


def offers() -> st.SearchStrategy[str]:
    """Valid offers of permessage-deflate (RFC 7692 §7.1)."""
    bits = st.integers(8, 15)
    parameters = st.fixed_dictionaries(
        {},
        optional={
            "server_no_context_takeover": st.none(),
            "client_no_context_takeover": st.none(),
            "server_max_window_bits": bits,
            "client_max_window_bits": st.none() | bits,
        },
    )

    def written(chosen: dict[str, int | None]) -> str:
        values = [n if value is None else f"{n}={value}" for n, value in chosen.items()]
        return "; ".join([DEFLATE, *values])

    return st.builds(written, parameters)


@st.composite
def requests(draw: st.DrawFn) -> RequestHead:
    """Legal opening handshakes of a client (RFC 6455 §4.1)."""
    key = draw(st.binary(min_size=16, max_size=16))
    head = request(
        draw(st.sampled_from(["example.com", "localhost:8000", "[::1]:80", "192.0.2.1"])),
        draw(st.sampled_from(["/", "/chat", "/a/b?c=d&e", "/%C3%A9"])),
        key=b64encode(key),
        subprotocols=draw(_subprotocols()),
        extensions=draw(st.lists(offers(), max_size=2)),
    )
    for name in draw(st.lists(_tokens(), max_size=2)):
        value = draw(st.text("abc ,;=\t\xe9", max_size=10)).strip()
        head = head.with_field(f"X-{name}", value)
    return head


@st.composite
def responses(draw: st.DrawFn, key: str) -> ResponseHead:
    """Legal answers that open a connection, to a request with this key (RFC 6455 §4.2.2)."""
    head = response(key)
    if draw(st.booleans()):
        head = head.replacing("Connection", draw(st.sampled_from(["upgrade", "a, Upgrade"])))
    for name in draw(st.lists(_tokens(), max_size=2)):
        head = head.with_field(f"X-{name}", draw(_tokens()))
    return head


@st.composite
def any_requests(draw: st.DrawFn) -> bytes:
    """Opening handshakes of a client, most of them with a fault."""
    return draw(mutated(bytes(draw(requests()))))


__all__ = [
    "EDGES_OF_CODES",
    "LENGTHS",
    "any_close_codes",
    "any_frames",
    "any_requests",
    "close_codes",
    "close_frames",
    "control_frames",
    "conversations",
    "cut_payloads",
    "cuts",
    "frames",
    "lengths",
    "masking_keys",
    "mutated",
    "not_texts",
    "offers",
    "payloads",
    "requests",
    "responses",
    "texts",
]
