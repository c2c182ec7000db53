"""
Any call with any arguments, beside a twin that never sees the calls that are refused.

Two equal ends get the same calls and bytes. What the first one refuses the second one is not asked;
so if a refused call leaves any trace, what the two do from then on differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from support import heads, strategies
from support.negotiation import NAME, agreed, opened
from support.profiles import profile
from support.strategies import makers, roles
from ws13 import Config, H11Handshake, WSConnection
from ws13.connection import Connection, ConnectionType
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from ws13.extensions import PerMessageDeflate
from ws13.utilities import LocalProtocolError, RemoteProtocolError

#: What a call may be refused with. The peer's faults are no refusals: they change something.
REFUSED = (LocalProtocolError, TypeError, ValueError)

Made = Callable[[], Any]


def end(role: str, kind: str) -> Any:
    """A new end of a connection."""
    connection_type = ConnectionType[role.upper()]
    whole = Config(whole_messages=True, max_message_size=1000, max_fragments=5)
    made: dict[str, Callable[[], Any]] = {
        "plain": lambda: Connection(connection_type),
        "whole": lambda: Connection(connection_type, config=whole),
        "compressed": lambda: agreed(role, NAME),
        "compressed whole": lambda: agreed(role, NAME, whole),
        "opened": lambda: opened(role, None),
        "opened compressed": lambda: opened(role, NAME),
        "opening": lambda: WSConnection(connection_type),
        "handshake": lambda: H11Handshake(connection_type),
    }
    return made[kind]()


KINDS = [
    "plain",
    "whole",
    "compressed",
    "compressed whole",
    "opened",
    "opened compressed",
    "opening",
    "handshake",
]


def events_with(value: Made) -> list[Made]:
    """Makers of events that hold the value somewhere."""
    return [
        lambda: TextMessage(value()),
        lambda: TextMessage("text", True, value()),
        lambda: BytesMessage(value()),
        lambda: BytesMessage(b"bytes", value(), value()),
        lambda: Ping(value()),
        lambda: Pong(value()),
        lambda: CloseConnection(value()),
        lambda: CloseConnection(1000, value()),
        lambda: Request("example.com", value()),
        lambda: Request(value(), "/", value(), value(), value()),
        lambda: Request("example.com", "/", subprotocols=value()),
        lambda: AcceptConnection(value()),
        lambda: AcceptConnection(extensions=value()),
        lambda: AcceptConnection(extra_headers=value()),
        lambda: RejectConnection(value()),
        lambda: RejectConnection(403, value(), value()),
        lambda: RejectData(value(), value()),
    ]


#: Makers of events, most of them good ones, and of what is none.
events: st.SearchStrategy[Made] = st.one_of(
    st.sampled_from(
        [
            lambda: TextMessage("text"),
            lambda: TextMessage("fragment", message_finished=False),
            lambda: BytesMessage(b"bytes"),
            lambda: BytesMessage(b"fragment", message_finished=False),
            lambda: Ping(b"ping"),
            lambda: Pong(b"pong"),
            lambda: CloseConnection(1000, "bye"),
            lambda: CloseConnection(1005, "reason without a code"),
            lambda: Ping(b"x" * 126),
            lambda: Request("example.com", "/", [PerMessageDeflate()]),
            lambda: AcceptConnection(extensions=[PerMessageDeflate()]),
            lambda: RejectConnection(has_body=True),
            lambda: RejectConnection(status_code=199),
            lambda: RejectData(b"data", body_finished=False),
        ]
    ),
    makers.flatmap(lambda value: st.sampled_from(events_with(value))),
    makers,
)

flags: st.SearchStrategy[Made] = st.sampled_from([lambda: True, lambda: False]) | makers
texts: st.SearchStrategy[Made] = st.sampled_from([lambda: "text", lambda: "\u20ac" * 50]) | makers
datas: st.SearchStrategy[Made] = (
    st.sampled_from([lambda: b"bytes", lambda: bytearray(b"x" * 126), lambda: memoryview(b"view")])
    | makers
)
codes: st.SearchStrategy[Made] = (
    st.sampled_from([lambda: 1000, lambda: 1005, lambda: 1006, lambda: 999, lambda: None]) | makers
)


class Call(NamedTuple):
    """A method, and makers of its arguments."""

    method: str
    arguments: tuple[Made, ...]
    named: dict[str, Made]

    def on(self, connection: Any) -> Any:
        arguments = [make() for make in self.arguments]
        named = {name: make() for name, make in self.named.items()}
        return getattr(connection, self.method)(*arguments, **named)


def calls(
    method: str, *arguments: st.SearchStrategy[Made], **named: st.SearchStrategy[Made]
) -> st.SearchStrategy[Call]:
    """Calls of a method, mostly with the arguments that it has."""
    proper = st.tuples(*arguments)
    options = st.fixed_dictionaries({}, optional=named)
    right = st.builds(Call, st.just(method), proper, options)
    wrong = st.builds(
        Call,
        st.just(method),
        st.lists(makers, max_size=4).map(tuple),
        st.dictionaries(
            st.sampled_from([*named, "data", "text", "event", "x"]), makers, max_size=2
        ),
    )
    return right | right | right | wrong


any_call: st.SearchStrategy[Call] = st.one_of(
    calls("send", events, compress=flags),
    calls("send_text", texts, flags, compress=flags),
    calls("send_bytes", datas, flags, compress=flags),
    calls("send_parts", events | datas, compress=flags),
    # Of a list that is refused in the middle the beginning comes later: another test's affair.
    calls("send_all", makers | events.map(lambda make: lambda: [make()])),
    calls("ping", datas),
    calls("pong", datas),
    calls("close", codes, texts),
    calls("receive", makers),
    calls("receive_data", makers),
    calls("initiate_upgrade_connection", makers, makers),
    calls("__init__", makers),
    calls("__setattr__", st.sampled_from([lambda: "_state"]), makers),
    calls("events"),
)


def shape(result: Any, role: str) -> Any:
    """What must be the same on both ends: of what a client masks the length."""
    if isinstance(result, bytes):
        return len(result) if role == "client" else result
    if isinstance(result, tuple):
        return [shape(part, role) for part in result]
    if isinstance(result, list):
        return [event_shape(event) for event in result]
    return type(result)


def event_shape(event: Any) -> Any:
    if isinstance(event, (Request, AcceptConnection)):
        return repr(event).split("extensions=")[0]
    return event


class Twins(RuleBasedStateMachine):
    """The two ends."""

    @initialize(kind=st.sampled_from(KINDS), role=roles)
    def made(self, kind: str, role: str) -> None:
        self.role, self.kind = role, kind
        self.one, self.twin = end(role, kind), end(role, kind)

    def both(self, call: Callable[[Any], Any]) -> None:
        """A call that the first one does not refuse."""
        refused, result = self.tried(call, self.one)
        if not refused:
            assert self.tried(call, self.twin) == (False, result)

    def tried(self, call: Callable[[Any], Any], connection: Any) -> tuple[bool, Any]:
        """Whether the call was refused, and what it returned or found wrong with the peer."""
        try:
            return False, shape(call(connection), self.role)
        except RemoteProtocolError as error:
            return False, (str(error), repr(error.event_hint))
        except REFUSED as error:
            return True, str(error)

    @rule(call=any_call)
    def call(self, call: Call) -> None:
        if call.method == "__init__" and self.kind in ("opened", "opened compressed"):
            return
        if not hasattr(self.one, "_state" if call.method == "__setattr__" else call.method):
            return
        self.both(call.on)

    @rule(data=st.data(), whole=st.booleans())
    def receive(self, data: st.DataObject, whole: bool) -> None:
        if self.kind in ("opening", "handshake"):
            stream = data.draw(heads.requests() | heads.responses() | st.binary(max_size=20))
        else:
            stream = data.draw(strategies.streams(self.role))
        if whole and hasattr(self.one, "receive"):
            self.both(lambda connection: connection.receive(stream))
            return
        for chunk in data.draw(strategies.cuts(stream)):
            self.both(lambda connection: connection.receive_data(chunk))  # noqa: B023

    @rule()
    def head(self) -> None:
        if self.role == "server" and self.kind in ("opening", "handshake"):
            self.both(lambda connection: connection.receive_data(heads.head(heads.REQUEST)))

    @rule(count=st.integers(1, 3))
    def take(self, count: int) -> None:
        """Events, out of an iterator that is left behind."""

        def taken(connection: Any) -> list[Any]:
            iterator = connection.events()
            return [event for _ in range(count) if (event := next(iterator, None)) is not None]

        self.both(taken)

    @invariant()
    def they_are_alike(self) -> None:
        if hasattr(self, "one"):
            assert self.one.state is self.twin.state
            assert self.one.client is self.twin.client

    def teardown(self) -> None:
        if not hasattr(self, "one"):
            return
        self.both(lambda connection: list(connection.events()))
        for event in (
            BytesMessage(b"", message_finished=True),
            TextMessage("after"),
            Ping(b"after"),
            CloseConnection(1000),
            AcceptConnection(),
            RejectConnection(),
            RejectData(b"after"),
        ):
            self.both(lambda connection: connection.send(event))  # noqa: B023
            self.they_are_alike()
        self.both(lambda connection: connection.receive_data(None))
        self.both(lambda connection: list(connection.events()))


TestTwins = Twins.TestCase
TestTwins.settings = profile(100, stateful_step_count=20)
