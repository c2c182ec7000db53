"""Hypothesis strategies for the heads of opening handshakes, legal, broken and in between."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import strategies as st

from support import http

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = [
    "GET /chat?x=1 HTTP/1.1",
    "Host: example.com",
    "Upgrade: websocket",
    "Connection: keep-alive, Upgrade",
    f"Sec-WebSocket-Key: {KEY}",
    "Sec-WebSocket-Version: 13",
]
OTHER_REQUEST_LINES = [
    "Sec-WebSocket-Protocol: chat, superchat",
    'Sec-WebSocket-Extensions: permessage-deflate; x="a,b"',
    "Sec-WebSocket-Extensions: ;",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Host: example.org",
    "Sec-WebSocket-Version: 8",
    "X-Note: caf\xe9",
    "X-Empty:",
    "no colon",
    " folded",
    "Origin: http://example.com",
    "X-Nul: \x00",
]
STARTS = [
    "POST /chat HTTP/1.1",
    "GET /chat HTTP/1.0",
    "GET * HTTP/1.1",
    "SSH-2.0-x",
    "GET  / HTTP/1.1",
]
OTHER_RESPONSE_LINES = [
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Sec-WebSocket-Protocol: chat",
    "Sec-WebSocket-Protocol: other",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "Server: caf\xe9",
    "X-Nul: \x00",
    "no colon",
]
RESPONSE_STARTS = [
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 101",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 302 Found",
    "HTTP/1.1 204 No Content",
    "HTTP/1.0 101 Switching Protocols",
    "HTTP/1.1 103 Early Hints",
    "HTTP/1.1 999 What",
    "garbage",
]


#: Stands for the right token, and is as long as it.
TOKEN = "the-token-for-the-sent-key-0"


def answering(key: str, chunks: list[bytes]) -> list[bytes]:
    """The same chunks with the token that answers the key."""
    data = b"".join(chunks).replace(TOKEN.encode(), http.accept_token(key).encode())
    ends = list(accumulate(map(len, chunks)))
    return [data[i:j] for i, j in zip([0, *ends], ends, strict=False)]


def head(lines: list[str]) -> bytes:
    return "".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1")


@st.composite
def spoiled(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes, perhaps with a few of them changed, doubled or left out."""
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=2)) + data[at + draw(st.integers(0, 2)) :]
    return data


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """What a server may get for a request."""
    lines = list(REQUEST)
    if draw(st.integers(0, 3)) == 0:
        lines[0] = draw(st.sampled_from(STARTS))
    if draw(st.integers(0, 3)) == 0:
        del lines[draw(st.integers(1, len(lines) - 1))]
    lines += draw(st.lists(st.sampled_from(OTHER_REQUEST_LINES), max_size=2))
    data = head(lines)
    return draw(spoiled(data)) if draw(st.integers(0, 2)) == 0 else data


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """What a client may get for an answer, with a body perhaps; see ``answering`` for the token."""
    lines = [
        RESPONSE_STARTS[0],
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {TOKEN}",
    ]
    if draw(st.integers(0, 2)) == 0:
        lines[0] = draw(st.sampled_from(RESPONSE_STARTS))
    if draw(st.integers(0, 3)) == 0:
        del lines[draw(st.integers(1, len(lines) - 1))]
    lines += draw(st.lists(st.sampled_from(OTHER_RESPONSE_LINES), max_size=2))
    data = head(lines)
    if draw(st.integers(0, 3)) == 0:
        data = head(["HTTP/1.1 100 Continue"]) + data
    if draw(st.booleans()):
        data += draw(st.sampled_from([b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n"]))
    return draw(spoiled(data)) if draw(st.integers(0, 2)) == 0 else data
