"""How much memory this process takes, as Linux tells it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

KIB, MIB = 2**10, 2**20
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def memory(name: str) -> int:
    """A line of /proc/self/status in bytes: VmRSS is what is in use, VmHWM the most there was."""
    lines = STATUS.read_text(encoding="ascii").splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(value) * KIB


def can_measure() -> bool:
    try:
        CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return False
    return STATUS.exists() and "VmHWM" in STATUS.read_text(encoding="ascii")


#: Marks tests that measure.
needs_proc = pytest.mark.skipif(not can_measure(), reason="needs /proc/self/clear_refs")


def peak(work: Callable[[], None]) -> int:
    """How much memory the work needs at once, in bytes, beyond what was in use before."""
    gc.collect()
    CLEAR.write_text("5", encoding="ascii")  # what was the most is forgotten
    before = memory("VmRSS")
    work()
    return memory("VmHWM") - before


def kept(work: Callable[[], None]) -> int:
    """How much memory is in use behind the work and was not before."""
    gc.collect()
    before = memory("VmRSS")
    work()
    gc.collect()
    return memory("VmRSS") - before
