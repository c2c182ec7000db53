"""The libraries that take part, each driven the way its own users drive it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from peers.base import Operation, Peer, Work

__all__ = ["Operation", "Peer", "Work", "find", "load"]

_WHERE = {
    "ws13": ("peers.wsproto_api", "Ws13"),
    "wsproto": ("peers.wsproto_api", "Wsproto"),
    "websockets": ("peers.websockets_peer", "Websockets"),
    "aiohttp": ("peers.aiohttp_peer", "Aiohttp"),
    "picows": ("peers.picows_peer", "Picows"),
}


def find(name: str) -> Peer:
    """The peer of this name; ImportError when it is not installed."""
    module, attribute = _WHERE[name]
    make: Callable[[], Peer] = getattr(import_module(module), attribute)
    return make()


def load() -> tuple[list[Peer], dict[str, str]]:
    """Everybody who is installed, and why the others are missing."""
    present: list[Peer] = []
    missing: dict[str, str] = {}
    for name in _WHERE:
        try:
            present.append(find(name))
        except ImportError as error:
            missing[name] = str(error)
    return present, missing
