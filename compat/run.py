"""Run the tests of wsproto and of programs that use it, with wsproto and on ws13, and compare.

Exit status: 0 nothing is lost, 1 a test or a type is, 2 the comparison could not be made.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from environments import ROOT, CompatError, Pair, distributions, prepare
from outcomes import Row, load_allowed, table
from suites import NAMES, SUITES, TYPES
from testing import run_suite
from typechecking import run_types

sys.path.append(str(ROOT / "tools"))
import interpreters
import pythons

DIFFERENCES = ROOT / "docs" / "differences.md"


def main() -> int:
    options = parser().parse_args()
    rows: list[Row] = []
    status = 0
    try:
        for version, base in chosen(options):
            rows.extend(compared(prepare(version, base, wheel(version, base, options)), options))
    except CompatError as error:
        print(f"\n{error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    if rows:
        print("\n" + table(rows))
    return status or int(any(row.lost for row in rows))


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--suites",
        type=lambda text: words(text, NAMES),
        default=list(NAMES),
        help=f"some of {','.join(NAMES)} (default: all)",
    )
    parser.add_argument(
        "--python",
        type=lambda text: words(text, interpreters.VERSIONS),
        action="extend",
        metavar="VERSIONS",
        help="as in 3.10,3.12 (default: the Python that runs this)",
    )
    parser.add_argument("--all", action="store_true", help="each Python that is found")
    parser.add_argument(
        "--wheels", type=Path, metavar="FOLDER", help="with wheels of ws13 (default: build them)"
    )
    return parser


def words(text: str, known: tuple[str, ...]) -> list[str]:
    found = text.split(",")
    if unknown := set(found) - set(known):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not in {', '.join(known)}")
    return found


def chosen(options: argparse.Namespace) -> list[tuple[str, Path]]:
    """Return the versions to run on, and where each is."""
    found = {pythons.DEFAULT: Path(sys.executable)} | interpreters.find()
    if options.all:
        return list(found.items())
    wanted = list(dict.fromkeys(options.python or [pythons.DEFAULT]))
    if missing := [one for one in wanted if one not in found]:
        raise CompatError(f"there is no Python {', '.join(missing)}")
    return [(one, found[one]) for one in wanted]


def wheel(version: str, base: Path, options: argparse.Namespace) -> Path:
    """Return a wheel of ws13 for this version."""
    folder: Path | None = options.wheels
    if folder is None:
        return pythons.wheel(version, base)
    pattern = f"ws13-*-cp{version.replace('.', '')}-*.whl"
    if found := sorted(folder.resolve().glob(pattern)):
        return found[-1]
    raise CompatError(f"there is no {pattern} in {folder}")


def compared(pair: Pair, options: argparse.Namespace) -> Iterator[Row]:
    """Yield a row for each suite on this Python."""
    allowed = load_allowed(DIFFERENCES)
    for suite in SUITES:
        if suite.name in options.suites:
            yield run_suite(pair, suite, distributions()[suite.name], allowed)
    if TYPES in options.suites:
        yield from run_types(pair, allowed)


if __name__ == "__main__":
    sys.exit(main())
