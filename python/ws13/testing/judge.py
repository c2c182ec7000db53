"""A judge of what a peer sends: every rule of RFC 6455 and RFC 7692 that binds a sender of frames.

It decodes on its own, with nothing of ws13's engine, takes any cut, and goes on behind what it
finds, so that one stream may have many findings. It needs time in proportion to the bytes that come
in and to those that they inflate to.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from ws13.testing import extensions
from ws13.testing.findings import Finding
from ws13.testing.frames import Frame, LengthForm, Opcode, mask, minimal_form
from ws13.testing.inflating import Inflater, NotDeflateError
from ws13.testing.roles import Role

_DATA = (Opcode.CONTINUATION, Opcode.TEXT, Opcode.BINARY)
_DEFINED = frozenset(int(opcode) for opcode in Opcode)

_FORMS: dict[int, LengthForm] = {126: 16, 127: 64}

#: Codes that may stand in a Close frame (RFC 6455 §7.4, and those registered with IANA since).
SENDABLE_CODES = frozenset([1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)])


@dataclass(frozen=True)
class _Header:
    """A header that has come whole."""

    opcode: int
    fin: bool
    rsv: tuple[bool, bool, bool]
    masking_key: bytes | None
    form: LengthForm
    length: int
    size: int


class Judge:
    """Judges the frames of one end of a connection that is open.

    `role` is the peer's, the one that is judged. `extension` is what was agreed, as the server's
    Sec-WebSocket-Extensions has it, such as ``permessage-deflate; client_max_window_bits=10``;
    None or empty: none. A message that inflates to more than `largest_message` bytes is a finding,
    and is not read. Raises `ValueError` for any other extension, and for bad parameters.
    """

    def __init__(
        self, role: Role, extension: str | None = None, *, largest_message: int | None = None
    ) -> None:
        self.role = role
        #: What was found so far, in order.
        self.findings: list[Finding] = []
        #: The whole messages so far, inflated; without those that no receiver can read.
        self.messages: list[str | bytes] = []
        #: The code of the Close frame, 1005 for an empty one; None before it.
        self.close_code: int | None = None
        #: Its reason; what is not UTF-8 of it is replaced.
        self.close_reason = ""
        self._inflater = _inflater_for(role, extension, largest_message)
        self._buffer = bytearray()
        self._header: _Header | None = None
        #: Bytes before the buffer.
        self._offset = 0
        self._ended = False
        # The message under way: its opcode is None between two messages.
        self._opcode: int | None = None
        self._compressed = False
        self._parts: list[bytes] = []
        self._text = _Text()

    @property
    def violations(self) -> list[Finding]:
        """The findings that break a MUST."""
        return [finding for finding in self.findings if finding.must]

    def take(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the frames that are whole now, their `bytes()` what came."""
        self._buffer += data
        frames: list[Frame] = []
        at = 0
        while True:
            if self._header is None:
                self._header = _read_header(self._buffer, at)
                if self._header is None:
                    break
                self._judge_header(self._header)
            end = at + self._header.size + self._header.length
            if len(self._buffer) < end:
                break
            frame = _frame(self._header, bytes(self._buffer[at + self._header.size : end]))
            self._judge_frame(frame)
            frames.append(frame)
            self._header = None
            self._offset += end - at
            at = end
        del self._buffer[:at]
        return frames

    def end(self) -> None:
        """TCP has ended. Ending it is forbidden nowhere (§7.1.1), so these are no violations."""
        if self._ended:
            return
        self._ended = True
        if self._buffer:
            self._find("RFC 6455 §5.2", "TCP ended inside a frame", must=False)
        if self.close_code is None:
            if self._opcode is not None:
                self._find("RFC 6455 §5.4", "TCP ended inside a message", must=False)
            self._find("RFC 6455 §7.1.2", "TCP ended without a Close frame", must=False)

    def _find(self, section: str, sentence: str, *, must: bool = True) -> None:
        self.findings.append(Finding(section, sentence, self._offset, must))

    def _judge_header(self, header: _Header) -> None:
        """Everything that the header alone decides."""
        name = f"a frame with opcode {header.opcode:#x}"
        if header.opcode not in _DEFINED:
            self._find("RFC 6455 §5.2", f"{name}, which is reserved")
        if self.role is Role.CLIENT and header.masking_key is None:
            self._find("RFC 6455 §5.1", f"{name} from a client is not masked")
        if self.role is Role.SERVER and header.masking_key is not None:
            self._find("RFC 6455 §5.1", f"{name} from a server is masked")
        self._judge_reserved_bits(header)
        if header.form != minimal_form(header.length):
            sentence = f"a length of {header.length} takes {header.form} bits"
            self._find("RFC 6455 §5.2", sentence)
        if header.length >= 1 << 63:
            self._find("RFC 6455 §5.2", "the most significant bit of a length is set")
        if header.opcode >= 8:
            if header.length > 125:
                self._find("RFC 6455 §5.5", f"a control frame of {header.length} bytes")
            if not header.fin:
                self._find("RFC 6455 §5.5", "a control frame is fragmented")
            if self.close_code is not None and header.opcode in (Opcode.CLOSE, Opcode.PING):
                sentence = f"{name} behind a Close frame"
                self._find("RFC 6455 §1.4", sentence, must=False)
        elif self.close_code is not None:
            self._find("RFC 6455 §5.5.1", f"{name} behind a Close frame")
        if header.opcode == Opcode.CONTINUATION and self._opcode is None:
            self._find("RFC 6455 §5.4", "a continuation without a message to continue")
        if header.opcode in (Opcode.TEXT, Opcode.BINARY) and self._opcode is not None:
            self._find("RFC 6455 §5.4", "a new message inside a fragmented one")

    def _judge_reserved_bits(self, header: _Header) -> None:
        for i, bit in enumerate(header.rsv):
            if not bit:
                continue
            if i or self._inflater is None:
                self._find("RFC 6455 §5.2", f"RSV{i + 1} is set without an extension that uses it")
            elif header.opcode not in (Opcode.TEXT, Opcode.BINARY):
                kind = "control frame" if header.opcode >= 8 else "frame that begins no message"
                self._find("RFC 7692 §6", f"RSV1 is set in a {kind}")

    def _judge_frame(self, frame: Frame) -> None:
        if frame.opcode == Opcode.CLOSE:
            self._judge_close(frame.payload)
        if frame.opcode not in _DATA:
            return
        if frame.opcode != Opcode.CONTINUATION:
            self._opcode = frame.opcode
            self._compressed = frame.rsv1 and self._inflater is not None
            self._parts = []
            self._text = _Text()
        elif self._opcode is None:
            return
        self._parts.append(frame.payload)
        if self._opcode == Opcode.TEXT and not self._compressed:
            self._judge_text(frame.payload, frame.fin)
        if frame.fin:
            self._finish()

    def _finish(self) -> None:
        """A message is whole."""
        opcode, self._opcode = self._opcode, None
        payload: bytes | None = b"".join(self._parts)
        self._parts = []
        if self._compressed:
            payload = self._inflated(payload or b"")
            if payload is not None and opcode == Opcode.TEXT:
                self._judge_text(payload, True)
        if payload is not None and self._text.valid:
            self.messages.append(payload.decode() if opcode == Opcode.TEXT else payload)

    def _inflated(self, payload: bytes) -> bytes | None:
        """None when it cannot be inflated, or when nobody knows the window any more."""
        if self._inflater is None or self._inflater.lost:
            return None
        try:
            return self._inflater.message(payload)
        except NotDeflateError as error:
            self._find(error.section, f"a message that cannot be inflated: {error}")
            return error.readable

    def _judge_text(self, payload: bytes, final: bool) -> None:
        if self._text.valid and not self._text.take(payload, final):
            self._find("RFC 6455 §8.1", "the text of a message is not UTF-8")

    def _judge_close(self, body: bytes) -> None:
        if self.close_code is None:
            self.close_code = int.from_bytes(body[:2], "big") if len(body) > 1 else 1005
            self.close_reason = body[2:].decode("utf-8", "replace")
        if len(body) == 1:
            self._find("RFC 6455 §5.5.1", "the body of a Close frame has one byte")
        code = int.from_bytes(body[:2], "big")
        if len(body) > 1 and code not in SENDABLE_CODES:
            section = "7.4.1" if 1000 <= code <= 1015 else "7.4.2"
            # The others are nobody's yet.
            forbidden = code < 1000 or code in (1005, 1006, 1015)
            sentence = f"a Close frame with the code {code}"
            self._find(f"RFC 6455 §{section}", sentence, must=forbidden)
        if not _Text().take(body[2:], True):
            self._find("RFC 6455 §5.5.1", "the reason of a Close frame is not UTF-8")


class _Text:
    """UTF-8 in pieces."""

    def __init__(self) -> None:
        self.valid = True
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def take(self, data: bytes, final: bool) -> bool:
        """Whether it is UTF-8 so far, and whole if this is final."""
        try:
            self._decoder.decode(data, final)
        except UnicodeDecodeError:
            self.valid = False
        return self.valid


def _inflater_for(role: Role, extension: str | None, largest: int | None) -> Inflater | None:
    """What inflates the messages of this role; None without permessage-deflate."""
    agreed = extensions.read([extension or ""])
    if not agreed:
        return None
    (deflate, *others) = agreed
    if others or deflate.name != extensions.DEFLATE:
        raise ValueError(f"only permessage-deflate is known: {extension}")
    wrong = extensions.wrong_with(deflate, answer=True)
    if wrong is not None:
        raise ValueError(f"{extension}: {wrong}")
    return Inflater(
        deflate.bits(f"{role.value}_max_window_bits"),
        context_takeover=f"{role.value}_no_context_takeover" not in deflate,
        largest_message=largest,
    )


def _read_header(buffer: bytearray, at: int) -> _Header | None:
    """The header that begins there; None when it is not whole (RFC 6455 §5.2)."""
    if len(buffer) < at + 2:
        return None
    first, second = buffer[at], buffer[at + 1]
    form = _FORMS.get(second & 0x7F, 7)
    start = at + 2 + (form // 8)
    size = start - at + (4 if second & 0x80 else 0)
    if len(buffer) < at + size:
        return None
    length = second & 0x7F if form == 7 else int.from_bytes(buffer[at + 2 : start], "big")
    return _Header(
        first & 0x0F,
        bool(first & 0x80),
        (bool(first & 0x40), bool(first & 0x20), bool(first & 0x10)),
        bytes(buffer[start : start + 4]) if second & 0x80 else None,
        form,
        length,
        size,
    )


def _frame(header: _Header, payload: bytes) -> Frame:
    """The frame as it would be written; a length in the fewest bytes has no form of its own."""
    key = header.masking_key
    rsv1, rsv2, rsv3 = header.rsv
    return Frame(
        Opcode(header.opcode) if header.opcode in _DEFINED else header.opcode,
        payload if key is None else mask(payload, key),
        fin=header.fin,
        rsv1=rsv1,
        rsv2=rsv2,
        rsv3=rsv3,
        masking_key=key,
        length_form=None if header.form == minimal_form(header.length) else header.form,
    )
