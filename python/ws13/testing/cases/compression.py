"""Compressed messages as RFC 7692 allows them (§6, §7.2). All need permessage-deflate."""

from __future__ import annotations

import zlib

from ws13.testing.blocks import TAIL, Blocks, BlockWriter, Deflater, Tail, deflate
from ws13.testing.cases.case import Echoes
from ws13.testing.cases.chapter import Chapter, echoes_or_1009, tolerates
from ws13.testing.cases.compressed import HELLO, PIECES, WORDS, message
from ws13.testing.frames import Opcode, binary, fragments, ping, text

CHAPTER = Chapter("compression", "permessage-deflate")
add = CHAPTER.add


EXAMPLES = "RFC 7692 §7.2.3"
add("hello", EXAMPLES, "The first example.", message(HELLO), allowed=Echoes(("Hello",)))
add(
    "hello-in-fragments",
    EXAMPLES,
    "The first example in two fragments.",
    *fragments(Opcode.TEXT, [HELLO[:3], HELLO[3:]], compressed=True),
    allowed=Echoes(("Hello",)),
)
add(
    "hello-twice",
    EXAMPLES,
    "The second example: the second message refers to the first.",
    message(HELLO),
    message(bytes.fromhex("f200110000")),
    allowed=Echoes(("Hello", "Hello")),
    needs_context=True,
)
add(
    "hello-twice-without-reference",
    EXAMPLES,
    "Two messages, each compressed for itself.",
    message(HELLO),
    message(HELLO),
    allowed=Echoes(("Hello", "Hello")),
)
add(
    "hello-stored",
    EXAMPLES,
    "The third example: a block without compression.",
    message(bytes.fromhex("000500faff48656c6c6f00")),
    allowed=Echoes(("Hello",)),
)
add(
    "hello-final",
    EXAMPLES,
    "The fourth example: a block with BFINAL.",
    message(bytes.fromhex("f348cdc9c9070000")),
    allowed=Echoes(("Hello",)),
)
add(
    "hello-two-blocks",
    EXAMPLES,
    "The fifth example: two blocks.",
    message(bytes.fromhex("f248050000 00ffff cac9c90700".replace(" ", ""))),
    allowed=Echoes(("Hello",)),
)
add(
    "empty",
    "RFC 7692 §7.2.3.6",
    "An empty message, which is the byte 00.",
    message(b"\x00"),
    allowed=Echoes(("",)),
)
add(
    "empty-then-hello",
    "RFC 7692 §7.2.3.6",
    "An empty message, then another one.",
    message(b"\x00"),
    message(HELLO),
    allowed=Echoes(("", "Hello")),
)
add(
    "uncompressed",
    "RFC 7692 §6",
    "Messages that are not compressed, between others that are.",
    text("plain"),
    message(HELLO),
    binary(b"plain"),
    *fragments(Opcode.TEXT, ["pl", "ain"]),
    allowed=Echoes(("plain", "Hello", b"plain", "plain")),
)

for blocks in Blocks:
    for name, payload in (
        ("words", WORDS.encode()),
        ("all-bytes", bytes(range(256)) * 8),
        ("nothing", b""),
    ):
        add(
            f"{blocks.value}-{name}",
            "RFC 7692 §7.2.1",
            f"A binary message of {len(payload)} bytes, blocks: {blocks.value}.",
            message(deflate(payload, blocks=blocks), Opcode.BINARY),
            allowed=Echoes((payload,)),
        )
    add(
        f"{blocks.value}-many-blocks",
        "RFC 7692 §7.2.1",
        f"A message in blocks of 16 bytes, blocks: {blocks.value}.",
        message(deflate(WORDS.encode(), blocks=blocks, block_size=16)),
        allowed=Echoes((WORDS,)),
    )
    add(
        f"{blocks.value}-final",
        "RFC 7692 §7.2.3.4",
        f"A message whose last block has BFINAL, blocks: {blocks.value}, then another one.",
        message(deflate(WORDS.encode(), blocks=blocks, final=True)),
        message(HELLO),
        allowed=Echoes((WORDS, "Hello")),
    )
for level in (0, 1, 9):
    add(
        f"level-{level}",
        "RFC 7692 §7.2.1",
        f"A message at zlib's level {level}.",
        message(deflate(WORDS.encode(), level=level)),
        allowed=Echoes((WORDS,)),
    )
for strategy in (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FILTERED):
    add(
        f"strategy-{strategy}",
        "RFC 7692 §7.2.1",
        f"A message with zlib's strategy {strategy}.",
        message(deflate(WORDS.encode(), strategy=strategy)),
        allowed=Echoes((WORDS,)),
    )
for bits in (8, 9, 12):
    add(
        f"window-of-{bits}-bits",
        "RFC 7692 §7.1.2",
        f"A message whose references stay within {bits} bits.",
        message(deflate(WORDS.encode() * 40, window_bits=bits)),
        allowed=echoes_or_1009(WORDS * 40),
    )
FAR = BlockWriter().fixed([b"x" * 32767 + b"y", (3, 32768), (258, 32766)])
add(
    "distance-32768",
    "RFC 1951 §3.2.5",
    "A reference as far back as there can be.",
    message(FAR.message(), Opcode.BINARY),
    allowed=echoes_or_1009(b"x" * 32767 + b"yxxx" + b"x" * 258),
)
add(
    "reference-into-itself",
    "RFC 1951 §3.2.3",
    "A reference of 258 bytes to the byte before.",
    message(BlockWriter().fixed([b"a", (258, 1)]).message()),
    allowed=Echoes(("a" * 259,)),
)
add(
    "final-in-the-middle",
    "RFC 7692 §7.2.3.4",
    "A block with BFINAL in the middle of a message.",
    message(deflate(b"Hello, ", final=True)[:-1] + deflate(b"world!")),
    allowed=tolerates(1007, Echoes(("Hello, world!",))),
    must=False,
)
add(
    "extra-tail",
    "RFC 7692 §7.2.1",
    "An empty block more, with its 00 00 ff ff, before the one whose tail is removed.",
    message(deflate(b"Hello", tail=Tail.EXTRA)),
    message(HELLO),
    allowed=Echoes(("Hello", "Hello")),
)
add(
    "empty-fixed-blocks",
    "RFC 1951 §3.2.6",
    "Empty blocks with the fixed codes before and behind.",
    message(BlockWriter().fixed([]).fixed([b"Hello"]).fixed([]).message()),
    allowed=Echoes(("Hello",)),
)

TEXTS = [WORDS + str(i) for i in range(3)]
KEPT, ALONE = Deflater(), Deflater(context_takeover=False)
add(
    "context-over-three-messages",
    "RFC 7692 §7.1.1",
    "Three messages that refer to each other.",
    *(message(KEPT.message(one.encode())) for one in TEXTS),
    allowed=Echoes(tuple(TEXTS)),
    needs_context=True,
)
add(
    "context-past-other-messages",
    "RFC 7692 §7.1.1",
    "A compressed message, one that is not, a Ping, and one that refers to the first.",
    message(HELLO),
    text("plain"),
    ping(b"between"),
    message(bytes.fromhex("f200110000")),
    allowed=Echoes(("Hello", "plain", "Hello"), (b"between",)),
    needs_context=True,
)
add(
    "context-past-final",
    "RFC 7692 §7.2.3.4",
    "A message with BFINAL, and one that refers to it.",
    message(deflate(b"Hello", final=True)),
    message(bytes.fromhex("f200110000")),
    allowed=tolerates(1007, Echoes(("Hello", "Hello"))),
    must=False,
    needs_context=True,
)
add(
    "no-context",
    "RFC 7692 §7.1.1",
    "Three messages, each compressed for itself.",
    *(message(ALONE.message(one.encode())) for one in TEXTS),
    allowed=Echoes(tuple(TEXTS)),
)

for name, parts in {
    "four-fragments": PIECES,
    "empty-fragments": [b"", *PIECES, b""],
    "byte-by-byte": [bytes([byte]) for byte in deflate(WORDS.encode())],
}.items():
    add(
        name,
        "RFC 7692 §6.1",
        f"A compressed message in {len(parts)} fragments.",
        *fragments(Opcode.TEXT, parts, compressed=True),
        allowed=Echoes((WORDS,)),
    )
FIRST, *OTHERS, LAST = fragments(Opcode.TEXT, PIECES, compressed=True)
add(
    "ping-between-fragments",
    "RFC 7692 §6.1",
    "A Ping between the fragments of a compressed message.",
    FIRST,
    ping(b"one"),
    *OTHERS,
    ping(b"two"),
    LAST,
    allowed=Echoes((WORDS,), (b"one", b"two")),
)
add(
    "ping-that-looks-compressed",
    "RFC 7692 §6",
    "A Ping with the payload of a compressed message, between fragments.",
    FIRST,
    ping(HELLO),
    *OTHERS,
    LAST,
    allowed=Echoes((WORDS,), (HELLO,)),
)
add(
    "flush-in-fragments",
    "RFC 7692 §7.2.1",
    "Each fragment ends with an empty block.",
    *fragments(
        Opcode.TEXT,
        [deflate(b"Hello, ") + TAIL, deflate(b"world", tail=Tail.KEPT), deflate(b"!")],
        compressed=True,
    ),
    allowed=Echoes(("Hello, world!",)),
)
NOISE = b"".join(zlib.crc32(b"%d" % i).to_bytes(4, "big") for i in range(16384))
for name, data in (("zeros-64-kib", bytes(65536)), ("noise-64-kib", NOISE)):
    add(
        name,
        "RFC 7692 §7.2.1",
        "A binary message of 64 KiB, compressed.",
        message(deflate(data), Opcode.BINARY),
        allowed=echoes_or_1009(data),
    )
for words, size in (("1-mib", 2**20), ("16-mib", 2**24)):
    add(
        f"bomb-{words}",
        "RFC 7692 §8",
        f"A message of about a thousandth of the {size} bytes that come of it.",
        message(deflate(bytes(size), level=9), Opcode.BINARY),
        allowed=echoes_or_1009(bytes(size)),
    )
