"""Frames on the wire (RFC 6455 §5.2), read and written without the library that is tested.

Frames are kept unmasked, since masked bytes cannot be compressed. The masking keys of the suite
are known (see ``BOOT`` in wstest.py), so the bytes that it sent can be made again.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE = 0, 1, 2, 8
MASK, LENGTH = 0x80, 0x7F
EXTENDED_LENGTH = {126: 2, 127: 8}
LONGEST_HEADER = 10
KEY_SIZE = 4


@dataclass(frozen=True)
class Frame:
    """What was sent, be it legal or not: the header but for the masking key, and the payload.

    If the stream ended in the payload, that is all there is of it. If it ended before, the header
    is the first byte, and what came of the rest is in place of the payload.
    """

    header: bytes
    payload: bytes

    @property
    def opcode(self) -> int:
        return self.header[0] & 0x0F

    @property
    def fin(self) -> bool:
        return bool(self.header[0] & 0x80)

    @property
    def compressed(self) -> bool:
        """RSV1 says so in the first frame of a message (RFC 7692 §6)."""
        return bool(self.header[0] & 0x40)

    @property
    def masked(self) -> bool:
        return len(self.header) > 1 and bool(self.header[1] & MASK)

    @property
    def ends_message(self) -> bool:
        return self.fin and self.opcode < CLOSE


def read(stream: memoryview) -> Iterator[Frame]:
    """Yield the frames, unmasked whatever their keys."""
    at, end = 0, len(stream)
    while at < end:
        header = bytes(stream[at : at + LONGEST_HEADER])
        key_at = at + _header_size(header)
        payload_at = key_at + (KEY_SIZE if len(header) > 1 and header[1] & MASK else 0)
        if payload_at > end:
            yield Frame(header[:1], bytes(stream[at + 1 :]))
            return
        key = bytes(stream[key_at:payload_at])
        at, header = payload_at + _payload_size(header), header[: key_at - at]
        yield Frame(header, mask(bytes(stream[payload_at:at]), key))


def write(frames: Iterable[Frame]) -> bytes:
    """Return the bytes of the frames, masked with the suite's keys where they were masked."""
    keys = masking_keys()
    pieces: list[bytes] = []
    for frame in frames:
        pieces.append(frame.header)
        if frame.masked:
            key = next(keys)
            pieces += key, mask(frame.payload, key)
        else:
            pieces.append(frame.payload)
    return b"".join(pieces)


def masking_keys() -> Iterator[bytes]:
    """Yield the keys that the suite masks its frames with, from the first of a connection on."""
    source = random.Random(0)
    while True:
        yield source.getrandbits(32).to_bytes(KEY_SIZE, "big")


def mask(data: bytes, key: bytes) -> bytes:
    """RFC 6455 §5.3; as one long number, which is the fastest way without a library."""
    if not key or not data:
        return data
    size = len(data)
    keys = (key * (size // KEY_SIZE + 1))[:size]
    number = int.from_bytes(data, "little") ^ int.from_bytes(keys, "little")
    return number.to_bytes(size, "little")


class Inflater:
    """Inflates messages with the window that was negotiated, as RFC 7692 §7.2.2 says."""

    def __init__(self, extension: str | None, role: str) -> None:
        """Take the answer's Sec-WebSocket-Extensions, and whose messages it is about."""
        self._parameters: dict[str, str] = {}
        for parameter in (extension or "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            self._parameters[name.strip()] = value.strip()
        self._role = role
        self._inflater = self._fresh()

    def inflate(self, message: bytes) -> bytes:
        if f"{self._role}_no_context_takeover" in self._parameters:
            self._inflater = self._fresh()
        return self._inflater.decompress(message + b"\x00\x00\xff\xff")

    def _fresh(self) -> zlib._Decompress:
        bits = int(self._parameters.get(f"{self._role}_max_window_bits", "15"))
        return zlib.decompressobj(-bits)


def _header_size(header: bytes) -> int:
    """Count the bytes before the masking key; at least two, when only one of them is known."""
    return 2 + EXTENDED_LENGTH.get(header[1] & LENGTH, 0) if len(header) > 1 else 2


def _payload_size(header: bytes) -> int:
    if extended := header[2 : _header_size(header)]:
        return int.from_bytes(extended, "big")
    return header[1] & LENGTH
