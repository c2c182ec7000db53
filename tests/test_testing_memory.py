"""Two ends in memory: of ws13, of wsproto, of both, and of what only looks like a connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ws13 import Config, ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from ws13.testing import bytewise, close, every, joined, opened, ping, text
from ws13.utilities import LocalProtocolError, RemoteProtocolError


def test_opened_ends_have_the_handshake_behind_them() -> None:
    talk = opened(accept=AcceptConnection("chat"), request=Request("a.b", "/c", [], [], ["chat"]))
    (request,), (accept,) = talk.server.events, talk.client.events
    assert (request.target, accept.subprotocol) == ("/c", "chat")  # type: ignore[attr-defined]
    assert talk.client.new_events() == talk.server.new_events() == []
    assert talk.client.connection.state is ConnectionState.OPEN  # type: ignore[attr-defined]


def test_what_one_end_sends_the_other_has_as_events() -> None:
    talk = opened()
    talk.client.send(TextMessage("a"), BytesMessage(b"b"))
    talk.server.send(TextMessage("c"))
    assert talk.server.new_events() == [TextMessage("a"), BytesMessage(b"b")]
    assert talk.client.new_events() == [TextMessage("c")]
    assert talk.client.new_events() == []
    assert talk.client.events[-1] == TextMessage("c")


def test_bytes_are_cut_on_their_way() -> None:
    talk = opened(cut=every(4))
    talk.server.send(TextMessage("abcdefgh"))
    assert [event.data for event in talk.client.new_events()] == ["ab", "cdef", "gh"]  # type: ignore[attr-defined]


def test_ping_and_close_are_answered() -> None:
    talk = opened(cut=bytewise)
    talk.server.send(Ping(b"x"), CloseConnection(1001, "bye"))
    assert talk.client.new_events() == [Ping(b"x"), CloseConnection(1001, "bye")]
    assert talk.server.new_events() == [Pong(b"x"), CloseConnection(1001, "bye")]
    assert talk.server.connection.state is ConnectionState.CLOSED  # type: ignore[attr-defined]
    assert talk.client.connection.state is ConnectionState.CLOSED  # type: ignore[attr-defined]


def test_nothing_is_answered_when_nothing_is_to_be() -> None:
    talk = opened(answering=False)
    talk.server.send(Ping(b"x"), CloseConnection(1001, "bye"))
    assert talk.server.new_events() == []


def test_a_ping_behind_our_own_close_is_not_answered() -> None:
    talk = opened(answering=False)
    talk.client.send(CloseConnection(1000))
    talk.client.answering = True
    talk.server.send_bytes(bytes(ping(b"late")))
    assert talk.client.new_events() == [Ping(b"late")]
    assert talk.server.new_events() == [CloseConnection(1000, "")]


def test_a_failed_connection_is_closed_with_its_code() -> None:
    talk = opened()
    start = len(talk.client.sent)
    talk.server.send_bytes(bytes(text(b"\xff")))
    (failure,) = talk.client.new_events()
    assert failure.code == 1007  # type: ignore[attr-defined]
    (answer,) = talk.server.new_events()
    assert answer.code == 1007  # type: ignore[attr-defined]
    assert len(talk.client.sent) > start


def test_tcp_ends_in_one_direction_or_in_both() -> None:
    talk = opened()
    talk.client.end()
    assert [event.code for event in talk.server.new_events()] == [1006]  # type: ignore[attr-defined]
    assert talk.client.new_events() == []
    talk.end()
    assert [event.code for event in talk.client.new_events()] == [1006]  # type: ignore[attr-defined]


def test_bytes_of_ones_own_reach_the_other_end() -> None:
    talk = opened()
    talk.server.send_bytes(bytes(close(3000, "own")))
    assert talk.client.new_events() == [CloseConnection(3000, "own")]
    assert bytes(talk.server.sent).endswith(b"own")


def test_errors_of_an_end_reach_whoever_sends_and_leave_nothing_under_way() -> None:
    client, server = WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER)
    talk = joined(client, server)
    with pytest.raises(RemoteProtocolError):
        talk.client.send_bytes(b"GET / HTTP/1.0\r\n\r\n")
    with pytest.raises(LocalProtocolError):
        talk.client.send(TextMessage("too early"))
    assert talk.server.events == []


def test_limits_are_given_to_each_end() -> None:
    talk = opened(server_config=Config(max_message_size=3), client_config=Config())
    talk.client.send(TextMessage("long"))
    assert talk.server.events[-1].code == 1009  # type: ignore[attr-defined]


def test_ends_of_wsproto_and_ws13_are_joined() -> None:
    wsproto: Any = pytest.importorskip("wsproto")
    events: Any = pytest.importorskip("wsproto.events")
    client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    talk = joined(client, WSConnection(ConnectionType.SERVER), cut=bytewise)
    talk.client.send(events.Request(host="example.com", target="/"))
    talk.server.send(AcceptConnection())
    talk.client.send(events.Ping(b"x"), events.TextMessage("hello"))
    talk.server.send(CloseConnection(1000))
    kinds = [type(event).__name__ for event in talk.client.events]
    assert kinds == ["AcceptConnection", "Pong", "CloseConnection"]
    assert "".join(e.data for e in talk.server.events if isinstance(e, TextMessage)) == "hello"
    assert talk.server.connection.state is ConnectionState.CLOSED  # type: ignore[attr-defined]


class Shouting:
    """The least that an end has to have."""

    def __init__(self) -> None:
        self.taken: list[bytes | None] = []

    def send(self, event: str) -> bytes:
        return event.encode()

    def receive_data(self, data: bytes | None) -> None:
        self.taken.append(data)

    def events(self) -> Iterator[str]:
        yield f"got {self.taken[-1]!r}"


def test_anything_with_three_methods_is_an_end() -> None:
    talk = joined(Shouting(), Shouting(), cut=every(1))
    talk.client.send("ab")
    talk.server.end()
    assert talk.server.events == ["got b'a'", "got b'b'"]
    assert talk.client.events == ["got None"]
    assert bytes(talk.client.sent) == b"ab"


class Answerable:
    def response(self) -> str:
        return "answer"


class Failing(Shouting):
    """Answers the first byte, and fails at the second."""

    def receive_data(self, data: bytes | None) -> None:
        super().receive_data(data)
        if len(self.taken) == 2:
            raise RuntimeError

    def events(self) -> Iterator[Any]:
        yield Answerable()


def test_an_answer_that_was_under_way_when_an_end_failed_does_not_come_later() -> None:
    client = Shouting()
    talk = joined(client, Failing(), cut=every(1))
    with pytest.raises(RuntimeError):
        talk.client.send("ab")
    talk.server.send("later")
    assert client.taken == [b"l", b"a", b"t", b"e", b"r"]
