"""A plan played on ws13, compared with what the model says."""

from __future__ import annotations

from typing import Any

from sessions.model import Model, UndecidedError, Verdict
from sessions.plan import Plan, plan_of
from sessions.receiver import Receiver
from support.negotiation import agreed, opened
from ws13 import Config, WSConnection
from ws13.connection import Connection, ConnectionState
from ws13.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    TextMessage,
)
from ws13.extensions import PerMessageDeflate
from ws13.utilities import LocalProtocolError

MAKERS: dict[str, Any] = {
    "text": TextMessage,
    "binary": BytesMessage,
    "ping": Ping,
    "pong": Pong,
}


class DifferenceError(AssertionError):
    """ws13 and the model do not agree."""


def check(condition: bool, *words: Any) -> None:
    if not condition:
        raise DifferenceError(" ".join(map(str, words)))


class Player:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        config = Config(**plan.config)
        self.whole = config.whole_messages
        self.piece = config.piece_size or 2**63
        text = plan.agreement.text if plan.agreement else None
        self.connection: Connection | WSConnection
        if text is None:
            self.connection = opened(plan.role, None, config)
        else:
            begin = opened if plan.http else agreed
            self.connection = begin(plan.role, text, config, PerMessageDeflate, **plan.options)
        self.receiver = Receiver(plan)
        self.items: list[tuple[Any, ...]] = []
        self.parts: list[Any] = []
        self.kind: str | None = None
        self.frames = 0  # events that end a frame
        self.end: tuple[int, str | None] | None = None

    def play(self) -> None:
        """All steps, the end of the stream, and a close of our own."""
        for name, value in self.plan.steps:
            if name == "feed":
                if self.connection.state is not ConnectionState.CLOSED:
                    self.connection.receive_data(value)
            elif name == "take":
                self._take(value)
            else:
                self._send(value)
        self._take(None)
        if self.plan.ends:
            self.connection.receive_data(None)
            self._take(None)
        elif self.connection.state is ConnectionState.OPEN:
            self.receiver.close(self.connection.send(CloseConnection(1000, "bye")))

    def _take(self, count: int | None) -> None:
        for event in self.connection.events():
            self._add(event)
            if count is not None:
                count -= 1
                if count == 0:
                    return

    def _add(self, event: Event) -> None:
        check(self.end is None, event, "behind the end")
        if isinstance(event, Message):
            self._add_piece(event)
        elif isinstance(event, (Ping, Pong)):
            self.items.append((type(event).__name__.lower(), event.payload))
        else:
            assert isinstance(event, CloseConnection), event
            self.end = (int(event.code), event.reason)

    def _add_piece(self, event: Message[Any]) -> None:
        kind = "text" if type(event) is TextMessage else "binary"
        check(self.kind in (None, kind), kind, "inside", self.kind)
        self.kind = kind
        self.parts.append(event.data)
        self.frames += event.frame_finished
        if self.whole:
            check(event.frame_finished and event.message_finished, event, "is not whole")
        if event.message_finished:
            check(event.frame_finished, event, "ends inside a frame")
            self.items.append((kind, event.data[:0].join(self.parts)))
            self.kind, self.parts = None, []

    def _send(self, send: Any) -> None:
        maker = MAKERS[send.kind]
        if send.kind in ("ping", "pong"):
            event = maker(send.data)
        else:
            event = maker(send.data, message_finished=send.fin)
        try:
            sent = self.connection.send(event, compress=send.compress)
        except LocalProtocolError:
            check(self.end is not None, send, "was refused")
        else:
            check(self.end is None, send, "was sent behind the end")
            self.receiver.take(send, sent)

    def compare(self, verdict: Verdict) -> None:
        check(self.items == verdict.items, f"{self.items} came, {verdict.items} must")
        self._compare_end(verdict.end)
        if not self.whole:
            check(self.frames == verdict.frames, f"{self.frames} frames, {verdict.frames} must")
        partial = self.parts[0][:0].join(self.parts) if self.parts else b""
        wanted = b"" if self.whole else verdict.partial or b""
        if verdict.more:
            # How much of a message that is broken off comes out is open.
            check(partial[: len(wanted)] == (wanted or partial[:0]), f"{partial!r}, not {wanted!r}")
        else:
            check((partial or b"") == wanted, f"{partial!r} came of the last one, not {wanted!r}")

    def _compare_end(self, end: tuple[Any, ...] | None) -> None:
        seen, state = self.end, self.connection.state
        words = f"ended with {seen} in {state}, {end} must"
        if end is None or seen is None:
            check(end is seen, words)
        elif end[0] == "close":
            check(seen == (end[1], end[2]), words)
        elif end[0] == "eof":
            check(seen == (1006, None), words)
        else:
            check(seen[0] == end[1] and bool(seen[1]), words)
        if self.plan.ends:
            check(state is ConnectionState.CLOSED, words)


def play(seed: int) -> bool:
    """Plays the session of this seed; False if its outcome is open. Raises what is wrong."""
    plan = plan_of(seed)
    player = Player(plan)
    player.play()
    try:
        verdict = Model(plan).run()
    except UndecidedError:
        return False
    player.compare(verdict)
    return True
