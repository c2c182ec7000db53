"""Random calls and bytes against an executable model of RFC 6455 section 7 (support/model.py).

Two ends, each with its model, joined by two pipes. What one end sends goes into the other's pipe;
the peer's mischief is put into a pipe as well. Bytes leave a pipe in pieces of any size.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from support import frames, strategies
from support.frames import Frame
from support.model import CLOSED, OPEN, SURPRISE, Model, RefusedError, item, opened, same
from support.reference import Item
from support.strategies import roles
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from ws13.utilities import LocalProtocolError

REFUSAL = (LocalProtocolError, TypeError)
PROFILE = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

codes = st.sampled_from([*strategies.CODES, 1014, 1005, 1006, 1015, 1004, 999, 2999, 5000, 65536])
reasons = st.none() | st.text(max_size=6) | st.sampled_from(["€" * 42, "x" * 124, "a" + "😀" * 40])
chunk_sizes = st.sampled_from([1, 2, 3, 5, 13, 100, 10**6, 10**6])
sendable = st.one_of(
    st.builds(TextMessage, data=strategies.texts, message_finished=st.booleans()),
    st.builds(BytesMessage, data=strategies.binaries, message_finished=st.booleans()),
    st.builds(Ping, payload=strategies.control_payloads),
    st.builds(Pong, payload=strategies.control_payloads),
)
unsendable = st.sampled_from(
    [
        Ping(b"x" * 126),
        Pong(b"x" * 70000),
        CloseConnection(1005, "reason without code"),
        Request(host="example.com", target="/"),
        AcceptConnection(),
        RejectConnection(),
        RejectData(b""),
    ]
)


class End:
    """A connection, its model, and the bytes that are on their way to it."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.connection = opened(role)
        self.model = Model(role)
        self.pipe = bytearray()
        self.eof = False
        self.iterators: list[Iterator[Event]] = []

    def deliver(self, size: int) -> None:
        data = bytes(self.pipe[:size])
        del self.pipe[:size]
        if not data:
            self.connection.receive_data(b"") if self.model.state is not CLOSED else None
        elif self.eof and self.model.state is not CLOSED:
            self._deliver_late(data)
        else:
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        try:
            self.model.receive(data)
        except RefusedError:
            with pytest.raises(LocalProtocolError, match="Connection already closed"):
                self.connection.receive_data(data)
        else:
            self.connection.receive_data(data)

    def _deliver_late(self, data: bytes) -> None:
        """Bytes behind the end of the stream may be refused or discarded."""
        with contextlib.suppress(LocalProtocolError):
            self.connection.receive_data(data)

    def end_of_file(self) -> None:
        self.model.receive_eof()
        self.connection.receive_data(None)
        self.eof = True

    def take(self, iterator: Iterator[Event]) -> bool:
        """Take one event and compare; False at the end of the iteration."""
        predicted = self.model.take()
        event = next(iterator, None)
        seen: Item | None = None if event is None else item(event)
        assert same(predicted, seen), f"{seen!r} came, the model says {predicted!r}"
        assert self.connection.state is self.model.state, event
        return seen is not None

    def take_all(self) -> None:
        iterator = self.connection.events()
        while self.take(iterator):
            pass
        assert next(iterator, None) is None

    def send(self, event: Event) -> bytes:
        """Send and compare; the bytes that go to the other end."""
        try:
            predicted = self.model.send(event)
        except RefusedError:
            with pytest.raises(REFUSAL):
                self.connection.send(event)
            return b""
        sent = self.connection.send(event)
        assert type(sent) is bytes
        wanted = Frame(predicted.opcode, predicted.payload, predicted.fin, 0, self.role == "client")
        assert frames.decode(sent) == [wanted]
        if self.role == "server":
            assert sent == frames.encode(predicted)
        return sent


class Conversation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ends = {role: End(role) for role in ("client", "server")}

    def other(self, role: str) -> End:
        return self.ends["server" if role == "client" else "client"]

    @rule(role=roles, event=sendable)
    def send(self, role: str, event: Event) -> None:
        self.other(role).pipe += self.ends[role].send(event)

    @rule(role=roles, event=st.builds(CloseConnection, codes, reasons) | unsendable)
    def send_close_or_nonsense(self, role: str, event: Event) -> None:
        self.other(role).pipe += self.ends[role].send(event)

    @rule(role=roles, size=chunk_sizes)
    def deliver(self, role: str, size: int) -> None:
        self.ends[role].deliver(size)

    @rule(role=roles, size=chunk_sizes)
    def deliver_and_take_all(self, role: str, size: int) -> None:
        self.ends[role].deliver(size)
        self.ends[role].take_all()

    @rule(role=roles)
    def take_all(self, role: str) -> None:
        self.ends[role].take_all()

    @rule(role=roles)
    def take_one_and_abandon_the_iterator(self, role: str) -> None:
        self.ends[role].take(self.ends[role].connection.events())

    @precondition(lambda self: any(end.pipe for end in self.ends.values()))
    @rule(role=roles, event=sendable, size=chunk_sizes)
    def send_between_two_events(self, role: str, event: Event, size: int) -> None:
        end = self.ends[role]
        end.deliver(size)
        iterator = end.connection.events()
        going = end.take(iterator)
        self.other(role).pipe += end.send(event)
        while going:
            going = end.take(iterator)

    @rule(role=roles)
    def start_an_iterator_for_later(self, role: str) -> None:
        end = self.ends[role]
        if len(end.iterators) < 3:
            end.iterators.append(end.connection.events())

    @rule(role=roles, data=st.data())
    def take_one_from_an_old_iterator(self, role: str, data: st.DataObject) -> None:
        end = self.ends[role]
        if end.iterators:
            iterator = data.draw(st.sampled_from(end.iterators))
            if not end.take(iterator):
                end.iterators.remove(iterator)

    @rule(role=roles, message=strategies.fragments(), count=st.integers(1, 4))
    def the_peer_sends_part_of_a_message(self, role: str, message: list[Frame], count: int) -> None:
        self.ends[role].pipe += strategies.written(message[:count], role)

    @rule(role=roles, body=strategies.close_bodies)
    def the_peer_closes(self, role: str, body: bytes) -> None:
        self.ends[role].pipe += strategies.written([Frame(8, body)], role)

    @rule(role=roles, data=st.data())
    def the_peer_breaks_a_rule(self, role: str, data: st.DataObject) -> None:
        self.ends[role].pipe += data.draw(strategies.broken_frames(role))

    @rule(role=roles, garbage=st.binary(min_size=1, max_size=20))
    def the_peer_sends_garbage(self, role: str, garbage: bytes) -> None:
        self.ends[role].pipe += garbage

    @rule(role=roles)
    def the_stream_ends(self, role: str) -> None:
        self.ends[role].end_of_file()

    @invariant()
    def the_states_are_those_of_the_models(self) -> None:
        for end in self.ends.values():
            assert end.connection.state is end.model.state

    def teardown(self) -> None:
        """Whatever happened, the end of the stream closes both ends, and then nothing comes."""
        for end in self.ends.values():
            end.end_of_file()
            end.take_all()
            assert end.connection.state is CLOSED
            end.deliver(10**6)
            assert list(end.connection.events()) == []


TestConversation = Conversation.TestCase
TestConversation.settings = PROFILE


@settings(PROFILE, max_examples=200)
@given(
    role=roles,
    data=st.data(),
    looked=st.integers(0, 3),
    our_close=st.sampled_from(["never", "first", "between", "last"]),
)
def test_the_stream_may_end_anywhere(
    role: str, data: st.DataObject, looked: int, our_close: str
) -> None:
    """Some bytes and some events, a little more without a look at it, then the end."""
    end = End(role)
    end.pipe += data.draw(strategies.streams(role))
    if our_close == "first":
        end.send(CloseConnection(1000))
    end.deliver(data.draw(st.integers(0, len(end.pipe))))
    iterator = end.connection.events()
    for _ in range(looked):
        if not end.take(iterator):
            break
    if our_close == "between":
        end.send(CloseConnection(1001, "x"))
    if end.model.state is not CLOSED:
        end.deliver(data.draw(st.integers(0, 3)))
    end.end_of_file()
    assert end.connection.state is end.model.state
    if our_close == "last":
        end.send(CloseConnection(1000))
    end.take_all()
    assert end.connection.state is CLOSED


@pytest.mark.parametrize("role", ["client", "server"])
def test_after_a_violation_only_a_close_may_be_sent(role: str) -> None:
    end = End(role)
    end.pipe += b"\xff"
    end.deliver(1)
    end.take_all()
    assert end.connection.state is OPEN
    for event in (TextMessage("x"), BytesMessage(b"x"), Ping(), Pong()):
        with pytest.raises(LocalProtocolError):
            end.connection.send(event)
    assert end.send(CloseConnection(1002))
    end.end_of_file()
    end.take_all()


@pytest.mark.parametrize("role", ["client", "server"])
def test_the_end_of_the_stream_is_reported_once_and_behind_what_came_before(role: str) -> None:
    end = End(role)
    end.pipe += strategies.written([Frame(1, b"x"), Frame(9, b"y")], role)
    end.deliver(100)
    end.end_of_file()
    assert end.connection.state is OPEN
    seen = [item(event) for event in end.connection.events()]
    assert seen == [("text", "x", True, True), ("ping", b"y"), SURPRISE]
    end.connection.receive_data(None)
    assert list(end.connection.events()) == []
    assert end.connection.state is CLOSED


@pytest.mark.parametrize("role", ["client", "server"])
def test_closed_connections_refuse_bytes_until_events_has_run_to_its_end(role: str) -> None:
    connection = opened(role)
    connection.send(CloseConnection(1000))
    connection.receive_data(strategies.written([Frame(8, b"\x03\xe8")], role))
    assert isinstance(next(connection.events()), CloseConnection)
    assert connection.state is CLOSED
    with pytest.raises(LocalProtocolError, match="Connection already closed"):
        connection.receive_data(b"late")
    assert list(connection.events()) == []
    connection.receive_data(b"late")
    assert list(connection.events()) == []
