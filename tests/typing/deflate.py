"""Types of permessage-deflate and of `Config`. Checked, not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ws13 import Config, H11Handshake, WSConnection
from ws13.connection import CLIENT, SERVER, Connection
from ws13.events import AcceptConnection, Ping, Request, TextMessage
from ws13.extensions import SUPPORTED_EXTENSIONS, Extension, PerMessageDeflate
from ws13.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits
from ws13.handshake import server_extensions_handshake

if TYPE_CHECKING:
    from typing_extensions import assert_type


def a_config() -> None:
    config = Config(whole_messages=True, max_message_size=2**20, max_frame_size=None, piece_size=1)
    assert_type(config.whole_messages, bool)
    assert_type(config.max_message_size, int | None)
    assert_type(config.piece_size, int | None)
    assert_type(config.max_early_data, int | None)
    assert_type(Config.server(max_fragments=None), Config)
    assert_type(Config.client(whole_messages=False), Config)
    assert_type(config.__replace__(max_head_size=1000), Config)
    assert_type(config == Config(), bool)
    Config(max_message_size="1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Config(True)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    config.max_fragments = 1  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def who_takes_a_config() -> None:
    WSConnection(CLIENT, config=Config())
    WSConnection(SERVER, config=None)
    H11Handshake(SERVER, config=Config.server())
    Connection(CLIENT, [PerMessageDeflate()], b"", config=Config.client())


def the_choice() -> bytes:
    ws = WSConnection(SERVER)
    sent = ws.send(TextMessage("a"), compress=False) + ws.send(Ping(), compress=None)
    assert_type(sent, bytes)
    return sent + Connection(SERVER).send(TextMessage("b"), compress=True)


def an_extension() -> None:
    extension = PerMessageDeflate(True, 10, False, None, level=9, threshold=100)
    assert_type(extension.client_no_context_takeover, bool)
    assert_type(extension.client_max_window_bits, int)
    assert_type(extension.server_max_window_bits, int)
    assert_type(extension.level, int)
    assert_type(extension.threshold, int)
    assert_type(extension.enabled(), bool)
    assert_type(extension.offer(), bool | str)
    assert_type(extension.accept("permessage-deflate"), bool | str | None)
    extension.finalize("permessage-deflate")
    extension.client_max_window_bits = 12
    base: Extension = extension
    assert_type(server_extensions_handshake(["x"], [base]), bytes | None)
    assert_type(SUPPORTED_EXTENSIONS, dict[str, type[PerMessageDeflate]])
    PerMessageDeflate(level="x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    AcceptConnection(extensions=[extension])
    Request("example.com", "/", extensions=[extension])


class Loud(PerMessageDeflate):
    """As programs override it."""

    def offer(self) -> bool | str:
        return super().offer()

    def accept(self, offer: str) -> bool | str | None:
        return super().accept(offer)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        return super().frame_inbound_payload_data(proto, data)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        return super().frame_outbound(proto, opcode, rsv, data, fin)
