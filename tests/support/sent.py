"""What our end sends, read naively, one frame for one event."""

from __future__ import annotations

from typing import Any

from support import frames
from support.frames import Frame
from support.inflate import Inflater
from ws13 import WSConnection
from ws13.events import BytesMessage, Message

RSV1 = 4


def sent(connection: WSConnection, event: Message[Any], compress: bool | None = None) -> Frame:
    """The one frame of an event."""
    (frame,) = frames.decode(connection.send(event, compress=compress))
    return frame


def message(connection: WSConnection, *parts: bytes) -> list[Frame]:
    """A compressed binary message in these parts."""
    last = len(parts) - 1
    made = [
        sent(connection, BytesMessage(part, message_finished=i == last), compress=True)
        if i == 0
        else sent(connection, BytesMessage(part, message_finished=i == last))
        for i, part in enumerate(parts)
    ]
    assert [frame.opcode for frame in made] == [2] + [0] * last
    assert [frame.rsv for frame in made] == [RSV1] + [0] * last
    assert [frame.fin for frame in made] == [False] * last + [True]
    return made


def inflated(inflater: Inflater, made: list[Frame]) -> bytes:
    found = inflater.message(b"".join(frame.payload for frame in made))
    assert found.fault is None
    return found.data
