"""Replays recordings of the Autobahn test suite in memory (compliance/README.md has the format).

The suite's bytes go through `compliance/echo.py`, the program that the suite has judged.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

# The programs there import each other by name.
sys.path.append(str(Path(__file__).parents[2] / "compliance"))

from echo import echo, supported_extensions
from expectations import PLAIN_OK, Verdict, load_expectations
from recording import Answer, Entry, Recording, answers, from_entry, load
from support.http import Head, accept_token, parse
from support.vectors import VECTORS, head_bytes
from wire import BINARY, TEXT, read, write
from ws13 import ConnectionType, WSConnection
from ws13.events import Request

COMPLIANCE = Path(__file__).parents[2] / "compliance"
EXTENSIONS = "Sec-WebSocket-Extensions"
UPGRADE = ["Upgrade: websocket", "Connection: Upgrade"]
RESPONSE = ["HTTP/1.1 101 Switching Protocols", *UPGRADE]
REQUEST = ["GET / HTTP/1.1", "Host: 127.0.0.1", *UPGRADE, "Sec-WebSocket-Version: 13"]
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


@dataclass(frozen=True)
class Replay:
    """What ws13 did this time."""

    #: Its Sec-WebSocket-Extensions, an offer or an answer.
    extensions: str | None
    answers: list[Answer]
    #: Of all frames; of the first frames of messages.
    masked: set[bool]
    compressed: set[bool]


class Socket:
    """Gives out one chunk after the other, then the end of TCP; keeps what is sent."""

    def __init__(self, *chunks: Iterable[bytes]) -> None:
        self._chunks = chain(*chunks)
        self._sent: list[bytes] = []

    def recv(self, size: int) -> bytes:
        """Return the next chunk, which may be longer than anything that a kernel would give."""
        del size
        return next(self._chunks, b"")

    def sendall(self, data: bytes) -> None:
        self._sent.append(data)

    @property
    def sent(self) -> bytes:
        return b"".join(self._sent)


def entries() -> dict[str, Entry]:
    """The recordings by name, such as ``server 1.1.1``, as they stand in the file."""
    file = VECTORS / "autobahn.jsonl.xz"
    return {f"{entry['role']} {entry['case']}": entry for entry in load(file)}


def expected_verdict(case: str) -> Verdict:
    return load_expectations(COMPLIANCE / "expected.json").get(case, PLAIN_OK)


def verdict_of(entry: Entry) -> Verdict:
    return Verdict(entry["behavior"], entry["behaviorClose"])


def recorded(entry: Entry) -> tuple[Recording, bytes]:
    """A recording, and the bytes that the suite sent."""
    recording = from_entry(entry)
    return recording, write(recording.frames)


def replay(recording: Recording, chunks: Iterable[bytes]) -> Replay:
    """Let ws13 answer what the suite sends in these chunks, after its part of the handshake."""
    converse = serve if recording.role == "server" else connect
    head = converse(recording, chunks)
    frames = list(read(memoryview(head.rest)))
    return Replay(
        extensions="".join(head.all(EXTENSIONS)) or None,
        answers=list(answers(frames, recording.accepted, recording.role)),
        masked={frame.masked for frame in frames},
        compressed={frame.compressed for frame in frames if frame.opcode in (TEXT, BINARY)},
    )


def serve(recording: Recording, chunks: Iterable[bytes]) -> Head:
    """Be asked by the suite; return ws13's response, with all that it has sent behind it."""
    request = head_bytes([*REQUEST, f"Sec-WebSocket-Key: {KEY}", *field(recording.offer)])
    socket = Socket([request], chunks)
    echo(WSConnection(ConnectionType.SERVER), cast(Any, socket))
    return parse(socket.sent)


def connect(recording: Recording, chunks: Iterable[bytes]) -> Head:
    """Ask the suite; return ws13's request, with all that it has sent behind it."""
    ws = WSConnection(ConnectionType.CLIENT)
    asked = Request(host="127.0.0.1", target="/", extensions=supported_extensions())
    request = ws.send(asked)
    (key,) = parse(request).all("Sec-WebSocket-Key")
    token = f"Sec-WebSocket-Accept: {accept_token(key)}"
    socket = Socket([head_bytes([*RESPONSE, token, *field(recording.accepted)])], chunks)
    echo(ws, cast(Any, socket))
    return parse(request + socket.sent)


def field(extensions: str | None) -> list[str]:
    return [] if extensions is None else [f"{EXTENSIONS}: {extensions}"]
