"""Random conversations, what is right for them, and how they are made smaller."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from support.cases import run
from ws13._cli.fuzz import minimise
from ws13._cli.fuzz.mutations import ID, judged, mutation
from ws13.testing import Frame, Role, binary, close, deflate, fragments, ping, text
from ws13.testing.cases import Case, Closes, Drops, Echoes, outcome_of

DEFLATE = "permessage-deflate"
KEY = b"\x01\x02\x03\x04"

each_role = pytest.mark.parametrize("role", Role)


def case_of(role: Role, *frames: Frame, extension: str | None = None) -> Case:
    masked = [frame.masked(KEY) if role is Role.SERVER else frame for frame in frames]
    return judged("random/1-1", [bytes(frame) for frame in masked], role, extension)


@each_role
def test_a_seed_and_a_number_are_one_case(role: Role) -> None:
    made = [mutation(7, number, role) for number in range(50)]
    assert made == [mutation(7, number, role) for number in range(50)]
    assert len({case.sends for case in made}) > 45
    assert made != [mutation(8, number, role) for number in range(50)]
    assert all(ID.fullmatch(case.id) for case in made)
    assert made[3].id == "random/7-3"


@each_role
def test_all_kinds_of_outcomes_come_up(role: Role) -> None:
    cases = [mutation(1, number, role) for number in range(300)]
    kinds = Counter((type(case.allowed[0]).__name__, case.must) for case in cases)
    for kind in (("Echoes", True), ("Closes", True), ("Closes", False)):
        assert kinds[kind] > 20, kinds
    assert sum(case.extension is not None for case in cases) > 50
    assert any(case.eof for case in cases)


@each_role
def test_a_legal_conversation_is_answered(role: Role) -> None:
    case = case_of(role, text("a"), ping(b"p"), *fragments(2, [b"b", b"c"]))
    assert case.must
    assert case.allowed[0] == Echoes(("a", b"bc"), (b"p",))
    assert not any(isinstance(outcome, Drops) for outcome in case.allowed)


@each_role
def test_a_breach_that_nobody_may_bear_fails_the_connection(role: Role) -> None:
    wrong = [
        Frame(1, b"x", rsv2=True),
        Frame(3),
        Frame(11),
        text(b"\xff"),
    ]
    for frame in wrong:
        case = case_of(role, text("before"), frame, text("behind"))
        assert case.must
        assert set(case.allowed) == {Closes(messages=("before",)), Drops(("before",))} or all(
            isinstance(outcome, Closes | Drops) and outcome.messages[:1] == ("before",)
            for outcome in case.allowed
        )
    unmasked = text("x") if role is Role.SERVER else text("x").masked(KEY)
    case = judged("random/1-1", [bytes(unmasked)], role, None)
    assert case.must
    assert not any(isinstance(outcome, Echoes) for outcome in case.allowed)


@each_role
def test_what_only_binds_the_sender_is_left_open(role: Role) -> None:
    assert not case_of(role, Frame(1, b"x", length_form=64)).must


@each_role
def test_a_compressed_message_without_an_end_is_left_open(role: Role) -> None:
    frame = Frame(2, b"\xff" * 9, fin=False, rsv1=True)
    for frames in ((frame,), (frame, close(1000))):
        case = case_of(role, *frames, extension=DEFLATE)
        assert not case.must
        assert any(isinstance(outcome, Drops) for outcome in case.allowed)


@each_role
def test_compressed_messages_are_compared_inflated(role: Role) -> None:
    (frame,) = fragments(1, [deflate(b"Hello")], compressed=True)
    assert case_of(role, frame, extension=DEFLATE).allowed[0] == Echoes(("Hello",))


@each_role
def test_half_a_frame_comes_with_the_end_of_tcp(role: Role) -> None:
    whole = bytes(binary(b"12345").masked(KEY) if role is Role.SERVER else binary(b"12345"))
    case = judged("random/1-1", [whole[:-1]], role, None)
    assert case.eof
    assert not case.must


@each_role
def test_ws13_does_what_is_right_for_each(role: Role) -> None:
    """In memory; over TCP it is done by test_fuzz_server."""
    for number in range(400):
        case = mutation(3, number, role)
        seen = run(case, role)
        assert outcome_of(case, seen) is not None or not case.must, (case.id, seen)


def minimised(case: Case, shows: minimise.Shows, most: int = 60) -> Sequence[Frame | bytes]:
    return asyncio.run(minimise.minimised(case, Role.SERVER, shows, most=most)).sends


def test_only_what_shows_a_finding_is_left() -> None:
    case = case_of(Role.SERVER, *(text(f"{i}") for i in range(20)), Frame(3), text("behind"))
    wrong = case.sends[20]
    tried: list[Case] = []

    async def shows(smaller: Case) -> bool:
        tried.append(smaller)
        return wrong in smaller.sends

    assert minimised(case, shows) == (wrong,)
    assert all(one.id == case.id for one in tried)


def test_it_gives_up_after_so_many_tries() -> None:
    case = case_of(Role.SERVER, *(text(f"{i}") for i in range(20)))
    tries = 0

    async def shows(smaller: Case) -> bool:
        nonlocal tries
        tries += 1
        return False

    assert minimised(case, shows, most=7) == case.sends
    assert tries == 7


def test_a_payload_is_made_shorter() -> None:
    case = judged("random/1-1", [b"x" * 64], Role.SERVER, None)

    async def shows(smaller: Case) -> bool:
        return True

    assert minimised(replace(case), shows) == (b"x",)
