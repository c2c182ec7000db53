"""``python -m ws13 serve`` as a server of HTTP: the page, and what gets none."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.serving import TIMEOUT, Served, serving
from ws13._cli.page import HttpRequest, page

UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass
class Answer:
    """A response of HTTP."""

    status: int
    fields: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


def ask(port: int, *pieces: bytes) -> Answer:
    """Send a request, piece by piece; read until the server closes TCP."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            sock.sendall(piece)
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert int(fields["content-length"]) in (len(body), len(page()[0]))
    return Answer(int(first.split()[1]), fields, body)


def request(line: str, *fields: str) -> bytes:
    return "\r\n".join([line, "Host: localhost", *fields, "", ""]).encode()


@pytest.mark.parametrize(
    "head",
    [
        request("GET / HTTP/1.1"),
        request("GET / HTTP/1.1", "Connection: keep-alive", "Accept: text/html"),
        request("GET /?a=/b HTTP/1.1"),
        request("GET http://localhost:80/ HTTP/1.1"),
        request("GET http://localhost HTTP/1.1"),
        request("GET / HTTP/1.1", "X: a\tb", "Y: é", "Z:"),
        request("GET / HTTP/1.1").replace(b"localhost", b"[::1]:80"),
        b"\r\n" + request("GET / HTTP/1.1"),
        request("GET / HTTP/1.0"),
        b"GET / HTTP/1.0\r\n\r\n",
    ],
)
def test_a_browser_is_given_the_page(served: Served, head: bytes) -> None:
    answer = ask(served.port, head)
    document, policy = page()
    assert (answer.status, answer.body) == (200, document)
    assert answer.fields == {
        "content-type": "text/html; charset=utf-8",
        "content-length": str(len(document)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "connection": "close",
        "content-security-policy": policy.decode(),
    }


def test_head_is_answered_with_the_fields_of_the_page_alone(served: Served) -> None:
    answer = ask(served.port, request("HEAD / HTTP/1.1"))
    whole = ask(served.port, request("GET / HTTP/1.1"))
    assert (answer.status, answer.fields, answer.body) == (200, whole.fields, b"")


def test_a_request_that_comes_octet_by_octet_is_given_the_page(served: Served) -> None:
    octets = [bytes([octet]) for octet in request("GET / HTTP/1.1")]
    assert ask(served.port, *octets).status == 200


@pytest.mark.parametrize("target", ["/favicon.ico", "//", "/index.html", "http://localhost/x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_paths_are_not_found(served: Served, method: str, target: str) -> None:
    answer = ask(served.port, request(f"{method} {target} HTTP/1.1"))
    assert answer.status == 404
    assert answer.fields["connection"] == "close"


@pytest.mark.parametrize("method", ["POST", "PUT", "BREW", "get"])
def test_other_methods_are_not_allowed(served: Served, method: str) -> None:
    answer = ask(served.port, request(f"{method} / HTTP/1.1"))
    assert (answer.status, answer.fields["allow"]) == (405, "GET, HEAD")


def test_the_answer_arrives_although_the_request_has_a_long_body(served: Served) -> None:
    body = bytes(1 << 20)
    answer = ask(served.port, request("POST / HTTP/1.1", f"Content-Length: {len(body)}"), body)
    assert answer.status == 405


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"EHLO example.com\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # RFC 9112 §3.2
        (request("GET / HTTP/1.1", "Host: other"), 400),
        (request("GET / HTTP/1.1").replace(b"localhost", b""), 400),
        (request("GET / HTTP/1.0").replace(b"localhost", b"\t"), 400),
        (request("GET / HTTP/1.1").replace(b"localhost", b"a b"), 400),
        (request("GET / HTTP/1.1", "no colon"), 400),
        (request("GET / HTTP/1.1", "folded: a", " b"), 400),
        (request("GET / HTTP/1.1").replace(b"\r\n", b"\n"), 400),  # RFC 9112 §2.2 lets us
        (request("GET / HTTP/1.1").replace(b"1.1\r\n", b"1.1\n"), 400),
        (request("GET / HTTP/1.1", "X: a\nY: b"), 400),
        *(
            (request("GET / HTTP/1.1", f"X: a{control}b"), 400)
            for control in "\0\x01\x0b\r\x1f\x7f"
        ),
        (request("GET / HTTP/1.1", "Upgrade: websocket"), 400),
        ((UPGRADE % b"/").replace(b"Sec-WebSocket-Key", b"X-Key"), 400),
        ((UPGRADE % b"/").replace(b"Version: 13", b"Version: 12"), 426),
        (request("GET / HTTP/1.1", f"X: {'x' * 20000}"), 431),
        (request(f"GET /{'x' * 20000} HTTP/1.1"), 414),
    ],
)
def test_everything_else_is_answered_as_a_handshake(
    served: Served, data: bytes, status: int
) -> None:
    answer = ask(served.port, data)
    assert answer.status == status
    assert (answer.fields["content-length"], answer.body) == ("0", b"")


@pytest.mark.parametrize("target", [b"/", b"/index.html", b"/chat?x=1"])
def test_websocket_is_accepted_on_every_path(served: Served, target: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=TIMEOUT) as sock:
        sock.sendall(UPGRADE % target + b"\x82\x81\x00\x00\x00\x00!")
        received = sock.recv(65536)
        while not received.endswith(b"!"):
            received += sock.recv(65536)
    assert received.startswith(b"HTTP/1.1 101 ")
    assert received.endswith(b"\r\n\r\n\x82\x01!")


def test_the_log_says_who_was_given_the_page() -> None:
    with serving() as server:
        assert ask(server.port, request("GET / HTTP/1.1")).status == 200
        assert ask(server.port, request("GET /x HTTP/1.1")).status == 404
        assert server.stop() == 0
    given, refused = server.log.splitlines()
    assert given.endswith("was given the page")
    assert "handshake refused" in refused


def test_a_request_that_stops_half_way_is_given_up() -> None:
    with (
        serving("--handshake-timeout", "0.1") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT) as sock,
    ):
        sock.sendall(request("GET / HTTP/1.1")[:-2])
        assert sock.recv(1) == b""


def test_the_page_loads_nothing_and_the_policy_lets_it() -> None:
    document, policy = page()
    links = re.findall(r'(?:src|href)\s*=\s*"([^"]*)"', document.decode())
    assert links == ["data:,"]
    assert not re.search(rb"url\(|@import|https?://|\son\w+=|style=", document)
    assert "default-src 'none'" in policy.decode().split("; ")
    assert not re.search(rb"unsafe|\*", policy)


def test_the_page_makes_no_markup_of_strings() -> None:
    words = rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\("
    assert not re.search(words, page()[0])


@pytest.mark.parametrize(
    "head",
    [b"", b"GET / HTTP/1.1\r\n", b"GET /  HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n"],
)
def test_what_is_not_a_whole_head_is_no_request(head: bytes) -> None:
    assert HttpRequest.parse(head) is None
