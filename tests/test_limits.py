"""Limits: exact at the limit, an error one further, for every way to get there (row M-087)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest

from support.deflate import TAIL
from support.frames import Frame
from support.negotiation import NAME, opened
from support.strategies import written
from support.vectors import pieces_of
from ws13 import Config, WSConnection
from ws13.connection import ConnectionState
from ws13.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    TextMessage,
)
from ws13.utilities import LocalProtocolError

ROLES = pytest.mark.parametrize("role", ["client", "server"])
WHOLE = pytest.mark.parametrize("whole", [False, True], ids=["pieces", "whole"])
LIMIT = 300


def deflated(data: bytes) -> bytes:
    codec = zlib.compressobj(wbits=-15)
    return (codec.compress(data) + codec.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def parts_of(data: bytes, count: int) -> list[bytes]:
    size = max(1, -(-len(data) // count))
    return pieces_of(data, size) or [b""]


def single(body: bytes) -> list[Frame]:
    return [Frame(2, body)]


def fragmented(body: bytes) -> list[Frame]:
    parts = parts_of(body, 4)
    return [Frame(0 if i else 2, p, i == len(parts) - 1) for i, p in enumerate(parts)]


def compressed(body: bytes) -> list[Frame]:
    return [Frame(2, deflated(body), rsv=4)]


def compressed_fragments(body: bytes) -> list[Frame]:
    parts = parts_of(deflated(body), 4)
    last = len(parts) - 1
    return [Frame(0 if i else 2, p, i == last, 0 if i else 4) for i, p in enumerate(parts)]


def outcome(connection: WSConnection, chunks: list[bytes]) -> tuple[bytes, bool, int | None]:
    """What came out of a message, whether it is whole, and the close code."""
    parts, ended, code = [], False, None
    for chunk in chunks:
        connection.receive_data(chunk)
        for event in connection.events():
            if isinstance(event, CloseConnection):
                code = int(event.code)
                continue
            assert isinstance(event, BytesMessage)
            assert not ended
            assert code is None
            parts.append(event.data)
            ended = event.message_finished
    return b"".join(parts), ended, code


@ROLES
@WHOLE
@pytest.mark.parametrize("form", [single, fragmented, compressed, compressed_fragments])
@pytest.mark.parametrize("size", [None, 1, 7])
def test_m087_the_message_as_it_is_or_an_error_and_never_its_beginning(
    role: str, whole: bool, form: Callable[[bytes], list[Frame]], size: int | None
) -> None:
    config = Config(max_message_size=LIMIT, whole_messages=whole)
    body = bytes(range(251)) * 3
    steps = [-2, -1, 0, 1, 2, 3, 10, 100, 300] if size == 1 else range(-2, 301)
    for extra in steps:
        sent = body[: LIMIT + extra]
        stream = written(form(sent), role)
        chunks = pieces_of(stream, size or len(stream))
        payload, ended, code = outcome(opened(role, NAME, config), chunks)
        if extra <= 0:
            assert (payload, ended, code) == (sent, True, None), extra
            continue
        assert (ended, code) == (False, 1009), extra
        if whole:
            assert payload == b"", extra
        elif form in (compressed, compressed_fragments):
            assert payload == sent[:LIMIT], extra
        else:
            assert payload == sent[: len(payload)], extra
            assert len(payload) <= LIMIT, extra


def state(connection: WSConnection) -> ConnectionState:
    return connection.state


@ROLES
@WHOLE
def test_m087_a_failure_at_the_limit_is_a_failure_like_others(role: str, whole: bool) -> None:
    config = Config(max_message_size=5, whole_messages=whole)
    connection = opened(role, None, config)
    connection.receive_data(written([Frame(2, b"123456"), Frame(9)], role))
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    assert event.code == 1009
    assert event.reason
    assert state(connection) is ConnectionState.OPEN
    with pytest.raises(LocalProtocolError):
        connection.send(TextMessage("late"))
    assert connection.send(event.response())
    assert state(connection) is ConnectionState.LOCAL_CLOSING
    connection.receive_data(written([Frame(2, b"x")] * 3, role))
    assert list(connection.events()) == []


@ROLES
def test_m087_limits_are_on_what_comes_in_not_on_what_goes_out(role: str) -> None:
    config = Config(max_message_size=1, max_frame_size=1, max_fragments=1)
    connection = opened(role, None, config)
    assert connection.send(BytesMessage(b"12345", message_finished=False))
    assert connection.send(BytesMessage(b"12345"))


@ROLES
def test_m087_limits_that_are_not_set_do_not_hold(role: str) -> None:
    connection = opened(role)
    stream = written(
        [Frame(2, b"x", False), *[Frame(0, b"x" * 1000, False)] * 5000], role, bytes(4)
    )
    connection.receive_data(stream)
    assert sum(len(e.data) for e in connection.events() if isinstance(e, Message)) == 5_000_001


@ROLES
@pytest.mark.parametrize("kind", ["presets", "limits"])
def test_presets_hold_their_limits(role: str, kind: str) -> None:
    config = Config.server() if kind == "presets" else Config(max_message_size=2**20)
    connection = opened(role, NAME, config)
    for size, code in ((2**20, None), (2**20 + 1, 1009)):
        connection.receive_data(written(compressed(bytes(size)), role))
        events = list(connection.events())
        codes = [int(event.code) for event in events if isinstance(event, CloseConnection)]
        assert codes == ([code] if code else [])
        if kind == "presets" and not code:
            assert events == [BytesMessage(bytes(size))]


@ROLES
def test_the_preset_of_a_server_limits_the_frames_of_a_message(role: str) -> None:
    connection = opened(role, None, Config.server())
    frames = [Frame(2, b"", False), *[Frame(0, b"", False)] * 4095]
    connection.receive_data(written(frames, role))
    assert list(connection.events()) == []
    connection.receive_data(written([Frame(0, b"")], role))
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    assert event.code == 1009


# Whole messages.


@ROLES
def test_whole_messages_come_once_and_control_frames_when_they_come(role: str) -> None:
    connection = opened(role, NAME, Config(whole_messages=True))
    stream = [
        Frame(1, "é".encode()[:1], False),
        Frame(9, b"1"),
        Frame(0, "é".encode()[1:], False),
        Frame(10, b"2"),
        Frame(0, b""),
        Frame(2, b""),
        *compressed_fragments(b"Hello"),
    ]
    seen: list[Event] = []
    for byte in written(stream, role):
        connection.receive_data(bytes([byte]))
        seen += connection.events()
    assert [type(event).__name__ for event in seen[:2]] == ["Ping", "Pong"]
    assert seen[2:] == [TextMessage("é"), BytesMessage(b""), BytesMessage(b"Hello")]
    assert isinstance(seen[0], Ping)


@ROLES
@pytest.mark.parametrize("end", [Frame(8, b"\x03\xe8"), None])
def test_a_message_that_is_not_whole_when_the_connection_ends_does_not_come(
    role: str, end: Frame | None
) -> None:
    connection = opened(role, None, Config(whole_messages=True))
    connection.receive_data(written([Frame(1, b"abc", False), *([end] if end else [])], role))
    connection.receive_data(None)
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    assert event.code == (1000 if end else 1006)


@ROLES
def test_whole_text_is_checked_as_it_comes(role: str) -> None:
    connection = opened(role, None, Config(whole_messages=True))
    connection.receive_data(written([Frame(1, b"abc\xff", False)], role))
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    assert event.code == 1007
