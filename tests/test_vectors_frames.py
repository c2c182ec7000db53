"""Frames, text and close: tests/vectors/{frames,text,close}.json on open connections."""

from __future__ import annotations

import pytest

from support.frames import Frame, encode
from support.runs import allowed, check, connection_of, observed, runs
from support.transcript import Transcript, take
from support.vectors import Case, Chunk, identity, input_bytes, load

CASES = load("frames", "text", "close")
ENDED = [case for case in CASES if allowed(case)[0].end is not None]
AT_EOF = [case for case in CASES if ["eof"] in case["expect"]]


@pytest.mark.parametrize(("case", "role"), runs(CASES))
def test_every_cut_of_the_bytes_has_the_expected_outcome(case: Case, role: str) -> None:
    check(case, role, connection_of)


@pytest.mark.parametrize(("case", "role"), runs(ENDED))
def test_nothing_comes_out_after_the_end(case: Case, role: str) -> None:
    data, ends = input_bytes(case[role])
    connection = connection_of(case, role)
    observed(connection, [data, None] if ends else [data])
    key = b"\x01\x02\x03\x04" if role == "server" else None
    late: list[Chunk] = [encode(Frame(1, b"late"), key), encode(Frame(9, b"late"), key)]
    seen = observed(connection, [*late, b"\xff" * 20, b"", None, None])
    assert not seen.items
    assert seen.partial is None


@pytest.mark.parametrize(("case", "role"), runs(AT_EOF))
def test_events_taken_only_at_the_end_of_file_come_in_the_same_order(case: Case, role: str) -> None:
    data, _ends = input_bytes(case[role])
    connection = connection_of(case, role)
    connection.receive_data(data)
    connection.receive_data(None)
    seen = Transcript()
    take(connection, seen)
    assert allowed(case)[0].difference(seen, connection.state) is None


def test_names_of_cases_are_unique() -> None:
    names = [(case["file"], identity(case)) for case in CASES]
    assert len(names) == len(set(names))
