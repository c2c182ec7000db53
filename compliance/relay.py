"""A TCP relay on 127.0.0.1 that keeps what passes, from either end."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

RECEIVE_SIZE = 1 << 18


@dataclass
class Conversation:
    """All bytes of one TCP connection; ``number`` counts the connections from 0."""

    number: int
    from_client: bytearray = field(default_factory=bytearray)
    from_server: bytearray = field(default_factory=bytearray)


class Relay:
    """Listens on a free port, passes everything on to ``server_port`` and back."""

    def __init__(self, server_port: int, ended: Callable[[Conversation], None]) -> None:
        """``ended`` is called with each conversation that is over, from a thread of its own."""
        self._server_port = server_port
        self._ended = ended
        self._conversations: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening and wait for what is under way."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._conversations:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                conversation = Conversation(len(self._conversations))
                thread = threading.Thread(
                    target=self._pass_on, args=(conversation, client), daemon=True
                )
                self._conversations.append(thread)
                thread.start()

    def _pass_on(self, conversation: Conversation, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            back = threading.Thread(
                target=pump, args=(server, client, conversation.from_server), daemon=True
            )
            back.start()
            pump(client, server, conversation.from_client)
            back.join()
        self._ended(conversation)


def pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    """Pass on at once what comes, and at last that no more does, until the end of ``source``.

    Whoever dropped the connection hears no more, but what the other end still says is kept.
    """
    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError):
        while data := source.recv(RECEIVE_SIZE):
            kept += data
            with contextlib.suppress(OSError):
                target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
