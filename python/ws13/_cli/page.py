"""What ``serve`` answers to HTTP alone: a page to try the echo with, in a browser."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib import resources

from ws13.events import RejectConnection, RejectData

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110 §5.6.2
VALUE = rb"[^\0-\x08\x0a-\x1f\x7f]*"  # RFC 9110 §5.5: of the control characters, only TAB
HOST = re.compile(rb"[-._~!$&'()*+,;=%:\[\]0-9A-Za-z]+")  # RFC 3986 §3.2.2, and a port
REQUEST = re.compile(
    rb"(?:\r\n)*(?P<method>%(token)s) (?P<target>[!-~]+) HTTP/1\.(?P<minor>[01])\r\n"
    rb"(?P<fields>(?:%(token)s:%(value)s\r\n)*)\r\n" % {b"token": TOKEN, b"value": VALUE}
)
METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class HttpRequest:
    """A request that does not ask for another protocol."""

    method: str
    path: str

    @classmethod
    def parse(cls, head: bytes) -> HttpRequest | None:
        """Read a whole head; None if it is anything else.

        The engine has read it before, and refused it as an opening handshake. What is asked here is
        why, so nothing that is not plainly HTTP needs to be understood.
        """
        match = REQUEST.match(head)
        if match is None:
            return None
        lines = [line.partition(b":") for line in match["fields"].split(b"\r\n")]
        fields = [(name.lower(), value.strip()) for name, _, value in lines]
        # RFC 9112 §3.2: one Host, and from HTTP/1.1 on not less. RFC 9110 §4.2.1: not empty.
        hosts = [value for name, value in fields if name == b"host"]
        if len(hosts) > 1 or (not hosts and match["minor"] == b"1"):
            return None
        if not all(HOST.fullmatch(host) for host in hosts):
            return None
        if any(name == b"upgrade" for name, _ in fields):
            return None
        # RFC 9112 §3.2.2: the target may be a whole URI.
        target = re.sub(r"^https?://[^/?]*", "", match["target"].decode(), flags=re.IGNORECASE)
        return cls(match["method"].decode(), target.partition("?")[0] or "/")

    def answer(self) -> tuple[RejectConnection, RejectData]:
        """Return the page, or why there is none."""
        if self.path != "/":
            return self._answer(404, "There is nothing here but a page at / and WebSocket.\n")
        if self.method not in METHODS:
            allow = (b"Allow", ", ".join(METHODS).encode())
            return self._answer(405, "The page can only be read.\n", allow)
        return self._page()

    def _page(self) -> tuple[RejectConnection, RejectData]:
        document, policy = page()
        return respond(200, b"text/html", document, (b"Content-Security-Policy", policy))

    def _answer(
        self, status: int, text: str, *fields: tuple[bytes, bytes]
    ) -> tuple[RejectConnection, RejectData]:
        return respond(status, b"text/plain", text.encode(), *fields)


def respond(
    status: int, kind: bytes, body: bytes, *fields: tuple[bytes, bytes]
) -> tuple[RejectConnection, RejectData]:
    """Make a response of HTTP. To the engine that is a rejection, whatever its status is."""
    head = [
        (b"Content-Type", kind + b"; charset=utf-8"),
        (b"Content-Length", b"%d" % len(body)),
        (b"Cache-Control", b"no-store"),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Connection", b"close"),
        *fields,
    ]
    return RejectConnection(status, head, has_body=True), RejectData(body)


def page() -> tuple[bytes, bytes]:
    """Return the page, and the policy that lets it do what it does and nothing else."""
    text = resources.files("ws13._cli").joinpath("page.html").read_text(encoding="utf-8")
    policy = [
        "default-src 'none'",
        f"script-src {_hash('script', text)}",
        f"style-src {_hash('style', text)}",
        "img-src data:",  # an empty icon, so that none is asked for
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No string may become markup.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    return text.encode(), "; ".join(policy).encode()


def _hash(element: str, text: str) -> str:
    """Name the contents of the only element of this kind, as CSP does."""
    contents = text.partition(f"<{element}>")[2].partition(f"</{element}>")[0]
    digest = hashlib.sha256(contents.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
