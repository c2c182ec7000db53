"""permessage-deflate in the opening handshake: tests/vectors/negotiation_{server,client}.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from support import heads, http
from support.handshake import ClientRun, ServerRun, alternatives
from support.negotiation import FIELD, Agreement, parsed
from support.vectors import Case, chunkings, head_bytes, identity, load
from support.windows import check as check_windows
from ws13 import ConnectionType, WSConnection
from ws13.events import AcceptConnection, Request
from ws13.extensions import PerMessageDeflate
from ws13.handshake import client_extensions_handshake, server_extensions_handshake
from ws13.utilities import RemoteProtocolError

SERVER = load("negotiation_server")
CLIENT = load("negotiation_client")
#: The vectors that end with permessage-deflate in use.
ANSWERED = [case for case in SERVER if case["expect"].get("answer")]
AGREED = [case for case in CLIENT if case["expect"].get("agreed")]


def by_name(cases: Sequence[Case]) -> list[Any]:
    return [pytest.param(case, id=identity(case)) for case in cases]


def field_lines(values: Sequence[Any]) -> list[Any]:
    """The lines of Sec-WebSocket-Extensions with these values; long ones as in the vectors."""
    return [
        f"{FIELD}: {value}"
        if isinstance(value, str)
        else {**value, "start": f"{FIELD}: {value['start']}"}
        for value in values
    ]


def ours(case: Case) -> list[PerMessageDeflate]:
    """Our end's extension with the wishes of the case; none if `own` is null."""
    own = case.get("own", {})
    return [] if own is None else [PerMessageDeflate(**own)]


#: What differs from an allowed outcome, in words.
Difference = Callable[[Any], str | None]


def check(case: Case, data: bytes, run: Callable[[list[bytes]], Difference]) -> None:
    """Every cut has the same one of the allowed outcomes."""
    allowed = alternatives(case)
    for label, chunks in chunkings(data):
        difference = run(chunks)
        differences = [difference(one) for one in allowed]
        assert None in differences, f"{label}: {differences}"
        allowed = [allowed[differences.index(None)]]  # the other cuts must agree


# The server's end.


def request(case: Case) -> bytes:
    return head_bytes([*heads.REQUEST, *field_lines(case["offers"])])


class Answering(ServerRun):
    """A server that supports permessage-deflate."""

    def __init__(self, case: Case) -> None:
        self.extensions = ours(case)
        super().__init__({"extensions": self.extensions})

    def difference(self, expect: dict[str, Any]) -> str | None:
        if "refused" in expect:
            return super().difference(expect)
        if self.error is not None:
            return f"refused: {self.error}"
        answers = http.parse(self.sent).all(FIELD)
        wanted = [expect["answer"]] if expect["answer"] else []
        if [parsed(answer) for answer in answers] != [parsed(answer) for answer in wanted]:
            return f"answered {answers}, expected {wanted}"
        enabled = [extension.enabled() for extension in self.extensions]
        return None if enabled == [bool(wanted)] else f"{enabled} behind {answers}"


@pytest.mark.parametrize("case", by_name(SERVER))
def test_every_cut_of_the_offers_gets_the_expected_answer(case: Case) -> None:
    def run(chunks: list[bytes]) -> Difference:
        server = Answering(case)
        server.feed(chunks)
        return server.difference

    check(case, request(case), run)


@pytest.mark.parametrize("case", by_name([c for c in SERVER if "answer" in c["expect"]]))
def test_the_function_that_frameworks_call_gives_the_same_answer(case: Case) -> None:
    """They split the field themselves; the offers that a server is told of are split already."""
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(request(case))
    (event,) = server.events()
    assert isinstance(event, Request)
    offers = [offer for offer in event.extensions if isinstance(offer, str)]
    answer = server_extensions_handshake(offers, ours(case))
    wanted = case["expect"]["answer"]
    assert (answer and parsed(answer.decode())) == (wanted and parsed(wanted))


@pytest.mark.parametrize("case", by_name(ANSWERED))
def test_data_keeps_to_what_the_server_has_answered(case: Case) -> None:
    def make() -> WSConnection:
        server = Answering(case)
        server.feed([request(case)])
        assert not server.error
        return server.connection

    check_windows(make, "server", Agreement.of(case["expect"]["answer"]))


# The client's end.


class Choosing(ClientRun):
    """A client that offers permessage-deflate."""

    def __init__(self, case: Case) -> None:
        self.extensions = ours(case)
        super().__init__({"extensions": self.extensions})

    def difference(self, expect: dict[str, Any]) -> str | None:
        if (self.error is not None) != expect.get("fail", False):
            return f"error {self.error!r} behind {self.opening}"
        if self.error is not None:
            enabled = any(extension.enabled() for extension in self.extensions)
            return f"{self.opening}, enabled: {enabled}" if self.opening or enabled else None
        (accepted,) = self.opening
        assert isinstance(accepted, AcceptConnection)
        names = [extension.name for extension in accepted.extensions]
        return None if names == expect["extensions"] else f"in use: {names}"


def answer(case: Case) -> bytes:
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: {accept}",
    ]
    return head_bytes([*lines, *field_lines(case["response"])])


@pytest.mark.parametrize("case", by_name(CLIENT))
def test_every_cut_of_the_answer_has_the_expected_outcome(case: Case) -> None:
    template = answer(case)

    def run(chunks: list[bytes]) -> Difference:
        client = Choosing(case)
        response, at, cut = client.filled(template), 0, []
        for chunk in chunks:  # the key differs from run to run, the lengths do not
            cut.append(response[at : at + len(chunk)])
            at += len(chunk)
        client.feed(cut)
        return client.difference

    check(case, Choosing(case).filled(template), run)


@pytest.mark.parametrize("case", by_name([c for c in CLIENT if "offer" in c]))
def test_what_the_client_wishes_is_what_it_offers(case: Case) -> None:
    client = WSConnection(ConnectionType.CLIENT)
    sent = client.send(Request(host="example.com", target="/", extensions=ours(case)))
    assert [parsed(offer) for offer in http.parse(sent).all(FIELD)] == [parsed(case["offer"])]


@pytest.mark.parametrize("case", by_name(AGREED))
def test_data_keeps_to_what_was_agreed(case: Case) -> None:
    def make() -> WSConnection:
        client = Choosing(case)
        client.feed([client.filled(answer(case))])
        assert not client.error
        return client.connection

    check_windows(make, "client", Agreement(**case["expect"]["agreed"]))


@pytest.mark.parametrize("case", by_name(AGREED))
def test_the_extension_tells_what_was_agreed(case: Case) -> None:
    client = Choosing(case)
    client.feed([client.filled(answer(case))])
    (extension,) = client.extensions
    wanted = case["expect"]["agreed"]
    assert {name: getattr(extension, name) for name in wanted} == wanted


def split(values: list[str]) -> list[str] | None:
    """The extensions that a client has been told of; None if that is for a parser to say."""
    text = ", ".join(values)
    if not text.isascii() or '"' in text:
        return None
    return [part.strip() for part in text.split(",") if part.strip()]


@pytest.mark.parametrize("case", by_name([c for c in CLIENT if c["expect"].get("extensions")]))
def test_the_function_that_frameworks_call_accepts_the_same(case: Case) -> None:
    if (chosen := split(case["response"])) is not None:
        supported = ours(case)
        assert client_extensions_handshake(chosen, supported) == supported
        assert supported[0].enabled()


@pytest.mark.parametrize(
    "case", by_name([c for c in CLIENT if c["expect"].get("fail") and c["row"] != "M-122"])
)
def test_the_function_that_frameworks_call_fails_alike(case: Case) -> None:
    if all(isinstance(v, str) for v in case["response"]) and (chosen := split(case["response"])):
        with pytest.raises(RemoteProtocolError):
            client_extensions_handshake(chosen, ours(case))


@pytest.mark.parametrize("cases", [SERVER, CLIENT], ids=["server", "client"])
def test_names_of_cases_are_unique(cases: list[Case]) -> None:
    names = [identity(case) for case in cases]
    assert len(names) == len(set(names))
