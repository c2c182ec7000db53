"""Whether what an endpoint did is one of the outcomes that a case allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ws13.testing import Finding, ReceivedHead
from ws13.testing.cases import Accepts, Closes, Drops, Echoes, Outcome, Refuses

from .exchange import Exchange
from .mutations import ID
from .wire import Ending
from .words import came, wanted


class Verdict(Enum):
    """How a case went."""

    RIGHT = "right"  # the best outcome
    ALLOWED = "allowed"  # another one that the RFCs allow
    SKIPPED = "skipped"
    REMARK = "remark"  # a SHOULD, or what nothing forbids and few expect
    VIOLATION = "violation"


@dataclass(frozen=True)
class Opinion:
    """A verdict, and why."""

    verdict: Verdict
    section: str
    sentence: str


def judge(exchange: Exchange) -> list[Opinion]:
    """What is to be said of an exchange, the gravest first."""
    case = exchange.case
    if exchange.skipped is not None:
        return [Opinion(Verdict.SKIPPED, case.section, exchange.skipped)]
    broken = _broken(exchange)
    for i, outcome in enumerate(case.allowed):
        if is_outcome(outcome, exchange):
            verdict = Verdict.ALLOWED if i else Verdict.RIGHT
            return [*broken, Opinion(verdict, case.section, came(exchange))]
    # Of a random case that leaves it open there is nothing to be learnt.
    otherwise = Verdict.ALLOWED if ID.fullmatch(case.id) else Verdict.REMARK
    verdict = Verdict.VIOLATION if case.must else otherwise
    sentence = f"{came(exchange)}; allowed: {wanted(case.allowed)}"
    opinion = Opinion(verdict, case.section, sentence)
    # What a wrong answer says is wrong, too, as a rule.
    return [opinion] if verdict is Verdict.VIOLATION else [*broken, opinion]


def _broken(exchange: Exchange) -> list[Opinion]:
    """Rules for what may be sent that the endpoint broke, each once."""
    findings: list[Finding] = list(exchange.handshake_findings)
    if exchange.judge is not None:
        findings += exchange.judge.violations
    told = dict.fromkeys((f.section, f.sentence) for f in findings if f.must)
    return [
        Opinion(Verdict.VIOLATION, section, f"{came(exchange)}; of the endpoint: {sentence}")
        for section, sentence in told
    ]


def is_outcome(outcome: Outcome, exchange: Exchange) -> bool:
    """Whether the exchange is this outcome."""
    match outcome:
        case Echoes():
            return (
                exchange.is_probed
                and exchange.close is None
                and (not exchange.echoes or exchange.messages == list(outcome.messages))
                and are_answers(exchange.pongs, outcome.pongs)
            )
        case Closes():
            return (
                exchange.close is not None
                and exchange.ending is not Ending.OPEN
                and has_code(exchange, outcome)
                and is_prefix(exchange, outcome.messages)
            )
        case Drops():
            return (
                exchange.ending is not Ending.OPEN
                and exchange.close is None
                and is_prefix(exchange, outcome.messages)
            )
        case Accepts():
            return exchange.status == 101 and has_fields(exchange.response, outcome.fields)
        case Refuses():
            if exchange.status is None:
                return 0 in outcome.statuses and exchange.ending is not Ending.OPEN
            return (
                exchange.status != 101
                and (not outcome.statuses or exchange.status in outcome.statuses)
                and has_fields(exchange.response, outcome.fields)
            )


def are_answers(pongs: Sequence[bytes], pings: Sequence[bytes]) -> bool:
    """Whether the last Ping was answered, and of the others as many as the endpoint liked.

    Pongs that nobody asked for may come at any time (RFC 6455 §5.5.3).
    """
    if not pings:
        return True
    rest = iter(pings)
    answers = [pong for pong in pongs if pong in pings]
    return answers[-1:] == [pings[-1]] and all(pong in rest for pong in answers)


def has_code(exchange: Exchange, outcome: Closes) -> bool:
    """Whether code and reason of the Close frame are among those of the outcome."""
    close = exchange.close
    if close is None:
        return False
    code = int.from_bytes(close.payload[:2], "big") if close.payload else 1005
    reason = close.payload[2:].decode(errors="replace")
    return (not outcome.codes or code in outcome.codes) and (
        not outcome.reasons or reason in outcome.reasons
    )


def is_prefix(exchange: Exchange, messages: Sequence[str | bytes]) -> bool:
    """Whether nothing but the beginning of these messages was echoed."""
    count = len(exchange.messages)
    return not exchange.echoes or exchange.messages == list(messages[:count])


def has_fields(head: ReceivedHead | None, fields: Sequence[tuple[str, str | None]]) -> bool:
    """Whether the fields are there with these values, or, for None, are not there."""
    if head is None:
        return not fields
    for name, value in fields:
        values = head.values(name.lower())
        if (", ".join(values) if values else None) != value:
            return False
    return True
