"""Exceptions, and what programs need around a handshake."""

from __future__ import annotations

import os

from ._native import raise_panics_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .events import Event

#: Only an endpoint that understands WebSocket appends this to a key (RFC 6455 §1.3).
ACCEPT_GUID: bytes = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#: Where bugs are reported.
ISSUES = "https://github.com/ws13/ws13/issues"


class ProtocolError(Exception):
    """The base of the two below."""


class LocalProtocolError(ProtocolError):
    """A call that cannot be followed: it does not fit the state, or must not reach the wire."""


class RemoteProtocolError(ProtocolError):
    """
    The peer broke a rule of the opening handshake.

    `event_hint` is an event to answer with, or None.
    """

    def __init__(self, message: str, event_hint: Event | None = None) -> None:
        super().__init__(message)
        self.event_hint = event_hint


class InternalError(RuntimeError):
    """
    A bug in ws13, found by one of its own checks.

    It is never raised for what a peer sends or a program asks for. The connection that was at work
    has failed (RFC 6455 §7.1.7): it receives nothing more, and only a Close frame may be sent.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return f"a bug in ws13, please report it to {ISSUES}: {super().__str__()}"


raise_panics_as(InternalError)


def normed_header_dict(h11_headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by name; values of one name are joined with commas (RFC 9110 §5.3)."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in h11_headers:
        values.setdefault(name, []).append(value)
    return {name: b", ".join(parts) for name, parts in values.items()}


def split_comma_header(value: bytes) -> list[str]:
    """
    The elements of a list (RFC 9110 §5.6.1), in ASCII, without white space around them.

    A comma in a quoted string ends none (RFC 9110 §5.6.4).
    """
    elements: list[bytes] = []
    start, quoted, escaped = 0, False, False
    value = bytes(memoryview(value))
    for index, byte in enumerate(value):
        if escaped:
            escaped = False
        elif byte == ord("\\"):
            escaped = quoted
        elif byte == ord('"'):
            quoted = not quoted
        elif byte == ord(",") and not quoted:
            elements.append(value[start:index])
            start = index + 1
    elements.append(value[start:])
    return [element.decode("ascii").strip() for element in elements]


def generate_nonce() -> bytes:
    """A fresh value for Sec-WebSocket-Key: 16 random bytes in base64 (RFC 6455 §4.1)."""
    # What few programs call is imported when they do.
    from base64 import b64encode

    return b64encode(os.urandom(16))


def generate_accept_token(token: bytes) -> bytes:
    """The value of Sec-WebSocket-Accept that answers the key `token` (RFC 6455 §4.2.2)."""
    from base64 import b64encode
    from hashlib import sha1

    return b64encode(sha1(token + ACCEPT_GUID).digest())
