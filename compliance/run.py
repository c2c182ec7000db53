"""Run the Autobahn test suite against ws13 and compare with ``expected.json``.

Exit status: 0 as expected, 1 a surprise (worse, better or missing), 2 the suite could not run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from expectations import (
    Verdict,
    case_patterns,
    find_surprises,
    load_expectations,
    load_reasons,
    load_results,
    table,
)
from summary import summary
from ws13 import extensions
from wstest import Progress, SuiteError, prepare, running, running_suite

HERE = Path(__file__).resolve().parent
AGENT = "ws13"
UNCOMPRESSED = "1-7,9,10"
COMPRESSED = "12-13"
STALL_SECONDS = 300.0
START_SECONDS = 30.0

#: From the port of a listener to the port to connect to instead.
Through = Callable[[int], int]


class Observer:
    """What stands between the suite and ws13: nothing, unless a subclass does."""

    def through(self, direction: str, port: int) -> int:
        """Return the port to connect to in order to reach ``port``."""
        del direction
        return port

    def ended(self, direction: str, cases: list[str], reports: Path) -> None:
        """Hear that all cases are through, and where the suite has reported on them."""


def main() -> int:
    return run(parser().parse_args(), Observer())


def run(options: argparse.Namespace, observer: Observer) -> int:
    expected = HERE / "expected.json"
    expectations = load_expectations(expected)
    results: dict[str, dict[str, Verdict]] = {}
    tables: list[str] = []
    surprised = False
    try:
        python = prepare(options.python27)
        directions = ["server", "client"] if options.direction == "both" else [options.direction]
        for direction in directions:
            outdir = options.reports.resolve() / f"{direction}s"
            shutil.rmtree(outdir, ignore_errors=True)
            test = test_server if direction == "server" else test_client
            cases = test(python, options.cases, outdir, partial(observer.through, direction))
            results[direction] = load_results(outdir / "index.json", AGENT)
            surprises = find_surprises(cases, results[direction], expectations)
            surprised |= bool(surprises)
            tables.append(table(direction, results[direction], surprises))
            tables += [f"  {surprise}" for surprise in surprises]
            observer.ended(direction, cases, outdir)
    except SuiteError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    print("\n" + "\n".join(tables))
    print(f"\n{'NOT as expected' if surprised else 'as expected'}; reports in {options.reports}")
    if options.summary:
        options.summary.write_text(summary(results, load_reasons(expected)), encoding="utf-8")
    return int(surprised)


def parser() -> argparse.ArgumentParser:
    compressed = hasattr(extensions, "PerMessageDeflate")
    parser = argparse.ArgumentParser(description="Run the Autobahn test suite against ws13.")
    parser.add_argument(
        "--cases",
        type=patterns,
        default=f"{UNCOMPRESSED},{COMPRESSED}" if compressed else UNCOMPRESSED,
        help="sections and cases, as in 1-7,10,9.1,6.4.3 (default: %(default)s)",
    )
    parser.add_argument("--direction", choices=["server", "client", "both"], default="both")
    parser.add_argument("--reports", type=Path, default=HERE / "reports", metavar="FOLDER")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="write one in Markdown")
    parser.add_argument("--python27", metavar="PATH", help="the CPython 2.7 to build with")
    return parser


def patterns(text: str) -> list[str]:
    try:
        return case_patterns(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a list of sections and cases: {error}") from None


def test_server(python: str, cases: list[str], outdir: Path, through: Through) -> list[str]:
    """Let the fuzzing client loose on our server; return the cases it chose."""
    command = [sys.executable, "-u", str(HERE / "test_server.py"), "--port", "0"]
    with running(command) as server, tempfile.TemporaryDirectory() as folder:
        assert server.stdout is not None
        words = server.stdout.readline().split()
        if words[:3] != ["listening", "on", "port"]:
            raise SuiteError(f"test_server.py did not start: {' '.join(words)}")
        spec = Path(folder, "spec.json")
        url = f"ws://127.0.0.1:{through(int(words[3]))}"
        write_spec(spec, cases, outdir, servers=[{"agent": AGENT, "url": url}])
        with running_suite(python, "fuzzingclient", spec) as suite:
            progress = Progress(suite)
            follow("server", suite, progress)
    return progress.cases


def test_client(python: str, cases: list[str], outdir: Path, through: Through) -> list[str]:
    """Let our client loose on the fuzzing server; return the cases it was given."""
    port = free_port()
    url = f"ws://127.0.0.1:{through(port)}"
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "spec.json")
        write_spec(spec, cases, outdir, url=url)
        with running_suite(python, "fuzzingserver", spec, port) as suite:
            progress = Progress(suite)
            wait_for_port(port, suite, progress)
            command = [sys.executable, "-u", str(HERE / "test_client.py"), "--url", url]
            with running(command) as client:
                follow("client", client, progress)
                if client.returncode:
                    print(f"test_client.py ended with {client.returncode}", file=sys.stderr)
    return progress.cases


def write_spec(path: Path, cases: list[str], outdir: Path, **rest: object) -> None:
    spec = {"outdir": str(outdir), "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}
    path.write_text(json.dumps(spec | rest))


def follow(direction: str, process: subprocess.Popen[str], progress: Progress) -> None:
    """Show the progress until ``process`` ends; SuiteError if the suite stands still."""
    shown, since = 0, time.monotonic()
    while process.poll() is None:
        if progress.started != shown:
            shown, since = progress.started, time.monotonic()
            show(direction, progress)
        elif time.monotonic() - since > STALL_SECONDS:
            raise stalled(f"no progress for {STALL_SECONDS:.0f} seconds", progress)
        time.sleep(0.1)
    if direction == "server":
        progress.join()
    if progress.started != shown:
        show(direction, progress)
    print()
    if not progress.started:
        raise stalled("no case was run", progress)


def show(direction: str, progress: Progress) -> None:
    """One line that is written over on a terminal; a line now and then in a log."""
    count = len(progress.cases)
    line = f"{direction}: case {progress.started} of {count} ({progress.current})"
    if sys.stdout.isatty():
        print(f"\r\x1b[K{line}", end="", flush=True)
    elif progress.started == count or progress.started % 50 == 0:
        print(line, flush=True)


def stalled(what: str, progress: Progress) -> SuiteError:
    return SuiteError(f"{what}; the suite's last words:\n" + "\n".join(progress.last_lines))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for_port(port: int, suite: subprocess.Popen[str], progress: Progress) -> None:
    """Connect until somebody listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and suite.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    if suite.poll() is not None:
        progress.join()
    raise stalled("the fuzzing server did not start", progress)


def end_on_sigterm() -> None:
    """Make an exception of it, so that the processes we started are ended on the way out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


if __name__ == "__main__":
    end_on_sigterm()
    sys.exit(main())
