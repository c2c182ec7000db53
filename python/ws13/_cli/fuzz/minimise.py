"""Makes a random case that was found smaller, as long as the same is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace

from ws13.testing import Judge, Role
from ws13.testing.cases import Case

from .mutations import judged

#: Tells whether a case still shows what was found.
Shows = Callable[[Case], Awaitable[bool]]


async def minimised(case: Case, role: Role, shows: Shows, *, most: int = 60) -> Case:
    """The smallest case found with at most so many connections."""
    best = [bytes(item) for item in case.sends]
    tries = 0
    progress = True
    while progress:
        progress = False
        for fewer in _smaller(best, role):
            if tries >= most:
                return judged(case.id, best, role, case.extension)
            tries += 1
            if await shows(judged(case.id, fewer, role, case.extension)):
                best, progress = fewer, True
                break
    return judged(case.id, best, role, case.extension)


def _smaller(items: Sequence[bytes], role: Role) -> Iterator[list[bytes]]:
    """Without a half, a quarter, ... of the items, then without the half of one payload."""
    size = (len(items) + 1) // 2
    while size:
        for at in range(0, len(items), size):
            if rest := [*items[:at], *items[at + size :]]:
                yield rest
        size //= 2
    for at, item in enumerate(items):
        if (shorter := _shorter(item, role)) != item:
            yield [*items[:at], shorter, *items[at + 1 :]]


def _shorter(item: bytes, role: Role) -> bytes:
    """A frame with half of its payload, or half of what is no frame."""
    frames = Judge(role.other).take(item)
    if len(frames) == 1 and bytes(frames[0]) == item:
        half = frames[0].payload[: len(frames[0].payload) // 2]
        return bytes(replace(frames[0], payload=half, length_form=None))
    return item[: (len(item) + 1) // 2]
