"""The catalogue: what can be sent to a WebSocket endpoint, and what it may do about it."""

from __future__ import annotations

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
from ws13.testing.cases.observed import Observed, is_outcome, outcome_of
from ws13.testing.roles import Role

__all__ = [
    "Accepts",
    "Answer",
    "Case",
    "Closes",
    "Drops",
    "Echoes",
    "Observed",
    "Outcome",
    "Refuses",
    "Role",
    "by_id",
    "cases",
    "chapters",
    "is_outcome",
    "outcome_of",
]


def catalogue() -> list[Case]:
    """All cases, chapter by chapter."""
    # Read when it is asked for: some cases take a while to make.
    from ws13.testing.cases import (
        closing,
        compression,
        compression_faults,
        control,
        fragmentation,
        frames,
        masking,
        negotiation,
        request_heads,
        requests,
        responses,
        sizes,
        text,
    )

    chapters = (
        frames.CHAPTER,
        masking.CHAPTER,
        fragmentation.CHAPTER,
        control.CHAPTER,
        closing.CHAPTER,
        text.CHAPTER,
        sizes.CHAPTER,
        compression.CHAPTER,
        compression_faults.CHAPTER,
        negotiation.CHAPTER,
        requests.CHAPTER,
        request_heads.CHAPTER,
        responses.CHAPTER,
    )
    return [case for chapter in chapters for case in chapter.cases]


_by_id: dict[str, Case] = {}


def _all() -> dict[str, Case]:
    """The catalogue by id, made when it is first asked for."""
    if not _by_id:
        _by_id.update((case.id, case) for case in catalogue())
    return _by_id


def chapters() -> tuple[str, ...]:
    """The names of the chapters, in order."""
    return tuple(dict.fromkeys(case.chapter for case in _all().values()))


def cases(role: Role | None = None, chapter: str | None = None) -> tuple[Case, ...]:
    """The cases that can be aimed at an endpoint of this role, of this chapter, or all."""
    return tuple(
        case
        for case in _all().values()
        if (role is None or role in case.roles) and chapter in (None, case.chapter)
    )


def by_id(id: str) -> Case:
    """The case with this id. Raises `KeyError` when there is none."""
    return _all()[id]
