"""``python -m ws13 serve`` and ``connect``, as processes, over TCP on the loopback interface."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from support.ends import End, accepting, answering
from support.serving import Served, serving
from ws13 import ConnectionType
from ws13._cli.address import parse_header, parse_url
from ws13._cli.commands import parse_line
from ws13._cli.wording import visible
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

TIMEOUT = 30
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: %s\r\n\r\n"
)


# serve


@pytest.fixture
def served() -> Iterator[Served]:
    with serving("--subprotocol", "chat") as server:
        yield server


def test_serve_echoes_each_frame_and_keeps_the_bounds_of_messages(served: Served) -> None:
    client = served.open()
    with client.sock:
        client.send(TextMessage("one", message_finished=False))
        client.send(TextMessage("two"))
        client.send(BytesMessage(b"\x00\xff"))
        assert client.next() == TextMessage("one", message_finished=False)
        assert client.next() == TextMessage("two")
        assert client.next() == BytesMessage(b"\x00\xff")


def test_serve_answers_a_ping_inside_a_fragmented_message(served: Served) -> None:
    client = served.open()
    with client.sock:
        client.send(TextMessage("one", message_finished=False))
        client.send(Ping(b"there?"))
        assert client.next() == TextMessage("one", message_finished=False)
        assert client.next() == Pong(b"there?")


def test_serve_answers_a_close_closes_tcp_and_logs_a_line(served: Served) -> None:
    client = served.open("superchat", "chat")
    with client.sock as sock:
        client.send(CloseConnection(3000, "bye"))
        assert client.next() == CloseConnection(3000, "bye")
        assert sock.recv(1) == b""
        host, port = sock.getsockname()
    assert served.stop() == 0
    assert f"{host}:{port}  subprotocol chat  closed by the client: 3000: bye" in served.log


def test_serve_agrees_to_no_subprotocol_it_does_not_know(served: Served) -> None:
    with served.open("superchat").sock:
        assert isinstance(served.accepted, AcceptConnection)
        assert served.accepted.subprotocol is None


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xf1\x80\x00\x00\x00\x00", 1002),  # reserved bits
        (b"\x81\x81\x00\x00\x00\x00\xff", 1007),  # text that is not UTF-8
    ],
)
def test_serve_closes_with_the_code_of_the_violation(
    served: Served, frame: bytes, code: int
) -> None:
    client = served.open()
    with client.sock as sock:
        sock.sendall(frame)
        close = client.next()
        assert isinstance(close, CloseConnection)
        assert close.code == code
        assert sock.recv(1) == b""
    assert served.stop() == 0
    assert f"the client broke the protocol: {code}" in served.log


def test_serve_survives_a_client_that_vanishes(served: Served) -> None:
    served.open().sock.close()
    client = served.open()
    with client.sock:
        client.send(Ping())
        assert client.next() == Pong()
    assert served.stop() == 0
    assert "connection lost" in served.log


@pytest.mark.parametrize(
    ("request_bytes", "answer"),
    [
        (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 405 "),
        (REQUEST % b"7", b"HTTP/1.1 426 "),
    ],
)
def test_serve_refuses_what_is_no_handshake_for_it(
    served: Served, request_bytes: bytes, answer: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=TIMEOUT) as sock:
        sock.sendall(request_bytes)
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.startswith(answer)
    assert served.stop() == 0
    assert "handshake refused" in served.log


def test_serve_does_not_wait_for_a_handshake_for_ever() -> None:
    with serving("--handshake-timeout", "0.1") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT) as sock:
            sock.sendall(b"GET / HT")
            assert sock.recv(1) == b""
        assert server.stop() == 0
    assert "no handshake within 0.1 seconds" in server.log


def test_serve_says_goodbye_with_1001_when_it_is_stopped(served: Served) -> None:
    client = served.open()
    with client.sock:
        served.process.send_signal(signal.SIGINT)
        close = client.next()
        assert close == CloseConnection(1001, "the server is stopping")
        assert isinstance(close, CloseConnection)
        client.send(close.response())
        assert client.sock.recv(1) == b""
    assert served.process.wait(timeout=TIMEOUT) == 0


def test_serve_stops_reading_from_a_client_that_takes_nothing(served: Served) -> None:
    client = served.open()
    with client.sock as sock:
        message = client.ws.send(BytesMessage(bytes(1 << 20)))
        sock.settimeout(1)

        def send_a_quarter_of_a_gigabyte() -> None:
            for _ in range(256):
                sock.sendall(message)

        with pytest.raises(TimeoutError):
            send_a_quarter_of_a_gigabyte()


def test_serve_says_which_port_is_taken(served: Served) -> None:
    command = [sys.executable, "-m", "ws13", "serve", "--port", str(served.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1
    assert f"cannot serve on 127.0.0.1 port {served.port}" in done.stderr


# connect


def connect(
    *arguments: str, lines: str = "", wait: str = "0.3"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ws13", "connect", "--wait", wait, *arguments],
        input=lines,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
    )


def test_connect_sends_the_lines_of_a_pipe_prints_the_answers_and_closes(served: Served) -> None:
    lines = "hello\n/binary 00 ff\n//slash\n\u00e9\n/ping abc\n"
    done = connect(served.url, "--subprotocol", "chat", lines=lines)
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["< hello", "< binary 00ff", "< /slash", "< \u00e9"]
    assert "subprotocol: chat" in done.stderr
    assert "pong abc" in done.stderr
    assert "closed: 1000 normal closure" in done.stderr
    assert served.stop() == 0
    assert "closed by the client: 1000" in served.log


def test_connect_closes_with_the_code_and_reason_it_is_told(served: Served) -> None:
    done = connect(served.url, lines="/close 3001 so long\n")
    assert done.returncode == 0
    assert "closed: 3001: so long" in done.stderr


def test_connect_reports_a_line_it_cannot_send_and_goes_on(served: Served) -> None:
    done = connect(served.url, lines="/dance\n/binary x\nhello\n")
    assert done.returncode == 0
    assert done.stdout == "< hello\n"
    assert "/dance is not a command" in done.stderr
    assert "'x' is not hexadecimal" in done.stderr


def test_connect_shows_the_status_and_the_body_of_a_rejection() -> None:
    def reject(sock: socket.socket) -> None:
        end = End(ConnectionType.SERVER, sock)
        end.next()
        end.send(RejectConnection(403, [(b"content-length", b"8")], has_body=True))
        end.send(RejectData(b"no entry"))

    with answering(reject) as url:
        done = connect(url)
    assert done.returncode == 1
    assert "rejected: HTTP status 403 Forbidden" in done.stderr
    assert "no entry" in done.stderr


def test_connect_sends_the_headers_it_is_given() -> None:
    seen: list[tuple[bytes, bytes]] = []

    def answer(sock: socket.socket) -> None:
        end = End(ConnectionType.SERVER, sock)
        request = end.next()
        assert isinstance(request, Request)
        seen.extend(request.extra_headers)
        end.send(RejectConnection(401))

    with answering(answer) as url:
        connect(url, "--header", "Cookie: a=b", "--header", "X-Empty:")
    assert {(b"cookie", b"a=b"), (b"x-empty", b"")} <= set(seen)


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"", "closed TCP"), (b"220 mail.example ESMTP\r\n\r\n", "not a WebSocket handshake")],
)
def test_connect_says_when_there_is_no_websocket_server(answer: bytes, words: str) -> None:
    def not_websocket(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(answer)

    with answering(not_websocket) as url:
        done = connect(url)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert words in done.stderr or "not a WebSocket handshake" in done.stderr


@pytest.mark.parametrize(("code", "status"), [(1000, 0), (1001, 0), (1011, 1), (4000, 1)])
def test_exit_status_of_connect_tells_a_good_close_from_a_bad_one(code: int, status: int) -> None:
    def close(end: End) -> None:
        end.send(CloseConnection(code, "why not"))
        end.next()

    with accepting(close) as url:
        done = connect(url, wait="20")
    assert done.returncode == status
    assert f"closed by the server: {code}" in done.stderr
    assert "why not" in done.stderr


def test_connect_reports_a_connection_that_is_lost() -> None:
    with accepting(lambda _: None) as url:
        done = connect(url, wait="20")
    assert done.returncode == 1
    assert "connection lost: 1006" in done.stderr


def test_connect_closes_with_the_code_of_the_violation() -> None:
    closes: list[Event] = []

    def violate(end: End) -> None:
        end.sock.sendall(b"\xf1\x00")
        closes.append(end.next())

    with accepting(violate) as url:
        done = connect(url, wait="20")
    assert done.returncode == 1
    assert "the server broke the protocol: 1002" in done.stderr
    assert isinstance(closes[0], CloseConnection)
    assert closes[0].code == 1002


def test_connect_gives_up_when_its_pings_stay_unanswered() -> None:
    def ignore(end: End) -> None:
        while end.sock.recv(65536):
            pass

    with accepting(ignore) as url:
        done = connect(url, "--ping-interval", "0.1", wait="20")
    assert done.returncode == 1
    assert "no pong within 0.1 s" in done.stderr


def test_connect_escapes_what_the_peer_could_do_to_the_terminal() -> None:
    def clear_screen(end: End) -> None:
        end.send(TextMessage("\x1b[2Jhi"))
        end.send(CloseConnection(1000))
        end.next()

    with accepting(clear_screen) as url:
        done = connect(url, wait="20")
    assert done.stdout == "< \\x1b[2Jhi\n"
    assert visible("a\u202eb") == "a\\u202eb"


def test_wss_works_and_a_certificate_nobody_vouches_for_is_refused(
    certificate_and_key: tuple[str, str],
) -> None:
    certificate, key = certificate_and_key
    with serving("--tls-cert", certificate, "--tls-key", key) as server:
        assert server.url.startswith("wss://")
        refused = connect(server.url, lines="hello\n")
        accepted = connect(server.url, "--insecure", lines="hello\n")
        assert server.stop() == 0
    assert refused.returncode == 1
    assert "certificate" in refused.stderr
    assert (accepted.returncode, accepted.stdout) == (0, "< hello\n")


# What is typed


@pytest.mark.parametrize(
    ("url", "host_header", "port", "resource"),
    [
        ("ws://example.com", "example.com", 80, "/"),
        ("wss://example.com/chat?room=1", "example.com", 443, "/chat?room=1"),
        ("ws://example.com:443", "example.com:443", 443, "/"),
        ("WS://EXAMPLE.com:80/a%20b", "example.com", 80, "/a%20b"),
        ("ws://[::1]:8765/", "[::1]:8765", 8765, "/"),
        ("ws://[fe80::1%25lo]/", "[fe80::1]", 80, "/"),
        ("ws://b\u00fccher.example/\u00fc", "xn--bcher-kva.example", 80, "/%C3%BC"),
        ("ws://example.com?x", "example.com", 80, "/?x"),
    ],
)
def test_urls_are_taken_apart(url: str, host_header: str, port: int, resource: str) -> None:
    address = parse_url(url)
    assert (address.host_header, address.port, address.resource) == (host_header, port, resource)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://example.com", "ws:// or wss://"),
        ("example.com", "ws:// or wss://"),
        ("ws:///chat", "no host"),
        ("ws://example.com:0", "port 0"),
        ("ws://example.com:99999", "not a URL"),
        ("ws://example.com:x", "not a URL"),
        ("ws://example.com/#top", "no fragment"),
        ("ws://user:secret@example.com", "no user name"),
        ("ws://exa mple.com", "space"),
        ("ws://example.com/\r\nX: y", "control character"),
        ("ws://[::1", "not a URL"),
        ("ws://ex<ample.com", "not a host name"),
    ],
)
def test_urls_that_cannot_be_connected_to_are_explained(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_url(url)


@pytest.mark.parametrize(
    "header", ["Cookie", "a b: c", "X: a\r\nY: b", "Host: x", "Sec-WebSocket-Key: x", ": x"]
)
def test_headers_that_would_break_the_handshake_are_refused(header: str) -> None:
    with pytest.raises(ValueError):
        parse_header(header)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("hello", TextMessage("hello")),
        ("", TextMessage("")),
        ("//ping", TextMessage("/ping")),
        ("/ping", Ping()),
        ("/ping a b", Ping(b"a b")),
        ("/binary 00ff", BytesMessage(b"\x00\xff")),
        ("/close", CloseConnection(1000)),
        ("/close 4000", CloseConnection(4000)),
        ("/close 1000 see you", CloseConnection(1000, "see you")),
    ],
)
def test_lines_become_events(line: str, event: Event) -> None:
    assert parse_line(line) == event


@pytest.mark.parametrize(
    "line",
    [
        "/dance",
        "/binary 0",
        "/close x",
        "/close 999",
        "/close 1006",
        "/close 2000",
        "/close 1000 " + "x" * 124,
        "/ping " + "x" * 126,
    ],
)
def test_lines_that_cannot_be_sent_are_explained(line: str) -> None:
    with pytest.raises(ValueError):
        parse_line(line)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["connect"],
        ["connect", "http://example.com"],
        ["connect", "ws://example.com", "--header", "x"],
        ["connect", "ws://example.com", "--ping-interval", "0"],
        ["connect", "ws://example.com", "--subprotocol", "a b"],
        ["serve", "--port", "70000"],
        ["serve", "--tls-key", "key.pem"],
    ],
)
def test_a_mistake_on_the_command_line_exits_with_2(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "ws13", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m ws13")


def test_importing_ws13_imports_neither_asyncio_nor_the_subcommands() -> None:
    check = "import sys, ws13; print([n for n in sys.modules if n in {'asyncio', 'ws13._cli'}])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.stdout == "[]\n"
