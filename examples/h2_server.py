"""An echo server for WebSocket over HTTP/2 (RFC 8441): h2 has the streams, ws13 what is in them.

With a certificate and its key it speaks TLS, as browsers want it:

    python examples/h2_server.py 8765 cert.pem key.pem
"""

import asyncio
import contextlib
import ssl
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings

from ws13.connection import Connection, ConnectionState, ConnectionType
from ws13.events import CloseConnection, Message, Ping
from ws13.extensions import PerMessageDeflate
from ws13.handshake import server_extensions_handshake
from ws13.utilities import split_comma_header

VERSION_FIELD, EXTENSIONS_FIELD = b"sec-websocket-version", b"sec-websocket-extensions"
ENOUGH = 1 << 16  # bytes for a client to take before it is listened to again


class Stream:
    """A WebSocket connection on a stream of HTTP/2."""

    def __init__(self, server: "Server", stream_id: int, deflate: PerMessageDeflate) -> None:
        self.server, self.id = server, stream_id
        self.ws = Connection(ConnectionType.SERVER, [deflate])
        self.outgoing = bytearray()
        self.unread = 0  # what came, and is still missing in the client's window

    def receive(self, data: bytes, length: int) -> None:
        """Take the payload of a DATA frame."""
        self.unread += length
        if self.ws.state is ConnectionState.OPEN:
            self.ws.receive_data(data)
        self.go_on()

    def go_on(self) -> None:
        """Answer what came, as long as the client takes the answers."""
        self.send()
        while len(self.outgoing) < ENOUGH and not self.server.paused:
            event = next(self.ws.events(), None) if self.ws.state is ConnectionState.OPEN else None
            if event is None:
                self.give_back()
                return
            if isinstance(event, Message):
                self.outgoing += self.ws.send(event)
            elif isinstance(event, (Ping, CloseConnection)):
                self.outgoing += self.ws.send(event.response())
            self.send()

    def give_back(self) -> None:
        """Only now may the client send as much again."""
        self.server.h2.acknowledge_received_data(self.unread, self.id)
        self.unread = 0

    def send(self) -> None:
        """Send what the client's window has room for; behind our Close frame, END_STREAM."""
        h2 = self.server.h2
        while self.outgoing and (room := h2.local_flow_control_window(self.id)) > 0:
            size = min(room, h2.max_outbound_frame_size)
            h2.send_data(self.id, bytes(self.outgoing[:size]))
            del self.outgoing[:size]
        if not self.outgoing and self.ws.state is not ConnectionState.OPEN:
            self.server.end(self.id)
        self.server.flush()


class Server(asyncio.Protocol):
    """One connection of HTTP/2."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say that extended CONNECT is understood here (RFC 8441 §3)."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.paused = transport, False
        self.streams: dict[int, Stream] = {}
        self.h2 = H2Connection(H2Configuration(client_side=False))
        extended_connect = {SettingCodes.ENABLE_CONNECT_PROTOCOL: 1}
        self.h2.local_settings = Settings(client=False, initial_values=extended_connect)
        self.h2.initiate_connection()
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Let h2 take the frames apart."""
        try:
            for event in self.h2.receive_data(data):
                # A client may reset a stream that is being answered.
                with contextlib.suppress(StreamClosedError):
                    self.take(event)
            self.flush()
        except ProtocolError:
            self.flush()  # GOAWAY says why
            self.transport.close()

    def take(self, event: Event) -> None:
        """Do what one event asks for."""
        match event:
            case RequestReceived(stream_id=int(stream_id)):
                fields: dict[bytes, bytes] = {}
                for name, value in event.headers:
                    # A list may come in several fields (RFC 9110 §5.3).
                    fields[name] = fields[name] + b", " + value if name in fields else value
                self.answer(stream_id, fields)
            case DataReceived(stream_id=int(stream_id)):
                length = event.flow_controlled_length or 0
                if stream_id in self.streams:
                    self.streams[stream_id].receive(event.data or b"", length)
                else:
                    self.h2.acknowledge_received_data(length, stream_id)
            case WindowUpdated() | RemoteSettingsChanged():
                self.go_on()  # either can open a window (RFC 9113 §6.9)
            case StreamEnded(stream_id=int(stream_id)) if stream_id in self.streams:
                self.end(stream_id)  # TCP closed without a Close frame, as it were
            case StreamReset(stream_id=int(stream_id)) if stream_id in self.streams:
                self.forget(stream_id)
            case ConnectionTerminated():
                self.transport.close()

    def answer(self, stream_id: int, fields: dict[bytes, bytes]) -> None:
        """Answer a request: RFC 8441 §5."""
        if fields.get(b":protocol") != b"websocket" or fields.get(VERSION_FIELD) != b"13":
            status = b"501" if b":protocol" in fields else b"404"
            self.h2.send_headers(stream_id, [(b":status", status)])
            self.h2.send_data(stream_id, b"WebSocket only\n", end_stream=True)
            return
        deflate = PerMessageDeflate()
        offers = split_comma_header(fields.get(EXTENSIONS_FIELD, b""))
        agreed = server_extensions_handshake(offers, [deflate])
        answer = [(EXTENSIONS_FIELD, agreed)] if agreed else []
        self.h2.send_headers(stream_id, [(b":status", b"200"), *answer])
        self.streams[stream_id] = Stream(self, stream_id, deflate)

    def end(self, stream_id: int) -> None:
        """End a stream, which is to close TCP."""
        self.forget(stream_id)
        self.h2.end_stream(stream_id)

    def forget(self, stream_id: int) -> None:
        """Let go of a stream, and of its share of the window that all of them have."""
        self.streams.pop(stream_id).give_back()

    def go_on(self) -> None:
        """There is room in a window, or for all of them in TCP."""
        for stream in list(self.streams.values()):
            with contextlib.suppress(StreamClosedError):
                stream.go_on()

    def flush(self) -> None:
        """Hand what h2 has written to TCP."""
        self.transport.write(self.h2.data_to_send())

    def pause_writing(self) -> None:
        """Listen no more to a client that takes nothing."""
        self.paused = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on where it stopped."""
        self.paused = False
        self.transport.resume_reading()
        self.go_on()
        self.flush()


async def main(port: int, *certificate: str) -> None:
    """Serve for ever."""
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
        tls.set_alpn_protocols(["h2"])
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", port, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    print(f"echoing on {'wss' if tls else 'ws'}://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765, *sys.argv[2:]))
