"""CPU per message in the protocol layer: ws13 and its peers on the same bytes, in one process.

    python benchmarks/bench.py [--rows 1,2,5] [--quick] [--json FILE]

The exit status is 1 when contents differ and 0 otherwise, whatever the times are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from dataclasses import dataclass
from typing import Any

from peers import load
from rows import ROWS, SUBJECT, AtMost, ContentsError, Figure, Row, Setting, Target


@dataclass(frozen=True)
class Verdict:
    target: Target
    reached: float

    @property
    def met(self) -> bool:
        if isinstance(self.target, AtMost):
            return self.reached <= self.target.value
        return self.reached >= self.target.value

    @property
    def counts(self) -> bool:
        """Whether the row is missed when this is."""
        return not (isinstance(self.target, AtMost) and self.target.is_orientation)

    def __str__(self) -> str:
        word = "met" if self.met else "NOT MET"
        if isinstance(self.target, AtMost):
            if self.target.is_orientation:
                return f"(orientation: {self.target.value:g} {self.target.of})"
            return f"target <= {self.target.value:g} {self.target.of}: {word}"
        return f"target >= {self.target.value:g}x: {word}"


def verdicts(row: Row, figures: list[Figure]) -> list[Verdict]:
    """Each target whose two sides were measured."""
    ours = next((f.value for f in figures if f.peer == SUBJECT and f.judged), None)
    if ours is None:
        return []
    found = []
    for target in row.targets:
        name = target.of if isinstance(target, AtMost) else target.than
        other = next((f.value for f in figures if f.label == name or f.peer == name), None)
        if isinstance(target, AtMost):
            if name == row.unit:
                found.append(Verdict(target, ours))
            elif other is not None:
                found.append(Verdict(target, ours / other))
        elif other is not None:
            found.append(Verdict(target, other / ours))
    return found


def quantity(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value:10.0f} B "
    if unit == "%":
        return f"{value:10.1f} % "
    if unit == "ms":
        return f"{value:10.2f} ms"
    return f"{value:10.1f} ns" if value < 10_000 else f"{value / 1000:10.1f} us"


def show(row: Row, figures: list[Figure], found: list[Verdict]) -> None:
    print(f"\n{row.number:>2}  {row.title}")
    ours = next((f.value for f in figures if f.peer == SUBJECT and f.judged), None)
    for figure in figures:
        notes = []
        if figure.peer == SUBJECT and figure.judged:
            for verdict in found:
                if isinstance(verdict.target, AtMost):
                    of = verdict.target.of
                    share = "" if of == row.unit else f"{verdict.reached:.2f} {of}, "
                    notes.append(f"{share}{verdict}")
        elif figure.peer not in (None, SUBJECT) and ours:
            notes.append(f"{figure.value / ours:8.1f}x")
            notes += [
                str(v)
                for v in found
                if not isinstance(v.target, AtMost) and v.target.than == figure.peer
            ]
        line = f"    {figure.label:24}{quantity(figure.value, row.unit)}   {'  '.join(notes)}"
        print(line.rstrip(), flush=True)


def as_json(row: Row, figures: list[Figure], found: list[Verdict]) -> dict[str, Any]:
    return {
        "row": row.number,
        "title": row.title,
        "unit": row.unit,
        "figures": {f.label: round(f.value, 3) for f in figures},
        "targets": [
            {"target": str(v).split(":")[0], "reached": round(v.reached, 3), "met": v.met}
            | ({} if isinstance(v.target, AtMost) else {"than": v.target.than})
            for v in found
            if v.counts
        ],
    }


async def run(options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """A coroutine only because picows and aiohttp look for a running event loop."""
    peers, missing = load()
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    for peer in peers:
        print(f"{peer.name} {peer.version}: {peer.includes}")
    for name, why in missing.items():
        print(f"{name}: skipped ({why})")
    wanted = {int(n) for n in options.rows.split(",")} if options.rows else None
    records, status = [], 0
    every: list[tuple[Row, Verdict]] = []
    for row in ROWS:
        if wanted is not None and row.number not in wanted:
            continue
        try:
            figures = row.measure(Setting(peers, options.quick))
        except ContentsError as error:
            print(f"\n{row.number:>2}  {row.title}\n    WRONG: {error}")
            status = 1
            continue
        found = verdicts(row, figures)
        show(row, figures, found)
        records.append(as_json(row, figures, found))
        every += [(row, verdict) for verdict in found if verdict.counts]
    measured = {row.number for row, _verdict in every}
    failed = [row.number for row, verdict in every if not verdict.met]
    print(f"\n{len(every) - len(failed)} of {len(every)} targets met", end="")
    print(f", {len(measured - set(failed))} of {len(measured)} rows", end="")
    print(f"; not met in rows {', '.join(map(str, dict.fromkeys(failed)))}" if failed else "")
    report = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "peers": {peer.name: peer.version for peer in peers},
        "rows": records,
    }
    return status, report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", help="numbers of the rows to run, separated by commas")
    parser.add_argument("--quick", action="store_true", help="fewer samples, coarser figures")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE as well")
    options = parser.parse_args()
    status, report = asyncio.run(run(options))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as handle:
            json.dump(report, handle, indent=1)
            handle.write("\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
