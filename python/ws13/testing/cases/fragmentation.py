"""Messages in several frames (RFC 6455 §5.4)."""

from __future__ import annotations

from ws13.testing.cases.case import Drops, Echoes
from ws13.testing.cases.chapter import Chapter, closes, echoes_or_1009, fails
from ws13.testing.frames import (
    Frame,
    Opcode,
    binary,
    close,
    continuation,
    fragments,
    ping,
    pong,
    text,
)

CHAPTER = Chapter("fragmentation")
add = CHAPTER.add
SECTION = "RFC 6455 §5.4"

MESSAGES: dict[str, tuple[list[str], str]] = {
    "two": (["Hello, ", "world!"], "two fragments"),
    "three": (["a", "b", "c"], "three fragments"),
    "first-empty": (["", "b"], "an empty fragment and another one"),
    "last-empty": (["a", ""], "a fragment and an empty one"),
    "middle-empty": (["a", "", "", "b"], "two fragments and two empty ones between"),
    "all-empty": (["", "", ""], "three empty fragments"),
    "letters": (list("fragments of one byte each"), "fragments of one byte each"),
}
for name, (parts, words) in MESSAGES.items():
    add(
        f"text-{name}",
        SECTION,
        f"A text message in {words}.",
        *fragments(Opcode.TEXT, parts),
        allowed=Echoes(("".join(parts),)),
    )
    add(
        f"binary-{name}",
        SECTION,
        f"A binary message in {words}.",
        *fragments(Opcode.BINARY, parts),
        allowed=Echoes(("".join(parts).encode(),)),
    )
add(
    "thousand",
    SECTION,
    "A binary message in 1,000 fragments of one byte.",
    *fragments(Opcode.BINARY, [bytes([i % 256]) for i in range(1000)]),
    allowed=echoes_or_1009(bytes(i % 256 for i in range(1000))),
)
add(
    "large",
    SECTION,
    "A text message in 16 fragments of 4,096 bytes.",
    *fragments(Opcode.TEXT, ["x" * 4096] * 16),
    allowed=echoes_or_1009("x" * 65536),
)
add(
    "two-messages",
    SECTION,
    "Two messages in fragments, one behind the other.",
    *fragments(Opcode.TEXT, ["a", "b"]),
    *fragments(Opcode.BINARY, [b"c", b"d"]),
    allowed=Echoes(("ab", b"cd")),
)

add(
    "ping-between",
    SECTION,
    "A message in two fragments with a Ping between them.",
    text("a", fin=False),
    ping(b"between"),
    continuation("b"),
    allowed=Echoes(("ab",), (b"between",)),
)
add(
    "pong-between",
    SECTION,
    "A message in two fragments with a Pong between them that nobody asked for.",
    text("a", fin=False),
    pong(b"between"),
    continuation("b"),
    allowed=Echoes(("ab",)),
)
add(
    "pings-between-all",
    SECTION,
    "A message in five fragments with a Ping behind each but the last.",
    *(
        frame
        for i in range(4)
        for frame in (Frame(0 if i else 2, bytes([i]), fin=False), ping(bytes([i])))
    ),
    continuation(b"\x04"),
    allowed=Echoes((b"\x00\x01\x02\x03\x04",), tuple(bytes([i]) for i in range(4))),
)
add(
    "close-between",
    SECTION,
    "A Close frame behind the first fragment of a message that is never finished.",
    text("a", fin=False),
    close(1000),
    allowed=closes(1000),
)

# The rules bind the sender; what a receiver could do but fail, the RFC does not say.
STRAY = {
    "continuation-alone": (continuation("a"),),
    "continuation-without-fin-alone": (continuation("a", fin=False),),
    "empty-continuation-alone": (continuation(""),),
    "continuation-behind-a-message": (text("before"), continuation("a")),
    "continuation-behind-a-fragmented-message": (
        *fragments(Opcode.TEXT, ["bef", "ore"]),
        continuation("a"),
    ),
}
for name, frames in STRAY.items():
    add(
        name,
        SECTION,
        "A continuation although no message is under way.",
        *frames,
        allowed=fails(1002, *(["before"] if len(frames) > 1 else [])),
        must=False,
    )
INTERLEAVED = {
    "text-inside-text": (text("a", fin=False), text("b")),
    "binary-inside-text": (text("a", fin=False), binary(b"b")),
    "text-inside-binary": (binary(b"a", fin=False), text("b")),
    "fragment-inside-fragments": (text("a", fin=False), text("b", fin=False), continuation("c")),
    "text-instead-of-the-last": (
        text("a", fin=False),
        continuation("b", fin=False),
        text("c"),
    ),
    "text-inside-with-ping": (text("a", fin=False), ping(), text("b")),
}
for name, frames in INTERLEAVED.items():
    add(
        name,
        SECTION,
        "A new message begins inside another one.",
        *frames,
        allowed=fails(1002),
        must=False,
    )
add(
    "end-inside",
    "RFC 6455 §7.1.5",
    "A fragment of a message, then TCP ends.",
    text("a", fin=False),
    allowed=(Drops(), *fails(1002)),
    eof=True,
)
