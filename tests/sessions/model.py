"""What must come of a peer's frames: RFC 6455 §5 and §8.1, RFC 7692 §6 and §7.2, limits."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

from sessions.plan import Plan
from support.deflate import TAIL
from support.frames import Frame
from support.inflate import until_fault
from support.negotiation import other
from support.reference import close_fault, split_text

PROTOCOL_ERROR, BAD_DATA, TOO_BIG = 1002, 1007, 1009
NO_LIMIT = 2**63
#: Nothing but a whole block with BFINAL, to see whether a codec stands between two blocks.
PROBE = b"\x01\x00\x00\xff\xff"


class UndecidedError(Exception):
    """The RFC leaves the outcome open."""


class FailError(Exception):
    """The connection fails; the argument is the close code."""


class Inflater:
    """One message after the other through zlib, each with a state of its own."""

    def __init__(self, window: int, takeover: bool) -> None:
        self.window = window if takeover else 0
        self.history = b""

    def begin(self) -> None:
        self.payload, self.out = b"", b""
        self.ended = False  # a block with BFINAL has ended
        self.codec = self._codec()

    def _codec(self) -> zlib._Decompress:
        known = (self.history + self.out)[-32768:]
        return zlib.decompressobj(-15, known) if known else zlib.decompressobj(-15)

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What comes out, and whether a fault is behind it."""
        self.payload += data
        before = len(self.out)
        while data:
            if self.ended:
                self.codec, self.ended = self._codec(), False
            try:
                self.out += self.codec.decompress(data)
            except zlib.error:
                # zlib drops what it has when it finds a fault.
                return until_fault(self.payload, self.history)[before:], True
            self.ended = self.codec.eof
            data = self.codec.unused_data
        return self.out[before:], False

    def finish(self) -> bytes | None:
        """None if the message is whole; else what zlib makes of the four bytes behind it."""
        if self.payload and not self.ended:
            try:
                made = self.codec.decompress(TAIL)
                if self.codec.eof:  # they were the end of a block with BFINAL
                    raise UndecidedError
                probed = self.codec.decompress(PROBE)
            except zlib.error:
                return b""
            # Where they are the end of a stored block, they are data, and not what was taken off.
            if made or probed or not self.codec.eof or self.codec.unused_data:
                return made
        self.history = (self.history + self.out)[-self.window :] if self.window else b""
        return None


@dataclass
class Verdict:
    """What must come out."""

    items: list[tuple[Any, ...]] = field(default_factory=list)
    end: tuple[Any, ...] | None = None  # ("close", code, reason), ("fail", code) or ("eof",)
    kind: str | None = None  # of the message that is unfinished
    partial: Any = None
    more: Any = None  # what may come out behind the partial, and need not
    frames: int = 0  # data frames that have ended


class Model:
    def __init__(self, plan: Plan) -> None:
        config, agreement = plan.config, plan.agreement
        self.plan, self.verdict = plan, Verdict()
        self.deflates = agreement is not None
        self.max_message = config.get("max_message_size", NO_LIMIT)
        self.max_frame = config.get("max_frame_size", NO_LIMIT)
        self.max_fragments = config.get("max_fragments", NO_LIMIT)
        peer = other(plan.role)
        if agreement is not None:
            self.inflater = Inflater(1 << agreement.bits(peer), agreement.takeover(peer))
        self.kind: str | None = None

    def run(self) -> Verdict:
        plan, verdict = self.plan, self.verdict
        try:
            for number, frame in enumerate(plan.frames):
                missing = plan.missing if number == len(plan.frames) - 1 else 0
                self._frame(frame, missing)
                if verdict.end:
                    return verdict
        except FailError as failure:
            verdict.end = ("fail", failure.args[0])
        if self.kind:
            verdict.kind, verdict.partial = self.kind, self._joined()
        if plan.ends and not verdict.end:
            verdict.end = ("eof",)
        return verdict

    def _joined(self) -> Any:
        return self.given if self.kind == "binary" else self.text

    def _frame(self, frame: Frame, missing: int) -> None:
        opcode, compressed = frame.opcode, self.deflates and frame.rsv == 4
        if opcode not in (0, 1, 2, 8, 9, 10) or (frame.rsv and not compressed):
            raise FailError(PROTOCOL_ERROR)
        if compressed and opcode not in (1, 2):
            raise FailError(PROTOCOL_ERROR)
        if opcode >= 8:
            if not missing:
                self._control(opcode, frame.payload)
            return
        self._begin(opcode, compressed, len(frame.payload))
        self._payload(frame.payload[: len(frame.payload) - missing])
        if not missing:
            if frame.fin:
                self._finish()
            self.verdict.frames += 1

    def _control(self, opcode: int, body: bytes) -> None:
        if opcode != 8:
            self.verdict.items.append(("ping" if opcode == 9 else "pong", body))
            return
        if (code := close_fault(body)) is not None:
            raise FailError(code)
        code = int.from_bytes(body[:2], "big") if body else 1005
        self.verdict.end = ("close", code, body[2:].decode())
        if self.kind:
            self.verdict.kind, self.verdict.partial = self.kind, self._joined()

    def _begin(self, opcode: int, compressed: bool, length: int) -> None:
        """The header of a data frame."""
        if (opcode == 0) != (self.kind is not None):
            raise FailError(PROTOCOL_ERROR)
        if opcode:
            self.kind = "text" if opcode == 1 else "binary"
            self.given, self.text, self.count, self.fragments = b"", "", 0, 0
            self.rest = b""  # the beginning of a code point
            self.compressed = compressed
            if compressed:
                self.inflater.begin()
        self.fragments += 1
        if length > self.max_frame or self.fragments > self.max_fragments:
            raise FailError(TOO_BIG)
        if not self.compressed and self.count + length > self.max_message:
            raise FailError(TOO_BIG)

    def _payload(self, payload: bytes) -> None:
        if not self.compressed:
            return self._give(payload)
        data, fault = self.inflater.feed(payload)
        self._give(data)
        if fault:
            raise FailError(BAD_DATA)
        return None

    def _give(self, data: bytes) -> None:
        allowed = data[: self.max_message - self.count]
        self.count += len(data)
        self.given += allowed
        if self.kind == "text":
            self._decode(allowed)
        if len(allowed) < len(data):
            raise FailError(TOO_BIG)

    def _decode(self, data: bytes) -> None:
        text, self.rest, possible = split_text(self.rest + data)
        self.text += text
        if not possible:
            raise FailError(BAD_DATA)

    def _finish(self) -> None:
        """The end of a message."""
        if self.compressed and (made := self.inflater.finish()) is not None:
            self.verdict.more = made
            raise FailError(BAD_DATA)
        if self.kind == "text" and self.rest:
            raise FailError(BAD_DATA)
        self.verdict.items.append((self.kind, self._joined()))
        self.kind = None
