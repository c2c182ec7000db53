"""Sec-WebSocket-Extensions, read as strictly as its grammar (RFC 6455 §9.1, RFC 7692 §7.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

DEFLATE = "permessage-deflate"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf'[ \t]*;[ \t]*({_TOKEN})(?:[ \t]*=[ \t]*({_TOKEN}|"(?:[^"\\]|\\.)*"))?')
_NAME = re.compile(_TOKEN)
_COMMA = re.compile(r"[ \t]*(,|$)[ \t]*")
_BITS = re.compile("[89]|1[0-5]")

_FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
_BITS_OF = ("server_max_window_bits", "client_max_window_bits")


@dataclass(frozen=True)
class Offered:
    """One element of the list: an extension and its parameters; None: without a value."""

    name: str
    parameters: tuple[tuple[str, str | None], ...] = ()

    def __contains__(self, parameter: str) -> bool:
        return any(name == parameter for name, _ in self.parameters)

    def bits(self, parameter: str, default: int = 15) -> int:
        """The number of this parameter, which is valid."""
        value = dict(self.parameters).get(parameter)
        return default if value is None else int(value)


def read(values: Iterable[str]) -> list[Offered]:
    """The elements of all lines, in order. Raises `ValueError` for what is no such list."""
    elements: list[Offered] = []
    for value in values:
        at, value = 0, value.strip(" \t")
        while at < len(value):
            name = _NAME.match(value, at)
            if name is not None:
                at = name.end()
                parameters: list[tuple[str, str | None]] = []
                while parameter := _PARAMETER.match(value, at):
                    parameters.append((parameter[1], _unquoted(parameter[2])))
                    at = parameter.end()
                elements.append(Offered(name[0], tuple(parameters)))
            comma = _COMMA.match(value, at)
            if comma is None:
                raise ValueError(f"no list of extensions: {value!r} at {at}")
            at = comma.end()
    return elements


def _unquoted(value: str | None) -> str | None:
    """A value without quotes; within them it must be a token as well (RFC 6455 §9.1)."""
    if value is None or not value.startswith('"'):
        return value
    inner = re.sub(r"\\(.)", r"\1", value[1:-1])
    if _NAME.fullmatch(inner) is None:
        raise ValueError(f"a quoted value that is no token: {value}")
    return inner


def wrong_with(deflate: Offered, *, answer: bool) -> str | None:
    """What is wrong with the parameters of permessage-deflate (RFC 7692 §7.1), in a sentence.

    `answer`: client_max_window_bits must then have a value (§7.1.2.2).
    """
    seen: set[str] = set()
    for name, value in deflate.parameters:
        if name in seen:
            return f"{name} stands there twice"
        seen.add(name)
        if name in _FLAGS:
            if value is not None:
                return f"{name} has the value {value!r}"
        elif name in _BITS_OF:
            if value is None:
                if answer or name == "server_max_window_bits":
                    return f"{name} has no value"
            elif _BITS.fullmatch(value) is None:
                return f"{name} is no number from 8 to 15: {value!r}"
        else:
            return f"there is no parameter {name}"
    return None


def answers(answer: Offered, offer: Offered) -> bool:
    """Whether a valid answer of permessage-deflate fits this valid offer (RFC 7692 §7.1)."""
    if "server_no_context_takeover" in offer and "server_no_context_takeover" not in answer:
        return False
    if "server_max_window_bits" in offer and not (
        "server_max_window_bits" in answer
        and answer.bits("server_max_window_bits") <= offer.bits("server_max_window_bits")
    ):
        return False
    if "client_max_window_bits" not in answer:
        return True
    return "client_max_window_bits" in offer and (
        answer.bits("client_max_window_bits") <= offer.bits("client_max_window_bits")
    )
