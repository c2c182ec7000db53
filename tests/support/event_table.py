"""All events, each with a value for every field."""

from __future__ import annotations

from typing import Any

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

#: Class, its fields with a value for each, and the defaults of those that have one.
EVENTS: list[tuple[type[Event], dict[str, Any], dict[str, Any]]] = [
    (
        Request,
        {
            "host": "example.com",
            "target": "/chat",
            "extensions": ["x"],
            "extra_headers": [(b"a", b"b")],
            "subprotocols": ["chat"],
        },
        {"extensions": [], "extra_headers": [], "subprotocols": []},
    ),
    (
        AcceptConnection,
        {"subprotocol": "chat", "extensions": ["x"], "extra_headers": [(b"a", b"b")]},
        {"subprotocol": None, "extensions": [], "extra_headers": []},
    ),
    (
        RejectConnection,
        {"status_code": 403, "headers": [(b"a", b"b")], "has_body": True},
        {"status_code": 400, "headers": [], "has_body": False},
    ),
    (RejectData, {"data": b"no", "body_finished": False}, {"body_finished": True}),
    (CloseConnection, {"code": 1001, "reason": "bye"}, {"reason": None}),
    (
        Message,
        {"data": b"x", "frame_finished": False, "message_finished": False},
        {"frame_finished": True, "message_finished": True},
    ),
    (
        TextMessage,
        {"data": "x", "frame_finished": False, "message_finished": False},
        {"frame_finished": True, "message_finished": True},
    ),
    (
        BytesMessage,
        {"data": b"x", "frame_finished": False, "message_finished": False},
        {"frame_finished": True, "message_finished": True},
    ),
    (Ping, {"payload": b"p"}, {"payload": b""}),
    (Pong, {"payload": b"p"}, {"payload": b""}),
]
