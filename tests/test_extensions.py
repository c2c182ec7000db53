"""Extensions that are written in Python: negotiation, hooks, and what they raise."""

from __future__ import annotations

from typing import Any

import pytest

from support.extensions import Inflates
from ws13 import ConnectionType, WSConnection
from ws13.connection import CLIENT, SERVER, Connection, ConnectionState
from ws13.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage
from ws13.extensions import Extension
from ws13.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits
from ws13.handshake import server_extensions_handshake
from ws13.utilities import LocalProtocolError


class Shift(Extension):
    """Adds one to each byte on the way out, takes it off on the way in; marks frames with RSV2."""

    name = "shift"

    def __init__(self) -> None:
        self.in_use = False
        self.is_control = False
        self.seen: list[str] = []

    def enabled(self) -> bool:
        return self.in_use

    def offer(self) -> bool | str:
        return "by=1"

    def accept(self, offer: str) -> bool | str | None:
        self.seen.append(offer)
        if "by=1" not in offer:
            return None
        self.in_use = True
        return "by=1"

    def finalize(self, offer: str) -> None:
        self.seen.append(offer)
        self.in_use = True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self.is_control = opcode.iscontrol()
        return RsvBits(False, True, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        return data if self.is_control else bytes((byte - 1) % 256 for byte in data)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        if opcode.iscontrol():
            return rsv, data
        return RsvBits(rsv.rsv1, True, rsv.rsv3), bytes((byte + 1) % 256 for byte in data)


class Raises(Shift):
    """Raises in the hook that it is told to."""

    def __init__(self, hook: str) -> None:
        super().__init__()
        self.in_use = True
        setattr(self, hook, self.fail)

    def fail(self, *_: Any) -> Any:
        raise ZeroDivisionError("a hook")


def opened() -> tuple[WSConnection, WSConnection]:
    client, server = WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER)
    request = Request(host="example.com", target="/", extensions=[Shift()])
    server.receive_data(client.send(request))
    (received,) = server.events()
    assert isinstance(received, Request)
    assert received.extensions == ["shift; by=1"]
    client.receive_data(server.send(AcceptConnection(extensions=[Shift()])))
    (accepted,) = client.events()
    assert isinstance(accepted, AcceptConnection)
    assert [extension.name for extension in accepted.extensions] == ["shift"]
    return client, server


def test_an_extension_turns_payloads_both_ways_and_leaves_control_frames_alone() -> None:
    client, server = opened()
    for here, there in ((client, server), (server, client)):
        sent = (
            here.send(TextMessage("ab")) + here.send(Ping(b"p")) + here.send(BytesMessage(b"\xff"))
        )
        there.receive_data(sent)
        assert list(there.events()) == [TextMessage("ab"), Ping(b"p"), BytesMessage(b"\xff")]
    assert server.send(TextMessage("ab")) == b"\xa1\x02bc"


class Flips(Shift):
    """Turns every bit of every payload, those of control frames too."""

    def __init__(self) -> None:
        super().__init__()
        self.in_use = True

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        return bytes(byte ^ 0xFF for byte in data)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        return rsv, bytes(byte ^ 0xFF for byte in data)


def test_control_frames_pass_an_extension_both_ways() -> None:
    client, server = Connection(CLIENT, [Flips()]), Connection(SERVER, [Flips()])
    said = [Ping(b"hello"), BytesMessage(b"a"), CloseConnection(CloseReason.NORMAL_CLOSURE, "bye")]
    sent = b"".join(map(client.send, said))
    for byte in sent:
        server.receive_data(bytes([byte]))
    assert list(server.events()) == said


def test_a_server_s_extension_answers_the_first_offer_it_accepts_and_sees_no_later_one() -> None:
    extension = Shift()
    offers = ["shift; by=2", "other", "shift; by=1", "shift; by=1; more"]
    assert server_extensions_handshake(offers, [extension]) == b"shift; by=1"
    assert extension.seen == ["shift; by=2", "shift; by=1"]


def test_an_extension_that_declines_is_left_out_of_the_connection() -> None:
    server = WSConnection(ConnectionType.SERVER)
    client = WSConnection(ConnectionType.CLIENT)
    server.receive_data(client.send(Request(host="example.com", target="/")))
    assert len(list(server.events())) == 1
    answer = server.send(AcceptConnection(extensions=[Shift()]))
    assert b"Sec-WebSocket-Extensions" not in answer
    assert server.send(BytesMessage(b"a")) == b"\x82\x01a"


@pytest.mark.parametrize(
    ("hook", "data"),
    [
        ("frame_inbound_header", b"\x82\x01a"),
        ("frame_inbound_payload_data", b"\x82\x01a"),
        ("frame_inbound_complete", b"\x82\x01a"),
    ],
)
def test_what_a_hook_raises_leaves_events_as_it_is_and_the_connection_has_failed(
    hook: str, data: bytes
) -> None:
    connection = Connection(CLIENT, [Raises(hook)])
    connection.receive_data(data)
    with pytest.raises(ZeroDivisionError, match="a hook"):
        next(connection.events())
    assert list(connection.events()) == []
    with pytest.raises(LocalProtocolError):
        connection.send(Ping())


def test_what_a_hook_raises_leaves_send_as_it_is_and_nothing_has_changed() -> None:
    connection = Connection(SERVER, [Raises("frame_outbound")])
    for event in (BytesMessage(b"a"), CloseConnection(1000)):
        with pytest.raises(ZeroDivisionError, match="a hook"):
            connection.send(event)
        assert connection.state is ConnectionState.OPEN


def test_a_hook_refuses_a_frame_with_a_close_reason() -> None:
    refusing = Shift()
    refusing.in_use = True
    refusing.frame_inbound_payload_data = (  # type: ignore[method-assign]
        lambda proto, data: CloseReason.POLICY_VIOLATION
    )
    connection = Connection(CLIENT, [refusing])
    connection.receive_data(b"\x82\x01a\x82\x01b")
    (event,) = connection.events()
    assert event == CloseConnection(CloseReason.POLICY_VIOLATION, "error in extension")


def test_a_hook_that_calls_its_own_connection_is_told_so() -> None:
    raised: list[BaseException] = []

    class CallsBack(Shift):
        def frame_inbound_payload_data(
            self, proto: FrameDecoder | FrameProtocol, data: bytes
        ) -> bytes:
            try:
                connection.send(Ping())
            except LocalProtocolError as error:
                raised.append(error)
            return data

    extension = CallsBack()
    extension.in_use = True
    connection = Connection(CLIENT, [extension])
    connection.receive_data(b"\x82\x01a")
    assert list(connection.events()) == [BytesMessage(b"a")]
    assert len(raised) == 1


def test_what_an_extension_makes_of_a_small_payload_comes_out_whole() -> None:
    import zlib

    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(bytes(300_000)) + packer.flush(zlib.Z_SYNC_FLUSH)[:-4]
    connection = Connection(CLIENT, [Inflates()])
    header = b"\xc2\x7e" + len(packed).to_bytes(2, "big")
    connection.receive_data(header + packed)
    pieces = [event for event in connection.events() if isinstance(event, BytesMessage)]
    assert b"".join(piece.data for piece in pieces) == bytes(300_000)
    assert [piece.message_finished for piece in pieces] == [False] * (len(pieces) - 1) + [True]
