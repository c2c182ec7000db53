"""What both test programs do on an open TCP connection: echo until the closing handshake."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

from ws13 import WSConnection, extensions
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)

if TYPE_CHECKING:
    from ws13.extensions import Extension

RECEIVE_SIZE = 65536


class HandshakeRefusedError(Exception):
    """The server answered the opening handshake with something other than 101."""


def supported_extensions() -> list[Extension]:
    """Permessage-deflate, where the library has it."""
    deflate: Any = getattr(extensions, "PerMessageDeflate", None)
    return [] if deflate is None else [deflate()]


def echo(ws: WSConnection, sock: socket.socket) -> None:
    """Send every message back whole, answer pings, and return once a close has been answered."""
    text: list[str] = []
    binary: list[bytes | bytearray] = []
    while True:
        for event in ws.events():
            match event:
                case Request():
                    sock.sendall(ws.send(AcceptConnection(extensions=supported_extensions())))
                case RejectConnection():
                    raise HandshakeRefusedError(f"HTTP status {event.status_code}")
                case TextMessage():
                    text.append(event.data)
                    if event.message_finished:
                        sock.sendall(ws.send(TextMessage(data="".join(text))))
                        text.clear()
                case BytesMessage():
                    binary.append(event.data)
                    if event.message_finished:
                        sock.sendall(ws.send(BytesMessage(data=b"".join(binary))))
                        binary.clear()
                case Ping():
                    sock.sendall(ws.send(event.response()))
                case CloseConnection():
                    # The peer's close and the peer's violation are answered alike, with the code
                    # of the event. The state is CLOSED if TCP ended: then nobody is listening.
                    if ws.state is not ConnectionState.CLOSED:
                        sock.sendall(ws.send(event.response()))
                    return
                case _:
                    pass
        receive(ws, sock)


def receive(ws: WSConnection, sock: socket.socket) -> None:
    """Hand on what TCP brings; the end of TCP is an event only after the opening handshake."""
    data = sock.recv(RECEIVE_SIZE)
    if not data and ws.state is ConnectionState.CONNECTING:
        raise ConnectionResetError("TCP was closed during the opening handshake")
    ws.receive_data(data or None)


def close_tcp(sock: socket.socket) -> None:
    """Close TCP without losing what was sent last.

    Closing with bytes unread makes the kernel reset the connection, and the peer may then never
    see the close frame. So half of it is closed first.
    """
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        wait_for_end(sock)


def wait_for_end(sock: socket.socket, seconds: float = 2.0) -> None:
    """Read and drop bytes until the peer closes TCP, or is silent for some seconds."""
    sock.settimeout(seconds)
    with contextlib.suppress(OSError):
        while sock.recv(RECEIVE_SIZE):
            pass
