"""An echo server for the Autobahn fuzzing client: ``wstest -m fuzzingclient``."""

from __future__ import annotations

import argparse
import contextlib
import socket
import threading

from echo import close_tcp, echo
from ws13 import ConnectionType, WSConnection
from ws13.utilities import RemoteProtocolError


def serve_connection(sock: socket.socket) -> None:
    """Hold one conversation, then close TCP first, as RFC 6455 §7.1.1 asks of a server."""
    ws = WSConnection(ConnectionType.SERVER)
    # The suite drops connections on purpose.
    with sock, contextlib.suppress(ConnectionError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            echo(ws, sock)
        except RemoteProtocolError as error:
            if error.event_hint is None:
                raise
            sock.sendall(ws.send(error.event_hint))
        close_tcp(sock)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8642, help="0 takes a free port")
    options = parser.parse_args()
    with socket.create_server((options.host, options.port)) as listener:
        print(f"listening on port {listener.getsockname()[1]}", flush=True)
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=serve_connection, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
