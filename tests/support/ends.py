"""One end of a connection over a blocking socket, and servers of one connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from ws13 import ConnectionType, WSConnection
from ws13.events import AcceptConnection, Event, Request

TIMEOUT = 30


class End:
    """One end of a WebSocket connection over a blocking socket."""

    def __init__(self, kind: ConnectionType, sock: socket.socket) -> None:
        sock.settimeout(TIMEOUT)
        self.ws = WSConnection(kind)
        self.sock = sock

    def send(self, event: Event) -> None:
        self.sock.sendall(self.ws.send(event))

    def next(self) -> Event:
        while True:
            for event in self.ws.events():
                return event
            self.ws.receive_data(self.sock.recv(65536) or None)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Let ``answer`` deal with one TCP connection in a thread; give out the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT)

        def serve() -> None:
            sock = listener.accept()[0]
            with sock, contextlib.suppress(ConnectionError):
                answer(sock)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(timeout=TIMEOUT)


def accepting(talk: Callable[[End], None]) -> AbstractContextManager[str]:
    """Like :func:`answering`, after the opening handshake."""

    def answer(sock: socket.socket) -> None:
        end = End(ConnectionType.SERVER, sock)
        assert isinstance(end.next(), Request)
        end.send(AcceptConnection())
        talk(end)

    return answering(answer)
