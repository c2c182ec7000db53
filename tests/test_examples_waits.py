"""What the examples do with peers that are silent, deaf or too many."""

from __future__ import annotations

import asyncio
import importlib.util
import random
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support import examples
from ws13 import Config, ConnectionType, WSConnection
from ws13.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage
from ws13.extensions import Extension, PerMessageDeflate

TIMEOUT = 30


@pytest.fixture(scope="module", params=["asyncio_server", "trio_server"])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that waits two seconds where it waits longer as a rule."""
    if request.param == "trio_server" and importlib.util.find_spec("trio") is None:
        pytest.skip("needs trio")
    source = (examples.FOLDER / f"{request.param}.py").read_text(encoding="utf-8")
    source, found = re.subn(r"(?m)^(SILENCE|PATIENCE) = [\d.]+", r"\1 = 2.0", source)
    assert found == 2
    yield from serving(source, tmp_path_factory.mktemp("hurried"))


def serving(source: str, folder: Path) -> Iterator[int]:
    (folder / "server.py").write_text(source, encoding="utf-8")
    with examples.serving(str(folder / "server")) as port:
        yield port


class Client:
    """It speaks and listens when it is told to."""

    def __init__(self, port: int, *extensions: Extension) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(("127.0.0.1", port))
        self.ws = WSConnection(ConnectionType.CLIENT, config=Config.client())
        self.sock.sendall(self.ws.send(Request("localhost", "/", extensions)))
        assert isinstance(self.next(), AcceptConnection)

    def next(self) -> Any:
        while True:
            for event in self.ws.events():
                return event
            self.ws.receive_data(self.sock.recv(65536) or None)


def test_a_silent_client_is_asked_and_then_closed(port: int) -> None:
    client = Client(port)
    with client.sock:
        assert client.next() == Ping(b"")
        assert client.next() == CloseConnection(1011, "no answer to a Ping")
        assert client.sock.recv(1) == b""


def test_a_client_that_only_answers_may_stay(port: int) -> None:
    client = Client(port)
    with client.sock:
        for _ in range(3):
            ping = client.next()
            assert ping == Ping(b"")
            client.sock.sendall(client.ws.send(ping.response()))
        client.sock.sendall(client.ws.send(TextMessage("and I?")))
        assert client.next() == TextMessage("and I?")


def test_a_client_that_takes_nothing_is_given_up(port: int) -> None:
    client = Client(port)
    frame = client.ws.send(BytesMessage(bytes(1 << 20)))
    with client.sock, pytest.raises(ConnectionError):
        for _ in range(100):
            client.sock.sendall(frame)


def test_a_client_that_takes_its_answers_slowly_is_not(port: int) -> None:
    client = Client(port, PerMessageDeflate(server_no_context_takeover=True))
    message = BytesMessage(random.Random(13).randbytes(8000))
    with client.sock:
        client.sock.sendall(b"".join(client.ws.send(message) for _ in range(700)))
        for number in range(700):
            if number % 30 == 0:
                time.sleep(0.15)  # in all more than the server waits, without an answer taken
            event = client.next()
            while isinstance(event, Ping):
                client.sock.sendall(client.ws.send(event.response()))
                event = client.next()
            assert event == message


def test_too_many_clients_do_not_end_a_server(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    source = (examples.FOLDER / "selectors_server.py").read_text(encoding="utf-8")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
    for port in serving(limit + source, tmp_path):
        with ExitStack() as stack:
            first = Client(port)
            stack.enter_context(first.sock)
            for _ in range(30):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), TIMEOUT))
            first.sock.sendall(first.ws.send(TextMessage("still there?")))
            assert first.next() == TextMessage("still there?")
        last = Client(port)
        last.sock.close()


def test_what_a_server_says_behind_its_close_is_not_collected() -> None:
    spec = importlib.util.spec_from_file_location("c", examples.FOLDER / "asyncio_client.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)

    class Reader:
        pieces = 3

        async def read(self, size: int = -1) -> bytes:
            assert size > 0, "all of it"
            self.pieces -= 1
            return b"more" if self.pieces else b""

    class Transport:
        def abort(self) -> None:
            pass

    class Writer:
        transport = Transport()

        async def wait_closed(self) -> None:
            pass

    reader = Reader()
    asyncio.run(example.Client(reader, Writer()).close_tcp())
    assert reader.pieces == 0
