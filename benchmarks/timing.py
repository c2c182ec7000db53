"""Minima of samples of about a millisecond, taken in turn from everybody."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

SAMPLE = 1_000_000  # nanoseconds


@dataclass(frozen=True)
class Participant:
    """``run(inputs)`` does ``units`` units of work."""

    run: Callable[[Sequence[Any]], object]
    inputs: Sequence[Any]
    units: int


def copies(payloads: Sequence[bytes]) -> None:
    """M(n): a copy of n bytes into a new object."""
    for payload in payloads:
        bytes(memoryview(payload))


def decodes(payloads: Sequence[bytes]) -> None:
    """D(n): n bytes of UTF-8 into a new str by CPython's decoder."""
    for payload in payloads:
        payload.decode()


REFERENCES: dict[str, Callable[[Sequence[bytes]], None]] = {"M": copies, "D": decodes}


def timed(run: Callable[[Sequence[Any]], object], inputs: Sequence[Any]) -> int:
    start = perf_counter_ns()
    run(inputs)
    return perf_counter_ns() - start


def settle_malloc() -> None:
    """Let glibc keep the pages of freed objects, as it does in any program that has run a
    while: freeing one large block raises its thresholds. Without this it may give a 64 KiB
    block back to the system and take it again for each message, for whom is up to chance."""
    bytes(16 << 20)


def other_addresses(seed: int) -> list[bytes]:
    """Holes for large objects at random distances; what is returned keeps them apart.

    A copy whose source and target lie at nearly the same offset of a page takes up to three
    times as long, and blocks of 64 KiB side by side always do. At which distances a
    participant's buffers lie is luck, so everybody gets several tries.
    """
    source = random.Random(seed)
    holes, walls = [], []
    for _ in range(16):
        holes.append(bytes(70_000))
        walls.append(bytes(source.randrange(1024, 8192)))
    del holes
    return walls


def minima(participants: Sequence[Participant], seconds: float) -> list[float]:
    """Nanoseconds per unit of each participant.

    A sample is one pass over the inputs, repeated until it lasts about a millisecond. All
    take their samples in turn, so that a drift of the machine hits everybody alike.
    """
    batches: list[Sequence[Any]] = []
    best: list[float] = []
    settle_malloc()
    gc.collect()
    gc.disable()
    try:
        for one in participants:
            timed(one.run, one.inputs)
            once = timed(one.run, one.inputs)
            passes = max(1, round(SAMPLE / max(once, 1)))
            batches.append(list(one.inputs) * passes)
            best.append(once / one.units)
        begin, rounds = perf_counter_ns(), 0
        while rounds < 5 or perf_counter_ns() - begin < seconds * 1e9:
            for i, one in enumerate(participants):
                spent = timed(one.run, batches[i])
                units = one.units * (len(batches[i]) // len(one.inputs))
                best[i] = min(best[i], spent / units)
            rounds += 1
    finally:
        gc.enable()
    return best
