"""HTTP/1.1 heads read naively, for tests: no part of the library takes part."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True)
class Head:
    start: str
    fields: list[tuple[str, str]]
    rest: bytes

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])

    def all(self, name: str) -> list[str]:
        """The values of a field, in order."""
        return [value for key, value in self.fields if key.lower() == name.lower()]


def parse(data: bytes) -> Head:
    """The first head in the bytes; what follows it is the rest."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    assert separator, f"no end of the head in {data[:80]!r}"
    start, *lines = head.decode("latin-1").split("\r\n")
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        assert colon, f"no field line: {line!r}"
        fields.append((name, value.strip(" \t")))
    return Head(start, fields, rest)


def accept_token(key: str) -> str:
    """RFC 6455 section 4.2.2 (5)."""
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + GUID).digest()).decode()
