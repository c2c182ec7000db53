"""WebSocket URIs (RFC 6455 §3) and header fields, checked as a person would want it explained."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 §5.5
DEFAULT_PORTS = {"ws": 80, "wss": 443}
WRITTEN_BY_THE_HANDSHAKE = {"host", "upgrade", "connection", "content-length", "transfer-encoding"}
# Percent-encoding is already there or is added; these stay as they are (RFC 3986 §3.3, §3.4).
KEPT_IN_TARGET = "/?:@!$&'()*+,;=-._~%"


@dataclass(frozen=True)
class Address:
    """The parts of a WebSocket URI; an IPv6 host stands without its brackets."""

    host: str
    port: int
    resource: str
    tls: bool

    @property
    def host_header(self) -> str:
        """The Host header field: the port is left out if it is the default (§4.1)."""
        # An IPv6 zone means something on this machine only (RFC 6874 §4).
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        default = DEFAULT_PORTS["wss" if self.tls else "ws"]
        return host if self.port == default else f"{host}:{self.port}"


def parse_url(url: str) -> Address:
    """Take a ``ws`` or ``wss`` URI apart; ValueError says what is wrong with it."""
    # urlsplit would silently drop some of these characters.
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValueError(f"{url!r} contains a space or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not a URL: {error}") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"{url!r} does not begin with ws:// or wss://")
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    if "@" in parts.netloc:
        raise ValueError("a WebSocket URL has no user name or password; use --header")
    if "#" in url:
        raise ValueError("a WebSocket URL has no fragment; write # as %23")
    if port == 0:
        raise ValueError(f"{url!r}: port 0 cannot be connected to")
    resource = quote(parts.path or "/", safe=KEPT_IN_TARGET)
    if parts.query or url.endswith("?"):
        resource += "?" + quote(parts.query, safe=KEPT_IN_TARGET)
    return Address(
        host=_ascii_host(parts.hostname),
        port=port or DEFAULT_PORTS[parts.scheme],
        resource=resource,
        tls=parts.scheme == "wss",
    )


def parse_header(text: str) -> tuple[bytes, bytes]:
    """Take ``Name: value`` apart; ValueError says what is wrong with it."""
    name, colon, value = text.partition(":")
    value = value.strip(" \t")
    if not colon:
        raise ValueError(f"{text!r} has no colon; write 'Name: value'")
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a header field name")
    lowered = name.lower()
    if lowered in WRITTEN_BY_THE_HANDSHAKE or lowered.startswith("sec-websocket-"):
        raise ValueError(f"{name} is written by the handshake itself")
    encoded = value.encode("utf-8")
    if not FIELD_VALUE.fullmatch(encoded.decode("latin-1")):
        raise ValueError(f"the value of {name} contains a control character")
    return name.encode("ascii"), encoded


def parse_subprotocol(text: str) -> str:
    """Check a subprotocol name, which is an HTTP token (§4.1)."""
    if not TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} is not a subprotocol name: letters, digits and some signs only")
    return text


def _ascii_host(host: str) -> str:
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host.replace("%25", "%")))
        except ValueError:
            raise ValueError(f"{host!r} is not an IPv6 address") from None
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{host!r} is not a host name") from None
    if not re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=%\-]+", ascii_host):
        raise ValueError(f"{host!r} is not a host name")
    return ascii_host
