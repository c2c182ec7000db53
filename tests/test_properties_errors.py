"""P2: only documented exceptions leave, and a refused call changes nothing.

Whatever the peer sends, and whatever values a program passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support import frames, heads, http, strategies
from support.frames import Frame
from support.model import connection_type, opened
from support.strategies import anything, roles
from support.tape import Opening, Tape, played, take_all
from ws13 import H11Handshake, WSConnection, handshake, utilities
from ws13.connection import Connection, ConnectionState
from ws13.events import (
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
from ws13.utilities import LocalProtocolError, ProtocolError, RemoteProtocolError

PROFILE = settings(max_examples=200, deadline=None)
REQUEST = Request(host="example.com", target="/chat", subprotocols=["chat"])
DOCUMENTED = (ProtocolError, TypeError, ValueError)

arbitrary_events = st.one_of(
    st.builds(Request, *[anything] * 5),
    st.builds(lambda headers: Request("example.com", "/", extra_headers=headers), anything),
    st.builds(lambda names: Request("example.com", "/", subprotocols=names), anything),
    st.builds(AcceptConnection, *[anything] * 3),
    st.builds(lambda headers: AcceptConnection(extra_headers=headers), anything),
    st.builds(lambda name: AcceptConnection(subprotocol=name), anything),
    st.builds(RejectConnection, *[anything] * 3),
    st.builds(lambda headers: RejectConnection(403, headers), anything),
    st.builds(lambda status: RejectConnection(status), anything),
    st.builds(RejectData, anything, anything),
    st.builds(CloseConnection, anything, anything),
    st.builds(lambda reason: CloseConnection(1000, reason), anything),
    st.builds(Message, *[anything] * 3),
    st.builds(TextMessage, *[anything] * 3),
    st.builds(BytesMessage, *[anything] * 3),
    st.builds(Ping, anything),
    st.builds(Pong, anything),
    anything,
)


def alive(connection: Connection | WSConnection) -> None:
    """An open connection goes on as if nothing had been refused."""
    sent = frames.decode(connection.send(BytesMessage(b"after")))
    assert [(frame.opcode, frame.payload, frame.fin) for frame in sent] == [(2, b"after", True)]


# Bytes


@PROFILE
@given(role=roles, stream=st.binary(max_size=80), data=st.data())
def test_bytes_of_the_peer_raise_nothing_on_an_open_connection(
    role: str, stream: bytes, data: st.DataObject
) -> None:
    played(opened(role), data.draw(strategies.schedules(stream)), ends=True)


@PROFILE
@given(head=heads.requests() | st.binary(max_size=80), ends=st.booleans())
def test_a_request_raises_nothing_but_remote_protocol_errors(head: bytes, ends: bool) -> None:
    end = Opening("server")
    end.feed([head, None] if ends else [head])
    if end.error is None:
        return
    assert type(end.error) is RemoteProtocolError
    hint = end.error.event_hint
    assert isinstance(hint, RejectConnection)
    answer = http.parse(end.connection.send(hint))
    assert answer.status == hint.status_code
    assert 400 <= answer.status < 600


@PROFILE
@given(response=heads.responses() | st.binary(max_size=80), ends=st.booleans())
def test_a_response_raises_nothing_but_remote_protocol_errors(response: bytes, ends: bool) -> None:
    end = Opening("client", REQUEST)
    (key,) = http.parse(end.sent).all("Sec-WebSocket-Key")
    end.feed(
        [*heads.answering(key, [response]), None] if ends else heads.answering(key, [response])
    )
    if end.error is not None:
        assert end.connection.connection is None
        assert end.connection.state is not ConnectionState.OPEN


# Values


@PROFILE
@given(role=roles, event=arbitrary_events, inside=st.sampled_from([None, "text", "binary"]))
@example(role="client", event=Ping(cast("Any", "text")), inside="text")
def test_an_event_with_any_values_is_sent_or_refused_without_a_trace(
    role: str, event: Any, inside: str | None
) -> None:
    connection = opened(role)
    if inside == "text":
        connection.send(TextMessage("begun", message_finished=False))
    if inside == "binary":
        connection.send(BytesMessage(b"begun", message_finished=False))
    try:
        sent = connection.send(event)
    except DOCUMENTED:
        assert connection.state is ConnectionState.OPEN
        if inside == "text":
            sent = connection.send(TextMessage("end"))
            wanted = Frame(0, b"end", masked=role == "client")
            assert frames.decode(sent) == [wanted]
        elif inside == "binary":
            sent = connection.send(BytesMessage(b"end"))
            assert frames.decode(sent) == [Frame(0, b"end", masked=role == "client")]
        alive(connection)
    else:
        assert type(sent) is bytes
        assert len(frames.decode(sent)) == 1
        closing = isinstance(event, CloseConnection)
        states = ConnectionState.LOCAL_CLOSING, ConnectionState.OPEN
        assert connection.state is states[0 if closing else 1]


@PROFILE
@given(role=roles, event=arbitrary_events)
def test_an_event_with_any_values_in_a_handshake_is_sent_or_refused_without_a_trace(
    role: str, event: Any
) -> None:
    connection = WSConnection(connection_type(role))
    if role == "server":
        connection.receive_data(heads.head(heads.REQUEST))
        assert len(list(connection.events())) == 1
    try:
        sent = connection.send(event)
    except DOCUMENTED:
        assert connection.state is ConnectionState.CONNECTING
        assert connection.connection is None
        proper: Event = AcceptConnection() if role == "server" else REQUEST
        assert http.parse(connection.send(proper)).rest == b""
    else:
        assert type(sent) is bytes
        assert http.parse(sent).rest == b""


@PROFILE
@given(role=roles, value=anything)
def test_receive_data_takes_bytes_or_none_and_refuses_the_rest(role: str, value: Any) -> None:
    connection = opened(role)
    try:
        connection.receive_data(value)
    except DOCUMENTED:
        alive(connection)
        good = strategies.written([Frame(9, b"x")], role)
        connection.receive_data(good)
        assert list(connection.events()) == [Ping(b"x")]
    else:
        assert value is None or isinstance(value, (bytes, bytearray, memoryview))
        take_all(connection, Tape())


@PROFILE
@given(role=roles, value=anything)
def test_receive_data_in_a_handshake_takes_bytes_or_none_and_refuses_the_rest(
    role: str, value: Any
) -> None:
    connection = WSConnection(connection_type(role))
    try:
        connection.receive_data(value)
    except RemoteProtocolError:
        assert value is None or len(value) > 0
    except (TypeError, ValueError):
        assert connection.state is ConnectionState.CONNECTING
        assert list(connection.events()) == []
        if role == "server":
            connection.receive_data(heads.head(heads.REQUEST))
            assert len(list(connection.events())) == 1
    else:
        assert isinstance(value, (bytes, bytearray, memoryview))


@PROFILE
@given(headers=anything, path=anything)
def test_a_parsed_request_with_any_values_is_taken_or_refused(headers: Any, path: Any) -> None:
    connection = WSConnection(connection_type("server"))
    try:
        connection.initiate_upgrade_connection(headers, path)
    except RemoteProtocolError:
        assert list(connection.events()) == []
    except DOCUMENTED:
        assert connection.state is ConnectionState.CONNECTING
        connection.receive_data(heads.head(heads.REQUEST))
        assert len(list(connection.events())) == 1
    else:
        pytest.fail("no value of any type is a good request")


CONSTRUCTORS: list[Callable[..., object]] = [WSConnection, H11Handshake, Connection]


@pytest.mark.parametrize("make", CONSTRUCTORS)
@PROFILE
@given(value=anything)
def test_a_connection_type_of_any_type_is_a_type_or_refused(
    make: Callable[..., object], value: Any
) -> None:
    """wsproto takes everything but CLIENT for SERVER, so that does not have to be refused."""
    try:
        made: Any = make(value)
    except DOCUMENTED:
        return
    assert made.client is False


@PROFILE
@given(extensions=anything, trailing=anything)
def test_a_connection_with_any_arguments_is_made_or_refused(extensions: Any, trailing: Any) -> None:
    try:
        connection = Connection(connection_type("client"), extensions, trailing)
    except DOCUMENTED:
        return
    take_all(connection, Tape())


FUNCTIONS: list[Callable[[Any], object]] = [
    utilities.normed_header_dict,
    utilities.split_comma_header,
    utilities.generate_accept_token,
    lambda value: handshake.server_extensions_handshake(value, []),
    lambda value: handshake.client_extensions_handshake(value, []),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@PROFILE
@given(value=anything)
def test_a_helper_with_any_argument_answers_or_refuses(
    function: Callable[[Any], object], value: Any
) -> None:
    try:
        function(value)
    except (*DOCUMENTED, AttributeError):
        pass


@pytest.mark.parametrize("role", ["client", "server"])
def test_a_refusal_says_which_event_in_which_state(role: str) -> None:
    connection = opened(role)
    connection.send(CloseConnection(1000))
    with pytest.raises(LocalProtocolError) as caught:
        connection.send(Ping(b"x"))
    text = "Event Ping(payload=b'x') cannot be sent in state ConnectionState.LOCAL_CLOSING."
    assert str(caught.value) == text
