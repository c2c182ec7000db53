"""WebSocket over HTTP/2 (RFC 8441): the server among the examples, with clients over h2."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from support import examples
from support.browser import Browser, Echoed, echo_from
from ws13.connection import Connection, ConnectionState, ConnectionType
from ws13.events import BytesMessage, CloseConnection, Event, Message, Ping, Pong, TextMessage
from ws13.extensions import PerMessageDeflate
from ws13.handshake import client_extensions_handshake

pytest.importorskip("h2")

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes

TIMEOUT = 30


class H2Client:
    """A connection of HTTP/2, over a blocking socket."""

    def __init__(self, port: int) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.streams: dict[int, H2Stream] = {}
        self.settings_came = False
        self.pongs = 0
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.sock.sendall(self.h2.data_to_send())

    def receive(self) -> None:
        """Read once."""
        data = self.sock.recv(65536)
        assert data, "the server has closed TCP"
        for event in self.h2.receive_data(data):
            stream = self.streams.get(getattr(event, "stream_id", None) or 0)
            if isinstance(event, DataReceived):
                assert stream is not None
                stream.take(event)
            elif isinstance(event, ResponseReceived):
                assert stream is not None
                stream.headers = dict(event.headers)  # type: ignore[arg-type]
            elif isinstance(event, StreamEnded):
                assert stream is not None
                stream.ended = True
            elif isinstance(event, RemoteSettingsChanged):
                self.settings_came = True
            elif isinstance(event, PingAckReceived):
                self.pongs += 1
            elif isinstance(event, StreamReset):
                raise AssertionError(event)
        self.flush()

    def open(
        self,
        fields: dict[str, str] | None = None,
        deflate: bool = False,
        more: Sequence[tuple[str, str]] = (),
    ) -> H2Stream:
        """Begin a connection (RFC 8441 §5), or send another request."""
        while not self.settings_came:
            self.receive()
        assert self.h2.remote_settings[SettingCodes.ENABLE_CONNECT_PROTOCOL] == 1
        stream = H2Stream(self, self.h2.get_next_available_stream_id())
        usual = {
            ":method": "CONNECT",
            ":protocol": "websocket",
            ":scheme": "http",
            ":path": "/chat",
            ":authority": "localhost",
            "sec-websocket-version": "13",
        }
        if deflate:
            usual["sec-websocket-extensions"] = f"permessage-deflate; {PerMessageDeflate().offer()}"
        headers = [*(fields or usual).items(), *more]
        self.h2.send_headers(stream.id, headers, end_stream=fields is not None)
        self.streams[stream.id] = stream
        self.flush()
        while not stream.headers:
            self.receive()
        if agreed := stream.headers.get("sec-websocket-extensions"):
            extensions = client_extensions_handshake([agreed], [PerMessageDeflate()])
            stream.ws = Connection(ConnectionType.CLIENT, extensions)
        return stream


class H2Stream:
    """A WebSocket connection on one of its streams."""

    def __init__(self, client: H2Client, stream_id: int) -> None:
        self.client, self.id = client, stream_id
        self.ws = Connection(ConnectionType.CLIENT)
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ended = False
        self.listening = True

    def take(self, event: DataReceived) -> None:
        assert event.flow_controlled_length is not None
        self.body += event.data or b""
        if self.listening:
            self.client.h2.acknowledge_received_data(event.flow_controlled_length, self.id)

    def send(self, event: Event) -> None:
        self.write(self.ws.send(event))

    def write(self, data: bytes) -> None:
        """Send bytes as the windows of the server let us."""
        h2 = self.client.h2
        while data:
            size = min(h2.local_flow_control_window(self.id), h2.max_outbound_frame_size, len(data))
            if size:
                h2.send_data(self.id, data[:size])
                data = data[size:]
                self.client.flush()
            else:
                self.client.receive()

    def next(self) -> Event:
        while True:
            for event in self.ws.events():
                return event
            while not self.body and not self.ended:
                self.client.receive()
            self.ws.receive_data(self.body or None)
            self.body = b""

    def message(self) -> str | bytes:
        """The next message, whole."""
        parts: list[Any] = []
        while True:
            event = self.next()
            assert isinstance(event, Message)
            parts.append(event.data)
            if event.message_finished:
                empty: str | bytes = parts[0][:0]
                return empty.join(parts)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with examples.serving("h2_server") as port:
        yield port


@contextmanager
def connected(port: int) -> Iterator[H2Client]:
    client = H2Client(port)
    with client.sock:
        yield client


@pytest.mark.parametrize("deflate", [False, True])
def test_messages_come_back(port: int, deflate: bool) -> None:
    with connected(port) as client:
        stream = client.open(deflate=deflate)
        assert stream.headers[":status"] == "200"
        assert ("sec-websocket-extensions" in stream.headers) == deflate
        for text in ("Hello", "", "Grüße, 世界 🎉"):
            stream.send(TextMessage(text))
            assert stream.message() == text
        stream.send(BytesMessage(bytes(range(256))))
        assert stream.message() == bytes(range(256))


def test_a_message_longer_than_all_windows_comes_back(port: int) -> None:
    with connected(port) as client:
        stream = client.open()
        payload = bytes(range(256)) * 4096
        stream.send(BytesMessage(payload))
        assert stream.message() == payload


def test_offers_may_come_in_several_fields(port: int) -> None:
    with connected(port) as client:
        stream = client.open(deflate=True, more=[("sec-websocket-extensions", "x-unknown")])
        assert stream.headers["sec-websocket-extensions"].startswith("permessage-deflate")


def test_a_window_that_settings_open_is_used(port: int) -> None:
    """RFC 9113 §6.9.2: a new initial size changes the windows of all streams."""
    with connected(port) as client:
        client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        stream = client.open()
        stream.send(TextMessage("Hello"))
        client.h2.ping(bytes(8))
        client.flush()
        while not client.pongs:
            client.receive()
        assert stream.body == b""
        client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 65535})
        client.flush()
        assert stream.message() == "Hello"


def test_what_came_with_a_close_is_given_back_once() -> None:
    spec = importlib.util.spec_from_file_location("h2_server", examples.FOLDER / "h2_server.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)

    class Transport(asyncio.Transport):
        def write(self, data: Any) -> None:
            client.receive_data(data)

    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    server = example.Server()
    server.connection_made(Transport())
    server.data_received(client.data_to_send())
    given_back: list[int] = []
    server.h2.acknowledge_received_data = lambda size, _: given_back.append(size)
    fields = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": "/"}
    fields |= {":authority": "localhost", "sec-websocket-version": "13"}
    client.send_headers(1, list(fields.items()))
    ws = Connection(ConnectionType.CLIENT)
    data = ws.send(BytesMessage(bytes(1000))) + ws.send(CloseConnection(1000))
    client.send_data(1, data)
    server.data_received(client.data_to_send())
    assert server.streams == {}
    assert sum(given_back) == len(data)


def test_two_connections_share_one_of_http(port: int) -> None:
    with connected(port) as client:
        one, other = client.open(), client.open(deflate=True)
        for number in range(10):
            one.send(TextMessage(f"one {number}"))
            other.send(TextMessage(f"other {number}"))
        for number in range(10):
            assert other.message() == f"other {number}"
            assert one.message() == f"one {number}"


def test_a_ping_inside_a_message_is_answered(port: int) -> None:
    with connected(port) as client:
        stream = client.open()
        stream.send(TextMessage("one", message_finished=False))
        stream.send(Ping(b"there?"))
        assert stream.next() == TextMessage("one", message_finished=False)
        assert stream.next() == Pong(b"there?")


def test_a_close_is_answered_and_ends_the_stream_alone(port: int) -> None:
    with connected(port) as client:
        stream, other = client.open(), client.open()
        stream.send(CloseConnection(3000, "bye"))
        assert stream.next() == CloseConnection(3000, "bye")
        until_end(stream)
        still_there(other)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xf1\x80\x00\x00\x00\x00", 1002),  # reserved bits
        (b"\x81\x81\x00\x00\x00\x00\xff", 1007),  # text that is not UTF-8
    ],
)
def test_a_violation_is_answered_with_its_close_code(port: int, frame: bytes, code: int) -> None:
    with connected(port) as client:
        stream, other = client.open(), client.open()
        stream.write(frame + bytes(1000))
        close = stream.next()
        assert isinstance(close, CloseConnection)
        assert close.code == code
        until_end(stream)
        still_there(other)


def test_a_stream_that_ends_or_is_reset_takes_no_other_along(port: int) -> None:
    with connected(port) as client:
        ended, reset, other = client.open(), client.open(), client.open()
        for stream in (ended, reset):
            stream.send(BytesMessage(bytes(10_000)))
        client.h2.end_stream(ended.id)
        client.h2.reset_stream(reset.id, ErrorCodes.CANCEL)
        client.flush()
        until_end(ended)
        still_there(other)


def test_a_connection_that_vanishes_takes_no_other_along(port: int) -> None:
    with connected(port) as client:
        stream = client.open()
        with connected(port) as vanishing:
            vanishing.open().send(BytesMessage(bytes(10_000)))
        still_there(stream)


def test_a_connection_that_takes_nothing_is_not_listened_to(port: int) -> None:
    """The server takes what both windows hold and what it answers meanwhile, and no more."""
    with connected(port) as client:
        deaf = client.open()
        deaf.listening = False
        message = deaf.ws.send(BytesMessage(bytes(1 << 20)))
        client.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            deaf.write(message)
        assert client.h2.local_flow_control_window(deaf.id) == 0
        client.sock.settimeout(TIMEOUT)
        assert 0 < len(deaf.body) <= 65535
        # What it did not give back is what we have not read.
        client.h2.acknowledge_received_data(len(deaf.body), deaf.id)
        deaf.listening = True
        client.flush()
        while deaf.client.h2.local_flow_control_window(deaf.id) == 0:
            client.receive()


@pytest.mark.parametrize("ending", ["reset", "closed"])
def test_what_a_stream_that_is_gone_has_sent_is_given_back_to_the_others(
    port: int, ending: str
) -> None:
    with connected(port) as client:
        other = client.open()
        for _ in range(5):
            stream = client.open()
            data = bytes(16_000)
            if ending == "closed":
                stream.send(CloseConnection(1000))
                until_end(stream)
                client.h2.send_data(stream.id, data)
            else:
                client.h2.send_data(stream.id, stream.ws.send(BytesMessage(data)))
                client.h2.reset_stream(stream.id, ErrorCodes.CANCEL)
            client.flush()
            still_there(other)
        payload = bytes(200_000)
        other.send(BytesMessage(payload))
        assert other.message() == payload


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({":method": "GET", ":protocol": None, "sec-websocket-version": None}, "404"),
        ({":protocol": "connect-udp"}, "501"),
        ({"sec-websocket-version": "12"}, "501"),
    ],
)
def test_other_requests_are_refused(port: int, changes: dict[str, Any], status: str) -> None:
    fields = {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "http",
        ":path": "/",
        ":authority": "localhost",
        "sec-websocket-version": "13",
        **changes,
    }
    with connected(port) as client:
        stream = client.open({name: value for name, value in fields.items() if value})
        assert stream.headers[":status"] == status
        until_end(stream)
        assert stream.body == b"WebSocket only\n"


def test_what_is_no_http_2_is_hung_up_on(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while sock.recv(65536):
            pass


def test_a_browser_speaks_it_over_tls(
    browser: Browser, certificate_and_key: tuple[str, str]
) -> None:
    certificate, key = certificate_and_key
    messages = ["text", b"binary", "", b"", "Grüße, 世界 🎉", "x" * 300_000, bytes(300_000)]
    with (
        examples.serving("h2_server", certificate, key) as port,
        browser.tab() as tab,
    ):
        tab.call("Security.setIgnoreCertificateErrors", {"ignore": True})
        # The page opens the connection of HTTP/2 that the one of WebSocket then is a part of.
        tab.go(f"https://127.0.0.1:{port}/")
        assert tab.wait_for("Network.responseReceived")["response"]["protocol"] == "h2"
        echoed = echo_from(tab, f"wss://127.0.0.1:{port}/", messages)
    assert echoed == Echoed(4, 3, "", echoed.extensions, 1000, True)
    assert echoed.extensions.startswith("permessage-deflate")


def until_end(stream: H2Stream) -> None:
    while not stream.ended:
        stream.client.receive()


def still_there(stream: H2Stream) -> None:
    stream.send(TextMessage("still there?"))
    assert stream.message() == "still there?"
    assert stream.ws.state is ConnectionState.OPEN
