"""``python -m ws13 connect``: an interactive client on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import http
import itertools
import os
import signal
import ssl
import sys

from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from ws13.frame_protocol import CloseReason
from ws13.utilities import RemoteProtocolError

from .arguments import ConnectOptions
from .commands import parse_line
from .lines import read_lines
from .wording import close_in_words, supported_extensions, visible

RECEIVE_SIZE = 65536
STDIN = 0
# What a server's close says when nothing went wrong (RFC 6455 §7.4.1).
GOOD_CODES = {
    CloseReason.NORMAL_CLOSURE,
    CloseReason.GOING_AWAY,
    CloseReason.NO_STATUS_RCVD,
}


def run(options: ConnectOptions) -> int:
    """Connect, talk, close; return the exit status."""
    try:
        return asyncio.run(connect(options))
    except KeyboardInterrupt:
        return 1


async def connect(options: ConnectOptions) -> int:
    """Open TCP (and TLS), then hold the conversation."""
    address = options.address
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(address.host, address.port, ssl=_tls(options)),
            options.timeout,
        )
    except asyncio.TimeoutError:
        say(f"no connection to {address.host} port {address.port} within {options.timeout:g} s")
        return 1
    except OSError as error:
        say(f"cannot connect to {address.host} port {address.port}: {error}")
        return 1
    session = Session(options, reader, writer)
    try:
        if not await session.open():
            return 1
        return await session.talk()
    except OSError as error:
        say(f"connection lost: {error}")
        return 1
    finally:
        writer.transport.abort()


class Session:
    """One WebSocket connection: its opening handshake, what is said, its end."""

    def __init__(
        self,
        options: ConnectOptions,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.ws = WSConnection(ConnectionType.CLIENT)
        self.options = options
        self.reader = reader
        self.writer = writer
        self.loop = asyncio.get_running_loop()
        self.we_closed = False
        self.inside_message = False
        self.last_heard = 0.0
        self.keepalive: bytes | None = None

    async def open(self) -> bool:
        """Shake hands; say how it went."""
        address = self.options.address
        request = Request(
            host=address.host_header,
            target=address.resource,
            subprotocols=list(self.options.subprotocols),
            extensions=supported_extensions(),
            extra_headers=list(self.options.headers),
        )
        try:
            self.writer.write(self.ws.send(request))
            return await asyncio.wait_for(self._read_answer(), self.options.timeout)
        except asyncio.TimeoutError:
            say(f"no complete answer to the handshake within {self.options.timeout:g} s")
        except RemoteProtocolError as error:
            say(f"the server's answer is not a WebSocket handshake: {visible(str(error))}")
        return False

    async def talk(self) -> int:
        """Receive until the connection closes, and meanwhile send what is typed."""
        with contextlib.suppress(NotImplementedError):
            self.loop.add_signal_handler(signal.SIGINT, self._close, CloseConnection(code=1000))
        others = [asyncio.create_task(self._send_lines())]
        if self.options.ping_interval is not None:
            others.append(asyncio.create_task(self._keep_alive(self.options.ping_interval)))
        try:
            event = await self._receive()
            return await self._finish(event)
        finally:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _read_answer(self) -> bool:
        rejected = False
        while True:
            data = await self.reader.read(RECEIVE_SIZE)
            self.ws.receive_data(data or None)
            for event in self.ws.events():
                match event:
                    case AcceptConnection():
                        extensions = ", ".join(extension.name for extension in event.extensions)
                        say(f"connected to {self.options.address.host_header}")
                        say(f"subprotocol: {visible(event.subprotocol or 'none')}")
                        say(f"extensions: {extensions or 'none'}")
                        return True
                    case RejectConnection():
                        rejected = True
                        _say_rejection(event)
                        if not event.has_body:
                            return False
                    case RejectData():
                        body = bytes(event.data).decode(errors="replace")
                        print(visible(body), end="", file=sys.stderr, flush=True)
                        if event.body_finished:
                            print(file=sys.stderr)
                            return False
                    case _:
                        pass
            if not data:
                say("the server closed TCP" if rejected else "the server closed TCP unanswered")
                return False

    async def _receive(self) -> CloseConnection:
        while True:
            for event in self.ws.events():
                match event:
                    case TextMessage():
                        self._print_piece("", visible(event.data), event.message_finished)
                    case BytesMessage():
                        self._print_piece("binary ", event.data.hex(), event.message_finished)
                    case Ping():
                        say(f"ping {visible(bytes(event.payload).decode(errors='replace'))}")
                        if self.ws.state is ConnectionState.OPEN:
                            await self._send(event.response())
                    case Pong():
                        self._on_pong(event)
                    case CloseConnection():
                        return event
                    case _:
                        pass
            try:
                data = await self.reader.read(RECEIVE_SIZE)
            except ConnectionError:
                data = b""
            self.ws.receive_data(data or None)

    async def _finish(self, event: CloseConnection) -> int:
        """Answer the close, let the server close TCP (§7.1.1), and judge how it went."""
        words = close_in_words(event.code, event.reason)
        if self.inside_message:
            print(flush=True)
        match self.ws.state:
            case ConnectionState.REMOTE_CLOSING:
                say(f"closed by the server: {words}")
                await self._send(event.response())
                clean = event.code in GOOD_CODES
            case ConnectionState.CLOSED if event.code != CloseReason.ABNORMAL_CLOSURE:
                say(f"closed: {words}")
                clean = self.we_closed
            case ConnectionState.CLOSED:
                say(f"connection lost: {words}")
                return 1
            case state:
                say(f"failed, the server broke the protocol: {words}")
                if state is ConnectionState.OPEN:
                    await self._send(event.response())
                return 1
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self._read_to_end(), self.options.timeout)
        return 0 if clean else 1

    async def _send_lines(self) -> None:
        async for line in read_lines(STDIN):
            try:
                event = parse_line(line.decode())
            except UnicodeDecodeError:
                say("not sent: the line is not UTF-8")
            except ValueError as error:
                say(f"not sent: {error}")
            else:
                if isinstance(event, CloseConnection):
                    self._close(event)
                    return
                await self._send(event)
        self.last_heard = self.loop.time()
        if not os.isatty(STDIN):
            while (left := self.last_heard + self.options.wait - self.loop.time()) > 0:
                await asyncio.sleep(left)
        self._close(CloseConnection(code=1000))

    async def _keep_alive(self, interval: float) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(interval)
            if self.ws.state is not ConnectionState.OPEN:
                return
            if self.keepalive is not None:
                say(f"no pong within {interval:g} s")
                self.writer.transport.abort()
                return
            self.keepalive = b"keepalive %d" % number
            await self._send(Ping(payload=self.keepalive))

    def _on_pong(self, event: Pong) -> None:
        if event.payload == self.keepalive:
            self.keepalive = None
        else:
            say(f"pong {visible(bytes(event.payload).decode(errors='replace'))}")

    def _close(self, event: CloseConnection) -> None:
        if self.ws.state is ConnectionState.OPEN:
            self.we_closed = True
            self.writer.write(self.ws.send(event))
            self.loop.call_later(self.options.timeout, self.writer.transport.abort)

    async def _send(self, event: Event) -> None:
        with contextlib.suppress(ConnectionError):  # the reading side will say what happened
            self.writer.write(self.ws.send(event))
            await self.writer.drain()

    async def _read_to_end(self) -> None:
        while await self.reader.read(RECEIVE_SIZE):
            pass

    def _print_piece(self, kind: str, text: str, finished: bool) -> None:
        start = "" if self.inside_message else f"< {kind}"
        print(start + text, end="\n" if finished else "", flush=True)
        self.inside_message = not finished
        self.last_heard = self.loop.time()


def say(text: str) -> None:
    """Tell the person at the terminal; standard output is for messages."""
    print(f"* {text}", file=sys.stderr, flush=True)


def _say_rejection(event: RejectConnection) -> None:
    try:
        phrase = f" {http.HTTPStatus(event.status_code).phrase}"
    except ValueError:
        phrase = ""
    say(f"rejected: HTTP status {event.status_code}{phrase}")
    for name, value in event.headers:
        if name.lower() == b"location":
            say(f"location: {visible(value.decode('latin-1'))}")


def _tls(options: ConnectOptions) -> ssl.SSLContext | None:
    if not options.address.tls:
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
