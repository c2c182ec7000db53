"""ws13 and wsproto: one API, so one driver."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from frames import decode
from peers.base import REQUEST, Operation, Peer, Work
from peers.deflate import extension, sending


class WsprotoApi(Peer):
    """A library with wsproto's public API, found by its import name."""

    includes = "Connection: receive_data(), events() and event objects; send() of a new event"

    def __init__(self, name: str) -> None:
        self.name = name
        self.import_line = f"import {name}"
        top = import_module(name)
        connection = import_module(f"{name}.connection")
        self.events = import_module(f"{name}.events")
        self.version = str(top.__version__)
        self.WSConnection: Any = top.WSConnection
        self.Connection: Any = connection.Connection
        self.client: Any = connection.ConnectionType.CLIENT
        self.server: Any = connection.ConnectionType.SERVER

    def works(self, operation: Operation) -> list[Work]:
        if operation in (Operation.SEND_BYTES, Operation.SERVE_BYTES):
            return [self._send(operation is Operation.SEND_BYTES)]
        if operation is Operation.PING_PONG:
            return [self._ping_pong()]
        if operation is Operation.HANDSHAKE:
            return [self._handshake()]
        if operation is Operation.RECEIVE_WHOLE:
            return [self._receive_whole()]
        if operation in (Operation.DEFLATE, Operation.DEFLATE_FAST):
            connection = self.Connection(self.server, [extension(self.name)])
            return [sending(self.name, connection, self.events.BytesMessage)]
        return [self._receive(operation is Operation.INFLATE)]

    def compressed(self, payload: bytes) -> object:
        event = self.events.BytesMessage(payload)
        client = self.Connection(self.client, [extension(self.name)])
        server = self.Connection(self.server, [extension(self.name)])
        server.receive_data(client.send(event))
        for _event in server.events():
            pass
        server.send(event)
        return server

    def idle(self) -> object:
        return self.Connection(self.server)

    def opened(self) -> object:
        server = self.WSConnection(self.server)
        server.receive_data(REQUEST)
        for _event in server.events():
            pass
        server.send(self.events.AcceptConnection())
        return server

    def _receive(self, compressed: bool = False) -> Work:
        extensions = [extension(self.name)] if compressed else []
        connection = self.Connection(self.server, extensions)
        receive_data, events = connection.receive_data, connection.events

        def run(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                receive_data(chunk)
                for event in events():
                    event.data  # noqa: B018  (looked at, as a program does)

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            pieces = []
            for chunk in chunks:
                receive_data(chunk)
                pieces += events()
            return joined(pieces)

        return Work(self.name, run, collect)

    def _receive_whole(self) -> Work:
        """Pieces joined, as wsproto's users do."""
        connection = self.Connection(self.server)
        receive_data, events = connection.receive_data, connection.events

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            messages: list[bytes] = []
            parts: list[bytes] = []
            for chunk in chunks:
                receive_data(chunk)
                for event in events():
                    parts.append(event.data)
                    if event.message_finished:
                        messages.append(b"".join(parts))
                        parts.clear()
            return messages

        def run(chunks: Sequence[bytes]) -> None:
            collect(chunks)

        return Work(self.name, run, collect)

    def _ping_pong(self) -> Work:
        connection = self.Connection(self.server)
        receive_data, events, send = connection.receive_data, connection.events, connection.send

        def run(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                receive_data(chunk)
                for event in events():
                    send(event.response())

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            pongs = []
            for chunk in chunks:
                receive_data(chunk)
                pongs += [send(event.response()) for event in events()]
            return [payload for _opcode, payload in decode(b"".join(pongs))]

        return Work(self.name, run, collect)

    def _send(self, client: bool) -> Work:
        connection = self.Connection(self.client if client else self.server)
        send, event = connection.send, self.events.BytesMessage

        def run(payloads: Sequence[bytes]) -> None:
            for payload in payloads:
                send(event(payload))

        def collect(payloads: Sequence[bytes]) -> list[Any]:
            sent = b"".join([send(event(payload)) for payload in payloads])
            return [payload for _opcode, payload in decode(sent)]

        return Work(self.name, run, collect)

    def _handshake(self) -> Work:
        make, client_type, server_type = self.WSConnection, self.client, self.server
        request, accept = self.events.Request, self.events.AcceptConnection

        def run(targets: Sequence[str]) -> None:
            for target in targets:
                client, server = make(client_type), make(server_type)
                server.receive_data(client.send(request("server.example.com", target)))
                for _event in server.events():
                    client.receive_data(server.send(accept()))
                for _event in client.events():
                    pass

        def collect(targets: Sequence[str]) -> list[Any]:
            seen = []
            for target in targets:
                client, server = make(client_type), make(server_type)
                server.receive_data(client.send(request("server.example.com", target)))
                (asked,) = server.events()
                client.receive_data(server.send(accept()))
                (answer,) = client.events()
                seen.append(asked.target if isinstance(answer, accept) else None)
            return seen

        return Work(self.name, run, collect)


class Wsproto(WsprotoApi):
    def __init__(self) -> None:
        super().__init__("wsproto")


class Ws13(WsprotoApi):
    """ws13, with its shorter forms in front where a row is about them."""

    includes = (
        "Connection: receive_data(), events() and event objects, send() of a new event; "
        "receive(), send_bytes(), send_parts() and pong() where the row names them"
    )

    def __init__(self) -> None:
        super().__init__("ws13")

    def works(self, operation: Operation) -> list[Work]:
        if operation is Operation.RECEIVE_WHOLE:
            return [self._receive_whole()]
        if operation is Operation.DEFLATE_FAST:
            connection = self.Connection(self.server, [extension(self.name, level=1)])
            return [sending("ws13 level 1", connection, self.events.BytesMessage)]
        usual = super().works(operation)
        connection = self.Connection(
            self.client if operation is Operation.SEND_BYTES else self.server
        )
        short: list[Work] = []
        if operation is Operation.RECEIVE_MANY and hasattr(connection, "receive"):
            short = [_one_call(connection)]
        elif operation is Operation.SEND_BYTES and hasattr(connection, "send_bytes"):
            short = [_send_bytes(connection)]
        elif operation is Operation.SERVE_BYTES and hasattr(connection, "send_parts"):
            short = [_send_parts(connection)]
        elif operation is Operation.PING_PONG and hasattr(connection, "pong"):
            short = [_short_ping_pong(connection)]
        return short + usual

    def _receive_whole(self) -> Work:
        config = import_module("ws13").Config(whole_messages=True)
        connection = self.Connection(self.server, config=config)
        receive_data, events = connection.receive_data, connection.events

        def collect(chunks: Sequence[bytes]) -> list[Any]:
            messages: list[bytes] = []
            for chunk in chunks:
                receive_data(chunk)
                messages += [event.data for event in events()]
            return messages

        def run(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                receive_data(chunk)
                for event in events():
                    event.data  # noqa: B018  (looked at, as a program does)

        return Work("ws13 whole messages", run, collect)


def joined(pieces: Sequence[Any]) -> list[Any]:
    """Whole messages out of message events."""
    messages: list[Any] = []
    parts: list[Any] = []
    for event in pieces:
        parts.append(event.data)
        if event.message_finished:
            messages.append(parts[0][:0].join(parts))
            parts = []
    return messages


def _one_call(connection: Any) -> Work:
    receive = connection.receive

    def run(chunks: Sequence[bytes]) -> None:
        for chunk in chunks:
            for event in receive(chunk):
                event.data  # noqa: B018  (looked at, as a program does)

    def collect(chunks: Sequence[bytes]) -> list[Any]:
        return joined([event for chunk in chunks for event in receive(chunk)])

    return Work("ws13 receive()", run, collect)


def _short_ping_pong(connection: Any) -> Work:
    receive_data, events, pong = connection.receive_data, connection.events, connection.pong

    def run(chunks: Sequence[bytes]) -> None:
        for chunk in chunks:
            receive_data(chunk)
            for event in events():
                pong(event.payload)

    def collect(chunks: Sequence[bytes]) -> list[Any]:
        pongs = []
        for chunk in chunks:
            receive_data(chunk)
            pongs += [pong(event.payload) for event in events()]
        return [payload for _opcode, payload in decode(b"".join(pongs))]

    return Work("ws13 events(), pong()", run, collect)


def _send_bytes(connection: Any) -> Work:
    send_bytes = connection.send_bytes

    def run(payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            send_bytes(payload)

    def collect(payloads: Sequence[bytes]) -> list[Any]:
        sent = b"".join([send_bytes(payload) for payload in payloads])
        return [payload for _opcode, payload in decode(sent)]

    return Work("ws13 send_bytes()", run, collect)


def _send_parts(connection: Any) -> Work:
    send_parts = connection.send_parts

    def run(payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            send_parts(payload)

    def collect(payloads: Sequence[bytes]) -> list[Any]:
        sent = b"".join([b"".join(send_parts(payload)) for payload in payloads])
        return [payload for _opcode, payload in decode(sent)]

    return Work("ws13 send_parts()", run, collect)
