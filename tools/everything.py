"""Run all checks and tests one after the other, whatever fails, and say how many tests passed.

Exit status: 0 if all went well.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import interpreters

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = "{}.{}".format(*sys.version_info)

#: How cargo and pytest say how it went: "3 passed; 1 failed; 0 ignored", "3 passed, 1 skipped in".
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|ignored|xfailed)\b")
CLOSING = re.compile(r"test result: \w+\. \d+ passed|[= ]*(\d+ \w+, )*\d+ \w+ in \d+\.\d+s")


@dataclass
class Stage:
    """Something to run."""

    name: str
    command: list[str]
    counts: dict[str, int] = field(default_factory=dict[str, int])
    status: int = 0
    seconds: float = 0.0

    def run(self, show: Callable[[str], object] = sys.stdout.write) -> None:
        """Run it, show its output, and count the tests in it."""
        show(f"\n=== {self.name}: {' '.join(self.command)}\n")
        start = time.monotonic()
        with subprocess.Popen(
            self.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                show(line)
                sys.stdout.flush()
                self._count(line)
            self.status = process.wait()
        self.seconds = time.monotonic() - start

    def _count(self, line: str) -> None:
        if CLOSING.match(line):
            for number, what in COUNT.findall(line):
                self.counts[what] = self.counts.get(what, 0) + int(number)

    def summary(self) -> str:
        """Say the counts in words, the passed ones first."""
        told = {"passed": 0, **self.counts}
        return ", ".join(f"{n} {what}" for what, n in told.items() if n or what == "passed")


def run_together(stages: Sequence[Stage]) -> None:
    """Run stages side by side; show the first as it runs, and what the others said behind it."""
    said: list[list[str]] = [[] for _ in stages[1:]]
    with ThreadPoolExecutor(len(stages)) as pool:
        others = [
            pool.submit(stage.run, lines.append)
            for stage, lines in zip(stages[1:], said, strict=True)
        ]
        stages[0].run()
        for other, lines in zip(others, said, strict=True):
            other.result()
            sys.stdout.writelines(lines)


def stages(cases: str) -> Iterator[list[Stage]]:
    """Yield all that there is to run here, the quick ones first; in a list what runs together."""
    for verb in ("lint", "types"):
        yield [Stage(verb, ["make", verb])]
    yield [Stage("rust", ["make", "test-rust"])]
    yield [Stage("corpus", ["make", "test-corpus"])]
    yield [Stage("panics", ["make", "test-panics"])]
    pythons = [
        Stage(f"python {version}", [sys.executable, "tools/pythons.py", "test", version])
        for version in dict.fromkeys((DEFAULT, *interpreters.find()))
    ]
    # One test suite uses one core.
    for first in range(0, len(pythons), 2):
        yield pythons[first : first + 2]
    yield [Stage("smoke", ["make", "smoke"])]
    yield [Stage("compat", ["make", "compat"])]
    if shutil.which("valgrind") is None:
        print("\n=== instructions: left out\nvalgrind is not installed", flush=True)
    else:
        yield [Stage("instructions", ["make", "instructions"])]
    if why_not := python27_is_missing():
        print(f"\n=== compliance: left out\n{why_not}", flush=True)
    else:
        yield [Stage("compliance", ["make", "compliance", f"CASES={cases}"])]
    yield [Stage("demo", ["make", "demo"])]


def python27_is_missing() -> str:
    """Return why the Autobahn test suite cannot run, nothing if it can."""
    code = "import wstest; wstest.CACHE.exists() or wstest.find_python27()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "compliance",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.partition("SuiteError: ")[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default="1-7,10", help="sections of the Autobahn test suite")
    options = parser.parse_args()
    ran: list[Stage] = []
    for together in stages(options.cases):
        run_together(together)
        ran += together
    print("\n=== all stages")
    for stage in ran:
        verdict = f"FAILED ({stage.status})" if stage.status else "ok"
        print(f"  {stage.name:<12} {verdict:<12} {stage.seconds:6.0f} s")
    print("; ".join(f"{stage.name}: {stage.summary()}" for stage in ran if stage.counts))
    return int(any(stage.status for stage in ran))


if __name__ == "__main__":
    sys.exit(main())
