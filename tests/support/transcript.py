"""What came out of a connection, in a form that does not depend on how bytes were cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.vectors import payload_bytes, payload_text
from ws13.connection import Connection, ConnectionState
from ws13.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

Item = tuple[Any, ...]

CLOSE_RECEIVED = (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED)


@dataclass
class Transcript:
    """Whole messages and control frames in order, how it ended, and an unfinished message."""

    items: list[Item] = field(default_factory=list)
    kind: str | None = None
    parts: list[Any] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Append one event; a message is appended when its last piece is there."""
        if isinstance(event, (TextMessage, BytesMessage)):
            kind = "text" if isinstance(event, TextMessage) else "binary"
            data: Any = event.data
            data = data if kind == "text" else bytes(data)
            assert self.kind in (None, kind), "text and binary pieces in one message"
            self.kind = kind
            self.parts.append(data)
            if event.message_finished:
                assert event.frame_finished, "a message ends inside a frame"
                self.items.append((kind, data[:0].join(self.parts)))
                self.kind, self.parts = None, []
        elif isinstance(event, Ping):
            self.items.append(("ping", bytes(event.payload)))
        elif isinstance(event, Pong):
            self.items.append(("pong", bytes(event.payload)))
        elif isinstance(event, CloseConnection):
            self.items.append(("end", int(event.code), event.reason))
        else:
            raise AssertionError(f"unexpected event {event!r}")

    @property
    def partial(self) -> Item | None:
        """Kind and payload of an unfinished message; none when no payload was given out."""
        payload = self.parts[0][:0].join(self.parts) if self.parts else None
        return (self.kind, payload) if payload else None


@dataclass(frozen=True)
class Expected:
    """The expectation of a case, comparable with a transcript."""

    items: tuple[Item, ...]
    end: Item | None
    partial: Item | None

    @staticmethod
    def parse(entries: Iterable[Sequence[Any]]) -> Expected:
        items: list[Item] = []
        end: Item | None = None
        partial: Item | None = None
        for entry in entries:
            kind = entry[0]
            if kind == "text":
                items.append((kind, payload_text(entry[1])))
            elif kind in ("binary", "ping", "pong"):
                items.append((kind, payload_bytes(entry[1])))
            elif kind == "partial":
                partial = ("any",) if entry[1] == "any" else _partial(entry[1], entry[2])
            elif kind in ("close", "fail", "eof"):
                assert end is None, "two ends"
                end = tuple(entry)
            else:
                raise ValueError(f"unknown expectation {kind!r}")
        return Expected(tuple(items), end, partial)

    def difference(self, seen: Transcript, state: ConnectionState) -> str | None:
        """What differs, in words; None when all is as expected."""
        items = list(seen.items)
        end = items.pop() if items and items[-1][0] == "end" else None
        if tuple(items) != self.items:
            return f"delivered {brief(items)}, expected {brief(self.items)}"
        if (end is None) != (self.end is None):
            return f"ended with {end}, expected {self.end}"
        if end is not None and self.end is not None:
            if end[1] != _code(self.end):
                return f"ended with {end}, expected {self.end}"
            if self.end[0] == "close":
                if (end[2] or "") != self.end[2]:
                    return f"close reason {end[2]!r}, expected {self.end[2]!r}"
                if state not in CLOSE_RECEIVED:
                    return f"state {state} behind a received close"
            if self.end[0] == "eof" and state is not ConnectionState.CLOSED:
                return f"state {state} at the end of the stream"
        if self.partial != ("any",) and seen.partial != self.partial:
            return f"unfinished {brief(seen.partial)}, expected {brief(self.partial)}"
        return None


def _partial(kind: str, payload: Any) -> Item:
    return kind, payload_text(payload) if kind == "text" else payload_bytes(payload)


def _code(end: Item) -> int:
    return 1006 if end[0] == "eof" else int(end[1])


def brief(value: object, limit: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def take(connection: Connection, seen: Transcript) -> None:
    """Move all pending events into the transcript."""
    for event in connection.events():
        seen.add(event)
