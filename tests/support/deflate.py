"""DEFLATE streams written naively, legal or not (RFC 1951): no part of the library takes part."""

from __future__ import annotations

from itertools import accumulate

#: What a sender takes off the end of a message and a receiver puts there (RFC 7692 §7.2).
TAIL = b"\x00\x00\xff\xff"

#: A literal byte, or a match: its length and its distance.
Token = int | tuple[int, int]

# RFC 1951 §3.2.5: the extra bits of the length symbols from 257 on and of the distance symbols,
# and the first value of each.
LENGTH_EXTRA = [0] * 8 + [n for n in range(1, 6) for _ in range(4)]
DISTANCE_EXTRA = [0, 0] + [n for n in range(14) for _ in range(2)]
LENGTHS = [*list(accumulate((1 << n for n in LENGTH_EXTRA), initial=3))[:28], 258]
DISTANCES = list(accumulate((1 << n for n in DISTANCE_EXTRA), initial=1))[:30]
LENGTH_EXTRA.append(0)


def symbol(values: list[int], value: int) -> int:
    """The number of the last of the values that is not above this one."""
    return max(i for i, first in enumerate(values) if first <= value)


class Blocks:
    """Blocks one behind the other."""

    def __init__(self) -> None:
        self.value = 0
        self.size = 0  # in bits

    def bits(self, value: int, count: int) -> Blocks:
        """§3.1.1: the least significant bit comes first."""
        self.value |= value << self.size
        self.size += count
        return self

    def code(self, value: int, count: int) -> Blocks:
        """§3.1.1: Huffman codes come with the most significant bit first."""
        return self.bits(int(f"{value:0{count}b}"[::-1], 2), count)

    def align(self) -> Blocks:
        self.size = -(-self.size // 8) * 8
        return self

    def raw(self, data: bytes) -> Blocks:
        """Whole bytes behind what is there, whatever they mean."""
        self.align()
        return self.bits(int.from_bytes(data, "little"), 8 * len(data))

    def stored(self, data: bytes, final: bool = False) -> Blocks:
        """§3.2.4."""
        size = len(data).to_bytes(2, "little")
        inverse = bytes(255 - byte for byte in size)
        return self.bits(final, 3).raw(size + inverse + data)

    def fixed(self, *tokens: Token, final: bool = False, ended: bool = True) -> Blocks:
        """§3.2.6; without its end when it is to be broken off."""
        self.bits(final, 1).bits(1, 2)
        for token in tokens:
            if isinstance(token, int):
                self.fixed_symbol(token)
            else:
                self._match(*token)
        return self.fixed_symbol(256) if ended else self

    def text(self, data: bytes, final: bool = False) -> Blocks:
        """A block of literals."""
        return self.fixed(*data, final=final)

    def fixed_symbol(self, number: int) -> Blocks:
        if number < 144:
            return self.code(0x30 + number, 8)
        if number < 256:
            return self.code(0x190 + number - 144, 9)
        return self.code(number - 256, 7) if number < 280 else self.code(0xC0 + number - 280, 8)

    def _match(self, length: int, distance: int) -> None:
        number = symbol(LENGTHS, length)
        self.fixed_symbol(257 + number).bits(length - LENGTHS[number], LENGTH_EXTRA[number])
        number = symbol(DISTANCES, distance)
        self.code(number, 5).bits(distance - DISTANCES[number], DISTANCE_EXTRA[number])

    @property
    def data(self) -> bytes:
        """All of it, the last byte filled with zeros."""
        return self.value.to_bytes(-(-self.size // 8), "little")

    def message(self) -> bytes:
        """The payload of a message that ends here: the header of an empty stored block, no more."""
        return self.bits(0, 3).data
