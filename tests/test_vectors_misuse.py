"""Misuse of the local API never reaches the wire: tests/vectors/misuse.json."""

from __future__ import annotations

from typing import Any

import pytest

from support.frames import decode
from support.misuse import (
    built,
    endpoint,
    frames_difference,
    head_difference,
    proof_of_life,
    roles,
)
from support.vectors import Case, identity, load
from ws13.connection import Connection, ConnectionState, ConnectionType
from ws13.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from ws13.utilities import LocalProtocolError

CASES = load("misuse")
RUNS = [
    pytest.param(case, role, id=f"{role} {identity(case)}")
    for case in CASES
    for role in roles(case)
]
BOTH = pytest.mark.parametrize("kind", [ConnectionType.SERVER, ConnectionType.CLIENT])
WRONG_TYPE = (LocalProtocolError, TypeError, ValueError)


def refused(case: Case, role: str) -> str | None:
    """Send the event; None when it was refused and nothing has changed."""
    connection = endpoint(case, role)
    before = connection.state
    errors = (LocalProtocolError, TypeError) if case.get("type_error") else LocalProtocolError
    try:
        sent = connection.send(built(case["event"]))
    except errors:
        assert connection.state is before
        proof_of_life(case, connection, role)
        return None
    return f"not refused, sent {sent[:80]!r}"


def sent_well(case: Case, role: str, expect: dict[str, Any]) -> str | None:
    """Send the event; None when the expected bytes went out."""
    connection = endpoint(case, role)
    try:
        sent = connection.send(built(case["event"]))
    except LocalProtocolError as error:
        return f"refused: {error}"
    assert type(sent) is bytes
    if "head" in expect:
        return head_difference(sent, expect["head"])
    if (found := frames_difference(sent, expect["frames"], role)) is None and "then" in case:
        proof_of_life(case, connection, role)
    return found


@pytest.mark.parametrize(("case", "role"), RUNS)
def test_the_event_goes_out_as_expected_or_is_refused_without_a_trace(
    case: Case, role: str
) -> None:
    expect = case["expect"]
    allowed = expect["either"] if isinstance(expect, dict) and "either" in expect else [expect]
    differences = [
        refused(case, role) if one == "refused" else sent_well(case, role, one) for one in allowed
    ]
    assert None in differences, differences


def still_open(connection: Connection) -> None:
    assert connection.state is ConnectionState.OPEN
    (frame,) = decode(connection.send(BytesMessage(data=b"after")))
    assert (frame.opcode, frame.payload) == (2, b"after")


@BOTH
@pytest.mark.parametrize("make", [Ping, Pong])
@pytest.mark.parametrize("payload", ["x", 5, 0, None, 1.5, [1, 2], True])
def test_a_ping_or_pong_payload_of_the_wrong_type_is_refused(
    kind: ConnectionType, make: Any, payload: Any
) -> None:
    connection = Connection(kind)
    with pytest.raises(WRONG_TYPE):
        connection.send(make(payload=payload))
    still_open(connection)


@BOTH
@pytest.mark.parametrize("data", ["x", 5, None, [1, 2]])
def test_a_binary_message_of_the_wrong_type_is_refused_or_sent_as_text(
    kind: ConnectionType, data: Any
) -> None:
    connection = Connection(kind)
    try:
        (frame,) = decode(connection.send(BytesMessage(data=data)))
    except WRONG_TYPE:
        still_open(connection)
    else:  # wsproto looks at the data, not at the event
        assert (frame.opcode, data) == (1, "x")


@BOTH
@pytest.mark.parametrize("code", [True, "1000", 1000.0, b"x"])
def test_a_close_code_of_the_wrong_type_is_refused(kind: ConnectionType, code: Any) -> None:
    connection = Connection(kind)
    with pytest.raises(WRONG_TYPE):
        connection.send(CloseConnection(code=code))
    still_open(connection)


@BOTH
def test_a_close_reason_with_a_lone_surrogate_is_refused(kind: ConnectionType) -> None:
    connection = Connection(kind)
    with pytest.raises(LocalProtocolError):
        connection.send(CloseConnection(code=1000, reason="\ud800"))
    still_open(connection)


@BOTH
def test_a_text_message_with_a_lone_surrogate_is_refused(kind: ConnectionType) -> None:
    connection = Connection(kind)
    with pytest.raises(LocalProtocolError):
        connection.send(TextMessage(data="a\udfff"))
    still_open(connection)


@BOTH
def test_a_message_is_taken_from_a_buffer_with_gaps(kind: ConnectionType) -> None:
    data: Any = memoryview(b"abcd")[::2]
    sent = Connection(kind).send(BytesMessage(data=data))
    assert [frame.payload for frame in decode(sent)] == [b"ac"]


@BOTH
def test_a_buffer_changed_after_sending_does_not_change_what_was_sent(
    kind: ConnectionType,
) -> None:
    data = bytearray(b"abcd" * 50)
    sent = Connection(kind).send(BytesMessage(data=data))
    assert data == b"abcd" * 50  # and it was not masked in place
    data[:4] = b"XXXX"
    assert [frame.payload for frame in decode(sent)] == [b"abcd" * 50]


@BOTH
def test_a_buffer_changed_after_receiving_does_not_change_what_was_received(
    kind: ConnectionType,
) -> None:
    other = ConnectionType.CLIENT if kind is ConnectionType.SERVER else ConnectionType.SERVER
    whole = Connection(other).send(BytesMessage(data=b"abcd" * 50))
    connection = Connection(kind)
    data: Any = bytearray(whole)
    connection.receive_data(data)
    assert data == whole  # and it was not unmasked in place
    data[:] = b"\xff" * len(data)
    assert list(connection.events()) == [BytesMessage(data=b"abcd" * 50)]
