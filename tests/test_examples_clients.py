"""The clients among the examples, with servers that do this and that."""

from __future__ import annotations

import socket

import pytest

from support import examples
from support.ends import End, accepting, answering
from support.serving import serving
from ws13 import ConnectionType
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

CLIENTS = ["asyncio_client", "threads_client"]

each_client = pytest.mark.parametrize("client", CLIENTS)


def next_closing(end: End) -> CloseConnection:
    """The next Close, whatever comes before it."""
    while not isinstance(event := end.next(), CloseConnection):
        pass
    return event


@each_client
def test_it_prints_the_answers_and_says_goodbye(client: str) -> None:
    messages = ["one", "", "Grüße, 世界 🎉", "x" * 100_000]
    with serving() as server:
        done = examples.run(client, server.port, *messages)
        assert server.stop() == 0
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == messages
    assert "closed by the client: 1000" in server.log


@each_client
def test_it_answers_a_ping_inside_a_message(client: str) -> None:
    seen: list[Event] = []

    def talk(end: End) -> None:
        assert isinstance(end.next(), Message)
        end.send(TextMessage("in ", message_finished=False))
        end.send(Ping(b"there?"))
        seen.append(end.next())
        end.send(TextMessage("two"))
        end.send(next_closing(end).response())

    with accepting(talk) as url:
        done = examples.run(client, port(url), "hello")
    assert (done.returncode, done.stdout) == (0, "in two\n")
    assert seen == [Pong(b"there?")]


@each_client
def test_it_answers_the_close_of_the_server_and_tells_of_it(client: str) -> None:
    seen: list[Event] = []

    def talk(end: End) -> None:
        end.send(CloseConnection(1011, "out of order"))
        seen.append(next_closing(end))

    with accepting(talk) as url:
        done = examples.run(client, port(url), "hello")
    assert done.returncode == 1
    assert "1011" in done.stderr
    assert "out of order" in done.stderr
    assert seen == [CloseConnection(1011, "out of order")]


@each_client
def test_it_tells_that_the_server_has_vanished(client: str) -> None:
    with accepting(lambda end: None) as url:
        done = examples.run(client, port(url), "hello")
    assert done.returncode == 1
    assert "1006" in done.stderr or "reset" in done.stderr.lower()


@each_client
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xf1\x00", 1002),  # reserved bits
        (b"\x81\x01\xff", 1007),  # text that is not UTF-8
        (b"\x82\x7f\x00\x00\x00\x00\x10\x00\x00\x00", 1009),  # 256 MiB
    ],
)
def test_it_answers_a_violation_with_its_close_code(client: str, data: bytes, code: int) -> None:
    seen: list[int] = []

    def talk(end: End) -> None:
        end.sock.sendall(data)
        seen.append(next_closing(end).code)

    with accepting(talk) as url:
        done = examples.run(client, port(url), "hello")
    assert done.returncode == 1
    assert str(code) in done.stderr
    assert seen == [code]


@each_client
def test_it_answers_a_close_that_comes_while_messages_wait_to_be_sent(client: str) -> None:
    seen: list[int] = []

    def answer(sock: socket.socket) -> None:
        end = End(ConnectionType.SERVER, sock)
        assert isinstance(end.next(), Request)
        # In one segment: the Close is there before the client has sent what it is asked to send.
        sock.sendall(end.ws.send(AcceptConnection()) + end.ws.send(CloseConnection(1012)))
        seen.append(next_closing(end).code)

    with answering(answer) as url:
        done = examples.run(client, port(url), *["hello"] * 2000)
    assert done.returncode == 1
    assert "1012" in done.stderr
    assert seen == [1012]


@each_client
def test_it_tells_that_it_was_rejected(client: str) -> None:
    def reject(sock: socket.socket) -> None:
        end = End(ConnectionType.SERVER, sock)
        end.next()
        end.send(RejectConnection(403))

    with answering(reject) as url:
        done = examples.run(client, port(url), "hello")
    assert done.returncode == 1
    assert "403" in done.stderr


@each_client
@pytest.mark.parametrize("answer", [b"", b"220 mail.example ESMTP\r\n\r\n"])
def test_it_tells_that_there_is_no_websocket_server(client: str, answer: bytes) -> None:
    def no_server(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(answer)

    with answering(no_server) as url:
        done = examples.run(client, port(url), "hello")
    assert done.returncode == 1
    assert done.stderr
    assert "Traceback" not in done.stderr


@each_client
def test_a_server_that_says_more_than_it_was_asked_is_no_trouble(client: str) -> None:
    def talk(end: End) -> None:
        for number in range(5):
            end.send(BytesMessage(bytes([number])))
        end.send(next_closing(end).response())

    with accepting(talk) as url:
        done = examples.run(client, port(url), "hello")
    assert done.returncode == 0


def port(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])
