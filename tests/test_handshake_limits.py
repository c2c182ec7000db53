"""What a handshake holds, and what it takes, however much a peer sends."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from support import heads
from ws13 import ConnectionType, WSConnection
from ws13.connection import CLIENT, Connection, ConnectionState
from ws13.events import AcceptConnection, CloseConnection, RejectData, Request, TextMessage
from ws13.utilities import RemoteProtocolError


def client_after(response: bytes) -> WSConnection:
    client = WSConnection(ConnectionType.CLIENT)
    client.send(Request(host="example.com", target="/"))
    client.receive_data(response)
    return client


CHUNKED = b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("line", [b"x: " + b"y" * 900 + b"\r\n", b"1;" + b"z" * 900 + b"\r\na\r\n"])
def test_trailers_and_chunk_extensions_have_a_limit(line: bytes) -> None:
    client = client_after(CHUNKED + (b"0\r\n" if line.startswith(b"x") else b""))
    with pytest.raises(RemoteProtocolError, match="Rejection body of more than"):
        for _ in range(1000):
            client.receive_data(line * 100)


def test_a_trailer_that_is_no_field_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        client_after(CHUNKED + b"0\r\n\0garbage\r\n\r\n")
    events = list(client_after(CHUNKED + b"0\r\nX-A: b\r\n\r\n").events())
    assert events[1:] == [RejectData(b"", True)]


def test_bytes_that_came_with_the_request_do_not_count_as_early_data() -> None:
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(heads.head(heads.REQUEST) + b"\x82\xff" + bytes(70_000))
    server.receive_data(b"")
    assert len(list(server.events())) == 1
    server.receive_data(bytes(64 * 1024))
    with pytest.raises(RemoteProtocolError, match="before the answer"):
        server.receive_data(b"x")
    assert server.connection is None


def test_two_upgrade_fields_are_one_list_that_is_not_websocket() -> None:
    client = WSConnection(ConnectionType.CLIENT)
    client.send(Request(host="example.com", target="/"))
    with pytest.raises(RemoteProtocolError, match="Upgrade"):
        client.receive_data(
            b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n\r\n"
        )
    assert client.state is ConnectionState.CLOSED


def test_headers_are_pairs_of_any_kind() -> None:
    server = WSConnection(ConnectionType.SERVER)
    pairs: Any = [
        ["host", "example.com"],
        ("upgrade", b"websocket"),
        [b"connection", "upgrade"],
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    server.initiate_upgrade_connection(pairs, "/")
    assert len(list(server.events())) == 1
    extra: Any = [["X-A", "b"]]
    assert b"X-A: b" in server.send(AcceptConnection(extra_headers=extra))


def test_a_request_that_was_parsed_elsewhere_has_the_same_limits() -> None:
    server = WSConnection(ConnectionType.SERVER)
    with pytest.raises(RemoteProtocolError, match="HTTP head of more than"):
        server.initiate_upgrade_connection([(b"x", b"y" * 20_000)], "/")


def test_the_end_of_the_stream_does_not_hide_a_violation_that_was_found() -> None:
    client = Connection(CLIENT)
    client.receive_data(b"\x81\x04abc\xff")
    events = client.events()
    assert next(events) == TextMessage("abc", False, False)
    client.receive_data(None)
    (end,) = events
    assert isinstance(end, CloseConnection)
    assert end.code == 1007
    assert client.state is ConnectionState.CLOSED


@pytest.mark.parametrize("kind", ["inner", "outer"])
def test_connections_that_know_their_owner_are_collected(kind: str) -> None:
    class Owner:
        def __init__(self) -> None:
            self.ws = WSConnection(ConnectionType.SERVER)
            self.ws.receive_data(heads.head(heads.REQUEST))
            assert len(list(self.ws.events())) == 1
            self.ws.send(AcceptConnection())
            target: Any = self.ws.connection if kind == "inner" else self.ws
            target.owner = self

    owner = weakref.ref(Owner())
    gc.collect()
    assert owner() is None
