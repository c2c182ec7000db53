"""Makes a random case that was found smaller, as long as the same is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

from ws13.testing import Role
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
        for fewer in _smaller(best):
            if tries >= most:
                return judged(case.id, best, role, case.extension)
            tries += 1
            if await shows(judged(case.id, fewer, role, case.extension)):
                best, progress = fewer, True
                break
    return judged(case.id, best, role, case.extension)


def _smaller(items: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Without a half, a quarter, ... one of the items; then the last one shorter."""
    size = len(items) // 2
    while size:
        for at in range(0, len(items), size):
            if rest := [*items[:at], *items[at + size :]]:
                yield rest
        size //= 2
    if items and len(items[-1]) > 1:
        yield [*items[:-1], items[-1][: len(items[-1]) // 2]]
