"""permessage-deflate with context takeover: ws13 and wsproto by their one API, and aiohttp."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from frames import inflated
from peers.base import Work


def extension(library: str, **options: Any) -> Any:
    """permessage-deflate as it is after a handshake."""
    deflate = import_module(f"{library}.extensions").PerMessageDeflate(**options)
    deflate._enabled = True
    return deflate


def sending(label: str, connection: Any, event: Any) -> Work:
    """A server sends messages of one frame."""
    send = connection.send
    decompressor = zlib.decompressobj(-15)

    def run(payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            send(event(payload))

    def collect(payloads: Sequence[bytes]) -> list[Any]:
        return inflated(b"".join([send(event(payload)) for payload in payloads]), decompressor)

    return Work(label, run, collect)


def compressed_size(library: str, payloads: Sequence[bytes]) -> int:
    """Bytes that a server's messages take, frame headers left out of both sides."""
    connection = import_module(f"{library}.connection")
    server = connection.Connection(connection.ConnectionType.SERVER, [extension(library)])
    event = import_module(f"{library}.events").BytesMessage
    return sum(len(server.send(event(payload))) - 4 for payload in payloads)


def zlib_size(payloads: Sequence[bytes]) -> int:
    """Bytes that zlib makes of them at its level 6."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    flush = zlib.Z_SYNC_FLUSH
    return sum(len(compressor.compress(p) + compressor.flush(flush)) - 4 for p in payloads)
