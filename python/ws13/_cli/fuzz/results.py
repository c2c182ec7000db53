"""What came of the cases."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ws13.testing import Role
from ws13.testing.cases import Case

from . import words
from .exchange import Exchange
from .verdict import Opinion, Verdict


@dataclass(frozen=True)
class Result:
    """A case, what is to be said of it, and the bytes that show it."""

    case: Case
    role: Role
    opinions: tuple[Opinion, ...]
    sent: bytes = b""
    received: bytes = b""
    #: How long it took, in seconds.
    seconds: float = 0.0

    @classmethod
    def of(cls, exchange: Exchange, opinions: list[Opinion]) -> Result:
        """What is kept of an exchange."""
        return cls(
            exchange.case,
            exchange.role,
            tuple(opinions),
            exchange.sent,
            exchange.received,
            exchange.seconds,
        )

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict."""
        return self.opinions[0].verdict

    @property
    def is_found(self) -> bool:
        """Whether there is something to be told."""
        return self.verdict in (Verdict.VIOLATION, Verdict.REMARK)

    def lines(self) -> list[str]:
        """What is to be told, a line for each finding."""
        return [
            f"{opinion.verdict.value.upper()} {self.case.id} ({opinion.section}): "
            f"{self.case.title} Sent: {words.sent(self.case, self.role)}. "
            f"Came: {opinion.sentence}."
            for opinion in self.opinions
            if opinion.verdict in (Verdict.VIOLATION, Verdict.REMARK)
        ]


@dataclass
class Report:
    """All results of a run."""

    #: The URL that was tested, or where clients were waited for.
    endpoint: str
    role: Role
    seed: int
    #: Whether the endpoint echoes messages; None: nobody could tell.
    echoes: bool | None = None
    results: list[Result] = field(default_factory=list[Result])
    #: Cases that were not begun.
    left: int = 0
    #: Why it ended early.
    stopped: str | None = None
    seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """How many cases have each verdict."""
        counter = Counter(result.verdict for result in self.results)
        return {verdict.value: counter[verdict] for verdict in Verdict}

    @property
    def found(self) -> list[Result]:
        """Those with something to be told, the violations first."""
        found = [result for result in self.results if result.is_found]
        return sorted(found, key=lambda result: result.verdict is not Verdict.VIOLATION)

    @property
    def status(self) -> int:
        """The exit status."""
        if self.counts()["violation"]:
            return 1
        return 2 if self.stopped else 0

    def summary(self) -> str:
        """The counts in words."""
        told = ", ".join(f"{count} {name}" for name, count in self.counts().items() if count)
        words = f"{len(self.results)} cases in {self.seconds:.1f} s: {told or 'none'}"
        return words + (f"; {self.left} not begun" if self.left else "")
