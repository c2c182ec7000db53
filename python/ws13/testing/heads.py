"""Reads the head of a request or response as strictly as RFC 9112 says how it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ws13.testing.findings import Finding

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REQUEST_LINE = re.compile(rb"(\S+) (\S+) (HTTP/\d\.\d)")
_STATUS_LINE = re.compile(rb"(HTTP/\d\.\d) (\d{3}) [\t\x20-\x7e\x80-\xff]*")
#: Any control character but HTAB (RFC 9110 §5.5).
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass
class ReceivedHead:
    """A head that came in, read as far as it can be."""

    start_line: bytes
    #: Names in lower case, and values without white space around them.
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    #: The bytes that it takes, the empty line included.
    size: int = 0
    #: What is wrong with its form.
    findings: list[Finding] = field(default_factory=list[Finding])

    def values(self, name: str) -> list[str]:
        """The values of all lines of this field, its name in lower case; latin-1."""
        return [value for one, value in self.fields if one == name]

    def elements(self, name: str) -> list[str]:
        """The elements of a list that may stand in several lines (RFC 9110 §5.6.1)."""
        values = ",".join(self.values(name)).split(",")
        return [one for value in values if (one := value.strip(" \t"))]

    def has_token(self, name: str, token: str) -> bool:
        """Whether this token, in any case, is an element of the list."""
        return token in (one.lower() for one in self.elements(name))

    @property
    def status(self) -> int | None:
        """The status code; None of what is no response."""
        match = _STATUS_LINE.fullmatch(self.start_line)
        return None if match is None else int(match[2])

    @property
    def request(self) -> tuple[str, str, str] | None:
        """Method, target and version; None of what is no request."""
        match = _REQUEST_LINE.fullmatch(self.start_line)
        return None if match is None else (_str(match[1]), _str(match[2]), _str(match[3]))


def read_head(data: bytes, start: int = 0) -> ReceivedHead | None:
    """The head that begins there; None before its empty line has come."""
    head: ReceivedHead | None = None
    early: list[Finding] = []
    first = start
    # Values in pieces, since a folded line adds to the one before.
    fields: list[tuple[str, list[str]]] = []
    at = start
    while (end := data.find(b"\n", at)) >= 0:
        line = data[at:end]
        where, at = at, end + 1
        if head is None:
            if line in (b"\r", b""):
                early.append(Finding("RFC 9112 §2.2", "an empty line before the head", where))
                first = at
                continue
            head = ReceivedHead(line.removesuffix(b"\r"), findings=early)
        if not line.endswith(b"\r"):
            head.findings.append(Finding("RFC 9112 §2.2", "a line ends with LF alone", where))
        line = line.removesuffix(b"\r")
        if _CONTROL.search(line):
            sentence = "a control character in a line of the head"
            head.findings.append(Finding("RFC 9110 §5.5", sentence, where))
        if where == first:
            continue
        if not line:
            head.size = at - start
            head.fields = [(name, " ".join(parts)) for name, parts in fields]
            return head
        wrong = _read_field(fields, line)
        if wrong is not None:
            head.findings.append(Finding(*wrong, where))
    return None


def _read_field(fields: list[tuple[str, list[str]]], line: bytes) -> tuple[str, str] | None:
    """Add a field line (RFC 9112 §5); the section of the rule that it breaks, and how."""
    if line[:1] in b" \t":
        if fields:
            fields[-1][1].append(_str(line.strip(b" \t")))
        return "RFC 9112 §5.2", "a line is folded"
    name, colon, value = line.partition(b":")
    if not colon:
        return "RFC 9112 §5", "a field line without a colon"
    fields.append((_str(name.strip(b" \t")).lower(), [_str(value.strip(b" \t"))]))
    if name != name.rstrip(b" \t"):
        return "RFC 9112 §5.1", "white space between a field's name and the colon"
    if _TOKEN.fullmatch(name) is None:
        return "RFC 9110 §5.1", "the name of a field is no token"
    return None


def is_token(text: str) -> bool:
    """RFC 9110 §5.6.2."""
    return text.isascii() and _TOKEN.fullmatch(text.encode()) is not None


def _str(data: bytes) -> str:
    return data.decode("latin-1")
