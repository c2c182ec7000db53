"""Bugs put in on purpose, one at a time: what finds them, and how long that takes.

    python tools/seeded.py                         all of rust/fuzz/seeded
    python tools/seeded.py --patches rsv1,mask-rotation --seconds 60

Each patch is applied to a copy of the tree. Then run the corpus, the tests of the crate, and the
fuzz targets that the patch names, which begin with nothing but the dictionary. Times are without
those of building. A bug that nothing finds fails the run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fuzz

ROOT = fuzz.ROOT
PATCHES = fuzz.FUZZ / "seeded"
WORK = fuzz.WORK / "seeded"
TREE = WORK / "tree"
#: What the tests read.
PARTS = ["Cargo.toml", "Cargo.lock", "clippy.toml", "rust", "tests/vectors", "docs"]
#: Seconds that a test may take.
PATIENCE = 120


@dataclass
class Patch:
    """A bug, in the words of its header."""

    path: Path
    kind: str
    bug: str
    targets: list[str]


@dataclass
class Finding:
    """What a way of looking came to: nothing found, or after so many seconds."""

    seconds: float | None = None
    words: str = ""

    def __str__(self) -> str:
        return "-" if self.seconds is None else f"{self.seconds:.1f} s"


def read(path: Path) -> Patch:
    """Read the header of a patch."""
    lines = path.read_text("utf-8").splitlines()
    header = dict(line.split(": ", 1) for line in lines[: lines.index("")])
    return Patch(path, header["Class"], header["Bug"], header["Targets"].split())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patches", default="", help="names, with commas between them")
    parser.add_argument("--seconds", type=int, default=300, help="for each target")
    options = parser.parse_args()
    if why_not := fuzz.missing():
        print(why_not, file=sys.stderr)
        return 2
    names = [name for name in options.patches.split(",") if name]
    paths = [PATCHES / f"{name}.patch" for name in names] or sorted(PATCHES.glob("*.patch"))
    copy_tree()
    if (corpus() or tests()) is not None:
        print("the tree fails without a patch", file=sys.stderr)
        return 2
    rows: list[str] = []
    for path in paths:
        patch = read(path)
        row, found = look_for(patch, options.seconds)
        print(row, flush=True)
        rows.append(row if found else row + " **not found**")
    print("\n| Patch | Class | Corpus | Tests | Fuzzing from nothing | What fuzzing says |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))
    return int(any("**" in row for row in rows))


def look_for(patch: Patch, seconds: int) -> tuple[str, bool]:
    """Look for a bug in all ways; return a row of the table, and whether any has found it."""
    copy_tree()
    command = ["git", "apply", str(patch.path)]
    # Where git sees the repository around it, it leaves out what is not in it.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(WORK)}
    subprocess.run(command, cwd=TREE, env=environment, check=True)
    findings = [corpus() or Finding(), tests() or Finding()]
    best = Finding()
    for target in patch.targets:
        best = fuzzing(target, seconds)
        if best.seconds is not None:
            break
    findings.append(best)
    columns = [patch.path.stem, patch.kind, *map(str, findings), best.words]
    return f"| {' | '.join(columns)} |", any(one.seconds is not None for one in findings)


def copy_tree() -> None:
    """Copy what is needed; files that are the same keep their time, so little is built anew."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PARTS]
    out = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in out.splitlines():
        source, target = ROOT / name, TREE / name
        if not source.exists():
            continue
        data = source.read_bytes()
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    extra = TREE / "rust" / "fuzz" / "corpus"
    extra.mkdir(parents=True, exist_ok=True)


def corpus() -> Finding | None:
    """Replay the corpus."""
    manifest = "rust/fuzz/bodies/Cargo.toml"
    return cargo_test(["--manifest-path", manifest, "--target-dir", str(WORK / "bodies")])


def tests() -> Finding | None:
    """Run the tests of the crate."""
    return cargo_test(["--package", "ws13", "--target-dir", str(WORK / "core")])


def cargo_test(flags: Sequence[str]) -> Finding | None:
    """Build tests, then run them; return what they have found, if they have."""
    command = ["cargo", "test", "--quiet", "--no-fail-fast", *flags]
    built = subprocess.run([*command, "--no-run"], cwd=TREE, capture_output=True, text=True)
    if built.returncode:
        sys.exit(built.stderr)
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return Finding(time.monotonic() - start, "it hangs")
    if done.returncode:
        return Finding(time.monotonic() - start)
    return None


def fuzzing(target: str, seconds: int) -> Finding:
    """Build a target, then fuzz it with nothing to begin with."""
    command = fuzz.cargo_fuzz("build", target, "none", [])
    moved = [part.replace(str(fuzz.FUZZ), str(TREE / "rust" / "fuzz")) for part in command]
    at = moved.index("--target-dir") + 1
    moved[at] = str(WORK / "none")
    built = subprocess.run(moved, cwd=TREE, capture_output=True, text=True)
    if built.returncode:
        sys.exit(built.stderr)
    (program,) = (WORK / "none").glob(f"*/release/{target}")
    with tempfile.TemporaryDirectory() as folder:
        flags = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", "-timeout=10"]
        flags += [f"-dict={fuzz.FUZZ / 'ws13.dict'}", f"-max_len={fuzz.LONGEST}", "-seed=1"]
        start = time.monotonic()
        done = subprocess.run(
            [program, folder, *flags], capture_output=True, text=True, errors="replace"
        )
        took = time.monotonic() - start
    return Finding(took, f"{target}: {words(done.stderr)}") if done.returncode else Finding()


def words(log: str) -> str:
    """Return the message of a panic, or libFuzzer's own."""
    panic = re.search(r"panicked at \S*?([\w/]+\.rs):\d+:\d+:\n(.*)", log)
    if panic:
        return f"`{Path(panic[1]).name}`: {panic[2][:70].replace('|', '/')}"
    summary = re.search(r"SUMMARY: (.*)", log)
    return summary[1][:70] if summary else "it ended"


if __name__ == "__main__":
    os.chdir(ROOT)
    shutil.rmtree(TREE, ignore_errors=True)
    sys.exit(main())
