"""Compressed messages that are much larger than they look, and how to count what comes of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache

from support.deflate import TAIL
from support.frames import Frame
from support.strategies import written
from support.vectors import pieces_of
from ws13 import WSConnection
from ws13.connection import Connection
from ws13.events import CloseConnection, Message

MIB = 2**20


@cache
def bomb(mebibytes: int) -> bytes:
    """The payload of a message of so many MiB of zeros; a thousandth of it."""
    codec = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [codec.compress(bytes(MIB)) for _ in range(mebibytes)]
    return b"".join([*parts, codec.flush(zlib.Z_SYNC_FLUSH)]).removesuffix(TAIL)


def final(data: bytes, level: int = 6) -> bytes:
    """A payload whose last block has BFINAL set."""
    codec = zlib.compressobj(level, zlib.DEFLATED, -15)
    return codec.compress(data) + codec.flush()


def framed(payload: bytes, role: str, size: int = 0) -> bytes:
    """A compressed message in one frame, or in frames of this size."""
    parts = pieces_of(payload, size) if size else [payload]
    last = len(parts) - 1
    frames = [Frame(0 if i else 2, p, i == last, 0 if i else 4) for i, p in enumerate(parts)]
    return written(frames, role, bytes(4))


def pieces(connection: Connection | WSConnection) -> Iterator[int]:
    """The lengths of the pieces that come out, and the close code as a negative number."""
    for event in connection.events():
        if isinstance(event, CloseConnection):
            yield -int(event.code)
        else:
            assert isinstance(event, Message)
            yield len(event.data)
