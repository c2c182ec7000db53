"""Headers of frames: opcodes, reserved bits, lengths (RFC 6455 §5.2)."""

from __future__ import annotations

from ws13.testing.cases.case import Echoes
from ws13.testing.cases.chapter import Chapter, echoes_or_1009, fails, fails_on_close, tolerates
from ws13.testing.frames import Frame, LengthForm, Opcode, binary, ping, pong, text

CHAPTER = Chapter("frames")
add = CHAPTER.add
OPCODES = "RFC 6455 §5.2"

add(
    "text",
    "RFC 6455 §5.6",
    "A text message in one frame.",
    text("Hello"),
    allowed=Echoes(("Hello",)),
)
add(
    "binary",
    "RFC 6455 §5.6",
    "A binary message in one frame, of all byte values.",
    binary(bytes(range(256))),
    allowed=Echoes((bytes(range(256)),)),
)
add("empty-text", "RFC 6455 §5.6", "An empty text message.", text(""), allowed=Echoes(("",)))
add(
    "empty-binary",
    "RFC 6455 §5.6",
    "An empty binary message.",
    binary(b""),
    allowed=Echoes((b"",)),
)
add(
    "many-messages",
    "RFC 6455 §5.6",
    "A hundred messages, text and binary in turn.",
    *(text(str(i)) if i % 2 else binary(bytes([i])) for i in range(100)),
    allowed=Echoes(tuple(str(i) if i % 2 else bytes([i]) for i in range(100))),
)

for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF):
    add(
        f"reserved-opcode-{opcode:x}",
        OPCODES,
        f"A frame with the reserved opcode {opcode:#x}.",
        Frame(opcode, b"x"),
        allowed=fails(1002),
    )
add(
    "reserved-opcode-behind-a-message",
    OPCODES,
    "A message, then an empty frame with the reserved opcode 0x3.",
    text("before"),
    Frame(3),
    allowed=fails(1002, "before"),
)
add(
    "reserved-opcode-without-fin",
    OPCODES,
    "A frame with the reserved opcode 0x5 and without FIN.",
    Frame(5, b"x", fin=False),
    allowed=fails(1002),
)

for bit in (1, 2, 3):
    for opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG):
        add(
            f"reserved-bit-{bit}-{opcode.name.lower()}",
            OPCODES,
            f"A frame {opcode.name} with RSV{bit}, which no extension has given a meaning.",
            Frame(opcode, b"", rsv1=bit == 1, rsv2=bit == 2, rsv3=bit == 3),
            allowed=fails(1002),
        )
    add(
        f"reserved-bit-{bit}-close",
        OPCODES,
        f"A Close frame with code 1000 and RSV{bit}, which no extension has given a meaning.",
        Frame(Opcode.CLOSE, b"\x03\xe8", rsv1=bit == 1, rsv2=bit == 2, rsv3=bit == 3),
        allowed=fails_on_close(1002),
    )
add(
    "reserved-bits-all",
    OPCODES,
    "A text message, then one with all reserved bits.",
    text("before"),
    Frame(Opcode.TEXT, b"x", rsv1=True, rsv2=True, rsv3=True),
    allowed=fails(1002, "before"),
)
add(
    "reserved-bit-2-continuation",
    OPCODES,
    "A message whose second fragment has RSV2.",
    text("a", fin=False),
    Frame(Opcode.CONTINUATION, b"b", rsv2=True),
    allowed=fails(1002),
)

for size in (1, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536, 65537):
    add(
        f"length-{size}",
        OPCODES,
        f"A binary message of {size} bytes, its length in the fewest bytes.",
        binary(b"\xa5" * size),
        allowed=echoes_or_1009(b"\xa5" * size) if size > 256 else Echoes((b"\xa5" * size,)),
    )

LONG: tuple[tuple[LengthForm, int], ...] = (
    (16, 0), (16, 1), (16, 125), (64, 0), (64, 1), (64, 125), (64, 126), (64, 65535),
)  # fmt: skip
for form, size in LONG:
    add(
        f"length-{size}-in-{form}-bits",
        OPCODES,
        f"A binary message of {size} bytes whose length takes {form} bits, more than it needs.",
        Frame(Opcode.BINARY, bytes(size), length_form=form),
        allowed=tolerates(1002, Echoes((bytes(size),))),
        must=False,
    )
for form in (16, 64):
    add(
        f"ping-length-in-{form}-bits",
        "RFC 6455 §5.5",
        f"A Ping of 5 bytes whose length takes {form} bits.",
        Frame(Opcode.PING, b"Hello", length_form=form),
        allowed=tolerates(1002, Echoes(pongs=(b"Hello",))),
        must=False,
    )
for name, announced in (("2-63", 2**63), ("2-64-less-1", 2**64 - 1)):
    add(
        f"length-{name}",
        OPCODES,
        f"The header of a binary message of {announced} bytes: the most significant bit is set.",
        Frame(Opcode.BINARY, announced_length=announced),
        allowed=fails(1002),
        eof=True,
    )

add(
    "unsolicited-pong",
    "RFC 6455 §5.5.3",
    "A Pong that nobody asked for, then a message.",
    pong(b"unsolicited"),
    text("behind"),
    allowed=Echoes(("behind",)),
)
add(
    "ping",
    "RFC 6455 §5.5.2",
    "A Ping with a payload.",
    ping(b"Hello"),
    allowed=Echoes(pongs=(b"Hello",)),
)
