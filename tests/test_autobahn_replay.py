"""The Autobahn test suite where the suite cannot run: its cases as recorded, replayed in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from support.autobahn import entries, expected_verdict, recorded, replay, verdict_of

ENTRIES = entries()
COMPRESSED_SECTIONS = {12: 5 * 18, 13: 7 * 18}
SECTIONS = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1} | COMPRESSED_SECTIONS
SHORT, LONG = 1 << 12, 1 << 20


def cuts(stream: bytes) -> Iterator[tuple[str, int]]:
    """Sizes of chunks; the longer the stream, the fewer."""
    yield "whole", max(1, len(stream))
    if len(stream) <= SHORT:
        yield "byte by byte", 1
    elif len(stream) <= LONG:
        yield "chunks of 1009", 1009


@pytest.mark.parametrize("name", ENTRIES)
def test_ws13_answers_as_it_did_when_the_suite_judged_it(name: str) -> None:
    recording, stream = recorded(ENTRIES[name])
    for label, size in cuts(stream):
        chunks = (stream[at : at + size] for at in range(0, len(stream), size))
        seen = replay(recording, chunks)
        assert seen.answers == list(recording.answers), label
        assert seen.masked == {recording.role == "client"}, label
        assert seen.compressed <= {recording.accepted is not None}, label
        if recording.role == "server":
            assert seen.extensions == recording.accepted, label


def test_our_client_still_offers_what_it_offered_the_suite() -> None:
    offers = {entry["offer"] for entry in ENTRIES.values() if entry["role"] == "client"}
    recording, stream = recorded(ENTRIES["client 1.1.1"])
    assert offers == {replay(recording, [stream]).extensions}


def test_every_verdict_is_the_expected_one() -> None:
    for name, entry in ENTRIES.items():
        assert verdict_of(entry) == expected_verdict(entry["case"]), name


def test_every_conversation_ends_with_the_close_code_that_the_suite_saw() -> None:
    for name, entry in ENTRIES.items():
        kind, _, payload, times = entry["answers"][-1]
        assert (kind, times) == ("close", 1), name
        assert entry["closeCode"] == (int(payload[:4], 16) if payload else None), name


@pytest.mark.parametrize("role", ["server", "client"])
def test_all_517_cases_are_there_in_either_role(role: str) -> None:
    cases = [entry["case"] for entry in ENTRIES.values() if entry["role"] == role]
    assert Counter(int(case.split(".")[0]) for case in cases) == SECTIONS
    assert len(cases) == 517


def test_compression_is_negotiated_in_its_sections_and_nowhere_else() -> None:
    for name, entry in ENTRIES.items():
        compressed = int(entry["case"].split(".")[0]) in COMPRESSED_SECTIONS
        assert (entry["accepted"] is not None) == compressed, name


@pytest.mark.parametrize(
    ("name", "at"),
    [("server 1.1.2", 8), ("client 1.1.6", 1000), ("server 6.2.3", 0), ("client 7.7.5", -1)],
    ids=["a short message", "a long one", "the opcode", "the close code"],
)
def test_an_answer_to_other_bytes_is_not_taken_for_the_recorded_one(name: str, at: int) -> None:
    recording, stream = recorded(ENTRIES[name])
    other = bytearray(stream)
    other[at] ^= 1
    assert replay(recording, [bytes(other)]).answers != list(recording.answers)
