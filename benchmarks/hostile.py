"""Input made to cost much: each generator yields what a peer sends, of the size it is told."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from frames import BINARY, PING, TEXT, encode
from ws13 import Config, ConnectionType, WSConnection
from ws13.connection import SERVER, Connection
from ws13.events import AcceptConnection, Request
from ws13.extensions import PerMessageDeflate
from ws13.utilities import ProtocolError, generate_accept_token

REQUEST = (
    b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
#: Without limits of the handshake: what they cut off cannot cost anything.
OPEN = Config(
    max_head_size=None,
    max_head_fields=None,
    max_interim_responses=None,
    max_rejection_body=None,
    max_early_data=None,
)


CONTINUATION = 0


def frame(opcode: int, payload: bytes, fin: bool = True, rsv: int = 0) -> bytes:
    """A masked frame, the key of which is zero."""
    whole = encode(opcode, payload, b"\0\0\0\0", rsv)
    return whole if fin else bytes([whole[0] & 0x7F]) + whole[1:]


@dataclass(frozen=True)
class Hostile:
    """What it is called, a fresh end to attack, and the chunks of an attack of size `n`."""

    name: str
    end: Callable[[], Any]
    chunks: Callable[[int], Iterator[bytes]]


def attack(hostile: Hostile, n: int) -> tuple[Any, list[bytes]]:
    """A fresh end, and the chunks for it, made in advance."""
    return hostile.end(), list(hostile.chunks(n))


def receive(end: Any, chunks: list[bytes]) -> int:
    """Everything that the end makes of the chunks; how many events that were."""
    events = 0
    for chunk in chunks:
        try:
            end.receive_data(chunk)
            for _event in end.events():
                events += 1
        except ProtocolError:
            break
    return events


def server() -> Connection:
    return Connection(SERVER)


def whole() -> Connection:
    return Connection(SERVER, config=Config(whole_messages=True))


def inflating(no_takeover: bool = False) -> Connection:
    extension = PerMessageDeflate()
    extension.accept("permessage-deflate" + ("; client_no_context_takeover" if no_takeover else ""))
    return Connection(SERVER, [extension])


def opening() -> WSConnection:
    return WSConnection(ConnectionType.SERVER, config=OPEN)


class Accepting:
    """A server that accepts whatever it is asked, with compression."""

    def __init__(self) -> None:
        self.ws = opening()

    def receive_data(self, data: bytes) -> None:
        self.ws.receive_data(data)

    def events(self) -> Iterator[Any]:
        for event in self.ws.events():
            if isinstance(event, Request):
                self.ws.send(AcceptConnection(extensions=[PerMessageDeflate()]))
            yield event


class Asking:
    """A client that waits for an answer."""

    def __init__(self) -> None:
        self.ws = WSConnection(ConnectionType.CLIENT, config=OPEN)
        request = Request(host="example.com", target="/", extensions=[PerMessageDeflate()])
        sent = self.ws.send(request)
        key = sent.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        self.accept = generate_accept_token(key)

    def receive_data(self, data: bytes) -> None:
        self.ws.receive_data(data.replace(b"{accept}", self.accept))

    def events(self) -> Iterator[Any]:
        yield from self.ws.events()


def closed() -> Connection:
    end = server()
    end.receive_data(frame(8, b"\x03\xe8"))
    assert len(list(end.events())) == 1
    return end


def failed() -> Connection:
    end = server()
    end.receive_data(b"\xff\xff")
    assert len(list(end.events())) == 1
    return end


def begun(opcode: int, payload: bytes = b"") -> bytes:
    """The first frame of a message that goes on."""
    return frame(opcode, payload, fin=False)


def continued(payload: bytes) -> bytes:
    """A frame in the middle of a message."""
    return frame(CONTINUATION, payload, fin=False)


def asked(fields: bytes) -> Iterator[bytes]:
    """A request with these fields."""
    return iter([REQUEST + fields + b"\r\n\r\n"])


OFFERS = b"Sec-WebSocket-Extensions: "
PROTOCOLS = b"Sec-WebSocket-Protocol: "


def bytewise(data: bytes) -> Iterator[bytes]:
    """One byte at a time."""
    return (data[i : i + 1] for i in range(len(data)))


def deflated(data: bytes) -> bytes:
    codec = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (codec.compress(data) + codec.flush(zlib.Z_SYNC_FLUSH))[:-4]


def compressed(payload: bytes) -> bytes:
    return frame(TEXT, payload, rsv=4)


ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: {accept}\r\n"
)
CHUNKED = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n"

HOSTILE = [
    Hostile("empty frames", server, lambda n: iter([frame(BINARY, b"") * 40 * n])),
    Hostile("frames of one byte", server, lambda n: iter([frame(BINARY, b"x") * 40 * n])),
    Hostile("pings", server, lambda n: iter([frame(PING, b"") * 40 * n])),
    Hostile("frames byte by byte", server, lambda n: bytewise(frame(BINARY, b"x") * n)),
    Hostile("a payload byte by byte", server, lambda n: bytewise(frame(BINARY, bytes(8 * n)))),
    Hostile("text byte by byte", server, lambda n: bytewise(frame(TEXT, "🎉".encode() * 2 * n))),
    Hostile("a whole message byte by byte", whole, lambda n: bytewise(frame(BINARY, bytes(8 * n)))),
    Hostile(
        "a whole message of empty fragments",
        whole,
        lambda n: iter([begun(BINARY) + continued(b"") * 40 * n]),
    ),
    Hostile(
        "a whole message of fragments of one byte",
        whole,
        lambda n: iter([begun(TEXT) + continued(b"x") * 40 * n]),
    ),
    Hostile(
        "code points cut by fragments",
        server,
        lambda n: iter(
            [begun(TEXT) + b"".join(continued(b"%c" % x) for x in "🎉".encode()) * 10 * n]
        ),
    ),
    Hostile(
        "a field that never ends, byte by byte", opening, lambda n: bytewise(REQUEST + b"a" * 8 * n)
    ),
    Hostile("many fields", opening, lambda n: asked(b"a: b\r\n" * 20 * n + b"c: d")),
    Hostile(
        "fields byte by byte", opening, lambda n: bytewise(REQUEST + b"a: b\r\n" * 4 * n + b"\r\n")
    ),
    Hostile(
        "a long target",
        opening,
        lambda n: iter([REQUEST.replace(b"/chat", b"/" + b"a" * 200 * n) + b"\r\n"]),
    ),
    Hostile("many offers", Accepting, lambda n: asked(OFFERS + b"a, " * 20 * n + b"b")),
    Hostile(
        "many offers of compression that are declined",
        Accepting,
        lambda n: asked(OFFERS + b"permessage-deflate; a, " * 2 * n + b"b"),
    ),
    Hostile(
        "an offer with many parameters",
        Accepting,
        lambda n: asked(OFFERS + b"permessage-deflate" + b"; a=b" * 20 * n),
    ),
    Hostile(
        "a quoted string with many escapes",
        Accepting,
        lambda n: asked(OFFERS + b'a; b="' + b"\\c" * 60 * n + b'"'),
    ),
    Hostile(
        "many subprotocols",
        opening,
        lambda n: asked(PROTOCOLS + b", ".join(b"p%d" % i for i in range(10 * n))),
    ),
    Hostile(
        "many lines of subprotocols",
        opening,
        lambda n: asked(b"\r\n".join(PROTOCOLS + b"p%d" % i for i in range(5 * n))),
    ),
    Hostile(
        "interim responses",
        Asking,
        lambda n: iter([b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * 4 * n]),
    ),
    Hostile(
        "a rejection in chunks of one byte",
        Asking,
        lambda n: iter([CHUNKED + b"1\r\nx\r\n" * 10 * n]),
    ),
    Hostile("a rejection byte by byte", Asking, lambda n: bytewise(CHUNKED + b"1\r\nx\r\n" * n)),
    Hostile(
        "an answer with many extensions",
        Asking,
        lambda n: iter([ANSWER + OFFERS + b"a, " * 20 * n + b"b\r\n\r\n"]),
    ),
    Hostile("bytes behind a Close frame", closed, lambda n: iter([b"\x82"] * 8 * n)),
    Hostile("bytes behind a violation", failed, lambda n: iter([b"\x82"] * 8 * n)),
    Hostile("empty compressed messages", inflating, lambda n: iter([compressed(b"\x00") * 10 * n])),
    Hostile(
        "compressed messages without takeover",
        lambda: inflating(no_takeover=True),
        lambda n: iter([compressed(deflated(b"Hello")) * 5 * n]),
    ),
    Hostile(
        "empty stored blocks",
        inflating,
        lambda n: iter([compressed(b"\x00\x00\x00\xff\xff" * 100 * n + b"\x00")]),
    ),
    Hostile(
        "last blocks in a row",
        inflating,
        lambda n: iter([compressed(b"\x03\x00" * 20 * n + b"\x00")]),
    ),
    Hostile("a bomb", inflating, lambda n: iter([compressed(deflated(bytes(10000 * n)))])),
    Hostile(
        "compressed data byte by byte",
        inflating,
        lambda n: bytewise(compressed(deflated(bytes(i * i % 251 for i in range(40 * n))))),
    ),
]
