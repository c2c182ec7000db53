"""Runs the cases of `ws13.testing.cases` against ends of ws13 in memory, which echo."""

from __future__ import annotations

from ws13 import Config, ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from ws13.extensions import PerMessageDeflate
from ws13.testing import Judge, Role, ping, read_head
from ws13.testing.cases import Case, Observed
from ws13.testing.cuts import Cut, whole
from ws13.testing.frames import Opcode
from ws13.testing.judge_handshake import judge_request, judge_response
from ws13.utilities import RemoteProtocolError

KEY = b"\x37\xfa\x21\x3d"
PROBE = b"still open?"


class Echo:
    """An end of ws13 that echoes, answers Ping and Close, and ends TCP when it is done."""

    def __init__(self, role: Role, deflate: bool, config: Config | None = None) -> None:
        self.role = role
        kind = ConnectionType.SERVER if role is Role.SERVER else ConnectionType.CLIENT
        self.connection = WSConnection(kind, config=config)
        self.extensions = [PerMessageDeflate()] if deflate else []
        self.sent = bytearray()
        self.ended = False
        self._parts: list[str] | list[bytes] = []
        if role is Role.CLIENT:
            self._send(Request("example.com", "/", extensions=self.extensions))

    def _send(self, event: Event) -> None:
        self.sent += self.connection.send(event)

    def receive(self, data: bytes | None) -> None:
        """Take bytes, and answer."""
        if self.ended:
            return
        try:
            self.connection.receive_data(data)
            for event in self.connection.events():
                self._take(event)
        except RemoteProtocolError as error:
            if self.role is Role.SERVER and data is not None and error.event_hint is not None:
                self._send(error.event_hint)
            self.ended = True
        self.ended |= data is None

    def _take(self, event: Event) -> None:
        state = self.connection.state
        if isinstance(event, Request):
            self._send(AcceptConnection(extensions=self.extensions))
        elif isinstance(event, Message):
            self._parts.append(event.data)
            if event.message_finished:
                kind = TextMessage if isinstance(event, TextMessage) else BytesMessage
                self._send(kind(data=event.data[:0].join(self._parts)))
                self._parts = []
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            if state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
                self._send(event.response())
            self.ended = True
        elif isinstance(event, (RejectConnection, RejectData)):
            self.ended = True


def run(case: Case, role: Role, cut: Cut = whole, config: Config | None = None) -> Observed:
    """What ws13 does about the case, asserting that all it sends is right."""
    end = Echo(role, case.extension is not None or case.chapter == "negotiation", config)
    observed = Observed()
    if role is Role.SERVER:
        asked = bytes(case.request())
    else:
        asked = bytes(end.sent)
        assert judge_request(asked) == []
    head = read_head(asked)
    if role is Role.SERVER:
        for piece in cut(asked):
            end.receive(piece)
    else:
        assert head is not None
        (key,) = head.values("sec-websocket-key")
        for piece in cut(case.response(key)):
            end.receive(piece)
    begin = 0 if role is Role.SERVER else len(asked)
    extension = None if case.opening is not None else case.extension
    if role is Role.SERVER and end.sent:
        observed.answer = read_head(bytes(end.sent))
        assert observed.answer is not None
        assert judge_response(asked, bytes(end.sent)) == []
        begin = observed.answer.size
        extension = ", ".join(observed.answer.values("sec-websocket-extensions"))
    opened = end.connection.state is not ConnectionState.CONNECTING
    assert opened or not case.sends or case.opening is not None, f"{case.id}: not opened"
    for data in case.data(role, KEY):
        for piece in cut(data):
            end.receive(piece)
    if case.eof:
        end.receive(None)
    elif opened:
        probe = ping(PROBE)
        end.receive(bytes(probe.masked(KEY) if role is Role.SERVER else probe))
    judge = Judge(role, extension)
    frames = judge.take(bytes(end.sent[begin:])) if observed.answer is None or opened else []
    assert judge.findings == []
    observed.messages = judge.messages
    observed.close_code = judge.close_code
    observed.reason = judge.close_reason
    observed.ended = end.ended
    observed.pongs = [frame.payload for frame in frames if frame.opcode == Opcode.PONG]
    if PROBE in observed.pongs:
        observed.pongs.remove(PROBE)
        observed.alive = True
    return observed
