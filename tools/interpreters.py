"""The Pythons of this machine that ws13 supports: their versions and paths, one a line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

VERSIONS = ("3.10", "3.11", "3.12", "3.13")

#: Prints the real path if this is a CPython, with the GIL, that can make environments.
PROBE = """
import ensurepip, platform, sys, sysconfig, venv
plain = not sysconfig.get_config_var("Py_GIL_DISABLED")
if platform.python_implementation() == "CPython" and plain:
    print("%d.%d" % sys.version_info[:2], sys._base_executable)
"""


def candidates(version: str) -> Iterator[Path]:
    """Yield where a Python of this version may be."""
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"))


def probe(python: Path, version: str) -> Path | None:
    """Return the path of an interpreter that works (a shim of pyenv may not)."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", PROBE], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found, _, path = done.stdout.strip().partition(" ")
    return Path(path) if done.returncode == 0 and found == version else None


def find() -> dict[str, Path]:
    """Return one interpreter for each supported version that is there."""
    found: dict[str, Path] = {}
    for version in VERSIONS:
        for candidate in candidates(version):
            if path := probe(candidate, version):
                found[version] = path
                break
    return found


if __name__ == "__main__":
    for version, path in find().items():
        print(version, path)
