"""Which verdict each case should get, and what differs from it in the report of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

OK = "OK"


@dataclass(frozen=True)
class Verdict:
    """What the suite says of one case: the conversation, then the close."""

    behavior: str = OK
    behavior_close: str = OK

    def __str__(self) -> str:
        if self.behavior == self.behavior_close:
            return self.behavior
        return f"{self.behavior}, close {self.behavior_close}"


PLAIN_OK = Verdict()


@dataclass(frozen=True)
class Surprise:
    """A case that went otherwise than expected; ``got`` is None if there is no result."""

    case: str
    expected: Verdict
    got: Verdict | None

    def __str__(self) -> str:
        got = "no result" if self.got is None else str(self.got)
        return f"case {self.case}: expected {self.expected}, got {got}"


def load_expectations(path: Path) -> dict[str, Verdict]:
    """Read the cases that are not plain OK; each must say why."""
    expectations: dict[str, Verdict] = {}
    for case, entry in json.loads(path.read_text(encoding="utf-8")).items():
        if not entry.get("reason"):
            raise ValueError(f"{path.name}: case {case} gives no reason")
        expectations[case] = Verdict(entry["behavior"], entry["behaviorClose"])
    return expectations


def load_reasons(path: Path) -> dict[str, str]:
    """Read why each of these cases is not plain OK."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {case: entry["reason"] for case, entry in entries.items()}


def load_results(path: Path, agent: str) -> dict[str, Verdict]:
    """Read the suite's ``index.json``; a report that was never written has no results."""
    if not path.exists():
        return {}
    report = json.loads(path.read_text(encoding="utf-8"))
    return {
        case: Verdict(entry["behavior"], entry["behaviorClose"])
        for case, entry in report.get(agent, {}).items()
    }


def find_surprises(
    cases: Iterable[str],
    results: Mapping[str, Verdict],
    expectations: Mapping[str, Verdict],
) -> list[Surprise]:
    """Compare both ways: better than expected is a surprise too, and so is no result."""
    surprises: list[Surprise] = []
    for case in cases:
        expected = expectations.get(case, PLAIN_OK)
        got = results.get(case)
        if got != expected:
            surprises.append(Surprise(case, expected, got))
    return surprises


def case_patterns(text: str) -> list[str]:
    """Turn ``1-7,10,9.1,12.1.3`` into the suite's patterns; ValueError if it makes no sense."""
    patterns: list[str] = []
    for item in text.split(","):
        first, dash, last = item.strip().partition("-")
        if dash:
            sections = range(int(first), int(last) + 1)
            if not sections:
                raise ValueError(f"{item.strip()!r} is an empty range")
            patterns += [f"{section}.*" for section in sections]
            continue
        numbers = [int(number) for number in first.split(".")]
        if len(numbers) > 3:
            raise ValueError(f"{first!r} is not a section or a case")
        case = ".".join(str(number) for number in numbers)
        patterns.append(case if len(numbers) == 3 else f"{case}.*")
    return patterns


def table(direction: str, results: Mapping[str, Verdict], surprises: Iterable[Surprise]) -> str:
    """Make a line for each section of the suite: its cases, how they went, how many surprise."""
    surprising = Counter(section_of(surprise.case) for surprise in surprises)
    cases = Counter(section_of(case) for case in results)
    good = Counter(section_of(case) for case, verdict in results.items() if verdict == PLAIN_OK)
    lines = [f"{direction:<10}{'results':>8}{'OK':>6}{'other':>7}{'surprises':>11}"]
    for section in sorted(cases.keys() | surprising.keys()):
        count, ok = cases[section], good[section]
        lines.append(
            f"  {section:<8}{count:>8}{ok:>6}{count - ok:>7}{surprising[section]:>11}",
        )
    count, ok = cases.total(), good.total()
    lines.append(f"  {'all':<8}{count:>8}{ok:>6}{count - ok:>7}{surprising.total():>11}")
    return "\n".join(lines)


def section_of(case: str) -> int:
    return int(case.split(".")[0])
