"""An echo server on asyncio's transports and protocols, with a limit for every wait."""

import asyncio
import sys
from collections.abc import Callable

from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import AcceptConnection, CloseConnection, Event, Message, Ping, Request
from ws13.extensions import PerMessageDeflate
from ws13.utilities import RemoteProtocolError

GOING_ON = {ConnectionState.CONNECTING, ConnectionState.OPEN}
SILENCE = 60.0  # seconds until a client that says nothing is asked whether it is there
PATIENCE = 10.0  # seconds for all that a client has to do: see where it is used


class Echo(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start with nothing but a time limit."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ws = WSConnection(ConnectionType.SERVER)
        self.paused = False
        self.limit: asyncio.TimerHandle | None = None
        self.within(PATIENCE, transport.abort)  # the whole opening handshake

    def within(self, seconds: float, otherwise: Callable[[], None]) -> None:
        """Set the time limit, in the place of the one before: there is one wait at a time."""
        if self.limit is not None:
            self.limit.cancel()
        self.limit = asyncio.get_running_loop().call_later(seconds, otherwise)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless there is nothing left to say to it."""
        if self.ws.state not in GOING_ON:
            return
        try:
            self.ws.receive_data(data)
        except RemoteProtocolError as error:
            if error.event_hint is not None:
                self.transport.write(self.ws.send(error.event_hint))
            self.end()
        else:
            self.take_events()

    def take_events(self) -> None:
        """Answer as long as the client takes the answers; the rest of the events can wait."""
        while not self.paused and self.ws.state in GOING_ON:
            event = next(self.ws.events(), None)
            if event is None:
                if self.ws.state is ConnectionState.OPEN:
                    self.within(SILENCE, self.ask)
                return
            self.transport.write(self.answer(event))
        if self.ws.state not in GOING_ON:
            self.end()

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

    def ask(self) -> None:
        """Ask a silent client whether it is there. Whatever it says will do as an answer."""
        self.within(PATIENCE, self.give_up)
        self.transport.write(self.ws.send(Ping()))

    def give_up(self) -> None:
        """Close, as there was no answer."""
        self.transport.write(self.ws.send(CloseConnection(1011, "no answer to a Ping")))
        self.end()

    def end(self) -> None:
        """Close our half of TCP, and leave the other half to the client for a while.

        Closing it all with bytes unread would reset TCP, and lose our Close frame with it.
        """
        self.within(PATIENCE, self.transport.abort)
        self.transport.write_eof()
        self.transport.resume_reading()

    def pause_writing(self) -> None:
        """Listen no more to a client that takes nothing."""
        self.paused = True
        self.transport.pause_reading()
        self.expect_less(self.transport.get_write_buffer_size() + 1)

    def expect_less(self, before: int) -> None:
        """Give up on a client that takes nothing at all; a long answer may take its time."""
        size = self.transport.get_write_buffer_size()
        if size < before:
            self.within(PATIENCE, lambda: self.expect_less(size))
        else:
            self.transport.abort()

    def resume_writing(self) -> None:
        """Go on where it stopped."""
        self.paused = False
        if self.ws.state in GOING_ON:
            self.transport.resume_reading()
            self.take_events()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client, which may have vanished without a Close frame."""
        if self.limit is not None:
            self.limit.cancel()


async def main(port: int) -> None:
    """Serve for ever."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", port)
    print(f"echoing on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765))
