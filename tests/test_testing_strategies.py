"""The strategies make what they say, and reach what they are for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from ws13.testing import Frame, Judge, Opcode, Role, judge_request, judge_response, strategies
from ws13.testing.extensions import read, wrong_with
from ws13.testing.handshakes import SAMPLE_KEY, request
from ws13.testing.judge import SENDABLE_CODES

PROFILE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FIND = settings(max_examples=2000, deadline=None, database=None, phases=[Phase.generate])


@PROFILE
@given(data=st.data(), role=st.sampled_from(Role), deflate=st.booleans())
def test_a_conversation_is_legal(data: st.DataObject, role: Role, deflate: bool) -> None:
    frames = data.draw(strategies.conversations(role, deflate))
    judge = Judge(role, "permessage-deflate" if deflate else None)
    judge.take(b"".join(map(bytes, frames)))
    assert judge.findings == []
    assert judge.close_code is None or frames[-1].opcode == Opcode.CLOSE


@PROFILE
@given(frame=strategies.frames())
def test_a_frame_of_a_server_is_legal(frame: Frame) -> None:
    judge = Judge(Role.SERVER)
    assert judge.take(bytes(frame)) == [frame]
    assert judge.findings == []


@PROFILE
@given(bad=strategies.not_texts(), good=strategies.texts(9), payload=strategies.payloads(200))
def test_text_is_text_and_what_is_not_is_not(bad: bytes, good: str, payload: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        bad.decode()
    assert len(good) <= 9
    assert good.encode().decode() == good
    assert len(payload) <= 200


@PROFILE
@given(code=strategies.close_codes(), any_code=strategies.any_close_codes())
def test_close_codes_may_be_sent_or_are_at_least_codes(code: int, any_code: int) -> None:
    assert code in SENDABLE_CODES
    assert 0 <= any_code <= 0xFFFF


@PROFILE
@given(data=st.data(), payload=st.binary(max_size=20))
def test_a_payload_in_parts_is_the_payload(data: st.DataObject, payload: bytes) -> None:
    parts = data.draw(strategies.cut_payloads(payload))
    assert b"".join(parts) == payload
    assert 1 <= len(parts) <= 4


@PROFILE
@given(offer=strategies.offers(), answer=strategies.responses(SAMPLE_KEY))
def test_offers_and_responses_are_valid(offer: str, answer: object) -> None:
    (read_offer,) = read([offer])
    assert wrong_with(read_offer, answer=False) is None
    assert judge_response(bytes(request()), bytes(answer)) == []  # type: ignore[call-overload]


REACHED: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], bool]]] = {
    "a payload of 65,536 bytes": (strategies.lengths(), lambda one: one == 65536),
    "a character of four bytes": (strategies.texts(), lambda one: max([*one, ""]) > "\uffff"),
    "a reserved opcode": (strategies.any_frames(), lambda one: one.opcode == 0xB),
    "a length that lies": (strategies.any_frames(), lambda one: one.length > len(one.payload)),
    "a length in more bits": (strategies.any_frames(), lambda one: one.length_form == 64),
    "a masked frame": (strategies.any_frames(), lambda one: one.masking_key is not None),
    "a code no one may send": (strategies.any_close_codes(), lambda one: one == 1005),
    "a Ping between fragments": (
        strategies.conversations(Role.SERVER),
        lambda one: any(
            not first.fin and second.opcode == Opcode.PING for first, second in pairwise(one)
        ),
    ),
    "a compressed message": (
        strategies.conversations(Role.SERVER, True),
        lambda one: any(frame.rsv1 for frame in one),
    ),
    "a request with a fault": (strategies.any_requests(), lambda one: bool(judge_request(one))),
    "a request without one": (strategies.any_requests(), lambda one: not judge_request(one)),
}


@pytest.mark.parametrize("name", REACHED)
def test_what_they_are_for_is_reached(name: str) -> None:
    strategy, reached = REACHED[name]
    find(strategy, reached, settings=FIND)
