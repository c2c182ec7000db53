"""ws13, wsproto and websockets behind one small interface, for conversations between two of them.

A step is ("text" or "binary", payload, fin), ("ping", payload), ("pong", payload) or
("close", code, reason). A ping is answered with a pong, a close with a close.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, Protocol

from support.frames import mask

Step = tuple[Any, ...]


def installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


class Peer(Protocol):
    """``sent`` and ``received`` hold what crossed the border of the peer, in steps."""

    sent: list[Step]
    received: list[Step]

    @property
    def open(self) -> bool: ...

    @property
    def closed(self) -> bool: ...

    def start(self) -> bytes:
        """The request of a client."""

    def send(self, step: Step) -> bytes: ...

    def receive(self, data: bytes) -> bytes:
        """Take bytes; returns the answers."""


class EventPeer:
    """A peer with wsproto's API: ws13 or wsproto itself."""

    def __init__(self, package: str, role: str, subprotocol: str | None) -> None:
        self.events: Any = importlib.import_module(f"{package}.events")
        module: Any = importlib.import_module(package)
        states: Any = importlib.import_module(f"{package}.connection").ConnectionState
        self.states = states
        self.connection = module.WSConnection(module.ConnectionType[role.upper()])
        self.role, self.subprotocol = role, subprotocol
        self.sent: list[Step] = []
        self.received: list[Step] = []
        self.parts: list[Any] = []

    @property
    def open(self) -> bool:
        return bool(self.connection.state is self.states.OPEN)

    @property
    def closed(self) -> bool:
        return bool(self.connection.state is self.states.CLOSED)

    def start(self) -> bytes:
        names = [self.subprotocol, "other"] if self.subprotocol else []
        request = self.events.Request("example.com", "/chat?x=1", subprotocols=names)
        return bytes(self.connection.send(request))

    def send(self, step: Step) -> bytes:
        self.sent.append(step)
        return bytes(self.connection.send(self.event(step)))

    def event(self, step: Step) -> Any:
        kind, *values = step
        if kind == "close":
            return self.events.CloseConnection(*values)
        if kind in ("ping", "pong"):
            return getattr(self.events, kind.capitalize())(*values)
        name = "TextMessage" if kind == "text" else "BytesMessage"
        return getattr(self.events, name)(data=values[0], message_finished=values[1])

    def receive(self, data: bytes) -> bytes:
        self.connection.receive_data(data)
        return b"".join(self._taken(event) for event in self.connection.events())

    def _taken(self, event: Any) -> bytes:
        kind = type(event).__name__
        if kind == "Request":
            assert (event.host, event.target) == ("example.com", "/chat?x=1")
            self.received.append(("open", tuple(event.subprotocols)))
            accept = self.events.AcceptConnection(subprotocol=self.subprotocol)
            return bytes(self.connection.send(accept))
        if kind == "AcceptConnection":
            self.received.append(("open", event.subprotocol))
        elif kind in ("Ping", "Pong"):
            self.received.append((kind.lower(), bytes(event.payload)))
            if kind == "Ping" and self.open:
                return self.send(("pong", bytes(event.payload)))
        elif kind == "CloseConnection":
            self.received.append(("close", int(event.code), event.reason or ""))
            if not self.closed:
                return bytes(self.connection.send(event.response()))
        else:
            self.parts.append(event.data)
            if event.frame_finished:
                payload = event.data[:0].join(self.parts)
                name = "text" if kind == "TextMessage" else "binary"
                self.received.append((name, payload, event.message_finished))
                self.parts = []
        return b""


class WebsocketsPeer:
    """A peer of the library websockets, its layer without I/O."""

    def __init__(self, role: str, subprotocol: str | None) -> None:
        self.frames: Any = importlib.import_module("websockets.frames")
        self.http11: Any = importlib.import_module("websockets.http11")
        self.states: Any = importlib.import_module("websockets.protocol").State
        names = [subprotocol] if subprotocol else None
        self.role = role
        if role == "client":
            client: Any = importlib.import_module("websockets.client")
            uri: Any = importlib.import_module("websockets.uri")
            address = uri.parse_uri("ws://example.com/chat?x=1")
            self.protocol = client.ClientProtocol(address, subprotocols=names)
        else:
            server: Any = importlib.import_module("websockets.server")
            self.protocol = server.ServerProtocol(subprotocols=names)
        self.sent: list[Step] = []
        self.received: list[Step] = []
        self.kind = ""
        self.message: str | None = None

    @property
    def open(self) -> bool:
        return bool(self.protocol.state is self.states.OPEN)

    @property
    def closed(self) -> bool:
        """Both close frames are through; TCP is not part of it."""
        return self.protocol.close_rcvd is not None and self.protocol.close_sent is not None

    def start(self) -> bytes:
        self.protocol.send_request(self.protocol.connect())
        return self._bytes()

    def _bytes(self) -> bytes:
        return b"".join(self.protocol.data_to_send())

    def send(self, step: Step) -> bytes:
        self.sent.append(step)
        kind, *values = step
        if kind == "close":
            self.protocol.send_close(*values)
        elif kind in ("ping", "pong"):
            getattr(self.protocol, f"send_{kind}")(*values)
        else:
            payload, fin = values
            data = payload.encode() if kind == "text" else payload
            if self.message:
                self.protocol.send_continuation(data, fin)
            else:
                getattr(self.protocol, f"send_{kind}")(data, fin)
            self.message = None if fin else kind
        return self._bytes()

    def receive(self, data: bytes) -> bytes:
        self.protocol.receive_data(data)
        answers = b""
        for event in self.protocol.events_received():
            answers += self._taken(event)
        return answers + self._bytes()

    def _taken(self, event: Any) -> bytes:
        if isinstance(event, self.http11.Request):
            names = tuple(event.headers.get("Sec-WebSocket-Protocol", "").split(", "))
            self.received.append(("open", tuple(filter(None, names))))
            response = self.protocol.accept(event)
            self.protocol.send_response(response)
            assert response.status_code == 101
        elif isinstance(event, self.http11.Response):
            self.received.append(("open", self.protocol.subprotocol))
        else:
            self._frame(event)
        return b""

    def _frame(self, frame: Any) -> None:
        opcode, data = int(frame.opcode), bytes(frame.data)
        if opcode in (9, 10):
            self.received.append(("ping" if opcode == 9 else "pong", data))
            if opcode == 9:  # it has answered by itself
                self.sent.append(("pong", data))
        elif opcode == 8:
            code = int.from_bytes(data[:2], "big") if data else 1005
            self.received.append(("close", code, data[2:].decode()))
        else:
            self.kind = {1: "text", 2: "binary"}.get(opcode, self.kind)
            payload = data.decode() if self.kind == "text" else data
            self.received.append((self.kind, payload, bool(frame.fin)))


def unmasked(stream: bytes) -> bytes:
    """Frames of a client as a server would write them."""
    out, at = b"", 0
    while at < len(stream):
        size, start = stream[at + 1] & 127, at + 2
        if size > 125:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(stream[start : start + width], "big"), start + width
        head = bytes([stream[at], stream[at + 1] & 127]) + stream[at + 2 : start]
        key, begin = stream[start : start + 4], start + 4
        out += head + mask(stream[begin : begin + size], key)
        at = begin + size
    return out


def peer(package: str, role: str, subprotocol: str | None = None) -> Peer:
    if package == "websockets":
        return WebsocketsPeer(role, subprotocol)
    return EventPeer(package, role, subprotocol)
