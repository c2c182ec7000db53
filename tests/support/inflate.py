"""A reader of DEFLATE streams, naive and strict (RFC 1951, RFC 7692 §7.2.2), that tells how far
back a stream looks: no part of the library takes part."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from support.deflate import DISTANCE_EXTRA, DISTANCES, LENGTH_EXTRA, LENGTHS, TAIL

WINDOW = 32768
#: §3.2.7: the order of the lengths of the code length codes.
ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

#: The symbols by the length of their code and the code, as its bits come.
Code = dict[tuple[int, int], int]


class FaultError(Exception):
    """The stream breaks a rule; the argument says which."""


def huffman(lengths: list[int]) -> Code:
    """§3.2.2; what is not a prefix code is refused."""
    code, codes = 0, {}
    for length in range(1, 16):
        code <<= 1
        for number, its in enumerate(lengths):
            if its == length:
                codes[length, int(f"{code:0{length}b}"[::-1], 2)] = number
                code += 1
        if code > 1 << length:
            raise FaultError("too many codes")
    return codes


FIXED = (huffman([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8), huffman([5] * 30))


@dataclass(frozen=True)
class Inflated:
    """What a payload amounts to."""

    data: bytes
    fault: str | None  # None: it is a whole message
    longest: int  # the longest distance in it
    reach: int  # how far it looks back behind its own beginning


class Inflater:
    """The receiving half of permessage-deflate; no more than the window is kept of a message."""

    def __init__(self, window_bits: int = 15, takeover: bool = True) -> None:
        self.window = 1 << window_bits if takeover else 0
        self.history = b""

    def message(self, payload: bytes) -> Inflated:
        stream = _Stream(payload, self.history)
        fault = None
        try:
            stream.read()
        except FaultError as error:
            fault = str(error)
        all_of_it = bytes(stream.out)
        self.history = all_of_it[-self.window :] if self.window else b""
        return Inflated(all_of_it[stream.start :], fault, stream.longest, stream.reach)


def until_fault(payload: bytes, history: bytes) -> bytes:
    """What comes out of the beginning of a message before its fault or its end."""
    stream = _Stream(payload, history[-WINDOW:], tail=b"")
    with contextlib.suppress(FaultError):
        stream.read()
    return bytes(stream.out[stream.start :])


class _Stream:
    """The blocks of one message."""

    def __init__(self, payload: bytes, history: bytes, tail: bytes = TAIL) -> None:
        self.payload, self.data = payload, payload + tail
        self.at, self.end = 0, 8 * len(self.data)
        self.out = bytearray(history)
        self.start = len(history)
        self.longest = self.reach = 0

    def read(self) -> None:
        """Until the end of the payload and of the four bytes behind it."""
        while self.payload:
            final, kind = self.bits(1), self.bits(2)
            if kind == 3:
                raise FaultError("no such kind of block")
            if kind == 0:
                self._stored()
            else:
                self._compressed(*(FIXED if kind == 1 else self._codes()))
            if final:
                self._align()  # the next block begins with a byte of its own
                if self.at == 8 * len(self.payload):
                    return
            if self.at == self.end:
                return

    def bits(self, count: int) -> int:
        if self.at + count > self.end:
            raise FaultError("it is broken off")
        value = self._ahead(count)
        self.at += count
        return value

    def _ahead(self, count: int) -> int:
        first, last = self.at >> 3, (self.at + count + 7) >> 3
        value = int.from_bytes(self.data[first:last], "little") >> (self.at & 7)
        return value & ((1 << count) - 1)

    def _align(self) -> None:
        self.at = -(-self.at // 8) * 8

    def _stored(self) -> None:
        self._align()
        size, inverse = self.bits(16), self.bits(16)
        if size ^ inverse != 0xFFFF:
            raise FaultError("the length of a stored block")
        begin = self.at >> 3
        data = self.data[begin : begin + size]
        self.out += data
        self.at += 8 * size
        if len(data) < size:
            raise FaultError("it is broken off")

    def _symbol(self, code: Code) -> int:
        ahead = self._ahead(15)
        for length in range(1, 16):
            number = code.get((length, ahead & ((1 << length) - 1)))
            if number is not None:
                self.bits(length)
                return number
        raise FaultError("no such code" if self.end - self.at >= 15 else "it is broken off")

    def _codes(self) -> tuple[Code, Code]:
        """§3.2.7."""
        literals, distances, count = self.bits(5) + 257, self.bits(5) + 1, self.bits(4) + 4
        if literals > 286:
            raise FaultError("too many literals and lengths")
        lengths = [0] * 19
        for i in range(count):
            lengths[ORDER[i]] = self.bits(3)
        code, found = huffman(lengths), [0] * 0
        while len(found) < literals + distances:
            number = self._symbol(code)
            if number < 16:
                found.append(number)
            elif number > 16:
                found += [0] * (3 + self.bits(3) if number == 17 else 11 + self.bits(7))
            elif not found:
                raise FaultError("nothing to repeat")
            else:
                found += [found[-1]] * (3 + self.bits(2))
        if len(found) > literals + distances:
            raise FaultError("too many lengths")
        if not found[256]:
            raise FaultError("no end of the block")
        return huffman(found[:literals]), huffman(found[literals:])

    def _compressed(self, literals: Code, distances: Code) -> None:
        while (number := self._symbol(literals)) != 256:
            if number < 256:
                self.out.append(number)
                continue
            if number > 285:
                raise FaultError("no such length")
            length = LENGTHS[number - 257] + self.bits(LENGTH_EXTRA[number - 257])
            number = self._symbol(distances)
            if number > 29:
                raise FaultError("no such distance")
            self._copy(length, DISTANCES[number] + self.bits(DISTANCE_EXTRA[number]))

    def _copy(self, length: int, distance: int) -> None:
        if distance > min(len(self.out), WINDOW):
            raise FaultError("a distance too far back")
        self.longest = max(self.longest, distance)
        self.reach = max(self.reach, self.start - (len(self.out) - distance))
        for _ in range(length):
            self.out.append(self.out[-distance])
