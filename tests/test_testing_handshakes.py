"""Raw heads, and the judge of opening handshakes."""

from __future__ import annotations

import re
from time import perf_counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ws13 import ConnectionType, WSConnection
from ws13.events import AcceptConnection, Request
from ws13.extensions import PerMessageDeflate
from ws13.testing import (
    RequestHead,
    ResponseHead,
    accept_for,
    judge_request,
    judge_response,
    opened,
    read_head,
    request,
    response,
    strategies,
)
from ws13.testing.extensions import Offered, read
from ws13.testing.handshakes import SAMPLE_KEY
from ws13.utilities import RemoteProtocolError, generate_accept_token

PROFILE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HIGHER = re.compile(rb"\S+ \S+ HTTP/1\.[2-9]\r\n")
GOOD = request(subprotocols=["chat", "superchat"], extensions=["permessage-deflate"])
ANSWER = response()


def test_the_token_is_that_of_the_rfc_and_of_ws13() -> None:
    assert accept_for(SAMPLE_KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert accept_for(b"\xff") == generate_accept_token(b"\xff").decode()


def test_a_head_is_written_as_its_fields_say() -> None:
    head = RequestHead(target="/é", fields=(("A", "1"), (b"B", b"\xff")))
    assert bytes(head) == b"GET /\xe9 HTTP/1.1\r\nA: 1\r\nB: \xff\r\n\r\n"
    odd = RequestHead(
        method="X", version="Y", fields=head.fields, separator=" :", line_end="\n", lines=("z",)
    ).with_body(b"!")
    assert bytes(odd) == b"X / Y\nA :1\nB :\xff\nz\n\n!"
    assert bytes(RequestHead(start_line=b"\xff")) == b"\xff\r\n\r\n"
    assert bytes(ResponseHead(status=404, reason="No")) == b"HTTP/1.1 404 No\r\n\r\n"


def test_fields_are_added_replaced_and_left_out_whatever_the_case() -> None:
    head = RequestHead(fields=(("A", "1"), ("B", "2"), ("a", "3")))
    assert head.with_field("C", "4").fields[-1] == ("C", "4")
    assert head.without(b"A").fields == (("B", "2"),)
    assert head.replacing("a", "5", "6").fields == (("a", "5"), ("a", "6"), ("B", "2"))
    assert head.replacing("C", "7").fields == (*head.fields, ("C", "7"))
    assert head.replacing("B").fields == (("A", "1"), ("a", "3"))
    assert head.values("a") == [b"1", b"3"]
    assert head.with_line("x").with_line("y").lines == ("x", "y")


def test_a_head_that_came_is_read_up_to_its_end() -> None:
    data = bytes(GOOD.with_body(b"behind"))
    head = read_head(data)
    assert head is not None
    assert data[head.size :] == b"behind"
    assert head.request == ("GET", "/", "HTTP/1.1")
    assert head.values("host") == ["example.com"]
    assert head.elements("sec-websocket-protocol") == ["chat", "superchat"]
    assert head.has_token("connection", "upgrade")
    assert head.status is None
    assert read_head(data[: head.size - 1]) is None
    answer = read_head(b"xx" + bytes(ANSWER), 2)
    assert answer is not None
    assert (answer.status, answer.request, answer.findings) == (101, None, [])


FORM = {
    "RFC 9112 §2.2": RequestHead(fields=GOOD.fields, line_end="\n"),
    "RFC 9112 §5.2": GOOD.with_field("X", "a\r\n b"),
    "RFC 9112 §5.1": GOOD.with_line("X : 1"),
    "RFC 9112 §5": GOOD.with_line("X"),
    "RFC 9110 §5.1": GOOD.with_line("X(Y): 1"),
    "RFC 9110 §5.5": GOOD.with_field("X", "a\x00b"),
}


@pytest.mark.parametrize("section", FORM)
def test_what_is_wrong_with_the_form_of_a_head_is_found(section: str) -> None:
    found = judge_request(bytes(FORM[section]))
    assert {finding.section for finding in found} == {section}
    assert all(finding.must for finding in found)


def test_an_empty_line_before_a_head_is_found_and_the_head_is_read() -> None:
    (finding,) = judge_request(b"\r\n" + bytes(GOOD))
    assert (finding.section, finding.offset) == ("RFC 9112 §2.2", 0)


REQUESTS: dict[str, tuple[RequestHead, str]] = {
    "method": (RequestHead(method="POST", fields=GOOD.fields), "6455 §4.1"),
    "version": (RequestHead(version="HTTP/1.0", fields=GOOD.fields), "6455 §4.1"),
    "target": (RequestHead(target="chat", fields=GOOD.fields), "6455 §3"),
    "fragment": (RequestHead(target="/#a", fields=GOOD.fields), "6455 §3"),
    "request line": (RequestHead(start_line="GET /", fields=GOOD.fields), "9112 §3"),
    "no host": (GOOD.without("Host"), "9112 §3.2"),
    "two hosts": (GOOD.with_field("Host", "a"), "9112 §3.2"),
    "IPv6 zone": (GOOD.replacing("Host", "[fe80::1%25eth0]"), "9112 §3.2"),
    "bad IPv6": (GOOD.replacing("Host", "[:1]"), "9112 §3.2"),
    "bad host": (GOOD.replacing("Host", "a/b"), "9112 §3.2"),
    "upgrade": (GOOD.replacing("Upgrade", "h2c"), "6455 §4.1"),
    "connection": (GOOD.replacing("Connection", "close"), "6455 §4.1"),
    "no key": (GOOD.without("Sec-WebSocket-Key"), "6455 §4.1"),
    "two keys": (GOOD.with_field("Sec-WebSocket-Key", SAMPLE_KEY), "6455 §11.3"),
    "two versions": (GOOD.with_field("Sec-WebSocket-Version", "13"), "6455 §11.3"),
    "short key": (GOOD.replacing("Sec-WebSocket-Key", "SGVsbG8="), "6455 §4.1"),
    "pad bits": (GOOD.replacing("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEP=="), "4648 §3.5"),
    "websocket version": (GOOD.replacing("Sec-WebSocket-Version", "8"), "6455 §4.1"),
    "subprotocol twice": (GOOD.with_field("Sec-WebSocket-Protocol", "chat"), "6455 §4.1"),
    "no subprotocol": (GOOD.replacing("Sec-WebSocket-Protocol", ","), "6455 §4.1"),
    "no token": (GOOD.replacing("Sec-WebSocket-Protocol", "a b"), "6455 §4.1"),
    "no list": (GOOD.replacing("Sec-WebSocket-Extensions", "a b"), "6455 §9.1"),
    "flag twice": (
        GOOD.replacing(
            "Sec-WebSocket-Extensions",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        ),
        "7692 §7.1",
    ),
    "bits": (
        GOOD.replacing("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=7"),
        "7692 §7.1",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_rule_that_a_client_broke_is_found(name: str) -> None:
    head, section = REQUESTS[name]
    # A SHOULD that is broken beside it stands behind it.
    found = judge_request(bytes(head))[:1]
    assert [finding.section for finding in found] == [f"RFC {section}"], found


RESPONSES: dict[str, tuple[ResponseHead, str]] = {
    "status line": (ResponseHead(start_line="SSH-2.0", fields=ANSWER.fields), "9112 §4"),
    "version": (ResponseHead(version="HTTP/1.0", fields=ANSWER.fields), "6455 §4.2.2"),
    "upgrade": (ANSWER.replacing("Upgrade", "websocket, h2c"), "6455 §4.2.2"),
    "connection": (ANSWER.without("Connection"), "6455 §4.2.2"),
    "accept": (ANSWER.replacing("Sec-WebSocket-Accept", "x"), "6455 §4.2.2"),
    "two tokens": (
        ANSWER.with_field("Sec-WebSocket-Accept", accept_for(SAMPLE_KEY)),
        "6455 §4.2.2",
    ),
    "subprotocol": (ANSWER.with_field("Sec-WebSocket-Protocol", "Chat"), "6455 §4.2.2"),
    "extension": (ANSWER.with_field("Sec-WebSocket-Extensions", "x-unknown"), "6455 §9.1"),
    "length": (ANSWER.with_field("Content-Length", "0"), "9110 §8.6"),
    "coding": (ANSWER.with_field("Transfer-Encoding", "chunked"), "9112 §6.1"),
    "426": (ResponseHead(status=426, reason=""), "9110 §15.5.22"),
    "405": (ResponseHead(status=405, reason=""), "9110 §15.5.6"),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_a_rule_that_a_server_broke_is_found(name: str) -> None:
    head, section = RESPONSES[name]
    found = judge_response(bytes(GOOD), bytes(head))
    assert [finding.section for finding in found] == [f"RFC {section}"], found


#: What a client must not do, and a server may put up with; from the subprotocols on, too.
TOLERATED = ("target", "fragment", "pad bits", "two keys", "two versions", *[*REQUESTS][-6:])


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_is_none_is_not_accepted(name: str) -> None:
    head, _ = REQUESTS[name]
    accepts = judge_response(bytes(head), bytes(ANSWER))
    assert any("that is none" in one.sentence for one in accepts) is (name not in TOLERATED)
    refuses = ResponseHead(status=400, reason="", fields=(("Sec-WebSocket-Version", "13"),))
    assert judge_response(bytes(head), bytes(refuses)) == []


def test_another_version_is_refused_with_those_that_are_spoken() -> None:
    asked = bytes(GOOD.replacing("Sec-WebSocket-Version", "8"))
    (finding,) = judge_response(asked, bytes(ResponseHead(status=400, reason="")))
    assert finding.section == "RFC 6455 §4.4"
    both = ResponseHead(status=400, reason="", fields=(("Sec-WebSocket-Version", "13, 7"),))
    assert judge_response(asked, bytes(both)) == []


@pytest.mark.parametrize(
    ("offer", "answer", "right"),
    [
        ("permessage-deflate", "permessage-deflate", True),
        ("permessage-deflate", "permessage-deflate; server_max_window_bits=8", True),
        ("permessage-deflate", 'permessage-deflate; server_max_window_bits="8"', True),
        ("permessage-deflate", "permessage-deflate; client_no_context_takeover", True),
        ("permessage-deflate", "permessage-deflate; server_no_context_takeover", True),
        ("permessage-deflate", "permessage-deflate; client_max_window_bits=15", False),
        ("permessage-deflate", "permessage-deflate, permessage-deflate", False),
        ("permessage-deflate", "permessage-deflate; server_max_window_bits=16", False),
        ("permessage-deflate", "permessage-deflate; server_max_window_bits", False),
        ("permessage-deflate", "permessage-deflate; a", False),
        ("permessage-deflate", "permessage-deflate;", False),
        ("permessage-deflate", "permessage-deflate; server_no_context_takeover=1", False),
        (
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits",
            False,
        ),
        (
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=8",
            True,
        ),
        (
            "permessage-deflate; client_max_window_bits=10",
            "permessage-deflate; client_max_window_bits=11",
            False,
        ),
        ("permessage-deflate; server_no_context_takeover", "permessage-deflate", False),
        ("permessage-deflate; server_max_window_bits=10", "permessage-deflate", False),
        (
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=11",
            False,
        ),
        (
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "permessage-deflate",
            True,
        ),
        ("permessage-deflate; server_max_window_bits=16", "permessage-deflate", False),
        ('x; a="b"; c, permessage-deflate', "permessage-deflate", True),
        ("x; a=b", "x; c=d", True),
        ('x; a="b, c", permessage-deflate', "permessage-deflate", True),
    ],
)
def test_an_answer_fits_an_offer_or_does_not(offer: str, answer: str, right: bool) -> None:
    asked = bytes(request(extensions=[offer]))
    given_ = bytes(response(extensions=[answer]))
    assert (judge_response(asked, given_) == []) is right


def test_the_list_of_extensions_is_read_over_lines_and_quotes() -> None:
    assert read(['a; b=c; d="e\\f",, g', "h ;\ti"]) == [
        Offered("a", (("b", "c"), ("d", "ef"))),
        Offered("g"),
        Offered("h", (("i", None),)),
    ]
    for bad in ("a b", ";a", "a;", "a=b", 'a; b="', 'a; b="c d"', 'a; b=""', "a; b=", "ä"):
        with pytest.raises(ValueError, match=r"list|token"):
            read([bad])


def test_interim_responses_are_skipped_and_their_form_is_judged() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink : x\r\n\r\n"
    (finding,) = judge_response(bytes(GOOD), interim + bytes(ANSWER))
    assert (finding.section, finding.offset) == ("RFC 9112 §5.1", 26)
    (last,) = judge_response(bytes(GOOD), interim.replace(b" :", b":"))
    assert "no end" in last.sentence
    with pytest.raises(ValueError, match="no end"):
        judge_response(b"GET / HTTP/1.1\r\n", bytes(ANSWER))
    (only,) = judge_request(b"GET / HTTP/1.1\r\n")
    assert "no end" in only.sentence


WISHES = PerMessageDeflate(server_max_window_bits=10, client_no_context_takeover=True)


@pytest.mark.parametrize("wishes", [[], [PerMessageDeflate()], [WISHES]])
def test_nothing_is_found_in_what_both_ends_of_ws13_send(wishes: list[PerMessageDeflate]) -> None:
    talk = opened(
        request=Request("example.com:80", "/a?b", extensions=wishes, subprotocols=["chat", "b"]),
        accept=AcceptConnection("chat", extensions=[PerMessageDeflate()] if wishes else []),
    )
    asked, answered = bytes(talk.client.sent), bytes(talk.server.sent)
    assert judge_request(asked) == []
    assert judge_response(asked, answered) == []


@PROFILE
@given(head=strategies.requests())
def test_ws13_accepts_every_legal_request_and_so_does_the_judge(head: RequestHead) -> None:
    assert judge_request(bytes(head)) == []
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(bytes(head))
    (event,) = server.events()
    assert isinstance(event, Request)
    answer = server.send(AcceptConnection(extensions=[PerMessageDeflate()]))
    assert judge_response(bytes(head), answer) == []


@PROFILE
@given(data=st.data())
def test_ws13_accepts_every_legal_response_and_so_does_the_judge(data: st.DataObject) -> None:
    client = WSConnection(ConnectionType.CLIENT)
    asked = client.send(Request("example.com", "/"))
    head = read_head(asked)
    assert head is not None
    answer = data.draw(strategies.responses(head.values("sec-websocket-key")[0]))
    assert judge_response(asked, bytes(answer)) == []
    client.receive_data(bytes(answer))
    (event,) = client.events()
    assert isinstance(event, AcceptConnection)


@PROFILE
@given(data=strategies.any_requests())
def test_the_judge_finds_something_in_every_request_that_ws13_refuses(data: bytes) -> None:
    server = WSConnection(ConnectionType.SERVER)
    try:
        server.receive_data(data)
        list(server.events())
    except RemoteProtocolError:
        # A version above 1.1 is none that ws13 reads; RFC 9110 §2.5 has it tried (SHOULD).
        assert judge_request(data) or HIGHER.match(data)


def test_large_heads_take_linear_time() -> None:
    def seconds(data: bytes) -> float:
        best = 1e9
        for _ in range(2):
            start = perf_counter()
            judge_request(data)
            best = min(best, perf_counter() - start)
        return best

    for unit in (
        " x\r\n",
        "X: 1\r\n",
        "Sec-WebSocket-Extensions: a;b,c\r\n",
        "Connection: ,,,\r\n",
    ):
        one, two = (f"GET / HTTP/1.1\r\n{unit * n}\r\n".encode() for n in (5_000, 10_000))
        assert seconds(two) < 6 * max(seconds(one), 0.002)
    quoted = b'GET / HTTP/1.1\r\nSec-WebSocket-Extensions: a; b="' + b"\\c" * 60_000
    assert seconds(quoted + b"\r\n\r\n") < 0.5
