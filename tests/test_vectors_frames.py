"""Frames, text and close: tests/vectors/{frames,text,close}.json on open connections."""

from __future__ import annotations

from typing import Any

import pytest

from support.extensions import Inflates
from support.frames import Frame, decode, encode
from support.transcript import Expected, Transcript, take
from support.vectors import Case, Chunk, chunkings, identity, input_bytes, load
from ws13.connection import Connection, ConnectionType
from ws13.events import CloseConnection

CASES = load("frames", "text", "close")


def runs(cases: list[Case]) -> list[Any]:
    """Each case in each of its roles."""
    return [
        pytest.param(case, role, id=f"{role} {identity(case)}")
        for case in cases
        for role in ("server", "client")
        if role in case
    ]


RUNS = runs(CASES)
ENDED = runs([case for case in CASES if Expected.parse(case["expect"]).end is not None])
AT_EOF = runs([case for case in CASES if ["eof"] in case["expect"]])


def opened(case: Case, role: str) -> Connection:
    """An open connection as the case wants it."""
    extensions: list[Any] = []
    if case.get("extension") == "permessage-deflate":
        extensions.append(Inflates())
    connection = Connection(ConnectionType[role.upper()], extensions)
    if case.get("after_our_close"):
        (close,) = decode(connection.send(CloseConnection(code=1000)))
        assert close.opcode == 8
    return connection


def observed(connection: Connection, chunks: list[Chunk]) -> Transcript:
    seen = Transcript()
    for chunk in chunks:
        connection.receive_data(chunk)
        take(connection, seen)
    return seen


@pytest.mark.parametrize(("case", "role"), RUNS)
def test_every_cut_of_the_bytes_has_the_expected_outcome(case: Case, role: str) -> None:
    data, ends = input_bytes(case[role])
    allowed = [Expected.parse(case["expect"])]
    if "or" in case:
        allowed.append(Expected.parse(case["or"]))
    for label, cut in chunkings(data):
        chunks: list[Chunk] = [*cut, None] if ends else [*cut]
        connection = opened(case, role)
        seen = observed(connection, chunks)
        differences = [one.difference(seen, connection.state) for one in allowed]
        assert None in differences, f"{label}: {differences}"
        allowed = [allowed[differences.index(None)]]  # the other cuts must agree


@pytest.mark.parametrize(("case", "role"), ENDED)
def test_nothing_comes_out_after_the_end(case: Case, role: str) -> None:
    data, ends = input_bytes(case[role])
    connection = opened(case, role)
    observed(connection, [data, None] if ends else [data])
    key = b"\x01\x02\x03\x04" if role == "server" else None
    late: list[Chunk] = [encode(Frame(1, b"late"), key), encode(Frame(9, b"late"), key)]
    seen = observed(connection, [*late, b"\xff" * 20, b"", None, None])
    assert not seen.items
    assert seen.partial is None


@pytest.mark.parametrize(("case", "role"), AT_EOF)
def test_events_taken_only_at_the_end_of_file_come_in_the_same_order(case: Case, role: str) -> None:
    data, _ends = input_bytes(case[role])
    connection = opened(case, role)
    connection.receive_data(data)
    connection.receive_data(None)
    seen = Transcript()
    take(connection, seen)
    assert Expected.parse(case["expect"]).difference(seen, connection.state) is None


def test_names_of_cases_are_unique() -> None:
    names = [(case["file"], identity(case)) for case in CASES]
    assert len(names) == len(set(names))
