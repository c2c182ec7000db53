"""The limits of the opening handshake, set by a `Config`, to the byte and the line."""

from __future__ import annotations

from typing import Any

import pytest

from support import heads, http
from support.frames import Frame
from support.strategies import written
from support.vectors import pieces_of
from ws13 import Config, ConnectionType, WSConnection
from ws13.connection import Connection
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    RejectConnection,
    RejectData,
    Request,
)
from ws13.handshake import H11Handshake
from ws13.utilities import LocalProtocolError, RemoteProtocolError


def server(**limits: Any) -> WSConnection:
    return WSConnection(ConnectionType.SERVER, config=Config(**limits))


def client(**limits: Any) -> WSConnection:
    connection = WSConnection(ConnectionType.CLIENT, config=Config(**limits))
    connection.key = http.parse(  # type: ignore[attr-defined]
        connection.send(Request("example.com", "/"))
    ).all("Sec-WebSocket-Key")[0]
    return connection


def accepting(connection: WSConnection, *lines: str) -> bytes:
    token = http.accept_token(connection.key)  # type: ignore[attr-defined]
    return heads.head(
        [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {token}",
            *lines,
        ]
    )


def refusal(connection: WSConnection, *chunks: bytes) -> int | None:
    """The status of the error that the bytes bring about; None if they do not."""
    try:
        for chunk in chunks:
            connection.receive_data(chunk)
    except RemoteProtocolError as error:
        hint = error.event_hint
        return hint.status_code if isinstance(hint, RejectConnection) else 0
    return None


REQUEST = heads.head(heads.REQUEST)


@pytest.mark.parametrize("cut", [None, 1, 100])
def test_a_request_of_exactly_the_size_of_a_head_is_accepted(cut: int | None) -> None:
    chunks = pieces_of(REQUEST, cut or len(REQUEST))
    assert refusal(server(max_head_size=len(REQUEST)), *chunks) is None
    assert refusal(server(max_head_size=len(REQUEST) - 1), *chunks) == 431
    assert refusal(server(max_head_size=10), *chunks) == 414


@pytest.mark.parametrize("cut", [None, 1])
def test_a_response_of_exactly_the_size_of_a_head_is_accepted(cut: int | None) -> None:
    size = len(accepting(client()))
    for limit, refused in ((size, False), (size - 1, True)):
        connection = client(max_head_size=limit)
        response = accepting(connection)
        seen = refusal(connection, *pieces_of(response, cut or size))
        assert (seen is not None) is refused


def test_fields_are_counted() -> None:
    count = len(heads.REQUEST) - 1
    assert refusal(server(max_head_fields=count), REQUEST) is None
    assert refusal(server(max_head_fields=count - 1), REQUEST) == 431
    connection = client(max_head_fields=4)
    assert refusal(connection, accepting(connection, "X: y")) is None
    connection = client(max_head_fields=3)
    assert refusal(connection, accepting(connection, "X: y")) is not None


def test_heads_without_limits_are_accepted() -> None:
    lines = [*heads.REQUEST, *[f"X-{i}: y" for i in range(1000)], "Z: " + "z" * 100_000]
    assert refusal(server(), heads.head(lines)) == 431
    assert refusal(server(max_head_size=None), heads.head(lines)) == 431
    assert refusal(server(max_head_fields=None), heads.head(lines)) == 431
    assert refusal(server(max_head_size=None, max_head_fields=None), heads.head(lines)) is None


@pytest.mark.parametrize("limit", [1, 3, 16])
def test_interim_responses_are_counted(limit: int) -> None:
    interim = heads.head(["HTTP/1.1 103 Early Hints"])
    for count, refused in ((limit, False), (limit + 1, True)):
        connection = client(max_interim_responses=limit)
        seen = refusal(connection, interim * count + accepting(connection))
        assert (seen is not None) is refused
    connection = client(max_interim_responses=None)
    assert refusal(connection, interim * 500 + accepting(connection)) is None


@pytest.mark.parametrize("lengths", ["counted", "chunked", "until the end"])
def test_the_body_of_a_rejection_is_counted(lengths: str) -> None:
    def response(size: int) -> bytes:
        if lengths == "counted":
            return heads.head(["HTTP/1.1 403 No", f"Content-Length: {size}"]) + b"x" * size
        if lengths == "chunked":
            body = b"".join(b"1\r\nx\r\n" for _ in range(size)) + b"0\r\n\r\n"
            return heads.head(["HTTP/1.1 403 No", "Transfer-Encoding: chunked"]) + body
        return heads.head(["HTTP/1.1 403 No"]) + b"x" * size

    for size, refused in ((50, False), (51, True)):
        connection = client(max_rejection_body=50)
        # What the framing of chunks takes is counted on its own.
        seen = refusal(connection, response(size))
        assert (seen is not None) is refused, size
        data = [event.data for event in connection.events() if isinstance(event, RejectData)]
        assert len(b"".join(data)) <= 50
    assert refusal(client(max_rejection_body=None), response(2**21 // 16)) is None


@pytest.mark.parametrize("cut", [None, 1])
def test_what_comes_before_the_answer_is_counted(cut: int | None) -> None:
    early = written([Frame(2, b"x" * 94)], "server")
    assert len(early) == 100
    for limit, refused in ((100, False), (99, True)):
        connection = server(max_early_data=limit)
        connection.receive_data(REQUEST)
        assert [type(event) for event in connection.events()] == [Request]
        seen = refusal(connection, *pieces_of(early, cut or 100))
        assert (seen is not None) is refused
        if not refused:
            connection.send(AcceptConnection())
            assert list(connection.events()) == [BytesMessage(b"x" * 94)]
    connection = server(max_early_data=None)
    connection.receive_data(REQUEST)
    assert refusal(connection, bytes(10**6)) is None


def test_of_long_lists_the_first_512_names_are_offered() -> None:
    names = [f"{number:x}" for number in range(1000)]
    lists = ", ".join(names)
    connection = server()
    lines = [f"Sec-WebSocket-{field}: {lists}" for field in ("Protocol", "Extensions")]
    connection.receive_data(heads.head([*heads.REQUEST, *lines]))
    (request,) = connection.events()
    assert isinstance(request, Request)
    assert request.subprotocols == request.extensions == names[:512]
    with pytest.raises(LocalProtocolError):
        connection.send(AcceptConnection(subprotocol=names[512]))
    connection.send(AcceptConnection(subprotocol=names[511]))


def test_a_request_that_was_parsed_elsewhere_has_the_limits_of_the_config() -> None:
    fields = [
        (b"host", b"example.com"),
        (b"upgrade", b"websocket"),
        (b"connection", b"upgrade"),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-key", heads.KEY.encode()),
        (b"x", b"y" * 20_000),
    ]
    server(max_head_size=None).initiate_upgrade_connection(fields, "/")
    for limits in ({}, {"max_head_size": 1000}, {"max_head_size": None, "max_head_fields": 5}):
        with pytest.raises(RemoteProtocolError):
            server(**limits).initiate_upgrade_connection(fields, "/")


@pytest.mark.parametrize("make", [WSConnection, H11Handshake])
def test_the_connection_behind_a_handshake_has_its_config(make: Any) -> None:
    handshake = make(ConnectionType.SERVER, config=Config(max_message_size=5, whole_messages=True))
    handshake.receive_data(REQUEST)
    assert len(list(handshake.events())) == 1
    handshake.send(AcceptConnection())
    connection: Connection = handshake.connection
    connection.receive_data(written([Frame(2, b"123", False), Frame(0, b"45")], "server"))
    assert list(connection.events()) == [BytesMessage(b"12345")]
    connection.receive_data(written([Frame(2, b"123456")], "server"))
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    assert event.code == 1009
