"""What a case is: what is sent to an endpoint under test, and what it may do about it.

The endpoint is expected to echo messages, as test suites for WebSocket do; of one that does not
echo, messages are not compared. What is allowed is derived from the RFCs, not from any library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ws13.testing.frames import Frame
from ws13.testing.handshakes import SAMPLE_KEY, RequestHead, ResponseHead, request, response
from ws13.testing.roles import Role

#: What `opening` has instead of another value: the runner puts its own there.
HOST = "example.com"
TARGET = "/"

#: The answer to a client under test, made of its Sec-WebSocket-Key; `bytes()` of it is sent.
Answer = Callable[[str], "ResponseHead | bytes"]


@dataclass(frozen=True)
class Echoes:
    """The opening handshake succeeds and the connection stays open.

    That it is open shows in the Pong to a Ping that the runner sends behind the case.
    """

    #: The messages that come back, in order; of an endpoint that does not echo: none.
    messages: tuple[str | bytes, ...] = ()
    #: The payloads of the Pongs that come; all but the last may be left out, when another Ping
    #: came before they were sent (RFC 6455 §5.5.3).
    pongs: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Closes:
    """The endpoint sends a Close frame, and TCP ends.

    A server ends TCP itself; a client may wait until its peer does (RFC 6455 §7.1.1).
    """

    #: The Close frame has one of these codes (1005: it is empty); empty: any code, or none.
    codes: tuple[int, ...] = ()
    #: The reason is one of these; empty: any, or none.
    reasons: tuple[str, ...] = ()
    #: Messages that were whole before, of which any number from the first may be echoed.
    messages: tuple[str | bytes, ...] = ()


@dataclass(frozen=True)
class Drops:
    """TCP ends without a Close frame; where one is due, §7.1.7 says SHOULD.

    Of a client under test that does not accept the answer: TCP ends, and no frame was sent.
    """

    #: As in `Closes`.
    messages: tuple[str | bytes, ...] = ()


@dataclass(frozen=True)
class Accepts:
    """A server under test answers with 101."""

    #: Names of fields of the answer, and what is among the elements of their lists; None: there is
    #: no such field. Names are compared without case, values with it, several lines as one list.
    fields: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True)
class Refuses:
    """A server under test answers with another status than 101, or ends TCP if 0 is among them."""

    #: One of these status codes; empty: any but 101, and TCP does not end without one.
    statuses: tuple[int, ...] = ()
    #: As in `Accepts`.
    fields: tuple[tuple[str, str | None], ...] = ()


Outcome = Echoes | Closes | Drops | Accepts | Refuses


@dataclass(frozen=True)
class Case:
    """One thing to send to an endpoint under test, and every outcome that is right."""

    #: Chapter and slug, such as ``frames/reserved-bit-1``: unique, and stays as it is.
    id: str
    #: The section that decides, such as ``RFC 6455 §5.2``.
    section: str
    #: What is sent, in a sentence.
    title: str
    #: The endpoints that it can be aimed at.
    roles: frozenset[Role]
    #: What is sent when the connection is open, in order. A `Frame` without a masking key is masked
    #: when it goes to a server; bytes go as they are.
    sends: tuple[Frame | bytes, ...]
    #: Any of these outcomes is right; the first one is the best.
    allowed: tuple[Outcome, ...]
    #: Sent instead of a legal opening handshake: the request to a server under test, or what makes
    #: the answer to a client. In a request, the host `HOST` and the target `TARGET` stand for the
    #: runner's own; `request()` puts them in.
    opening: RequestHead | Answer | None = None
    #: The extension that is offered to a server, or answered to a client, in a legal opening
    #: handshake. The case is skipped when the server does not agree to it, and when the client did
    #: not offer it or asked for a parameter that is not named here.
    extension: str | None = None
    #: Our side of TCP ends behind it.
    eof: bool = False
    #: False: the RFC says SHOULD, or binds the sender alone; another outcome is worth a remark, and
    #: is no violation.
    must: bool = True
    #: What is sent refers to earlier messages: skipped, too, when a server agreed to
    #: ``client_no_context_takeover`` or ``client_max_window_bits``.
    needs_context: bool = False

    @property
    def chapter(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]

    def request(
        self, host: str = HOST, target: str = TARGET, *, key: str = SAMPLE_KEY
    ) -> RequestHead:
        """The opening handshake for a server under test, at this host and target.

        Raises `ValueError` when the case is for clients alone.
        """
        if Role.SERVER not in self.roles:
            raise ValueError(f"{self.id} is not for servers")
        if not isinstance(self.opening, RequestHead):
            offered = () if self.extension is None else (self.extension,)
            return request(host, target, key=key, extensions=offered)
        head = self.opening
        fields = tuple(
            (name, host if value == HOST and str(name).lower() == "host" else value)
            for name, value in head.fields
        )
        start_line = head.start_line
        if isinstance(start_line, str):
            start_line = start_line.replace(f" {TARGET} ", f" {target} ")
        return replace(
            head,
            target=target if head.target == TARGET else head.target,
            fields=fields,
            start_line=start_line,
        )

    def response(self, key: str) -> bytes:
        """The answer to a client under test whose Sec-WebSocket-Key is this one.

        Raises `ValueError` when the case is for servers alone.
        """
        if Role.CLIENT not in self.roles:
            raise ValueError(f"{self.id} is not for clients")
        if callable(self.opening):
            return bytes(self.opening(key))
        answered = () if self.extension is None else (self.extension,)
        return bytes(response(key, extensions=answered))

    def data(self, role: Role, masking_key: bytes = b"\x37\xfa\x21\x3d") -> list[bytes]:
        """The bytes of `sends` for an endpoint under test of this role, item by item."""
        return [
            bytes(
                item.masked(masking_key)
                if isinstance(item, Frame) and role is Role.SERVER and item.masking_key is None
                else item
            )
            for item in self.sends
        ]
