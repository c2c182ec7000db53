"""websockets, through its Sans-I/O layer."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from frames import decode
from peers.base import REQUEST, Operation, Peer, Work


class Websockets(Peer):
    name = "websockets"
    includes = (
        "Protocol: receive_data(), events_received() and Frame objects, str(payload) for text, "
        "send_*() and data_to_send(); pongs are its own; no extensions"
    )
    import_line = "import websockets.client, websockets.server"

    def __init__(self) -> None:
        self.version = str(import_module("websockets.version").version)
        protocol = import_module("websockets.protocol")
        self.Protocol: Any = protocol.Protocol
        self.client_side, self.server_side = protocol.CLIENT, protocol.SERVER
        self.ClientProtocol: Any = import_module("websockets.client").ClientProtocol
        self.ServerProtocol: Any = import_module("websockets.server").ServerProtocol
        self.uri: Any = import_module("websockets.uri").parse_uri

    def works(self, operation: Operation) -> list[Work]:
        if operation is Operation.SEND_BYTES:
            return [self._send(self.client_side)]
        if operation is Operation.SERVE_BYTES:
            return [self._send(self.server_side)]
        if operation is Operation.PING_PONG:
            return [self._ping_pong()]
        if operation is Operation.HANDSHAKE:
            return [self._handshake()]
        if operation in (Operation.INFLATE, Operation.DEFLATE, Operation.DEFLATE_FAST):
            return []
        return [self._receive(operation is Operation.RECEIVE_TEXT)]

    def idle(self) -> object:
        return self.Protocol(self.server_side)

    def opened(self) -> object:
        server = self.ServerProtocol()
        server.receive_data(REQUEST)
        server.send_response(server.accept(server.events_received()[0]))
        server.data_to_send()
        return server

    def _receive(self, text: bool) -> Work:
        protocol = self.Protocol(self.server_side, max_size=None)
        receive_data, events_received = protocol.receive_data, protocol.events_received

        def run_bytes(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                receive_data(chunk)
                for frame in events_received():
                    frame.data  # noqa: B018  (looked at, as a program does)

        def run_text(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                receive_data(chunk)
                for frame in events_received():
                    str(frame.data, "utf-8")

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            contents: list[Any] = []
            for chunk in chunks:
                receive_data(chunk)
                contents += [frame.data for frame in events_received()]
            return [str(data, "utf-8") if text else data for data in contents]

        return Work(self.name, run_text if text else run_bytes, collect)

    def _ping_pong(self) -> Work:
        protocol = self.Protocol(self.server_side)

        def run(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                protocol.receive_data(chunk)
                protocol.events_received()
                protocol.data_to_send()

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            sent: list[bytes] = []
            for chunk in chunks:
                protocol.receive_data(chunk)
                protocol.events_received()
                sent += protocol.data_to_send()
            return [payload for _opcode, payload in decode(b"".join(sent))]

        return Work(self.name, run, collect)

    def _send(self, side: Any) -> Work:
        protocol = self.Protocol(side)
        send_binary, data_to_send = protocol.send_binary, protocol.data_to_send

        def run(payloads: Sequence[bytes]) -> None:
            for payload in payloads:
                send_binary(payload)
                data_to_send()

        def collect(payloads: Sequence[bytes]) -> list[Any]:
            sent: list[bytes] = []
            for payload in payloads:
                send_binary(payload)
                sent += data_to_send()
            return [payload for _opcode, payload in decode(b"".join(sent))]

        return Work(self.name, run, collect)

    def _handshake(self) -> Work:
        def shake(target: str) -> tuple[Any, Any, Any]:
            client = self.ClientProtocol(self.uri("ws://server.example.com" + target))
            server = self.ServerProtocol()
            client.send_request(client.connect())
            for data in client.data_to_send():
                server.receive_data(data)
            (request,) = server.events_received()
            server.send_response(server.accept(request))
            for data in server.data_to_send():
                client.receive_data(data)
            return client, request, client.events_received()

        def run(targets: Sequence[str]) -> None:
            for target in targets:
                shake(target)

        def collect(targets: Sequence[str]) -> list[Any]:
            ends = [shake(target) for target in targets]
            return [
                request.path if client.state.name == "OPEN" else None
                for client, request, _response in ends
            ]

        return Work(self.name, run, collect)
