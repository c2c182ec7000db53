"""Close frames and the end of TCP (RFC 6455 §5.5.1, §7)."""

from __future__ import annotations

from ws13.testing.cases.case import Closes, Drops
from ws13.testing.cases.chapter import Chapter, closes, fails, fails_on_close
from ws13.testing.frames import Frame, Opcode, close, continuation, ping, text

CHAPTER = Chapter("closing")
add = CHAPTER.add
CLOSE = "RFC 6455 §5.5.1"

for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
    add(
        f"code-{code}",
        "RFC 6455 §7.4",
        f"A Close frame with the code {code}.",
        close(code),
        allowed=closes(code),
    )
for code in (1012, 1013, 1014):
    add(
        f"code-{code}",
        "RFC 6455 §7.4.2",
        f"A Close frame with the code {code}, registered with IANA since.",
        close(code),
        allowed=closes(code),
        must=False,
    )
# "MUST NOT be set as a status code in a Close control frame" and "not used" bind the sender.
for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65535):
    add(
        f"code-{code}",
        "RFC 6455 §7.4.1" if code in (1004, 1005, 1006, 1015) else "RFC 6455 §7.4.2",
        f"A Close frame with the code {code}, which no endpoint may send.",
        close(code),
        allowed=fails_on_close(1002),
        must=False,
    )

add(
    "empty",
    CLOSE,
    "A Close frame without a body.",
    close(),
    allowed=(Closes((1005, 1000)), Closes()),
)
add(
    "one-byte",
    CLOSE,
    "A Close frame whose body has one byte.",
    Frame(Opcode.CLOSE, b"\x03"),
    allowed=fails_on_close(1002),
    must=False,
)
for name, reason in {
    "short": "bye",
    "123-bytes": "x" * 123,
    "many-scripts": "κόσμε · мир · 世界 · 🌍",
}.items():
    add(
        f"reason-{name}",
        CLOSE,
        f"A Close frame with 1000 and a reason of {len(reason.encode())} bytes.",
        close(1000, reason),
        allowed=closes(1000),
    )
for name, bad in {
    "byte-ff": b"\xff",
    "surrogate": b"\xed\xa0\x80",
    "overlong": b"\xc0\xaf",
    "cut": b"good \xe2\x82",
    "beyond-unicode": b"\xf4\x90\x80\x80",
}.items():
    add(
        f"reason-not-utf-8-{name}",
        "RFC 6455 §8.1",
        "A Close frame with 1000 and a reason that is not UTF-8.",
        close(1000, bad),
        allowed=fails_on_close(1007),
        must=False,
    )

add(
    "behind-a-message",
    CLOSE,
    "A message, then a Close frame.",
    text("before"),
    close(1000),
    allowed=closes(1000, "before"),
)
BEHIND: dict[str, tuple[str, tuple[Frame | bytes, ...]]] = {
    "text": ("a message", (text("late"),)),
    "ping": ("a Ping", (ping(b"late"),)),
    "close": ("another Close frame", (close(1001),)),
    "unfinished": ("half a message", (text("la", fin=False), ping())),
    "reserved-opcode": ("a frame with a reserved opcode", (Frame(3, b"late"),)),
    "garbage": ("bytes that are no frame", (b"\xff" * 40,)),
}
for name, (words, late) in BEHIND.items():
    add(
        f"then-{name}",
        "RFC 6455 §1.4",
        f"A Close frame, and behind it {words}, which is to be discarded.",
        close(1000),
        *late,
        allowed=closes(1000),
    )
add(
    "inside-a-message",
    "RFC 6455 §5.4",
    "A Close frame between two fragments of a message.",
    text("a", fin=False),
    close(1000),
    continuation("b"),
    allowed=closes(1000),
)
add(
    "ping-then-close",
    CLOSE,
    "A Ping and a Close frame behind it.",
    ping(b"before"),
    close(1000),
    allowed=closes(1000),
)

ENDS = "RFC 6455 §7.1.5"
add("end-at-once", ENDS, "TCP ends, and nothing was sent.", allowed=(Drops(), Closes()), eof=True)
add(
    "end-behind-a-message",
    ENDS,
    "A message, then TCP ends without a Close frame.",
    text("before"),
    allowed=(Drops(("before",)), *fails(1002, "before")),
    eof=True,
)
add(
    "end-inside-a-header",
    ENDS,
    "The first byte of a header, then TCP ends.",
    b"\x81",
    allowed=(Drops(), Closes()),
    eof=True,
)
add(
    "end-inside-a-payload",
    ENDS,
    "A frame that announces 100 bytes and brings 5, then TCP ends.",
    Frame(Opcode.TEXT, b"Hello", announced_length=100),
    allowed=(Drops(), Closes()),
    eof=True,
)
add(
    "end-behind-close",
    "RFC 6455 §7.1.1",
    "A Close frame, then TCP ends at once.",
    close(1000),
    allowed=(*closes(1000), Drops()),
    eof=True,
)
