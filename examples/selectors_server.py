"""An echo server for many clients in one thread, which waits for each of them on its own.

What it leaves out is time: a server for everybody gives up on clients that are silent too long.
"""

import selectors
import socket
import sys
import time

from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import AcceptConnection, CloseConnection, Event, Message, Ping, Request
from ws13.extensions import PerMessageDeflate
from ws13.utilities import RemoteProtocolError

GOING_ON = {ConnectionState.CONNECTING, ConnectionState.OPEN}
ENOUGH = 1 << 16  # bytes for a client to take before it is listened to again


class Client:
    """One connection: what came and is not answered, what is answered and not sent."""

    def __init__(self, selector: selectors.BaseSelector, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.ws = WSConnection(ConnectionType.SERVER)
        self.selector, self.sock = selector, sock
        self.outgoing = bytearray()
        self.all_taken = True  # no event is left in self.ws
        selector.register(sock, selectors.EVENT_READ, self)

    def ready(self, mask: int) -> None:
        """Do what can be done without waiting."""
        try:
            if mask & selectors.EVENT_WRITE:
                del self.outgoing[: self.sock.send(self.outgoing)]
                if not self.outgoing and self.ws.state not in GOING_ON:
                    # Our half of TCP; closing it all could cost the client our Close frame.
                    self.sock.shutdown(socket.SHUT_WR)
            if mask & selectors.EVENT_READ:
                data = self.sock.recv(65536)
                if not data:
                    self.close()
                    return
                if self.ws.state in GOING_ON:
                    self.ws.receive_data(data)
            self.take_events()
            self.wait()
        except RemoteProtocolError as error:
            if error.event_hint is not None:
                self.outgoing += self.ws.send(error.event_hint)
            self.wait()
        except OSError:
            self.close()

    def take_events(self) -> None:
        """Answer as long as the client keeps up: a short message can become a long one."""
        self.all_taken = False
        while len(self.outgoing) < ENOUGH and self.ws.state in GOING_ON:
            event = next(self.ws.events(), None)
            if event is None:
                self.all_taken = True
                return
            self.outgoing += self.answer(event)

    def answer(self, event: Event) -> bytes:
        """Return the bytes that answer one event."""
        match event:
            case Request():
                return self.ws.send(AcceptConnection(extensions=[PerMessageDeflate()]))
            case Message():
                return self.ws.send(event)
            case Ping() | CloseConnection():
                return self.ws.send(event.response())
        return b""

    def wait(self) -> None:
        """Say what to wait for: to send first, or else to receive."""
        listening = self.all_taken or self.ws.state not in GOING_ON
        mask = selectors.EVENT_READ if listening else 0
        if self.outgoing:
            mask |= selectors.EVENT_WRITE
        self.selector.modify(self.sock, mask, self)

    def close(self) -> None:
        """Forget the client."""
        self.selector.unregister(self.sock)
        self.sock.close()


def accept(selector: selectors.BaseSelector, listener: socket.socket) -> None:
    """Begin with a client, if it can be had."""
    try:
        sock, _ = listener.accept()
    except OSError:
        # It is gone already, or there are too many open files: then it goes on waiting, and select
        # does not wait any more. The others are served all the same.
        time.sleep(0.01)
    else:
        Client(selector, sock)


def main(port: int) -> None:
    """Serve for ever."""
    with (
        socket.create_server(("127.0.0.1", port)) as listener,
        selectors.DefaultSelector() as ready,
    ):
        listener.setblocking(False)
        ready.register(listener, selectors.EVENT_READ)
        print(f"echoing on ws://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            for key, mask in ready.select():
                if isinstance(key.data, Client):
                    key.data.ready(mask)
                else:
                    accept(ready, listener)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765)
