"""Modules written against wsproto, type checked as they are, and with ws13 in wsproto's place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from environments import ENVS, CompatError, Pair, distributions, environ
from outcomes import Outcome, Row, full_id
from suites import TYPED

#: Rules that say that something was not found; on wsproto or ws13, nothing was checked.
NOT_FOUND = {
    "import-not-found",
    "import-untyped",
    "reportMissingImports",
    "reportMissingModuleSource",
    "reportMissingTypeStubs",
}


@dataclass(frozen=True)
class Diagnostic:
    """What a checker says of a line."""

    file: str
    line: int
    rule: str
    text: str

    @property
    def place(self) -> str:
        """What a comment that ignores it refers to; the wording is not a part of it."""
        return f"{self.file}:{self.line} {self.rule}"


#: From the Python of an environment, the folder and the modules in it.
Checker = Callable[[Path, Path, tuple[str, ...]], Iterator[Diagnostic]]


def mypy(python: Path, root: Path, modules: tuple[str, ...]) -> Iterator[Diagnostic]:
    """Run mypy in strict mode, without a configuration."""
    options = ["--strict", "--config-file=", "--follow-imports=silent"]
    options += ["--output=json", "--no-error-summary"]
    where = [f"--python-executable={python}", f"--cache-dir={root.parent / 'mypy'}"]
    for line in output([sys.executable, "-m", "mypy", *options, *where, *modules], root):
        found = json.loads(line)
        if found["severity"] == "error":
            rule = found["code"] or "error"
            yield Diagnostic(found["file"], found["line"], rule, found["message"])


def pyright(python: Path, root: Path, modules: tuple[str, ...]) -> Iterator[Diagnostic]:
    """Run pyright in strict mode."""
    project = root / "pyrightconfig.json"
    settings = {"include": list(modules), "typeCheckingMode": "strict"}
    project.write_text(json.dumps(settings), encoding="utf-8")
    options = ["--outputjson", f"--project={project}", f"--pythonpath={python}"]
    lines = output([sys.executable, "-m", "pyright", *options], root)
    for found in json.loads("\n".join(lines))["generalDiagnostics"]:
        file = Path(found["file"]).relative_to(root).as_posix()
        line = found["range"]["start"]["line"] + 1
        if found["severity"] != "information":
            yield Diagnostic(file, line, found.get("rule", "error"), found["message"])


CHECKERS: dict[str, Checker] = {"mypy": mypy, "pyright": pyright}


def run_types(pair: Pair, allowed: Collection[str]) -> Iterator[Row]:
    """Check all modules with both checkers; yield a row for each checker."""
    for name, checker in CHECKERS.items():
        print(f"-- Python {pair.version}: types, {name}", flush=True)
        start = time.monotonic()
        row = Row(pair.version, name, version(name))
        for project, (below, modules) in TYPED.items():
            wsproto = checker(pair.wsproto, tree(pair, project, below, "wsproto"), modules)
            ws13 = checker(pair.ws13, tree(pair, project, below, "ws13"), modules)
            compare_types(row, modules, list(wsproto), list(ws13), allowed)
        row.seconds = time.monotonic() - start
        yield row


def compare_types(
    row: Row,
    modules: tuple[str, ...],
    wsproto: list[Diagnostic],
    ws13: list[Diagnostic],
    allowed: Collection[str],
) -> None:
    """Add these modules to the row; a diagnostic is lost where ws13 has more than wsproto."""
    for one in wsproto + ws13:
        if one.rule in NOT_FOUND and re.search(r"\b(wsproto|ws13)\b", one.text):
            raise CompatError(f"{row.suite} did not find it: {one.place}: {one.text}")
    more = Counter(one.place for one in ws13) - Counter(one.place for one in wsproto)
    only = [one for one in ws13 if one.place in more]
    row.tests += len(modules)
    row.with_wsproto += len(modules)
    row.on_ws13 += len(set(modules) - {one.file for one in only})
    for one in only:
        if full_id(row.suite, one.place) not in allowed:
            row.lost[one.place] = Outcome("only on ws13", one.text)
        elif one.place not in row.allowed:
            row.allowed.append(one.place)


def tree(pair: Pair, project: str, below: str, name: str) -> Path:
    """Return a folder with the packages of a project, written against the library of this name."""
    folder = ENVS / pair.version / "types" / name
    shutil.rmtree(folder / "source", ignore_errors=True)
    root = distributions()[project].unpack(folder / "source") / below
    target = folder / "checked"
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(root.resolve(), target)
    if name != "wsproto":
        for path in target.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            path.write_text(re.sub(r"\bwsproto\b", name, text), encoding="utf-8")
    return target


def output(command: list[str], cwd: Path) -> list[str]:
    """Run a checker, which ends with 1 if it has something to say."""
    done = subprocess.run(
        command, cwd=cwd, env=environ(), capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode not in (0, 1):
        raise CompatError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()
