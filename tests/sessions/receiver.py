"""The peer's receiving half: what our end sends, read naively and inflated by zlib."""

from __future__ import annotations

import zlib

from sessions.plan import Plan, Send
from support.deflate import TAIL
from support.frames import Frame, decode

OPCODES = {"text": 1, "binary": 2, "ping": 9, "pong": 10}
RSV1 = 4


class Receiver:
    def __init__(self, plan: Plan) -> None:
        self.agreement, self.role, self.options = plan.agreement, plan.role, plan.options
        self.under_way: str | None = None
        self.compressed = False
        self.strict = plan.strict
        self.codec: zlib._Decompress | None = None
        self.measure: zlib._Decompress | None = None

    def take(self, send: Send, sent: bytes) -> None:
        """Compares the bytes of one event with the event."""
        assert type(sent) is bytes
        (frame,) = decode(sent)
        assert frame.masked == (self.role == "client"), frame
        if send.kind in ("ping", "pong"):
            wanted = Frame(OPCODES[send.kind], send.data, True, 0, frame.masked)
            assert frame == wanted, f"{frame} was sent, not {wanted}"
            return
        data = send.data.encode() if isinstance(send.data, str) else send.data
        first = self.under_way is None
        if first:
            self.compressed = self._compresses(send, data)
        opcode = OPCODES[send.kind] if first else 0
        rsv = RSV1 if first and self.compressed else 0
        head = (frame.opcode, frame.rsv, frame.fin)
        assert head == (opcode, rsv, send.fin), f"{head} was sent for {send}"
        plain = self._inflated(frame.payload, send.fin) if self.compressed else frame.payload
        assert plain == data, f"{plain!r} was sent for {send}"
        self.under_way = None if send.fin else send.kind

    def _compresses(self, send: Send, data: bytes) -> bool:
        if self.agreement is None:
            return False
        if send.compress is not None:
            return send.compress
        return not (send.fin and len(data) < self.options["threshold"])

    def _inflated(self, payload: bytes, fin: bool) -> bytes:
        """All of a fragment can be inflated as soon as it is there."""
        assert self.agreement is not None
        if fin:
            assert payload, "the end of a message has a payload, RFC 7692 §7.2.3.6"
            payload += TAIL
        bits = self.agreement.bits(self.role)
        if self.codec is None:
            self.codec = zlib.decompressobj(-15)
            self.measure = zlib.decompressobj(-bits) if self.strict else None
        plain = self.codec.decompress(payload)
        assert not self.codec.eof, "a block with BFINAL"
        if self.measure is not None:
            assert self._measured(payload) == plain
        if fin and not self.agreement.takeover(self.role):
            self.codec = None
        return plain

    def _measured(self, payload: bytes) -> bytes:
        """Byte by byte, so that zlib has the window that was agreed and nothing more."""
        assert self.measure is not None
        plain = bytearray()
        while True:
            piece = self.measure.decompress(payload, 1)
            payload = self.measure.unconsumed_tail
            if not piece and not payload:
                return bytes(plain)
            plain += piece

    def close(self, sent: bytes) -> None:
        (frame,) = decode(sent)
        assert (frame.opcode, frame.payload) == (8, b"\x03\xe8bye"), frame
