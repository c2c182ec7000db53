"""Properties that hold for every input. Those of errors are in test_properties_errors.py."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import frames, heads, http, strategies
from support.frames import Frame
from support.model import CLOSED, connection_type, opened
from support.strategies import roles
from support.tape import Opening, Tape, played, take_all
from ws13.connection import Connection
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    Pong,
    Request,
)
from ws13.utilities import RemoteProtocolError

PROFILE = settings(max_examples=250, deadline=None)
REQUEST = Request(host="example.com", target="/chat", subprotocols=["chat"])


def whole(role: str, data: bytes, ends: bool, our_close: bool = False) -> tuple[Tape, object]:
    """The bytes in one piece."""
    connection = opened(role)
    if our_close:
        connection.send(CloseConnection(1000))
    tape = played(connection, [(data, "all")], ends)
    return tape, connection.state


# P1: any cut of the same bytes gives the same payloads, the same order of events and the verdict.


@PROFILE
@given(role=roles, data=st.data(), ends=st.booleans(), our_close=st.booleans())
def test_any_cut_of_what_a_peer_sends_gives_the_same(
    role: str, data: st.DataObject, ends: bool, our_close: bool
) -> None:
    stream = data.draw(strategies.streams(role))
    schedule = data.draw(strategies.schedules(stream))
    connection = opened(role)
    if our_close:
        connection.send(CloseConnection(1000))
    tape = played(connection, schedule, ends)
    expected, state = whole(role, stream, ends, our_close)
    assert (tape.all, connection.state) == (expected.all, state)


@PROFILE
@given(role=roles, stream=st.binary(max_size=60), ends=st.booleans(), data=st.data())
def test_any_cut_of_arbitrary_bytes_gives_the_same(
    role: str, stream: bytes, ends: bool, data: st.DataObject
) -> None:
    connection = opened(role)
    tape = played(connection, data.draw(strategies.schedules(stream)), ends)
    expected, state = whole(role, stream, ends)
    assert (tape.all, connection.state) == (expected.all, state)


@PROFILE
@given(data=st.data())
def test_any_cut_of_a_request_gives_the_same(data: st.DataObject) -> None:
    frames_behind = strategies.written(
        data.draw(strategies.conversations(max_messages=1)), "server"
    )
    stream = data.draw(heads.requests()) + frames_behind
    ends = [None] if data.draw(st.booleans()) else []
    one, many = Opening("server"), Opening("server")
    one.feed([stream, *ends])
    many.feed([*data.draw(strategies.cuts(stream)), *ends])
    assert many.verdict == one.verdict
    assert many.sent == one.sent


@PROFILE
@given(data=st.data())
def test_any_cut_of_a_response_gives_the_same(data: st.DataObject) -> None:
    response = data.draw(heads.responses())
    response += strategies.written(data.draw(strategies.conversations(max_messages=1)), "client")
    ends = [None] if data.draw(st.booleans()) else []
    verdicts = []
    # An empty read is nothing, but for a body that only the end of the stream ends.
    cut = [chunk for chunk in data.draw(strategies.cuts(response)) if chunk]
    for chunks in ([response], cut):
        end = Opening("client", REQUEST)
        (key,) = http.parse(end.sent).all("Sec-WebSocket-Key")
        end.feed([*heads.answering(key, chunks), *ends])
        verdicts.append(repr(end.verdict).replace(http.accept_token(key), heads.TOKEN))
    assert verdicts[1] == verdicts[0]


@PROFILE
@given(role=roles, stream=st.binary(max_size=80), data=st.data())
def test_any_cut_of_arbitrary_bytes_in_a_handshake_gives_the_same(
    role: str, stream: bytes, data: st.DataObject
) -> None:
    request = REQUEST if role == "client" else None
    one, many = Opening(role, request), Opening(role, request)
    one.feed([stream])
    many.feed(data.draw(strategies.cuts(stream)))
    assert many.verdict == one.verdict


# P3: bytes are conserved.


@PROFILE
@given(role=roles, data=st.data())
def test_a_binary_message_is_given_out_to_the_last_byte_that_came(
    role: str, data: st.DataObject
) -> None:
    """Nothing of it is kept back and nothing is given out twice, wherever the stream stops."""
    parts = data.draw(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
    last = len(parts) - 1
    sent = [Frame(0 if i else 2, part, i == last) for i, part in enumerate(parts)]
    stream = strategies.written(sent, role)
    stop = data.draw(st.integers(0, len(stream)))
    arrived, at = b"", 0
    for frame in sent:
        size = len(strategies.written([frame], role))
        begin = at + size - len(frame.payload)
        arrived += frame.payload[: max(0, stop - begin)]
        at += size
    connection, given_out = opened(role), b""
    for chunk in data.draw(strategies.cuts(stream[:stop])):
        connection.receive_data(chunk)
        for event in connection.events():
            assert isinstance(event, BytesMessage)
            given_out += event.data
    assert given_out == arrived


@pytest.mark.parametrize("role", ["client", "server"])
def test_no_byte_behind_the_head_is_lost_wherever_the_stream_is_cut(role: str) -> None:
    behind = [Frame(9, b"ping"), Frame(1, b"a", False), Frame(0, b"b"), Frame(8, b"\x03\xe8")]
    for cut in range(-30, 31):
        end = Opening(role, REQUEST if role == "client" else None)
        if role == "client":
            (key,) = http.parse(end.sent).all("Sec-WebSocket-Key")
            lines = [
                "HTTP/1.1 101 Switching Protocols",
                "Upgrade: websocket",
                "Connection: Upgrade",
                f"Sec-WebSocket-Accept: {http.accept_token(key)}",
            ]
        else:
            lines = heads.REQUEST
        head = heads.head(lines)
        stream = head + strategies.written(behind, role)
        end.feed([stream[: len(head) + cut], stream[len(head) + cut :]])
        assert end.error is None
        assert end.tape.items[1:] == [
            ("Ping", b"ping"),
            ("text", "a", False),
            ("text", "b", True),
            ("close", 1000, ""),
        ]


@PROFILE
@given(tail=st.binary(max_size=300), data=st.data())
def test_what_comes_before_the_server_accepts_is_the_beginning_of_the_connection(
    tail: bytes, data: st.DataObject
) -> None:
    sent = strategies.written([Frame(2, tail)], "server")
    early = data.draw(st.integers(0, len(sent)))
    end = Opening("server").connection
    for chunk in data.draw(strategies.cuts(heads.head(heads.REQUEST) + sent[:early])):
        end.receive_data(chunk)
    assert [type(event) for event in end.events()] == [Request]
    end.send(AcceptConnection())
    end.receive_data(sent[early:])
    tape = Tape()
    take_all(end, tape)
    assert tape.all == (("binary", tail or None, True), None)


# P4: after a failure or a close, whatever comes yields nothing.


@PROFILE
@given(role=roles, data=st.data(), late=st.binary(max_size=40), answer=st.booleans())
def test_nothing_comes_out_behind_the_last_event(
    role: str, data: st.DataObject, late: bytes, answer: bool
) -> None:
    legal = strategies.written(data.draw(strategies.conversations(close=False)), role)
    close = strategies.written([Frame(8, b"\x03\xe8")], role)
    last = data.draw(st.just(close) | strategies.broken_frames(role))
    connection = opened(role)
    tape = played(connection, [(legal + last + late, "all")], ends=False)
    assert tape.items[-1][0] == "close"
    if answer:
        connection.send(CloseConnection(1000))
        assert list(connection.events()) == []
    good = strategies.written([Frame(1, b"late"), Frame(9, b"late")], role)
    for chunk in (late, good, b"", None, None):
        connection.receive_data(chunk)
        assert list(connection.events()) == []
    assert connection.state is CLOSED
    connection.receive_data(good)
    assert list(connection.events()) == []


@PROFILE
@given(data=st.data(), late=st.binary(max_size=40))
def test_nothing_comes_out_of_a_handshake_that_failed(data: st.DataObject, late: bytes) -> None:
    end = Opening("server")
    end.feed([data.draw(heads.requests())])
    if end.error is None:
        return
    for chunk in (late, heads.head(heads.REQUEST), None):
        with contextlib.suppress(RemoteProtocolError):
            end.connection.receive_data(chunk)
        assert list(end.connection.events()) == []
    assert end.connection.connection is None


# P6: decoded frames encode to the same bytes when the input was minimal.


@PROFILE
@given(role=roles, data=st.data())
def test_what_was_received_encodes_to_the_same_bytes(role: str, data: st.DataObject) -> None:
    stream = strategies.written(data.draw(strategies.conversations(whole_code_points=True)), role)
    receiver = opened(role)
    receiver.receive_data(stream)
    peer = opened("client" if role == "server" else "server")
    again = b"".join(peer.send(event) for event in receiver.events())
    if role == "client":
        assert again == stream
    else:
        assert frames.decode(again) == frames.decode(stream)
        assert len(again) == len(stream)


@PROFILE
@given(
    event=st.builds(BytesMessage, strategies.binaries)
    | st.builds(Ping, strategies.control_payloads)
    | st.builds(Pong, strategies.control_payloads)
)
def test_a_client_masks_with_the_key_that_it_writes(event: BytesMessage | Ping | Pong) -> None:
    payload = bytes(event.data if isinstance(event, Message) else event.payload)
    opcode = {BytesMessage: 2, Ping: 9, Pong: 10}[type(event)]
    sent = opened("client").send(event)
    key = sent[-len(payload) - 4 : len(sent) - len(payload)]
    assert sent == frames.encode(Frame(opcode, payload), key)


# P11: the end of the stream is idempotent.


@PROFILE
@given(role=roles, data=st.data(), times=st.integers(1, 3), our_close=st.booleans())
def test_the_end_of_the_stream_is_told_at_most_once(
    role: str, data: st.DataObject, times: int, our_close: bool
) -> None:
    stream = data.draw(strategies.streams(role))
    connection = opened(role)
    if our_close:
        connection.send(CloseConnection(1000))
    tape = played(connection, [(stream, "all")], ends=False)
    over = bool(tape.items) and tape.items[-1][0] == "close"
    before = len(tape.items)
    for _ in range(times):
        connection.receive_data(None)
    take_all(connection, tape)
    assert tape.items[before:] == ([] if over else [("close", 1006, None)])
    connection.receive_data(None)
    assert list(connection.events()) == []
    assert connection.state is CLOSED


@pytest.mark.parametrize("size", [0, 1, 40, len(heads.head(heads.REQUEST)) - 1])
def test_the_end_of_the_stream_inside_a_request_is_one_error(size: int) -> None:
    end = Opening("server").connection
    end.receive_data(heads.head(heads.REQUEST)[:size])
    with pytest.raises(RemoteProtocolError):
        end.receive_data(None)
    end.receive_data(None)
    assert list(end.events()) == []


@pytest.mark.parametrize("early", [b"", b"\x89"])
def test_early_data_may_be_empty(early: bytes) -> None:
    connection = Connection(connection_type("client"), None, early)
    connection.receive_data(b"\x89\x00"[len(early) :])
    assert list(connection.events()) == [Ping(b"")]
