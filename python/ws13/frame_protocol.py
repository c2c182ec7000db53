"""Frames: opcodes, close codes and their limits (RFC 6455 §5.2, §5.5 and §7.4)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

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
    "CloseReason",
    "Frame",
    "Header",
    "Opcode",
    "ParseFailed",
    "RsvBits",
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
