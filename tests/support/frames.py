"""Frames written and read naively, for tests: no part of the library takes part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    masked: bool = False


def mask(data: bytes, key: bytes) -> bytes:
    """RFC 6455 section 5.3."""
    pad = (key * (len(data) // 4 + 1))[: len(data)]
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")
    return mixed.to_bytes(len(data), "big")


def encode(frame: Frame, key: bytes | None = None) -> bytes:
    """The bytes of a frame, masked when a key is given."""
    size, bit = len(frame.payload), 0x80 if key else 0
    head = bytes([frame.fin << 7 | frame.rsv << 4 | frame.opcode])
    if size <= 125:
        head += bytes([bit | size])
    elif size <= 0xFFFF:
        head += bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + size.to_bytes(8, "big")
    return head + key + mask(frame.payload, key) if key else head + frame.payload


def decode(stream: bytes) -> list[Frame]:
    """The frames of a stream that ends with a whole frame."""
    frames: list[Frame] = []
    at = 0
    while at < len(stream):
        first, second = stream[at], stream[at + 1]
        size, at = second & 0x7F, at + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(stream[at : at + width], "big"), at + width
        key, masked = b"\0\0\0\0", bool(second & 0x80)
        if masked:
            key, at = stream[at : at + 4], at + 4
        payload = stream[at : at + size]
        assert len(payload) == size, "the stream ends inside a frame"
        at += size
        plain = mask(payload, key) if masked else payload
        frames.append(Frame(first & 0x0F, plain, bool(first & 0x80), first >> 4 & 7, masked))
    return frames
