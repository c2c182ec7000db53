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
add = CHAPTER.request
GOOD = request()
KEY = "Sec-WebSocket-Key"
VERSION = "Sec-WebSocket-Version"
PROTOCOL = "Sec-WebSocket-Protocol"
MASKED = bytes(text("Hello").masked(b"\x37\xfa\x21\x3d"))


add(
    "good",
    "RFC 6455 §4.2.2",
    "A good request: the answer has the token of its key.",
    GOOD,
    Accepts(
        (
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
    add(
        f"accepted-{slug}",
        "RFC 6455 §4.2.1",
        f"A good request with {words}.",
        head,
        Accepts(),
        must=slug != "value-obs-text",  # RFC 9110 §5.5: SHOULD
    )
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
    # No protocol that a server might know and switch to.
    "other": GOOD.replacing("Upgrade", "x-other"),
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
        # §4.2.2 lets a server leave it undecoded, which §4.2.1 (5) asks it to look into.
        must=not key,
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
CHAPTER.add(
    "half-a-frame-behind-the-head",
    "RFC 6455 §4.1",
    "Half a message right behind a good request, and the rest when it is answered.",
    MASKED[5:],
    allowed=BEHIND,
    roles=SERVERS,
    opening=GOOD.with_body(MASKED[:5]),
    must=False,
)
add(
    "unmasked-frame-behind-the-head",
    "RFC 6455 §5.1",
    "A message without a mask right behind a good request.",
    GOOD.with_body(bytes(text("Hello"))),
    (*fails(1002), *REFUSED),
)
