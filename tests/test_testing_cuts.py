"""Ways to cut bytes: none loses any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws13.testing import Cut, at, bytewise, every, scattered, strategies, whole


@given(data=st.binary(max_size=300), cut=strategies.cuts())
def test_no_cut_loses_a_byte(data: bytes, cut: Cut) -> None:
    assert b"".join(cut(data)) == data


def test_pieces_are_as_long_as_was_asked_for() -> None:
    assert list(whole(b"abc")) == [b"abc"]
    assert list(whole(b"")) == []
    assert list(bytewise(b"abc")) == [b"a", b"b", b"c"]
    assert list(every(2)(b"abcde")) == [b"ab", b"cd", b"e"]
    assert list(at(3, 1)(b"abcde")) == [b"a", b"bc", b"de"]
    assert list(at(2, 2, 9)(b"abc")) == [b"ab", b"", b"c", b""]
    assert list(at()(b"abc")) == [b"abc"]


def test_scattered_pieces_depend_on_the_seed_alone() -> None:
    data = bytes(1000)
    first = [len(piece) for piece in scattered(1)(data)]
    assert first == [len(piece) for piece in scattered(1)(data)]
    assert first != [len(piece) for piece in scattered(2)(data)]
    assert all(1 <= size <= 100 for size in first)
    assert {len(piece) for piece in scattered(1, 3)(data)} == {1, 2, 3}


@pytest.mark.parametrize("make", [lambda: every(0), lambda: at(-1), lambda: scattered(1, 0)])
def test_what_cuts_nothing_is_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"piece|offsets"):
        make()  # type: ignore[operator]
