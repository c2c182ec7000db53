"""Extensions for tests."""

from __future__ import annotations

import zlib

from ws13.extensions import Extension
from ws13.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits


class Inflates(Extension):
    """The receiving half of permessage-deflate (RFC 7692 §6), for one message at a time."""

    name = "inflates"

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(-15)
        self._compressed = False
        self._is_data = False

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool | str:
        return True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self._is_data = not opcode.iscontrol()
        if rsv.rsv1 and (not self._is_data or opcode is Opcode.CONTINUATION):
            return CloseReason.PROTOCOL_ERROR
        if opcode in (Opcode.TEXT, Opcode.BINARY):
            self._compressed = rsv.rsv1
        return RsvBits(True, False, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        return self._inflater.decompress(data) if self._compressed else data

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        if not (fin and self._compressed):
            return None
        return self._inflater.decompress(b"\x00\x00\xff\xff")
