"""What an endpoint did, and which of the allowed outcomes that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ws13.testing.cases.case import (
    Accepts,
    Case,
    Drops,
    Echoes,
    Outcome,
    Refuses,
)
from ws13.testing.heads import ReceivedHead


@dataclass
class Observed:
    """What whoever runs a case saw of the endpoint under test."""

    #: The head of a server's final answer; None: there was none, or the endpoint is a client.
    answer: ReceivedHead | None = None
    #: The whole messages that came.
    messages: list[str | bytes] = field(default_factory=list[str | bytes])
    #: The payloads of the Pongs that came, but for the one to the runner's own Ping.
    pongs: list[bytes] = field(default_factory=list[bytes])
    #: The code of the Close frame, 1005 for an empty one; None: none came.
    close_code: int | None = None
    reason: str = ""
    #: TCP ended from the endpoint's side; of a client, also that it waits for us to end it behind
    #: its Close frame.
    ended: bool = False
    #: A Ping that the runner sent behind the case was answered.
    alive: bool = False
    #: The endpoint echoes messages; False: messages are not compared.
    echoing: bool = True


def outcome_of(case: Case, observed: Observed) -> Outcome | None:
    """The first one of the outcomes that the case allows and that was seen; None: it is wrong."""
    return next((one for one in case.allowed if is_outcome(one, observed)), None)


def is_outcome(outcome: Outcome, observed: Observed) -> bool:
    """Whether this is what was seen."""
    answer = observed.answer
    status = 0 if answer is None else answer.status or 0
    if isinstance(outcome, Accepts):
        return status == 101 and _has(answer, outcome.fields)
    if isinstance(outcome, Refuses):
        if answer is None:
            return 0 in outcome.statuses and observed.ended
        return (
            status != 101
            and (not outcome.statuses or status in outcome.statuses)
            and _has(answer, outcome.fields)
        )
    if answer is not None and status != 101:
        return False
    if isinstance(outcome, Echoes):
        if observed.ended or observed.close_code is not None or not observed.alive:
            return False
        same = not observed.echoing or observed.messages == list(outcome.messages)
        return same and _answered(outcome.pongs, observed.pongs)
    if not observed.ended or not _begins(outcome.messages, observed):
        return False
    if isinstance(outcome, Drops):
        return observed.close_code is None
    return (
        observed.close_code is not None
        and (not outcome.codes or observed.close_code in outcome.codes)
        and (not outcome.reasons or observed.reason in outcome.reasons)
    )


def _has(answer: ReceivedHead | None, fields: Sequence[tuple[str, str | None]]) -> bool:
    return all(
        not answer.values(name.lower()) if value is None else value in answer.elements(name.lower())
        for name, value in fields
        if answer is not None
    )


def _begins(messages: Sequence[str | bytes], observed: Observed) -> bool:
    """Whether what came are the first ones of these messages."""
    seen = observed.messages
    return not observed.echoing or seen == list(messages[: len(seen)])


def _answered(pings: Sequence[bytes], pongs: Sequence[bytes]) -> bool:
    """Whether the Pongs are answers in order, the last Ping's among them.

    Others may be left out, and Pongs that nobody asked for may come (RFC 6455 §5.5.3).
    """
    left = iter(pings)
    answers = [pong for pong in pongs if pong in pings]
    return answers[-1:] == list(pings[-1:]) and all(pong in left for pong in answers)
