"""The opening handshake over HTTP/1.1 (RFC 6455 §4)."""

from __future__ import annotations

from ._native import H11Handshake
from .events import RejectConnection
from .extensions import PerMessageDeflate
from .utilities import RemoteProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .extensions import Extension

__all__ = [
    "WEBSOCKET_UPGRADE",
    "WEBSOCKET_VERSION",
    "H11Handshake",
    "client_extensions_handshake",
    "server_extensions_handshake",
]

#: The version of the protocol (RFC 6455 §4.1).
WEBSOCKET_VERSION = b"13"

#: The protocol to upgrade to (RFC 6455 §4.1).
WEBSOCKET_UPGRADE = b"websocket"


def _name(extension: str) -> str:
    return extension.split(";", 1)[0].strip()


def server_extensions_handshake(
    requested: Iterable[str], supported: Sequence[Extension]
) -> bytes | None:
    """
    Lets the `supported` extensions answer the client's offers (RFC 6455 §9.1).

    Each extension answers the first of its offers that it accepts; the order is the client's.
    Returns the value of Sec-WebSocket-Extensions, None if no extension is in use.
    """
    answers: dict[str, str] = {}
    for extension in supported:
        if isinstance(extension, PerMessageDeflate):
            extension.forget()
    for offer in requested:
        for extension in supported:
            if extension.name != _name(offer) or extension.name in answers:
                continue
            parameters = (
                extension.answer(offer)
                if isinstance(extension, PerMessageDeflate)
                else extension.accept(offer)
            )
            if isinstance(parameters, str):
                answers[extension.name] = (
                    f"{extension.name}; {parameters}" if parameters else extension.name
                )
            elif parameters:
                answers[extension.name] = extension.name
    return ", ".join(answers.values()).encode("ascii") if answers else None


def client_extensions_handshake(
    accepted: Iterable[str], supported: Sequence[Extension]
) -> list[Extension]:
    """
    Tells the offered extensions what the server has chosen (RFC 6455 §4.1).

    Returns those in use, in the server's order. Raises `RemoteProtocolError` if the server chose an
    extension that was not offered, or one twice, or parameters that do not fit the offer.
    """
    extensions: list[Extension] = []
    for text in accepted:
        name = _name(text)
        extension = next((item for item in supported if item.name == name), None)
        if extension is None:
            raise RemoteProtocolError(
                f"unrecognized extension {name}", event_hint=RejectConnection()
            )
        if extension in extensions:
            raise RemoteProtocolError(
                f"extension {name} chosen twice", event_hint=RejectConnection()
            )
        if isinstance(extension, PerMessageDeflate):
            extension.conclude(text)
        else:
            extension.finalize(text)
        extensions.append(extension)
    return extensions
