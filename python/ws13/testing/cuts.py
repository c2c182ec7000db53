"""Ways to cut bytes into the pieces in which a network may bring them. None loses a byte."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

#: What cuts: it takes bytes and gives the pieces, in order.
Cut = Callable[[bytes], Iterator[bytes]]


def whole(data: bytes) -> Iterator[bytes]:
    """In one piece; nothing is no piece."""
    if data:
        yield data


def bytewise(data: bytes) -> Iterator[bytes]:
    """Byte by byte."""
    return every(1)(data)


def every(size: int) -> Cut:
    """In pieces of this many bytes. Raises `ValueError` if it is not positive."""
    if size < 1:
        raise ValueError(f"a piece has at least one byte: {size}")

    def cut(data: bytes) -> Iterator[bytes]:
        return (data[i : i + size] for i in range(0, len(data), size))

    return cut


def at(*offsets: int) -> Cut:
    """Before the bytes with these offsets, in any order; two equal ones make an empty piece.

    Offsets beyond the end count as the end. Raises `ValueError` for a negative one.
    """
    if any(offset < 0 for offset in offsets):
        raise ValueError(f"offsets are counted from the start: {offsets}")

    def cut(data: bytes) -> Iterator[bytes]:
        bounds = [0, *sorted(min(offset, len(data)) for offset in offsets), len(data)]
        return (data[start:end] for start, end in pairwise(bounds))

    return cut


def scattered(seed: int, largest: int = 100) -> Cut:
    """In pieces of random lengths, 1 to `largest` bytes; the same seed cuts the same way."""
    if largest < 1:
        raise ValueError(f"a piece has at least one byte: {largest}")

    def cut(data: bytes) -> Iterator[bytes]:
        numbers, start = random.Random(seed), 0
        while start < len(data):
            end = start + numbers.randint(1, largest)
            yield data[start:end]
            start = end

    return cut
