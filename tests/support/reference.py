"""The receiving half of RFC 6455 sections 5, 7.4 and 8.1, written naively and on its own.

``Reader.take`` gives what the bytes received so far amount to, one item at a time:
("text" or "binary", payload, frame_finished, message_finished), ("ping" or "pong", payload),
("close", code, reason), ("fail", code), or None when more bytes are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from support.frames import mask

Item = tuple[Any, ...]

PROTOCOL_ERROR, BAD_DATA = 1002, 1007
KINDS = {1: "text", 2: "binary"}
TAILS = [byte * n for byte in (b"\x80", b"\xbf") for n in (1, 2, 3)]


class BrokenRuleError(Exception):
    """The peer broke a rule; the argument is the close code."""


@dataclass
class Head:
    opcode: int
    fin: bool
    key: bytes
    left: int


def may_become_text(start: bytes) -> bool:
    """Whether some code point begins with these bytes, without ending there."""
    return any(is_text(start + tail) for tail in TAILS)


def is_text(data: bytes) -> bool:
    try:
        return len(data.decode()) == 1
    except UnicodeDecodeError:
        return False


def split_text(data: bytes) -> tuple[str, bytes, bool]:
    """Whole code points, what is left of the bytes, and whether the rest can become text."""
    good = len(data)
    try:
        return data.decode(), b"", True
    except UnicodeDecodeError as error:
        good = error.start
    rest = data[good:]
    # The fault is at the first byte that no code point has in that place.
    return data[:good].decode(), rest, len(rest) < 4 and may_become_text(rest)


def close_fault(body: bytes) -> int | None:
    """The close code to fail with for this body of a close frame, RFC 6455 section 7.4."""
    if not body:
        return None
    if len(body) == 1:
        return PROTOCOL_ERROR
    code = int.from_bytes(body[:2], "big")
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        return PROTOCOL_ERROR
    try:
        body[2:].decode()
    except UnicodeDecodeError:
        return BAD_DATA
    return None


class Reader:
    def __init__(self, role: str) -> None:
        self.masked = role == "server"
        self.buffer = bytearray()
        self.unread = 0  # bytes that no take has looked at
        self.head: Head | None = None
        self.kind: str | None = None  # of the message under way
        self.rest = b""  # the beginning of a code point
        self.bad_text = False

    @property
    def pending(self) -> bool:
        """Whether something may come out without further bytes."""
        return self.unread > 0 or self.bad_text

    def receive(self, data: bytes) -> None:
        self.buffer += data
        self.unread += len(data)

    def take(self) -> Item | None:
        try:
            item = self._take()
        except BrokenRuleError as fault:
            self.__init__("server" if self.masked else "client")  # type: ignore[misc]
            return ("fail", fault.args[0])
        self.unread = 0 if item is None else min(self.unread, len(self.buffer))
        return item

    def _take(self) -> Item | None:
        if self.bad_text:
            raise BrokenRuleError(BAD_DATA)
        if self.head is None:
            self.head = self._read_head()
        if self.head is None:
            return None
        return self._control(self.head) if self.head.opcode & 8 else self._data(self.head)

    def _consume(self, size: int) -> bytes:
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def _read_head(self) -> Head | None:
        """Section 5.2: each fault is found at the first byte that shows it."""
        data = bytes(self.buffer[:14])
        if not data:
            return None
        opcode, fin = data[0] & 15, data[0] >= 0x80
        if opcode not in (0, 1, 2, 8, 9, 10) or data[0] & 0x70 or (opcode & 8 and not fin):
            raise BrokenRuleError(PROTOCOL_ERROR)
        if len(data) == 1:
            return None
        size, at = data[1] & 127, 2
        if (data[1] >= 0x80) != self.masked or (opcode & 8 and size > 125):
            raise BrokenRuleError(PROTOCOL_ERROR)
        if size > 125:
            width, least = (2, 126) if size == 126 else (8, 65536)
            if width == 8 and data[2:3] >= b"\x80":
                raise BrokenRuleError(PROTOCOL_ERROR)
            if len(data) < 2 + width:
                return None
            size, at = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
            if size < least:
                raise BrokenRuleError(PROTOCOL_ERROR)
        key = data[at : at + 4] if self.masked else bytes(4)
        if len(key) < 4:
            return None
        self._consume(at + 4 if self.masked else at)
        if not opcode & 8:
            self._begin(opcode)
        return Head(opcode, fin, key, size)

    def _begin(self, opcode: int) -> None:
        """Section 5.4: a continuation continues, anything else begins."""
        if (opcode == 0) != (self.kind is not None):
            raise BrokenRuleError(PROTOCOL_ERROR)
        self.kind = self.kind or KINDS[opcode]

    def _control(self, head: Head) -> Item | None:
        if len(self.buffer) < head.left:
            return None
        body, self.head = mask(self._consume(head.left), head.key), None
        if head.opcode != 8:
            return ("ping" if head.opcode == 9 else "pong", body)
        if (code := close_fault(body)) is not None:
            raise BrokenRuleError(code)
        return (
            ("close", int.from_bytes(body[:2], "big"), body[2:].decode())
            if body
            else (
                "close",
                1005,
                "",
            )
        )

    def _data(self, head: Head) -> Item | None:
        assert self.kind is not None
        if head.left and not self.buffer:
            return None
        piece = self._consume(head.left)
        turn = len(piece) % 4
        payload: Any = mask(piece, head.key)
        head.left -= len(piece)
        head.key = head.key[turn:] + head.key[:turn]
        ends = head.left == 0
        last, kind = ends and head.fin, self.kind
        if kind == "text":
            payload, self.rest, possible = split_text(self.rest + payload)
            if self.rest and (last or not possible):
                if not payload:
                    raise BrokenRuleError(BAD_DATA)
                self.bad_text = True  # what was good is given out first
                return (kind, payload, False, False)
        self.head = None if ends else head
        self.kind = None if last else kind
        return (kind, payload, ends, last)
