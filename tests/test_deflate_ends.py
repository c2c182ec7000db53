"""Two ends with permessage-deflate, whatever they agree on, understand each other (P5, P10)."""

from __future__ import annotations

import importlib
import itertools
import random
from typing import Any

import pytest

from support import http
from support.negotiation import FIELD, NAME, Agreement, Hooked, Make
from support.peers import installed
from support.windows import noise
from ws13 import Config, ConnectionType, WSConnection
from ws13.events import AcceptConnection, BytesMessage, Ping, Request, TextMessage
from ws13.extensions import PerMessageDeflate

BITS = (9, 10, 15)
#: All wishes that an end may have.
WISHES: list[dict[str, Any]] = [
    {
        "client_no_context_takeover": client_flag,
        "client_max_window_bits": client_bits,
        "server_no_context_takeover": server_flag,
        "server_max_window_bits": server_bits,
    }
    for client_flag, client_bits, server_flag, server_bits in itertools.product(
        (False, True), BITS, (False, True), BITS
    )
]

#: Messages in turn, with repetitions at many distances.
WORDS = [noise(250), noise(600), b"words and words and words ", b"", noise(1500), noise(40)]


def joined(
    client: Any, server: Any, config: Config | None = None
) -> tuple[WSConnection, WSConnection, Agreement]:
    """Two open ends with these extensions, and what they have agreed on."""
    one = WSConnection(ConnectionType.CLIENT, config=config)
    other = WSConnection(ConnectionType.SERVER, config=config)
    other.receive_data(one.send(Request("example.com", "/", extensions=[client])))
    assert [type(event) for event in other.events()] == [Request]
    answer = other.send(AcceptConnection(extensions=[server]))
    one.receive_data(answer)
    (accepted,) = one.events()
    assert isinstance(accepted, AcceptConnection)
    assert accepted.extensions == [client]
    (value,) = http.parse(answer).all(FIELD)
    return one, other, Agreement.of(value)


def payload(connection: WSConnection, sent: bytes) -> bytes:
    """The one binary message that came of the bytes."""
    connection.receive_data(sent)
    parts = []
    for event in connection.events():
        assert isinstance(event, BytesMessage)
        parts.append(event.data)
        ended = event.message_finished
    assert ended
    return b"".join(parts)


def converse(client: WSConnection, server: WSConnection, draw: random.Random) -> None:
    for _ in range(3):
        for sender, receiver in ((client, server), (server, client)):
            first, second = draw.choice(WORDS), draw.choice(WORDS)
            assert payload(receiver, sender.send(BytesMessage(first + second))) == first + second
            sent = sender.send(BytesMessage(second, message_finished=False))
            sent += sender.send(BytesMessage(first))
            assert payload(receiver, sent) == second + first


@pytest.mark.parametrize("client_wants", WISHES, ids=lambda w: "-".join(map(str, w.values())))
def test_p10_the_codecs_of_both_ends_agree_whatever_was_wished(
    client_wants: dict[str, Any],
) -> None:
    draw = random.Random(10)
    for server_wants in WISHES:
        ours, theirs = PerMessageDeflate(**client_wants), PerMessageDeflate(**server_wants)
        client, server, agreement = joined(ours, theirs)
        for name, wanted in client_wants.items():
            agreed = getattr(agreement, name)
            assert agreed >= wanted if isinstance(wanted, bool) else agreed <= wanted, name
        for name in client_wants:
            assert getattr(theirs, name) == getattr(agreement, name)
            assert getattr(ours, name) == getattr(agreement, name)
        converse(client, server, draw)


@pytest.mark.parametrize("makes", list(itertools.product([PerMessageDeflate, Hooked], repeat=2)))
def test_p10_native_and_hooked_ends_understand_each_other(makes: tuple[Make, Make]) -> None:
    draw = random.Random(11)
    for _ in range(30):
        wants = draw.choice(WISHES), draw.choice(WISHES)
        ours, theirs = (make(**w) for make, w in zip(makes, wants, strict=True))
        client, server, _ = joined(ours, theirs)
        converse(client, server, draw)


@pytest.mark.parametrize("level", [1, 4, 9])
@pytest.mark.parametrize("threshold", [0, 100])
def test_level_and_threshold_are_no_business_of_the_other_end(level: int, threshold: int) -> None:
    ours = PerMessageDeflate(level=level, threshold=threshold)
    client, server, _ = joined(ours, PerMessageDeflate(level=6))
    converse(client, server, random.Random(level))


def test_control_frames_between_fragments_reach_the_other_end() -> None:
    client, server, _ = joined(PerMessageDeflate(), PerMessageDeflate())
    sent = client.send(TextMessage("Hello ", message_finished=False))
    sent += client.send(Ping(b"ping")) + client.send(TextMessage("world"))
    server.receive_data(sent)
    assert list(server.events()) == [
        TextMessage("Hello ", message_finished=False),
        Ping(b"ping"),
        TextMessage("world"),
    ]


@pytest.mark.parametrize("config", [None, Config(whole_messages=True), Config.server()])
def test_large_messages_arrive(config: Config | None) -> None:
    client, server, _ = joined(PerMessageDeflate(), PerMessageDeflate(), config)
    for body in (noise(100_000) * 2, bytes(1_000_000)):
        assert payload(server, client.send(BytesMessage(body))) == body
        assert payload(client, server.send(BytesMessage(body))) == body


# Other libraries.

needs_wsproto = pytest.mark.skipif(not installed("wsproto"), reason="wsproto is not installed")
needs_websockets = pytest.mark.skipif(
    not installed("websockets"), reason="websockets is not installed"
)


class Wsproto:
    """An end of wsproto: opened by the other's bytes, it sends and receives whole messages."""

    def __init__(self, role: str, wants: dict[str, Any]) -> None:
        self.events: Any = importlib.import_module("wsproto.events")
        module: Any = importlib.import_module("wsproto")
        extensions: Any = importlib.import_module("wsproto.extensions")
        self.extension = extensions.PerMessageDeflate(**wants)
        self.connection = module.WSConnection(module.ConnectionType[role.upper()])

    def request(self) -> bytes:
        request = self.events.Request("example.com", "/", extensions=[self.extension])
        return bytes(self.connection.send(request))

    def answer(self, request: bytes) -> bytes:
        self.connection.receive_data(request)
        assert [type(event).__name__ for event in self.connection.events()] == ["Request"]
        return bytes(
            self.connection.send(self.events.AcceptConnection(extensions=[self.extension]))
        )

    def opened(self, answer: bytes) -> None:
        self.connection.receive_data(answer)
        (accepted,) = self.connection.events()
        assert [extension.name for extension in accepted.extensions] == [NAME]

    def send(self, body: bytes) -> bytes:
        return bytes(self.connection.send(self.events.BytesMessage(body)))

    def receive(self, sent: bytes) -> bytes:
        self.connection.receive_data(sent)
        parts = list(self.connection.events())
        assert parts[-1].message_finished
        return b"".join(bytes(event.data) for event in parts)


class Websockets:
    """An end of the library websockets."""

    def __init__(self, role: str, wants: dict[str, Any]) -> None:
        extensions: Any = importlib.import_module("websockets.extensions.permessage_deflate")
        self.http11: Any = importlib.import_module("websockets.http11")
        if role == "client":
            client: Any = importlib.import_module("websockets.client")
            uri: Any = importlib.import_module("websockets.uri")
            factory = extensions.ClientPerMessageDeflateFactory(
                **{**wants, "client_max_window_bits": wants["client_max_window_bits"] or True}
            )
            address = uri.parse_uri("ws://example.com/")
            self.protocol = client.ClientProtocol(address, extensions=[factory])
        else:
            server: Any = importlib.import_module("websockets.server")
            factory = extensions.ServerPerMessageDeflateFactory(**wants)
            self.protocol = server.ServerProtocol(extensions=[factory])

    def request(self) -> bytes:
        self.protocol.send_request(self.protocol.connect())
        return b"".join(self.protocol.data_to_send())

    def answer(self, request: bytes) -> bytes:
        self.protocol.receive_data(request)
        (event,) = self.protocol.events_received()
        response = self.protocol.accept(event)
        self.protocol.send_response(response)
        return b"".join(self.protocol.data_to_send())

    def opened(self, answer: bytes) -> None:
        self.protocol.receive_data(answer)
        assert len(self.protocol.events_received()) == 1
        assert self.protocol.handshake_exc is None
        assert len(self.protocol.extensions) == 1

    def send(self, body: bytes) -> bytes:
        self.protocol.send_binary(body)
        return b"".join(self.protocol.data_to_send())

    def receive(self, sent: bytes) -> bytes:
        self.protocol.receive_data(sent)
        (frame,) = self.protocol.events_received()
        return bytes(frame.data)


def exchange(ours: WSConnection, theirs: Any, draw: random.Random) -> None:
    for _ in range(4):
        body = draw.choice(WORDS) + draw.choice(WORDS)
        assert theirs.receive(ours.send(BytesMessage(body))) == body
        assert payload(ours, theirs.send(body)) == body


def theirs_may(wants: dict[str, Any]) -> dict[str, Any]:
    """No wish for the largest window is no wish."""
    return {name: None if value == 15 else value for name, value in wants.items()}


PEERS = [
    pytest.param(Wsproto, marks=needs_wsproto),
    pytest.param(Websockets, marks=needs_websockets),
]


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("seed", range(40))
def test_p5_a_client_understands_a_server_of_another_library(peer: Any, seed: int) -> None:
    draw = random.Random(seed)
    ours, wants = draw.choice(WISHES), draw.choice(WISHES)
    if peer is Wsproto:
        wants = {}  # its server may answer above what was offered
    theirs = peer("server", theirs_may(wants))
    client = WSConnection(ConnectionType.CLIENT)
    request = Request("example.com", "/", extensions=[PerMessageDeflate(**ours)])
    client.receive_data(theirs.answer(client.send(request)))
    (accepted,) = client.events()
    assert isinstance(accepted, AcceptConnection)
    exchange(client, theirs, draw)


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("seed", range(40))
def test_p5_a_server_understands_a_client_of_another_library(peer: Any, seed: int) -> None:
    draw = random.Random(seed)
    ours, wants = draw.choice(WISHES), draw.choice(WISHES)
    theirs = peer("client", theirs_may(wants))
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(theirs.request())
    assert [type(event) for event in server.events()] == [Request]
    theirs.opened(server.send(AcceptConnection(extensions=[PerMessageDeflate(**ours)])))
    exchange(server, theirs, draw)
