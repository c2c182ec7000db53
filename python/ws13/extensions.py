"""Extensions that are written in Python (RFC 6455 §9)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .frame_protocol import CloseReason, Opcode, RsvBits

__all__ = ["Extension"]


class Protocol:
    """What a hook is told of the connection."""

    __slots__ = ("client",)

    def __init__(self, client: bool) -> None:
        #: Whether this is the client's end.
        self.client = client


class Extension(ABC):
    """
    An extension: negotiated in the opening handshake, then shown every frame.

    What comes in passes the extensions in the order in which they were negotiated, what goes out in
    the opposite one; control frames too. A hook refuses a frame by returning a `CloseReason`. An
    exception leaves the call that ran the hook: behind one in an inbound hook the connection has
    failed, behind one in `frame_outbound` nothing has changed. A hook cannot use the connection it
    is working for.
    """

    #: Its name in Sec-WebSocket-Extensions.
    name: str

    def enabled(self) -> bool:
        """Whether the handshake ended with the extension in use."""
        return False

    @abstractmethod
    def offer(self) -> bool | str:
        """A client's offer: True, or the parameters; False offers nothing."""

    def accept(self, offer: str) -> bool | str | None:
        """A server's answer to `offer`: True, or the parameters; None or False declines."""

    def finalize(self, offer: str) -> None:
        """A client's look at what the server has chosen."""

    def frame_inbound_header(
        self, proto: Protocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Sees the header of each received frame; returns the reserved bits that it understands."""
        return RsvBits(False, False, False)

    def frame_inbound_payload_data(self, proto: Protocol, data: bytes) -> bytes | CloseReason:
        """Turns a piece of a received data frame's payload into another."""
        return data

    def frame_inbound_complete(self, proto: Protocol, fin: bool) -> bytes | CloseReason | None:
        """The frame has ended, with `fin` the message: what is still to be added to its payload."""

    def frame_outbound(
        self, proto: Protocol, opcode: Opcode, rsv: RsvBits, data: bytes, fin: bool
    ) -> tuple[RsvBits, bytes]:
        """Turns the reserved bits and the payload of a frame that is sent into others."""
        return (rsv, data)
