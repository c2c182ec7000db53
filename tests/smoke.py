"""Does an installed ws13 work, where there is nothing but the wheel and the standard library?"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import ws13
from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)
from ws13.utilities import InternalError, LocalProtocolError, RemoteProtocolError


def the_version_is_that_of_the_wheel() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", ws13.__version__)
    assert importlib.metadata.version("ws13") == ws13.__version__


def the_wheel_is_complete() -> None:
    names = {str(file) for file in importlib.metadata.files("ws13") or []}
    assert {"ws13/py.typed", "ws13/_native.pyi"} <= names, names
    assert any(name.endswith("licenses/LICENSE") for name in names), names
    assert not any(name.startswith(("tests", "benchmarks", "compliance")) for name in names), names
    assert Path(ws13.__file__).parent.joinpath("py.typed").exists()


def the_wheel_has_no_panics_to_ask_for() -> None:
    assert not hasattr(ws13._native, "panic_behind")
    assert issubclass(InternalError, RuntimeError)


def told(ws: WSConnection, data: bytes | None) -> list[Event]:
    """What `ws` makes of received bytes."""
    ws.receive_data(data)
    return list(ws.events())


def a_client_and_a_server_hold_a_conversation() -> None:
    client, server = WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER)
    [request] = told(server, client.send(Request("example.com", "/chat", subprotocols=["a"])))
    assert isinstance(request, Request)
    assert (request.host, request.target, request.subprotocols) == ("example.com", "/chat", ["a"])
    [accept] = told(client, server.send(AcceptConnection(subprotocol="a")))
    assert isinstance(accept, AcceptConnection)
    assert accept.subprotocol == "a"
    for one, other in ((client, server), (server, client)):
        assert one.state is ConnectionState.OPEN
        for event in (
            TextMessage("Grüße, 世界"),
            TextMessage("in two ", message_finished=False),
            TextMessage("fragments"),
            BytesMessage(bytes(range(256)) * 300),
            Ping(b"there?"),
            Pong(b"there!"),
        ):
            assert told(other, one.send(event)) == [event]
    [close] = told(server, client.send(CloseConnection(1000, "goodbye")))
    assert close == CloseConnection(1000, "goodbye")
    assert isinstance(close, CloseConnection)
    assert told(client, server.send(close.response())) == [close]
    assert client.state is ConnectionState.CLOSED
    assert server.state is ConnectionState.CLOSED


def who_breaks_the_rules_is_told() -> None:
    server = WSConnection(ConnectionType.SERVER)
    try:
        server.receive_data(b"POST / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    except RemoteProtocolError as error:
        hint = error.event_hint
    else:
        raise AssertionError("a POST request was taken")
    assert isinstance(hint, RejectConnection)
    assert server.send(hint).startswith(b"HTTP/1.1 400 ")

    connection = ws13.Connection(ConnectionType.SERVER)
    connection.receive_data(b"\x81\x00")  # not masked
    [failure] = connection.events()
    assert isinstance(failure, CloseConnection)
    assert failure.code == 1002
    sent = connection.send(failure.response())
    assert (sent[0], sent[2:4]) == (0x88, b"\x03\xea")
    try:
        connection.send(Ping())
    except LocalProtocolError:
        pass
    else:
        raise AssertionError("a Ping was sent behind a Close frame")


def the_command_line_helps() -> None:
    for arguments in (["--help"], ["serve", "--help"], ["connect", "--help"], ["--version"]):
        command = [sys.executable, "-I", "-m", "ws13", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "ws13" in done.stdout


if __name__ == "__main__":
    checks = [
        the_version_is_that_of_the_wheel,
        the_wheel_is_complete,
        the_wheel_has_no_panics_to_ask_for,
        a_client_and_a_server_hold_a_conversation,
        who_breaks_the_rules_is_told,
        the_command_line_helps,
    ]
    for check in checks:
        check()
    version = "{}.{}.{}".format(*sys.version_info)
    print(f"smoke: {len(checks)} passed (ws13 {ws13.__version__}, Python {version})")
