"""
Frames: opcodes, close codes and their limits (RFC 6455 §5.2, §5.5 and §7.4).

`FrameProtocol`, `FrameDecoder`, `MessageDecoder` and their parts are wsproto's layer below
`Connection`, for programs that use it. The engine does not need them.
"""

from __future__ import annotations

from enum import IntEnum

from ._native import mask, parse_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codecs import IncrementalDecoder
    from collections.abc import Generator, Sequence
    from typing import NamedTuple, TypeVar

    from .connection import Connection
    from .events import Event
    from .extensions import Extension

    _T = TypeVar("_T")
else:
    from collections import namedtuple

    class _Fields(type):
        """Makes of a class body what typing.NamedTuple makes of it, without importing typing."""

        def __new__(cls, name, bases, body):
            made = namedtuple(name, body["__annotations__"], module=__name__)
            made.__annotations__ = body["__annotations__"]
            made.__doc__ = body["__doc__"]
            return made

    NamedTuple = type.__new__(_Fields, "NamedTuple", (), {})

__all__ = [
    "FIN_MASK",
    "LOCAL_ONLY_CLOSE_REASONS",
    "MASK_MASK",
    "MAX_CLOSE_REASON",
    "MAX_FRAME_PAYLOAD",
    "MAX_LIBRARY_CLOSE_REASON",
    "MAX_PAYLOAD_EIGHT_BYTE",
    "MAX_PAYLOAD_NORMAL",
    "MAX_PAYLOAD_TWO_BYTE",
    "MAX_PRIVATE_CLOSE_REASON",
    "MAX_PROTOCOL_CLOSE_REASON",
    "MIN_CLOSE_REASON",
    "MIN_LIBRARY_CLOSE_REASON",
    "MIN_PRIVATE_CLOSE_REASON",
    "MIN_PROTOCOL_CLOSE_REASON",
    "NULL_MASK",
    "OPCODE_MASK",
    "PAYLOAD_LENGTH_EIGHT_BYTE",
    "PAYLOAD_LENGTH_TWO_BYTE",
    "PAYLOAD_LEN_MASK",
    "RSV1_MASK",
    "RSV2_MASK",
    "RSV3_MASK",
    "Buffer",
    "CloseReason",
    "Frame",
    "FrameDecoder",
    "FrameProtocol",
    "Header",
    "MessageDecoder",
    "Opcode",
    "ParseFailed",
    "RsvBits",
    "XorMaskerNull",
    "XorMaskerSimple",
]

# Lengths in bytes, and the values that announce a longer form (RFC 6455 §5.2).
PAYLOAD_LENGTH_TWO_BYTE = 126
PAYLOAD_LENGTH_EIGHT_BYTE = 127
MAX_PAYLOAD_NORMAL = 125
MAX_PAYLOAD_TWO_BYTE = 2**16 - 1
MAX_PAYLOAD_EIGHT_BYTE = 2**64 - 1
MAX_FRAME_PAYLOAD = MAX_PAYLOAD_EIGHT_BYTE

# The second byte of a frame.
MASK_MASK = 0x80
PAYLOAD_LEN_MASK = 0x7F

# The first byte of a frame.
FIN_MASK = 0x80
RSV1_MASK = 0x40
RSV2_MASK = 0x20
RSV3_MASK = 0x10
OPCODE_MASK = 0x0F

#: Changes nothing (RFC 6455 §5.3).
NULL_MASK = b"\x00\x00\x00\x00"


class Opcode(IntEnum):
    """What a frame is (RFC 6455 §5.2)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA

    def iscontrol(self) -> bool:
        """Whether this is a control frame (RFC 6455 §5.5)."""
        return bool(self & 0x08)


class CloseReason(IntEnum):
    """Why a connection closes: the codes of RFC 6455 §7.4.1 and of the registry it opens."""

    #: The purpose of the connection is fulfilled.
    NORMAL_CLOSURE = 1000
    #: A server goes down, or a browser leaves the page.
    GOING_AWAY = 1001
    #: The peer broke the protocol.
    PROTOCOL_ERROR = 1002
    #: The endpoint does not take this kind of data.
    UNSUPPORTED_DATA = 1003
    #: Never on the wire: the Close frame carried no code.
    NO_STATUS_RCVD = 1005
    #: Never on the wire: the connection ended without a Close frame.
    ABNORMAL_CLOSURE = 1006
    #: A payload does not fit the kind of its message, such as text that is not UTF-8.
    INVALID_FRAME_PAYLOAD_DATA = 1007
    #: A message violates the endpoint's policy.
    POLICY_VIOLATION = 1008
    #: A message is too big.
    MESSAGE_TOO_BIG = 1009
    #: The client needs an extension that the server did not choose.
    MANDATORY_EXT = 1010
    #: The server met a condition that it did not expect.
    INTERNAL_ERROR = 1011
    #: The service restarts.
    SERVICE_RESTART = 1012
    #: The service is overloaded for now.
    TRY_AGAIN_LATER = 1013
    #: A gateway got an invalid response from upstream.
    BAD_GATEWAY = 1014
    #: Never on the wire: the TLS handshake failed.
    TLS_HANDSHAKE_FAILED = 1015


#: Codes that must not be sent (RFC 6455 §7.4.1).
LOCAL_ONLY_CLOSE_REASONS = (
    CloseReason.NO_STATUS_RCVD,
    CloseReason.ABNORMAL_CLOSURE,
    CloseReason.TLS_HANDSHAKE_FAILED,
)

# Ranges of close codes (RFC 6455 §7.4.2).
MIN_CLOSE_REASON = 1000
MIN_PROTOCOL_CLOSE_REASON = 1000
MAX_PROTOCOL_CLOSE_REASON = 2999
MIN_LIBRARY_CLOSE_REASON = 3000
MAX_LIBRARY_CLOSE_REASON = 3999
MIN_PRIVATE_CLOSE_REASON = 4000
MAX_PRIVATE_CLOSE_REASON = 4999
MAX_CLOSE_REASON = 4999


class ParseFailed(Exception):
    """A frame broke a rule; `code` is the close code to fail the connection with."""

    def __init__(self, msg: str, code: CloseReason = CloseReason.PROTOCOL_ERROR) -> None:
        super().__init__(msg)
        self.code = code


class RsvBits(NamedTuple):
    """The reserved bits of a frame (RFC 6455 §5.2)."""

    rsv1: bool
    rsv2: bool
    rsv3: bool


class Header(NamedTuple):
    """The header of a frame (RFC 6455 §5.2); `payload_len` in bytes."""

    fin: bool
    rsv: RsvBits
    opcode: Opcode
    payload_len: int
    masking_key: bytes | None


class Frame(NamedTuple):
    """A frame, or a piece of one."""

    opcode: Opcode
    payload: bytes | str | tuple[int, str]
    frame_finished: bool
    message_finished: bool


class XorMaskerSimple:
    """Masks or unmasks a payload piece by piece (RFC 6455 §5.3)."""

    def __init__(self, masking_key: bytes | bytearray) -> None:
        self._masking_key = bytes(memoryview(masking_key))

    def process(self, data: bytes | bytearray) -> bytearray:
        """Returns the next piece of the payload, masked or unmasked."""
        masked = mask(data, self._masking_key)
        turn = len(masked) % 4
        self._masking_key = self._masking_key[turn:] + self._masking_key[:turn]
        return masked


class XorMaskerNull:
    """Leaves a payload as it is: that of a server."""

    def process(self, data: bytearray) -> bytearray:
        """Returns `data`."""
        return data


class Buffer:
    """Bytes that were received, and a place in them up to which they are read."""

    def __init__(self, initial_bytes: bytes | None = None) -> None:
        self.buffer = bytearray(memoryview(initial_bytes or b""))
        self.bytes_used = 0

    def feed(self, new_bytes: bytes) -> None:
        """Appends bytes."""
        self.buffer += new_bytes

    def consume_at_most(self, nbytes: int) -> bytearray:
        """Reads the next `nbytes` bytes, or what there is of them."""
        data = self.buffer[self.bytes_used : self.bytes_used + nbytes]
        self.bytes_used += len(data)
        return data

    def consume_exactly(self, nbytes: int) -> bytearray | None:
        """Reads the next `nbytes` bytes; None, and nothing read, if there are fewer."""
        if len(self.buffer) - self.bytes_used < nbytes:
            return None
        return self.consume_at_most(nbytes)

    def commit(self) -> None:
        """Lets go of what was read."""
        del self.buffer[: self.bytes_used]
        self.bytes_used = 0

    def rollback(self) -> None:
        """Goes back to where the last `commit` was."""
        self.bytes_used = 0

    def __len__(self) -> int:
        return len(self.buffer)


class FrameDecoder:
    """
    Takes bytes apart into frames, extensions included (RFC 6455 §5.2 and §5.3).

    What a frame means, and whether it may stand where it stands, `MessageDecoder` says. `client`
    tells whether this is the client's end; `extensions` are those in use.
    """

    def __init__(self, client: bool, extensions: list[Extension] | None = None) -> None:
        self.client = client
        self.extensions = extensions or []
        self.buffer = Buffer()
        #: The frame whose payload is under way.
        self.header: Header | None = None
        #: What the next piece of it is: CONTINUATION behind the first one.
        self.effective_opcode: Opcode | None = None
        self.masker: XorMaskerNull | XorMaskerSimple | None = None
        self.payload_required = 0
        self.payload_consumed = 0

    def receive_bytes(self, data: bytes) -> None:
        """Takes bytes that the peer sent, any number, cut anywhere."""
        self.buffer.feed(data)

    def process_buffer(self) -> Frame | None:
        """
        Returns the next frame, or what there is of it; a control frame once it is complete.

        None if more bytes are needed. `message_finished` is FIN, also of a piece that does not end
        its frame.

        Raises `ParseFailed` if the frame breaks a rule or an extension refuses it.
        """
        if self.header is None and not self.parse_header():
            return None
        assert self.header is not None
        assert self.masker is not None
        assert self.effective_opcode is not None
        remaining = self.header.payload_len - self.payload_consumed
        if len(self.buffer) < self.payload_required or (remaining and not self.buffer):
            return None
        masked = self.buffer.consume_at_most(remaining)
        self.buffer.commit()
        self.payload_consumed += len(masked)
        finished = self.payload_consumed == self.header.payload_len
        payload = bytes(self.masker.process(masked))
        for extension in self.extensions:
            payload = _unless_refused(extension.frame_inbound_payload_data(self, payload))
            if finished:
                # What it has kept back passes the extensions behind it, as the rest has.
                end = _unless_refused(extension.frame_inbound_complete(self, self.header.fin))
                payload = bytes(payload) + bytes(memoryview(end or b""))
        payload = bytes(payload)
        frame = Frame(self.effective_opcode, payload, finished, self.header.fin)
        if finished:
            self.header = self.effective_opcode = self.masker = None
        else:
            self.effective_opcode = Opcode.CONTINUATION
        return frame

    def parse_header(self) -> bool:
        """Reads the header of the next frame; False if it is not complete."""
        parsed = parse_header(self.buffer.buffer[:14], self.client)  # no header is longer
        if parsed is None:
            return False
        fin, bits, opcode, payload_len, key, length = parsed
        self.buffer.consume_at_most(length)
        self.buffer.commit()
        header = Header(fin, RsvBits(*bits), Opcode(opcode), payload_len, key)
        self.extension_processing(header.opcode, header.rsv, payload_len)
        self.header = header
        self.effective_opcode = header.opcode
        self.masker = XorMaskerNull() if key is None else XorMaskerSimple(key)
        self.payload_required = payload_len if header.opcode.iscontrol() else 0
        self.payload_consumed = 0
        return True

    def extension_processing(self, opcode: Opcode, rsv: RsvBits, payload_len: int) -> None:
        """Shows a header to the extensions; `ParseFailed` for a reserved bit that none knows."""
        unknown = set(range(3)) & {bit for bit, is_set in enumerate(rsv) if is_set}
        for extension in self.extensions:
            known = extension.frame_inbound_header(self, opcode, rsv, payload_len)
            unknown -= {bit for bit, is_set in enumerate(_unless_refused(known)) if is_set}
        if unknown:
            raise ParseFailed("Reserved bit set unexpectedly")


class MessageDecoder:
    """Makes messages of the data frames of a `FrameDecoder` (RFC 6455 §5.4 and §8.1)."""

    def __init__(self) -> None:
        #: What the message is that is under way, None between two.
        self.opcode: Opcode | None = None
        #: Decodes its text.
        self.decoder: IncrementalDecoder | None = None

    def process_frame(self, frame: Frame) -> Frame:
        """
        Returns the frame as a piece of its message: with its opcode, and as `str` if it is text.

        Raises `ParseFailed` if the frame cannot stand here, or the text is not UTF-8.
        """
        assert not frame.opcode.iscontrol()
        if self.opcode is None:
            if frame.opcode is Opcode.CONTINUATION:
                raise ParseFailed("unexpected CONTINUATION")
            self.opcode = frame.opcode
        elif frame.opcode is not Opcode.CONTINUATION:
            raise ParseFailed(f"expected CONTINUATION, got {frame.opcode!r}")
        if frame.opcode is Opcode.TEXT:
            from codecs import getincrementaldecoder

            self.decoder = getincrementaldecoder("utf-8")()
        finished = frame.frame_finished and frame.message_finished
        payload = frame.payload
        if self.decoder is not None and isinstance(payload, (bytes, bytearray)):
            try:
                payload = self.decoder.decode(payload, finished)
            except UnicodeDecodeError as error:
                raise ParseFailed(str(error), CloseReason.INVALID_FRAME_PAYLOAD_DATA) from None
        message = Frame(self.opcode, payload, frame.frame_finished, finished)
        if finished:
            self.opcode = self.decoder = None
        return message


class FrameProtocol:
    """
    Frames in both directions (RFC 6455 §5), without the states of a connection.

    `client` tells whether this is the client's end; of `extensions`, those that are enabled are in
    use.
    """

    def __init__(self, client: bool, extensions: Sequence[Extension]) -> None:
        self.client = client
        self.extensions = [extension for extension in extensions if extension.enabled()]
        self._incoming: Connection | None = None
        self._outgoing: Connection | None = None

    def receive_bytes(self, data: bytes) -> None:
        """Takes bytes that the peer sent, any number, cut anywhere."""
        self._receiver().receive_data(bytes(memoryview(data)))

    def received_frames(self) -> Generator[Frame, None, None]:
        """
        Iterates over what has come: pieces of messages, whole control frames.

        The payload is `str` for text, and code and reason for a Close frame, behind which nothing
        comes.

        Raises `ParseFailed` if the peer breaks a rule; nothing comes behind that either.
        """
        receiver = self._receiver()
        for event in receiver.events():
            yield _frame(event, receiver)

    def send_data(self, payload: bytes | bytearray | str = b"", fin: bool = True) -> bytearray:
        """
        Returns a frame of a message, which ends with it if `fin`.

        Raises `TypeError` if the payload is neither text nor bytes, or not what the message began
        with.
        """
        from .events import BytesMessage, TextMessage

        if isinstance(payload, str):
            return self._send(TextMessage(payload, message_finished=fin))
        return self._send(BytesMessage(payload, message_finished=fin))

    def ping(self, payload: bytes = b"") -> bytearray:
        """Returns a Ping frame; `ValueError` if `payload` has more than 125 bytes."""
        from .events import Ping

        return self._send(Ping(payload))

    def pong(self, payload: bytes = b"") -> bytearray:
        """Returns a Pong frame; `ValueError` if `payload` has more than 125 bytes."""
        from .events import Pong

        return self._send(Pong(payload))

    def close(self, code: int | None = None, reason: str | None = None) -> bytearray:
        """
        Returns a Close frame. The reason is cut to the 123 bytes that there is room for.

        Raises `TypeError` for a reason without a code, and `ValueError` for a code that must not
        be sent (RFC 6455 §7.4).
        """
        from .events import CloseConnection

        if code is None or code == CloseReason.NO_STATUS_RCVD:
            if reason:
                raise TypeError("cannot specify a reason without a code")
            return self._send(CloseConnection(CloseReason.NO_STATUS_RCVD))
        return self._send(CloseConnection(code, reason))

    # A connection for each direction: what comes in does not forbid anything to go out.

    def _receiver(self) -> Connection:
        if self._incoming is None:
            self._incoming = self._connection()
        return self._incoming

    def _send(self, event: Event) -> bytearray:
        from .connection import ConnectionState
        from .utilities import LocalProtocolError

        if self._outgoing is None:
            self._outgoing = self._connection()
        try:
            frame = self._outgoing.send(event)
        except LocalProtocolError as error:
            # Not ours if it has come from farther down: a hook has raised it.
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                raise
            raise ValueError(str(error)) from None
        self._outgoing._state = ConnectionState.OPEN
        return bytearray(frame)

    def _connection(self) -> Connection:
        from .connection import CLIENT, SERVER, Connection

        return Connection(CLIENT if self.client else SERVER, self.extensions)


def _unless_refused(result: _T | CloseReason) -> _T:
    """What a hook returned, unless that is a refusal."""
    if isinstance(result, CloseReason):
        raise ParseFailed("error in extension", result)
    return result


def _frame(event: Event, receiver: Connection) -> Frame:
    """The frame that an event stands for."""
    from .connection import ConnectionState
    from .events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

    if isinstance(event, (TextMessage, BytesMessage)):
        opcode = Opcode.TEXT if isinstance(event, TextMessage) else Opcode.BINARY
        return Frame(opcode, event.data, event.frame_finished, event.message_finished)
    if isinstance(event, CloseConnection):
        # Without a Close frame the state does not change: the peer has broken a rule.
        if receiver.state is ConnectionState.OPEN:
            raise ParseFailed(event.reason or "", CloseReason(event.code))
        return Frame(Opcode.CLOSE, (event.code, event.reason or ""), True, True)
    assert isinstance(event, (Ping, Pong))
    opcode = Opcode.PING if isinstance(event, Ping) else Opcode.PONG
    return Frame(opcode, event.payload, True, True)
