"""Types of connections, as a program written for wsproto sees them. Checked, not run."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import ws13
import ws13.utilities
from ws13 import ConnectionType, H11Handshake, WSConnection
from ws13.connection import CLIENT, SERVER, Connection, ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)
from ws13.extensions import Extension
from ws13.frame_protocol import CloseReason, Frame, Header, Opcode, ParseFailed, RsvBits
from ws13.handshake import client_extensions_handshake, server_extensions_handshake
from ws13.utilities import (
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    generate_accept_token,
    generate_nonce,
    normed_header_dict,
    split_comma_header,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type


def a_client(received: bytes) -> bytes:
    ws = WSConnection(ConnectionType.CLIENT)
    assert_type(ws.client, bool)
    assert_type(ws.state, ConnectionState)
    assert_type(ws.handshake, H11Handshake)
    assert_type(ws.connection, Connection | None)
    sent = ws.send(Request(host="example.com", target="/"))
    assert_type(sent, bytes)
    ws.receive_data(received)
    ws.receive_data(None)
    iterator: Iterator[Event] = ws.events()
    assert_type(next(iterator), Event)
    for event in ws.events():
        assert_type(event, Event)
        if isinstance(event, AcceptConnection):
            sent += ws.send(TextMessage("hello"))
        elif isinstance(event, CloseConnection) and ws.state is ConnectionState.REMOTE_CLOSING:
            sent += ws.send(event.response())
    return sent


def a_server(headers: list[tuple[bytes, bytes]]) -> bytes:
    ws = WSConnection(connection_type=SERVER)
    try:
        ws.initiate_upgrade_connection(headers, "/chat")
        ws.initiate_upgrade_connection(headers, b"/chat")
    except RemoteProtocolError as error:
        assert_type(error.event_hint, Event | None)
        return ws.send(error.event_hint or RejectConnection())
    except (LocalProtocolError, ProtocolError) as error:
        return str(error).encode()
    if ws.connection is not None:
        ws.connection.receive_data(b"")
        return ws.connection.send(BytesMessage(b"x"))
    return ws.handshake.send(AcceptConnection())


def a_handshake() -> None:
    handshake = H11Handshake(CLIENT)
    assert_type(handshake.client, bool)
    assert_type(handshake.state, ConnectionState)
    assert_type(handshake.connection, Connection | None)
    assert_type(handshake.send(Request("example.com", "/")), bytes)
    handshake.receive_data(None)
    for event in handshake.events():
        assert_type(event, Event)


class Named(Connection):
    """Subclasses may have other arguments and override methods."""

    def __init__(self, name: str, connection_type: ConnectionType, **kwargs: Any) -> None:
        super().__init__(connection_type, **kwargs)
        self.name = name

    def send(self, event: Event, *, compress: bool | None = None) -> bytes:
        return super().send(event, compress=compress)

    def receive_data(self, data: bytes | None) -> None:
        super().receive_data(data)

    def events(self) -> Generator[Event, None, None]:
        yield from super().events()


class Logged(WSConnection):
    def __init__(self, connection_type: ConnectionType, log: list[bytes]) -> None:
        super().__init__(connection_type)
        self.log = log

    def send(self, event: Event, *, compress: bool | None = None) -> bytes:
        data = super().send(event, compress=compress)
        self.log.append(data)
        return data


def connections_take_extensions() -> None:
    connection = Connection(CLIENT, [Reversed()], b"trailing")
    assert_type(connection.client, bool)
    assert_type(connection.state, ConnectionState)
    assert_type(Connection(SERVER, extensions=None, trailing_data=b"").state, ConnectionState)
    assert_type(Named("x", SERVER).name, str)


class Reversed(Extension):
    """An extension of a program."""

    name = "x-reversed"

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool | str:
        return True

    def accept(self, offer: str) -> bool | str | None:
        return True

    def finalize(self, offer: str) -> None:
        return None


def extensions_are_negotiated() -> None:
    assert_type(server_extensions_handshake(["x"], [Reversed()]), bytes | None)
    assert_type(client_extensions_handshake(["x-reversed"], [Reversed()]), list[Extension])


def frame_protocol_has_types() -> None:
    assert_type(Opcode.PING.iscontrol(), bool)
    assert_type(CloseReason(1000), CloseReason)
    rsv = RsvBits(rsv1=True, rsv2=False, rsv3=False)
    assert_type(rsv.rsv1, bool)
    header = Header(True, rsv, Opcode.TEXT, 5, None)
    assert_type(header.masking_key, bytes | None)
    assert_type(header.payload_len, int)
    frame = Frame(Opcode.CLOSE, (1000, "bye"), True, True)
    assert_type(frame.payload, bytes | str | tuple[int, str])
    assert_type(ParseFailed("x", CloseReason.PROTOCOL_ERROR).code, CloseReason)


def utilities_have_types() -> None:
    assert_type(ws13.__version__, str)
    assert_type(ws13.utilities.ACCEPT_GUID + b"", bytes)
    assert_type(generate_nonce(), bytes)
    assert_type(generate_accept_token(b"x"), bytes)
    assert_type(normed_header_dict([(b"a", b"b")]), dict[bytes, bytes])
    assert_type(split_comma_header(b"a, b"), list[str])
    assert_type(RemoteProtocolError("x", event_hint=None).event_hint, Event | None)
