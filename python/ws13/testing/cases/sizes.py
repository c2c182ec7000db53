"""Large messages, many frames, and lengths that announce more than comes (RFC 6455 §10.4)."""

from __future__ import annotations

from ws13.testing.cases.case import Drops
from ws13.testing.cases.chapter import Chapter, echoes_or_1009, fails
from ws13.testing.frames import Frame, Opcode, binary, continuation, fragments, text

CHAPTER = Chapter("sizes")
add = CHAPTER.add
SECTION = "RFC 6455 §10.4"
PATTERN = bytes(range(251))


def pattern(size: int) -> bytes:
    """Bytes whose order shows."""
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


for words, size in (("64-kib", 2**16), ("256-kib", 2**18), ("1-mib", 2**20), ("4-mib", 2**22)):
    add(
        f"binary-{words}",
        SECTION,
        f"A binary message of {size} bytes in one frame.",
        binary(pattern(size)),
        allowed=echoes_or_1009(pattern(size)),
    )
    add(
        f"text-{words}",
        SECTION,
        f"A text message of {size} bytes in one frame.",
        text("é" * (size // 2)),
        allowed=echoes_or_1009("é" * (size // 2)),
    )
for piece in (64, 1024, 65536):
    data = pattern(2**18)
    add(
        f"fragments-of-{piece}",
        SECTION,
        f"A binary message of 256 KiB in fragments of {piece} bytes.",
        *fragments(Opcode.BINARY, [data[i : i + piece] for i in range(0, len(data), piece)]),
        allowed=echoes_or_1009(data),
    )
add(
    "empty-fragments",
    SECTION,
    "A message of one byte in each of its two ends, and 10,000 empty fragments between.",
    text("a", fin=False),
    *([continuation("", fin=False)] * 10_000),
    continuation("b"),
    allowed=echoes_or_1009("ab"),
)
add(
    "thousand-messages",
    "RFC 6455 §5.6",
    "1,000 messages of 1 to 1,000 bytes.",
    *(binary(pattern(size)) for size in range(1, 1001)),
    allowed=echoes_or_1009(*(pattern(size) for size in range(1, 1001))),
)

for name, length in {
    "2-31": 2**31,
    "2-32": 2**32,
    "2-32-and-1": 2**32 + 1,
    "2-62": 2**62,
    "2-63-less-1": 2**63 - 1,
}.items():
    for opcode in (Opcode.TEXT, Opcode.BINARY):
        add(
            f"announced-{name}-{opcode.name.lower()}",
            SECTION,
            f"A frame {opcode.name} that announces {length} bytes and brings 3, then TCP ends.",
            Frame(opcode, b"abc", announced_length=length),
            allowed=(*fails(1009), Drops()),
            eof=True,
        )
    add(
        f"announced-{name}-continuation",
        SECTION,
        f"A fragment of one byte, then one that announces {length} bytes, then TCP ends.",
        binary(b"a", fin=False),
        Frame(Opcode.CONTINUATION, b"", announced_length=length),
        allowed=(*fails(1009), Drops()),
        eof=True,
    )
