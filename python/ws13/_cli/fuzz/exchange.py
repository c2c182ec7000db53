"""What was said on one connection, read as it comes in."""

from __future__ import annotations

from dataclasses import dataclass, field

from ws13.testing import Finding, Frame, Judge, Opcode, ReceivedHead, Role
from ws13.testing.cases import Case, Observed

from .wire import Ending

#: The payload of the Ping behind a case, whose Pong shows that the connection is open.
PROBE = b"ws13: still there?"


@dataclass
class Exchange:
    """A case, and what the endpoint did."""

    case: Case
    #: Of the endpoint.
    role: Role
    #: Whether it echoes messages.
    echoes: bool
    #: The heads of the opening handshake; None: none has come whole.
    request: ReceivedHead | None = None
    response: ReceivedHead | None = None
    #: Everything that was sent to the endpoint, and everything that came from it.
    sent: bytes = b""
    received: bytes = b""
    #: What is wrong with the endpoint's part of the opening handshake.
    handshake_findings: list[Finding] = field(default_factory=list[Finding])
    #: Reads what comes behind the opening handshake; None while nothing may.
    judge: Judge | None = None
    frames: list[Frame] = field(default_factory=list[Frame])
    ending: Ending = Ending.OPEN
    #: Waiting for something decisive was in vain.
    timed_out: bool = False
    #: It sent more than anything asked for.
    is_flooded: bool = False
    #: How long that took, in seconds.
    seconds: float = 0.0
    #: Why the case does not apply to the endpoint.
    skipped: str | None = None

    def take(self, data: bytes) -> None:
        """Take bytes that came behind the opening handshake."""
        if self.role is Role.CLIENT and not self.frames and data.startswith(b"GET "):
            # A client that takes the answer for a refusal asks again on the same connection.
            self.judge = None
        if self.judge is not None:
            self.frames += self.judge.take(data)

    @property
    def status(self) -> int | None:
        """The status code of the answer to the request."""
        return None if self.response is None else self.response.status

    @property
    def messages(self) -> list[str | bytes]:
        """The whole messages that came."""
        return [] if self.judge is None else self.judge.messages

    @property
    def close(self) -> Frame | None:
        """The first Close frame that came."""
        return next((frame for frame in self.frames if frame.opcode == Opcode.CLOSE), None)

    @property
    def is_probed(self) -> bool:
        """Whether the connection was open behind everything that the case sent."""
        return any(f.opcode == Opcode.PONG and f.payload == PROBE for f in self.frames)

    @property
    def pongs(self) -> list[bytes]:
        """The payloads of the Pongs that came, without that of the probe."""
        return [f.payload for f in self.frames if f.opcode == Opcode.PONG and f.payload != PROBE]

    def observed(self) -> Observed:
        """What the outcomes of a case are compared with."""
        judge = self.judge
        takes_any = self.role is Role.CLIENT and self.case.eof and self.is_probed
        return Observed(
            answer=self.response if self.role is Role.SERVER else None,
            messages=self.messages,
            pongs=self.pongs,
            close_code=None if judge is None else judge.close_code,
            reason="" if judge is None else judge.close_reason,
            ended=self.ending is not Ending.OPEN and not takes_any,
            alive=self.is_probed,
            echoing=self.echoes,
        )
