"""
Writes docs/performance.md and its charts.

    python benchmarks/bench.py --json FILE
    python benchmarks/report.py FILE
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

from chart import svg
from loopback import Echoed, loopback
from peers import load
from sweep import SIZES, Chart, sweep

DOCS = Path(__file__).resolve().parent.parent / "docs"
MESSAGES, SIZE = 20_000, 128

HEAD = """\
# Performance

CPU per message in the protocol layer. `make bench` wrote this page, and
[benchmarks/README.md](../benchmarks/README.md) says what is measured and how. Nanoseconds are those
of one machine on one day; the ratios, taken side by side in one process, hold longer.

"""
ECHO = """\
## Over a real socket

An echo of {size} B on asyncio, one message at a time over the loopback interface; each server in a
process of its own, the client the same for all. Most of a round trip is system calls, the event
loop, and the two processes waking each other, which no protocol layer changes. What it changes is
the processor time of the server, and there only its own part. picows reads and writes the socket
itself; the others leave that to asyncio.

| Server | Round trip | Processor time of the server, a message |
|---|---|---|
"""


def processor() -> str:
    """The name of the processor, as far as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def quantity(value: float, unit: str) -> str:
    if unit == "ns" and value >= 10_000:
        return f"{value / 1000:.1f} us"
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def rows(report: dict[str, Any]) -> list[str]:
    """A table of the rows: who takes how long, and which targets are met."""
    lines = [
        "## Against other libraries",
        "",
        "The first figure is ws13's, with the call it is of where that is not the one with events; "
        "behind the others stands how many times as long they take.",
        "",
        "| Row | What | ws13 | Others | Targets met |",
        "|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        (first, ours), *others = row["figures"].items()
        told = [
            f"{label} {quantity(value, row['unit'])} ({value / ours:.1f}x)"
            if len(label) > 1
            else f"{label} {quantity(value, row['unit'])}"
            for label, value in others
        ]
        met = sum(target["met"] for target in row["targets"])
        missed = [
            f"{target['target'].removeprefix('target ')} {target.get('than', '')}".strip()
            + f": {target['reached']:g}"
            for target in row["targets"]
            if not target["met"]
        ]
        verdict = f"{met} of {len(row['targets'])}" + (f"; {'; '.join(missed)}" if missed else "")
        lines.append(
            f"| {row['row']} | {row['title']} | {quantity(ours, row['unit'])}"
            f"{'' if first == 'ws13' else f' ({first})'} | {', '.join(told)} | {verdict} |"
        )
    return lines


def charts(found: list[Chart]) -> list[str]:
    """Writes the charts, and how to show them."""
    folder = DOCS / "performance"
    folder.mkdir(exist_ok=True)
    lines = ["## Cost against size", ""]
    for chart in found:
        text = svg(f"{chart.title}: time a message", SIZES, chart.lines)
        (folder / f"{chart.name}.svg").write_text(text, encoding="utf-8")
        lines += [f"![{chart.title}](performance/{chart.name}.svg)", ""]
    return lines


def page(report: dict[str, Any], found: list[Chart], echoes: list[Echoed]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report["peers"].items())
    facts = [
        f"- {processor()}, {os.cpu_count()} cores, shared; {platform.system()}.",
        f"- CPython {report['python']}; {versions}.",
        f"- {datetime.date.today().isoformat()}.",
    ]
    echo = [f"| {one.server} | {one.round_trip:.1f} us | {one.cpu:.1f} us |" for one in echoes]
    return (
        HEAD
        + "\n".join([*facts, "", *rows(report), "", *charts(found), ECHO.format(size=SIZE)])
        + "\n".join(echo)
        + "\n"
    )


async def measured() -> list[Chart]:
    """A coroutine only because picows and aiohttp look for a running event loop."""
    return sweep(load()[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", help="what bench.py has written with --json")
    report = json.loads(Path(parser.parse_args().figures).read_text(encoding="utf-8"))
    found = asyncio.run(measured())
    echoes = loopback(MESSAGES, SIZE)
    (DOCS / "performance.md").write_text(page(report, found, echoes), encoding="utf-8")
    print(f"written: {DOCS / 'performance.md'}")


if __name__ == "__main__":
    main()
