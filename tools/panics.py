"""Build ws13 with panics that can be asked for, and run tests/injected on it.

    python tools/panics.py

The module that is built is for these tests alone: no wheel has the feature.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "panics"


def main() -> int:
    build = [sys.executable, "-m", "maturin", "build", "--locked", "--quiet"]
    build += ["--profile", "dev", "--features", "inject-panic"]
    build += ["--interpreter", sys.executable, "--out", str(WORK)]
    for old in WORK.glob("*.whl"):
        old.unlink()
    subprocess.run(build, cwd=ROOT, check=True)
    (wheel,) = WORK.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(WORK / "package")
    environment = {**os.environ, "PYTHONPATH": str(WORK / "package"), "RUST_BACKTRACE": "0"}
    tests = [sys.executable, "-m", "pytest", "-q", "tests/injected", *sys.argv[1:]]
    return subprocess.run(tests, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
