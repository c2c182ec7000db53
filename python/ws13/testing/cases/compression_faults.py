"""What no sender may do with permessage-deflate (RFC 7692 §6, §7.2)."""

from __future__ import annotations

from ws13.testing.blocks import BlockWriter, Tail, deflate
from ws13.testing.cases.case import Echoes
from ws13.testing.cases.chapter import Chapter, fails, fails_on_close, tolerates
from ws13.testing.cases.compressed import HELLO, PIECES, message, pieces
from ws13.testing.frames import Frame, Opcode, close, continuation, fragments, text

CHAPTER = Chapter("compression", "permessage-deflate")
add = CHAPTER.add
FIRST = Frame(Opcode.TEXT, PIECES[0], fin=False, rsv1=True)

BIT = "RFC 7692 §6"
for opcode, slug in ((Opcode.PING, "ping"), (Opcode.PONG, "pong")):
    add(
        f"rsv1-{slug}",
        BIT,
        f"A {slug.capitalize()} with RSV1.",
        Frame(opcode, HELLO, rsv1=True),
        allowed=fails(1002),
    )
    add(
        f"rsv1-{slug}-between-fragments",
        BIT,
        f"A {slug.capitalize()} with RSV1 between the fragments of a compressed message.",
        FIRST,
        Frame(opcode, b"", rsv1=True),
        allowed=fails(1002),
    )
add(
    "rsv1-close",
    BIT,
    "A Close frame with RSV1.",
    Frame(Opcode.CLOSE, b"\x03\xe8", rsv1=True),
    allowed=fails_on_close(1002),
)
add(
    "rsv1-continuation",
    BIT,
    "A compressed message with RSV1 in its second fragment, too.",
    FIRST,
    Frame(Opcode.CONTINUATION, PIECES[1], fin=False, rsv1=True),
    allowed=fails(1002),
)
add(
    "rsv1-continuation-alone",
    BIT,
    "A message with RSV1 in its second fragment alone.",
    text("Hel", fin=False),
    Frame(Opcode.CONTINUATION, HELLO, rsv1=True),
    allowed=fails(1002),
)
for bit in (2, 3):
    add(
        f"rsv{bit}",
        "RFC 6455 §5.2",
        f"A compressed message with RSV{bit}, which permessage-deflate does not use.",
        Frame(Opcode.TEXT, HELLO, rsv1=True, rsv2=bit == 2, rsv3=bit == 3),
        allowed=fails(1002),
    )

# A payload that no inflater can read cannot be delivered; what cannot is failed.
BAD = {
    "block-type-3": BlockWriter().bits(0b111, 3).getvalue() + b"\xff" * 8,
    "all-ones": b"\xff" * 20,
    "stored-length-wrong": b"\x00\x05\x00\x00\x00Hello\x00",
    "too-far-back-at-once": BlockWriter().fixed([(3, 1)]).message(),
    "too-far-back": BlockWriter().fixed([b"Hello", (3, 6)]).message(),
    "far-too-far-back": BlockWriter().fixed([b"Hello", (3, 32768)]).message(),
    "bad-codes": BlockWriter().bits(0b101, 3).bits(0x3FFF, 14).getvalue() + b"\xff" * 30,
}
for name, payload in BAD.items():
    add(
        f"bad-{name}",
        "RFC 7692 §7.2.2",
        "A compressed message that is no DEFLATE.",
        message(payload),
        allowed=fails(1007),
    )
    add(
        f"bad-{name}-in-fragments",
        "RFC 7692 §7.2.2",
        "A message in two fragments that is no DEFLATE.",
        *fragments(Opcode.BINARY, pieces(payload, 2), compressed=True),
        allowed=fails(1007),
    )
add(
    "bad-behind-a-message",
    "RFC 7692 §7.2.2",
    "A good message, then one that is no DEFLATE.",
    message(HELLO),
    message(BAD["block-type-3"]),
    allowed=fails(1007, "Hello"),
)
WHOLE = deflate(b"Hello, compressed world")
for cut in (1, 2, 5, 12):
    add(
        f"cut-by-{cut}",
        "RFC 7692 §7.2.1",
        f"A compressed message without its last {cut} bytes.",
        message(WHOLE[:-cut], Opcode.BINARY),
        allowed=fails(1007),
        must=False,
    )
add(
    "without-payload",
    "RFC 7692 §7.2.3.6",
    "A message with RSV1 and without a payload: an empty one would be the byte 00.",
    message(b""),
    allowed=tolerates(1007, Echoes(("",))),
    must=False,
)
add(
    "tail-kept",
    "RFC 7692 §7.2.1",
    "A message from whose end 00 00 ff ff was not removed.",
    message(deflate(b"Hello", tail=Tail.KEPT)),
    allowed=tolerates(1007, Echoes(("Hello",))),
    must=False,
)
add(
    "final-without-another-block",
    "RFC 7692 §7.2.3.4",
    "A block with BFINAL, and not the byte 00 behind it.",
    message(deflate(b"Hello", final=True)[:-1]),
    allowed=tolerates(1007, Echoes(("Hello",))),
    must=False,
)
add(
    "garbage-behind-final",
    "RFC 7692 §7.2.1",
    "A block with BFINAL, and bytes behind it that are no block.",
    message(deflate(b"Hello", final=True)[:-1] + b"\xff" * 20),
    allowed=tolerates(1007, Echoes(("Hello",))),
    must=False,
)
for name, bad in (("ff", b"\xff"), ("surrogate", b"\xed\xa0\x80"), ("cut", b"\xe2\x82")):
    add(
        f"not-utf-8-{name}",
        "RFC 6455 §8.1",
        "A compressed text message that is not UTF-8 when it is inflated.",
        message(deflate(b"good " + bad)),
        allowed=fails(1007),
    )
add(
    "not-utf-8-binary",
    "RFC 6455 §5.6",
    "A compressed binary message that is not UTF-8.",
    message(deflate(b"good \xff"), Opcode.BINARY),
    allowed=Echoes((b"good \xff",)),
)
add(
    "interleaved",
    "RFC 6455 §5.4",
    "A compressed message begins inside another one.",
    FIRST,
    message(HELLO),
    allowed=fails(1002),
    must=False,
)
add(
    "close-between-fragments",
    "RFC 6455 §5.4",
    "A Close frame behind the first fragment of a compressed message.",
    FIRST,
    close(1000),
    continuation(PIECES[1]),
    allowed=fails_on_close(1000),
)
