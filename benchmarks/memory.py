"""Memory of idle connections, and the time an import takes: each in a process of its own."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

WARM_UP = 100


def _mallinfo2() -> Callable[[], int] | None:
    """Bytes handed out by glibc's malloc, or None where there is none."""
    fields = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"

    class Info(ctypes.Structure):
        _fields_ = [(name, ctypes.c_size_t) for name in fields.split()]

    try:
        function = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return None
    function.restype = Info

    def in_use() -> int:
        info = function()
        return int(info.uordblks) + int(info.hblkhd)

    return in_use


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as handle:
        return int(handle.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def bytes_each(peer_name: str, state: str, count: int) -> float | None:
    """Memory of one connection among ``count``, everything it refers to included."""
    from frames import json_payloads
    from peers import find

    peer = find(peer_name)
    payload = json_payloads(1, 1024)[0]
    make = {
        "idle": peer.idle,
        "opened": peer.opened,
        "compressed": lambda: peer.compressed(payload),
    }[state]
    if make() is None:
        return None
    exact = _mallinfo2() if os.environ.get("PYTHONMALLOC") == "malloc" else None
    in_use = exact or _resident
    for _ in range(WARM_UP):
        make()
    kept: list[object] = [None] * count
    gc.collect()
    before = in_use()
    for i in range(count):
        kept[i] = make()
    gc.collect()
    return (in_use() - before) / count


async def _child(peer_name: str, state: str, count: str) -> None:
    print(json.dumps(bytes_each(peer_name, state, int(count))))


def connection_bytes(peer_name: str, state: str, count: int) -> float | None:
    """``bytes_each`` in a new process in which every allocation is malloc's."""
    done = subprocess.run(
        [sys.executable, __file__, peer_name, state, str(count)],
        env={**os.environ, "PYTHONMALLOC": "malloc"},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    value: float | None = json.loads(done.stdout)
    return value


def import_milliseconds(line: str, repeats: int) -> float:
    """The least time the import takes in a new interpreter, its start not included."""
    program = f"import time; t = time.perf_counter(); {line}; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", program]
    # Compiled, as pip leaves every package that it installs: the first run does that.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times = [
        float(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
        for _ in range(1 + repeats)
    ]
    return min(times) * 1000


if __name__ == "__main__":
    asyncio.run(_child(*sys.argv[1:]))
