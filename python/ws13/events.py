"""
What the peer did, and what to tell it.

All events are immutable. They compare, hash, print, match, pickle and unpack like frozen
dataclasses, and `dataclasses.replace`, `fields` and `asdict` take them for such.
"""

from __future__ import annotations

from types import GenericAlias

from ._native import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Events,
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
    from types import TracebackType
    from typing import Any

    from typing_extensions import Never

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


def _values(self: Event) -> tuple[object, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])


def _repr(self: Event) -> str:
    fields = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.__match_args__])
    return f"{type(self).__qualname__}({fields})"


def _eq(self: Event, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Event) -> int:
    return hash(_values(self))


def _reduce(self: Event) -> tuple[type[Event], tuple[object, ...]]:
    return type(self), _values(self)


def _replace(self: Event, /, **changes: object) -> Event:
    fields = dict(zip(self.__match_args__, _values(self), strict=True))
    return type(self)(**(fields | changes))


def _frozen(self: Event, name: str) -> bool:
    """As dataclasses are: our classes wholly, classes below them in the fields they inherit."""
    return type(self) in _OURS or name in self.__match_args__


def _setattr(self: Event, name: str, value: object) -> None:
    if _frozen(self, name):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delattr(self: Event, name: str) -> None:
    if _frozen(self, name):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _ping_response(self: Ping) -> Pong:
    """The Pong that answers this Ping (RFC 6455 §5.5.3)."""
    return Pong(self.payload)


def _close_response(self: CloseConnection) -> CloseConnection:
    """The Close frame that answers this one (RFC 6455 §5.5.1)."""
    return CloseConnection(self.code, self.reason)


# What `events()` returns has the methods of a generator, since it is one in wsproto.


def _close(self: Events) -> None:
    """Ends the iteration. What was not taken comes out of another one."""
    self._exhausted = True


def _send(self: Events, value: object) -> Event:
    """The next event; `value` is not looked at."""
    return next(self)


def _throw(
    self: Events,
    error: BaseException | type[BaseException],
    value: object = None,
    traceback: TracebackType | None = None,
    /,
) -> Never:
    """Ends the iteration and raises `error`, or one of that class with `value`."""
    self._exhausted = True
    if isinstance(error, type):
        made = error() if value is None else error(value)
        error = value if isinstance(value, error) else made
    raise error if traceback is None else error.with_traceback(traceback)


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

    none: dict[str, object] = {}
    defaults = next((_DEFAULTS[base] for base in event.__mro__ if base in _DEFAULTS), none)
    fields: list[Any] = []
    for name in event.__match_args__:
        if name not in defaults:
            fields.append((name, object))
        elif defaults[name] is list:
            fields.append((name, object, dataclasses.field(default_factory=list)))
        else:
            fields.append((name, object, dataclasses.field(default=defaults[name])))
    return dataclasses.make_dataclass(event.__name__, fields, frozen=True)


_OURS: frozenset[Any] = frozenset((Event, *_DEFAULTS, TextMessage, BytesMessage))

_METHODS: dict[Any, dict[str, Any]] = {
    Event: {
        "__repr__": _repr,
        "__eq__": _eq,
        "__hash__": _hash,
        "__reduce__": _reduce,
        "__replace__": _replace,
        "__setattr__": _setattr,
        "__delattr__": _delattr,
    },
    Message: {"__class_getitem__": classmethod(GenericAlias)},
    Ping: {"response": _ping_response},
    CloseConnection: {"response": _close_response},
    Events: {"close": _close, "send": _send, "throw": _throw},
}


def _complete() -> None:
    """Gives the native classes what they are too plain to have: their storage is all they are."""
    for event, methods in _METHODS.items():
        for name, method in methods.items():
            if hasattr(method, "__qualname__"):
                method.__name__ = name
                method.__qualname__ = f"{event.__qualname__}.{name}"
            setattr(event, name, method)
    fields = _Description(lambda event: _twin(event).__dataclass_fields__)
    parameters = _Description(lambda event: _twin(event).__dataclass_params__)
    for event in _OURS - {Event}:
        event.__dataclass_fields__ = fields
        event.__dataclass_params__ = parameters


_complete()
