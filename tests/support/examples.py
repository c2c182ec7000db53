"""The examples as processes of their own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "examples"
TIMEOUT = 30


@contextmanager
def serving(name: str, *arguments: str) -> Iterator[int]:
    """Start a server that says where it is in its first line, until the block ends; its port."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), "0", *arguments]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().rpartition(":")[2])
            assert process.poll() is None, "it has stopped"
        finally:
            process.kill()
            process.wait()
        errors.seek(0)
        assert errors.read() == ""


def run(name: str, port: int, *messages: str) -> subprocess.CompletedProcess[str]:
    """Run a client to its end."""
    return subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), "127.0.0.1", str(port), *messages],
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
    )
