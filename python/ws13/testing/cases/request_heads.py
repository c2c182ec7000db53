"""Requests whose form is not that of HTTP/1.1, or that ask for more (RFC 9110, RFC 9112)."""

from __future__ import annotations

from ws13.testing.cases.case import Accepts, Echoes, Refuses
from ws13.testing.cases.chapter import ACCEPTED_OR_REFUSED, REFUSED, SERVERS, Chapter
from ws13.testing.frames import Frame, text
from ws13.testing.handshakes import RequestHead, request

CHAPTER = Chapter("requests")
add = CHAPTER.request
GOOD = request()

# "The client can't change the protocol it is sending in the middle of a message": where a server
# accepts, frames begin behind the body.
BODIES: dict[str, tuple[RequestHead, tuple[Frame | bytes, ...]]] = {
    "content-length": (GOOD.with_field("Content-Length", "5").with_body(b"Hello"), ()),
    "chunked": (GOOD.with_field("Transfer-Encoding", "chunked").with_body(b"0\r\n\r\n"), ()),
    "content-length-and-chunked": (
        GOOD.with_field("Content-Length", "5")
        .with_field("Transfer-Encoding", "chunked")
        .with_body(b"0\r\n\r\n"),
        (),
    ),
    "behind-the-answer": (GOOD.with_field("Content-Length", "5"), (b"Hello",)),
}
for slug, (head, body) in BODIES.items():
    CHAPTER.add(
        f"body-{slug}",
        "RFC 9110 §7.8",
        "A request for an upgrade that has a body, then a message.",
        *body,
        text("Hello"),
        allowed=(*REFUSED, Echoes(("Hello",))),
        roles=SERVERS,
        opening=head,
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
