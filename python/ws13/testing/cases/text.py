"""Text is UTF-8 (RFC 6455 §5.6, §8.1, RFC 3629)."""

from __future__ import annotations

from ws13.testing.cases.case import Echoes
from ws13.testing.cases.chapter import Chapter, fails
from ws13.testing.frames import Frame, Opcode, binary, fragments, ping, text

CHAPTER = Chapter("text")
add = CHAPTER.add
SECTION = "RFC 6455 §8.1"

VALID = {
    "two-bytes": "é\u0080\u07ff",
    "three-bytes": "€\u0800\uffff",
    "four-bytes": "😀\U00010000\U0010ffff",
    "mixed": "Hello, κόσμε, 世界, 🌍!",
    "nul": "a\x00b",
    "controls": "\r\n\t\x1b\x7f",
    "bom": "\ufeffbehind a BOM",
    "noncharacters": "\ufffe\uffff\U0001fffe\U0010ffff\ufdd0",
    "around-surrogates": "\ud7ff\ue000",
    "decomposed": "e\u0301",
    "replacement": "\ufffd",
}
for name, good in VALID.items():
    add(
        f"valid-{name}",
        "RFC 6455 §5.6",
        f"A text message of {good!a}.",
        text(good),
        allowed=Echoes((good,)),
    )

INVALID = {
    "lone-continuation-80": b"\x80",
    "lone-continuation-bf": b"\xbf",
    "continuation-behind-a-character": b"\xe2\x82\xac\x80",
    "byte-fe": b"\xfe",
    "byte-ff": b"\xff",
    "byte-ff-behind-text": b"Hello\xff",
    "overlong-c0-80": b"\xc0\x80",
    "overlong-c0-af": b"\xc0\xaf",
    "overlong-c1-bf": b"\xc1\xbf",
    "overlong-e0-80-80": b"\xe0\x80\x80",
    "overlong-e0-9f-bf": b"\xe0\x9f\xbf",
    "overlong-f0-80-80-80": b"\xf0\x80\x80\x80",
    "overlong-f0-8f-bf-bf": b"\xf0\x8f\xbf\xbf",
    "first-surrogate": b"\xed\xa0\x80",
    "last-surrogate": b"\xed\xbf\xbf",
    "pair-of-surrogates": b"\xed\xa1\x8c\xed\xbe\xb4",
    "beyond-unicode": b"\xf4\x90\x80\x80",
    "byte-f5": b"\xf5\x80\x80\x80",
    "five-bytes": b"\xf8\x88\x80\x80\x80",
    "six-bytes": b"\xfc\x84\x80\x80\x80\x80",
    "two-bytes-broken": b"\xc3\x28",
    "three-bytes-broken-second": b"\xe2\x28\xa1",
    "three-bytes-broken-third": b"\xe2\x82\x28",
    "four-bytes-broken-second": b"\xf0\x28\x8c\xbc",
    "four-bytes-broken-fourth": b"\xf0\x9f\x98\x28",
    "two-bytes-cut": b"a\xc3",
    "three-bytes-cut": b"a\xe2\x82",
    "four-bytes-cut": b"a\xf0\x9f\x98",
    "latin-1": "café".encode("latin-1"),
    "utf-16": "Hello".encode("utf-16"),
    "long": b"x" * 5000 + b"\xe2\x28\xa1" + b"x" * 5000,
}
for name, bad in INVALID.items():
    shown = bad.hex(" ") if len(bad) < 20 else f"{len(bad)} bytes with {bad[5000:5003].hex(' ')}"
    add(
        f"invalid-{name}",
        SECTION,
        f"A text message that is not UTF-8: {shown}.",
        text(bad),
        allowed=fails(1007),
    )
    if len(bad) < 20:
        add(
            f"binary-{name}",
            "RFC 6455 §5.6",
            f"The same bytes as a binary message: {shown}.",
            binary(bad),
            allowed=Echoes((bad,)),
        )

for size in (1, 2, 3):
    whole = "a😀b".encode()
    add(
        f"character-cut-behind-{size}",
        "RFC 6455 §5.6",
        f"A character of 4 bytes of which {size} are in the first fragment.",
        *fragments(Opcode.TEXT, [whole[: 1 + size], whole[1 + size :]]),
        allowed=Echoes(("a😀b",)),
    )
add(
    "characters-byte-by-byte",
    "RFC 6455 §5.6",
    "Characters of 2, 3 and 4 bytes in fragments of one byte.",
    *fragments(Opcode.TEXT, [bytes([byte]) for byte in "é€😀".encode()]),
    allowed=Echoes(("é€😀",)),
)
add(
    "ping-inside-a-character",
    "RFC 6455 §5.6",
    "A Ping between the fragments that cut a character.",
    text(b"\xe2", fin=False),
    ping(b"inside"),
    Frame(Opcode.CONTINUATION, b"\x82\xac"),
    allowed=Echoes(("€",), (b"inside",)),
)
BROKEN: dict[str, list[bytes]] = {
    "second-fragment": [b"good", b"\xff"],
    "over-fragments": [b"\xed", b"\xa0", b"\x80"],
    "character-never-ends": [b"good \xe2", b"\x82"],
    "character-ends-in-empty-fragment": [b"good \xe2\x82", b""],
    "character-then-another": [b"\xe2\x82", b"a"],
    "overlong-over-fragments": [b"\xf0\x80", b"\x80\x80"],
}
for name, parts in BROKEN.items():
    add(
        f"invalid-{name}",
        SECTION,
        f"A text message in {len(parts)} fragments that is not UTF-8.",
        *fragments(Opcode.TEXT, parts),
        allowed=fails(1007),
    )
add(
    "invalid-then-valid",
    SECTION,
    "A good message, one that is not UTF-8, and another good one.",
    text("before"),
    text(b"\xff"),
    text("behind"),
    allowed=fails(1007, "before"),
)

# When a receiver looks is its own affair, as long as it fails in the end.
add(
    "fails-before-the-message-ends",
    SECTION,
    "A fragment that is not UTF-8 of a message that does not end.",
    text(b"good \xff", fin=False),
    allowed=fails(1007),
    must=False,
)
add(
    "fails-before-the-frame-ends",
    SECTION,
    "A frame of 1,000 bytes of which two have come, that are not UTF-8.",
    Frame(Opcode.TEXT, b"\xff\xff", announced_length=1000),
    allowed=fails(1007),
    must=False,
)
