"""Play random sessions, each made from a number: `python tests/run_sessions.py --count 1000000`.

A session that goes wrong prints its number; `--seed` plays that one again, and prints its plan.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterator
from multiprocessing import Pool
from pprint import pprint

from sessions.plan import plan_of
from sessions.play import play

BATCH = 500
MOST_FAILURES = 10


def batch(first: int, count: int) -> tuple[int, int, list[tuple[int, str]]]:
    """How many sessions were decided, how many were not, and what went wrong in which."""
    decided = undecided = 0
    wrong: list[tuple[int, str]] = []
    for seed in range(first, first + count):
        try:
            if play(seed):
                decided += 1
            else:
                undecided += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            wrong.append((seed, f"{type(error).__name__}: {error}"))
    return decided, undecided, wrong


def _batch(arguments: tuple[int, int]) -> tuple[int, int, list[tuple[int, str]]]:
    return batch(*arguments)


def batches(first: int, count: int) -> Iterator[tuple[int, int]]:
    for start in range(first, first + count, BATCH):
        yield start, min(BATCH, first + count - start)


class Progress:
    """A line that is written over on a terminal, and once in ten seconds elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.start = self.told = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def add(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self.told > (0.2 if self.terminal else 10) or self.done == self.total:
            self.told = now
            rate = self.done / max(now - self.start, 0.001)
            left = (self.total - self.done) / rate
            line = f"{self.done:,} of {self.total:,} sessions, {rate:,.0f}/s, {left:,.0f} s left"
            end = "\n" if not self.terminal or self.done == self.total else ""
            print(f"\r{line:<70}" if self.terminal else line, end=end, file=sys.stderr, flush=True)


def run(first: int, count: int, jobs: int) -> int:
    progress, undecided, failures = Progress(count), 0, 0
    with Pool(jobs) as pool:
        for good, open_, wrong in pool.imap(_batch, batches(first, count)):
            progress.add(good + open_ + len(wrong))
            undecided += open_
            failures += len(wrong)
            for seed, words in wrong:
                print(
                    f"\nsession {seed}: {words}\n  python {sys.argv[0]} --seed {seed}", flush=True
                )
            if failures >= MOST_FAILURES:
                break
    print(
        f"{progress.done:,} sessions from {first:,} on, {failures} wrong, {undecided} left open "
        f"by the RFC, {time.monotonic() - progress.start:.0f} s"
    )
    return int(failures > 0)


def again(seed: int) -> int:
    pprint(plan_of(seed), width=120)
    try:
        print("as the model says" if play(seed) else "left open by the RFC")
    except AssertionError:
        traceback.print_exc()
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="how many sessions")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, help="play this one only")
    options = parser.parse_args()
    if options.seed is not None:
        return again(options.seed)
    return run(options.first, options.count, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
