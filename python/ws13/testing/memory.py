"""Two ends of a connection joined in memory, with no socket between them.

It works with any objects that have the interface of wsproto's and ws13's connections, which need
not be of the same library.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Generic, Protocol, TypeVar

from ws13 import Config, ConnectionType, WSConnection
from ws13.events import AcceptConnection, Event, Request
from ws13.testing.cuts import Cut, whole
from ws13.testing.roles import Role

_E = TypeVar("_E")
_C = TypeVar("_C")
_S = TypeVar("_S")


class Connection(Protocol[_E]):
    """What an end has to offer. Without an attribute `state` it is taken to be open."""

    def send(self, event: _E, /) -> bytes:
        """Return the bytes that tell the peer of an event."""
        ...

    def receive_data(self, data: bytes | None, /) -> None:
        """Take bytes from the peer; None is the end of TCP."""
        ...

    def events(self) -> Iterable[_E]:
        """Give the events that came of it."""
        ...


class End(Generic[_E]):
    """One end: the connection, and what became of it."""

    def __init__(
        self,
        connection: Connection[_E],
        deliver: Callable[[bytes | None], None],
        answering: bool,
    ) -> None:
        self.connection = connection
        #: Whether Ping and Close are answered with the event's `response()`.
        self.answering = answering
        #: All events so far, in order.
        self.events: list[_E] = []
        #: All bytes that it sent, or that were sent for it.
        self.sent = bytearray()
        self._deliver = deliver
        self._seen = 0

    def send(self, *events: _E) -> None:
        """Send these events, one after the other; the other end has taken them when it returns.

        Raises what `send()` of the connection raises, and what the other end's `receive_data()` or
        `events()` do.
        """
        for event in events:
            self.send_bytes(self.connection.send(event))

    def send_bytes(self, data: bytes) -> None:
        """Send these bytes in place of the connection, which does not learn of them."""
        self.sent += data
        self._deliver(data)

    def end(self) -> None:
        """TCP ends in this direction: the other end is told so."""
        self._deliver(None)

    def new_events(self) -> list[_E]:
        """The events since it was asked before."""
        seen, self._seen = self._seen, len(self.events)
        return self.events[seen:]

    def take(self, data: bytes | None) -> list[bytes]:
        """Receive, and return the answers to be sent."""
        self.connection.receive_data(data)
        answers: list[bytes] = []
        for event in self.connection.events():
            self.events.append(event)
            answer = self._answer(event) if self.answering else None
            if answer is not None:
                answers.append(self.connection.send(answer))
        return answers

    def _answer(self, event: _E) -> _E | None:
        """What answers a Ping or a Close, if that can be sent now."""
        response: Callable[[], _E] | None = getattr(event, "response", None)
        state = getattr(getattr(self.connection, "state", None), "name", "OPEN")
        closing = state == "REMOTE_CLOSING" and hasattr(event, "code")
        return response() if response is not None and (state == "OPEN" or closing) else None


class Conversation(Generic[_C, _S]):
    """What `joined()` and `opened()` make."""

    def __init__(
        self, client: Connection[_C], server: Connection[_S], cut: Cut, answering: bool
    ) -> None:
        self.client: End[_C] = End(client, partial(self._deliver, Role.SERVER), answering)
        self.server: End[_S] = End(server, partial(self._deliver, Role.CLIENT), answering)
        self.cut = cut
        self._under_way: deque[tuple[Role, bytes | None]] = deque()
        self._delivering = False

    def _deliver(self, receiver: Role, data: bytes | None) -> None:
        """Bring these bytes to one end, then answers to the other, until all is quiet."""
        self._under_way.append((receiver, data))
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._under_way:
                receiver, data = self._under_way.popleft()
                end = self.client if receiver is Role.CLIENT else self.server
                for piece in (None,) if data is None else self.cut(data):
                    for answer in end.take(piece):
                        end.send_bytes(answer)
        finally:
            self._delivering = False
            self._under_way.clear()

    def end(self) -> None:
        """TCP ends in both directions."""
        self.client.end()
        self.server.end()


def joined(
    client: Connection[_C], server: Connection[_S], *, cut: Cut = whole, answering: bool = True
) -> Conversation[_C, _S]:
    """Join two ends; nothing is sent yet.

    `cut` is how bytes are cut on their way, in both directions. With `answering`, each end answers
    Ping and Close by itself, with what `event.response()` is.
    """
    return Conversation(client, server, cut, answering)


def opened(
    *,
    cut: Cut = whole,
    answering: bool = True,
    request: Request | None = None,
    accept: AcceptConnection | None = None,
    client_config: Config | None = None,
    server_config: Config | None = None,
) -> Conversation[Event, Event]:
    """Two ends of ws13 that have their opening handshake behind them.

    `request` and `accept` are the events that open it; None: without subprotocol or extension. The
    events of the handshake are in the record, and `new_events()` gives only those behind it.
    """
    client = WSConnection(ConnectionType.CLIENT, config=client_config)
    server = WSConnection(ConnectionType.SERVER, config=server_config)
    talk = joined(client, server, cut=cut, answering=answering)
    talk.client.send(Request("example.com", "/") if request is None else request)
    talk.server.send(AcceptConnection() if accept is None else accept)
    talk.client.new_events()
    talk.server.new_events()
    return talk
