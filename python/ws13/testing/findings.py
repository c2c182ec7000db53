"""What a judge finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A rule that a peer broke."""

    #: The rule's section, such as ``RFC 6455 §5.1``.
    section: str
    #: What the peer did.
    sentence: str
    #: Where: the bytes before the frame or the line, counted from the first byte that was taken.
    offset: int
    #: False: a SHOULD, or what is odd and forbidden nowhere.
    must: bool = True

    def __str__(self) -> str:
        return f"{self.section}, byte {self.offset}: {self.sentence}"
