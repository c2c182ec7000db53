"""DEFLATE in all the ways that a peer may compress a message (RFC 1951, RFC 7692 §7.2.1).

`deflate()` compresses with zlib or block by block; `Deflater` keeps its window over messages;
`BlockWriter` writes single blocks, with references to any distance.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from enum import Enum

#: What the sender of a message removes and its receiver appends (RFC 7692 §7.2.1, §7.2.2).
TAIL = b"\x00\x00\xff\xff"


class Blocks(Enum):
    """How the blocks of a message are written (RFC 1951 §3.2.3)."""

    #: As zlib does, with references.
    ZLIB = "zlib"
    #: Without compression.
    STORED = "stored"
    #: With the fixed codes, each byte a literal.
    FIXED = "fixed"
    #: With codes that the block brings along, each byte a literal.
    DYNAMIC = "dynamic"


class Tail(Enum):
    """What becomes of 00 00 ff ff at the end of a message (RFC 7692 §7.2.1)."""

    #: It is removed, as the RFC asks for.
    REMOVED = "removed"
    #: It is left, which makes a message whose end is inside a block's header.
    KEPT = "kept"
    #: It is left, and one more empty block behind it has lost its own: legal, and longer.
    EXTRA = "extra"


#: A run of literals, or a reference (length 3 to 258, distance 1 to 32768), both in bytes.
Token = bytes | tuple[int, int]

# RFC 1951 §3.2.5: each code, its first length or distance, and how many extra bits it has.
_LENGTHS = [
    *((257 + i, 3 + i, 0) for i in range(8)),
    *((261 + 4 * bits + i, 3 + (4 + i << bits), bits) for bits in range(1, 6) for i in range(4)),
    (285, 258, 0),
]
_DISTANCES = [
    *((i, 1 + i, 0) for i in range(4)),
    *((2 + 2 * bits + i, 1 + (2 + i << bits), bits) for bits in range(1, 14) for i in range(2)),
]


#: Numbers of 9 bits, the longest Huffman codes here, in the other order.
_REVERSED = [int(f"{code:09b}"[::-1], 2) for code in range(512)]


def _code(table: list[tuple[int, int, int]], value: int) -> tuple[int, int, int]:
    """The code of a length or distance, its extra bits, and how many these are."""
    code, base, bits = max((row for row in table if row[1] <= value), key=lambda row: row[1])
    return code, value - base, bits


class BlockWriter:
    """Writes DEFLATE block by block, bit by bit (RFC 1951 §3.2)."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._bits = 0
        self._count = 0

    def _put(self, value: int, bits: int) -> None:
        """The bits of a number, the lowest one first."""
        self._bits |= value << self._count
        self._count += bits
        while self._count >= 8:
            self._done.append(self._bits & 0xFF)
            self._bits >>= 8
            self._count -= 8

    def _huffman(self, code: int, bits: int) -> None:
        """The bits of a Huffman code, the highest one first."""
        self._put(_REVERSED[code] >> (9 - bits), bits)

    def align(self) -> None:
        """Fill up the last byte with zeros."""
        if self._count:
            self._put(0, 8 - self._count)

    def stored(self, data: bytes, *, final: bool = False) -> BlockWriter:
        """A block without compression, of at most 65,535 bytes."""
        self._put(int(final), 3)
        self.align()
        length = len(data).to_bytes(2, "little")
        self._done += length + bytes(byte ^ 0xFF for byte in length) + data
        return self

    def fixed(self, tokens: Iterable[Token], *, final: bool = False) -> BlockWriter:
        """A block with the fixed codes (RFC 1951 §3.2.6)."""
        self._put(int(final) | 1 << 1, 3)
        for token in tokens:
            if isinstance(token, bytes):
                for byte in token:
                    self._fixed_code(byte)
                continue
            code, extra, bits = _code(_LENGTHS, token[0])
            self._fixed_code(code)
            self._put(extra, bits)
            code, extra, bits = _code(_DISTANCES, token[1])
            self._huffman(code, 5)
            self._put(extra, bits)
        self._fixed_code(256)
        return self

    def _fixed_code(self, symbol: int) -> None:
        if symbol < 144:
            self._huffman(0x30 + symbol, 8)
        elif symbol < 256:
            self._huffman(0x190 + symbol - 144, 9)
        elif symbol < 280:
            self._huffman(symbol - 256, 7)
        else:
            self._huffman(0xC0 + symbol - 280, 8)

    def dynamic(self, data: bytes, *, final: bool = False) -> BlockWriter:
        """A block that brings its codes along: 255 literals of 8 bits, two symbols of 9."""
        self._put(int(final) | 2 << 1, 3)
        self._put(0, 5)  # 257 codes of literals and lengths
        self._put(0, 5)  # one code of distances, of no bits: no references
        self._put(8, 4)  # 12 code length codes, in the order 16 17 18 0 8 7 9 6 10 5 11 4
        for length in (0, 0, 0, 2, 1, 0, 2, 0, 0, 0, 0, 0):
            self._put(length, 3)
        # The codes of the lengths 8, 0 and 9 are 0, 10 and 11.
        for _ in range(255):
            self._huffman(0, 1)
        self._huffman(0b11, 2)
        self._huffman(0b11, 2)
        self._huffman(0b10, 2)
        for byte in data:
            self._dynamic_code(byte)
        self._dynamic_code(256)
        return self

    def _dynamic_code(self, symbol: int) -> None:
        if symbol < 255:
            self._huffman(symbol, 8)
        else:
            self._huffman(0x1FE + symbol - 255, 9)

    def bits(self, value: int, count: int) -> BlockWriter:
        """Any bits, the lowest one first: for blocks that are none."""
        self._put(value, count)
        return self

    def getvalue(self) -> bytes:
        """All that was written; the last byte is filled up with zeros."""
        self.align()
        return bytes(self._done)

    def message(self, tail: Tail = Tail.REMOVED) -> bytes:
        """The payload of a message that ends here: an empty stored block, without its tail."""
        if tail is Tail.EXTRA:
            self.stored(b"")
        ended = self.stored(b"").getvalue()
        return ended if tail is Tail.KEPT else ended.removesuffix(TAIL)


def deflate(
    payload: bytes,
    *,
    window_bits: int = 15,
    level: int = 6,
    strategy: int = zlib.Z_DEFAULT_STRATEGY,
    blocks: Blocks = Blocks.ZLIB,
    block_size: int | None = None,
    final: bool = False,
    tail: Tail = Tail.REMOVED,
    history: bytes = b"",
) -> bytes:
    """The compressed payload of a message (RFC 7692 §7.2.1).

    Every combination is legal but `Tail.KEPT`, and a `history` where no context is kept.

    - `window_bits`: 8 to 15; with 8 zlib is made to use no references, since it has no such window.
    - `level`, `strategy`: those of zlib.
    - `block_size`: bytes of the payload in each block; None: one block, or as zlib likes.
      A stored block holds at most 65,535.
    - `final`: the last block has BFINAL set (§7.2.3.4), and the empty one behind it has not.
    - `history`: uncompressed bytes before the payload, that references may reach.

    Raises `ValueError` for what zlib does not know.
    """
    if not 8 <= window_bits <= 15:
        raise ValueError(f"window bits are 8 to 15: {window_bits}")
    if block_size is not None and block_size < 1:
        raise ValueError(f"a block holds at least one byte: {block_size}")
    if blocks is Blocks.ZLIB:
        strategy = zlib.Z_HUFFMAN_ONLY if window_bits == 8 else strategy
        bits = max(window_bits, 9)
        window = history[-(1 << bits) :]
        codec = (
            zlib.compressobj(level, zlib.DEFLATED, -bits, 8, strategy, window)
            if window and level
            else zlib.compressobj(level, zlib.DEFLATED, -bits, 8, strategy)
        )
        done = bytearray()
        pieces = _pieces(payload, block_size or max(len(payload), 1))
        for piece in pieces[:-1]:
            done += codec.compress(piece) + codec.flush(zlib.Z_BLOCK)
        done += codec.compress(pieces[-1])
        done += codec.flush(zlib.Z_FINISH if final else zlib.Z_SYNC_FLUSH)
        if final:
            done += b"\x00" + TAIL
        if tail is Tail.KEPT:
            return bytes(done)
        return bytes(done) + b"\x00" if tail is Tail.EXTRA else bytes(done.removesuffix(TAIL))
    size = 65535 if blocks is Blocks.STORED else max(len(payload), 1)
    pieces = _pieces(payload, min(block_size or size, size))
    writer = BlockWriter()
    for i, piece in enumerate(pieces):
        last = final and i == len(pieces) - 1
        if blocks is Blocks.STORED:
            writer.stored(piece, final=last)
        elif blocks is Blocks.FIXED:
            writer.fixed([piece], final=last)
        else:
            writer.dynamic(piece, final=last)
    if final:
        writer.align()
    return writer.message(tail)


def _pieces(data: bytes, size: int) -> list[bytes]:
    """Pieces of this many bytes, at least one."""
    return [data[i : i + size] for i in range(0, len(data), size)] or [b""]


class Deflater:
    """Compresses the messages of one connection, and keeps its window (RFC 7692 §7.1.1)."""

    def __init__(self, window_bits: int = 15, *, context_takeover: bool = True) -> None:
        self.window_bits = window_bits
        self.context_takeover = context_takeover
        self._history = b""

    def message(
        self,
        payload: bytes,
        *,
        level: int = 6,
        strategy: int = zlib.Z_DEFAULT_STRATEGY,
        blocks: Blocks = Blocks.ZLIB,
        block_size: int | None = None,
        final: bool = False,
        tail: Tail = Tail.REMOVED,
    ) -> bytes:
        """The compressed payload of the next message; the arguments are those of `deflate()`."""
        compressed = deflate(
            payload,
            window_bits=self.window_bits,
            level=level,
            strategy=strategy,
            blocks=blocks,
            block_size=block_size,
            final=final,
            tail=tail,
            history=self._history,
        )
        if self.context_takeover:
            self._history = (self._history + payload)[-(1 << 15) :]
        return compressed
