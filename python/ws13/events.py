"""
What the peer did, and what to tell it.

All events are immutable. They compare, hash, print, match, pickle and unpack like frozen
dataclasses, and `dataclasses.replace`, `fields` and `asdict` take them for such.
"""

from __future__ import annotations

from ._native import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

__all__ = [
    "AcceptConnection",
    "BytesMessage",
    "CloseConnection",
    "Event",
    "Message",
    "Ping",
    "Pong",
    "RejectConnection",
    "RejectData",
    "Request",
    "TextMessage",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: The fields that may be left out, with their defaults; a list stands for a fresh list.
_DEFAULTS: dict[type[Event], dict[str, object]] = {
    Request: {"extensions": list, "extra_headers": list, "subprotocols": list},
    AcceptConnection: {"subprotocol": None, "extensions": list, "extra_headers": list},
    RejectConnection: {"status_code": 400, "headers": list, "has_body": False},
    RejectData: {"body_finished": True},
    CloseConnection: {"reason": None},
    Message: {"frame_finished": True, "message_finished": True},
    Ping: {"payload": b""},
    Pong: {"payload": b""},
}


class _Description:
    """
    What the module `dataclasses` looks for in a class, made when it is looked for: importing that
    module would cost more than the rest of this package.
    """

    def __init__(self, make: Callable[[type[Event]], Any]) -> None:
        self._make = make
        self._made: dict[type[Event], Any] = {}

    def __get__(self, instance: object, owner: type[Event]) -> Any:
        if owner not in self._made:
            self._made[owner] = self._make(owner)
        return self._made[owner]


def _twin(event: type[Event]) -> Any:
    """A dataclass with the fields of `event`."""
    import dataclasses

    defaults = next((_DEFAULTS[base] for base in event.__mro__ if base in _DEFAULTS), {})
    fields: list[Any] = []
    for name in event.__match_args__:
        if name not in defaults:
            fields.append((name, object))
        elif defaults[name] is list:
            fields.append((name, object, dataclasses.field(default_factory=list)))
        else:
            fields.append((name, object, dataclasses.field(default=defaults[name])))
    return dataclasses.make_dataclass(event.__name__, fields, frozen=True)


def _describe() -> None:
    fields = _Description(lambda event: _twin(event).__dataclass_fields__)
    parameters = _Description(lambda event: _twin(event).__dataclass_params__)
    for event in (*_DEFAULTS, TextMessage, BytesMessage):
        event.__dataclass_fields__ = fields
        event.__dataclass_params__ = parameters


_describe()
