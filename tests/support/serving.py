"""``python -m ws13 serve`` as a process of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from support.ends import TIMEOUT, End
from ws13 import ConnectionType
from ws13.events import AcceptConnection, Request


class Served:
    """A running ``serve`` and what it said in the end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        first_line = process.stdout.readline()
        self.url = first_line.split()[2]
        self.port = int(self.url.rpartition(":")[2])
        self.page = f"{self.url.replace('ws', 'http', 1)}/"
        assert f"in a browser: {self.page};" in first_line
        self.log = ""

    def open(self, *subprotocols: str) -> End:
        """A client behind its opening handshake."""
        client = End(ConnectionType.CLIENT, socket.create_connection(("127.0.0.1", self.port)))
        request = Request(host="localhost", target="/", subprotocols=list(subprotocols))
        client.send(request)
        self.accepted = client.next()
        assert isinstance(self.accepted, AcceptConnection)
        return client

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does; the exit status."""
        self.process.send_signal(signal.SIGINT)
        self.log = self.process.communicate(timeout=TIMEOUT)[0]
        return self.process.returncode


@contextmanager
def serving(*arguments: str) -> Iterator[Served]:
    """A server on a free port, until the block ends."""
    command = [sys.executable, "-m", "ws13", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Served(process)
        finally:
            process.kill()
