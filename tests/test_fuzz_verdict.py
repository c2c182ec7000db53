"""What `python -m ws13 fuzz` says of an exchange."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ws13._cli.fuzz.exchange import PROBE, Exchange
from ws13._cli.fuzz.verdict import Verdict, judge
from ws13._cli.fuzz.wire import Ending
from ws13.testing import (
    Finding,
    Frame,
    Judge,
    Opcode,
    Role,
    binary,
    close,
    ping,
    pong,
    read_head,
    text,
)
from ws13.testing.cases import Accepts, Case, Closes, Drops, Echoes, Outcome, Refuses

CASE = Case(
    id="here/case",
    section="RFC 6455 §5",
    title="Something.",
    roles=frozenset(Role),
    sends=(),
    allowed=(),
)
ALIVE = pong(PROBE)


def exchange(
    allowed: Outcome | tuple[Outcome, ...],
    *frames: Frame,
    ending: Ending = Ending.OPEN,
    echoes: bool = True,
    status: str = "101",
    must: bool = True,
) -> Exchange:
    """What a server under test did."""
    outcomes = allowed if isinstance(allowed, tuple) else (allowed,)
    case = replace(CASE, allowed=outcomes, must=must)
    made = Exchange(case, Role.SERVER, echoes, judge=Judge(Role.SERVER), ending=ending)
    made.response = read_head(f"HTTP/1.1 {status} \r\nX-Field: a\r\nX-Field: b\r\n\r\n".encode())
    made.take(b"".join(map(bytes, frames)))
    return made


def verdict(made: Exchange) -> Verdict:
    return judge(made)[0].verdict


@pytest.mark.parametrize(
    ("outcome", "frames", "ending"),
    [
        (Echoes(), (ALIVE,), Ending.OPEN),
        (Echoes(("a", b"b")), (text("a"), ALIVE, binary(b"b")), Ending.OPEN),
        (Echoes(("ab",)), (text("a", fin=False), ALIVE, Frame(0, b"b")), Ending.OPEN),
        (Echoes(pongs=(b"1", b"2")), (pong(b"1"), pong(b"2"), ALIVE), Ending.OPEN),
        (Echoes(pongs=(b"1", b"2")), (pong(b"2"), ALIVE), Ending.OPEN),
        (Echoes(pongs=(b"1",)), (pong(b"unasked"), pong(b"1"), ALIVE), Ending.OPEN),
        (Closes((1002, 1007)), (close(1007),), Ending.CLOSED),
        (Closes((1005,)), (close(),), Ending.RESET),
        (Closes(), (close(4000),), Ending.CLOSED),
        (Closes((1002,), messages=("a", "b")), (text("a"), close(1002)), Ending.CLOSED),
        (Closes(reasons=("é",)), (close(1002, "é"),), Ending.CLOSED),
        (Drops(), (), Ending.RESET),
        (Drops(("a",)), (text("a"),), Ending.CLOSED),
        (Accepts((("X-Field", "b"), ("X-Other", None))), (), Ending.OPEN),
    ],
)
def test_an_outcome_that_is_allowed_is_right(
    outcome: Outcome, frames: tuple[Frame, ...], ending: Ending
) -> None:
    assert verdict(exchange(outcome, *frames, ending=ending)) is Verdict.RIGHT
    other = Refuses((599,))
    assert verdict(exchange((other, outcome), *frames, ending=ending)) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("outcome", "frames", "ending"),
    [
        (Echoes(), (), Ending.OPEN),
        (Echoes(), (ALIVE, close(1000)), Ending.CLOSED),
        (Echoes(("a",)), (ALIVE,), Ending.OPEN),
        (Echoes(("a",)), (text("b"), ALIVE), Ending.OPEN),
        (Echoes(("a",)), (binary(b"a"), ALIVE), Ending.OPEN),
        (Echoes(("a",)), (text("a"), text("a"), ALIVE), Ending.OPEN),
        (Echoes(pongs=(b"1", b"2")), (pong(b"1"), ALIVE), Ending.OPEN),
        (Echoes(pongs=(b"1", b"2")), (pong(b"2"), pong(b"1"), ALIVE), Ending.OPEN),
        (Closes((1002,)), (close(1007),), Ending.CLOSED),
        (Closes((1002,)), (close(1002),), Ending.OPEN),
        (Closes((1002,)), (), Ending.CLOSED),
        (Closes((1002,), messages=("a",)), (text("b"), close(1002)), Ending.CLOSED),
        (Closes(reasons=("a",)), (close(1002, "b"),), Ending.CLOSED),
        (Drops(), (), Ending.OPEN),
        (Drops(), (close(1002),), Ending.CLOSED),
        (Accepts((("X-Field", "c"),)), (), Ending.OPEN),
        (Accepts((("X-Field", None),)), (), Ending.OPEN),
        (Refuses(), (), Ending.OPEN),
        (Refuses((0,)), (), Ending.CLOSED),
    ],
)
def test_another_outcome_is_a_violation_or_a_remark(
    outcome: Outcome, frames: tuple[Frame, ...], ending: Ending
) -> None:
    assert verdict(exchange(outcome, *frames, ending=ending)) is Verdict.VIOLATION
    assert verdict(exchange(outcome, *frames, ending=ending, must=False)) is Verdict.REMARK


@pytest.mark.parametrize(
    ("outcome", "status", "right"),
    [
        (Refuses(), "400", True),
        (Refuses((426, 400)), "400", True),
        (Refuses((426,)), "400", False),
        (Refuses((400,), (("X-Field", "a"),)), "400", True),
        (Refuses((400,), (("X-Field", "c"),)), "400", False),
        (Accepts(), "400", False),
    ],
)
def test_a_refusal_is_told_by_its_status_and_fields(
    outcome: Outcome, status: str, right: bool
) -> None:
    wanted = Verdict.RIGHT if right else Verdict.VIOLATION
    assert verdict(exchange(outcome, status=status)) is wanted


def test_no_answer_at_all_is_the_refusal_zero() -> None:
    for ending, right in ((Ending.CLOSED, True), (Ending.RESET, True), (Ending.OPEN, False)):
        made = exchange(Refuses((0,)), ending=ending)
        made.response = None
        assert (verdict(made) is Verdict.RIGHT) == right
    made = exchange(Refuses(), ending=Ending.CLOSED)
    made.response = None
    assert verdict(made) is Verdict.VIOLATION


def test_messages_are_not_compared_where_none_are_echoed() -> None:
    for frames in ((ALIVE,), (text("welcome"), ALIVE)):
        assert verdict(exchange(Echoes(("a",)), *frames, echoes=False)) is Verdict.RIGHT
        assert verdict(exchange(Echoes(("a",)), *frames)) is Verdict.VIOLATION


def test_what_the_endpoint_must_not_send_is_a_violation_whatever_the_outcome() -> None:
    masked = text("a").masked(b"1234")
    opinions = judge(exchange(Echoes(("a",)), masked, ALIVE))
    assert [one.verdict for one in opinions] == [Verdict.VIOLATION, Verdict.RIGHT]
    assert opinions[0].section == "RFC 6455 §5.1"
    assert "is masked" in opinions[0].sentence


def test_whether_a_request_deserved_101_the_case_says() -> None:
    for sentence, right in (("101 to a request that is none: odd", True), ("no accept", False)):
        made = exchange(Accepts())
        made.handshake_findings = [Finding("RFC 6455 §4", sentence, 0)]
        assert (verdict(made) is Verdict.RIGHT) == right
        made = exchange(Refuses())
        made.handshake_findings = [Finding("RFC 6455 §4", sentence, 0)]
        assert [one.section for one in judge(made)] == [CASE.section]


def test_data_behind_a_close_frame_is_a_violation() -> None:
    made = exchange(Closes((1000,)), close(1000), text("more"), ending=Ending.CLOSED)
    assert verdict(made) is Verdict.VIOLATION


def test_a_random_case_that_leaves_it_open_makes_no_remark() -> None:
    made = exchange(Drops(), ALIVE, must=False)
    made.case = replace(made.case, id="random/1-2")
    assert verdict(made) is Verdict.ALLOWED


def test_a_case_that_does_not_apply_is_skipped() -> None:
    made = exchange(Drops())
    made.skipped = "no such extension"
    assert [(one.verdict, one.sentence) for one in judge(made)] == [
        (Verdict.SKIPPED, "no such extension")
    ]


def test_a_sentence_says_what_came_and_what_is_allowed() -> None:
    made = exchange(
        (Closes((1002, 1007)), Drops()), text("x" * 30), ping(b"p"), pong(b"\x00"), ALIVE
    )
    (opinion,) = judge(made)
    assert opinion.sentence == (
        f'messages "{"x" * 24}"... (30), Pong 00, the connection stays open; '
        "allowed: Close 1002 / 1007, or the end of TCP"
    )
    made = exchange(Accepts((("A", "1"), ("B", None))), close(1011, "down"), ending=Ending.RESET)
    (opinion,) = judge(made)
    assert opinion.sentence == 'Close 1011 "down", TCP is reset; allowed: 101 with A: 1 without B'
    made = exchange(Refuses((400, 0)), status="200")
    assert judge(made)[0].sentence == (
        "refused with 200, TCP stays open; allowed: 400 / the end of TCP"
    )


def test_the_probe_is_no_pong_of_the_case() -> None:
    made = exchange(Echoes(), ALIVE)
    assert (made.is_probed, made.pongs) == (True, [])
    assert made.frames[0].opcode == Opcode.PONG
