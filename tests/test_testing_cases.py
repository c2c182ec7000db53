"""The catalogue of cases: its form, and that ws13 does what each case allows."""

from __future__ import annotations

import re

import pytest

from support.cases import Echo, run
from ws13.testing import Role, bytewise, judge_response
from ws13.testing.cases import (
    Accepts,
    Case,
    Closes,
    Drops,
    Echoes,
    Observed,
    Refuses,
    by_id,
    cases,
    chapters,
    is_outcome,
    outcome_of,
)
from ws13.testing.heads import ReceivedHead

RUNS = [
    pytest.param(case, role, id=f"{case.id}-{role.value}") for role in Role for case in cases(role)
]


@pytest.mark.parametrize(("case", "role"), RUNS)
def test_ws13_shows_an_allowed_outcome(case: Case, role: Role) -> None:
    observed = run(case, role)
    assert outcome_of(case, observed) is not None, (case.allowed, observed)


@pytest.mark.parametrize("chapter", chapters())
@pytest.mark.parametrize("role", Role)
def test_bytes_that_come_one_by_one_have_the_same_outcome(chapter: str, role: Role) -> None:
    small = [case for case in cases(role, chapter) if sum(map(len, case.data(role))) < 3000]
    for case in small:
        whole, cut = run(case, role), run(case, role, bytewise)
        assert outcome_of(case, cut) == outcome_of(case, whole), case.id


def test_an_id_is_chapter_and_slug_and_there_is_only_one_of_it() -> None:
    all_cases = [case for chapter in chapters() for case in cases(chapter=chapter)]
    assert len(all_cases) == len(cases()) >= 250
    for case in all_cases:
        assert re.fullmatch(r"[a-z]+/[A-Za-z0-9.]+(-[A-Za-z0-9.]+)*", case.id), case.id
        assert by_id(case.id) is case


def test_the_modules_of_the_catalogue_have_no_id_twice() -> None:
    from ws13.testing.cases import catalogue

    names = [case.id for case in catalogue()]
    assert len(names) == len(set(names)) == len(cases())


def test_every_case_says_who_asks_for_it_and_in_a_sentence_what_is_sent() -> None:
    for case in cases():
        assert re.fullmatch(r"RFC \d+ §\d+(\.\d+)*", case.section), case
        assert case.title.endswith("."), case
        assert case.allowed, case
        assert case.roles, case


def test_a_server_only_outcome_stands_in_no_case_for_clients() -> None:
    for case in cases(Role.CLIENT):
        assert not any(isinstance(one, (Accepts, Refuses)) for one in case.allowed), case


def test_a_case_that_refuses_allows_no_silence() -> None:
    """What is wrong with an endpoint that stays open and says nothing is that it says nothing."""
    for case in cases():
        nothing = Observed(alive=True)
        if case.sends and not any(isinstance(one, Echoes) for one in case.allowed):
            assert outcome_of(case, nothing) is None, case


OPEN = Observed(messages=["a", b"b"], pongs=[b"2"], alive=True)
CLOSED = Observed(messages=["a"], close_code=1000, reason="bye", ended=True)
DROPPED = Observed(ended=True)
ACCEPTED = Observed(answer=ReceivedHead(b"HTTP/1.1 101 X", [("upgrade", "foo, websocket")]))
REFUSED = Observed(answer=ReceivedHead(b"HTTP/1.1 426 X", [("sec-websocket-version", "8, 13")]))
SEEN = [
    (Echoes(("a", b"b"), (b"1", b"2")), OPEN, True),
    (Echoes(("a", b"b"), (b"2", b"3")), OPEN, False),
    (Echoes(("a",), (b"2",)), OPEN, False),
    (Echoes(("a", "b"), (b"2",)), OPEN, False),
    (Echoes(("a",)), CLOSED, False),
    (Echoes(("a",)), Observed(messages=["a"]), False),
    (Echoes(("a",)), Observed(messages=["a"], alive=True), True),
    (Closes((1000,)), CLOSED, False),
    (Closes((1000,), messages=("a", "b")), CLOSED, True),
    (Closes((1000,), ("bye",), messages=("a",)), CLOSED, True),
    (Closes((1000,), ("hello",), messages=("a",)), CLOSED, False),
    (Closes(messages=("a",)), CLOSED, True),
    (Closes((1002,), messages=("a",)), CLOSED, False),
    (Closes((1005,)), Observed(close_code=1005, ended=True), True),
    (Closes(), Observed(close_code=1000), False),
    (Closes(), DROPPED, False),
    (Drops(), DROPPED, True),
    (Drops(), CLOSED, False),
    (Drops(), OPEN, False),
    (Accepts(), ACCEPTED, True),
    (Accepts((("Upgrade", "websocket"),)), ACCEPTED, True),
    (Accepts((("Upgrade", None),)), ACCEPTED, False),
    (Accepts((("Connection", None),)), ACCEPTED, True),
    (Accepts(), REFUSED, False),
    (Accepts(), DROPPED, False),
    (Refuses(), REFUSED, True),
    (Refuses((426,), (("Sec-WebSocket-Version", "13"),)), REFUSED, True),
    (Refuses((400,)), REFUSED, False),
    (Refuses(fields=(("Sec-WebSocket-Version", "7"),)), REFUSED, False),
    (Refuses(), ACCEPTED, False),
    (Refuses(), DROPPED, False),
    (Refuses((0,)), DROPPED, True),
    (Echoes(), REFUSED, False),
]


@pytest.mark.parametrize(("outcome", "observed", "expected"), SEEN)
def test_outcomes_are_told_apart(outcome: object, observed: Observed, expected: bool) -> None:
    assert is_outcome(outcome, observed) is expected  # type: ignore[arg-type]


def test_messages_are_not_compared_where_nobody_echoes() -> None:
    silent = Observed(alive=True, echoing=False)
    assert is_outcome(Echoes(("a",)), silent)
    assert is_outcome(Drops(("a",)), Observed(ended=True, echoing=False))


def test_the_runner_puts_its_own_host_and_target_in() -> None:
    assert b"GET /ws HTTP/1.1\r\nHost: localhost:1\r\n" in bytes(
        by_id("requests/good").request("localhost:1", "/ws")
    )
    head = by_id("requests/empty-line-before").request(target="/ws")
    assert bytes(head).startswith(b"\r\nGET /ws HTTP/1.1\r\n")
    assert b"Host: a/b\r\n" in bytes(by_id("requests/host-slash").request("localhost"))
    assert b"permessage-deflate" in bytes(by_id("compression/hello").request())


def test_a_case_for_one_role_is_not_for_the_other() -> None:
    with pytest.raises(ValueError, match="not for clients"):
        by_id("requests/good").response("x")
    with pytest.raises(ValueError, match="not for servers"):
        by_id("responses/good").request()


def test_frames_are_masked_for_a_server_and_bytes_are_not_touched() -> None:
    case = by_id("masking/unmasked-second-message")
    masked, plain = case.data(Role.SERVER, b"\x00\x00\x00\x01")
    assert masked.hex() == "8186000000016265666e7265"
    assert plain == b"\x81\x06behind"
    assert by_id("frames/text").data(Role.CLIENT) == [b"\x81\x05Hello"]
    (own,) = by_id("masking/key-ones").data(Role.SERVER)
    assert own[2:6] == b"\xff" * 4


def test_the_refusal_of_a_version_says_which_protocol_is_required() -> None:
    request = bytes(by_id("requests/websocket-version-12").request())
    end = Echo(Role.SERVER, deflate=False)
    end.receive(request)
    assert judge_response(request, bytes(end.sent)) == []
