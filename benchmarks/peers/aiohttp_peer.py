"""aiohttp: its WebSocketReader with the queue it feeds, and its WebSocketWriter."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from importlib import import_module
from typing import Any

from frames import decode
from peers.base import Operation, Peer, Work
from peers.transport import FakeTransport

PONG, BINARY = 10, 2
UNLIMITED = 1 << 30


class Aiohttp(Peer):
    name = "aiohttp"
    includes = (
        "WebSocketReader (C) and await queue.read() without flow control; await "
        "WebSocketWriter.send_frame() into a fake transport, masks from random.getrandbits()"
    )
    import_line = "import aiohttp"

    def __init__(self) -> None:
        self.version = str(import_module("aiohttp").__version__)
        reader = import_module("aiohttp._websocket.reader")
        self.Reader: Any = reader.WebSocketReader
        self.Queue: Any = reader.WebSocketDataQueue
        self.Writer: Any = import_module("aiohttp._websocket.writer").WebSocketWriter
        self.BaseProtocol: Any = import_module("aiohttp.base_protocol").BaseProtocol

    def works(self, operation: Operation) -> list[Work]:
        if operation in (Operation.SEND_BYTES, Operation.SERVE_BYTES):
            return [self._send(use_mask=operation is Operation.SEND_BYTES)]
        if operation is Operation.PING_PONG:
            return [self._ping_pong()]
        if operation is Operation.HANDSHAKE:
            return []
        if operation in (Operation.DEFLATE, Operation.DEFLATE_FAST):
            return []
        return [self._receive(operation is Operation.INFLATE)]

    def idle(self) -> object:
        return (*self._reader(), self._writer(FakeTransport(), use_mask=False))

    def opened(self) -> None:
        """Its handshake belongs to its HTTP server."""

    def _reader(self, compressed: bool = False) -> tuple[Any, Any]:
        loop = asyncio.get_running_loop()
        queue = self.Queue(self.BaseProtocol(loop), UNLIMITED, loop=loop)
        return self.Reader(queue, UNLIMITED, compressed, True), queue

    def _writer(self, transport: FakeTransport, use_mask: bool) -> Any:
        protocol = self.BaseProtocol(asyncio.get_running_loop())
        return self.Writer(protocol, transport, use_mask=use_mask)

    def _receive(self, compressed: bool) -> Work:
        reader, queue = self._reader(compressed)
        feed_data, read, waiting = reader.feed_data, queue.read, queue._buffer

        async def receive(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                feed_data(chunk)
                while waiting:
                    message = await read()
                    message.data  # noqa: B018  (looked at, as a program does)

        async def gather(chunks: Sequence[bytes]) -> list[Any]:
            contents = []
            for chunk in chunks:
                feed_data(chunk)
                while waiting:
                    contents.append((await read()).data)
            return contents

        return Work(self.name, lambda x: driven(receive(x)), lambda x: driven(gather(x)))

    def _ping_pong(self) -> Work:
        transport = FakeTransport(keep=None)
        reader, queue = self._reader()
        send_frame = self._writer(transport, use_mask=False).send_frame
        feed_data, read, waiting = reader.feed_data, queue.read, queue._buffer

        async def answer(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                feed_data(chunk)
                while waiting:
                    await send_frame((await read()).data, PONG)

        def run(chunks: Sequence[bytes]) -> None:
            driven(answer(chunks))
            transport.written.clear()

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            driven(answer(chunks))
            sent = b"".join(transport.written)
            transport.written.clear()
            return [payload for _opcode, payload in decode(sent)]

        return Work(self.name, run, collect)

    def _send(self, use_mask: bool) -> Work:
        quiet, keeping = FakeTransport(), FakeTransport(keep=None)

        async def send(transport: FakeTransport, payloads: Sequence[bytes]) -> None:
            send_frame = self._writer(transport, use_mask).send_frame
            for payload in payloads:
                await send_frame(payload, BINARY)

        def collect(payloads: Sequence[bytes]) -> list[Any]:
            keeping.written.clear()
            driven(send(keeping, payloads))
            return [payload for _opcode, payload in decode(b"".join(keeping.written))]

        return Work(self.name, lambda x: driven(send(quiet, x)), collect)


def driven(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("aiohttp waited for something")
