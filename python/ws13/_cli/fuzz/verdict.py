"""Whether what an endpoint did is one of the outcomes that a case allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ws13.testing import Finding, Frame, Opcode, Role
from ws13.testing.cases import outcome_of
from ws13.testing.judge_handshake import NO_REQUEST

from .exchange import Exchange
from .mutations import ID
from .wire import MOST
from .words import as_frames, came, wanted


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
    if exchange.is_flooded:
        return [Opinion(Verdict.VIOLATION, "robustness", f"more than {MOST >> 20} MiB came")]
    sent = [] if exchange.judge is None else exchange.judge.violations
    # Whether the request deserved 101 the case says.
    answer = [f for f in exchange.handshake_findings if not f.sentence.startswith(NO_REQUEST)]
    outcome = outcome_of(case, exchange.observed())
    if outcome is not None:
        verdict = Verdict.RIGHT if outcome == case.allowed[0] else Verdict.ALLOWED
        broken = _broken(exchange, [*answer, *sent])
        return [*broken, Opinion(verdict, case.section, came(exchange))]
    if is_without_binary(exchange):
        sentence = f"{came(exchange)}: the endpoint takes no binary data"
        broken = _broken(exchange, [*answer, *sent])
        return [*broken, Opinion(Verdict.ALLOWED, "RFC 6455 §7.4.1", sentence)]
    # Of a random case that leaves it open there is nothing to be learnt.
    otherwise = Verdict.ALLOWED if ID.fullmatch(case.id) else Verdict.REMARK
    verdict = Verdict.VIOLATION if case.must else otherwise
    sentence = f"{came(exchange)}; allowed: {wanted(case.allowed)}"
    # An answer that is not allowed has findings as a rule, which say the same once more.
    same = case.must and exchange.role is Role.SERVER
    findings = sent if same else [*answer, *sent]
    return [*_broken(exchange, findings), Opinion(verdict, case.section, sentence)]


def is_without_binary(exchange: Exchange) -> bool:
    """Whether binary data was sent, and refused as data of that kind (RFC 6455 §7.4.1)."""
    is_sent = any(
        isinstance(one, Frame) and one.opcode == Opcode.BINARY
        for item in exchange.case.sends
        for one in as_frames(item, exchange.role)
    )
    return is_sent and exchange.judge is not None and exchange.judge.close_code == 1003


def _broken(exchange: Exchange, findings: list[Finding]) -> list[Opinion]:
    """Rules for what may be sent that the endpoint broke, each once."""
    told = dict.fromkeys((f.section, f.sentence) for f in findings if f.must)
    return [
        Opinion(Verdict.VIOLATION, section, f"{came(exchange)}; of the endpoint: {sentence}")
        for section, sentence in told
    ]
