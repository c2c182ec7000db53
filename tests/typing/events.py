"""Types of the events, as a program written for wsproto sees them. Checked, not run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import TYPE_CHECKING

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
from ws13.extensions import Extension
from ws13.frame_protocol import CloseReason
from ws13.typing import Headers

if TYPE_CHECKING:
    from typing_extensions import assert_never, assert_type


def fields_have_types() -> None:
    request = Request(host="example.com", target="/", subprotocols=["chat"])
    assert_type(request.host, str)
    assert_type(request.target, str)
    assert_type(request.extra_headers, Headers)
    assert_type(request.subprotocols, list[str])
    assert_type(request.extensions, Sequence[Extension] | Sequence[str])

    accept = AcceptConnection(subprotocol="chat", extra_headers=[(b"a", b"b")])
    assert_type(accept.subprotocol, str | None)
    assert_type(accept.extensions, list[Extension])
    assert_type(accept.extra_headers, Headers)

    reject = RejectConnection(status_code=403, headers=[], has_body=True)
    assert_type(reject.status_code, int)
    assert_type(reject.headers, Headers)
    assert_type(reject.has_body, bool)

    data = RejectData(b"no", body_finished=True)
    assert_type(data.data, bytes)
    assert_type(data.body_finished, bool)

    close = CloseConnection(code=CloseReason.NORMAL_CLOSURE, reason="bye")
    assert_type(close.code, int)
    assert_type(close.reason, str | None)
    assert_type(close.response(), CloseConnection)

    ping = Ping(b"x")
    assert_type(ping.payload, bytes)
    assert_type(ping.response(), Pong)
    assert_type(Pong(payload=b"x").payload, bytes)


def messages_have_types() -> None:
    text = TextMessage(data="x", frame_finished=True, message_finished=False)
    assert_type(text.data, str)
    assert_type(text.frame_finished, bool)
    assert_type(text.message_finished, bool)
    binary = BytesMessage(data=bytearray(b"x"))
    assert_type(bytes(binary.data), bytes)
    assert_type(len(binary.data), int)
    generic: Message[str] = TextMessage("x")
    assert_type(generic.data, str)
    assert_type(Message("x").data, str)


def fields_take_what_wsproto_takes() -> None:
    everything: list[Event] = [
        Request("h", "/", [], [], []),
        AcceptConnection(),
        RejectConnection(),
        RejectData(b""),
        CloseConnection(1000),
        CloseConnection(4000, None),
        BytesMessage(b"x", True, True),
        TextMessage("x", True, True),
        Ping(),
        Pong(),
    ]
    assert_type(everything[0], Event)


def isinstance_narrows(event: Event) -> str | None:
    if isinstance(event, TextMessage):
        assert_type(event.data, str)
        return event.data
    if isinstance(event, BytesMessage):
        return bytes(event.data).decode()
    if isinstance(event, (Ping, Pong)):
        assert_type(event.payload, bytes)
    elif isinstance(event, CloseConnection):
        assert_type(event.reason, str | None)
        return event.reason
    return None


def class_patterns_bind(event: Ping | CloseConnection | TextMessage) -> str:
    match event:
        case Ping(payload):
            assert_type(payload, bytes)
            return payload.decode()
        case CloseConnection(code, reason):
            assert_type(code, int)
            assert_type(reason, str | None)
            return f"{code} {reason}"
        case TextMessage(data=data, message_finished=finished):
            assert_type(data, str)
            assert_type(finished, bool)
            return data
        case _:
            assert_never(event)


@singledispatch
def handle(event: object) -> str:
    return "unknown"


@handle.register
def _(event: Ping) -> str:
    return event.payload.decode()


class Marked(TextMessage):
    """Events may be subclassed."""

    def mark(self) -> str:
        return f"<{self.data}>"


def subclasses_keep_their_fields() -> None:
    assert_type(Marked("x").mark(), str)
    assert_type(Marked("x").data, str)
