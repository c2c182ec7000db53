"""Conversations between ws13 and other libraries, and the same input given to ws13 and wsproto."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import strategies
from support.frames import Frame
from support.peers import EventPeer, Peer, Step, installed, peer, unmasked
from support.strategies import roles
from ws13 import frame_protocol

PROFILE = settings(max_examples=60, deadline=None)
#: wsproto does not know 1014.
NAMES = [one.name for one in frame_protocol.CloseReason if one.name != "BAD_GATEWAY"]
PEERS = ["ws13", "wsproto", "websockets"]

needs_wsproto = pytest.mark.skipif(not installed("wsproto"), reason="wsproto is not installed")
each_peer = pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            name, marks=pytest.mark.skipif(not installed(name), reason=f"{name} is not installed")
        )
        for name in PEERS
    ],
)

controls = st.tuples(st.sampled_from(["ping", "pong"]), strategies.control_payloads)
closes = st.tuples(
    st.just("close"),
    st.sampled_from([code for code in strategies.CODES if code != 1010]),
    st.text(max_size=8),
)


@st.composite
def messages(draw: st.DrawFn) -> list[Step]:
    """The steps of one message, with control frames between them."""
    kind = draw(st.sampled_from(["text", "binary"]))
    payloads: Any = strategies.texts if kind == "text" else strategies.binaries
    parts = draw(st.lists(payloads, min_size=1, max_size=3))
    steps: list[Step] = []
    for i, part in enumerate(parts):
        steps += draw(st.lists(controls, max_size=1))
        steps.append((kind, part, i == len(parts) - 1))
    return steps


class Pair:
    """A client and a server, and the bytes between them."""

    def __init__(self, client: Peer, server: Peer) -> None:
        self.ends = {"client": client, "server": server}
        self.pipes = {"client": b"", "server": b""}  # to the end of this name

    def put(self, sender: str, data: bytes) -> None:
        self.pipes["server" if sender == "client" else "client"] += data

    def send(self, sender: str, step: Step) -> None:
        self.put(sender, self.ends[sender].send(step))

    def deliver(self, receiver: str, size: int) -> None:
        data, self.pipes[receiver] = self.pipes[receiver][:size], self.pipes[receiver][size:]
        if data:
            self.put(receiver, self.ends[receiver].receive(data))

    def settle(self, size: int = 10**6) -> None:
        while any(self.pipes.values()):
            for role in self.pipes:
                self.deliver(role, size)


def converse(pair: Pair, data: st.DataObject, subprotocol: str | None) -> None:
    """A whole conversation; each end must receive what the other has sent."""
    size = data.draw(st.sampled_from([1, 7, 100, 10**6]), label="chunks")
    pair.put("client", pair.ends["client"].start())
    pair.settle(size)
    assert all(end.open for end in pair.ends.values())
    for _ in range(data.draw(st.integers(0, 3))):
        sender = data.draw(roles)
        for step in data.draw(messages()):
            pair.send(sender, step)
            pair.deliver(data.draw(roles), data.draw(st.integers(0, 200)))
    pair.settle(size)
    closer = data.draw(roles, label="closer")
    close = data.draw(closes)
    pair.send(closer, close)
    pair.settle(size)
    assert all(end.closed for end in pair.ends.values())

    client, server = pair.ends["client"], pair.ends["server"]
    offered = (subprotocol,) if subprotocol else ()
    assert server.received[0][1][:1] == offered
    assert client.received[0] == ("open", subprotocol)
    for one, other in ((client, server), (server, client)):
        sent = [step for step in one.sent if step[0] != "close"]
        assert other.received[1:] == [*sent, close]


@each_peer
@pytest.mark.parametrize("subprotocol", [None, "chat"])
@PROFILE
@given(data=st.data())
def test_a_client_of_ws13_talks_with_a_server_of(
    other: str, subprotocol: str | None, data: st.DataObject
) -> None:
    pair = Pair(peer("ws13", "client", subprotocol), peer(other, "server", subprotocol))
    converse(pair, data, subprotocol)


@each_peer
@pytest.mark.parametrize("subprotocol", [None, "chat"])
@PROFILE
@given(data=st.data())
def test_a_server_of_ws13_talks_with_a_client_of(
    other: str, subprotocol: str | None, data: st.DataObject
) -> None:
    pair = Pair(peer(other, "client", subprotocol), peer("ws13", "server", subprotocol))
    converse(pair, data, subprotocol)


@each_peer
@pytest.mark.parametrize("size", [125, 126, 65535, 65536, 200_000])
@pytest.mark.parametrize("role", ["client", "server"])
def test_a_message_of_this_size_arrives(other: str, size: int, role: str) -> None:
    ends = {name: peer("ws13" if name == role else other, name) for name in ("client", "server")}
    pair = Pair(ends["client"], ends["server"])
    pair.put("client", ends["client"].start())
    pair.settle()
    step: Step = ("binary", bytes(range(256)) * (size // 256) + b"x" * (size % 256), True)
    for sender in ("client", "server"):
        pair.send(sender, step)
        pair.settle(50_000)
    assert ends["server"].received[1:] == [step]
    assert ends["client"].received[1:] == [step]


# Differences between ws13 and wsproto: the same calls, the same results.


class Twins:
    """An open connection of each library."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.events: dict[str, Any] = {}
        self.connections: dict[str, Any] = {}
        for package in ("ws13", "wsproto"):
            module: Any = importlib.import_module(f"{package}.connection")
            self.events[package] = importlib.import_module(f"{package}.events")
            kind = module.ConnectionType[role.upper()]
            self.connections[package] = module.Connection(kind)

    def both(self, call: Any) -> Any:
        """The result of the call on ws13, compared with that on wsproto."""
        ours, theirs = (self._result(call, package) for package in ("ws13", "wsproto"))
        assert ours == theirs
        states = [connection.state.name for connection in self.connections.values()]
        assert states[0] == states[1]
        return ours

    def _result(self, call: Any, package: str) -> Any:
        """wsproto raises a few more kinds of errors for what cannot be sent."""
        try:
            return call(self.connections[package], self.events[package])
        except Exception as error:
            documented = ("LocalProtocolError", "TypeError")
            if package == "ws13" and type(error).__name__ not in documented:
                raise
            return "refused"

    def receive(self, data: bytes) -> None:
        self.both(lambda connection, events: connection.receive_data(data))

    def take(self, count: int | None = None) -> list[str]:
        """Up to so many events, as they print."""

        def taken(connection: Any, events: Any) -> list[str]:
            iterator = connection.events()
            return [repr(event) for event, _ in zip(iterator, range(count or 10**6), strict=False)]

        result: list[str] = self.both(taken)
        return result

    def send(self, step: Step) -> None:
        def sent(connection: Any, events: Any) -> bytes:
            maker = EventPeer.event(_Maker(events), step)  # type: ignore[arg-type]
            data = bytes(connection.send(maker))
            return unmasked(data) if self.role == "client" else data

        self.both(sent)


class _Maker:
    def __init__(self, events: Any) -> None:
        self.events = events


steps = st.one_of(
    st.tuples(st.just("text"), strategies.texts, st.booleans()),
    st.tuples(st.just("binary"), strategies.binaries, st.booleans()),
    controls,
    st.tuples(st.just("ping"), st.just(b"x" * 126)),
)
last_steps = closes | st.sampled_from([("close", 1000, None), ("close", 1006, "x")])


@needs_wsproto
@PROFILE
@given(role=roles, data=st.data(), before=st.lists(steps, max_size=4), after=st.lists(steps))
def test_legal_input_gives_the_events_bytes_and_states_of_wsproto(
    role: str, data: st.DataObject, before: list[Step], after: list[Step]
) -> None:
    twins = Twins(role)
    for step in before:
        twins.send(step)
    if data.draw(st.booleans(), label="we close first"):
        twins.send(data.draw(last_steps))
    stream = strategies.written(data.draw(strategies.conversations()), role)
    for chunk, takes in data.draw(strategies.schedules(stream)):
        if twins.connections["wsproto"].state.name != "CLOSED":
            twins.receive(chunk)
        if takes == "all":
            twins.take()
    twins.take()
    for step in [*after, data.draw(last_steps, label="last"), ("ping", b"late")]:
        twins.send(step)


@needs_wsproto
@PROFILE
@given(role=roles, data=st.data(), ours_first=st.booleans())
def test_illegal_input_gives_the_events_and_states_of_wsproto(
    role: str, data: st.DataObject, ours_first: bool
) -> None:
    """One fault, behind legal frames and taken in one go; text that breaks off is left out."""
    twins = Twins(role)
    if ours_first:
        twins.send(("close", 1000, None))
    legal = strategies.written(data.draw(strategies.conversations(close=False)), role)
    twins.receive(legal + data.draw(strategies.broken_frames(role, bad_text=False)))
    events = twins.take()
    assert events[-1].startswith("CloseConnection(code=<CloseReason.")
    assert twins.take() == []
    if not ours_first:
        twins.send(("close", 1002, "fault"))


@needs_wsproto
@PROFILE
@given(role=roles, bad=strategies.bad_utf8)
def test_bad_text_fails_with_the_code_and_the_words_of_wsproto(role: str, bad: bytes) -> None:
    """wsproto does not give out what is good before the fault."""
    twins = Twins(role)
    twins.receive(strategies.written([Frame(1, bad)], role))
    last = []
    for package, connection in twins.connections.items():
        *rest, event = connection.events()
        assert len(rest) <= (1 if package == "ws13" else 0)
        last.append((event.code, event.reason))
    assert last[0] == last[1]
    assert last[0][0] is not None
    assert last[0][0] == frame_protocol.CloseReason.INVALID_FRAME_PAYLOAD_DATA


@needs_wsproto
@pytest.mark.parametrize("role", ["client", "server"])
@pytest.mark.parametrize("name", NAMES)
def test_a_close_with_a_member_of_close_reason_has_the_bytes_of_wsproto(
    role: str, name: str
) -> None:
    sent = []
    for package in ("ws13", "wsproto"):
        reasons: Any = importlib.import_module(f"{package}.frame_protocol").CloseReason
        connection = Twins(role).connections[package]
        close = importlib.import_module(f"{package}.events").CloseConnection(reasons[name])
        data = bytes(connection.send(close))
        sent.append(unmasked(data) if role == "client" else data)
    assert sent[0] == sent[1]


@needs_wsproto
@pytest.mark.parametrize("target", ["/", "/chat?x=1"])
def test_a_request_has_the_bytes_of_wsproto(target: str) -> None:
    heads = []
    for package in ("ws13", "wsproto"):
        module: Any = importlib.import_module(package)
        events: Any = importlib.import_module(f"{package}.events")
        client = module.WSConnection(module.ConnectionType.CLIENT)
        headers = [(b"Origin", b"http://example.com"), (b"X-Token", b"a b")]
        request = events.Request("example.com:81", target, [], headers, ["chat", "superchat"])
        head = client.send(request)
        key = next(line for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
        heads.append(head.replace(key, b"Sec-WebSocket-Key: x"))
    assert heads[0] == heads[1]


@needs_wsproto
@pytest.mark.parametrize("subprotocol", [None, "chat"])
def test_an_answer_has_the_bytes_of_wsproto(subprotocol: str | None) -> None:
    client = peer("ws13", "client", "chat")
    request = client.start()
    answers = []
    for package in ("ws13", "wsproto"):
        server = EventPeer(package, "server", None)
        server.connection.receive_data(request)
        (event,) = server.connection.events()
        assert repr(event).startswith("Request(host='example.com', target='/chat?x=1'")
        headers = [(b"X-Note", b"hello")]
        accept = server.events.AcceptConnection(subprotocol, extra_headers=headers)
        answers.append((repr(event), server.connection.send(accept)))
    assert answers[0] == answers[1]
