"""A progress bar on a terminal; findings go above it, and alone where there is no terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

from ws13._cli.wording import visible

WIDTH = 24


class Progress:
    """How far a run has come."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total = total
        self.done = 0
        self.found = 0
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty()

    def step(self, now: str) -> None:
        """One case more is done."""
        self.done += 1
        if not self._shown:
            return
        filled = WIDTH * self.done // max(self.total, 1)
        bar = "#" * filled + "." * (WIDTH - filled)
        line = f"[{bar}] {self.done}/{self.total}, {self.found} found  {now}"
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[K{line[:width]}")
        self._stream.flush()

    def tell(self, line: str) -> None:
        """A line for good, on standard output."""
        self.clear()
        # The endpoint must not move the cursor, nor make two lines of one.
        print(visible(line).replace("\n", "\\n").replace("\t", "\\t"), flush=True)

    def clear(self) -> None:
        """Take the bar away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
