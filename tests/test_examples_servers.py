"""The servers among the examples, with clients of another library and with bad ones."""

from __future__ import annotations

import importlib.util
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from support import examples
from ws13 import Config, ConnectionType, WSConnection
from ws13.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request
from ws13.extensions import Extension, PerMessageDeflate

SERVERS = ["asyncio_server", "selectors_server", "trio_server"]
TIMEOUT = 30
MESSAGES = ["text", b"binary", "", b"", "Grüße, 世界 🎉", "é" * 2**19, bytes(range(256)) * 4096]


@pytest.fixture(scope="module", params=SERVERS)
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    if request.param == "trio_server" and importlib.util.find_spec("trio") is None:
        pytest.skip("needs trio")
    with examples.serving(request.param) as port:
        yield port


def connect(port: int, **options: Any) -> Any:
    client = pytest.importorskip("websockets.sync.client")
    return client.connect(f"ws://127.0.0.1:{port}/", max_size=None, **options)


class Raw:
    """A client that can do what no client should."""

    def __init__(self, port: int, *extensions: Extension) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.ws = WSConnection(ConnectionType.CLIENT, config=Config.client())
        self.sock.sendall(self.ws.send(Request("localhost", "/", extensions)))
        assert isinstance(self.next(), AcceptConnection)

    def next(self) -> Any:
        while True:
            for event in self.ws.events():
                return event
            self.ws.receive_data(self.sock.recv(65536) or None)

    def vanish(self) -> None:
        """Reset TCP."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@pytest.mark.parametrize("compression", ["deflate", None])
def test_each_message_comes_back(port: int, compression: str | None) -> None:
    with connect(port, compression=compression) as client:
        assert bool(client.protocol.extensions) == (compression is not None)
        for message in MESSAGES:
            client.send(message)
        assert [client.recv(timeout=TIMEOUT) for _ in MESSAGES] == MESSAGES


def test_a_ping_inside_a_message_is_answered(port: int) -> None:
    with connect(port) as client:
        client.send(["in three ", "fragments"])
        assert client.ping("there?").wait(TIMEOUT)
        assert client.recv(timeout=TIMEOUT) == "in three fragments"


def test_a_close_is_answered_and_tcp_is_closed(port: int) -> None:
    with connect(port) as client:
        client.close(3000, "bye")
    assert (client.close_code, client.close_reason) == (3000, "bye")
    assert client.protocol.close_rcvd.code == 3000


def test_many_clients_talk_in_turns(port: int) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port)) for _ in range(20)]
        for word in ("one", "two"):
            for number, client in enumerate(clients):
                client.send(f"{word} {number}")
            answers = [client.recv(timeout=TIMEOUT) for client in clients]
            assert answers == [f"{word} {number}" for number in range(20)]


def test_a_client_that_takes_nothing_is_not_listened_to_and_holds_up_nobody(port: int) -> None:
    deaf = Raw(port)
    frame = deaf.ws.send(BytesMessage(bytes(1000)))
    frames = memoryview(frame * 1000)
    deaf.sock.settimeout(0.5)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 1 << 28:
            sent += deaf.sock.send(frames[sent % len(frames) :])
    with connect(port) as client:
        client.send("and I?")
        assert client.recv(timeout=TIMEOUT) == "and I?"
    deaf.sock.settimeout(TIMEOUT)
    for _ in range(sent // len(frame)):  # then it listens, and all is there
        assert deaf.next() == BytesMessage(bytes(1000))
    deaf.vanish()


def test_what_gets_long_by_inflating_is_answered_as_the_client_takes_it(port: int) -> None:
    """One read of the server becomes more than TCP takes at once, and nothing comes behind it."""
    client = Raw(port, PerMessageDeflate(server_no_context_takeover=True))
    message = BytesMessage(random.Random(13).randbytes(8000))
    stream = b"".join(client.ws.send(message) for _ in range(700))
    assert len(stream) < 65536
    with client.sock:
        client.sock.sendall(stream)
        with connect(port) as other:
            other.send("and I?")
            assert other.recv(timeout=TIMEOUT) == "and I?"
        for _ in range(700):
            assert client.next() == message


def test_clients_that_vanish_take_nobody_along(port: int) -> None:
    early = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    early.sendall(b"GET / HT")
    early.close()
    silent = Raw(port)
    silent.sock.sendall(b"\x81\xfe")
    silent.vanish()
    speaking = Raw(port)
    speaking.sock.sendall(speaking.ws.send(BytesMessage(bytes(1 << 20))))
    speaking.vanish()
    leaving = Raw(port)
    leaving.sock.shutdown(socket.SHUT_WR)
    assert leaving.next() == CloseConnection(1006)
    leaving.sock.close()
    with connect(port) as client:
        client.send("still there?")
        assert client.recv(timeout=TIMEOUT) == "still there?"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xf1\x80\x00\x00\x00\x00", 1002),  # reserved bits
        (b"\x81\x81\x00\x00\x00\x00\xff", 1007),  # text that is not UTF-8
    ],
)
def test_a_violation_is_answered_with_its_close_code_whatever_follows(
    port: int, frame: bytes, code: int
) -> None:
    bad = Raw(port)
    bad.sock.sendall(frame)
    bad.sock.sendall(bytes(1 << 20))
    close = bad.next()
    assert isinstance(close, CloseConnection)
    assert close.code == code
    assert bad.sock.recv(1) == b""
    bad.sock.close()


def test_nothing_is_answered_behind_a_close(port: int) -> None:
    client = Raw(port)
    with client.sock:
        masked = b"\x82\x80\x00\x00\x00\x00"
        client.sock.sendall(client.ws.send(Ping(b"1")) + client.ws.send(CloseConnection(1000)))
        client.sock.sendall(masked * 3)
        assert client.next() == Pong(b"1")
        assert client.next() == CloseConnection(1000, "")
        assert client.sock.recv(1) == b""


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
        (b"GET /" + bytes(20000).replace(b"\0", b"x") + b" HTTP/1.1\r\n", b"414"),
    ],
)
def test_what_is_no_handshake_is_refused(port: int, data: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as sock:
        sock.sendall(data)
        sock.sendall(bytes(1 << 20))
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 " + status)
