"""What a peer offers to the rows."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


class Operation(enum.Enum):
    """The work that is timed; inputs and contents are those of the row's workload."""

    RECEIVE_BYTES = enum.auto()  # chunks of masked frames -> payloads
    RECEIVE_TEXT = enum.auto()  # chunks of masked frames -> texts
    RECEIVE_WHOLE = enum.auto()  # chunks of large masked frames -> payloads
    INFLATE = enum.auto()  # chunks of masked frames, compressed with context takeover -> payloads
    DEFLATE = enum.auto()  # payloads -> payloads of the server's frames, inflated
    DEFLATE_FAST = enum.auto()  # the same, as fast as there is a setting for
    RECEIVE_MANY = enum.auto()  # chunks holding many masked frames -> payloads
    SEND_BYTES = enum.auto()  # payloads -> payloads of the client's masked frames
    SERVE_BYTES = enum.auto()  # payloads -> payloads of the server's frames
    PING_PONG = enum.auto()  # chunks of one masked ping -> payloads of the pongs
    HANDSHAKE = enum.auto()  # targets -> targets the server saw, once the client is open


@dataclass(frozen=True)
class Work:
    """``run`` is timed and keeps nothing; ``collect`` does the same and returns contents."""

    label: str
    run: Callable[[Sequence[Any]], None]
    collect: Callable[[Sequence[Any]], list[Any]]


class Peer(ABC):
    """One library. ``includes`` says in a sentence what is inside its figures."""

    name: str
    version: str
    includes: str
    import_line: str

    @abstractmethod
    def works(self, operation: Operation) -> list[Work]:
        """Ways to do the operation, the one to be judged first; empty if there is none."""

    def compressed(self, payload: bytes) -> object | None:
        """A server's connection that has received and sent `payload`, compressed, if it can."""
        return None

    @abstractmethod
    def idle(self) -> object | None:
        """A server's connection behind the handshake that has seen no traffic."""

    @abstractmethod
    def opened(self) -> object | None:
        """A server's connection that has gone through its own opening handshake."""


REQUEST = (
    b"GET /chat HTTP/1.1\r\n"
    b"Host: server.example.com\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"\r\n"
)
