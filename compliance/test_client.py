"""An echo client for the Autobahn fuzzing server: ``wstest -m fuzzingserver``."""

from __future__ import annotations

import argparse
import contextlib
import socket
from urllib.parse import urlsplit

from echo import echo, receive, supported_extensions, wait_for_end
from ws13 import ConnectionType, WSConnection
from ws13.events import CloseConnection, Request, TextMessage

AGENT = "ws13"


class FuzzingServer:
    """The fuzzing server's address and what it can be asked."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or "127.0.0.1"
        self.port = parts.port or 80

    def case_count(self) -> int:
        """Ask how many cases there are."""
        pieces: list[str] = []
        ws, sock = self._open("/getCaseCount")
        with sock:
            while True:
                for event in ws.events():
                    if isinstance(event, TextMessage):
                        pieces.append(event.data)
                    elif isinstance(event, CloseConnection):
                        sock.sendall(ws.send(event.response()))
                        return int("".join(pieces))
                receive(ws, sock)

    def echo(self, target: str) -> None:
        """Open ``target``, echo until the close, then wait for the server to close TCP."""
        ws, sock = self._open(target)
        # The suite drops connections on purpose.
        with sock, contextlib.suppress(ConnectionError):
            echo(ws, sock)
            wait_for_end(sock)

    def _open(self, target: str) -> tuple[WSConnection, socket.socket]:
        ws = WSConnection(ConnectionType.CLIENT)
        sock = socket.create_connection((self.host, self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = Request(
            host=f"{self.host}:{self.port}",
            target=target,
            extensions=supported_extensions(),
        )
        sock.sendall(ws.send(request))
        return ws, sock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="ws://127.0.0.1:8642", help="the fuzzing server")
    server = FuzzingServer(parser.parse_args().url)
    for case in range(1, server.case_count() + 1):
        server.echo(f"/runCase?case={case}&agent={AGENT}")
    server.echo(f"/updateReports?agent={AGENT}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
