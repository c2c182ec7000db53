"""A writer of frames, legal or not (RFC 6455 §5.2).

Whatever the bits of a header can say can be written: reserved opcodes, fragmented control frames,
lengths that are longer than they need to be, and lengths that lie.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace
from enum import IntEnum
from typing import Literal, TypeAlias

LengthForm: TypeAlias = Literal[7] | Literal[16] | Literal[64]

#: The largest payload length that each form of the length can express (RFC 6455 §5.2).
LARGEST: dict[LengthForm, int] = {7: 125, 16: 2**16 - 1, 64: 2**64 - 1}


class Opcode(IntEnum):
    """The opcodes that are defined (RFC 6455 §5.2); the others are plain ints here."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


@dataclass(frozen=True)
class Frame:
    """One frame; `bytes(frame)` is what goes over the wire.

    Raises `ValueError` for what no header can express: an opcode beyond 4 bits, a masking key that
    is not 4 bytes, a length that does not fit its form.
    """

    #: 0 to 15.
    opcode: int
    #: The payload as it is before it is masked.
    payload: bytes = b""
    _: KW_ONLY
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False
    #: 4 bytes, with which the payload is masked (§5.3); None: the frame is not masked.
    masking_key: bytes | None = None
    #: The bits that the length takes; None: the fewest possible, as §5.2 asks for.
    length_form: LengthForm | None = None
    #: The payload length in the header, in bytes; None: that of the payload.
    announced_length: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.opcode <= 15:
            raise ValueError(f"an opcode has 4 bits: {self.opcode}")
        if self.masking_key is not None and len(self.masking_key) != 4:
            raise ValueError(f"a masking key has 4 bytes: {self.masking_key!r}")
        if self.length_form not in (None, 7, 16, 64):
            raise ValueError(f"a length has 7, 16 or 64 bits: {self.length_form}")
        if not 0 <= self.length <= LARGEST[self.length_form or 64]:
            raise ValueError(f"no length of {self.length_form or 64} bits: {self.length}")

    @property
    def length(self) -> int:
        """The payload length that the header says, in bytes."""
        return len(self.payload) if self.announced_length is None else self.announced_length

    @property
    def iscontrol(self) -> bool:
        """Whether it is a control frame, defined or reserved (RFC 6455 §5.5)."""
        return self.opcode >= 8

    @property
    def header(self) -> bytes:
        """Everything before the payload, masking key included."""
        bits = (self.fin, self.rsv1, self.rsv2, self.rsv3)
        first = sum(bit << 7 - i for i, bit in enumerate(bits)) | self.opcode
        mask = 0 if self.masking_key is None else 0x80
        form = self.length_form or minimal_form(self.length)
        if form == 7:
            length = bytes([mask | self.length])
        elif form == 16:
            length = bytes([mask | 126]) + self.length.to_bytes(2, "big")
        else:
            length = bytes([mask | 127]) + self.length.to_bytes(8, "big")
        return bytes([first]) + length + (self.masking_key or b"")

    def __bytes__(self) -> bytes:
        if self.masking_key is None:
            return self.header + self.payload
        return self.header + mask(self.payload, self.masking_key)

    def masked(self, key: bytes) -> Frame:
        """The same frame, masked with this key of 4 bytes."""
        return replace(self, masking_key=key)

    def unmasked(self) -> Frame:
        """The same frame without a mask."""
        return replace(self, masking_key=None)

    def __str__(self) -> str:
        """In a few words, such as ``TEXT fin rsv1 masked, 5 bytes``."""
        known = {int(one): one.name for one in Opcode}
        words = [known.get(self.opcode, f"opcode {self.opcode:#x}")]
        words += [name for name in ("fin", "rsv1", "rsv2", "rsv3") if getattr(self, name)]
        words += ["masked"] if self.masking_key is not None else []
        length = f"{len(self.payload)} bytes"
        if self.announced_length is not None:
            length += f", {self.announced_length} announced"
        return f"{' '.join(words)}, {length}"


def minimal_form(length: int) -> LengthForm:
    """How many bits a payload length takes (RFC 6455 §5.2)."""
    return 7 if length <= LARGEST[7] else 16 if length <= LARGEST[16] else 64


def mask(payload: bytes, key: bytes) -> bytes:
    """Mask or unmask a payload with a key of 4 bytes (RFC 6455 §5.3)."""
    size = len(payload)
    keys = (key * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")
    return masked.to_bytes(size, "little")


def text(payload: str | bytes, *, fin: bool = True) -> Frame:
    """A text frame (RFC 6455 §5.6); bytes go as they are, whether they are UTF-8 or not."""
    return Frame(Opcode.TEXT, encoded(payload), fin=fin)


def binary(payload: bytes, *, fin: bool = True) -> Frame:
    """A binary frame (RFC 6455 §5.6)."""
    return Frame(Opcode.BINARY, payload, fin=fin)


def continuation(payload: str | bytes, *, fin: bool = True) -> Frame:
    """A frame that goes on with a message (RFC 6455 §5.4)."""
    return Frame(Opcode.CONTINUATION, encoded(payload), fin=fin)


def ping(payload: bytes = b"") -> Frame:
    """A Ping frame (RFC 6455 §5.5.2)."""
    return Frame(Opcode.PING, payload)


def pong(payload: bytes = b"") -> Frame:
    """A Pong frame (RFC 6455 §5.5.3)."""
    return Frame(Opcode.PONG, payload)


def close(code: int | None = None, reason: str | bytes = b"") -> Frame:
    """A Close frame (RFC 6455 §5.5.1); None: without a body.

    Raises `ValueError` for a code beyond 16 bits, and for a reason without a code.
    """
    if code is None:
        if reason:
            raise ValueError("a reason stands behind a code")
        return Frame(Opcode.CLOSE)
    if not 0 <= code <= 0xFFFF:
        raise ValueError(f"a close code has 16 bits: {code}")
    return Frame(Opcode.CLOSE, code.to_bytes(2, "big") + encoded(reason))


def fragments(
    opcode: int, parts: Iterable[str | bytes], *, compressed: bool = False
) -> tuple[Frame, ...]:
    """A message in one frame for each part (RFC 6455 §5.4).

    `compressed` sets RSV1 in the first one (RFC 7692 §6); the parts are then those of a payload
    that is compressed already. Raises `ValueError` without a part.
    """
    payloads = [encoded(part) for part in parts]
    if not payloads:
        raise ValueError("a message has at least one frame")
    last = len(payloads) - 1
    return tuple(
        Frame(0 if i else opcode, part, fin=i == last, rsv1=compressed and i == 0)
        for i, part in enumerate(payloads)
    )


def encoded(payload: str | bytes) -> bytes:
    """Text as UTF-8."""
    return payload.encode() if isinstance(payload, str) else payload
