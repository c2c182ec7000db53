"""Servers of others, started as their documentation says, on ws13."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "servers"
PATIENCE = 60.0  # seconds, for a machine that is busy

#: What stands behind `python -m ws13 run --as-wsproto`.
COMMANDS = {
    "uvicorn": "-m uvicorn asgi_app:app --ws wsproto --port {port}",
    "hypercorn": "-m hypercorn asgi_app:app --bind 127.0.0.1:{port}",
    "flask": "-m flask --app flask_app run --port {port}",
}


@dataclass
class Server:
    """A server that takes connections."""

    name: str
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Where its WebSocket echo is."""
        return f"ws://127.0.0.1:{self.port}/"

    def under(self) -> str:
        """The module that it has under the name of wsproto.events."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/under", timeout=30) as answer:
            return str(answer.read().decode())


@contextlib.contextmanager
def started(name: str, folder: Path, *, as_wsproto: bool = True) -> Iterator[Server]:
    """The server of this name, until the block ends; its output goes to a file in `folder`.

    With `as_wsproto` it runs on ws13, else as it is.
    """
    server = Server(name, free_port(), folder / f"{name}.log")
    words = COMMANDS[name].format(port=server.port).split()
    ours = ["-m", "ws13", "run", "--as-wsproto"] if as_wsproto else []
    command = [sys.executable, *ours, *words]
    with (
        server.log.open("wb") as log,
        subprocess.Popen(
            command, cwd=FOLDER, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            wait_for(server, process)
            yield server
        finally:
            # The group: hypercorn works in a process of its own.
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Returns when the server takes connections."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
            return
        time.sleep(0.05)
    raise AssertionError(f"it does not listen:\n{server.log.read_text(errors='replace')}")
