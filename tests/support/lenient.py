"""A WebSocket server with faults: it echoes, and refuses nothing but what it is told to refuse."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ws13.testing import Frame, Judge, Opcode, ReceivedHead, Role, read_head, response

#: What it makes of a frame: the frames that it sends, and None at the end of the connection.
Answers = Callable[[Frame], "list[Frame | None]"]


def echo(frame: Frame) -> list[Frame | None]:
    """What a good server makes of a frame by itself, whatever else is wrong with it."""
    plain = Frame(frame.opcode, frame.payload, fin=frame.fin)
    if frame.opcode == Opcode.PING:
        return [Frame(Opcode.PONG, frame.payload)]
    if frame.opcode == Opcode.PONG:
        return []
    if frame.opcode == Opcode.CLOSE:
        return [plain, None]
    return [plain]


def good_head(head: ReceivedHead) -> bytes:
    """101 to anything that has a key."""
    return bytes(response((head.values("sec-websocket-key") or [""])[0]))


class Lenient:
    """A server that takes connections on `port`."""

    def __init__(self, answers: Answers, head: Callable[[ReceivedHead], bytes]) -> None:
        self.answers = answers
        self.head = head
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self.listener.getsockname()[1])
        self.url = f"ws://127.0.0.1:{self.port}/"

    def serve(self) -> None:
        """Until the listener is closed."""
        with suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def stop(self) -> None:
        """Take no connection any more."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _talk(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        with sock, suppress(OSError):
            data = b""
            while (head := read_head(data)) is None:
                if not (more := sock.recv(65536)):
                    return
                data += more
            sock.sendall(self.head(head))
            judge = Judge(Role.CLIENT)
            data = data[head.size :]
            while True:
                for frame in judge.take(data):
                    for answer in self.answers(frame):
                        if answer is None:
                            return
                        sock.sendall(bytes(answer))
                if not (data := sock.recv(65536)):
                    return


@contextmanager
def lenient(
    answers: Answers = echo, head: Callable[[ReceivedHead], bytes] = good_head
) -> Iterator[Lenient]:
    """Such a server, until the block ends."""
    server = Lenient(answers, head)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.stop()
