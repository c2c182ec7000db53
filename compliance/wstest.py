"""The Autobahn test suite: its Python 2.7 environment, and its process.

The suite runs on CPython 2.7 only, so it gets an environment of its own under ``.wstest``, built
once for each version of the lock file.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "autobahn-python2.7.lock"
CACHE = HERE / ".wstest"
SUITE = "autobahntestsuite==25.10.1"
VIRTUALENV = "virtualenv==20.15.1"

NO_PYTHON27 = """\
The Autobahn test suite needs CPython 2.7, and there is none here that works and has pip.
Looked for: python2.7 on PATH, and ~/.pyenv/versions/2.7*/bin/python2.7.
Install one, for example with `pyenv install 2.7.18`, or name one with --python27 PATH."""

# What the suite has no options for: it listens on every interface, at the port of its URL, and
# draws its masking keys at random. With the same keys in each connection a case is the same bytes
# in each run, and a recording of it need not keep the keys.
BOOT = """
import os, random
import autobahntestsuite.choosereactor
from twisted.internet import reactor
listen = reactor.listenTCP
def listen_on_loopback(port, factory, backlog=50, interface=""):
    return listen(int(os.environ["WSTEST_PORT"]), factory, backlog, "127.0.0.1")
reactor.listenTCP = listen_on_loopback
from autobahntestsuite.fuzzing import FuzzingClientProtocol
connection_made = FuzzingClientProtocol.connectionMade
def connection_made_with_known_keys(self):
    random.seed(0)
    connection_made(self)
FuzzingClientProtocol.connectionMade = connection_made_with_known_keys
from autobahntestsuite.wstest import run
run()
"""


class SuiteError(Exception):
    """The suite could not be installed or started; the text says why."""


def find_python27(named: str | None = None) -> str:
    """Find a CPython 2.7 that runs (a pyenv shim may not) and has pip."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [shutil.which("python2.7"), *map(str, pyenv.glob("versions/2.7*/bin/python2.7"))]
    for python in [named] if named else found:
        if python and _is_python27_with_pip(python):
            return python
    raise SuiteError(NO_PYTHON27)


def prepare(python27: str | None = None) -> str:
    """Return the Python that has the suite, building its environment if need be."""
    marker = CACHE / "built-from"
    python = CACHE / "env" / "bin" / "python"
    lock_hash = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if python.exists() and marker.exists() and marker.read_text() == lock_hash:
        return str(python)
    base = find_python27(python27)
    print(f"building the suite's environment in {CACHE} (once, a minute or two)", flush=True)
    shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir()
    boot = CACHE / "virtualenv"
    _install_step([base, "-m", "pip", "install", "--target", str(boot), VIRTUALENV])
    _install_step(
        [base, "-m", "virtualenv", "--no-download", str(CACHE / "env")],
        PYTHONPATH=str(boot),
        VIRTUALENV_OVERRIDE_APP_DATA=str(CACHE / "app-data"),
    )
    _install_step([str(python), "-m", "pip", "install", "--constraint", str(LOCK), SUITE])
    marker.write_text(lock_hash)
    return str(python)


class Progress:
    """Reads the suite's output: which cases there are, which one runs, and its last words."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.cases: list[str] = []
        self.started = 0
        self.current = ""
        self.last_lines: deque[str] = deque(maxlen=30)
        self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()

    def join(self) -> None:
        """Wait until the output has been read to its end."""
        self._reader.join(timeout=10)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.last_lines.append(line.rstrip())
            if line.startswith("Cases = "):
                self.cases = [str(case) for case in ast.literal_eval(line[len("Cases = ") :])]
            elif line.startswith("Running test case ID "):
                self.started += 1
                self.current = line.split()[4]


@contextmanager
def running_suite(
    python: str, mode: str, spec: Path, port: int = 0
) -> Iterator[subprocess.Popen[str]]:
    """Run wstest in ``mode``, without its web server, and end it on the way out.

    A fuzzing server listens on ``port``; the port in its URL is the one that clients name.
    """
    arguments = ["-u", "-c", BOOT, "-m", mode, "-s", str(spec), "-u", "0"]
    environment = _environment() | {"WSTEST_PORT": str(port)}
    with running([python, *arguments], environment, subprocess.STDOUT) as process:
        yield process


@contextmanager
def running(
    command: list[str],
    env: dict[str, str] | None = None,
    stderr: int | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a process with its output piped, and end it on the way out, however that happens."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        env=env,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_python27_with_pip(python: str) -> bool:
    check = "import sys, pip; sys.exit(sys.version_info[:2] != (2, 7))"
    try:
        done = subprocess.run([python, "-c", check], capture_output=True, env=_environment())
    except OSError:
        return False
    return done.returncode == 0


def _install_step(command: list[str], **env: str) -> None:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environment() | env,
    )
    if done.returncode:
        raise SuiteError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")


def _environment() -> dict[str, str]:
    """Return the environment without what belongs to the Python 3 that runs us."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    return {name: value for name, value in os.environ.items() if name not in foreign}
