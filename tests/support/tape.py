"""What came out of a connection, frame by frame, in a form that no cut of the bytes changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from support.model import connection_type
from support.strategies import Schedule
from ws13 import WSConnection
from ws13.connection import Connection, ConnectionState
from ws13.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from ws13.utilities import RemoteProtocolError


@dataclass
class Tape:
    """Frames and other events in order; ``unfinished`` is the frame that has not ended."""

    items: list[tuple[Any, ...]] = field(default_factory=list)
    parts: list[Any] = field(default_factory=list)

    def add(self, event: Event) -> None:
        if isinstance(event, Message):
            self.parts.append(event.data)
            if event.frame_finished:
                kind = "text" if isinstance(event, TextMessage) else "binary"
                self.items.append((kind, self.unfinished, event.message_finished))
                self.parts = []
            else:
                assert not event.message_finished, "a message ends inside a frame"
        elif isinstance(event, (Ping, Pong)):
            self.items.append((type(event).__name__, event.payload))
        elif isinstance(event, CloseConnection):
            self.items.append(("close", int(event.code), event.reason))
        elif isinstance(event, RejectData):
            if event.data:
                self.parts.append(event.data)
            if event.body_finished:
                self.items.append(("body", b"".join(self.parts)))
                self.parts = []
        else:
            self.items.append((type(event).__name__, repr(event)))

    @property
    def unfinished(self) -> str | bytes | None:
        """None when nothing was given out: a code point that only began is nothing."""
        parts = self.parts
        joined: str | bytes = parts[0][:0].join(parts) if parts else b""
        return joined or None

    @property
    def all(self) -> tuple[Any, ...]:
        return (*self.items, self.unfinished)


def take_all(connection: Connection | WSConnection, tape: Tape) -> None:
    for event in connection.events():
        tape.add(event)


def played(connection: Connection, schedule: Schedule, ends: bool) -> Tape:
    """Feed an open connection by the schedule, then the end of the stream."""
    tape = Tape()
    for chunk, takes in schedule:
        if connection.state is not ConnectionState.CLOSED:
            connection.receive_data(chunk)
        if takes == "one" and (event := next(connection.events(), None)) is not None:
            tape.add(event)
        if takes == "all":
            take_all(connection, tape)
    take_all(connection, tape)
    if ends:
        connection.receive_data(None)
        take_all(connection, tape)
    return tape


class Opening:
    """One end of an opening handshake: a server accepts at once."""

    def __init__(self, role: str, request: Request | None = None) -> None:
        self.connection = WSConnection(connection_type(role))
        self.tape = Tape()
        self.sent = self.connection.send(request) if request else b""
        self.error: RemoteProtocolError | None = None

    def feed(self, chunks: Iterable[bytes | None]) -> None:
        """Feed until an error comes."""
        for chunk in chunks:
            try:
                self.connection.receive_data(chunk)
            except RemoteProtocolError as error:
                self.error = error
            self._take()
            if self.error:
                return

    def _take(self) -> None:
        try:
            for event in self.connection.events():
                self.tape.add(event)
                if isinstance(event, Request):
                    self.sent += self.connection.send(AcceptConnection())
        except RemoteProtocolError as error:
            self.error = error

    @property
    def verdict(self) -> tuple[Any, ...]:
        error: Any = None
        if self.error is not None:
            hint = self.error.event_hint
            assert hint is None or isinstance(hint, RejectConnection)
            error = (str(self.error), hint and (hint.status_code, list(hint.headers)))
        return (*self.tape.all, error, self.connection.state)
