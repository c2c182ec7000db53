"""Say some things to a server and print its answers, with asyncio's streams.

python examples/asyncio_client.py 127.0.0.1 8765 "first message" "second message"
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from ws13 import Config, ConnectionType, WSConnection
from ws13.connection import ConnectionState
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
from ws13.utilities import RemoteProtocolError

TIMEOUT = 10.0


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ws = WSConnection(ConnectionType.CLIENT, config=Config.client())
        self.reader, self.writer = reader, writer

    async def send(self, event: Event) -> None:
        """Send an event; wait while the server does not take it."""
        self.writer.write(self.ws.send(event))
        await self.writer.drain()

    async def events(self) -> AsyncIterator[Event]:
        """Yield what the server does, to the end: a Close frame, or 1006 for TCP without one."""
        while True:
            for event in self.ws.events():
                yield event
                if isinstance(event, (CloseConnection, RejectConnection)):
                    return
            self.ws.receive_data(await self.reader.read(65536) or None)

    async def close_tcp(self) -> None:
        """Wait for the server to close TCP first (RFC 6455 §7.1.1), but not for ever."""
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self.drop_the_rest(), TIMEOUT)
        # There is nothing left to say, to a server that takes nothing least of all.
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def drop_the_rest(self) -> None:
        """Read to the end, and keep nothing: it may be long."""
        while await self.reader.read(65536):
            pass


async def converse(host: str, port: int, messages: list[str]) -> str:
    """Send one message after the other; return how it ended."""
    client = Client(*await asyncio.open_connection(host, port))
    unsaid = iter([*map(TextMessage, messages), CloseConnection(1000)])
    try:
        await client.send(Request(f"{host}:{port}", "/"))
        async for event in client.events():
            match event:
                case AcceptConnection():
                    await client.send(next(unsaid))
                case Message() if client.ws.state is ConnectionState.OPEN:
                    print(event.data)
                    await client.send(next(unsaid))
                case Ping() if client.ws.state is ConnectionState.OPEN:
                    await client.send(event.response())
                case CloseConnection():
                    # Theirs came first, or they broke the protocol. Otherwise there is no answer.
                    if client.ws.state in (ConnectionState.REMOTE_CLOSING, ConnectionState.OPEN):
                        await client.send(event.response())
                    return f"closed with {int(event.code)} {event.reason or ''}".rstrip()
                case RejectConnection():
                    return f"rejected with status {event.status_code}"
        return "never reached: the events end with one of the last two"
    finally:
        await client.close_tcp()


async def main(host: str, port: int, messages: list[str]) -> str:
    """Return what went wrong, nothing if all went well."""
    try:
        ending = await asyncio.wait_for(converse(host, port, messages), TIMEOUT)
    except (OSError, RemoteProtocolError, asyncio.TimeoutError) as error:
        return f"failed: {error!r}"
    return "" if ending == "closed with 1000" else ending


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])) or None)
