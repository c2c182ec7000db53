"""The opening handshake at a server (RFC 6455 §4.2, RFC 9112)."""

from __future__ import annotations

from ws13.testing.cases.case import HOST, Accepts, Echoes, Outcome, Refuses
from ws13.testing.cases.chapter import (
    ACCEPTED_OR_REFUSED,
    REFUSED,
    SERVERS,
    Chapter,
    fails,
)
from ws13.testing.frames import text
from ws13.testing.handshakes import SAMPLE_KEY, RequestHead, accept_for, request

CHAPTER = Chapter("requests")
GOOD = request()
KEY = "Sec-WebSocket-Key"
VERSION = "Sec-WebSocket-Version"
PROTOCOL = "Sec-WebSocket-Protocol"
MASKED = bytes(text("Hello").masked(b"\x37\xfa\x21\x3d"))


def add(
    slug: str,
    section: str,
    title: str,
    opening: RequestHead,
    allowed: tuple[Outcome, ...] | Outcome,
    *,
    must: bool = True,
) -> None:
    """A request to a server under test."""
    CHAPTER.add(slug, section, title, allowed=allowed, roles=SERVERS, opening=opening, must=must)


add(
    "good",
    "RFC 6455 §4.2.2",
    "A good request: the answer has the token of its key.",
    GOOD,
    Accepts(
        (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", accept_for(SAMPLE_KEY)),
            ("Sec-WebSocket-Extensions", None),
            (PROTOCOL, None),
        )
    ),
)
for name, key in (("plus-and-slash", "+/+/+/+/+/+/+/+/+/+/+w=="), ("zeros", "A" * 22 + "==")):
    add(
        f"key-{name}",
        "RFC 6455 §4.2.2",
        f"A good request with the key {key}.",
        request(key=key),
        Accepts((("Sec-WebSocket-Accept", accept_for(key)),)),
    )
LOWER = RequestHead(fields=tuple((str(name).lower(), value) for name, value in GOOD.fields))
UPPER = RequestHead(fields=tuple((str(name).upper(), value) for name, value in GOOD.fields))
ACCEPTED: dict[str, tuple[str, RequestHead]] = {
    "names-lower": ("field names in lower case", LOWER),
    "names-upper": ("field names in upper case", UPPER),
    "order-reversed": ("the fields in another order", RequestHead(fields=GOOD.fields[::-1])),
    "no-space": ("nothing behind the colons", RequestHead(fields=GOOD.fields, separator=":")),
    "more-space": (
        "tabs and spaces around values",
        RequestHead(
            fields=tuple((name, f"{value!s}\t ") for name, value in GOOD.fields),
            separator=": \t ",
        ),
    ),
    "upgrade-case": ("Upgrade: WebSocket", GOOD.replacing("Upgrade", "WebSocket")),
    "connection-case": ("Connection: upgrade", GOOD.replacing("Connection", "upgrade")),
    "connection-list": (
        "Connection: keep-alive, Upgrade",
        GOOD.replacing("Connection", "keep-alive, Upgrade"),
    ),
    "unknown-fields": (
        "fields that nobody knows",
        GOOD.with_field("X-Empty", "").with_field("X-Twice", "1").with_field("X-Twice", "2"),
    ),
    "value-obs-text": ("bytes beyond ASCII in a value", GOOD.with_field("X-A", b"\x80\xff")),
    "value-tab": ("a tab inside a value", GOOD.with_field("X-A", "a\tb")),
    "name-of-all-characters": (
        "a field name of every character that a token may have",
        GOOD.with_field("!#$%&'*+-.^_`|~09azAZ", "1"),
    ),
    "cookie": ("a Cookie of 2,000 bytes", GOOD.with_field("Cookie", "a=" + "b" * 1998)),
    "subprotocols": ("two subprotocols", request(subprotocols=["chat", "superchat"])),
    "content-length-0": ("Content-Length: 0", GOOD.with_field("Content-Length", "0")),
}
for slug, (words, head) in ACCEPTED.items():
    add(f"accepted-{slug}", "RFC 6455 §4.2.1", f"A good request with {words}.", head, Accepts())
# HTTP lets a server ignore Upgrade; lists are read as lists by those who do not.
LISTS: dict[str, tuple[str, RequestHead]] = {
    "upgrade-list": ("Upgrade: foo/1, websocket", GOOD.replacing("Upgrade", "foo/1, websocket")),
    "upgrade-two-lines": ("Upgrade in two lines", GOOD.replacing("Upgrade", "foo/1", "websocket")),
    "connection-two-lines": (
        "Connection in two lines",
        GOOD.replacing("Connection", "keep-alive", "Upgrade"),
    ),
    "connection-empty-elements": (
        "Connection: , Upgrade,",
        GOOD.replacing("Connection", ", Upgrade,"),
    ),
    "subprotocols-empty-elements": (
        "empty elements between subprotocols",
        GOOD.with_field(PROTOCOL, ",,chat, ,superchat,"),
    ),
    "subprotocols-two-lines": (
        "subprotocols in two lines",
        GOOD.with_field(PROTOCOL, "chat").with_field(PROTOCOL, "superchat"),
    ),
}
for slug, (words, head) in LISTS.items():
    add(
        slug,
        "RFC 9110 §5.6.1",
        f"A good request with {words}.",
        head,
        ACCEPTED_OR_REFUSED,
        must=False,
    )

for method in ("POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "get", "GETX"):
    add(
        f"method-{method}",
        "RFC 6455 §4.2.1",
        f"The method {method}.",
        RequestHead(method=method, fields=GOOD.fields),
        (Refuses((400, 405, 501)), *REFUSED),
    )
for version in ("HTTP/1.0", "HTTP/0.9", "HTTP/2.0"):
    add(
        f"version-{version[-3:]}",
        "RFC 6455 §4.2.1" if version < "HTTP/1.1" else "RFC 9112 §2.3",
        f"The version {version}.",
        RequestHead(version=version, fields=GOOD.fields),
        (Refuses((400, 426, 505)), *REFUSED),
        must=version < "HTTP/1.1",
    )
HOSTS = {
    "missing": GOOD.without("Host"),
    "twice": GOOD.with_field("Host", HOST),
    "two-different": GOOD.with_field("Host", "other.example"),
}
for slug, head in HOSTS.items():
    add(f"host-{slug}", "RFC 9112 §3.2", f"Host is {slug.replace('-', ' ')}.", head, REFUSED)
for slug, host in {
    "slash": "a/b",
    "space": "a b",
    "user": "user@example.com",
    "port": "example.com:x",
    "bracket": "[::1",
    "latin-1": "ex\xe9mple.com",
}.items():
    add(
        f"host-{slug}",
        "RFC 9112 §3.2",
        f"The host {host!a}, which is none.",
        GOOD.replacing("Host", host),
        REFUSED,
    )
for slug, head in {
    "missing": GOOD.without("Upgrade"),
    "h2c": GOOD.replacing("Upgrade", "h2c"),
    "websockets": GOOD.replacing("Upgrade", "websockets"),
    "empty": GOOD.replacing("Upgrade", ""),
    "quoted": GOOD.replacing("Upgrade", '"websocket"'),
}.items():
    add(
        f"upgrade-{slug}",
        "RFC 6455 §4.2.1",
        f"Upgrade is {slug}.",
        head,
        (Refuses((400, 426)), *REFUSED),
    )
for slug, head in {
    "missing": GOOD.without("Connection"),
    "keep-alive": GOOD.replacing("Connection", "keep-alive"),
    "close": GOOD.replacing("Connection", "close"),
    "upgrades": GOOD.replacing("Connection", "upgrades"),
    "empty": GOOD.replacing("Connection", ""),
}.items():
    add(
        f"connection-{slug}",
        "RFC 6455 §4.2.1",
        f"Connection is {slug}.",
        head,
        REFUSED,
    )

for slug, key in {
    "empty": "",
    "15-bytes": "AQIDBAUGBwgJCgsMDQ4P",
    "17-bytes": "AQIDBAUGBwgJCgsMDQ4PEBE=",
    "5-bytes": "SGVsbG8=",
    "not-base64": "!" * 22 + "==",
    "without-padding": "AQIDBAUGBwgJCgsMDQ4PEA",
    "list": f"{SAMPLE_KEY}, {SAMPLE_KEY}",
    "space-inside": "dGhlIHNhbXBs ZSBub25jZQ==",
}.items():
    add(
        f"key-{slug}",
        "RFC 6455 §4.2.1",
        f"The key {key!r}, which is not 16 bytes in base64.",
        request(key=key),
        REFUSED,
    )
add("key-missing", "RFC 6455 §4.2.1", "A request without a key.", GOOD.without(KEY), REFUSED)
add(
    "key-pad-bits",
    "RFC 4648 §3.5",
    "A key of 16 bytes whose pad bits are not zero.",
    request(key="AQIDBAUGBwgJCgsMDQ4PEP=="),
    ACCEPTED_OR_REFUSED,
    must=False,
)
for slug, other in (("twice", SAMPLE_KEY), ("two-different", "AQIDBAUGBwgJCgsMDQ4PEA==")):
    add(
        f"key-{slug}",
        "RFC 6455 §11.3.1",
        f"The key is {slug.replace('-', ' ')}.",
        GOOD.with_field(KEY, other),
        REFUSED,
        must=False,
    )

# A server may speak an older draft, too; 13 is what its list must have at the least.
THIRTEEN = ((VERSION, "13"),)
OTHER_VERSION: tuple[Outcome, ...] = (
    Refuses((426,), THIRTEEN),
    Refuses(fields=THIRTEEN),
)
for version in ("7", "8"):
    add(
        f"websocket-version-{version}",
        "RFC 6455 §4.2.2",
        f"Version {version}, an older draft.",
        GOOD.replacing(VERSION, version),
        (*OTHER_VERSION, Accepts()),
    )
for version in ("0", "12", "14", "99", "255"):
    add(
        f"websocket-version-{version}",
        "RFC 6455 §4.2.2",
        f"Version {version}, which there is not.",
        GOOD.replacing(VERSION, version),
        OTHER_VERSION,
    )
for slug, version in {
    "leading-zero": "013",
    "list": "8, 13",
    "word": "x",
    "256": "256",
    "fraction": "13.0",
}.items():
    add(
        f"websocket-version-{slug}",
        "RFC 6455 §4.2.1",
        f"The version {version!r}, which is no version.",
        GOOD.replacing(VERSION, version),
        (*OTHER_VERSION, *REFUSED),
    )
for slug, head in {
    "missing": GOOD.without(VERSION),
    "empty": GOOD.replacing(VERSION, ""),
}.items():
    add(
        f"websocket-version-{slug}",
        "RFC 6455 §4.2.1",
        f"The version is {slug}.",
        head,
        (Refuses((400, 426)), *REFUSED),
    )
add(
    "websocket-version-twice",
    "RFC 6455 §11.3.5",
    "The version 13 in two lines.",
    GOOD.with_field(VERSION, "13"),
    ACCEPTED_OR_REFUSED,
    must=False,
)

for slug, line in {
    "duplicate": "chat, chat",
    "no-token": "a b",
    "quoted": '"chat"',
    "latin-1": "ch\xe9t",
    "nothing": "",
}.items():
    add(
        f"subprotocols-{slug}",
        "RFC 6455 §4.1",
        f"The subprotocols {line!a}, which no client may ask for.",
        GOOD.with_field(PROTOCOL, line),
        ACCEPTED_OR_REFUSED,
        must=False,
    )

for slug, head in {
    "content-length": GOOD.with_field("Content-Length", "5").with_body(b"Hello"),
    "chunked": GOOD.with_field("Transfer-Encoding", "chunked").with_body(b"0\r\n\r\n"),
    "content-length-and-chunked": GOOD.with_field("Content-Length", "5")
    .with_field("Transfer-Encoding", "chunked")
    .with_body(b"0\r\n\r\n"),
}.items():
    add(
        f"body-{slug}",
        "RFC 9110 §9.3.1",
        "A request for an upgrade that has a body, which has no meaning.",
        head,
        (*REFUSED, Accepts()),
        must=False,
    )
for slug, length in {"plus": "+5", "words": "five", "minus": "-1", "two": "5, 6"}.items():
    add(
        f"content-length-{slug}",
        "RFC 9112 §6.3",
        f"Content-Length: {length}, which is no length.",
        GOOD.with_field("Content-Length", length),
        REFUSED,
    )

for slug, line, must in (
    ("space-before-colon", "X-A : 1", True),
    ("tab-before-colon", "X-A\t: 1", True),
    ("no-colon", "X-A", False),
    ("name-empty", ": 1", False),
    ("name-space", "X A: 1", False),
    ("name-parenthesis", "X(A): 1", False),
    ("name-latin-1", "X-\xe9: 1", False),
    ("name-nul", "X\x00A: 1", False),
):
    add(
        f"field-{slug}",
        "RFC 9112 §5.1" if must else "RFC 9112 §2.2",
        f"The field line {line!a}.",
        GOOD.with_line(line),
        REFUSED,
        must=must,
    )
for slug, value in {
    "nul": "a\x00b",
    "bare-cr": "a\rb",
    "bare-cr-before-a-field": "a\rX-B: 1",
}.items():
    add(
        f"value-{slug}",
        "RFC 9110 §5.5",
        f"The field value {value!a}: refused, or replaced by a space.",
        GOOD.with_field("X-A", value),
        (*REFUSED, Accepts()),
    )
for slug, value in {"escape": "a\x1bb", "delete": "a\x7fb", "vertical-tab": "a\x0bb"}.items():
    add(
        f"value-{slug}",
        "RFC 9110 §5.5",
        f"The field value {value!a}, with a control character.",
        GOOD.with_field("X-A", value),
        (*REFUSED, Accepts()),
        must=False,
    )
for slug, head in {
    "unknown-field": GOOD.with_field("X-A", "a\r\n b"),
    "upgrade": GOOD.replacing("Upgrade", "\r\n websocket"),
    "tab": GOOD.with_field("X-A", "a\r\n\tb"),
}.items():
    add(
        f"folded-{slug}",
        "RFC 9112 §5.2",
        "A folded field: refused, or read with spaces in place of the fold.",
        head,
        (*REFUSED, Accepts()),
    )
for slug, head in {
    "all": RequestHead(fields=GOOD.fields, line_end="\n"),
    "one": GOOD.with_line("X-A: 1\nX-B: 2"),
}.items():
    add(
        f"bare-lf-{slug}",
        "RFC 9112 §2.2",
        "Lines that end with LF alone, which a server may read.",
        head,
        (*REFUSED, Accepts()),
    )
add(
    "space-before-first-field",
    "RFC 9112 §2.2",
    "A line that begins with a space behind the request line.",
    RequestHead(start_line="GET / HTTP/1.1\r\n X-A: 1", fields=GOOD.fields),
    (*REFUSED, Accepts()),
)

for slug, line in {
    "two-spaces": "GET  / HTTP/1.1",
    "no-version": "GET /",
    "tabs": "GET\t/\tHTTP/1.1",
    "space-behind": "GET / HTTP/1.1 ",
    "space-before": " GET / HTTP/1.1",
    "no-target": "GET HTTP/1.1",
    "version-lower": "GET / http/1.1",
    "version-long": "GET / HTTP/1.10",
    "version-word": "GET / HTTP/a.b",
    "only-method": "GET",
    "method-no-token": "G(T / HTTP/1.1",
    "garbage": "\x16\x03\x01\x02",
}.items():
    # White space is what a recipient may be lenient about.
    lenient = slug in ("two-spaces", "tabs", "space-behind", "space-before")
    add(
        f"request-line-{slug}",
        "RFC 9112 §3",
        f"The request line {line!a}.",
        RequestHead(start_line=line, fields=GOOD.fields),
        (*REFUSED, Accepts()) if lenient else REFUSED,
        must=False,
    )
for slug, target in {
    "asterisk": "*",
    "relative": "chat",
    "fragment": "/#fragment",
    "control": "/\x01",
    "latin-1": "/\xe9",
    "authority": "example.com:80",
}.items():
    add(
        f"target-{slug}",
        "RFC 6455 §3",
        f"The target {target!a}, which is no resource name.",
        RequestHead(target=target, fields=GOOD.fields),
        REFUSED,
        must=False,
    )
add(
    "empty-line-before",
    "RFC 9112 §2.2",
    "An empty line before a good request, which a server SHOULD ignore.",
    RequestHead(start_line="\r\nGET / HTTP/1.1", fields=GOOD.fields),
    ACCEPTED_OR_REFUSED,
    must=False,
)
LARGE: dict[str, RequestHead] = {
    "field-100-kb": GOOD.with_field("X-A", "a" * 100_000),
    "fields-2000": RequestHead(fields=GOOD.fields + tuple((f"X-{i}", "1") for i in range(2000))),
    "name-100-kb": GOOD.with_field("X" * 100_000, "1"),
}
for slug, head in LARGE.items():
    add(
        f"large-{slug}",
        "RFC 6585 §5",
        "A head larger than most servers like.",
        head,
        (Refuses((431, 400)), *REFUSED, Accepts()),
    )

# "MUST wait for a response from the server": what a server makes of it is open, but not losing it.
BEHIND: tuple[Outcome, ...] = (Echoes(("Hello",)), *REFUSED, *fails(1002, "Hello"))
add(
    "frame-behind-the-head",
    "RFC 6455 §4.1",
    "A message right behind a good request, in the same segment.",
    GOOD.with_body(MASKED),
    BEHIND,
    must=False,
)
add(
    "half-a-frame-behind-the-head",
    "RFC 6455 §4.1",
    "Half a message right behind a good request, and the rest when it is answered.",
    GOOD.with_body(MASKED[:5]),
    BEHIND,
    must=False,
)
add(
    "unmasked-frame-behind-the-head",
    "RFC 6455 §5.1",
    "A message without a mask right behind a good request.",
    GOOD.with_body(bytes(text("Hello"))),
    (*fails(1002), *REFUSED),
)
