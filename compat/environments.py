"""The source distributions, and two environments for each Python: with wsproto, and without it.

Both have what the suites need, from a third one that has neither wsproto nor ws13.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE = HERE / ".cache"
ENVS = HERE / ".envs"
REQUIREMENTS = ROOT / "requirements" / "compat.txt"
PINNED = ROOT / "requirements" / "compat-suites.txt"

PIP = ["-m", "pip", "--disable-pip-version-check"]
#: The tools that build are among the requirements, pinned like the rest.
NOTHING_ELSE = ["--no-deps", "--no-build-isolation"]


class CompatError(Exception):
    """The comparison cannot be made."""


@dataclass(frozen=True)
class Distribution:
    """A source distribution: a line of `compat-suites.txt`."""

    name: str
    version: str
    sha256: str

    @property
    def stem(self) -> str:
        return f"{self.name.replace('-', '_')}-{self.version}"

    @property
    def archive(self) -> Path:
        return CACHE / f"{self.stem}.tar.gz"

    @property
    def there(self) -> bool:
        """Whether we have it, and it is the one that was pinned."""
        return (
            self.archive.exists()
            and hashlib.sha256(self.archive.read_bytes()).hexdigest() == self.sha256
        )

    def unpack(self, folder: Path) -> Path:
        """Unpack it anew; return its root."""
        root = folder / self.stem
        shutil.rmtree(root, ignore_errors=True)
        with tarfile.open(self.archive) as archive:
            archive.extractall(folder, filter="data")
        return root


@dataclass(frozen=True)
class Pair:
    """The Pythons of two environments that differ in one thing."""

    version: str
    wsproto: Path
    ws13: Path


def distributions() -> dict[str, Distribution]:
    """Return what is pinned, by name."""
    line = re.compile(r"(\S+)==(\S+) --hash=sha256:([0-9a-f]{64})")
    found = (Distribution(*match) for match in line.findall(PINNED.read_text(encoding="utf-8")))
    return {one.name: one for one in found}


def prepare(version: str, base: Path, wheel: Path) -> Pair:
    """Return the environments of this Python, made unless they are up to date."""
    folder = ENVS / version
    stamp = folder / "made"
    made_of = "\n".join([str(base), digest(REQUIREMENTS), digest(PINNED), digest(Path(__file__))])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != made_of:
        print(f"-- Python {version}: making the environments", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        common(folder / "common", base)
        for name in ("wsproto", "ws13"):
            beside(folder / name, folder / "common", base)
        install(folder, "wsproto", distributions()["wsproto"].archive)
        stamp.write_text(made_of, encoding="utf-8")
    install(folder, "ws13", wheel, "--force-reinstall")
    pair = Pair(version, python_in(folder / "wsproto"), python_in(folder / "ws13"))
    verify(pair)
    return pair


def common(folder: Path, base: Path) -> None:
    """Make the environment with what the suites need, and with them, but without wsproto."""
    call([base, "-m", "venv", folder])
    pip: list[str | Path] = [python_in(folder), *PIP]
    call([*pip, "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS])
    fetch(pip)
    suites = [one.archive for one in distributions().values() if one.name != "wsproto"]
    call([*pip, "install", "--quiet", "--no-index", *NOTHING_ELSE, *suites])


def fetch(pip: Sequence[str | Path]) -> None:
    """Get the source distributions that are not in the cache."""
    if all(one.there for one in distributions().values()):
        return
    print("-- getting the source distributions", flush=True)
    shutil.rmtree(CACHE, ignore_errors=True)
    download = ["download", "--quiet", "--require-hashes", "--no-binary", ":all:", *NOTHING_ELSE]
    call([*pip, *download, "-r", PINNED, "-d", CACHE])
    for one in distributions().values():
        if not one.there:
            raise CompatError(f"pip did not leave {one.archive}")


def beside(folder: Path, common: Path, base: Path) -> None:
    """Make an environment that has all of the common one, for something of its own."""
    call([base, "-m", "venv", "--without-pip", folder])
    (packages(folder) / "common.pth").write_text(f"{packages(common)}\n", encoding="utf-8")


def install(folder: Path, name: str, what: Path, *options: str) -> None:
    """Install this only into the environment of that name."""
    pip = [str(python_in(folder / "common")), *PIP, "--python", str(python_in(folder / name))]
    call([*pip, "install", "--quiet", "--no-index", *NOTHING_ELSE, *options, what])


def verify(pair: Pair) -> None:
    """Make sure that each has the one and not the other: else we compare wsproto with wsproto."""
    code = "import {0}; assert {0}.__file__.startswith({1!r}), {0}.__file__"
    for python, has, lacks in ((pair.wsproto, "wsproto", "ws13"), (pair.ws13, "ws13", "wsproto")):
        program = code.format(has, str(python.parent.parent))
        if (done := ask(python, program)).returncode:
            raise CompatError(f"{python} does not have {has}:\n{done.stderr}")
        done = ask(python, f"import {lacks}")
        if f"No module named '{lacks}'" not in done.stderr:
            raise CompatError(f"{python} can import {lacks}, which must not be there")


def ask(python: Path, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-c", program],
        cwd=ENVS,
        env=environ(),
        capture_output=True,
        text=True,
        check=False,
    )


def environ() -> dict[str, str]:
    """Return our environment without what would change how a Python or a pytest starts."""
    drop = ("PYTHON", "PYTEST_", "VIRTUAL_ENV", "MYPYPATH", "COV_")
    return {name: value for name, value in os.environ.items() if not name.startswith(drop)}


def python_in(folder: Path) -> Path:
    return folder / "bin" / "python"


def packages(folder: Path) -> Path:
    return next(folder.glob("lib/python3.*/site-packages"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def call(command: Sequence[str | Path]) -> None:
    """Run a command that has to work; tell what it said if it does not."""
    done = subprocess.run(
        command,
        cwd=HERE,
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        hint = " (is there a network?)" if "pip" in command else ""
        raise CompatError(f"{' '.join(map(str, command))} failed with {done.returncode}{hint}")
