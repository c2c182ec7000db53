"""An echo server on blocking sockets, one thread for each connection."""

import contextlib
import socket
import sys
import threading

from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import AcceptConnection, CloseConnection, Event, Message, Ping, Request
from ws13.utilities import RemoteProtocolError

GOING_ON = {ConnectionState.CONNECTING, ConnectionState.OPEN}


def answer(ws: WSConnection, event: Event) -> bytes:
    """Return the bytes that answer one event."""
    match event:
        case Request():
            return ws.send(AcceptConnection())
        case Message():
            return ws.send(event)
        case Ping() | CloseConnection():
            return ws.send(event.response())
    return b""


def serve(sock: socket.socket) -> None:
    """Answer until a close frame has been sent, then close TCP."""
    ws = WSConnection(ConnectionType.SERVER)
    with sock, contextlib.suppress(ConnectionError):
        try:
            while ws.state in GOING_ON and (data := sock.recv(65536)):
                ws.receive_data(data)
                for event in ws.events():
                    sock.sendall(answer(ws, event))
        except RemoteProtocolError as error:
            if error.event_hint is not None:
                sock.sendall(ws.send(error.event_hint))


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"echoing on ws://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()
