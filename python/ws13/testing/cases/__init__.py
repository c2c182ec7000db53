"""The catalogue: what can be sent to a WebSocket endpoint, and what it may do about it."""

from __future__ import annotations

from functools import cache

from ws13.testing.cases.case import (
    Accepts,
    Answer,
    Case,
    Closes,
    Drops,
    Echoes,
    Outcome,
    Refuses,
)
from ws13.testing.roles import Role

__all__ = [
    "Accepts",
    "Answer",
    "Case",
    "Closes",
    "Drops",
    "Echoes",
    "Outcome",
    "Refuses",
    "Role",
    "by_id",
    "cases",
    "chapters",
]


@cache
def _catalogue() -> dict[str, Case]:
    # Read when it is asked for: some cases take a while to make.
    from ws13.testing.cases import frames

    cases = [case for module in (frames,) for case in module.CHAPTER.cases]
    return {case.id: case for case in cases}


def chapters() -> tuple[str, ...]:
    """The names of the chapters, in order."""
    return tuple(dict.fromkeys(case.chapter for case in _catalogue().values()))


def cases(role: Role | None = None, chapter: str | None = None) -> tuple[Case, ...]:
    """The cases that can be aimed at an endpoint of this role, of this chapter, or all."""
    return tuple(
        case
        for case in _catalogue().values()
        if (role is None or role in case.roles) and chapter in (None, case.chapter)
    )


def by_id(id: str) -> Case:
    """The case with this id. Raises `KeyError` when there is none."""
    return _catalogue()[id]
