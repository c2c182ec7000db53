"""Three conversations over TCP on 127.0.0.1: ws13 with itself, and ws13 with ``websockets``.

Exit status: 0 if each conversation said what it should.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from ws13 import ConnectionType, WSConnection, __version__
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    Request,
    TextMessage,
)

try:
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.version import version as websockets_version
except ImportError:
    sys.exit("the demo needs another WebSocket library to talk to: pip install websockets")

Said = list[object]

TIMEOUT = 10.0
FRAGMENTS = ["a message ", "in three ", "fragments"]
EXPECTED: Said = [
    "accepted",
    "Grüße, 世界",
    b"\x00\x01\xfe\xff",
    "".join(FRAGMENTS),
    "pong: are you there?",
    "closed: 1000 goodbye",
]


class Peer:
    """One end of a WebSocket connection over asyncio streams, printing each event."""

    def __init__(
        self,
        name: str,
        kind: ConnectionType,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.ws = WSConnection(kind)
        self.name = name
        self.reader = reader
        self.writer = writer

    async def send(self, event: Event) -> None:
        """Print an event and send it."""
        self._show("sends", event)
        self.writer.write(self.ws.send(event))
        await self.writer.drain()

    async def receive(self) -> Event:
        """Return the next event, reading from TCP as needed."""
        while True:
            for event in self.ws.events():
                self._show("gets", event)
                return event
            data = await self.reader.read(65536)
            if not data and self.ws.state is ConnectionState.CONNECTING:
                raise ConnectionResetError("TCP was closed during the opening handshake")
            self.ws.receive_data(data or None)

    async def close_tcp(self) -> None:
        """Close TCP: the server at once, the client after it (RFC 6455 §7.1.1)."""
        if self.ws.client:
            await self.reader.read()
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def _show(self, verb: str, event: Event) -> None:
        indent = "" if self.ws.client else " " * 8
        print(f"  {indent}{self.name} {verb} {in_words(event)}")


async def ws13_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Echo until the client closes."""
    peer = Peer("server", ConnectionType.SERVER, reader, writer)
    while peer.ws.state is not ConnectionState.CLOSED:
        match await peer.receive():
            case Request():
                await peer.send(AcceptConnection())
            case Message() as message:
                await peer.send(message)
            case Ping() as ping:
                await peer.send(ping.response())
            case CloseConnection() as close if peer.ws.state is ConnectionState.REMOTE_CLOSING:
                await peer.send(close.response())
            case _:
                pass
    await peer.close_tcp()


async def ws13_client(port: int) -> Said:
    """Hold the conversation, and return what the server said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    peer = Peer("client", ConnectionType.CLIENT, reader, writer)
    said: Said = []
    await peer.send(Request(host=f"127.0.0.1:{port}", target="/demo"))
    said.append(await next_thing_said(peer))
    await peer.send(TextMessage("Grüße, 世界"))
    said.append(await next_thing_said(peer))
    await peer.send(BytesMessage(b"\x00\x01\xfe\xff"))
    said.append(await next_thing_said(peer))
    for index, fragment in enumerate(FRAGMENTS, 1):
        await peer.send(TextMessage(fragment, message_finished=index == len(FRAGMENTS)))
    said.append(await next_thing_said(peer))
    await peer.send(Ping(b"are you there?"))
    said.append(await next_thing_said(peer))
    await peer.send(CloseConnection(1000, "goodbye"))
    said.append(await next_thing_said(peer))
    await peer.close_tcp()
    return said


async def next_thing_said(peer: Peer) -> object:
    """Receive up to the end of a message, or one other event."""
    text, binary = "", b""
    while True:
        match await peer.receive():
            case TextMessage() as event:
                text += event.data
                if event.message_finished:
                    return text
            case BytesMessage() as event:
                binary += event.data
                if event.message_finished:
                    return binary
            case AcceptConnection():
                return "accepted"
            case Pong() as pong:
                return f"pong: {bytes(pong.payload).decode()}"
            case CloseConnection() as close:
                return f"closed: {close.code} {close.reason}"
            case other:
                return other


async def websockets_server(connection: ServerConnection) -> None:
    """Echo with the other library."""
    async for message in connection:
        await connection.send(message)


async def websockets_client(port: int) -> Said:
    """Hold the same conversation with the other library."""
    async with connect(f"ws://127.0.0.1:{port}/demo") as connection:
        said: Said = ["accepted"]
        for message in ("Grüße, 世界", b"\x00\x01\xfe\xff", FRAGMENTS):
            await connection.send(message)
            said.append(await connection.recv())
        await (await connection.ping("are you there?"))
        said.append("pong: are you there?")
        await connection.close(1000, "goodbye")
        said.append(f"closed: {connection.close_code} {connection.close_reason}")
        return said


async def converse() -> bool:
    """Hold the three conversations; return whether each said what it should."""
    server = await asyncio.start_server(ws13_server, "127.0.0.1", 0)
    ws13_port = server.sockets[0].getsockname()[1]
    async with serve(websockets_server, "127.0.0.1", 0) as other:
        websockets_port = next(iter(other.sockets)).getsockname()[1]
        good = True
        for title, client, port in (
            ("ws13 client, ws13 server", ws13_client, ws13_port),
            ("ws13 client, websockets server", ws13_client, websockets_port),
            ("websockets client, ws13 server", websockets_client, ws13_port),
        ):
            print(title)
            said = await asyncio.wait_for(client(port), TIMEOUT)
            good &= said == EXPECTED
            print(f"  -> {'as it should be' if said == EXPECTED else f'WRONG: {said}'}\n")
    server.close()
    return good


def in_words(event: Event) -> str:
    """Say an event in a few words, at its natural place in a sentence."""
    match event:
        case Request():
            return f"a request for {event.target}"
        case AcceptConnection():
            return "an acceptance"
        case TextMessage():
            return f"text {event.data!r}{'' if event.message_finished else ', more follows'}"
        case BytesMessage():
            return f"binary {event.data.hex(' ')}"
        case Ping():
            return f"a ping {bytes(event.payload)!r}"
        case Pong():
            return f"a pong {bytes(event.payload)!r}"
        case CloseConnection():
            return f"a close {event.code} {event.reason!r}"
        case _:
            return repr(event)


if __name__ == "__main__":
    print(f"ws13 {__version__}, websockets {websockets_version}\n")
    sys.exit(0 if asyncio.run(converse()) else 1)
