"""Frames for the benchmarks: written and read naively, so that no peer checks itself."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

TEXT, BINARY, PING, PONG = 1, 2, 9, 10

_SCRIPTS = (
    "The quick brown fox jumps over the lazy dog. ",
    "Größe, naïveté, Žluťoučký kůň, São Paulo. ",
    "Съешь же ещё этих мягких французских булок. ",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ",
    "いろはにほへと ちりぬるを 色は匂へど。",
    "天地玄黃 宇宙洪荒 日月盈昃 辰宿列張。",
    "نص حكيم له سر قاطع وذو شأن عظيم ",
    "\U0001f600\U0001f680\U0001f9ea ",
)


def xor(data: bytes, key: bytes) -> bytes:
    """RFC 6455 section 5.3, as one large integer."""
    size = len(data)
    repeated = (key * (size // 4 + 1))[:size]
    number = int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")
    return number.to_bytes(size, "little")


def encode(opcode: int, payload: bytes, key: bytes | None = None, rsv: int = 0) -> bytes:
    """One final frame, masked when a key is given."""
    opcode |= rsv << 4
    size, bit = len(payload), 0x80 if key else 0
    if size <= 125:
        head = bytes([0x80 | opcode, bit | size])
    elif size <= 0xFFFF:
        head = bytes([0x80 | opcode, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, bit | 127]) + size.to_bytes(8, "big")
    return head + key + xor(payload, key) if key else head + payload


def decode(stream: bytes) -> list[tuple[int, bytes]]:
    """Opcode and unmasked payload of each frame in a stream of whole frames."""
    frames: list[tuple[int, bytes]] = []
    at = 0
    while at < len(stream):
        opcode, size, masked = stream[at] & 0x0F, stream[at + 1] & 0x7F, stream[at + 1] & 0x80
        at += 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size = int.from_bytes(stream[at : at + width], "big")
            at += width
        key = b""
        if masked:
            key = stream[at : at + 4]
            at += 4
        payload = stream[at : at + size]
        frames.append((opcode, xor(payload, key) if masked else payload))
        at += size
    return frames


@dataclass(frozen=True)
class Workload:
    """What each participant of a row gets, and what must come out of it."""

    inputs: Sequence[object]
    contents: Sequence[object]
    payloads: Sequence[bytes] = ()

    @property
    def units(self) -> int:
        return len(self.contents)


def masked(opcode: int, payloads: Sequence[bytes], seed: int = 1) -> list[bytes]:
    """A masked frame for each payload."""
    source = random.Random(seed)
    return [encode(opcode, payload, source.randbytes(4)) for payload in payloads]


def binary_payloads(count: int, sizes: Sequence[int], seed: int = 2) -> list[bytes]:
    source = random.Random(seed)
    return [source.randbytes(source.choice(sizes)) for _ in range(count)]


def ascii_payloads(count: int, size: int, seed: int = 3) -> list[bytes]:
    source = random.Random(seed)
    return [bytes(source.choices(range(32, 127), k=size)) for _ in range(count)]


def mixed_script_payloads(count: int, size: int, seed: int = 4) -> list[bytes]:
    """Text of eight scripts, at most ``size`` bytes and ending with a whole character."""
    source = random.Random(seed)
    texts = []
    for _ in range(count):
        parts: list[str] = []
        length = 0
        while length < size:
            parts.append(source.choice(_SCRIPTS))
            length += len(parts[-1].encode())
        texts.append("".join(parts).encode()[:size].decode("utf-8", "ignore").encode())
    return texts


def json_payloads(count: int, size: int, seed: int = 6) -> list[bytes]:
    """Quotes as a market sends them, filled up to `size` bytes."""
    source = random.Random(seed)
    symbols = ["".join(source.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=4)) for _ in range(40)]
    cents = {symbol: source.randrange(1000, 50_000) for symbol in symbols}
    time = 1_790_000_000_000
    payloads = []
    for _ in range(count):
        text = ""
        while len(text) < size:
            time += source.randrange(50)
            symbol = source.choice(symbols)
            cents[symbol] += source.randrange(-3, 4)
            quote = {
                "type": "quote",
                "symbol": symbol,
                "bid": cents[symbol] / 100,
                "ask": (cents[symbol] + source.randrange(1, 4)) / 100,
                "volume": source.randrange(1, 20) * 100,
                "time": time,
            }
            text += json.dumps(quote, separators=(",", ":")) + "\n"
        payloads.append(text[:size].encode())
    return payloads


def deflated(payloads: Sequence[bytes]) -> list[bytes]:
    """A masked frame for each payload, compressed by zlib at its level 6 with context takeover."""
    source = random.Random(7)
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return [
        encode(
            BINARY,
            (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4],
            source.randbytes(4),
            rsv=4,
        )
        for payload in payloads
    ]


def inflated(stream: bytes, decompressor: zlib._Decompress) -> list[bytes]:
    """The messages in a stream of whole compressed frames."""
    return [
        decompressor.decompress(payload + b"\0\0\xff\xff") for _opcode, payload in decode(stream)
    ]
