"""What became of each test with wsproto and on ws13, and what that means."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PASSED = "passed"
MISSING = "missing"

#: The worst counts, if a report names a test twice: it passed, and its teardown did not.
SEVERITY = {PASSED: 0, "skipped": 1, "failure": 2, "error": 3}
WORDS = {"failure": "failed", "error": "error", "skipped": "skipped", PASSED: PASSED}

#: More than this, and it is no accident: nothing is run again.
MOST_AGAIN = 20
TRIES = 2


@dataclass(frozen=True)
class Outcome:
    """How one test ended, and in case it did not pass, the first line of why."""

    what: str
    why: str = ""

    @property
    def passed(self) -> bool:
        return self.what == PASSED

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what


Outcomes = Mapping[str, Outcome]

#: Runs one test alone, with wsproto and on ws13.
Again = Callable[[str], tuple[Outcome, Outcome]]


@dataclass
class Row:
    """A suite on one Python: a row of the table, and what has to be said below it."""

    python: str
    suite: str
    version: str
    tests: int = 0
    with_wsproto: int = 0
    on_ws13: int = 0
    lost: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    allowed: list[str] = field(default_factory=list[str])
    flaky: dict[str, str] = field(default_factory=dict[str, str])
    seconds: float = 0.0


def load_outcomes(report: Path) -> dict[str, Outcome]:
    """Return what a JUnit report of pytest (family xunit1) says of each test, by its id."""
    if not report.exists():
        return {}
    outcomes: dict[str, Outcome] = {}
    worst: dict[str, int] = {}
    for case in ET.parse(report).iter("testcase"):
        name, tag, why = test_id(case), PASSED, ""
        for child in case:
            if child.tag in SEVERITY and SEVERITY[child.tag] > SEVERITY[tag]:
                tag, why = child.tag, first_line(child)
        if SEVERITY[tag] >= worst.get(name, 0):
            worst[name] = SEVERITY[tag]
            outcomes[name] = Outcome(WORDS[tag], why)
    return outcomes


def test_id(case: ET.Element) -> str:
    """Put together the id by which pytest finds this test."""
    file, classes = case.get("file", ""), case.get("classname", "")
    module = file.removesuffix(".py").replace("/", ".")
    inner = classes.removeprefix(module).strip(".")
    return "::".join(filter(None, [file, *inner.split("."), case.get("name", "")]))


def first_line(element: ET.Element) -> str:
    text = (element.get("message") or element.text or "").strip()
    return text.splitlines()[0][:200] if text else ""


def load_allowed(differences: Path) -> set[str]:
    """Return all that stands between backticks: a test or diagnostic that is named is allowed."""
    text = differences.read_text(encoding="utf-8")
    spans = (span for line in text.splitlines() for span in re.findall(r"`([^`]+)`", line))
    return {span.replace("\\|", "|") for span in spans}


def compare(
    row: Row, wsproto: Outcomes, ws13: Outcomes, allowed: Collection[str], again: Again
) -> None:
    """
    Fill in the row.

    A test is lost if it passes with wsproto and does not on ws13, whatever it does instead. One
    that is not allowed is run again first.
    """
    row.tests = len(wsproto.keys() | ws13.keys())
    row.with_wsproto = count(wsproto)
    row.on_ws13 = count(ws13)
    lost = {
        name: ws13.get(name, Outcome(MISSING))
        for name, outcome in wsproto.items()
        if outcome.passed and not ws13.get(name, Outcome(MISSING)).passed
    }
    row.allowed = [name for name in lost if full_id(row.suite, name) in allowed]
    row.lost = {name: how for name, how in lost.items() if name not in row.allowed}
    if len(row.lost) <= MOST_AGAIN:
        for name in list(row.lost):
            if reason := flaky(name, again):
                row.flaky[name] = reason
                del row.lost[name]


def flaky(name: str, again: Again) -> str:
    """Run a lost test again; return why it does not count, nothing if it is really lost."""
    passes_with_wsproto = False
    for _ in range(TRIES):
        wsproto, ws13 = again(name)
        if ws13.passed:
            return "passes on ws13 when it is run again"
        passes_with_wsproto |= wsproto.passed
    return "" if passes_with_wsproto else "does not pass with wsproto either when it is run again"


def count(outcomes: Outcomes) -> int:
    return sum(outcome.passed for outcome in outcomes.values())


def full_id(suite: str, name: str) -> str:
    """Return how `docs/differences.md` names a test."""
    return f"{suite}/{name}"


def table(rows: Iterable[Row]) -> str:
    """Return a line for each row, under a heading, and below them what has to be said."""
    heading = ("Python", "suite", "version", "tests", "wsproto", "ws13", "lost", "allowed", "s")
    lines: list[tuple[str, ...]] = [heading]
    notes: list[str] = []
    for row in rows:
        numbers = (row.tests, row.with_wsproto, row.on_ws13, len(row.lost), len(row.allowed))
        texts = [str(number) for number in numbers]
        lines.append((row.python, row.suite, row.version, *texts, f"{row.seconds:.0f}"))
        notes += notes_of(row)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join([layout(line, widths) for line in lines] + notes)


def layout(line: tuple[str, ...], widths: list[int]) -> str:
    """Put names to the left of their columns and numbers to the right."""
    cells = [
        cell.ljust(width) if index < 3 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def notes_of(row: Row) -> list[str]:
    told = [("LOST", full_id(row.suite, name), str(how)) for name, how in row.lost.items()]
    told += [("allowed", full_id(row.suite, name), "") for name in row.allowed]
    told += [("flaky", full_id(row.suite, name), why) for name, why in row.flaky.items()]
    return [
        "\n".join([f"{row.python} {what} {name}", *(f"     {line}" for line in why.splitlines())])
        for what, name, why in told
    ]
