"""A transport without a socket, for peers that write to one."""

from __future__ import annotations

from collections import deque
from typing import Any


class FakeTransport:
    """Keeps the last ``keep`` writes. The methods on the peers' fast paths are built-in
    functions, so that the stand-in costs them next to nothing."""

    def __init__(self, keep: int | None = 1) -> None:
        self.written: deque[Any] = deque(maxlen=keep)
        self.write = self.written.append
        self.writelines = self.written.extend
        # Not empty: picows would otherwise call send(2) on the descriptor itself.
        self.get_write_buffer_size = (1).__index__
        self.is_closing = ().__len__

    def get_extra_info(self, name: str, default: object = None) -> Any:
        return self if name == "socket" else default

    def fileno(self) -> int:
        return -1

    def setsockopt(self, *_option: object) -> None:
        pass

    def getsockopt(self, *_option: object) -> int:
        return 0

    def close(self) -> None:
        pass

    abort = close
    pause_reading = close
    resume_reading = close
