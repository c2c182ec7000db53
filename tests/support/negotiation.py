"""permessage-deflate negotiated on the wire, read and written naively (RFC 7692 §5 and §7.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support import heads, http
from ws13 import Config, ConnectionType, WSConnection
from ws13.connection import Connection
from ws13.events import AcceptConnection, Request
from ws13.extensions import PerMessageDeflate
from ws13.handshake import client_extensions_handshake, server_extensions_handshake

NAME = "permessage-deflate"
FIELD = "Sec-WebSocket-Extensions"

Make = Callable[..., PerMessageDeflate]


class Hooked(PerMessageDeflate):
    """Does nothing of its own, but is not the class that the engine knows: its hooks are called."""


def parsed(value: str) -> tuple[str, dict[str, str | None]]:
    """The name and the parameters of one extension without quoted strings."""
    name, *rest = [part.strip() for part in value.split(";")]
    parameters: dict[str, str | None] = {}
    for part in rest:
        key, equals, bits = part.partition("=")
        assert key not in parameters, f"{key} twice in {value}"
        parameters[key] = bits if equals else None
    return name, parameters


@dataclass(frozen=True)
class Agreement:
    """The parameters in force."""

    client_no_context_takeover: bool = False
    server_no_context_takeover: bool = False
    client_max_window_bits: int = 15
    server_max_window_bits: int = 15

    @staticmethod
    def of(answer: str) -> Agreement:
        """What a server has answered."""
        name, parameters = parsed(answer)
        assert name == NAME
        return Agreement(
            **{key: True if value is None else int(value) for key, value in parameters.items()}  # type: ignore[arg-type]
        )

    @property
    def text(self) -> str:
        """As a server answers it, and as a client offers it to get this answer."""
        flags = ("client_no_context_takeover", "server_no_context_takeover")
        windows = ("client_max_window_bits", "server_max_window_bits")
        told = [flag for flag in flags if getattr(self, flag)]
        told += [f"{name}={getattr(self, name)}" for name in windows if getattr(self, name) < 15]
        return "; ".join([NAME, *told])

    def bits(self, sender: str) -> int:
        """The window of what the end with this role sends."""
        found: int = getattr(self, f"{sender}_max_window_bits")
        return found

    def takeover(self, sender: str) -> bool:
        """Whether what the end with this role sends may look back at its earlier messages."""
        return not getattr(self, f"{sender}_no_context_takeover")


def other(role: str) -> str:
    return "client" if role == "server" else "server"


def response(request: bytes, extensions: str | None) -> bytes:
    """A server's answer to the bytes of a request."""
    (key,) = http.parse(request).all("Sec-WebSocket-Key")
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {http.accept_token(key)}",
    ]
    return heads.head([*lines, f"{FIELD}: {extensions}"] if extensions else lines)


def agreed(
    role: str,
    extensions: str,
    config: Config | None = None,
    make: Make = PerMessageDeflate,
    **own: Any,
) -> Connection:
    """An open connection without HTTP in front of it; as `opened`, in a fraction of the time."""
    extension = make(**own)
    if role == "server":
        answer = server_extensions_handshake([extensions], [extension])
        assert answer is not None
        assert parsed(answer.decode()) == parsed(extensions)
    else:
        assert client_extensions_handshake([extensions], [extension]) == [extension]
    return Connection(ConnectionType[role.upper()], [extension], config=config)


def opened(
    role: str,
    extensions: str | None = NAME,
    config: Config | None = None,
    make: Make = PerMessageDeflate,
    **own: Any,
) -> WSConnection:
    """An open connection; the server has answered with `extensions`, `own` are the wishes of our
    end."""
    connection = WSConnection(ConnectionType[role.upper()], config=config or Config())
    ours: list[PerMessageDeflate] = [make(**own)] if extensions else []
    if role == "client":
        sent = connection.send(Request(host="example.com", target="/", extensions=ours))
        connection.receive_data(response(sent, extensions))
        (accepted,) = connection.events()
        assert isinstance(accepted, AcceptConnection)
        assert [extension.name for extension in accepted.extensions] == [NAME] * len(ours)
        return connection
    offers = [f"{FIELD}: {extensions}"] if extensions else []
    connection.receive_data(heads.head([*heads.REQUEST, *offers]))
    (request,) = connection.events()
    assert isinstance(request, Request)
    answer = http.parse(connection.send(AcceptConnection(extensions=ours))).all(FIELD)
    if extensions and not own:
        assert [parsed(value) for value in answer] == [parsed(extensions)]
    return connection
