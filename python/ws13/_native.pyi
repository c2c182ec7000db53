"""
The part of ws13 that is written in Rust: the events, the handshake and the connections.

Import these names from `ws13` and its modules. The types of an event's fields are those of events
that were received; an event that a program makes keeps each value as it was given.
"""

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import Field
from types import GenericAlias, TracebackType
from typing import Any, ClassVar, Final, Generic, Literal, TypeAlias, TypeVar, final

from typing_extensions import Never, Self, disjoint_base

from .connection import ConnectionState, ConnectionType
from .extensions import Extension
from .typing import Headers

__all__ = [
    "VERSION",
    "AcceptConnection",
    "BytesMessage",
    "CloseConnection",
    "Config",
    "Connection",
    "Event",
    "Events",
    "H11Handshake",
    "Inflater",
    "Message",
    "Ping",
    "Pong",
    "RejectConnection",
    "RejectData",
    "Request",
    "TextMessage",
    "WSConnection",
    "accept_deflate",
    "finalize_deflate",
    "forget_entropy",
    "mask",
    "offer_deflate",
    "parse_header",
    "raise_panics_as",
]

_Bytes: TypeAlias = bytes | bytearray | memoryview
_Fields: TypeAlias = Iterable[tuple[bytes | str, bytes | str]]
_T_co = TypeVar("_T_co", bound=str | _Bytes, covariant=True)

#: The version of the package.
VERSION: Final[str]

class Event:
    """The base of all events."""

    __match_args__: ClassVar[Any]
    def __replace__(self, /, **changes: Any) -> Self: ...

@disjoint_base
class Request(Event):
    """The request that opens a connection (RFC 6455 §4.1)."""

    __match_args__: ClassVar[
        tuple[
            Literal["host"],
            Literal["target"],
            Literal["extensions"],
            Literal["extra_headers"],
            Literal["subprotocols"],
        ]
    ]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    def __new__(
        cls,
        host: str,
        target: str,
        extensions: Sequence[Extension] | Sequence[str] = [],
        extra_headers: _Fields = [],
        subprotocols: Sequence[str] = [],
    ) -> Self: ...
    @property
    def host(self) -> str:
        """The value of Host; names that are not ASCII are sent as IDNA, and decoded."""
    @property
    def target(self) -> str:
        """The request target: a path and perhaps a query, or an absolute URI."""
    @property
    def extensions(self) -> Sequence[Extension] | Sequence[str]:
        """
        What a client offers: extensions when it is sent; when it is received their texts, the first
        512 at most.
        """
    @property
    def extra_headers(self) -> Headers:
        """All other fields, the names of received ones in lower case."""
    @property
    def subprotocols(self) -> list[str]:
        """
        The subprotocols that the client speaks, the best one first; when it is received the first
        512 at most.
        """

@disjoint_base
class AcceptConnection(Event):
    """The acceptance of a request (RFC 6455 §4.2.2)."""

    __match_args__: ClassVar[
        tuple[Literal["subprotocol"], Literal["extensions"], Literal["extra_headers"]]
    ]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    def __new__(
        cls,
        subprotocol: str | None = None,
        extensions: Sequence[Extension] = [],
        extra_headers: _Fields = [],
    ) -> Self: ...
    @property
    def subprotocol(self) -> str | None:
        """The subprotocol in use, one of those offered."""
    @property
    def extensions(self) -> list[Extension]:
        """The extensions in use; from a server, those that it supports."""
    @property
    def extra_headers(self) -> Headers:
        """All other fields."""

@disjoint_base
class RejectConnection(Event):
    """The rejection of a request: a final response of HTTP, perhaps with a body."""

    __match_args__: ClassVar[tuple[Literal["status_code"], Literal["headers"], Literal["has_body"]]]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    def __new__(
        cls, status_code: int = 400, headers: _Fields = [], has_body: bool = False
    ) -> Self: ...
    @property
    def status_code(self) -> int:
        """The status code, 200 to 599."""
    @property
    def headers(self) -> Headers:
        """The fields of the response."""
    @property
    def has_body(self) -> bool:
        """Whether `RejectData` follows."""

@disjoint_base
class RejectData(Event):
    """A piece of a rejection's body."""

    __match_args__: ClassVar[tuple[Literal["data"], Literal["body_finished"]]]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    def __new__(cls, data: _Bytes, body_finished: bool = True) -> Self: ...
    @property
    def data(self) -> bytes:
        """The bytes of the piece, without the framing of HTTP."""
    @property
    def body_finished(self) -> bool:
        """Whether the body ends with the piece."""

@disjoint_base
class CloseConnection(Event):
    """A Close frame, or the end of the connection without one (RFC 6455 §5.5.1 and §7.1)."""

    __match_args__: ClassVar[tuple[Literal["code"], Literal["reason"]]]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    def __new__(cls, code: int, reason: str | None = None) -> Self: ...
    @property
    def code(self) -> int:
        """The close code: a `CloseReason` if it is a registered one."""
    @property
    def reason(self) -> str | None:
        """The close reason, at most 123 bytes of UTF-8 on the wire."""
    def response(self) -> CloseConnection:
        """The Close frame that answers this one (RFC 6455 §5.5.1)."""

@disjoint_base
class Message(Event, Generic[_T_co]):
    """A message, or a piece of one (RFC 6455 §5.4 and §5.6)."""

    __match_args__: ClassVar[
        tuple[Literal["data"], Literal["frame_finished"], Literal["message_finished"]]
    ]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    def __new__(
        cls, data: _T_co, frame_finished: bool = True, message_finished: bool = True
    ) -> Self: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    @property
    def data(self) -> _T_co:
        """The payload, or a piece of it."""
    @property
    def frame_finished(self) -> bool:
        """Whether the frame ends with the piece. Each event that is sent is a frame of its own."""
    @property
    def message_finished(self) -> bool:
        """Whether the message ends with the piece."""

class TextMessage(Message[str]):
    """A text message, or a piece of one."""

    def __new__(
        cls, data: str, frame_finished: bool = True, message_finished: bool = True
    ) -> Self: ...

class BytesMessage(Message[bytes]):
    """A binary message, or a piece of one."""

    def __new__(
        cls, data: _Bytes, frame_finished: bool = True, message_finished: bool = True
    ) -> Self: ...

@disjoint_base
class Ping(Event):
    """A Ping frame of at most 125 bytes (RFC 6455 §5.5.2)."""

    __match_args__: ClassVar[tuple[Literal["payload"]]]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    def __new__(cls, payload: _Bytes = b"") -> Self: ...
    @property
    def payload(self) -> bytes:
        """Its application data."""
    def response(self) -> Pong:
        """The Pong that answers this Ping (RFC 6455 §5.5.3)."""

@disjoint_base
class Pong(Event):
    """A Pong frame of at most 125 bytes (RFC 6455 §5.5.3)."""

    __match_args__: ClassVar[tuple[Literal["payload"]]]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    def __new__(cls, payload: _Bytes = b"") -> Self: ...
    @property
    def payload(self) -> bytes:
        """Its application data."""

@final
class Events:
    """What `events()` returns: an iterator with the methods of a generator."""

    _exhausted: bool
    def __iter__(self) -> Self: ...
    def __next__(self) -> Event: ...
    def close(self) -> None:
        """Ends the iteration. What was not taken comes out of another one."""
    def send(self, value: object) -> Event:
        """The next event; `value` is not looked at."""
    def throw(
        self,
        error: BaseException | type[BaseException],
        value: object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> Never:
        """Ends the iteration and raises `error`, or one of that class with `value`."""

@disjoint_base
class Connection:
    """
    One end of an open WebSocket connection (RFC 6455 §5 to §8).

    `extensions` are those that were negotiated; what is not enabled is left out. `trailing_data`
    are bytes that came behind the opening handshake. `config` sets limits, and whether messages are
    given out whole.
    """

    def __init__(
        self,
        connection_type: ConnectionType,
        extensions: Iterable[Extension] | None = None,
        trailing_data: bytes = b"",
        *,
        config: Config | None = None,
    ) -> None: ...
    @property
    def client(self) -> bool:
        """Whether this is the client's end."""
    @property
    def state(self) -> ConnectionState:
        """Where the connection stands. It changes with the event that changes it."""
    _state: ConnectionState
    #: Events that `events()` gives out first.
    _events: deque[Event]
    def send(self, event: Event, *, compress: bool | None = None) -> bytes:
        """
        Returns the bytes that tell the peer of a message, Ping, Pong or Close.

        `compress` says whether to compress the message that the event begins, where that was
        agreed; None leaves it to the extension.

        Raises `LocalProtocolError` if the event cannot be sent now, or not as it is (RFC 6455 §5.5,
        §7.4), and `TypeError` if a field has the wrong type or text and bytes meet in one message.
        Nothing has changed then.
        """
    def send_text(
        self, text: str, message_finished: bool = True, *, compress: bool | None = None
    ) -> bytes:
        """
        Returns a frame of a text message, as `send` does for a `TextMessage`, and raises the same.
        """
    def send_bytes(
        self, data: _Bytes, message_finished: bool = True, *, compress: bool | None = None
    ) -> bytes:
        """
        Returns a frame of a binary message, as `send` does for a `BytesMessage`, and raises the
        same.
        """
    def ping(self, payload: _Bytes = b"") -> bytes:
        """Returns a Ping frame, as `send` does for a `Ping`, and raises the same."""
    def pong(self, payload: _Bytes = b"") -> bytes:
        """Returns a Pong frame, as `send` does for a `Pong`, and raises the same."""
    def close(self, code: int = 1000, reason: str | None = None) -> bytes:
        """Returns a Close frame, as `send` does for a `CloseConnection`, and raises the same."""
    def send_all(self, events: Iterable[Event]) -> bytes:
        """
        Returns the bytes that tell the peer of all `events`, as `send` does for each.

        Raises what `send` raises. What was made of the events before the one that is refused comes
        with the next call that sends, or with `send_all(())`.
        """
    def send_parts(
        self, event: Event | bytes, *, compress: bool | None = None
    ) -> tuple[bytes, bytes]:
        """
        Returns header and payload of a frame: what `send` returns, for `writelines` and `sendmsg`.

        `bytes` are a binary message. A payload that goes out as it is, a server's that is not
        compressed, is not copied if it is `bytes`. Raises what `send` raises.
        """
    def receive(self, data: bytes | None) -> list[Event]:
        """
        Takes bytes that the peer sent and returns all events that they bring: `receive_data` and
        `events` in one call.

        Raises what these raise. What came before the error is there in the next call.
        """
    def receive_data(self, data: bytes | None) -> None:
        """
        Takes bytes that the peer sent, any number, cut anywhere; None when the stream has ended.

        Raises `LocalProtocolError` if the connection is closed and `events()` has not been run to
        its end.
        """
    def events(self) -> Generator[Event]:
        """Iterates over what the peer did. An iterator that is left keeps nothing back."""
    def __copy__(self) -> Never: ...
    def __deepcopy__(self, _memo: object) -> Never: ...

@disjoint_base
class H11Handshake:
    """One end of an opening handshake over HTTP/1.1 (RFC 6455 §4)."""

    def __init__(
        self, connection_type: ConnectionType, *, config: Config | None = None
    ) -> None: ...
    @property
    def client(self) -> bool:
        """Whether this is the client's end."""
    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
    @property
    def connection(self) -> Connection | None:
        """The connection that has come of the handshake, None before."""
    def initiate_upgrade_connection(self, headers: _Fields, path: str | bytes) -> None:
        """
        Takes a request that an HTTP server has parsed already; a server's end only.

        Raises `RemoteProtocolError` if the request breaks a rule of RFC 6455 §4.2.1, and
        `LocalProtocolError` if this is a client or there was a request before.
        """
    def send(self, event: Event) -> bytes:
        """
        Returns the bytes of a Request, AcceptConnection, RejectConnection or RejectData.

        Raises `LocalProtocolError` if the event cannot be sent now, or not as it is. Nothing has
        changed then.
        """
    def receive_data(self, data: bytes | None) -> None:
        """
        Takes bytes that the peer sent, any number, cut anywhere; None when the stream has ended.

        Raises `RemoteProtocolError` if the peer's part of the handshake breaks a rule. Its
        `event_hint` is the answer that a server may send.
        """
    def events(self) -> Generator[Event]:
        """Iterates over what the peer did."""
    def __copy__(self) -> Never: ...
    def __deepcopy__(self, _memo: object) -> Never: ...

@disjoint_base
class WSConnection:
    """One end of a WebSocket connection, opening handshake included (RFC 6455)."""

    def __init__(
        self, connection_type: ConnectionType, *, config: Config | None = None
    ) -> None: ...
    @property
    def client(self) -> bool:
        """Whether this is the client's end."""
    @property
    def handshake(self) -> H11Handshake:
        """The opening handshake."""
    @property
    def connection(self) -> Connection | None:
        """
        The connection, None until the handshake is done. A program may put another object with its
        methods in its place.
        """
    @connection.setter
    def connection(self, connection: Connection | None) -> None: ...
    @property
    def state(self) -> ConnectionState:
        """Where the connection stands. It changes with the event that changes it."""
    def initiate_upgrade_connection(self, headers: _Fields, path: str | bytes) -> None:
        """
        Takes a request that an HTTP server has parsed already; a server's end only.

        Raises `RemoteProtocolError` if the request breaks a rule of RFC 6455 §4.2.1, and
        `LocalProtocolError` if this is a client or there was a request before.
        """
    def send(self, event: Event, *, compress: bool | None = None) -> bytes:
        """
        Returns the bytes that tell the peer of an event.

        `compress` says whether to compress the message that the event begins, where that was
        agreed; None leaves it to the extension.

        Raises `LocalProtocolError` if the event cannot be sent now, or not as it is, and
        `TypeError` if a field has the wrong type or text and bytes meet in one message. Nothing has
        changed then.
        """
    def send_text(
        self, text: str, message_finished: bool = True, *, compress: bool | None = None
    ) -> bytes:
        """
        Returns a frame of a text message, as `send` does for a `TextMessage`, and raises the same.
        """
    def send_bytes(
        self, data: _Bytes, message_finished: bool = True, *, compress: bool | None = None
    ) -> bytes:
        """
        Returns a frame of a binary message, as `send` does for a `BytesMessage`, and raises the
        same.
        """
    def ping(self, payload: _Bytes = b"") -> bytes:
        """Returns a Ping frame, as `send` does for a `Ping`, and raises the same."""
    def pong(self, payload: _Bytes = b"") -> bytes:
        """Returns a Pong frame, as `send` does for a `Pong`, and raises the same."""
    def close(self, code: int = 1000, reason: str | None = None) -> bytes:
        """Returns a Close frame, as `send` does for a `CloseConnection`, and raises the same."""
    def send_all(self, events: Iterable[Event]) -> bytes:
        """
        Returns the bytes that tell the peer of all `events`, as `send` does for each.

        Raises what `send` raises. What was made of the events before the one that is refused comes
        with the next call that sends, or with `send_all(())`.
        """
    def send_parts(
        self, event: Event | bytes, *, compress: bool | None = None
    ) -> tuple[bytes, bytes]:
        """
        Returns header and payload of a frame: what `send` returns, for `writelines` and `sendmsg`.

        `bytes` are a binary message. A payload that goes out as it is, a server's that is not
        compressed, is not copied if it is `bytes`. Raises what `send` raises.
        """
    def receive(self, data: bytes | None) -> list[Event]:
        """
        Takes bytes that the peer sent and returns all events that they bring: `receive_data` and
        `events` in one call.

        Raises what these raise. What came before the error is there in the next call.
        """
    def receive_data(self, data: bytes | None) -> None:
        """
        Takes bytes that the peer sent, any number, cut anywhere; None when the stream has ended.

        Raises `RemoteProtocolError` if the peer's part of the handshake breaks a rule: its
        `event_hint` is the answer that a server may send. Raises `LocalProtocolError` if the
        connection is closed and `events()` has not been run to its end.
        """
    def events(self) -> Generator[Event]:
        """Iterates over what the peer did. An iterator that is left keeps nothing back."""
    def __copy__(self) -> Never: ...
    def __deepcopy__(self, _memo: object) -> Never: ...

@final
class Config:
    """
    What a connection is told when it is made (RFC 6455 §10.4).

    All arguments are keywords. Limits are numbers above 0; None is no limit. Whoever breaks one
    fails the connection with close code 1009, or the handshake. The default has the events of
    wsproto: messages come in pieces as they arrive, of any length.

    Raises `ValueError` for a limit below 1, and `TypeError` for one that is no int.
    """

    def __new__(
        cls,
        *,
        whole_messages: bool = False,
        max_message_size: int | None = None,
        max_frame_size: int | None = None,
        max_fragments: int | None = None,
        piece_size: int | None = 65536,
        max_head_size: int | None = 16384,
        max_head_fields: int | None = 128,
        max_interim_responses: int | None = 16,
        max_rejection_body: int | None = 1048576,
        max_early_data: int | None = 65536,
    ) -> Self: ...
    @staticmethod
    def server(**changes: Any) -> Config:
        """What suits a server: whole messages of at most 1 MiB in at most 4096 frames."""
    @staticmethod
    def client(**changes: Any) -> Config:
        """What suits a client: whole messages of at most 64 MiB."""
    @property
    def whole_messages(self) -> bool:
        """Whether each message is one event. Without it the pieces are events of their own."""
    @property
    def max_message_size(self) -> int | None:
        """Bytes of a message, after inflating."""
    @property
    def max_frame_size(self) -> int | None:
        """Bytes of a frame's payload, before inflating."""
    @property
    def max_fragments(self) -> int | None:
        """Frames of a message."""
    @property
    def piece_size(self) -> int | None:
        """Bytes that inflating gives out in one event."""
    @property
    def max_head_size(self) -> int | None:
        """Bytes of a request's or response's head (RFC 9112 §2.1)."""
    @property
    def max_head_fields(self) -> int | None:
        """Field lines in a head."""
    @property
    def max_interim_responses(self) -> int | None:
        """Interim (1xx) responses before the final one."""
    @property
    def max_rejection_body(self) -> int | None:
        """Bytes of the body of a rejection."""
    @property
    def max_early_data(self) -> int | None:
        """Bytes behind a request that is not answered yet."""
    def __replace__(self, **changes: Any) -> Config: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, int | None]]: ...

@final
class Inflater:
    """Inflates messages, with the interface of `zlib.decompressobj()`."""

    def __new__(cls, window_bits: int) -> Self: ...
    def decompress(self, data: bytes) -> bytes:
        """Inflates a piece of a message's payload; `zlib.error` if it is no DEFLATE."""
    def flush(self) -> bytes:
        """Ends the message; `zlib.error` if its payload stops inside a block."""

def parse_header(
    data: _Bytes, client: bool
) -> tuple[bool, tuple[bool, bool, bool], int, int, bytes | None, int] | None:
    """
    FIN, reserved bits, opcode, payload length and masking key of the header that `data` begins
    with, and its length in bytes; None if it is not complete (RFC 6455 §5.2).

    Raises `ParseFailed` if the peer of this end must not send it.
    """

def mask(data: _Bytes, key: bytes) -> bytearray:
    """`data` masked or unmasked (RFC 6455 §5.3); `ValueError` if the key has not four bytes."""

def offer_deflate(wanted: tuple[bool, int, bool, int]) -> str:
    """A client's offer (RFC 7692 §7.1), without the name of the extension."""

def accept_deflate(
    offer: str, wanted: tuple[bool, int, bool, int]
) -> tuple[tuple[bool, int, bool, int], str] | None:
    """What a server agrees to and its answer (RFC 7692 §7.1); None declines the offer."""

def finalize_deflate(
    answer: str, wanted: tuple[bool, int, bool, int]
) -> tuple[bool, int, bool, int]:
    """What is agreed when a server answers so (RFC 7692 §7.1); or `RemoteProtocolError`."""

def forget_entropy() -> None:
    """Makes masking keys that were drawn in advance lapse; called in a child after `fork()`."""

def raise_panics_as(class_: type[Exception]) -> None:
    """Puts the exception for a panic below `class_`, once, when ws13 is imported."""
