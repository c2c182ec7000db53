"""``python -m ws13 serve``: an echo server on asyncio, with a page to try it in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import sys
from http import HTTPStatus

from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    Request,
)
from ws13.frame_protocol import CloseReason
from ws13.utilities import RemoteProtocolError

from .arguments import ServeOptions
from .page import HttpRequest
from .wording import close_in_words, supported_extensions, visible

RECEIVE_SIZE = 65536
CLOSE_TIMEOUT = 5.0  # seconds for a client to answer our close
LINGER_TIMEOUT = 2.0  # seconds for a client to close TCP after we have


def run(options: ServeOptions) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit status."""
    try:
        asyncio.run(EchoServer(options).serve())
    except KeyboardInterrupt:
        pass
    except OSError as error:
        print(f"cannot serve on {options.host} port {options.port}: {error}", file=sys.stderr)
        return 1
    return 0


class EchoServer:
    """Accepts connections, and says goodbye to all of them in the end."""

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        self.open: dict[EchoConnection, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Serve until a signal asks us to stop."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Windows has no signal handlers in its loop: there Ctrl-C ends asyncio.run.
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, stop.set)
        tls = self._tls()
        server = await asyncio.start_server(
            self._on_connection,
            self.options.host,
            self.options.port,
            ssl=tls,
            ssl_handshake_timeout=self.options.handshake_timeout if tls else None,
        )
        scheme = "wss" if tls else "ws"
        for sock in server.sockets:
            url = f"{scheme}://{_address(sock.getsockname())}"
            page = f"{'https' if tls else 'http'}://{_address(sock.getsockname())}/"
            print(f"echoing on {url} (in a browser: {page}; Ctrl-C stops)", flush=True)
        try:
            await stop.wait()
        finally:
            server.close()
            await self._say_goodbye()

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = EchoConnection(reader, writer, self.options)
        task = asyncio.current_task()
        assert task is not None
        self.open[connection] = task
        try:
            await connection.run()
        finally:
            del self.open[connection]
            print(connection.log_line(), flush=True)

    async def _say_goodbye(self) -> None:
        tasks = list(self.open.values())
        for connection, task in self.open.items():
            if connection.ws.state is ConnectionState.CONNECTING:
                task.cancel()
            else:
                connection.go_away()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _tls(self) -> ssl.SSLContext | None:
        if self.options.tls_cert is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.options.tls_cert, self.options.tls_key)
        except OSError as error:
            raise OSError(f"{self.options.tls_cert} cannot be used with TLS: {error}") from None
        return context


class EchoConnection:
    """One client, from its opening handshake to the end of TCP."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        options: ServeOptions,
    ) -> None:
        self.ws = WSConnection(ConnectionType.SERVER)
        self.reader = reader
        self.writer = writer
        self.options = options
        self.peer = _address(writer.get_extra_info("peername"))
        self.subprotocol: str | None = None
        self.head = bytearray()  # while it is under way; the engine limits it
        self.ending = "cut off"

    def log_line(self) -> str:
        """Say who it was, the subprotocol, and how it closed."""
        return f"{self.peer}  subprotocol {self.subprotocol or 'none'}  {self.ending}"

    async def run(self) -> None:
        """Shake hands, echo, and close."""
        try:
            await self._talk()
            await self._close_tcp()
        except OSError:
            self.ending = "connection lost"
        finally:
            # After _close_tcp this does nothing; after a cancellation nothing else would help.
            self.writer.transport.abort()

    def go_away(self) -> None:
        """Start the closing handshake; :meth:`run` ends when the client has answered."""
        if self.ws.state is ConnectionState.OPEN:
            goodbye = CloseConnection(code=CloseReason.GOING_AWAY, reason="the server is stopping")
            self.writer.write(self.ws.send(goodbye))

    async def _talk(self) -> None:
        try:
            await asyncio.wait_for(self._shake_hands(), self.options.handshake_timeout)
        except asyncio.TimeoutError:
            self.ending = f"no handshake within {self.options.handshake_timeout:g} seconds"
            return
        except RemoteProtocolError as error:
            await self._refuse(error)
            return
        if self.ws.state is not ConnectionState.CONNECTING:
            await self._echo()

    async def _shake_hands(self) -> None:
        while data := await self.reader.read(RECEIVE_SIZE):
            self.head += data
            self.ws.receive_data(data)
            for event in self.ws.events():
                if isinstance(event, Request):
                    known = self.options.subprotocols
                    offers = event.subprotocols
                    self.subprotocol = next((name for name in offers if name in known), None)
                    accept = AcceptConnection(
                        subprotocol=self.subprotocol,
                        extensions=supported_extensions(),
                    )
                    self.head.clear()
                    await self._send(accept)
                    return
        self.ending = "TCP closed before the handshake"

    async def _refuse(self, error: RemoteProtocolError) -> None:
        """Answer what is no opening handshake: HTTP with HTTP, the rest as the engine says."""
        self.ending = f"handshake refused: {visible(str(error))}"
        hint = error.event_hint
        if hint is None:
            return
        request = None
        if isinstance(hint, RejectConnection) and hint.status_code == HTTPStatus.BAD_REQUEST:
            request = HttpRequest.parse(bytes(self.head))
        if request is None:
            await self._send(hint)
            return
        response, body = request.answer()
        if response.status_code == HTTPStatus.OK:
            self.ending = "was given the page"
        await self._send(response)
        if request.method != "HEAD":  # RFC 9110 §9.3.2
            await self._send(body)

    async def _echo(self) -> None:
        while True:
            for event in self.ws.events():
                match event:
                    case Message() | Ping() if self.ws.state is not ConnectionState.OPEN:
                        pass  # the closing handshake is under way: nothing may follow our close
                    case Message():
                        await self._send(event)
                    case Ping():
                        await self._send(event.response())
                    case CloseConnection():
                        await self._on_close(event)
                        return
                    case _:
                        pass
            self.ws.receive_data(await self.reader.read(RECEIVE_SIZE) or None)

    async def _on_close(self, event: CloseConnection) -> None:
        words = close_in_words(event.code, event.reason)
        match self.ws.state:
            case ConnectionState.REMOTE_CLOSING:
                self.ending = f"closed by the client: {words}"
                await self._send(event.response())
            case ConnectionState.CLOSED if event.code == CloseReason.ABNORMAL_CLOSURE:
                self.ending = f"connection lost: {words}"
            case ConnectionState.CLOSED:
                self.ending = f"closed by the server, answered: {words}"
            case ConnectionState.OPEN:
                self.ending = f"failed, the client broke the protocol: {words}"
                await self._send(event.response())
            case _:
                self.ending = f"failed while closing: {words}"

    async def _send(self, event: Event) -> None:
        self.writer.write(self.ws.send(event))
        # Reading goes on only when the client has taken what it asked for.
        await self.writer.drain()

    async def _close_tcp(self) -> None:
        """Close TCP before the client does (RFC 6455 §7.1.1).

        First our half only: closing with bytes unread makes the kernel reset the connection, and
        the client may then never see our close frame.
        """
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            if self.writer.can_write_eof():
                self.writer.write_eof()
                await asyncio.wait_for(self._read_to_end(), LINGER_TIMEOUT)
            self.writer.close()
            await asyncio.wait_for(self.writer.wait_closed(), LINGER_TIMEOUT)

    async def _read_to_end(self) -> None:
        while await self.reader.read(RECEIVE_SIZE):
            pass


def _address(name: tuple[str, int] | tuple[str, int, int, int] | None) -> str:
    if not name:
        return "unknown"
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
