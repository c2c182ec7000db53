"""All vectors of open connections once more with whole messages."""

from __future__ import annotations

from functools import partial

import pytest

from support.runs import check, connection_of, runs
from support.vectors import Case, input_bytes, load
from ws13.events import Message

CASES = load("frames", "text", "close", "deflate", "limits")


@pytest.mark.parametrize(("case", "role"), runs(CASES))
def test_whole_messages_have_the_same_outcome(case: Case, role: str) -> None:
    check(case, role, partial(connection_of, whole_messages=True), partial="none", cuts=6)


@pytest.mark.parametrize(("case", "role"), runs(CASES))
def test_each_message_is_one_event_that_ends_frame_and_message(case: Case, role: str) -> None:
    data, _ = input_bytes(case[role])
    connection = connection_of(case, role, whole_messages=True)
    connection.receive_data(data)
    events = [event for event in connection.events() if isinstance(event, Message)]
    assert all(event.frame_finished and event.message_finished for event in events)
    wanted = [entry for entry in case["expect"] if entry[0] in ("text", "binary")]
    assert "or" in case or len(events) == len(wanted)
