"""Lines from a terminal, a pipe or a file, for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError

LINES_READ_AHEAD = 64


async def read_lines(fd: int) -> AsyncIterator[bytes]:
    """Give out the lines of ``fd`` without their ends.

    A thread reads them: event loops can watch pipes, but neither files nor a Windows console. It
    is a daemon on its own file object, so that a read that never returns cannot hold up the exit.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(LINES_READ_AHEAD)

    def put(line: bytes | None) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()

    def read() -> None:
        # RuntimeError and CancelledError: the loop has ended, and nobody wants more lines.
        with contextlib.suppress(RuntimeError, CancelledError):
            with contextlib.suppress(OSError), open(fd, "rb", closefd=False) as lines:
                for line in lines:
                    put(line)
            put(None)

    threading.Thread(target=read, daemon=True, name="ws13 stdin").start()
    while (line := await queue.get()) is not None:
        yield line.rstrip(b"\r\n")
