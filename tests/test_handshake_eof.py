"""How a stream's end reaches an opening handshake, and a connection that has failed."""

from __future__ import annotations

from ws13 import ConnectionType, WSConnection
from ws13.connection import CLIENT, Connection, ConnectionState
from ws13.events import CloseConnection, RejectConnection, RejectData, Request


def rejected(fields: bytes) -> WSConnection:
    """A client that has the head of a rejection."""
    client = WSConnection(ConnectionType.CLIENT)
    client.send(Request(host="example.com", target="/"))
    client.receive_data(b"HTTP/1.1 403 Forbidden\r\n" + fields + b"\r\n")
    assert [type(event) for event in client.events()] == [RejectConnection]
    return client


def test_an_empty_read_ends_a_body_that_only_the_end_of_the_stream_ends() -> None:
    client = rejected(b"")
    client.receive_data(b"no")
    client.receive_data(b"")
    assert list(client.events()) == [RejectData(b"no", False), RejectData(b"", True)]
    assert client.state is ConnectionState.CLOSED


def test_an_empty_read_is_nothing_while_a_body_has_a_length() -> None:
    client = rejected(b"Content-Length: 2\r\n")
    client.receive_data(b"n")
    client.receive_data(b"")
    client.receive_data(b"o")
    assert [event.body_finished for event in client.events()] == [False, False, True]


def test_an_end_told_again_ends_a_connection_whose_failure_was_taken_in_between() -> None:
    client = Connection(CLIENT)
    client.receive_data(b"\x83\x01x")
    client.receive_data(None)
    assert isinstance(next(client.events()), CloseConnection)
    client.receive_data(None)
    assert client.state is ConnectionState.CLOSED
    assert list(client.events()) == []
