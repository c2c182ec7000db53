"""``python -m ws13 run --as-wsproto``: a program that imports wsproto, on ws13."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence

import ws13

#: In front of the search path it makes any process find ws13 as wsproto.
SHIM = os.path.join(os.path.dirname(ws13.__file__), "_shim")


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell our own words from those of the program: what stands behind its name is its own."""
    for index, word in enumerate(words):
        if word == "-m":
            return list(words[: index + 2]), list(words[index + 2 :])
        if not word.startswith("-"):
            return list(words[: index + 1]), list(words[index + 1 :])
    return list(words), []


def run(module: str | None, script: str, arguments: Sequence[str]) -> int:
    """Run the module or script as Python itself would; it ends as it would there."""
    ws13.install_as_wsproto()
    # Processes that the program starts, such as the workers of a server, import anew. They look
    # where the environment tells them to; those of multiprocessing, where their parent looks.
    path = [SHIM, os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    safe = getattr(sys.flags, "safe_path", False)
    sys.path.insert(0 if safe else 1, SHIM)
    if module is not None:
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return 0
    if not os.path.exists(script):
        print(f"python -m ws13 run: there is no file {script}", file=sys.stderr)
        return 2
    sys.argv = [script, *arguments]
    if not safe:
        sys.path[0] = os.path.dirname(os.path.realpath(script))
    runpy.run_path(script, run_name="__main__")
    return 0
