"""Compressed data and limits: tests/vectors/{deflate,limits}.json on open connections."""

from __future__ import annotations

from functools import partial

import pytest

from support.frames import Frame, encode
from support.negotiation import Hooked
from support.runs import allowed, check, connection_of, observed, runs
from support.vectors import Case, identity, input_bytes, load
from ws13.events import BytesMessage, Message, TextMessage

CASES = load("deflate", "limits")
COMPRESSED = [case for case in CASES if "extension" in case]
ENDED = [case for case in CASES if allowed(case)[0].end is not None and "or" not in case]
#: The limit is crossed before the fault: hooks tell the fault and not what stands before it.
FAULT_AND_LIMIT = [
    "bad DEFLATE behind one byte more than the limit fails with 1009",
    "a distance too far back behind one literal more than the limit fails with 1009",
]


@pytest.mark.parametrize(("case", "role"), runs(CASES))
def test_every_cut_of_the_bytes_has_the_expected_outcome(case: Case, role: str) -> None:
    check(case, role, connection_of)


@pytest.mark.parametrize(
    ("case", "role"), runs([c for c in COMPRESSED if c["name"] not in FAULT_AND_LIMIT])
)
def test_the_hooks_of_a_subclass_have_the_same_outcome(case: Case, role: str) -> None:
    """But for what stands before a fault: a hook returns bytes or a close code, not both."""
    check(case, role, partial(connection_of, make=Hooked), partial="any", cuts=8)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("case", "role"), runs(COMPRESSED))
def test_pieces_of_any_size_have_the_same_outcome(case: Case, role: str, size: int) -> None:
    check(case, role, partial(connection_of, piece_size=size), cuts=2)


@pytest.mark.parametrize(("case", "role"), runs(ENDED))
def test_nothing_comes_out_after_the_end(case: Case, role: str) -> None:
    data, ends = input_bytes(case[role])
    connection = connection_of(case, role)
    observed(connection, [data, None] if ends else [data])
    key = b"\x01\x02\x03\x04" if role == "server" else None
    late = [encode(Frame(1, b"\x00", rsv=4), key), encode(Frame(9, b"late"), key)]
    seen = observed(connection, [*late, b"\xff" * 20, b"", None, None])
    assert not seen.items
    assert seen.partial is None


@pytest.mark.parametrize(("case", "role"), runs(COMPRESSED))
def test_no_piece_of_inflated_data_is_larger_than_asked_for(case: Case, role: str) -> None:
    size = 100
    connection = connection_of(case, role, piece_size=size)
    connection.receive_data(input_bytes(case[role])[0])
    for event in connection.events():
        if isinstance(event, BytesMessage):
            assert len(event.data) <= size
        elif isinstance(event, TextMessage):
            assert len(event.data.encode()) <= size
        else:
            assert not isinstance(event, Message)


def test_names_of_cases_are_unique() -> None:
    names = [(case["file"], identity(case)) for case in CASES]
    assert len(names) == len(set(names))
