"""``python -m ws13 run --as-wsproto``: a program that imports wsproto, on ws13."""

from __future__ import annotations

import builtins
import os
import pkgutil
import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from types import ModuleType

import ws13

#: In front of the search path it makes any process find ws13 as wsproto.
SHIM = os.path.join(os.path.dirname(ws13.__file__), "_shim")

#: What ``python -m`` and ``python FOLDER`` call. Unlike the public functions beside it, it does not
#: take ``__main__`` away again from what outlives the last line: threads and atexit handlers.
run_as_main = vars(runpy)["_run_module_as_main"]


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell our own words from those of the program: what stands behind its name is its own."""
    for index, word in enumerate(words):
        if word == "-m":
            return list(words[: index + 2]), list(words[index + 2 :])
        # The name of a module may be joined to its -m.
        if word.startswith("-m") or not word.startswith("-"):
            return list(words[: index + 1]), list(words[index + 1 :])
    return list(words), []


def run(module: str | None, script: str, arguments: Sequence[str]) -> int:
    """Run the module or script as Python itself would; it ends as it would there."""
    if module is None and not os.path.exists(script):
        print(f"python -m ws13 run: there is no file {script}", file=sys.stderr)
        return 2
    ws13.install_as_wsproto()
    # Processes that the program starts, such as the workers of a server, import anew. They look
    # where the environment tells them to; those of multiprocessing, where their parent looks.
    path = [SHIM, os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    # Python has put the current folder first, unless it was told not to.
    safe = getattr(sys.flags, "safe_path", sys.flags.isolated)
    first = [] if safe else sys.path[:1]
    rest = [SHIM, *sys.path[len(first) :]]
    if module is not None:
        sys.path[:] = [*first, *rest]
        sys.argv = ["-m", *arguments]
        replace_main()
        run_as_main(module)
        return 0
    sys.argv = [script, *arguments]
    script = os.path.join(os.getcwd(), script)  # as Python does: it leaves .. where it is
    if pkgutil.get_importer(script) is not None:  # a folder, or a zip file
        sys.path[:] = [script, *rest]
        replace_main()
        run_as_main("__main__", alter_argv=False)
        return 0
    sys.path[:] = [os.path.dirname(os.path.realpath(script)) for _ in first] + rest
    run_file(script)
    return 0


def run_file(path: str) -> None:
    """Run source, or what has been compiled of it."""
    main = replace_main()
    main.__file__ = path
    if path.endswith(".pyc"):
        compiled = SourcelessFileLoader("__main__", path)
        main.__loader__ = compiled
        code = compiled.get_code("__main__")
        assert code is not None
    else:
        source = SourceFileLoader("__main__", path)
        main.__loader__ = source
        # It heeds the declared encoding, and leaves the program without our __future__.
        code = source.source_to_code(source.get_data(path), path)
    exec(code, vars(main))


def replace_main() -> ModuleType:
    """Put a new ``__main__`` in the place of ours, for as long as the process lives."""
    main = ModuleType("__main__")
    vars(main)["__builtins__"] = builtins
    sys.modules["__main__"] = main
    return main
