"""Vectors of open connections: one case, one role, one cut of its bytes, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest

from support.frames import decode
from support.negotiation import Make, agreed
from support.transcript import Expected, Transcript, brief, take
from support.vectors import Case, Chunk, chunkings, identity, input_bytes
from ws13 import Config
from ws13.connection import Connection, ConnectionType
from ws13.events import CloseConnection
from ws13.extensions import PerMessageDeflate

Open = Callable[[Case, str], Connection]
#: What becomes of an unfinished message: compared with the case, nothing may come out, or anything.
Partial = Literal["compared", "none", "any"]


def runs(cases: Sequence[Case]) -> list[Any]:
    """Each case in each of its roles."""
    return [
        pytest.param(case, role, id=f"{role} {identity(case)}")
        for case in cases
        for role in ("server", "client")
        if role in case
    ]


def connection_of(
    case: Case, role: str, make: Make = PerMessageDeflate, **config: Any
) -> Connection:
    """An open connection as the case wants it, with further settings of its `Config`."""
    settings = Config(**{**case.get("config", {}), **config})
    extension = case.get("extension")
    if isinstance(extension, dict):
        extension = extension[role]
    if extension:
        connection = agreed(role, extension, settings, make)
    else:
        connection = Connection(ConnectionType[role.upper()], config=settings)
    if case.get("after_our_close"):
        (close,) = decode(connection.send(CloseConnection(code=1000)))
        assert close.opcode == 8
    return connection


def observed(connection: Connection, chunks: Sequence[Chunk]) -> Transcript:
    seen = Transcript()
    for chunk in chunks:
        connection.receive_data(chunk)
        take(connection, seen)
    return seen


def allowed(case: Case, partial: Partial = "compared") -> list[Expected]:
    """What may come of a case."""
    entries = [case["expect"], *([case["or"]] if "or" in case else [])]
    if partial != "compared":
        instead = [["partial", "any"]] if partial == "any" else []
        entries = [[*(e for e in one if e[0] != "partial"), *instead] for one in entries]
    return [Expected.parse(one) for one in entries]


def check(
    case: Case, role: str, make: Open, partial: Partial = "compared", cuts: int | None = None
) -> None:
    """Each cut of the bytes has one expected outcome, the same one down to the last byte."""
    data, ends = input_bytes(case[role])
    first: Transcript | None = None
    for number, (label, cut) in enumerate(chunkings(data)):
        if cuts is not None and number >= cuts:
            break
        connection = make(case, role)
        seen = observed(connection, [*cut, None] if ends else cut)
        if first is None:
            wanted = allowed(case, partial)
            differences = [one.difference(seen, connection.state) for one in wanted]
            assert None in differences, f"{label}: {differences}"
            first = seen
        if partial == "any":  # the words of a failure may differ, its code may not
            assert [i[:2] for i in seen.items] == [i[:2] for i in first.items], label
        else:
            assert seen.items == first.items, f"{label}: {brief(seen.items)}, {brief(first.items)}"
            assert seen.partial == first.partial, f"{label}: {brief(seen)}, {brief(first)}"
