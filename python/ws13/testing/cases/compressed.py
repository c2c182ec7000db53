"""Compressed messages that several cases send."""

from __future__ import annotations

from ws13.testing.blocks import deflate
from ws13.testing.frames import Frame, Opcode

#: The payload of RFC 7692's first example (§7.2.3.1).
HELLO = bytes.fromhex("f248cdc9c90700")
WORDS = "It was the best of times, it was the worst of times. " * 8


def message(payload: bytes, opcode: int = Opcode.TEXT) -> Frame:
    """A compressed message in one frame."""
    return Frame(opcode, payload, rsv1=True)


def pieces(payload: bytes, count: int) -> list[bytes]:
    """The payload in so many pieces."""
    size = -(-len(payload) // count)
    return [payload[i : i + size] for i in range(0, len(payload), size)]


#: `WORDS`, compressed and in four pieces.
PIECES = pieces(deflate(WORDS.encode()), 4)
