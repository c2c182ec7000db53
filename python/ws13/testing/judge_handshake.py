"""A judge of opening handshakes (RFC 6455 §4, RFC 7692 §7.1, RFC 9110, RFC 9112).

Bytes behind a head are not judged; `read_head()` tells where it ends.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable

from ws13.testing import extensions
from ws13.testing.extensions import DEFLATE, Offered
from ws13.testing.findings import Finding
from ws13.testing.handshakes import accept_for
from ws13.testing.heads import ReceivedHead, is_token, read_head

_HOST = re.compile(
    r"(?:\[(?P<literal>[^]]*)\]|(?:[0-9A-Za-z._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?"
)
_FUTURE = re.compile(r"[vV][0-9A-Fa-f]+\.[0-9A-Za-z._~!$&'()*+,;=:-]+")
_TARGETS = ("/", "http://", "https://", "ws://", "wss://")
#: Of 0 to 255, without leading zeros (RFC 6455 §4.3).
_VERSION_NUMBER = re.compile("[1-9]?[0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]")
#: How a finding begins that blames an answer for what the request was.
NO_REQUEST = "101 to a request that is none"
_EXTENSIONS = "sec-websocket-extensions"
_PROTOCOL = "sec-websocket-protocol"
_KEY = "sec-websocket-key"
_ACCEPT = "sec-websocket-accept"
_VERSION = "sec-websocket-version"


class _Findings:
    """Collects findings about a head as a whole."""

    def __init__(self, offset: int = 0) -> None:
        self.all: list[Finding] = []
        self.offset = offset

    def add(self, section: str, sentence: str, *, must: bool = True) -> None:
        self.all.append(Finding(section, sentence, self.offset, must))


def judge_request(data: bytes) -> list[Finding]:
    """Judge the opening handshake of a client, a whole head (RFC 6455 §4.1)."""
    head = read_head(data)
    if head is None:
        return [Finding("RFC 9112 §2.1", "the head of the request has no end", 0)]
    findings = _Findings()
    _judge_requirements(head, findings.add)
    target = "/" if head.request is None else head.request[1]
    if not target.startswith(_TARGETS) or "#" in target or not target.isascii():
        findings.add("RFC 6455 §3", f"the target {target!r} is no resource name")
    for name in (_KEY, _VERSION):
        if len(head.values(name)) > 1:
            findings.add("RFC 6455 §11.3", f"{len(head.values(name))} fields {name}")
    _judge_pad_bits(head, findings)
    subprotocols = head.elements(_PROTOCOL)
    if head.values(_PROTOCOL) and not subprotocols:
        findings.add("RFC 6455 §4.1", "a list of subprotocols without an element")
    if not all(is_token(one) for one in subprotocols):
        findings.add("RFC 6455 §4.1", "a subprotocol that is no token")
    if len(set(subprotocols)) < len(subprotocols):
        findings.add("RFC 6455 §4.1", "a subprotocol twice")
    if len(head.values(_PROTOCOL)) > 1:
        sentence = "Sec-WebSocket-Protocol in several lines"
        findings.add("RFC 6455 §11.3.4", sentence, must=False)
    for offer in _read_extensions(head, findings):
        wrong = extensions.wrong_with(offer, answer=False) if offer.name == DEFLATE else None
        if wrong is not None:
            findings.add("RFC 7692 §7.1", wrong)
    return head.findings + findings.all


def _judge_requirements(head: ReceivedHead, add: Callable[[str, str], None]) -> None:
    """What a server must find in a request before it accepts it (RFC 6455 §4.2.1)."""
    request = head.request
    if request is None:
        add("RFC 9112 §3", f"no request line: {head.start_line!r}")
    else:
        method, _, version = request
        if method != "GET":
            add("RFC 6455 §4.1", f"the method is {method!r}")
        if version < "HTTP/1.1":
            add("RFC 6455 §4.1", f"the version is {version}")
        elif not version.startswith("HTTP/1."):
            add("RFC 9112 §2.3", f"the version is {version}")
    hosts = head.values("host")
    if len(hosts) != 1:
        add("RFC 9112 §3.2", f"{len(hosts)} fields Host")
    elif not _is_host(hosts[0]):
        add("RFC 9112 §3.2", f"Host is no host: {hosts[0]!r}")
    if not head.has_token("upgrade", "websocket"):
        add("RFC 6455 §4.1", "Upgrade does not say websocket")
    if not head.has_token("connection", "upgrade"):
        add("RFC 6455 §4.1", "Connection does not say Upgrade")
    keys = head.values(_KEY)
    if not any(_decoded(key) for key in keys):
        add("RFC 6455 §4.1", f"Sec-WebSocket-Key is not 16 bytes in base64: {keys}")
    if "13" not in head.values(_VERSION):
        add("RFC 6455 §4.1", f"Sec-WebSocket-Version is {head.values(_VERSION)}")


def _is_host(value: str) -> bool:
    """uri-host [ ":" port ] (RFC 9110 §7.2, RFC 3986 §3.2.2)."""
    match = _HOST.fullmatch(value)
    if match is None or match["literal"] is None:
        return match is not None
    try:
        ipaddress.IPv6Address(match["literal"])
    except ValueError:
        return _FUTURE.fullmatch(match["literal"]) is not None
    return "%" not in match["literal"]


def _decoded(key: str) -> bytes | None:
    """The 16 bytes of a key; None if it is none."""
    try:
        nonce = base64.b64decode(key.encode("latin-1"), validate=True)
    except binascii.Error:
        return None
    return nonce if len(nonce) == 16 and len(key) == 24 else None


def _judge_pad_bits(head: ReceivedHead, findings: _Findings) -> None:
    for key in head.values(_KEY):
        nonce = _decoded(key)
        if nonce is not None and base64.b64encode(nonce).decode() != key:
            sentence = "the pad bits of Sec-WebSocket-Key are not zero"
            findings.add("RFC 4648 §3.5", sentence, must=False)


def judge_response(request: bytes, response: bytes) -> list[Finding]:
    """Judge a server's answer to the head of this request (RFC 6455 §4.2.2).

    Interim responses before it are skipped (RFC 9110 §15.2); offsets are those in `response`.
    """
    asked = read_head(request)
    if asked is None:
        raise ValueError("the head of the request has no end")
    at = 0
    found: list[Finding] = []
    while True:
        head = read_head(response, at)
        if head is None:
            sentence = "the head of the response has no end"
            return [*found, Finding("RFC 9112 §2.1", sentence, at)]
        found += head.findings
        if head.status is None or head.status == 101 or head.status >= 200:
            break
        at += head.size
    findings = _Findings(at)
    if head.status is None:
        findings.add("RFC 9112 §4", f"no status line: {head.start_line!r}")
    elif head.status == 101:
        _judge_acceptance(asked, head, findings)
    else:
        _judge_refusal(asked, head, findings)
    return found + findings.all


def _judge_refusal(asked: ReceivedHead, head: ReceivedHead, findings: _Findings) -> None:
    """Any status may refuse; some need fields."""
    if head.status == 426 and not head.values("upgrade"):
        findings.add("RFC 9110 §15.5.22", "426 without Upgrade")
    if head.status == 405 and not head.values("allow"):
        findings.add("RFC 9110 §15.5.6", "405 without Allow")
    version = asked.values(_VERSION)
    if len(version) == 1 and _VERSION_NUMBER.fullmatch(version[0]) and version != ["13"]:
        upgrades = asked.has_token("upgrade", "websocket")
        if upgrades and "13" not in head.elements(_VERSION):
            sentence = f"version {version[0]} is refused without Sec-WebSocket-Version"
            findings.add("RFC 6455 §4.4", sentence)


def _judge_acceptance(asked: ReceivedHead, head: ReceivedHead, findings: _Findings) -> None:
    def accepted(section: str, sentence: str) -> None:
        findings.add(section, f"{NO_REQUEST}: {sentence}")

    _judge_requirements(asked, accepted)
    if not head.start_line.startswith(b"HTTP/1.1"):
        findings.add("RFC 6455 §4.2.2", f"the version is {head.start_line[:8]!r}")
    if [value.lower() for value in head.values("upgrade")] != ["websocket"]:
        findings.add("RFC 6455 §4.2.2", f"Upgrade is {head.values('upgrade')}")
    if not head.has_token("connection", "upgrade"):
        findings.add("RFC 6455 §4.2.2", "Connection does not say Upgrade")
    keys = asked.values(_KEY)
    if keys and head.values(_ACCEPT) not in [[accept_for(key)] for key in keys]:
        findings.add("RFC 6455 §4.2.2", f"Sec-WebSocket-Accept is {head.values(_ACCEPT)}")
    subprotocols = head.values(_PROTOCOL)
    if len(subprotocols) > 1:
        findings.add("RFC 6455 §11.3.4", "Sec-WebSocket-Protocol in several lines")
    if not set(subprotocols) <= set(asked.elements(_PROTOCOL)):
        findings.add("RFC 6455 §4.2.2", f"subprotocol that was not asked for: {subprotocols}")
    if head.values("content-length"):
        findings.add("RFC 9110 §8.6", "Content-Length in a 101")
    if head.values("transfer-encoding"):
        findings.add("RFC 9112 §6.1", "Transfer-Encoding in a 101")
    _judge_extensions(asked, head, findings)


def _judge_extensions(asked: ReceivedHead, head: ReceivedHead, findings: _Findings) -> None:
    """Each extension answers an offer (RFC 6455 §9.1), and its parameters do (RFC 7692 §7.1)."""
    unreadable = _Findings()
    offers = _read_extensions(asked, unreadable)
    if unreadable.all:
        return  # what an answer would have to fit, nobody knows
    answers = _read_extensions(head, findings)
    for answer in answers:
        fitting = [offer for offer in offers if offer.name == answer.name]
        if not fitting:
            findings.add("RFC 6455 §9.1", f"the extension {answer.name} was not offered")
        elif answer.name == DEFLATE:
            _judge_deflate(fitting, answer, findings)
    if sum(answer.name == DEFLATE for answer in answers) > 1:
        findings.add("RFC 7692 §5", "permessage-deflate twice")


def _judge_deflate(offers: list[Offered], answer: Offered, findings: _Findings) -> None:
    wrong = extensions.wrong_with(answer, answer=True)
    if wrong is not None:
        findings.add("RFC 7692 §7.1", wrong)
        return
    valid = [one for one in offers if extensions.wrong_with(one, answer=False) is None]
    if not any(extensions.answers(answer, offer) for offer in valid):
        sentence = "the parameters of permessage-deflate fit no valid offer"
        findings.add("RFC 7692 §7.1", sentence)


def _read_extensions(head: ReceivedHead, findings: _Findings) -> list[Offered]:
    try:
        return extensions.read(head.values(_EXTENSIONS))
    except ValueError as error:
        findings.add("RFC 6455 §9.1", str(error))
        return []
