"""Say some things to a server and print its answers, with one thread to send and one to receive.

    python examples/threads_client.py 127.0.0.1 8765 "first message" "second message"

No thread waits for another one here: a client that stops reading while it sends can wait for ever,
namely for a server that does the same.
"""

import queue
import socket
import sys
import threading

from ws13 import Config, ConnectionType, WSConnection
from ws13.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from ws13.utilities import LocalProtocolError, RemoteProtocolError

TIMEOUT = 10.0  # seconds for the server to say anything, and to take anything


class Client:
    """A connection whose two queues any thread may use."""

    def __init__(self, host: str, port: int) -> None:
        self.ws = WSConnection(ConnectionType.CLIENT, config=Config.client())
        self.outgoing: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        # When it is full nothing is read, so that the server has to wait too. The last thing in it
        # is how the connection ended.
        self.incoming: queue.Queue[Event | str] = queue.Queue(maxsize=100)
        self.ending: Event | str = "TCP was closed during the opening handshake"
        self.sock = socket.create_connection((host, port), timeout=TIMEOUT)
        self.sock.sendall(self.ws.send(Request(f"{host}:{port}", "/")))
        threading.Thread(target=self._receive, daemon=True).start()

    def _send(self) -> None:
        while (event := self.outgoing.get()) is not None:
            try:
                self.sock.sendall(self.ws.send(event))
            except LocalProtocolError:
                pass  # the closing handshake has begun; its answer may be the next in the queue
            except OSError:
                return  # there is no connection any more

    def _receive(self) -> None:
        try:
            with self.sock:
                while data := self.sock.recv(65536):
                    self._take(data)
                self._take(None)
        except (RemoteProtocolError, OSError) as error:
            if isinstance(self.ending, str):  # after a Close it matters no more how TCP ends
                self.ending = str(error)
        self.outgoing.put(None)
        self.incoming.put(self.ending)

    def _take(self, data: bytes | None) -> None:
        self.ws.receive_data(data)
        for event in self.ws.events():
            match event:
                case AcceptConnection():
                    threading.Thread(target=self._send, daemon=True).start()
                case Message():
                    self.incoming.put(event)
                case Ping():
                    self.outgoing.put(event.response())
                case CloseConnection():
                    self.ending = event
                    self.outgoing.put(event.response())
                case RejectConnection():
                    self.ending = event


def main(host: str, port: int, *messages: str) -> str:
    """Hold the conversation; return what went wrong, nothing if all went well."""
    client = Client(host, port)
    for text in messages:
        client.outgoing.put(TextMessage(text))
    left = len(messages)
    while True:
        if left == 0:
            client.outgoing.put(CloseConnection(1000))
        match client.incoming.get():
            case Message() as message:
                print(message.data)
                left -= 1
            case CloseConnection(code=1000) if left <= 0:
                return ""
            case ending:
                return f"the conversation ended with {ending}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]) or None)
