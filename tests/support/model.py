"""An executable model of RFC 6455 section 7: one end of a connection, its calls and its states."""

from __future__ import annotations

from support.frames import Frame
from support.reference import Item, Reader
from ws13.connection import Connection, ConnectionState, ConnectionType
from ws13.events import BytesMessage, CloseConnection, Event, Message, Ping, Pong, TextMessage

OPEN = ConnectionState.OPEN
REMOTE_CLOSING = ConnectionState.REMOTE_CLOSING
LOCAL_CLOSING = ConnectionState.LOCAL_CLOSING
CLOSED = ConnectionState.CLOSED

SURPRISE: Item = ("close", 1006, None)
USABLE = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
SUBSTITUTED = {1006, 1015}


class RefusedError(Exception):
    """The model refuses the call: nothing is written and nothing changes."""


def connection_type(role: str) -> ConnectionType:
    return ConnectionType[role.upper()]


def opened(role: str) -> Connection:
    return Connection(connection_type(role))


def item(event: Event) -> Item:
    """An event in the words of the model; the text of a failure is not predicted."""
    if isinstance(event, Message):
        kind = "text" if isinstance(event, TextMessage) else "binary"
        wanted = str if kind == "text" else bytes
        assert type(event.data) is wanted, event
        return (kind, event.data, event.frame_finished, event.message_finished)
    if isinstance(event, (Ping, Pong)):
        assert type(event.payload) is bytes, event
        return ("ping" if isinstance(event, Ping) else "pong", event.payload)
    assert type(event) is CloseConnection, event
    return ("close", int(event.code), event.reason)


def same(predicted: Item | None, seen: Item | None) -> bool:
    """Whether an event is the predicted one; of a failure only the close code is known."""
    if predicted is not None and predicted[0] == "fail":
        return seen is not None and seen[:2] == ("close", predicted[1]) and bool(seen[2])
    return predicted == seen


class Model:
    def __init__(self, role: str) -> None:
        self.state = OPEN
        self.failed = False  # the peer broke a rule
        self.reader = Reader(role)
        self.eof = False  # received, and events before it are not all taken
        self.surprise = False  # the 1006 is waiting
        self.drained = False  # events() has run to its end in CLOSED
        self.outgoing: str | None = None  # kind of the message that is being sent

    @property
    def receiving(self) -> bool:
        return self.state in (OPEN, LOCAL_CLOSING) and not self.failed

    # Receiving

    def receive(self, data: bytes) -> None:
        if self.state is CLOSED:
            if not self.drained:
                raise RefusedError
        elif self.receiving:
            self.reader.receive(data)

    def receive_eof(self) -> None:
        if self.state is CLOSED:
            return
        self.eof = True
        if not (self.receiving and self.reader.pending):
            self.surprise = self._end()

    def _end(self) -> bool:
        """The stream has ended; tells whether that came without a close frame or a failure."""
        self.eof = False
        surprised = self.receiving
        self.state = CLOSED
        return surprised

    def take(self) -> Item | None:
        """The next event; None when the iteration ends."""
        if self.surprise:
            self.surprise = False
            return SURPRISE
        if self.receiving and (got := self.reader.take()) is not None:
            if got[0] == "fail":
                self.failed = True
            elif got[0] == "close":
                self.state = CLOSED if self.state is LOCAL_CLOSING else REMOTE_CLOSING
            return got
        if self.eof and self._end():
            return SURPRISE
        self.drained = self.drained or self.failed or self.state in (CLOSED, REMOTE_CLOSING)
        return None

    # Sending

    def send(self, event: Event) -> Frame:
        """The frame that goes out, unmasked."""
        if isinstance(event, CloseConnection):
            return self._close(int(event.code), event.reason or "")
        if self.state is not OPEN or self.failed:
            raise RefusedError
        if isinstance(event, (TextMessage, BytesMessage)):
            return self._message(event)
        if isinstance(event, (Ping, Pong)) and len(event.payload) <= 125:
            return Frame(9 if isinstance(event, Ping) else 10, event.payload)
        raise RefusedError

    def _message(self, event: TextMessage | BytesMessage) -> Frame:
        kind = "text" if isinstance(event, TextMessage) else "binary"
        if self.outgoing not in (None, kind):
            raise RefusedError
        opcode = 0 if self.outgoing else {"text": 1, "binary": 2}[kind]
        data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        self.outgoing = None if event.message_finished else kind
        return Frame(opcode, data, event.message_finished)

    def _close(self, code: int, reason: str) -> Frame:
        if self.state not in (OPEN, REMOTE_CLOSING):
            raise RefusedError
        if code == 1005 and not reason:
            body = b""
        elif code in USABLE | SUBSTITUTED:
            sent = 1000 if code in SUBSTITUTED else code
            body = sent.to_bytes(2, "big") + reason.encode()[:123].decode(errors="ignore").encode()
        else:
            raise RefusedError
        self.state = CLOSED if self.state is REMOTE_CLOSING else LOCAL_CLOSING
        return Frame(8, body)
