"""Extensions (RFC 6455 §9), permessage-deflate (RFC 7692) among them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from operator import index

from ._native import Inflater, accept_deflate, finalize_deflate, offer_deflate
from .frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TypeAlias
    from typing import Protocol as Interface

    # client_no_context_takeover, client_max_window_bits, and the server's
    _Parameters: TypeAlias = tuple[bool, int, bool, int]

    class _Compressor(Interface):
        def compress(self, data: bytes, /) -> bytes: ...
        def flush(self, mode: int = ..., /) -> bytes: ...

    class _Decompressor(Interface):
        def decompress(self, data: bytes, /) -> bytes: ...
        def flush(self) -> bytes: ...


__all__ = ["SUPPORTED_EXTENSIONS", "Extension", "PerMessageDeflate"]


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
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Sees the header of each received frame; returns the reserved bits that it understands."""
        return RsvBits(False, False, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        """Turns a piece of a received data frame's payload into another."""
        return data

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        """The frame has ended, with `fin` the message: what is still to be added to its payload."""

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        """Turns the reserved bits and the payload of a frame that is sent into others."""
        return (rsv, data)


class PerMessageDeflate(Extension):
    """
    permessage-deflate (RFC 7692): compressed messages.

    The first four arguments are what this end wants to have agreed (§7.1): on a server at most what
    the client's offer allows, on a client what it offers. Afterwards they are what was agreed.

    `level`, 1 (fast) to 9 (small), and `threshold`, the bytes below which a message of one frame is
    sent as it is, need no agreement.

    The engine does the work for instances of this class. Those of a subclass, and those whose hooks
    were replaced, are asked frame by frame.

    Raises `ValueError` for a window outside 9 to 15, a level outside 1 to 9, a threshold below 0.
    """

    name = "permessage-deflate"

    DEFAULT_CLIENT_MAX_WINDOW_BITS = 15
    DEFAULT_SERVER_MAX_WINDOW_BITS = 15

    def __init__(
        self,
        client_no_context_takeover: bool = False,
        client_max_window_bits: int | None = None,
        server_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        *,
        level: int = 4,
        threshold: int = 0,
    ) -> None:
        level, threshold = index(level), index(threshold)
        if not 1 <= level <= 9:
            raise ValueError("level must be between 1 and 9")
        if threshold < 0:
            raise ValueError("threshold must not be negative")
        self.client_no_context_takeover = client_no_context_takeover
        self.server_no_context_takeover = server_no_context_takeover
        self._client_max_window_bits = self.DEFAULT_CLIENT_MAX_WINDOW_BITS
        self._server_max_window_bits = self.DEFAULT_SERVER_MAX_WINDOW_BITS
        if client_max_window_bits is not None:
            self.client_max_window_bits = client_max_window_bits
        if server_max_window_bits is not None:
            self.server_max_window_bits = server_max_window_bits
        self.level: Final = level
        self.threshold: Final = min(threshold, 2**62)  # what no message reaches
        self._enabled = False
        # What was wanted before the handshake that has agreed on what now holds.
        self._wanted: _Parameters | None = None
        self._agreed: _Parameters | None = None

        # The state of the hooks; an instance that the engine works for never has any.
        self._compressor: _Compressor | None = None
        self._decompressor: _Decompressor | None = None
        self._inbound_compressed = False
        self._inbound_passes = True
        self._outbound_compressed = False

    @property
    def client_max_window_bits(self) -> int:
        """The window of what the client sends: the base-2 logarithm of its bytes (§7.1.2.2)."""
        return self._client_max_window_bits

    @client_max_window_bits.setter
    def client_max_window_bits(self, value: int) -> None:
        self._client_max_window_bits = _window_bits(value)

    @property
    def server_max_window_bits(self) -> int:
        """The window of what the server sends: the base-2 logarithm of its bytes (§7.1.2.1)."""
        return self._server_max_window_bits

    @server_max_window_bits.setter
    def server_max_window_bits(self, value: int) -> None:
        self._server_max_window_bits = _window_bits(value)

    def enabled(self) -> bool:
        """Whether the handshake ended with the extension in use."""
        return self._enabled

    def offer(self) -> bool | str:
        """All parameters, as wsproto offers them. The handshake offers what browsers offer."""
        return "; ".join(
            [
                f"client_max_window_bits={self.client_max_window_bits}",
                f"server_max_window_bits={self.server_max_window_bits}",
                *self._flags(),
            ]
        )

    def accept(self, offer: str) -> bool | str | None:
        """
        Takes what it knows of `offer` and returns the answer; None if a window is out of range.

        As lenient as wsproto. The handshake goes by RFC 7692 §7.1.
        """
        given = self._take(offer)
        answers = self._flags()
        try:
            for name in ("client_max_window_bits", "server_max_window_bits"):
                if name in given:
                    value = given[name]
                    bits = int(value) if value else getattr(self, name)
                    setattr(self, name, bits)
                    answers.append(f"{name}={bits}")
        except ValueError:
            return None
        self._enabled = True
        return "; ".join(answers)

    def finalize(self, offer: str) -> None:
        """
        Takes what it knows of the server's answer; `ValueError` if a window is out of range.

        As lenient as wsproto. The handshake goes by RFC 7692 §7.1.
        """
        for name, value in self._take(offer).items():
            setattr(self, name, int(value))
        self._enabled = True

    def _take(self, text: str) -> dict[str, str]:
        """Sets the flags that stand in `text`; its windows with their values."""
        windows: dict[str, str] = {}
        for parameter in text.split(";")[1:]:
            name, _, value = parameter.partition("=")
            name = name.strip()
            if name in ("client_no_context_takeover", "server_no_context_takeover"):
                setattr(self, name, True)
            elif name in ("client_max_window_bits", "server_max_window_bits"):
                windows[name] = value.strip()
        return windows

    def _flags(self) -> list[str]:
        names = ("client_no_context_takeover", "server_no_context_takeover")
        return [name for name in names if getattr(self, name)]

    @property
    def _parameters(self) -> _Parameters:
        return (
            bool(self.client_no_context_takeover),
            int(self._client_max_window_bits),
            bool(self.server_no_context_takeover),
            int(self._server_max_window_bits),
        )

    @_parameters.setter
    def _parameters(self, parameters: _Parameters) -> None:
        (
            self.client_no_context_takeover,
            self._client_max_window_bits,
            self.server_no_context_takeover,
            self._server_max_window_bits,
        ) = parameters

    def _agree(self, parameters: _Parameters) -> None:
        self._wanted = self._parameters
        self._parameters = self._agreed = parameters
        self._enabled = True

    def forget(self) -> None:
        """Begins a handshake: what an earlier one has agreed on holds no more."""
        if self._wanted is not None and self._parameters == self._agreed:
            self._parameters = self._wanted
        self._wanted = self._agreed = None
        self._enabled = False

    def _is_own(self, name: str) -> bool:
        """Whether a method is the one of this class."""
        method = getattr(type(self), name) is getattr(PerMessageDeflate, name)
        return method and name not in vars(self)

    def _offer(self) -> bool | str:
        """The offer of the handshake (§7.1)."""
        self.forget()
        return offer_deflate(self._parameters) if self._is_own("offer") else self.offer()

    def answer(self, offer: str) -> bool | str | None:
        """The answer of the handshake to an offer (§7.1). A declined one leaves no trace."""
        wanted = self._parameters
        agreed = accept_deflate(offer, wanted)
        if agreed is None:
            return None
        parameters, answer = agreed
        if self._is_own("accept"):
            self._agree(parameters)
            return answer or True
        own = self.accept(_unquoted(offer))
        if own is None or own is False:
            self._parameters = wanted
            self._enabled = False
            return None
        self._wanted, self._agreed = wanted, self._parameters
        return own

    def conclude(self, answer: str) -> None:
        """Takes the answer to the offer of the handshake (§7.1), or raises."""
        wanted = self._parameters
        parameters = finalize_deflate(answer, wanted)
        if not self._is_own("finalize"):
            # What the method has no words for, a window of 8 bits, holds all the same.
            try:  # noqa: SIM105  (contextlib is not imported for this)
                self.finalize(_unquoted(answer))
            except ValueError:
                pass
            self._parameters = wanted
        self._agree(parameters)

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Refuses RSV1 on control frames and continuations (§6)."""
        if rsv.rsv1 and (opcode.iscontrol() or opcode is Opcode.CONTINUATION):
            return CloseReason.PROTOCOL_ERROR
        if opcode in (Opcode.TEXT, Opcode.BINARY):
            self._inbound_compressed = rsv.rsv1
            if rsv.rsv1 and self._decompressor is None:
                self._decompressor = Inflater(
                    self._server_max_window_bits if proto.client else self._client_max_window_bits
                )
        self._inbound_passes = opcode.iscontrol() or not self._inbound_compressed
        return RsvBits(True, False, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        """Inflates (§7.2.2)."""
        if self._inbound_passes or self._decompressor is None:
            return data
        return _unless_broken(lambda codec: codec.decompress(data), self._decompressor)

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        """Refuses a message that ends inside a block (§7.2.2)."""
        if not fin or self._inbound_passes or self._decompressor is None:
            return None
        rest = _unless_broken(lambda codec: codec.flush(), self._decompressor)
        if self.server_no_context_takeover if proto.client else self.client_no_context_takeover:
            self._decompressor = None
        return rest

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        """Deflates (§7.2.1)."""
        if opcode.iscontrol():
            return (rsv, data)
        if opcode is not Opcode.CONTINUATION:
            self._outbound_compressed = not (fin and len(data) < self.threshold)
        if not self._outbound_compressed:
            return (rsv, data)
        if opcode is not Opcode.CONTINUATION:
            rsv = RsvBits(True, rsv.rsv2, rsv.rsv3)
        if self._compressor is None:
            import zlib

            bits = self._client_max_window_bits if proto.client else self._server_max_window_bits
            # zlib has no window of 8 bits, and never refers farther back than one with its 9.
            self._compressor = zlib.compressobj(self.level, zlib.DEFLATED, -max(bits, 9))
        data = self._compressor.compress(bytes(memoryview(data)))
        if fin:
            data += self._compressor.flush(2)  # zlib.Z_SYNC_FLUSH
            # zlib flushes nothing twice: then an empty block has to be made (§7.2.3.6).
            data = data[:-4] or b"\0"
            if self.client_no_context_takeover if proto.client else self.server_no_context_takeover:
                self._compressor = None
        return (rsv, data)

    def __repr__(self) -> str:
        fields = [
            f"client_max_window_bits={self.client_max_window_bits}",
            *["client_no_context_takeover"] * bool(self.client_no_context_takeover),
            f"server_max_window_bits={self.server_max_window_bits}",
            *["server_no_context_takeover"] * bool(self.server_no_context_takeover),
        ]
        return f"<{type(self).__name__} {'; '.join(fields)}>"


def _unquoted(text: str) -> str:
    """Parameters that were read strictly, for methods that know no quoted strings."""
    return text.replace('"', "").replace("\\", "")


def _window_bits(value: int) -> int:
    # RFC 7692 allows 8 as well; zlib, on whose behalf wsproto asks, does not.
    if value < 9 or value > 15:
        raise ValueError("Window size must be between 9 and 15 inclusive")
    return value


def _unless_broken(
    work: Callable[[_Decompressor], bytes], codec: _Decompressor
) -> bytes | CloseReason:
    import zlib

    try:
        return work(codec)
    except zlib.error:
        return CloseReason.INVALID_FRAME_PAYLOAD_DATA


#: The extensions that ws13 knows, by name.
SUPPORTED_EXTENSIONS = {PerMessageDeflate.name: PerMessageDeflate}
