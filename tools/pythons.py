"""Wheels for the Pythons of this machine, and what is run with them.

    python tools/pythons.py test           the test suite on each Python, this one first
    python tools/pythons.py test 3.12      on these only
    python tools/pythons.py smoke          the smoke test in an empty environment with the wheel

The Python that runs this tests the package as it is installed for it, the others test a wheel.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import interpreters

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venvs"
REQUIREMENTS = ROOT / "requirements" / "test.txt"
DEFAULT = "{}.{}".format(*sys.version_info)
SUFFIXES = {".rs", ".toml", ".py", ".pyi", ".typed", ".html"}
PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["test", "smoke"])
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    options = parser.parse_args()
    found = {DEFAULT: Path(sys.executable)} | interpreters.find()
    if missing := set(options.versions) - set(found):
        parser.error(f"not found: {', '.join(sorted(missing))}")
    statuses = [run(options.what, one, found[one]) for one in options.versions or found]
    return max(statuses)


def run(what: str, version: str, base: Path) -> int:
    """Test one version; return the exit status."""
    print(f"-- {what} on Python {version}", flush=True)
    if what == "smoke":
        return smoke(wheel(version, base), base)
    if version == DEFAULT:
        return call([sys.executable, "-m", "pytest"])
    # What a browser shows, and how long examples wait, does not depend on the Python.
    left_out = ["-m", "not browser", "--ignore", "tests/test_examples_waits.py"]
    return call([environment(version, base), "-m", "pytest", *left_out])


def environment(version: str, base: Path) -> Path:
    """Return the Python of an environment with the tests' requirements and the wheel."""
    folder = VENVS / version
    python, stamp = folder / "bin" / "python", folder / "installed"
    wheel_file = wheel(version, base)
    if stamp.exists() and stamp.stat().st_mtime > newest([wheel_file, REQUIREMENTS]):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    check([base, "-m", "venv", folder])
    check([python, *PIP, "--require-hashes", "-r", REQUIREMENTS])
    check([python, *PIP, "--no-index", wheel_file])
    stamp.touch()
    return python


def wheel(version: str, base: Path) -> Path:
    """Return a wheel for this version, built unless there is one that is up to date."""
    folder = VENVS / "wheels" / version
    for built in folder.glob("*.whl"):
        if built.stat().st_mtime > newest(sources()):
            return built
    shutil.rmtree(folder, ignore_errors=True)
    maturin = [sys.executable, "-m", "maturin", "build", "--release", "--locked"]
    check([*maturin, "--interpreter", base, "--out", folder])
    return next(folder.glob("*.whl"))


def smoke(wheel_file: Path, base: Path) -> int:
    """Install the wheel, which needs nothing else, where there is nothing else; use it."""
    with tempfile.TemporaryDirectory() as folder:
        check([base, "-m", "venv", folder])
        python = Path(folder, "bin", "python")
        check([python, *PIP, "--no-index", wheel_file])
        return call([python, "-I", ROOT / "tests" / "smoke.py"], cwd=folder)


def sources() -> list[Path]:
    """Return everything that goes into a wheel."""
    trees = [ROOT / "rust" / "core", ROOT / "rust" / "bindings", ROOT / "python"]
    files = [path for tree in trees for path in tree.rglob("*") if path.suffix in SUFFIXES]
    return files + [ROOT / name for name in ("Cargo.lock", "Cargo.toml", "pyproject.toml")]


def newest(paths: list[Path]) -> float:
    """Return when the last of these files was changed."""
    return max(path.stat().st_mtime for path in paths)


def call(command: Sequence[str | Path], cwd: str | Path = ROOT) -> int:
    """Run a command; return its exit status."""
    return subprocess.run(command, cwd=cwd, check=False).returncode


def check(command: Sequence[str | Path]) -> None:
    """Run a command that has to work."""
    if status := call(command):
        sys.exit(f"{' '.join(map(str, command))} failed with {status}")


if __name__ == "__main__":
    sys.exit(main())
