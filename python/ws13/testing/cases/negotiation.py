"""Offers of permessage-deflate, and answers to them (RFC 7692 §7.1, RFC 6455 §9.1)."""

from __future__ import annotations

from ws13.testing.cases.case import Accepts, Echoes, Outcome, Refuses
from ws13.testing.cases.chapter import CLIENTS, DROPPED, REFUSED, SERVERS, Chapter
from ws13.testing.frames import text
from ws13.testing.handshakes import ResponseHead, request, response

CHAPTER = Chapter("negotiation")
add = CHAPTER.add
NAME = "Sec-WebSocket-Extensions"
# What is not declined is refused with "an HTTP response", RFC 6455 §4.2.1.
DECLINED: tuple[Outcome, ...] = (Accepts(((NAME, None),)), Refuses((400,)), Refuses())


def offer(slug: str, section: str, title: str, *lines: str, allowed: tuple[Outcome, ...]) -> None:
    """An offer to a server under test, in one line of the field for each of these."""
    head = request()
    for line in lines:
        head = head.with_field(NAME, line)
    add(slug, section, title, allowed=allowed, roles=SERVERS, opening=head)


# What is agreed must fit the offer, which the judge of handshakes looks at.
VALID = {
    "plain": "permessage-deflate",
    "without-spaces": "permessage-deflate;server_max_window_bits=10;client_max_window_bits",
    "with-spaces": "permessage-deflate ;\t server_max_window_bits = 10",
    "client-bits-without-value": "permessage-deflate; client_max_window_bits",
    "client-bits-8": "permessage-deflate; client_max_window_bits=8",
    "client-bits-9": "permessage-deflate; client_max_window_bits=9",
    "client-bits-15": "permessage-deflate; client_max_window_bits=15",
    "server-bits-8": "permessage-deflate; server_max_window_bits=8",
    "server-bits-9": "permessage-deflate; server_max_window_bits=9",
    "server-bits-15": "permessage-deflate; server_max_window_bits=15",
    "server-no-context": "permessage-deflate; server_no_context_takeover",
    "client-no-context": "permessage-deflate; client_no_context_takeover",
    "all": "permessage-deflate; client_max_window_bits=12; server_max_window_bits=11; "
    "client_no_context_takeover; server_no_context_takeover",
    "quoted-server-bits": 'permessage-deflate; server_max_window_bits="10"',
    "quoted-client-bits": 'permessage-deflate; client_max_window_bits="10"',
    "quoted-pair": r'permessage-deflate; server_max_window_bits="1\0"',
    "fallback": "permessage-deflate; server_max_window_bits=10, permessage-deflate",
    "empty-elements": ", permessage-deflate,,",
    "unknown-first": "x-unknown; a=b, permessage-deflate",
    "unknown-quoted-comma": 'x-unknown; a="b"; c, permessage-deflate',
    "bad-then-good": "permessage-deflate; server_max_window_bits=16, permessage-deflate",
    "duplicate-then-good": "permessage-deflate; client_no_context_takeover; "
    "client_no_context_takeover, permessage-deflate",
}
for slug, line in VALID.items():
    offer(
        f"offer-{slug}",
        "RFC 7692 §7.1",
        f"The offer {line}.",
        line,
        allowed=(Accepts(), Refuses()) if "unknown-quoted" in slug else (Accepts(),),
    )
offer(
    "offer-two-lines",
    "RFC 6455 §9.1",
    "Offers in two lines of the field.",
    "x-unknown",
    "permessage-deflate",
    allowed=(Accepts(),),
)
offer(
    "offer-many",
    "RFC 6455 §9.1",
    "300 offers of unknown extensions.",
    ", ".join(f"x-{i}; a={i}" for i in range(300)),
    allowed=DECLINED,
)

DECLINE = {
    "server-bits-abc": "server_max_window_bits=abc",
    "server-bits-7": "server_max_window_bits=7",
    "server-bits-16": "server_max_window_bits=16",
    "server-bits-0": "server_max_window_bits=0",
    "server-bits-08": "server_max_window_bits=08",
    "server-bits-010": "server_max_window_bits=010",
    "server-bits-plus": "server_max_window_bits=+10",
    "server-bits-minus": "server_max_window_bits=-10",
    "server-bits-underscore": "server_max_window_bits=1_0",
    "server-bits-hex": "server_max_window_bits=0xa",
    "server-bits-fraction": "server_max_window_bits=10.0",
    "server-bits-1000": "server_max_window_bits=1000",
    "server-bits-264": "server_max_window_bits=264",
    "server-bits-2-64-and-10": "server_max_window_bits=18446744073709551626",
    "server-bits-long": "server_max_window_bits=" + "9" * 1000,
    "server-bits-missing": "server_max_window_bits",
    "server-bits-quoted-7": 'server_max_window_bits="7"',
    "client-bits-abc": "client_max_window_bits=abc",
    "client-bits-7": "client_max_window_bits=7",
    "client-bits-16": "client_max_window_bits=16",
    "client-bits-08": "client_max_window_bits=08",
    "client-bits-plus": "client_max_window_bits=+10",
    "server-no-context-value": "server_no_context_takeover=1",
    "client-no-context-value": "client_no_context_takeover=true",
    "duplicate-server-bits": "server_max_window_bits=10; server_max_window_bits=10",
    "duplicate-client-bits": "client_max_window_bits; client_max_window_bits=10",
    "duplicate-flag": "server_no_context_takeover; server_no_context_takeover",
    "unknown-parameter": "x_unknown",
    "unknown-parameter-value": "server_max_window_bits=10; x_unknown=1",
    "close-to-a-parameter": "server_max_window_bit=10",
}
for slug, line in DECLINE.items():
    offer(
        f"decline-{slug}",
        "RFC 7692 §7.1",
        f"The offer permessage-deflate; {line[:60]}, which a server declines.",
        f"permessage-deflate; {line}",
        allowed=DECLINED,
    )
for slug, line in {
    "unknown": "x-unknown",
    "close-to-deflate": "permessage-deflate2",
    "deflate-frame": "x-webkit-deflate-frame",
}.items():
    offer(
        f"unknown-{slug}",
        "RFC 6455 §9.1",
        f"The offer {line}.",
        line,
        allowed=(Accepts(((NAME, None),)),),
    )

# "MUST immediately _Fail the WebSocket Connection_" what is not in the grammar.
MALFORMED = {
    "value-missing": "permessage-deflate; server_max_window_bits=",
    "parameter-missing": "permessage-deflate;",
    "name-missing": "; server_max_window_bits=10",
    "two-names": "permessage deflate",
    "quote-open": 'permessage-deflate; server_max_window_bits="10',
    "no-token": "permessage-deflate; a(b",
    "quoted-space": 'permessage-deflate; server_max_window_bits="1 0"',
    "quoted-nothing": 'permessage-deflate; server_max_window_bits=""',
    "not-ascii": "permessage-d\xe9flate",
}
for slug, line in MALFORMED.items():
    add(
        f"malformed-{slug}",
        "RFC 6455 §9.1",
        f"The offer {line!a}, which is not in the grammar.",
        # A server that reads no extensions never sees it.
        allowed=(*REFUSED, Accepts(((NAME, None),))),
        roles=SERVERS,
        opening=request().with_field(NAME, line),
    )


def answer(slug: str, section: str, title: str, *lines: str) -> None:
    """An answer that a client under test must not accept, whatever it offered."""

    def opening(key: str) -> ResponseHead:
        head = response(key)
        for line in lines:
            head = head.with_field(NAME, line)
        return head

    add(slug, section, title, allowed=DROPPED, roles=CLIENTS, opening=opening, eof=True)


for slug, line in {
    "server-bits-abc": "server_max_window_bits=abc",
    "server-bits-7": "server_max_window_bits=7",
    "server-bits-16": "server_max_window_bits=16",
    "server-bits-08": "server_max_window_bits=08",
    "server-bits-missing": "server_max_window_bits",
    "client-bits-missing": "client_max_window_bits",
    "client-bits-16": "client_max_window_bits=16",
    "server-no-context-value": "server_no_context_takeover=1",
    "client-no-context-value": "client_no_context_takeover=1",
    "duplicate-bits": "server_max_window_bits=15; server_max_window_bits=15",
    "duplicate-flag": "client_no_context_takeover; client_no_context_takeover",
    "unknown-parameter": "x_unknown=1",
}.items():
    answer(
        f"answer-{slug}",
        "RFC 7692 §7.1",
        f"The answer permessage-deflate; {line}.",
        f"permessage-deflate; {line}",
    )
answer("answer-unknown", "RFC 6455 §4.1", "An extension that was not offered.", "x-unknown")
answer(
    "answer-unknown-beside-deflate",
    "RFC 6455 §4.1",
    "permessage-deflate, and an extension that was not offered.",
    "permessage-deflate, x-unknown",
)
answer(
    "answer-unknown-first-line",
    "RFC 6455 §4.1",
    "An extension that was not offered, and permessage-deflate in a second line.",
    "x-unknown",
    "permessage-deflate",
)
answer(
    "answer-twice",
    "RFC 7692 §5",
    "permessage-deflate twice.",
    "permessage-deflate, permessage-deflate",
)
answer("answer-malformed", "RFC 6455 §9.1", "An answer that is no list.", "permessage-deflate;;")
for slug, line in {
    "plain": "permessage-deflate",
    "client-no-context": "permessage-deflate; client_no_context_takeover",
    "server-no-context": "permessage-deflate; server_no_context_takeover",
    "server-bits-10": "permessage-deflate; server_max_window_bits=10",
    "server-bits-8": "permessage-deflate; server_max_window_bits=8",
    "server-bits-quoted": 'permessage-deflate; server_max_window_bits="10"',
}.items():
    add(
        f"agreed-{slug}",
        "RFC 7692 §7.1",
        f"The answer {line}, to a client that offered permessage-deflate; then a message.",
        text("Hello"),
        allowed=Echoes(("Hello",)),
        roles=CLIENTS,
        extension=line,
        # zlib refuses to deflate with 8 bits, and some clients take that for a rule.
        must=not slug.endswith("8"),
    )
