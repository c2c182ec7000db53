"""The tests of one suite, run with wsproto and on ws13."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from environments import ENVS, HERE, CompatError, Distribution, Pair, environ
from outcomes import Outcome, Row, compare, count, load_outcomes
from suites import Suite

AS_WSPROTO = ["-m", "ws13", "run", "--as-wsproto"]
#: Seconds for one test, and for a suite.
TEST_TIMEOUT = 60
SUITE_TIMEOUT = 900
OPTIONS = [
    *("-q", "--tb=short", "-p", "no:cacheprovider", "-o", "junit_family=xunit1"),
    *("-p", "pytest_timeout", f"--timeout={TEST_TIMEOUT}"),
    # Without this, pytest would go on to ours where the suite has no settings of its own.
    *("-c", "pyproject.toml"),
]
#: Each suite has only the plugins that it names; ours are in a folder of their own.
PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(HERE / "plugins")}
SIDES = {"wsproto": "with wsproto", "ws13": "on ws13"}


def run_suite(
    pair: Pair, suite: Suite, distribution: Distribution, allowed: Collection[str]
) -> Row:
    """Run a suite on both; CompatError if it does not even run with wsproto."""
    start = time.monotonic()
    folder = ENVS / pair.version / "tests"
    folder.mkdir(exist_ok=True)
    source = distribution.unpack(folder)
    row = Row(pair.version, suite.name, distribution.version)

    def run(side: str, paths: Sequence[str], name: str) -> dict[str, Outcome]:
        python = pair.wsproto if side == "wsproto" else pair.ws13
        log = folder / f"{suite.name}-{name}-{side}.log"
        command = [str(python), *(AS_WSPROTO if side == "ws13" else []), "-m", "pytest"]
        plugins = [word for plugin in suite.plugins for word in ("-p", plugin)]
        return run_pytest([*command, *OPTIONS, *plugins, *suite.options, *paths], source, log)

    def again(test: str) -> tuple[Outcome, Outcome]:
        print(f"   again: {test}", flush=True)
        missing = Outcome("missing")
        wsproto, ws13 = (run(side, [test], "again").get(test, missing) for side in SIDES)
        return wsproto, ws13

    results: dict[str, dict[str, Outcome]] = {}
    for side, words in SIDES.items():
        print(f"-- Python {pair.version}: {suite.name} {words}", flush=True)
        results[side] = run(side, suite.paths, "all")
        print(f"   {count(results[side])} of {len(results[side])} tests passed", flush=True)
        if side == "wsproto" and count(results[side]) < suite.least:
            raise CompatError(
                f"{suite.name}: {count(results[side])} tests passed with wsproto, but "
                f"{suite.least} should; see {folder / suite.name}-all-wsproto.log"
            )
    compare(row, results["wsproto"], results["ws13"], allowed, again)
    row.seconds = time.monotonic() - start
    return row


def run_pytest(command: list[str], source: Path, log: Path) -> dict[str, Outcome]:
    """Run pytest where the suite is; keep what it says, and show how far it is."""
    report = log.with_suffix(".xml")
    report.unlink(missing_ok=True)
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            [*command, f"--junitxml={report}"],
            cwd=source,
            env=environ() | PLUGINS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        watch = threading.Timer(SUITE_TIMEOUT, process.kill)
        watch.start()
        assert process.stdout is not None
        for line in process.stdout:
            out.write(line)
            show(line)
        process.wait()
        watch.cancel()
    return load_outcomes(report)


def show(line: str) -> None:
    """Write the percentage of pytest over the last one, on a terminal."""
    if sys.stdout.isatty() and (percent := re.search(r"\[\s*(\d+%)\]$", line.rstrip())):
        print(f"\r   {percent[1]}\r", end="", flush=True)
