"""Two extensions as programs write them, at either end, with compression and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ws13 import ConnectionType, WSConnection
from ws13.connection import CLIENT, Connection, ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from ws13.extensions import Extension, PerMessageDeflate
from ws13.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits


class Quota(Extension):
    """Counts frames and bytes in both directions; refuses what is beyond its quota."""

    name = "x-quota"

    def __init__(self, most: int = 10**9) -> None:
        self.most = most
        self.in_use = False
        self.frames = {"in": 0, "out": 0}
        self.bytes = {"in": 0, "out": 0}

    def enabled(self) -> bool:
        return self.in_use

    def offer(self) -> bool | str:
        return f"bytes={self.most}"

    def accept(self, offer: str) -> bool | str | None:
        name, _, value = offer.partition(";")[2].strip().partition("=")
        if name != "bytes":
            return None
        self.in_use = True
        return f"bytes={min(self.most, int(value))}"

    def finalize(self, offer: str) -> None:
        self.most = int(offer.rpartition("=")[2])
        self.in_use = True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self.frames["in"] += 1
        return RsvBits(False, False, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        self.bytes["in"] += len(data)
        return CloseReason.POLICY_VIOLATION if self.bytes["in"] > self.most else data

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        if self.bytes["out"] + len(data) > self.most:
            raise OverQuotaError(self.most)
        self.frames["out"] += 1
        self.bytes["out"] += len(data)
        return rsv, data


class OverQuotaError(Exception):
    """The program's own exception."""


class Backwards(Extension):
    """Sends the payload of each data frame backwards, marked with RSV3; looks at whole frames."""

    name = "x-backwards"

    def __init__(self) -> None:
        self.in_use = False
        self.held: bytearray | None = None

    def enabled(self) -> bool:
        return self.in_use

    def offer(self) -> bool | str:
        return True

    def accept(self, offer: str) -> bool | str | None:
        self.in_use = True
        return True

    def finalize(self, offer: str) -> None:
        self.in_use = True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self.held = bytearray() if rsv.rsv3 else None
        return RsvBits(False, False, True)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        if self.held is None:
            return data
        self.held += data
        return b""

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        return None if self.held is None else bytes(self.held[::-1])

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
        return RsvBits(rsv.rsv1, rsv.rsv2, True), data[::-1]


class Deflate(PerMessageDeflate):
    """A subclass, whose hooks are called."""


MAKES: list[Callable[[], list[Extension]]] = [
    lambda: [Quota()],
    lambda: [Backwards()],
    lambda: [Quota(), Backwards()],
    lambda: [PerMessageDeflate(), Quota()],
    lambda: [Quota(), PerMessageDeflate()],
    lambda: [Backwards(), PerMessageDeflate()],
    lambda: [PerMessageDeflate(), Backwards(), Quota()],
    lambda: [Backwards(), Deflate()],
]
IDS = ["+".join(type(one).__name__ for one in make()) for make in MAKES]
roles = pytest.mark.parametrize("role", ["client", "server"])
combinations = pytest.mark.parametrize("make", MAKES, ids=IDS)


class Pair:
    """A client and a server that have agreed on the same extensions."""

    def __init__(self, offered: list[Extension], supported: list[Extension]) -> None:
        self.client = WSConnection(ConnectionType.CLIENT)
        self.server = WSConnection(ConnectionType.SERVER)
        request = Request(host="example.com", target="/", extensions=offered)
        self.server.receive_data(self.client.send(request))
        assert [type(event) for event in self.server.events()] == [Request]
        self.client.receive_data(self.server.send(AcceptConnection(extensions=supported)))
        (accepted,) = self.client.events()
        assert isinstance(accepted, AcceptConnection)
        self.agreed = [extension.name for extension in accepted.extensions]

    def of(self, role: str) -> tuple[WSConnection, WSConnection]:
        """The end that sends, and the one that receives."""
        return (self.client, self.server) if role == "client" else (self.server, self.client)


def payloads(events: list[Event]) -> list[str | bytes]:
    """Messages put together again."""
    found: list[str | bytes] = []
    whole: str | bytes | None = None
    for event in events:
        if isinstance(event, (TextMessage, BytesMessage)):
            whole = event.data if whole is None else whole + event.data  # type: ignore[operator]
            if event.message_finished:
                found.append(whole)
                whole = None
    return found


@roles
@combinations
@pytest.mark.parametrize("cut", [1, 7, 10**6])
def test_a_conversation_passes_the_extensions(
    make: Callable[[], list[Extension]], role: str, cut: int
) -> None:
    ends = Pair(make(), make())
    assert ends.agreed == [extension.name for extension in make()]
    sender, receiver = ends.of(role)
    wire = b"".join(
        sender.send(event)
        for event in [
            TextMessage("Grüße, 世界"),
            BytesMessage(b"", message_finished=False),
            Ping(b"in between"),
            BytesMessage(bytes(range(256)), message_finished=False),
            BytesMessage(b"end"),
            TextMessage(""),
            Pong(b""),
            CloseConnection(1000, "bye"),
        ]
    )
    events: list[Event] = []
    for start in range(0, len(wire), cut):
        receiver.receive_data(wire[start : start + cut])
        events += receiver.events()
    assert payloads(events) == ["Grüße, 世界", bytes(range(256)) + b"end", ""]
    others = [event for event in events if isinstance(event, (Ping, Pong, CloseConnection))]
    assert others == [Ping(b"in between"), Pong(b""), CloseConnection(1000, "bye")]
    assert receiver.state is ConnectionState.REMOTE_CLOSING


@roles
@pytest.mark.parametrize("deflate", [[], [PerMessageDeflate]], ids=["plain", "deflate"])
def test_what_passes_is_counted_and_what_is_too_much_refused(
    role: str, deflate: list[type[PerMessageDeflate]]
) -> None:
    # Deflate comes first, so that the quota is one of plain bytes.
    ours, theirs = Quota(100), Quota(100)
    offered = [*(make() for make in deflate), ours]
    ends = Pair(offered, [*(make() for make in deflate), theirs])
    sender, receiver = ends.of(role)
    sending, receiving = (ours, theirs) if role == "client" else (theirs, ours)
    receiver.receive_data(sender.send(BytesMessage(b"x" * 60)) + sender.send(Ping(b"y" * 10)))
    assert list(receiver.events()) == [BytesMessage(b"x" * 60), Ping(b"y" * 10)]
    assert (sending.frames["out"], sending.bytes["out"]) == (2, 70)
    assert (receiving.frames["in"], receiving.bytes["in"]) == (2, 70)

    with pytest.raises(OverQuotaError):
        sender.send(BytesMessage(b"x" * 31))
    assert sender.state is ConnectionState.OPEN
    receiver.receive_data(sender.send(TextMessage("z" * 30)))
    assert list(receiver.events()) == [TextMessage("z" * 30)]

    sending.most = 10**6
    receiver.receive_data(sender.send(BytesMessage(b"x")))
    assert list(receiver.events()) == [
        CloseConnection(CloseReason.POLICY_VIOLATION, "error in extension")
    ]
    assert receiver.send(CloseConnection(CloseReason.POLICY_VIOLATION))


def own(extensions: list[Extension]) -> Extension:
    """The last one that is written here."""
    return [one for one in extensions if type(one).__module__ == __name__][-1]


HOOKS = ["frame_inbound_header", "frame_inbound_payload_data", "frame_inbound_complete"]


@roles
@combinations
@pytest.mark.parametrize("hook", HOOKS)
def test_what_an_inbound_hook_raises_comes_out_as_it_is(
    make: Callable[[], list[Extension]], role: str, hook: str
) -> None:
    offered, supported = make(), make()
    sender, receiver = Pair(offered, supported).of(role)
    hooked = own(supported if role == "client" else offered)
    error = KeyError("the program's own")

    def fails(*_: object) -> None:
        raise error

    setattr(hooked, hook, fails)
    receiver.receive_data(sender.send(TextMessage("x")) + sender.send(TextMessage("y")))
    with pytest.raises(KeyError) as raised:
        list(receiver.events())
    assert raised.value is error
    assert list(receiver.events()) == []
    assert receiver.send(CloseConnection(CloseReason.INTERNAL_ERROR))


@roles
@combinations
def test_what_an_outbound_hook_raises_comes_out_as_it_is_and_nothing_was_sent(
    make: Callable[[], list[Extension]], role: str
) -> None:
    offered, supported = make(), make()
    sender, receiver = Pair(offered, supported).of(role)
    hooked = own(offered if role == "client" else supported)
    error = KeyError("the program's own")

    def fails(*_: object) -> None:
        raise error

    # The hook that runs first: what it refuses no other one has seen.
    hooked.frame_outbound = fails
    with pytest.raises(KeyError) as raised:
        sender.send(TextMessage("x"))
    assert raised.value is error
    delattr(hooked, "frame_outbound")
    receiver.receive_data(sender.send(TextMessage("y")))
    assert payloads(list(receiver.events())) == ["y"]


class Ends(Extension):
    """Adds something at the end of each frame."""

    name = "x-ends"

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool | str:
        return True

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        return b"<end>"


class Upper(Ends):
    """Makes capitals."""

    name = "x-upper"

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        return data.upper()


def test_what_an_extension_adds_at_the_end_of_a_frame_passes_those_behind_it() -> None:
    connection = Connection(CLIENT, [Ends(), Upper()])
    assert connection.receive(b"\x82\x01x") == [BytesMessage(b"X<END><end>")]
    decoder = FrameDecoder(True, [Ends(), Upper()])
    decoder.receive_bytes(b"\x82\x01x")
    frame = decoder.process_buffer()
    assert frame is not None
    assert frame.payload == b"X<END><end>"


@pytest.mark.parametrize("size", [120, 121])
def test_a_control_payload_that_grows_beyond_125_bytes_fails_the_connection(size: int) -> None:
    connection = Connection(CLIENT, [Ends()])
    (event,) = connection.receive(b"\x89" + bytes([size]) + b"p" * size)
    if size == 120:
        assert event == Ping(b"p" * 120 + b"<end>")
    else:
        assert isinstance(event, CloseConnection)
        assert event.code == CloseReason.PROTOCOL_ERROR
