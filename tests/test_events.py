"""Events feel like wsproto's frozen dataclasses, and are compared with those."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import pickle
from functools import singledispatch
from typing import Any

import pytest

from support.event_table import EVENTS
from support.frames import Frame
from support.model import opened
from support.strategies import written
from ws13 import events
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
from ws13.frame_protocol import CloseReason

NAMES = [cls.__name__ for cls, _values, _defaults in EVENTS]
each = pytest.mark.parametrize(("cls", "values", "defaults"), EVENTS, ids=NAMES)
UNHASHABLE = (Request, AcceptConnection, RejectConnection)

has_wsproto = importlib.util.find_spec("wsproto") is not None


def untyped(cls: type[Event]) -> Any:
    """The class, for calls with any arguments."""
    return cls


@each
def test_fields_are_given_by_position_or_by_name(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    by_name, by_position = untyped(cls)(**values), untyped(cls)(*values.values())
    for name, value in values.items():
        assert getattr(by_name, name) == value
        assert getattr(by_position, name) == value
    assert by_name == by_position


@each
def test_fields_left_out_have_their_defaults(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    required = {name: value for name, value in values.items() if name not in defaults}
    event = untyped(cls)(**required)
    for name, value in defaults.items():
        assert getattr(event, name) == value
        assert type(getattr(event, name)) is type(value)
    another = untyped(cls)(**required)
    for name, value in defaults.items():
        if isinstance(value, list):
            assert getattr(event, name) is not getattr(another, name)


@each
def test_wrong_arguments_are_type_errors(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    make = untyped(cls)
    with pytest.raises(TypeError):
        make(**values, unknown=1)
    with pytest.raises(TypeError):
        make(*values.values(), 1)
    with pytest.raises(TypeError):
        make(next(iter(values.values())), **{next(iter(values)): 1})
    if len(defaults) < len(values):
        with pytest.raises(TypeError):
            make()


@each
def test_an_event_is_a_dataclass_for_the_module_dataclasses(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    event: Any = untyped(cls)(**values)
    assert all([dataclasses.is_dataclass(cls), dataclasses.is_dataclass(event)])
    assert [field.name for field in dataclasses.fields(event)] == list(values)
    assert [field.name for field in dataclasses.fields(untyped(cls))] == list(values)
    assert dataclasses.asdict(event) == values
    assert dataclasses.astuple(event) == tuple(values.values())
    for field in dataclasses.fields(event):
        if field.default is not dataclasses.MISSING:
            assert field.default == defaults[field.name]
        elif field.default_factory is not dataclasses.MISSING:
            assert field.default_factory() == defaults[field.name]
        else:
            assert field.name not in defaults


@each
def test_replace_makes_a_changed_copy_of_the_same_type(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    event: Any = untyped(cls)(**values)
    name = list(values)[-1]
    changed = dataclasses.replace(event, **{name: "changed"})
    assert type(changed) is cls
    assert getattr(changed, name) == "changed"
    assert getattr(event, name) == values[name]
    assert dataclasses.replace(event) == event
    with pytest.raises(TypeError):
        dataclasses.replace(event, unknown=1)


@each
def test_match_args_are_the_fields_in_order(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    assert untyped(cls).__match_args__ == tuple(values)


def matched(event: Event) -> Any:
    """What a class pattern for the event binds."""
    match event:
        case Request(host, target, extensions, headers, subprotocols):
            return (host, target, extensions, headers, subprotocols)
        case AcceptConnection(subprotocol, extensions, headers):
            return (subprotocol, extensions, headers)
        case RejectConnection(status, headers, has_body):
            return (status, headers, has_body)
        case RejectData(data, finished):
            return (data, finished)
        case CloseConnection(code, reason):
            return (code, reason)
        case TextMessage(data, frame, message) | BytesMessage(data, frame, message):
            return (data, frame, message)
        case Message(data=data, frame_finished=frame, message_finished=message):
            return (data, frame, message)
        case Ping(payload) | Pong(payload):
            return (payload,)
    return None


@each
def test_class_patterns_bind_the_fields(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    assert matched(untyped(cls)(**values)) == tuple(values.values())


@each
def test_equality_needs_the_same_type_and_the_same_fields(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    event: Any = untyped(cls)(**values)
    assert event == untyped(cls)(**copy.deepcopy(values))
    assert (event != untyped(cls)(**values)) is False
    for name in values:
        assert event != dataclasses.replace(event, **{name: object()})
    assert event != tuple(values.values())
    assert event.__eq__(object()) is NotImplemented
    for other, other_values, _defaults in EVENTS:
        if other is not cls and list(other_values) == list(values):
            assert event != untyped(other)(**values)
    with pytest.raises(TypeError):
        assert event < event


@each
def test_hash_follows_equality_and_needs_hashable_fields(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    event = untyped(cls)(**values)
    if cls in UNHASHABLE:
        with pytest.raises(TypeError, match="unhashable"):
            hash(event)
    else:
        assert hash(event) == hash(untyped(cls)(**values))
        assert len({event, untyped(cls)(**values)}) == 1


@each
def test_events_are_pickled_and_copied(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    event = untyped(cls)(**values)
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    copies = [copy.copy(event), copy.deepcopy(event)]
    copies += [pickle.loads(pickle.dumps(event, protocol)) for protocol in protocols]
    for other in copies:
        assert type(other) is cls
        assert other == event
    last = list(values)[-1]
    if isinstance(values[last], list):
        assert getattr(copies[0], last) is getattr(event, last)
        assert getattr(copies[1], last) is not getattr(event, last)


@each
def test_the_repr_names_the_class_and_each_field(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    fields = ", ".join(f"{name}={value!r}" for name, value in values.items())
    assert repr(untyped(cls)(**values)) == f"{cls.__name__}({fields})"
    assert eval(repr(untyped(cls)(**values)), vars(events)) == untyped(cls)(**values)


@each
def test_nothing_can_be_assigned_or_deleted(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    event = untyped(cls)(**values)
    for name in (*values, "unknown"):
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field"):
            setattr(event, name, 1)
        with pytest.raises(AttributeError, match="cannot delete field"):
            delattr(event, name)
    assert event == untyped(cls)(**values)


@each
def test_every_event_is_an_event_and_lives_in_the_module_events(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    event = untyped(cls)(**values)
    assert type(event) is cls
    assert isinstance(event, Event)
    assert isinstance(event, Message) is (cls in (Message, TextMessage, BytesMessage))
    assert cls.__module__ == "ws13.events"
    assert getattr(events, cls.__name__) is cls
    assert cls.__qualname__ == cls.__name__
    assert cls.__doc__


@each
def test_singledispatch_finds_the_function_for_the_type(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    @singledispatch
    def handle(event: object) -> str:
        return "object"

    register: Any = handle.register
    register(Event)(lambda event: "event")
    assert handle(untyped(cls)(**values)) == "event"
    register(cls)(lambda event: "exact")
    assert handle(untyped(cls)(**values)) == "exact"


@each
@pytest.mark.skipif(not has_wsproto, reason="wsproto is not installed")
def test_an_event_is_made_and_shown_as_wsproto_does_it(
    cls: type[Event], values: dict[str, Any], defaults: dict[str, Any]
) -> None:
    from wsproto import events as theirs

    other: Any = getattr(theirs, cls.__name__)
    required = {name: value for name, value in values.items() if name not in defaults}
    for given in (values, required):
        ours = untyped(cls)(**given)
        assert repr(ours) == repr(other(**given))
        assert dataclasses.asdict(ours) == dataclasses.asdict(other(**given))
    assert other.__match_args__ == untyped(cls).__match_args__
    for mine, their in zip(
        dataclasses.fields(untyped(cls)), dataclasses.fields(other), strict=True
    ):
        for name in ("name", "default", "default_factory", "init", "repr", "compare", "hash"):
            assert getattr(mine, name) == getattr(their, name), (mine.name, name)
    if cls not in UNHASHABLE:
        assert hash(ours) == hash(other(**required))


def test_the_repr_is_the_documented_one() -> None:
    text = "TextMessage(data='x', frame_finished=True, message_finished=True)"
    assert repr(TextMessage(data="x")) == text
    assert repr(TextMessage(data="x")) == str(TextMessage("x"))
    close = CloseConnection(CloseReason.GOING_AWAY)
    assert repr(close) == "CloseConnection(code=<CloseReason.GOING_AWAY: 1001>, reason=None)"


def test_message_is_subscriptable() -> None:
    assert Message[str] is not None
    made = Message[str]("x")
    assert type(made) is Message
    assert made == Message("x")


def test_a_ping_is_answered_by_a_pong_with_its_payload() -> None:
    assert Ping(b"payload").response() == Pong(b"payload")
    assert type(Ping().response()) is Pong


def test_a_close_is_answered_by_a_close_with_its_code_and_reason() -> None:
    close = CloseConnection(CloseReason.GOING_AWAY, "bye")
    assert close.response() == close
    assert close.response() is not close
    assert close.response().code is CloseReason.GOING_AWAY


def test_a_subclass_keeps_its_type_and_may_add_to_it() -> None:
    class Loud(TextMessage):
        def loud(self) -> str:
            return self.data.upper()

    event = Loud("x")
    assert event.loud() == "X"
    assert isinstance(event, Message)
    assert event != TextMessage("x")
    assert type(dataclasses.replace(event, data="y")) is Loud
    assert type(copy.copy(event)) is Loud


@pytest.mark.parametrize("role", ["client", "server"])
@pytest.mark.parametrize("code", [*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_a_received_code_is_a_close_reason_when_it_has_a_name(role: str, code: int) -> None:
    connection = opened(role)
    connection.receive_data(written([Frame(8, code.to_bytes(2, "big"))], role))
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    named = code in [int(reason) for reason in CloseReason]
    assert type(event.code) is (CloseReason if named else int)
    assert event.code == code


@pytest.mark.parametrize(("data", "code"), [(b"\x88\x00", 1005), (None, 1006), (b"\xff", 1002)])
def test_codes_that_never_were_on_the_wire_are_close_reasons(data: bytes | None, code: int) -> None:
    connection = opened("client")
    connection.receive_data(data)
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    assert event.code is CloseReason(code)
