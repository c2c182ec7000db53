"""The suite's report in short, as Markdown: a run in ``reports`` is too long to be kept."""

from __future__ import annotations

import datetime
import platform
from collections import Counter
from collections.abc import Iterator, Mapping

import ws13
from expectations import PLAIN_OK, Verdict, section_of
from wstest import SUITE

SECTIONS = {
    1: "framing",
    2: "pings and pongs",
    3: "reserved bits",
    4: "opcodes",
    5: "fragmentation",
    6: "UTF-8",
    7: "close",
    9: "limits, performance",
    10: "auto-fragmentation",
    12: "compression, kinds of data",
    13: "compression, parameters",
}

#: By direction, then by case.
Results = Mapping[str, Mapping[str, Verdict]]


def summary(results: Results, reasons: Mapping[str, str]) -> str:
    """Count the verdicts by direction and section, and name each case that is not plain OK."""
    day = datetime.datetime.now(datetime.timezone.utc).date()
    lines = [
        "# What the Autobahn test suite said",
        "",
        "Written by `run.py --summary`, not by hand.",
        "",
        f"- {day}, {SUITE.replace('==', ' ')}",
        f"- ws13 {ws13.__version__}, {platform.python_implementation()}"
        f" {platform.python_version()}, {platform.system()} {platform.machine()}",
    ]
    for direction, verdicts in results.items():
        lines += ["", f"## ws13 as a {direction}", "", *counts(verdicts)]
    lines += ["", "## Not plain OK", "", *exceptions(results, reasons)]
    return "\n".join(lines) + "\n"


def counts(verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    """Yield a table with a row for each section and a column for each verdict."""
    by_section: dict[int, Counter[str]] = {}
    for case, verdict in verdicts.items():
        by_section.setdefault(section_of(case), Counter())[str(verdict)] += 1
    total = sum(by_section.values(), Counter[str]())
    columns = [str(PLAIN_OK), *sorted(total.keys() - {str(PLAIN_OK)})]
    yield row("Section", "Cases", *columns)
    yield row("---", *["---:"] * (len(columns) + 1))
    for section, count in sorted(by_section.items()):
        name = f"{section} {SECTIONS.get(section, '')}".strip()
        yield row(name, count.total(), *(count[column] for column in columns))
    yield row("all", total.total(), *(total[column] for column in columns))


def exceptions(results: Results, reasons: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each case and verdict, with the directions in which it came about."""
    found: dict[tuple[str, str], list[str]] = {}
    for direction, verdicts in results.items():
        for case, verdict in verdicts.items():
            if verdict != PLAIN_OK:
                found.setdefault((case, str(verdict)), []).append(direction)
    for (case, said), directions in found.items():
        reason = reasons.get(case, "Not expected.")
        yield f"- {case} ({', '.join(directions)}): {said}. {reason}"
    if not found:
        yield "None."


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
