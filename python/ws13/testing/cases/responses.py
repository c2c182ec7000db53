"""The opening handshake at a client (RFC 6455 §4.1, RFC 9112)."""

from __future__ import annotations

from collections.abc import Callable

from ws13.testing.cases.case import Answer, Echoes, Outcome
from ws13.testing.cases.chapter import CLIENTS, DROPPED, Chapter
from ws13.testing.frames import text
from ws13.testing.handshakes import ResponseHead, accept_for, response

CHAPTER = Chapter("responses")
ACCEPT = "Sec-WebSocket-Accept"
PROTOCOL = "Sec-WebSocket-Protocol"
HELLO = text("Hello")
OPENED: tuple[Outcome, ...] = (Echoes(("Hello",)),)
#: What a client reads as it likes.
EITHER: tuple[Outcome, ...] = (*OPENED, *DROPPED)


def good(
    slug: str,
    section: str,
    title: str,
    opening: Answer,
    allowed: tuple[Outcome, ...] = OPENED,
    *,
    must: bool = True,
) -> None:
    """An answer that opens the connection, and a message behind it."""
    CHAPTER.add(
        slug, section, title, HELLO, allowed=allowed, roles=CLIENTS, opening=opening, must=must
    )


def bad(slug: str, section: str, title: str, opening: Answer, *, must: bool = True) -> None:
    """An answer that does not open the connection; then TCP ends, unless the client ended it."""
    CHAPTER.add(
        slug,
        section,
        title,
        allowed=DROPPED,
        roles=CLIENTS,
        opening=opening,
        eof=True,
        must=must,
    )


def replacing(name: str, *values: str) -> Answer:
    """A good answer with other values of this field; without values, without the field."""
    return lambda key: response(key).replacing(name, *values)


def status(code: int, reason: str, *fields: tuple[str, str], body: bytes = b"") -> Answer:
    """An answer that has nothing of a WebSocket."""
    head = ResponseHead(status=code, reason=reason, fields=fields, body=body)
    return lambda key: head


def start_line(line: str) -> Answer:
    """A good answer with another status line."""
    return lambda key: ResponseHead(start_line=line, fields=response(key).fields)


def names(change: Callable[[str], str]) -> Answer:
    """A good answer with other field names."""
    return lambda key: ResponseHead(
        fields=tuple((change(str(name)), value) for name, value in response(key).fields)
    )


def behind(interim: bytes) -> Answer:
    """A good answer behind interim responses."""
    return lambda key: interim + bytes(response(key))


def accept(change: Callable[[str], str]) -> Answer:
    """A good answer with another Sec-WebSocket-Accept, made of the right one."""
    return lambda key: response(key).replacing(ACCEPT, change(accept_for(key)))


def with_field(name: str, value: str) -> Answer:
    """A good answer with one more field."""
    return lambda key: response(key).with_field(name, value)


def with_status(code: int) -> Answer:
    """A good answer but for its status."""
    return lambda key: ResponseHead(status=code, reason="Whatever", fields=response(key).fields)


def cut(size: int) -> Answer:
    """The first bytes of a good answer."""
    return lambda key: bytes(response(key))[:size]


FORM = "RFC 9112 §5"
good("good", "RFC 6455 §4.2.2", "A good answer, then a message.", response)
good("names-lower", FORM, "Field names in lower case.", names(str.lower))
good("names-upper", FORM, "Field names in upper case.", names(str.upper))
good(
    "order-reversed",
    FORM,
    "The fields in another order.",
    lambda key: ResponseHead(fields=response(key).fields[::-1]),
)
good(
    "no-space",
    FORM,
    "Nothing behind the colons.",
    lambda key: ResponseHead(fields=response(key).fields, separator=":"),
)
good(
    "more-space",
    FORM,
    "Spaces and tabs around values.",
    lambda key: ResponseHead(
        fields=tuple((name, f"{value!s}\t ") for name, value in response(key).fields),
        separator=": \t",
    ),
)
good(
    "unknown-fields",
    FORM,
    "Fields that nobody knows.",
    lambda key: response(key).with_field("Server", "x").with_field("X-Empty", ""),
)
good(
    "upgrade-case",
    "RFC 6455 §4.1",
    "Upgrade: WebSocket.",
    replacing("Upgrade", "WebSocket"),
)
good("connection-case", "RFC 6455 §4.1", "Connection: upgrade.", replacing("Connection", "upgrade"))
good(
    "connection-list",
    "RFC 6455 §4.1",
    "Connection: keep-alive, Upgrade.",
    replacing("Connection", "keep-alive, Upgrade"),
)
good(
    "connection-two-lines",
    "RFC 9110 §5.6.1",
    "Connection in two lines.",
    replacing("Connection", "keep-alive", "Upgrade"),
)
good(
    "reason-other",
    "RFC 9112 §4",
    "Another reason phrase.",
    start_line("HTTP/1.1 101 Have fun"),
)
good("reason-empty", "RFC 9112 §4", "An empty reason phrase.", start_line("HTTP/1.1 101 "))
good(
    "frame-behind-the-head",
    "RFC 6455 §4.2.2",
    "A good answer, and a message in the same segment.",
    lambda key: response(key).with_body(bytes(text("first"))),
    (Echoes(("first", "Hello")),),
)
CHAPTER.add(
    "half-a-frame-behind-the-head",
    "RFC 6455 §4.2.2",
    "A good answer and the first bytes of a message in the same segment, then the rest.",
    bytes(HELLO)[3:],
    allowed=OPENED,
    roles=CLIENTS,
    opening=lambda key: response(key).with_body(bytes(HELLO)[:3]),
)
for slug, interim in {
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
    "102-and-103": b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n",
    "199": b"HTTP/1.1 199 Whatever\r\n\r\n",
}.items():
    good(
        f"interim-{slug}",
        "RFC 9110 §15.2",
        f"Before a good answer, interim: {slug.replace('-', ' ')}.",
        behind(interim),
    )

READ_EITHER_WAY: tuple[tuple[str, str, Answer], ...] = (
    ("upgrade-list", "Upgrade: websocket, foo/1.", replacing("Upgrade", "websocket, foo/1")),
    ("http-1.0", "HTTP/1.0 101.", start_line("HTTP/1.0 101 Switching Protocols")),
    ("no-space-behind-status", "A status line that ends with 101.", start_line("HTTP/1.1 101")),
    (
        "content-length",
        "Content-Length: 0 in a 101.",
        with_field("Content-Length", "0"),
    ),
    (
        "space-before-colon",
        "A space before a colon.",
        lambda key: response(key).with_line("X-A : 1"),
    ),
    ("folded", "A folded field.", with_field("X-A", "a\r\n b")),
    ("no-colon", "A line without a colon.", lambda key: response(key).with_line("X-A")),
    ("nul", "NUL in a value.", with_field("X-A", "a\x00b")),
    (
        "bare-lf",
        "Lines that end with LF alone.",
        lambda key: ResponseHead(fields=response(key).fields, line_end="\n"),
    ),
)
for slug, title, opening in READ_EITHER_WAY:
    good(f"either-{slug}", "RFC 9112 §2.2", title, opening, EITHER, must=False)

SECTION = "RFC 6455 §4.1"
for slug, title, opening in (
    ("of-another-key", "of another key", accept(lambda right: accept_for("x"))),
    ("case", "in the other case", accept(str.swapcase)),
    ("cut", "without its last character", accept(lambda right: right[:-1])),
    ("longer", "with one more character", accept(lambda right: f"{right}=")),
    ("empty", "empty", accept(lambda right: "")),
    ("quoted", "in quotes", accept(lambda right: f'"{right}"')),
    ("twice-in-a-list", "twice in a list", accept(lambda right: f"{right}, {right}")),
):
    bad(f"accept-{slug}", SECTION, f"Sec-WebSocket-Accept {title}.", opening)
bad(
    "accept-is-the-key",
    SECTION,
    "The key itself as Sec-WebSocket-Accept.",
    lambda key: response(key).replacing(ACCEPT, key),
)
bad("accept-missing", SECTION, "No Sec-WebSocket-Accept.", replacing(ACCEPT))
bad(
    "accept-two-different",
    "RFC 6455 §11.3.3",
    "Two lines Sec-WebSocket-Accept, the wrong one first.",
    lambda key: response(key).replacing(ACCEPT, accept_for("x"), accept_for(key)),
    must=False,
)
for value in ("h2c", "websockets", "", '"websocket"'):
    bad(
        f"upgrade-{value.strip(chr(34)) + '-quoted' * (chr(34) in value) or 'empty'}",
        SECTION,
        f"Upgrade: {value}.",
        replacing("Upgrade", value),
    )
bad("upgrade-missing", SECTION, "No Upgrade.", replacing("Upgrade"))
for value in ("keep-alive", "close", "upgrades", ""):
    bad(
        f"connection-{value or 'empty'}",
        SECTION,
        f"Connection: {value}.",
        replacing("Connection", value),
    )
bad("connection-missing", SECTION, "No Connection.", replacing("Connection"))
for slug, value in {"unknown": "x-not-asked-for", "empty": "", "list": "x-one, x-two"}.items():
    bad(
        f"subprotocol-{slug}",
        SECTION,
        f"A subprotocol that was not asked for: {value!r}.",
        with_field(PROTOCOL, value),
        must=bool(value),
    )

for code, reason in (
    (200, "OK"),
    (204, "No Content"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (426, "Upgrade Required"),
    (500, "Internal Server Error"),
    (503, "Service Unavailable"),
):
    bad(
        f"status-{code}",
        SECTION,
        f"The status {code} in place of 101.",
        status(code, reason, *(() if code == 204 else (("Content-Length", "0"),))),
    )
for code in (200, 302):
    bad(
        f"status-{code}-with-all-fields",
        SECTION,
        f"The status {code}, and everything else as in a good answer.",
        with_status(code),
    )
bad(
    "status-200-with-a-body",
    SECTION,
    "A web page.",
    status(200, "OK", ("Content-Length", "13"), body=b"<p>Hello.</p>"),
)
bad(
    "status-401-chunked",
    SECTION,
    "401 with a body in chunks.",
    status(401, "Unauthorized", ("Transfer-Encoding", "chunked"), body=b"3\r\nabc\r\n0\r\n\r\n"),
)
bad(
    "only-interim",
    "RFC 9110 §15.2",
    "An interim response, and then TCP ends.",
    lambda key: b"HTTP/1.1 100 Continue\r\n\r\n",
)
for slug, line in {
    "ssh": "SSH-2.0-OpenSSH_9.2",
    "smtp": "220 mail.example.com ESMTP",
    "two-spaces": "HTTP/1.1  101 Switching Protocols",
    "status-600": "HTTP/1.1 600 Switching Protocols",
    "status-1010": "HTTP/1.1 1010 Switching Protocols",
    "status-word": "HTTP/1.1 1x1 Switching Protocols",
    "http-2": "HTTP/2.0 101 Switching Protocols",
    "lower": "http/1.1 101 Switching Protocols",
}.items():
    bad(
        f"status-line-{slug}",
        "RFC 9112 §4",
        f"The status line {line!r}.",
        start_line(line),
        must=slug in ("ssh", "smtp", "status-600", "status-word"),
    )
for slug, size in {
    "nothing": 0,
    "half-a-line": 9,
    "half-a-head": 60,
    "all-but-the-end": -1,
}.items():
    bad(
        f"cut-{slug}",
        "RFC 9112 §8",
        "A head that does not end before TCP does.",
        cut(size),
    )
