"""Raw heads of HTTP/1.1, legal or not, and those of the opening handshake (RFC 6455 §4).

Nothing is checked and nothing is added: a head is the start line, the fields in their order, and
the line ends.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace
from typing import TypeVar

#: What the key is hashed with (RFC 6455 §1.3).
ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: The key of RFC 6455 §1.3.
SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="

Text = str | bytes
_Head = TypeVar("_Head", bound="Head")


def accept_for(key: Text) -> str:
    """The Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2)."""
    return base64.b64encode(hashlib.sha1(_raw(key) + ACCEPT_GUID).digest()).decode()


def _raw(text: Text) -> bytes:
    """Each character of a str is one byte (latin-1)."""
    return text.encode("latin-1") if isinstance(text, str) else text


@dataclass(frozen=True)
class Head:
    """What requests and responses have in common; `bytes(head)` is what goes over the wire."""

    _: KW_ONLY
    #: Pairs of name and value, in order; a str is latin-1.
    fields: tuple[tuple[Text, Text], ...] = ()
    #: The whole start line instead of the one made of its parts.
    start_line: Text | None = None
    #: What stands between name and value.
    separator: Text = ": "
    #: What ends each line, and the head behind the last one.
    line_end: Text = "\r\n"
    #: Lines that stand behind the fields, as they are.
    lines: tuple[Text, ...] = ()
    #: What stands behind the head: a body, or frames.
    body: bytes = b""

    def _start(self) -> bytes:
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        start = self._start() if self.start_line is None else _raw(self.start_line)
        separator = _raw(self.separator)
        fields = [_raw(name) + separator + _raw(value) for name, value in self.fields]
        lines = [start, *fields, *map(_raw, self.lines), b""]
        end = _raw(self.line_end)
        return b"".join(line + end for line in lines) + self.body

    def with_field(self: _Head, name: Text, value: Text) -> _Head:
        """One more field line behind the others."""
        return replace(self, fields=(*self.fields, (name, value)))

    def without(self: _Head, name: Text) -> _Head:
        """Without the field lines of this name, in any case."""
        return replace(self, fields=tuple(one for one in self.fields if not _same(one[0], name)))

    def replacing(self: _Head, name: Text, *values: Text) -> _Head:
        """The field's lines replaced, where the first one stood, by one line for each value.

        A field that is not there is added at the end.
        """
        fields: list[tuple[Text, Text]] = []
        new: list[tuple[Text, Text]] = [(name, value) for value in values]
        for one in self.fields:
            if not _same(one[0], name):
                fields.append(one)
            else:
                fields += new
                new = []
        return replace(self, fields=(*fields, *new))

    def with_line(self: _Head, line: Text) -> _Head:
        """One more line behind the fields, as it is."""
        return replace(self, lines=(*self.lines, line))

    def with_body(self: _Head, body: bytes) -> _Head:
        """These bytes behind the head."""
        return replace(self, body=body)

    def values(self, name: Text) -> list[bytes]:
        """The values of all field lines of this name, in any case."""
        return [_raw(value) for one, value in self.fields if _same(one, name)]


def _same(one: Text, other: Text) -> bool:
    return _raw(one).lower() == _raw(other).lower()


@dataclass(frozen=True)
class RequestHead(Head):
    """The head of a request (RFC 9112 §3)."""

    method: Text = "GET"
    target: Text = "/"
    version: Text = "HTTP/1.1"

    def _start(self) -> bytes:
        return b" ".join(map(_raw, (self.method, self.target, self.version)))


@dataclass(frozen=True)
class ResponseHead(Head):
    """The head of a response (RFC 9112 §4)."""

    version: Text = "HTTP/1.1"
    status: int = 101
    reason: Text = "Switching Protocols"

    def _start(self) -> bytes:
        return b" ".join((_raw(self.version), b"%d" % self.status, _raw(self.reason)))


def request(
    host: Text = "example.com",
    target: Text = "/",
    *,
    key: Text = SAMPLE_KEY,
    origin: Text | None = None,
    subprotocols: Iterable[str] = (),
    extensions: Iterable[str] = (),
) -> RequestHead:
    """A legal request for a WebSocket connection (RFC 6455 §4.1)."""
    fields: list[tuple[Text, Text]] = [
        ("Host", host),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Version", "13"),
    ]
    if origin is not None:
        fields.append(("Origin", origin))
    fields += _lists(", ".join(subprotocols), ", ".join(extensions))
    return RequestHead(target=target, fields=tuple(fields))


def response(
    key: Text = SAMPLE_KEY, *, subprotocol: str = "", extensions: Iterable[str] = ()
) -> ResponseHead:
    """A legal response that opens a WebSocket connection (RFC 6455 §4.2.2)."""
    fields: list[tuple[Text, Text]] = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept_for(key)),
    ]
    return ResponseHead(fields=tuple(fields + _lists(subprotocol, ", ".join(extensions))))


def _lists(subprotocols: str, extensions: str) -> list[tuple[Text, Text]]:
    lists = {"Sec-WebSocket-Protocol": subprotocols, "Sec-WebSocket-Extensions": extensions}
    return [(name, value) for name, value in lists.items() if value]
