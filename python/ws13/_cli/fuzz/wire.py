"""One TCP connection to the endpoint under test, and all that it sent."""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum

#: Bytes that an endpoint may send on one connection; the largest case is 16 MiB.
MOST = 64 << 20


class Ending(Enum):
    """How TCP stands when an exchange is over."""

    OPEN = "TCP stays open"
    CLOSED = "TCP ends"
    RESET = "TCP is reset"


class Wire(asyncio.Protocol):
    """A transport whose bytes are kept: nothing that came before a reset is lost."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.sent = bytearray()
        self.ending = Ending.OPEN
        self._transport: asyncio.Transport | None = None
        self._news = asyncio.Event()
        self._finished = False
        #: More came than anything asked for.
        self.is_flooded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) > MOST:
            self.is_flooded = True
            self.close()
        self._news.set()

    def eof_received(self) -> bool:
        if self.ending is Ending.OPEN:
            self.ending = Ending.CLOSED
        self._news.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ending is Ending.OPEN:
            self.ending = Ending.CLOSED if exc is None else Ending.RESET
        self._news.set()

    @property
    def is_open(self) -> bool:
        """Whether more can come."""
        return self.ending is Ending.OPEN

    def send(self, data: bytes) -> None:
        """Send it as soon as the endpoint takes it; once the connection is gone, nothing."""
        if self._transport is None or self._finished or self._transport.is_closing():
            return
        self.sent += data
        self._transport.write(data)

    def finish(self) -> None:
        """Nothing more will be sent (FIN). TLS has no such thing: then nothing happens."""
        if self._transport is None or self._finished or self._transport.is_closing():
            return
        self._finished = True
        if self._transport.can_write_eof():
            with contextlib.suppress(OSError):  # reset a moment ago, which comes to light later
                self._transport.write_eof()

    def close(self) -> None:
        """End TCP, whatever has not been sent."""
        if self._transport is not None:
            self._transport.abort()

    async def news(self, seconds: float) -> bool:
        """Wait until something comes, or TCP ends; False if nothing does within this time."""
        try:
            await asyncio.wait_for(self._news.wait(), max(seconds, 0))
        except asyncio.TimeoutError:
            return False
        self._news.clear()
        return True
