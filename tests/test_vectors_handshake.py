"""Opening handshakes: tests/vectors/{server,client}_handshake.json, however the bytes are cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from support import http
from support.handshake import ClientRun, Run, ServerRun, alternatives
from support.vectors import Case, Chunk, chunkings, head_bytes, identity, load, payload_bytes

SERVER = load("server_handshake")
CLIENT = load("client_handshake")


def by_name(cases: Sequence[Case]) -> list[Any]:
    return [pytest.param(case, id=identity(case)) for case in cases]


def case_bytes(case: Case, lines: str) -> bytes:
    head: str | None = case.get("raw")
    raw = head_bytes(case[lines]) if head is None else head.encode("latin-1")
    return raw + payload_bytes(case.get("tail", []))


def check(case: Case, data: bytes, run: Callable[[list[bytes]], Any]) -> None:
    """Every cut has the same one of the allowed outcomes."""
    allowed = alternatives(case)
    for label, chunks in chunkings(data):
        seen = run(chunks)
        differences = [seen.difference(one) for one in allowed]
        assert None in differences, f"{label}: {differences}"
        allowed = [allowed[differences.index(None)]]  # the other cuts must agree


def feed(run: Run, chunks: Sequence[bytes], case: Case) -> None:
    ends: list[Chunk] = [None] if case.get("eof") else []
    run.feed([*chunks, *ends])


@pytest.mark.parametrize("case", by_name(SERVER))
def test_every_cut_of_a_request_has_the_expected_outcome(case: Case) -> None:
    def run(chunks: list[bytes]) -> ServerRun:
        server = ServerRun(case.get("accept", {}))
        feed(server, chunks, case)
        return server

    check(case, case_bytes(case, "request"), run)


@pytest.mark.parametrize("case", by_name([c for c in SERVER if c["expect"].get("refused")]))
def test_the_answer_hinted_at_by_a_refusal_can_be_sent(case: Case) -> None:
    server = ServerRun({})
    feed(server, [case_bytes(case, "request")], case)
    assert server.error is not None
    assert server.error.event_hint is not None
    sent = http.parse(server.connection.send(server.error.event_hint))
    assert sent.status == server.status
    assert sent.status in case["expect"]["refused"]
    assert sent.all("content-length") == ["0"]


@pytest.mark.parametrize("case", by_name(CLIENT))
def test_every_cut_of_a_response_has_the_expected_outcome(case: Case) -> None:
    template = case_bytes(case, "response")

    def run(chunks: list[bytes]) -> ClientRun:
        client = ClientRun(case.get("request", {}))
        response, at, cut = client.filled(template), 0, []
        for chunk in chunks:  # the key differs from run to run, the lengths do not
            cut.append(response[at : at + len(chunk)])
            at += len(chunk)
        if case["expect"].get("reject", {}).get("finished") is False:
            # An empty read would end a body that only the end of the stream ends.
            cut = [chunk for chunk in cut if chunk]
        feed(client, cut, case)
        return client

    check(case, ClientRun(case.get("request", {})).filled(template), run)


def test_names_of_cases_are_unique() -> None:
    for cases in (SERVER, CLIENT):
        names = [identity(case) for case in cases]
        assert len(names) == len(set(names))
