"""
An echo over a real socket: the protocol layer's cost when the kernel, the event loop and the Python
around it are in the figure too.

    python benchmarks/loopback.py [--messages 20000] [--size 128]

Each server runs in a process of its own. The client is the same for all: a blocking socket that
sends a frame it has made before, and waits for the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from frames import BINARY, encode

SERVERS = ["ws13", "wsproto", "websockets", "aiohttp", "picows"]
TICK = os.sysconf("SC_CLK_TCK")
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(frozen=True)
class Echoed:
    """Microseconds a message: from sending to the answer, and of the server's processor."""

    server: str
    round_trip: float
    cpu: float


# Servers, each as its library has them.


class Streamless(asyncio.Protocol):
    """wsproto's API on an asyncio protocol, which is how servers use it."""

    library: Any
    events: Any

    def connection_made(self, transport: Any) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport = transport
        self.ws = self.library.WSConnection(self.library.ConnectionType.SERVER)

    def data_received(self, data: bytes) -> None:
        ws, events = self.ws, self.events
        ws.receive_data(data)
        for event in ws.events():
            if isinstance(event, events.Message):
                self.transport.write(ws.send(event))
            elif isinstance(event, events.Request):
                self.transport.write(ws.send(events.AcceptConnection()))
            elif isinstance(event, events.CloseConnection):
                self.transport.write(ws.send(event.response()))
                self.transport.close()


async def serve_wsproto_api(name: str) -> int:
    import importlib

    Streamless.library = importlib.import_module(name)
    Streamless.events = importlib.import_module(f"{name}.events")
    server = await asyncio.get_running_loop().create_server(Streamless, "127.0.0.1", 0)
    return int(server.sockets[0].getsockname()[1])


async def serve_websockets(_name: str) -> int:
    from websockets.asyncio.server import ServerConnection, serve

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    server = await serve(echo, "127.0.0.1", 0, compression=None)
    return int(next(iter(server.sockets)).getsockname()[1])


async def serve_aiohttp(_name: str) -> int:
    from aiohttp import WSMsgType, web

    async def echo(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(compress=False)
        await response.prepare(request)
        async for message in response:
            if message.type is WSMsgType.BINARY:
                await response.send_bytes(message.data)
        return response

    application = web.Application()
    application.router.add_get("/", echo)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return int(runner.addresses[0][1])


async def serve_picows(_name: str) -> int:
    import picows

    class Echo(picows.WSListener):
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == picows.WSMsgType.BINARY:
                transport.send(frame.msg_type, frame.get_payload_as_bytes())
            elif frame.msg_type == picows.WSMsgType.CLOSE:
                transport.disconnect()

    server = await picows.ws_create_server(lambda _request: Echo(), "127.0.0.1", 0)
    return int(server.sockets[0].getsockname()[1])


async def child(name: str) -> None:
    serve = {"websockets": serve_websockets, "aiohttp": serve_aiohttp, "picows": serve_picows}
    print(await serve.get(name, serve_wsproto_api)(name), flush=True)
    await asyncio.Event().wait()


# The client.


def measure(name: str, messages: int, size: int) -> Echoed:
    """The least of five rounds."""
    command = [sys.executable, __file__, "--serve", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.sendall(REQUEST)
                while not sock.recv(65536).endswith(b"\r\n\r\n"):
                    pass
                frame = encode(BINARY, os.urandom(size), b"\x01\x02\x03\x04")
                length = len(encode(BINARY, bytes(size)))
                rounds = [one_round(process.pid, sock, frame, length, messages) for _ in range(5)]
        finally:
            process.kill()
    return Echoed(name, min(wall for wall, _ in rounds), min(cpu for _, cpu in rounds))


def one_round(
    pid: int, sock: socket.socket, frame: bytes, length: int, messages: int
) -> tuple[float, float]:
    start, before = time.perf_counter(), ticks(pid)
    for _ in range(messages):
        sock.sendall(frame)
        missing = length
        while missing:
            missing -= len(sock.recv(missing)) or sys.exit("the server has closed")
    wall = (time.perf_counter() - start) / messages * 1e6
    return wall, (ticks(pid) - before) / TICK / messages * 1e6


def ticks(pid: int) -> int:
    """The processor time that a process has used, in ticks of the kernel's clock."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as handle:
        fields = handle.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def loopback(messages: int, size: int) -> list[Echoed]:
    """Every server that is installed."""
    found = []
    for name in SERVERS:
        if importlib.util.find_spec(name):
            found.append(measure(name, messages, size))
            one = found[-1]
            print(f"{name:12}{one.round_trip:8.1f} us a round trip{one.cpu:8.1f} us of the server")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=128, help="bytes of a message")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(child(options.serve))
    else:
        loopback(options.messages, options.size)


if __name__ == "__main__":
    main()
