"""wsproto's layer of frames: the same frames, bytes and errors, from the same bytes and calls."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import strategies
from support.strategies import roles
from ws13.extensions import Extension, PerMessageDeflate
from ws13.frame_protocol import (
    Buffer,
    CloseReason,
    Frame,
    FrameDecoder,
    FrameProtocol,
    MessageDecoder,
    Opcode,
    ParseFailed,
    RsvBits,
    XorMaskerNull,
    XorMaskerSimple,
)
from ws13.utilities import LocalProtocolError

PROFILE = settings(max_examples=200, deadline=None)


def wsproto() -> Any:
    return pytest.importorskip("wsproto.frame_protocol")


def received(module: Any, role: str, chunks: list[bytes]) -> tuple[list[Any], Any]:
    """What a FrameProtocol makes of the chunks: the frames, and the close code of its failure."""
    protocol = module.FrameProtocol(client=role == "client", extensions=[])
    frames: list[Any] = []
    try:
        for chunk in chunks:
            protocol.receive_bytes(chunk)
            frames += [tuple(frame) for frame in protocol.received_frames()]
    except module.ParseFailed as failed:
        return frames, int(failed.code)
    return frames, None


def decoded(module: Any, role: str, chunks: list[bytes]) -> list[Any]:
    """What a FrameDecoder makes of the chunks."""
    decoder = module.FrameDecoder(role == "client")
    frames: list[Any] = []
    for chunk in chunks:
        decoder.receive_bytes(chunk)
        while (frame := decoder.process_buffer()) is not None:
            frames.append(tuple(frame))
    return frames


@PROFILE
@given(role=roles, data=st.data())
def test_a_legal_stream_gives_wsprotos_frames(role: str, data: st.DataObject) -> None:
    stream = strategies.written(data.draw(strategies.conversations()), role)
    chunks = data.draw(strategies.cuts(stream))
    ours = importlib.import_module("ws13.frame_protocol")
    assert received(ours, role, chunks) == received(wsproto(), role, chunks)
    assert decoded(ours, role, chunks) == decoded(wsproto(), role, chunks)


@PROFILE
@given(role=roles, data=st.data())
def test_a_broken_frame_fails_with_wsprotos_close_code(role: str, data: st.DataObject) -> None:
    stream = data.draw(strategies.broken_frames(role, bad_text=False))
    ours = importlib.import_module("ws13.frame_protocol")
    _, code = received(ours, role, [stream])
    assert code is not None
    assert code == received(wsproto(), role, [stream])[1]


CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("send_data", (b"\x00\xff", True)),
    ("send_data", (bytearray(b"x" * 126), True)),
    ("send_data", (memoryview(b"x" * 65536), True)),
    ("send_data", ("Grüße", True)),
    ("send_data", ()),
    ("ping", ()),
    ("ping", (b"p" * 125,)),
    ("pong", (b"p",)),
    ("close", ()),
    ("close", (1000,)),
    ("close", (1000, "€" * 60)),
    ("close", (1006, "gone")),
    ("close", (4999, None)),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_a_call_returns_wsprotos_bytes(name: str, arguments: tuple[Any, ...]) -> None:
    ours = getattr(FrameProtocol(False, []), name)(*arguments)
    theirs = getattr(wsproto().FrameProtocol(False, []), name)(*arguments)
    assert type(ours) is bytearray
    assert ours == theirs


def test_a_client_masks_with_a_fresh_key() -> None:
    protocol = FrameProtocol(client=True, extensions=[])
    frames = [protocol.send_data(b"payload") for _ in range(4)]
    assert len({bytes(frame[2:6]) for frame in frames}) == 4
    for frame in frames:
        assert frame[:2] == b"\x82\x87"
        assert XorMaskerSimple(frame[2:6]).process(frame[6:]) == b"payload"


@pytest.mark.parametrize("code", [None, CloseReason.NO_STATUS_RCVD, 1005])
def test_a_close_without_a_status_is_empty_and_takes_no_reason(code: int | None) -> None:
    protocol = FrameProtocol(False, [])
    with pytest.raises(TypeError, match="reason without a code"):
        protocol.close(code, "because")
    assert protocol.close(code) == b"\x88\x00"


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("ping", (b"x" * 126,), ValueError),
        ("pong", (b"x" * 126,), ValueError),
        ("close", (999,), ValueError),
        ("send_data", ("\ud800",), ValueError),
        ("send_data", (5,), TypeError),
        ("send_data", (None,), TypeError),
        ("receive_bytes", (None,), TypeError),
        ("receive_bytes", ("text",), TypeError),
    ],
)
def test_a_call_that_is_refused_changes_nothing(
    name: str, arguments: tuple[Any, ...], error: type[Exception]
) -> None:
    protocol = FrameProtocol(False, [])
    protocol.send_data("begun", fin=False)
    with pytest.raises(error):
        getattr(protocol, name)(*arguments)
    with pytest.raises(TypeError, match="Data type mismatch inside message"):
        protocol.send_data(b"bytes")
    assert protocol.send_data("done") == b"\x80\x04done"
    assert list(protocol.received_frames()) == []


def test_both_directions_go_on_after_a_close() -> None:
    protocol = FrameProtocol(client=True, extensions=[])
    protocol.close(1000)
    assert protocol.send_data(b"x")[:2] == b"\x82\x81"
    protocol.receive_bytes(b"\x82\x01y\x88\x05\x03\xe8bye\x82\x01z")
    assert list(protocol.received_frames()) == [
        Frame(Opcode.BINARY, b"y", True, True),
        Frame(Opcode.CLOSE, (CloseReason.NORMAL_CLOSURE, "bye"), True, True),
    ]
    protocol.receive_bytes(b"\x82\x01y")
    assert list(protocol.received_frames()) == []
    assert protocol.ping()[:2] == b"\x89\x80"


def test_nothing_comes_behind_a_failure() -> None:
    protocol = FrameProtocol(client=True, extensions=[])
    protocol.receive_bytes(b"\x82\x01y\x83\x00\x82\x01z")
    frames = protocol.received_frames()
    assert next(frames).payload == b"y"
    with pytest.raises(ParseFailed, match="Invalid opcode 0x3") as failed:
        next(frames)
    assert failed.value.code is CloseReason.PROTOCOL_ERROR
    assert list(protocol.received_frames()) == []


def test_a_compressed_message_passes_in_both_directions() -> None:
    def deflate() -> PerMessageDeflate:
        extension = PerMessageDeflate()
        extension.accept("permessage-deflate")
        return extension

    client, server = FrameProtocol(True, [deflate()]), FrameProtocol(False, [deflate()])
    for text in ("Hello", "Hello"):  # the second one is told by the window alone
        frame = client.send_data(text)
        assert frame[0] == 0xC1
        server.receive_bytes(frame)
        assert list(server.received_frames()) == [Frame(Opcode.TEXT, text, True, True)]


class Marks(Extension):
    """Counts, and marks each frame with RSV3."""

    name = "marks"

    def __init__(self) -> None:
        self.told: list[tuple[type, bool]] = []

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool | str:
        return True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self.told.append((type(proto), proto.client))
        return CloseReason.POLICY_VIOLATION if payload_length == 13 else RsvBits(False, False, True)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        self.told.append((type(proto), proto.client))
        return RsvBits(False, False, True), data


def test_hooks_are_told_which_end_and_which_direction_it_is() -> None:
    marks = Marks()
    protocol = FrameProtocol(client=True, extensions=[marks])
    assert protocol.send_data(b"x")[0] == 0x92
    protocol.receive_bytes(b"\x92\x01y")
    assert [frame.payload for frame in protocol.received_frames()] == [b"y"]
    decoder = FrameDecoder(False, [marks])
    decoder.receive_bytes(b"\x92\x81\x00\x00\x00\x00z")
    assert decoder.process_buffer() == Frame(Opcode.BINARY, b"z", True, True)
    assert marks.told == [(FrameProtocol, True), (FrameDecoder, True), (FrameDecoder, False)]


@pytest.mark.parametrize("whole", [True, False])
def test_a_frame_that_a_hook_refuses_fails_with_the_hooks_code(whole: bool) -> None:
    refused = b"\x92\x0d" + bytes(13)
    with pytest.raises(ParseFailed) as failed:
        if whole:
            protocol = FrameProtocol(True, [Marks()])
            protocol.receive_bytes(refused)
            list(protocol.received_frames())
        else:
            decoder = FrameDecoder(True, [Marks()])
            decoder.receive_bytes(refused)
            decoder.process_buffer()
    assert failed.value.code is CloseReason.POLICY_VIOLATION


def test_the_messages_opcode_stands_on_each_of_its_pieces() -> None:
    decoder = MessageDecoder()
    first = decoder.process_frame(Frame(Opcode.TEXT, b"a\xe2\x82", True, False))
    assert first == Frame(Opcode.TEXT, "a", True, False)
    assert decoder.opcode is Opcode.TEXT
    assert decoder.decoder is not None
    last = decoder.process_frame(Frame(Opcode.CONTINUATION, b"\xac", True, True))
    assert last == Frame(Opcode.TEXT, "€", True, True)
    assert (decoder.opcode, decoder.decoder) == (None, None)


def test_a_buffer_goes_back_to_where_it_was_committed() -> None:
    buffer = Buffer(b"abc")
    assert buffer.consume_exactly(4) is None
    assert buffer.consume_exactly(2) == b"ab"
    buffer.rollback()
    assert buffer.consume_at_most(2) == b"ab"
    buffer.commit()
    assert (len(buffer), buffer.consume_at_most(9)) == (1, b"c")


@given(st.binary(min_size=4, max_size=4), st.lists(st.binary(max_size=40), max_size=5))
def test_a_masked_payload_is_the_same_for_every_cut(key: bytes, pieces: list[bytes]) -> None:
    masker = XorMaskerSimple(key)
    masked = b"".join(masker.process(piece) for piece in pieces)
    whole = b"".join(pieces)
    assert masked == bytes(byte ^ key[i % 4] for i, byte in enumerate(whole))


def test_a_server_masks_nothing() -> None:
    data = bytearray(b"as it is")
    assert XorMaskerNull().process(data) is data
    with pytest.raises(ValueError, match="four bytes"):
        XorMaskerSimple(b"abc").process(data)


def test_what_a_hook_raises_comes_out_as_it_is() -> None:
    error = LocalProtocolError("the hook's own")

    class Raises(Marks):
        def frame_outbound(self, *_: Any) -> Any:
            raise error

    with pytest.raises(LocalProtocolError) as raised:
        FrameProtocol(False, [Raises()]).ping()
    assert raised.value is error
