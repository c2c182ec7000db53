"""permessage-deflate beside other extensions, on many connections, in many threads."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from support.frames import Frame, decode
from support.inflate import Inflater
from support.negotiation import NAME, Hooked, agreed, other
from support.sent import RSV1
from support.strategies import written
from support.windows import noise
from ws13.connection import Connection, ConnectionType
from ws13.events import BytesMessage, CloseConnection, Ping, TextMessage
from ws13.extensions import Extension, PerMessageDeflate
from ws13.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits
from ws13.handshake import server_extensions_handshake
from ws13.utilities import LocalProtocolError

ROLES = pytest.mark.parametrize("role", ["client", "server"])
MAKES = pytest.mark.parametrize("make", [PerMessageDeflate, Hooked])
HELLO = bytes.fromhex("f248cdc9c90700")
RSV2 = 2


class Flips(Extension):
    """Turns every bit of what is in messages, and marks their frames with RSV2."""

    name = "flips"
    fails = False
    passes = True

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool | str:
        return True

    def accept(self, offer: str) -> bool | str | None:
        return True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self.passes = opcode.iscontrol()
        return RsvBits(False, True, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        return data if self.passes else bytes(byte ^ 0xFF for byte in data)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        if self.fails:
            raise ZeroDivisionError("a hook")
        if opcode.iscontrol():
            return rsv, data
        return RsvBits(rsv.rsv1, True, rsv.rsv3), bytes(byte ^ 0xFF for byte in data)


def enabled(make: Any) -> PerMessageDeflate:
    extension: PerMessageDeflate = make()
    extension._enabled = True
    return extension


def connected(role: str, *extensions: Extension) -> Connection:
    return Connection(ConnectionType[role.upper()], list(extensions))


def flipped(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


@ROLES
@MAKES
def test_what_comes_in_passes_extensions_in_their_order_and_goes_out_in_the_opposite_one(
    role: str, make: Any
) -> None:
    for extensions, wire in (
        ([Flips(), enabled(make)], flipped(HELLO)),  # flipped last on the way out
        ([enabled(make), Flips()], Inflater),
    ):
        connection = connected(role, *extensions)
        (frame,) = decode(connection.send(BytesMessage(b"Hello")))
        assert frame.rsv == RSV1 | RSV2
        if wire is Inflater:
            assert Inflater().message(frame.payload).data == flipped(b"Hello")
        else:
            assert frame.payload == wire
        connection.receive_data(written([Frame(2, frame.payload, rsv=frame.rsv)], role))
        assert list(connection.events()) == [BytesMessage(b"Hello")]


@ROLES
@MAKES
@pytest.mark.parametrize("first", [True, False])
def test_fragments_and_control_frames_pass_both_extensions(
    role: str, make: Any, first: bool
) -> None:
    def end(which: str) -> Connection:
        extensions = [Flips(), enabled(make)] if first else [enabled(make), Flips()]
        return connected(which, *extensions)

    here, there = end(role), end(other(role))
    said = [
        TextMessage("one ", message_finished=False),
        Ping(b"ping"),
        TextMessage("two", message_finished=False),
        TextMessage("", message_finished=True),
        BytesMessage(b"three" * 100),
    ]
    sent = b"".join(here.send(event) for event in said)
    for byte in sent:
        there.receive_data(bytes([byte]))
    text, pings, binary = "", 0, b""
    for event in there.events():
        text += event.data if isinstance(event, TextMessage) else ""
        binary += event.data if isinstance(event, BytesMessage) else b""
        pings += event == Ping(b"ping")
    assert (text, pings, binary) == ("one two", 1, b"three" * 100)


def test_one_extension_is_declined_and_the_other_accepted() -> None:
    offers = [f"{NAME}; server_max_window_bits=7", "flips", f"{NAME}; foo"]
    assert server_extensions_handshake(offers, [PerMessageDeflate(), Flips()]) == b"flips"
    offers = ["unknown", f"{NAME}; server_max_window_bits=7", NAME, "flips"]
    answer = server_extensions_handshake(offers, [PerMessageDeflate(), Flips()])
    assert answer == b"permessage-deflate, flips"


@ROLES
def test_two_extensions_cannot_have_the_same_bit(role: str) -> None:
    """The first one takes it, and to the second it never was there."""
    connection = connected(role, enabled(PerMessageDeflate), enabled(PerMessageDeflate))
    connection.receive_data(written([Frame(1, HELLO, rsv=4)], role))
    *_, event = connection.events()
    assert isinstance(event, (TextMessage, CloseConnection))


@ROLES
def test_what_the_peer_never_got_cannot_be_looked_back_at(role: str) -> None:
    """A hook behind the compression raises: the message is lost, and the next one stands alone."""
    breaks = Flips()
    connection, inflater = connected(role, breaks, enabled(PerMessageDeflate)), Inflater()
    words = noise(300)

    def arrives(body: bytes) -> None:
        (frame,) = decode(connection.send(BytesMessage(body)))
        found = inflater.message(flipped(frame.payload))
        assert (found.data, found.fault) == (body, None)

    arrives(b"before" + words[:100])
    breaks.fails = True
    for _ in range(3):
        with pytest.raises(ZeroDivisionError, match="a hook"):
            connection.send(BytesMessage(words))
    breaks.fails = False
    arrives(words)
    arrives(words + b"after")


@ROLES
@MAKES
@pytest.mark.parametrize("text", ["\ud800", "words, words\udfff"])
def test_text_that_is_none_is_refused_and_leaves_the_window_as_it_was(
    role: str, make: Any, text: str
) -> None:
    connection, inflater = agreed(role, NAME, make=make), Inflater()
    for body in ("words, words", "words, words, words"):
        (frame,) = decode(connection.send(TextMessage(body)))
        assert inflater.message(frame.payload).data == body.encode()
        with pytest.raises(LocalProtocolError):
            connection.send(TextMessage(text))


# Choices that say nothing.


@ROLES
@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("later", [True, False])
def test_the_choice_with_a_later_fragment_changes_nothing(
    role: str, begun: bool, later: bool
) -> None:
    connection, inflater = agreed(role, NAME), Inflater()
    (first,) = decode(
        connection.send(BytesMessage(b"a" * 9, message_finished=False), compress=begun)
    )
    (last,) = decode(connection.send(BytesMessage(b"b" * 9), compress=later))
    assert (first.rsv, last.rsv) == (RSV1 * begun, 0)
    payload = first.payload + last.payload
    assert (inflater.message(payload).data if begun else payload) == b"a" * 9 + b"b" * 9


@ROLES
@pytest.mark.parametrize("compress", [True, False])
def test_the_choice_with_a_control_frame_changes_nothing(role: str, compress: bool) -> None:
    connection = agreed(role, NAME)
    for event, opcode, payload in (
        (Ping(b"ping"), 9, b"ping"),
        (CloseConnection(1000), 8, b"\x03\xe8"),
    ):
        (frame,) = decode(connection.send(event, compress=compress))
        assert (frame.opcode, frame.rsv, frame.payload) == (opcode, 0, payload)


# Threads.


def test_connections_of_many_threads_do_not_disturb_each_other() -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            draw, client, server = (
                random.Random(number),
                agreed("client", NAME),
                agreed("server", NAME),
            )
            for turn in range(200):
                body = f"{number} {turn} ".encode() * draw.randrange(1, 60)
                for here, there in ((client, server), (server, client)):
                    there.receive_data(here.send(BytesMessage(body)))
                    assert list(there.events()) == [BytesMessage(body)]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
