"""Code as programs have it that were written for wsproto, with their annotations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterable
from functools import singledispatch
from typing import Any, Optional, Union

import ws13
import ws13.frame_protocol as fp
from ws13 import Connection, ConnectionState, ConnectionType, H11Handshake, WSConnection, events
from ws13.connection import CLIENT, SERVER
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from ws13.extensions import SUPPORTED_EXTENSIONS, Extension, PerMessageDeflate
from ws13.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits
from ws13.handshake import client_extensions_handshake, server_extensions_handshake
from ws13.typing import Headers
from ws13.utilities import LocalProtocolError, RemoteProtocolError, normed_header_dict


class Counts(Extension):
    """With the annotations of wsproto's own hooks."""

    name = "counts"

    def __init__(self) -> None:
        self.frames = 0
        self._enabled = False

    def enabled(self) -> bool:
        return self._enabled

    def offer(self) -> Union[bool, str]:
        return True

    def accept(self, offer: str) -> Optional[Union[bool, str]]:
        self._enabled = "counts" in offer
        return self._enabled

    def finalize(self, offer: str) -> None:
        self._enabled = True

    def frame_inbound_header(
        self,
        proto: Union[FrameDecoder, FrameProtocol],
        opcode: Opcode,
        rsv: RsvBits,
        payload_length: int,
    ) -> Union[CloseReason, RsvBits]:
        self.frames += 1
        return RsvBits(False, False, proto.client)

    def frame_inbound_payload_data(
        self, proto: Union[FrameDecoder, FrameProtocol], data: bytes
    ) -> Union[bytes, CloseReason]:
        return super().frame_inbound_payload_data(proto, data)

    def frame_inbound_complete(
        self, proto: Union[FrameDecoder, FrameProtocol], fin: bool
    ) -> Union[bytes, CloseReason, None]:
        return None

    def frame_outbound(
        self,
        proto: Union[FrameDecoder, FrameProtocol],
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        return rsv, data


class Deflate(PerMessageDeflate):
    """A subclass that lets nothing but one parameter through."""

    def accept(self, offer: str) -> Union[bool, str, None]:
        answer = super().accept(offer)
        return answer if isinstance(answer, str) else False


class Tagged(WSConnection):
    """Another signature, and a further attribute."""

    def __init__(self, tag: str, *, client: bool = False) -> None:
        super().__init__(ConnectionType.CLIENT if client else ConnectionType.SERVER)
        self.tag = tag

    def events(self) -> Generator[Event, None, None]:
        return super().events()


class Direct(Connection):
    """A connection whose handshake another library does."""

    def __init__(self, extensions: Optional[list[Extension]] = None, *, stream: int = 0) -> None:
        super().__init__(SERVER, extensions, b"")
        self.stream = stream


class Reader:
    """Puts messages together, as each of wsproto's users does."""

    def __init__(self, send: Callable[[bytes], None], connection_type: ConnectionType) -> None:
        self.ws = WSConnection(connection_type=connection_type)
        self.send = send
        self.text = ""
        self.data = bytearray()
        self.headers: Headers = []
        self.code: int = CloseReason.ABNORMAL_CLOSURE
        self.reason: Optional[str] = None

    def open(self, host: str, path: str, subprotocols: list[str]) -> None:
        self.send(
            self.ws.send(
                Request(
                    host=host,
                    target=path,
                    subprotocols=subprotocols,
                    extensions=[PerMessageDeflate(), Counts()],
                    extra_headers=[(b"user-agent", b"x")],
                )
            )
        )

    def feed(self, data: Optional[bytes]) -> Iterable[Union[str, bytes]]:
        try:
            self.ws.receive_data(data)
        except RemoteProtocolError as error:
            if error.event_hint is not None:
                self.send(self.ws.send(error.event_hint))
            return
        for event in self.ws.events():
            if isinstance(event, Request):
                self.headers = event.extra_headers
                chosen = event.subprotocols[0] if event.subprotocols else None
                self.send(self.ws.send(AcceptConnection(chosen, [Deflate()], [(b"x", b"y")])))
            elif isinstance(event, TextMessage):
                self.text += event.data
                if event.message_finished:
                    yield self.text
            elif isinstance(event, BytesMessage):
                self.data.extend(event.data)
                if event.message_finished:
                    yield bytes(self.data)
            elif isinstance(event, Ping):
                self.send(self.ws.send(event.response()))
            elif isinstance(event, CloseConnection):
                self.code, self.reason = event.code, event.reason
                if self.ws.state is ConnectionState.REMOTE_CLOSING:
                    self.send(self.ws.send(event.response()))
            elif isinstance(event, (RejectConnection, RejectData)):
                return

    def close(self) -> None:
        if self.ws.connection is not None and self.ws.connection.state != ConnectionState.CLOSED:
            try:
                self.send(self.ws.send(CloseConnection(code=CloseReason.NORMAL_CLOSURE)))
            except LocalProtocolError:
                pass


@singledispatch
def handle(event: Event, sent: list[bytes]) -> None:
    raise TypeError(type(event))


@handle.register(Message)
def handle_message(event: Message[Any], sent: list[bytes]) -> None:
    sent.append(event.data)


def kind(event: Event) -> str:
    match event:
        case TextMessage(data=data) if data:
            return data
        case CloseConnection(code, reason):
            return f"{int(code)} {reason}"
        case Ping() | Pong():
            return "control"
        case _:
            return ""


def handshake_of_an_http_server(headers: list[tuple[bytes, bytes]]) -> Optional[bytes]:
    handshake = H11Handshake(SERVER)
    handshake.initiate_upgrade_connection(headers, "/")
    supported: list[Extension] = [SUPPORTED_EXTENSIONS["permessage-deflate"]()]
    client_extensions_handshake([], supported)
    wanted = normed_header_dict(headers)[b"sec-websocket-extensions"].decode().split(",")
    return server_extensions_handshake(wanted, supported)


def frames(data: bytes) -> list[tuple[fp.Opcode, Union[bytes, str, tuple[int, str]]]]:
    protocol = fp.FrameProtocol(client=True, extensions=[])
    protocol.receive_bytes(data)
    sent: bytearray = protocol.send_data("x", fin=False) + protocol.close(1000, "bye")
    decoder = fp.FrameDecoder(client=False)
    decoder.receive_bytes(bytes(sent))
    return [(frame.opcode, frame.payload) for frame in protocol.received_frames()]


def shown(event: events.Request) -> dict[str, Any]:
    return dataclasses.asdict(dataclasses.replace(event, target="/other"))


VERSION: tuple[int, ...] = tuple(int(part) for part in ws13.__version__.split("."))
ROLES = {CLIENT: "client", SERVER: "server"}
