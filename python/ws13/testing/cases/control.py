"""Ping and Pong, and what all control frames have in common (RFC 6455 §5.5)."""

from __future__ import annotations

from ws13.testing.cases.case import Closes, Drops, Echoes
from ws13.testing.cases.chapter import Chapter, fails, fails_on_close, tolerates
from ws13.testing.frames import Frame, Opcode, continuation, ping, pong, text

CHAPTER = Chapter("control")
add = CHAPTER.add
PING = "RFC 6455 §5.5.2"
PONG = "RFC 6455 §5.5.3"
ALL = "RFC 6455 §5.5"

for name, payload in {
    "empty": b"",
    "text": b"Hello",
    "binary": b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff",
    "125-bytes": b"\xfe" * 125,
    "looks-like-a-frame": bytes(text("no frame")),
}.items():
    add(
        f"ping-{name}",
        PING,
        f"A Ping with a payload of {len(payload)} bytes.",
        ping(payload),
        allowed=Echoes(pongs=(payload,)),
    )
    add(
        f"pong-{name}",
        PONG,
        f"A Pong of {len(payload)} bytes that nobody asked for, then a message.",
        pong(payload),
        text("behind"),
        allowed=Echoes(("behind",)),
    )
for count in (2, 10, 200):
    add(
        f"pings-{count}",
        PONG,
        f"{count} Pings with different payloads: at least the last one is answered.",
        *(ping(b"%d" % i) for i in range(count)),
        # Choice: a flood may be too much for an endpoint, RFC 6455 §10.4.
        allowed=(
            Echoes(pongs=tuple(b"%d" % i for i in range(count))),
            *((Closes((1008,)), Drops()) if count > 10 else ()),
        ),
    )
add(
    "pongs-200",
    PONG,
    "200 Pongs that nobody asked for, then a message.",
    *(pong(b"%d" % i) for i in range(200)),
    text("behind"),
    allowed=Echoes(("behind",)),
)
add(
    "pings-between-messages",
    PING,
    "Messages and Pings in turn.",
    *(frame for i in range(5) for frame in (text(f"{i}"), ping(b"%d" % i))),
    allowed=Echoes(tuple("01234"), tuple(b"%d" % i for i in range(5))),
)

NAMES = {Opcode.PING: "Ping", Opcode.PONG: "Pong", Opcode.CLOSE: "Close frame"}
for opcode, name in NAMES.items():
    slug = opcode.name.lower()
    failing = fails_on_close if opcode == Opcode.CLOSE else fails
    for size in (126, 127, 65535, 65536):
        body = b"\x03\xe8" + b"x" * (size - 2)
        add(
            f"{slug}-{size}-bytes",
            ALL,
            f"A {name} with a payload of {size} bytes: 125 are allowed.",
            Frame(opcode, body),
            allowed=failing(1002),
            must=False,
        )
    add(
        f"{slug}-announces-126-bytes",
        ALL,
        f"The header of a {name} of 126 bytes, and nothing behind it before TCP ends.",
        Frame(opcode, announced_length=126),
        allowed=fails(1002),
        eof=True,
    )
    add(
        f"{slug}-without-fin",
        ALL,
        f"A {name} without FIN.",
        Frame(opcode, b"\x03\xe8", fin=False),
        allowed=failing(1002),
        must=False,
    )
    if opcode != Opcode.CLOSE:
        add(
            f"{slug}-in-fragments",
            ALL,
            f"A {name} in two fragments.",
            Frame(opcode, b"a", fin=False),
            continuation(b"b"),
            allowed=fails(1002),
            must=False,
        )
        add(
            f"{slug}-without-fin-inside-a-message",
            ALL,
            f"A {name} without FIN between the fragments of a message.",
            text("a", fin=False),
            Frame(opcode, b"x", fin=False),
            continuation(b"b"),
            allowed=fails(1002),
            must=False,
        )
for form in (16, 64):
    add(
        f"pong-length-in-{form}-bits",
        ALL,
        f"A Pong of 5 bytes whose length takes {form} bits, then a message.",
        Frame(Opcode.PONG, b"Hello", length_form=form),
        text("behind"),
        allowed=tolerates(1002, Echoes(("behind",))),
        must=False,
    )
