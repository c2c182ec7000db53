"""A plugin of pytest: example.com has an address, whether there is a network or not.

simple-websocket's tests look it up, and connect to it with a socket that is a mock.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest

real = socket.getaddrinfo


def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    return real("127.0.0.1" if host == "example.com" else host, *arguments, **options)


@pytest.fixture(autouse=True)
def example_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
