"""How many connections are begun in a second."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """Lets so many pass in a second, evenly."""

    def __init__(self, rate: float) -> None:
        self._apart = 1 / rate
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for one's turn."""
        now = time.monotonic()
        mine = max(now, self._next)
        self._next = mine + self._apart
        await asyncio.sleep(mine - now)
