"""The peer's sending half: frames whose payload zlib has deflated, legal ones and broken ones."""

from __future__ import annotations

import random
import zlib

from support.deflate import TAIL, Blocks
from support.frames import Frame
from support.negotiation import Agreement

RSV1 = 4
KINDS = {"text": 1, "binary": 2}
GARBAGE = (b"\x07", b"\xff\xff", b"GARBAGE", b"\x00\x05\x00\x05", b"\x06\x01")


class Writer:
    """Messages of the end with this role; `agreement` is None without permessage-deflate."""

    def __init__(self, draw: random.Random, agreement: Agreement | None, role: str) -> None:
        self.random = draw
        self.agreement = agreement
        self.window = self.takeover = 0
        if agreement is not None:
            self.bits = agreement.bits(role)
            self.window, self.takeover = 1 << self.bits, agreement.takeover(role)
        self.history = b""
        self.codec: zlib._Compress | None = None

    def message(self, kind: str, data: bytes) -> list[Frame]:
        """The frames of a message, compressed or not."""
        if self.agreement is None or self.random.random() < 0.2:
            return self._frames(KINDS[kind], self._cut(data), 0)
        return self._frames(KINDS[kind], self._compressed(data), RSV1)

    def _frames(self, opcode: int, parts: list[bytes], rsv: int) -> list[Frame]:
        last = len(parts) - 1
        return [
            Frame(0 if i else opcode, part, i == last, 0 if i else rsv)
            for i, part in enumerate(parts)
        ]

    def _cut(self, data: bytes) -> list[bytes]:
        count = self.random.choice((0, 0, 0, 1, 2, 4))
        places = sorted(self.random.randint(0, len(data)) for _ in range(count))
        return [data[i:j] for i, j in zip([0, *places], [*places, len(data)], strict=True)]

    def _new_codec(self) -> zlib._Compress:
        level = self.random.choice((0, 1, 1, 6, 9))
        strategy = self.random.choice((0, 0, 0, zlib.Z_FIXED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY))
        # zlib has no window of 8 bits; with 9 it looks back 250 bytes at most.
        settings = (level, zlib.DEFLATED, -max(self.bits, 9), 1, strategy)
        known = self.history[-self.window :]
        return zlib.compressobj(*settings, known) if known else zlib.compressobj(*settings)

    def _compressed(self, data: bytes) -> list[bytes]:
        """The parts of a payload; each ends with a flush, or they are cut anywhere."""
        shape = self.random.random()
        if not data and shape < 0.3:
            return self._cut(b"")  # not DEFLATE, but accepted
        if self.history and shape < 0.1:
            return self._looking_back()
        if shape < 0.2:
            return self._ended(data)
        codec, flushed = self.codec or self._new_codec(), self.random.random() < 0.3
        parts = self._cut(data) if flushed else [data]
        payloads = [codec.compress(part) + codec.flush(zlib.Z_SYNC_FLUSH) for part in parts]
        payloads[-1] = payloads[-1].removesuffix(TAIL) or b"\0"
        self._remember(data, codec)
        return payloads if flushed else self._cut(payloads[0])

    def _remember(self, data: bytes, codec: zlib._Compress | None) -> None:
        self.history = (self.history + data)[-self.window :] if self.takeover else b""
        self.codec = codec if self.takeover else None

    def _ended(self, data: bytes) -> list[bytes]:
        """A message whose last block has BFINAL set, and perhaps one more."""
        codec = self._new_codec()
        payload = codec.compress(data) + codec.flush()
        if self.random.random() < 0.5:
            payload += b"\0"
        elif self.random.random() < 0.5:
            extra = Blocks().text(b"xyz").message()
            payload, data = payload + extra, data + b"xyz"
        self._remember(data, None)
        return self._cut(payload)

    def _looking_back(self) -> list[bytes]:
        """Matches at any distance that is allowed, the longest ones among them."""
        known, blocks = bytearray(self.history), Blocks()
        start = len(known)
        for _ in range(self.random.randint(1, 4)):
            reach = min(len(known), 32768)
            distance = self.random.choice((reach, 1, self.random.randint(1, reach)))
            length = self.random.choice((3, 4, 10, 258))
            blocks.fixed(*b"-", (length, distance))
            known += b"-"
            for _ in range(length):
                known.append(known[-distance])
        self._remember(bytes(known[start:]), None)
        return self._cut(blocks.message())

    def fault(self) -> list[Frame]:
        """Frames in which there is a fault, or that look like it."""
        frames = self.message(self.random.choice(("text", "binary")), b"some payload, some payload")
        at = self.random.randrange(len(frames))
        frame, shape = frames[at], self.random.randrange(10)
        if shape == 0:  # a bit that has no meaning there
            rsv = frame.rsv ^ self.random.choice((1, 2, 4))
            return [*frames[:at], Frame(frame.opcode, frame.payload, frame.fin, rsv)]
        if shape == 1:
            return [*frames[:at], Frame(self.random.choice((8, 9, 10)), b"", True, RSV1)]
        if shape == 2:
            return [*frames[:at], Frame(self.random.choice((3, 7, 11, 15)), b"")]
        if shape == 3:
            return [*frames[: at + 1], Frame(1 if at + 1 < len(frames) else 0, b"x")]
        if shape == 4 and self.window and self.window < 32768 and len(self.history) == self.window:
            payload = Blocks().fixed(*b"a", (3, self.window + self.random.choice((2, 9)))).message()
            return [Frame(2, payload, True, RSV1)]
        return [
            *frames[:at],
            Frame(frame.opcode, self._broken(frame.payload), frame.fin, frame.rsv),
            *frames[at + 1 :],
        ]

    def _broken(self, payload: bytes) -> bytes:
        """The payload with a byte changed, left out or added."""
        place = self.random.randint(0, len(payload))
        shape = self.random.randrange(4)
        if shape == 0 and payload:
            place = min(place, len(payload) - 1)
            changed = payload[place] ^ (1 << self.random.randrange(8))
            return payload[:place] + bytes([changed]) + payload[place + 1 :]
        if shape == 1:
            return payload[:place]
        return payload + self.random.choice(GARBAGE)
