"""picows: its protocol object, connected to a fake transport."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from frames import decode
from peers.base import REQUEST, Operation, Peer, Work
from peers.transport import FakeTransport

ITS_BUFFER = 16 * 1024  # the default of ws_create_server()
LARGE_BUFFER = 256 * 1024  # room for any chunk of the rows


class Picows(Peer):
    name = "picows"
    includes = (
        "WSProtocol: the chunk copied into its buffer (in place of recv_into), the listener's "
        "on_ws_frame() and get_payload_as_*(); send() into a fake transport; masks from rand(); "
        "pongs are its own"
    )
    import_line = "import picows"

    def __init__(self) -> None:
        module: Any = import_module("picows")
        self.version = str(module.__version__)
        self.picows: Any = import_module("picows.picows")

        class Listener(self.picows.WSListener):  # type: ignore[misc, name-defined]
            pass

        class BytesListener(Listener):
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                frame.get_payload_as_bytes()

        class TextListener(Listener):
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                frame.get_payload_as_utf8_text()

        self.Listener, self.BytesListener, self.TextListener = Listener, BytesListener, TextListener

    def works(self, operation: Operation) -> list[Work]:
        if operation is Operation.SEND_BYTES:
            return [self._send()]
        if operation is Operation.SERVE_BYTES:
            return [self._serve()]
        if operation is Operation.PING_PONG:
            return [self._ping_pong()]
        if operation is Operation.HANDSHAKE:
            return [self._handshake()]
        if operation in (Operation.INFLATE, Operation.DEFLATE, Operation.DEFLATE_FAST):
            return []
        if operation is Operation.RECEIVE_WHOLE:
            return [self._receive_in_parts()]
        return [self._receive(operation is Operation.RECEIVE_TEXT)]

    def idle(self) -> None:
        """There is no connection before its handshake."""

    def opened(self) -> object:
        return self._server(self.Listener, FakeTransport(), ITS_BUFFER)

    def _protocol(self, client: bool, listener: Callable[..., Any], buffer: int) -> Any:
        where = ("server.example.com", "/chat") if client else (None, None)
        return self._protocol_for(where, listener, buffer)

    def _protocol_for(
        self, where: tuple[str | None, str | None], listener: Callable[..., Any], buffer: int
    ) -> Any:
        return self.picows.WSProtocol(
            *where,
            where[0] is not None,
            listener,
            logging.getLogger("picows"),
            True,  # disconnect_on_exception
            None,  # websocket_handshake_timeout
            False,  # enable_auto_ping
            10,
            10,
            self.picows.WSAutoPingStrategy.PING_WHEN_IDLE,
            True,  # enable_auto_pong
            1 << 30,  # max_frame_size
            None,  # extra_headers
            buffer,
        )

    def _server(self, listener: Callable[[], Any], transport: FakeTransport, buffer: int) -> Any:
        protocol = self._protocol(False, lambda _request: listener(), buffer)
        protocol.connection_made(transport)
        fill(protocol, REQUEST)
        return protocol

    def _receive(self, text: bool) -> Work:
        listener = self.TextListener if text else self.BytesListener
        protocol = self._server(listener, FakeTransport(), LARGE_BUFFER)
        get_buffer, buffer_updated = protocol.get_buffer, protocol.buffer_updated
        contents: list[Any] = []

        class Collecting(self.Listener):  # type: ignore[misc, name-defined]
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                as_text = frame.get_payload_as_utf8_text
                contents.append(as_text() if text else frame.get_payload_as_bytes())

        collecting = self._server(Collecting, FakeTransport(), LARGE_BUFFER)

        def run(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                get_buffer(-1)[: len(chunk)] = chunk
                buffer_updated(len(chunk))

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            for chunk in chunks:
                fill(collecting, chunk)
            return contents

        return Work(self.name, run, collect)

    def _receive_in_parts(self) -> Work:
        """Frames larger than its buffer, which grows on the way."""
        usual = self._receive(False)
        protocol = self._server(self.BytesListener, FakeTransport(), LARGE_BUFFER)

        def run(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                fill(protocol, chunk)

        return Work(usual.label, run, usual.collect)

    def _ping_pong(self) -> Work:
        transport = FakeTransport(keep=None)
        protocol = self._server(self.Listener, transport, LARGE_BUFFER)
        get_buffer, buffer_updated = protocol.get_buffer, protocol.buffer_updated

        def run(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                get_buffer(-1)[: len(chunk)] = chunk
                buffer_updated(len(chunk))
            transport.written.clear()

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            transport.written.clear()
            for chunk in chunks:
                fill(protocol, chunk)
            return [payload for _opcode, payload in decode(b"".join(transport.written))]

        return Work(self.name, run, collect)

    def _shake(self, target: str, to_server: FakeTransport) -> tuple[Any, Any]:
        to_client = FakeTransport()
        client = self._protocol_for(("server.example.com", target), self.Listener, ITS_BUFFER)
        server = self._protocol(False, lambda _request: self.Listener(), ITS_BUFFER)
        server.connection_made(to_client)
        client.connection_made(to_server)
        fill(server, to_server.written[-1])
        fill(client, to_client.written[-1])
        return client, server

    def _handshake(self) -> Work:
        def run(targets: Sequence[str]) -> None:
            for target in targets:
                self._shake(target, FakeTransport())

        def collect(targets: Sequence[str]) -> list[Any]:
            ends = [self._shake(target, FakeTransport()) for target in targets]
            return [
                server.transport.request.path.decode() if client.listener else None
                for client, server in ends
            ]

        return Work(self.name, run, collect)

    def _send(self) -> Work:
        quiet, keeping = FakeTransport(), FakeTransport(keep=None)
        clients = [self._shake("/chat", transport)[0] for transport in (quiet, keeping)]
        return self._sending(clients, keeping)

    def _serve(self) -> Work:
        quiet, keeping = FakeTransport(), FakeTransport(keep=None)
        servers = [self._server(self.Listener, it, ITS_BUFFER) for it in (quiet, keeping)]
        return self._sending(servers, keeping)

    def _sending(self, ends: Sequence[Any], keeping: FakeTransport) -> Work:
        # The protocol objects stay referenced by the closures that use their transports.
        binary = self.picows.WSMsgType.BINARY
        send = ends[0].transport.send

        def run(payloads: Sequence[bytes]) -> None:
            for payload in payloads:
                send(binary, payload)

        def collect(payloads: Sequence[bytes]) -> list[Any]:
            keeping.written.clear()
            for payload in payloads:
                ends[1].transport.send(binary, payload)
            return [payload for _opcode, payload in decode(b"".join(keeping.written))]

        return Work(self.name, run, collect)


def fill(protocol: Any, data: bytes) -> None:
    """What an event loop does with a buffered protocol."""
    rest = memoryview(data)
    while rest:
        room = protocol.get_buffer(-1)
        size = min(len(room), len(rest))
        room[:size] = rest[:size]
        protocol.buffer_updated(size)
        rest = rest[size:]
