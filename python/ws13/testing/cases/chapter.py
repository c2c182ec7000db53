"""What the chapters are written with: their cases in order, and the outcomes that many share."""

from __future__ import annotations

from ws13.testing.cases.case import (
    Accepts,
    Answer,
    Case,
    Closes,
    Drops,
    Echoes,
    Outcome,
    Refuses,
)
from ws13.testing.frames import Frame
from ws13.testing.handshakes import RequestHead
from ws13.testing.roles import Role

BOTH = frozenset(Role)
SERVERS = frozenset({Role.SERVER})
CLIENTS = frozenset({Role.CLIENT})

#: The server does not open the connection: with 400, with another status, or by ending TCP.
REFUSED: tuple[Outcome, ...] = (Refuses((400,)), Refuses(), Refuses((0,)))
#: Both is right.
ACCEPTED_OR_REFUSED: tuple[Outcome, ...] = (Accepts(), *REFUSED)
#: The client does not open the connection.
DROPPED: tuple[Outcome, ...] = (Drops(), Closes())


def fails(code: int, *messages: str | bytes) -> tuple[Outcome, ...]:
    """The endpoint fails the WebSocket connection (RFC 6455 §7.1.7), best with this code.

    An "appropriate" code is a SHOULD, and so is the Close frame. The messages came before.
    """
    return (Closes((code,), messages=messages), Drops(messages), Closes(messages=messages))


def echoes_or_1009(*messages: str | bytes) -> tuple[Outcome, ...]:
    """The messages come back, or are beyond a limit of the endpoint's (RFC 6455 §10.4)."""
    return (Echoes(messages), *fails(1009))


def fails_on_close(code: int, *messages: str | bytes) -> tuple[Outcome, ...]:
    """A Close frame that breaks a rule: what answers it like any other is not told apart."""
    others = tuple(one for one in (1002, 1007, 1003, 1008, 1009, 1011) if one != code)
    return (Closes((code,), messages=messages), Drops(messages), Closes(others, messages=messages))


def tolerates(code: int, outcome: Outcome, *messages: str | bytes) -> tuple[Outcome, ...]:
    """A sender's rule whose breach the RFC does not tell a receiver to fail for."""
    return (*fails(code, *messages), outcome)


def closes(code: int, *messages: str | bytes) -> tuple[Outcome, ...]:
    """The endpoint answers a Close frame, "typically" with its code (RFC 6455 §5.5.1)."""
    return (Closes((code,), messages=messages), Closes(messages=messages))


class Chapter:
    """Collects the cases of one chapter."""

    def __init__(self, name: str, extension: str | None = None) -> None:
        self.name = name
        #: That of all cases that do not name another.
        self.extension = extension
        self.cases: list[Case] = []

    def add(
        self,
        slug: str,
        section: str,
        title: str,
        *sends: Frame | bytes,
        allowed: tuple[Outcome, ...] | Outcome,
        roles: frozenset[Role] = BOTH,
        opening: RequestHead | Answer | None = None,
        extension: str | None = None,
        eof: bool = False,
        must: bool = True,
        needs_context: bool = False,
    ) -> None:
        """One more case; the arguments are the fields of `Case`."""
        self.cases.append(
            Case(
                f"{self.name}/{slug}",
                section,
                title,
                roles,
                sends,
                allowed if isinstance(allowed, tuple) else (allowed,),
                opening,
                extension or self.extension,
                eof,
                must,
                needs_context,
            )
        )

    def request(
        self,
        slug: str,
        section: str,
        title: str,
        opening: RequestHead,
        allowed: tuple[Outcome, ...] | Outcome,
        *,
        must: bool = True,
    ) -> None:
        """One more case: a request to a server under test."""
        self.add(slug, section, title, allowed=allowed, roles=SERVERS, opening=opening, must=must)
