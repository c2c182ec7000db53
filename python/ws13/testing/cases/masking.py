"""Masks: a client masks every frame, a server none (RFC 6455 §5.1, §5.3)."""

from __future__ import annotations

from ws13.testing.cases.case import Echoes
from ws13.testing.cases.chapter import CLIENTS, SERVERS, Chapter, fails, fails_on_close
from ws13.testing.frames import binary, close, continuation, ping, pong, text

CHAPTER = Chapter("masking")
add = CHAPTER.add
KEY = b"\x37\xfa\x21\x3d"

FRAMES = {
    "text": text("Hello"),
    "empty-text": text(""),
    "binary": binary(b"\x00\x01\x02"),
    "long-binary": binary(bytes(70_000)),
    "ping": ping(b"Hello"),
    "pong": pong(),
}

for name, frame in FRAMES.items():
    add(
        f"unmasked-{name}",
        "RFC 6455 §5.1",
        f"To a server, without a mask: {frame}.",
        bytes(frame),
        allowed=fails(1002),
        roles=SERVERS,
    )
    add(
        f"masked-{name}",
        "RFC 6455 §5.1",
        f"To a client, with a mask: {frame}.",
        frame.masked(KEY),
        allowed=fails(1002),
        roles=CLIENTS,
    )
add(
    "unmasked-close",
    "RFC 6455 §5.1",
    "To a server, a Close frame without a mask.",
    bytes(close(1000)),
    allowed=fails_on_close(1002),
    roles=SERVERS,
)
add(
    "masked-close",
    "RFC 6455 §5.1",
    "To a client, a Close frame with a mask.",
    close(1000).masked(KEY),
    allowed=fails_on_close(1002),
    roles=CLIENTS,
)
add(
    "unmasked-second-message",
    "RFC 6455 §5.1",
    "To a server, a message with a mask, then one without.",
    text("before"),
    bytes(text("behind")),
    allowed=fails(1002, "before"),
    roles=SERVERS,
)
add(
    "unmasked-continuation",
    "RFC 6455 §5.1",
    "To a server, a message whose second fragment has no mask.",
    text("a", fin=False),
    bytes(continuation("b")),
    allowed=fails(1002),
    roles=SERVERS,
)
add(
    "masked-continuation",
    "RFC 6455 §5.1",
    "To a client, a message whose second fragment has a mask.",
    text("a", fin=False),
    continuation("b").masked(KEY),
    allowed=fails(1002),
    roles=CLIENTS,
)
add(
    "masked-with-zeros-to-client",
    "RFC 6455 §5.1",
    "To a client, a message with a mask of zeros.",
    text("Hello").masked(bytes(4)),
    allowed=fails(1002),
    roles=CLIENTS,
)
for name, key in (("zeros", bytes(4)), ("ones", b"\xff" * 4), ("one-byte", b"\x00\x00\x00\x01")):
    add(
        f"key-{name}",
        "RFC 6455 §5.3",
        f"To a server, a message of 13 bytes with the masking key {key.hex()}.",
        text("Hello, world!").masked(key),
        allowed=Echoes(("Hello, world!",)),
        roles=SERVERS,
    )
add(
    "keys-change",
    "RFC 6455 §5.3",
    "To a server, fragments of 1 to 8 bytes, each with another masking key.",
    *(
        frame.masked(bytes([n, 7 * n, 255 - n, 31 * n % 256]))
        for n, frame in enumerate(
            [
                text("a", fin=False),
                *(continuation("b" * n, fin=False) for n in range(2, 8)),
                continuation("c" * 8),
            ]
        )
    ),
    allowed=Echoes(("a" + "b" * 27 + "c" * 8,)),
    roles=SERVERS,
)
