"""The class `PerMessageDeflate` in a program's hands: as wsproto's, with settings of its own."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from support.deflate import TAIL
from support.frames import Frame, decode
from support.negotiation import NAME, Hooked, opened
from support.strategies import written
from ws13 import extensions
from ws13.connection import CLIENT, SERVER, Connection
from ws13.events import BytesMessage, CloseConnection, TextMessage
from ws13.extensions import SUPPORTED_EXTENSIONS, Extension, PerMessageDeflate
from ws13.frame_protocol import CloseReason, Opcode, RsvBits

needs_wsproto = pytest.mark.skipif(
    importlib.util.find_spec("wsproto") is None, reason="wsproto is not installed"
)
HELLO = bytes.fromhex("f248cdc9c90700")
FIELDS = (
    "client_no_context_takeover",
    "client_max_window_bits",
    "server_no_context_takeover",
    "server_max_window_bits",
)
ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"client_no_context_takeover": True},
    {"server_no_context_takeover": True},
    {"client_max_window_bits": 9},
    {"server_max_window_bits": 15, "client_max_window_bits": 12},
    dict(zip(FIELDS, (True, 10, True, 11), strict=True)),
]
TEXTS = [
    "permessage-deflate",
    "permessage-deflate; ",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits=10",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate;server_max_window_bits=11;client_max_window_bits=9",
    "permessage-deflate; server_max_window_bits = 11 ",
    "permessage-deflate; client_no_context_takeover",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; client_max_window_bits=8",
    "permessage-deflate; server_max_window_bits=8",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=10; server_max_window_bits=12",
    "permessage-deflate; foo; bar=baz",
]


def fields(extension: Any) -> dict[str, Any]:
    return {name: getattr(extension, name) for name in FIELDS}


def test_the_class_is_supported_under_its_name() -> None:
    assert PerMessageDeflate.name == NAME
    assert {NAME: PerMessageDeflate} == SUPPORTED_EXTENSIONS
    assert issubclass(PerMessageDeflate, Extension)
    assert {"PerMessageDeflate", "SUPPORTED_EXTENSIONS"} <= set(extensions.__all__)


def test_what_is_wanted_is_there_to_read() -> None:
    extension = PerMessageDeflate(True, 10, False, 12, level=7, threshold=99)
    assert fields(extension) == dict(zip(FIELDS, (True, 10, False, 12), strict=True))
    assert (extension.level, extension.threshold) == (7, 99)
    assert not extension.enabled()
    assert fields(PerMessageDeflate()) == dict(zip(FIELDS, (False, 15, False, 15), strict=True))
    assert (PerMessageDeflate().level, PerMessageDeflate().threshold) == (4, 0)


@pytest.mark.parametrize("name", ["client_max_window_bits", "server_max_window_bits"])
@pytest.mark.parametrize("bits", [8, 16, 0, -1, 100, 2**40])
def test_window_bits_are_9_to_15(name: str, bits: int) -> None:
    with pytest.raises(ValueError, match="between 9 and 15"):
        PerMessageDeflate(**{name: bits})  # type: ignore[arg-type]
    extension = PerMessageDeflate()
    with pytest.raises(ValueError, match="between 9 and 15"):
        setattr(extension, name, bits)
    assert getattr(extension, name) == 15
    setattr(extension, name, 9)
    assert getattr(extension, name) == 9


@pytest.mark.parametrize("bits", ["10", b"10", [], {}])
def test_window_bits_of_the_wrong_type_are_refused(bits: Any) -> None:
    for name in ("client_max_window_bits", "server_max_window_bits"):
        with pytest.raises(TypeError):
            PerMessageDeflate(**{name: bits})


@pytest.mark.parametrize("level", [0, 10, -1, 100])
def test_levels_are_1_to_9(level: int) -> None:
    with pytest.raises(ValueError, match="level"):
        PerMessageDeflate(level=level)


def test_a_threshold_is_not_negative() -> None:
    with pytest.raises(ValueError, match="threshold"):
        PerMessageDeflate(threshold=-1)


@pytest.mark.parametrize("name", ["level", "threshold"])
@pytest.mark.parametrize("value", ["4", None, b"4", []])
def test_settings_of_the_wrong_type_are_refused(name: str, value: Any) -> None:
    with pytest.raises(TypeError):
        PerMessageDeflate(**{name: value})


def test_level_and_threshold_are_keywords() -> None:
    make: Any = PerMessageDeflate
    with pytest.raises(TypeError):
        make(False, None, False, None, 4)


def test_it_prints_its_parameters() -> None:
    extension = PerMessageDeflate(True, 10, True, 11)
    assert repr(extension) == (
        "<PerMessageDeflate client_max_window_bits=10; client_no_context_takeover; "
        "server_max_window_bits=11; server_no_context_takeover>"
    )
    assert repr(Hooked()) == "<Hooked client_max_window_bits=15; server_max_window_bits=15>"


# As wsproto's, when the methods are called directly.


def pair(arguments: dict[str, Any]) -> list[Any]:
    import wsproto.extensions

    return [PerMessageDeflate(**arguments), wsproto.extensions.PerMessageDeflate(**arguments)]


@needs_wsproto
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_the_offer_and_the_repr_are_those_of_wsproto(arguments: dict[str, Any]) -> None:
    ours, theirs = pair(arguments)
    assert ours.offer() == theirs.offer()
    assert repr(ours) == repr(theirs)


@needs_wsproto
@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("text", TEXTS)
def test_accept_called_directly_is_as_lenient_as_in_wsproto(
    arguments: dict[str, Any], text: str
) -> None:
    ours, theirs = pair(arguments)
    assert ours.accept(text) == theirs.accept(text)
    assert ours.enabled() is theirs.enabled()
    assert fields(ours) == fields(theirs)


@needs_wsproto
@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("text", [t for t in TEXTS if not t.endswith("window_bits")])
def test_finalize_called_directly_is_as_lenient_as_in_wsproto(
    arguments: dict[str, Any], text: str
) -> None:
    outcomes: list[Any] = []
    for extension in pair(arguments):
        try:
            extension.finalize(text)
        except ValueError:
            outcomes.append("ValueError")
        else:
            outcomes.append((extension.enabled(), fields(extension)))
    assert outcomes[0] == outcomes[1]


# Enabled by hand, as programs do it.


def enabled(extension: PerMessageDeflate) -> PerMessageDeflate:
    extension._enabled = True
    return extension


@pytest.mark.parametrize("make", [PerMessageDeflate, Hooked])
@pytest.mark.parametrize(("kind", "role"), [(CLIENT, "client"), (SERVER, "server")])
def test_an_extension_that_was_enabled_by_hand_works(make: Any, kind: Any, role: str) -> None:
    connection = Connection(kind, [enabled(make())])
    connection.receive_data(written([Frame(1, HELLO, rsv=4)], role))
    assert list(connection.events()) == [TextMessage("Hello")]
    (frame,) = decode(connection.send(TextMessage("Hello")))
    assert (frame.rsv, frame.payload) == (4, HELLO)


def test_an_extension_that_is_not_enabled_is_left_out() -> None:
    connection = Connection(SERVER, [PerMessageDeflate()])
    assert connection.send(TextMessage("Hello")) == b"\x81\x05Hello"
    connection.receive_data(written([Frame(1, HELLO, rsv=4)], "server"))
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    assert event.code == 1002


@pytest.mark.parametrize("text", [NAME, f"{NAME}; server_max_window_bits=10"])
def test_an_extension_that_has_accepted_an_offer_itself_works(text: str) -> None:
    extension = PerMessageDeflate()
    assert extension.accept(text) is not None
    connection = Connection(SERVER, [extension])
    assert connection.send(TextMessage("Hello")).hex() == "c107f248cdc9c90700"


def test_what_was_sent_and_received_before_is_on_the_connection_not_on_the_object() -> None:
    """One object for two connections, one after the other: neither looks back at the other's."""
    extension = enabled(PerMessageDeflate())
    for _ in range(2):
        connection = Connection(SERVER, [extension])
        assert connection.send(TextMessage("Hello")).hex() == "c107f248cdc9c90700"
        connection.receive_data(written([Frame(1, bytes.fromhex("f200110000"), rsv=4)], "server"))
        *_, event = connection.events()
        assert isinstance(event, CloseConnection)
        assert event.code == 1007


def test_a_codec_is_there_only_when_a_hook_has_made_one() -> None:
    extension = enabled(PerMessageDeflate(server_no_context_takeover=True))
    assert extension._compressor is None
    assert extension._decompressor is None
    Connection(SERVER, [extension]).send(TextMessage("Hello"))
    assert extension._compressor is None
    assert extension._decompressor is None


# A subclass that has something to say.


class Counting(PerMessageDeflate):
    """Counts what passes."""

    inbound = outbound = 0

    def frame_inbound_payload_data(self, proto: Any, data: bytes) -> bytes | CloseReason:
        self.inbound += len(data)
        return super().frame_inbound_payload_data(proto, data)

    def frame_outbound(
        self, proto: Any, opcode: Opcode, rsv: RsvBits, data: bytes, fin: bool
    ) -> tuple[RsvBits, bytes]:
        rsv, data = super().frame_outbound(proto, opcode, rsv, data, fin)
        self.outbound += len(data)
        return rsv, data


@pytest.mark.parametrize("role", ["client", "server"])
def test_a_subclass_sees_what_passes(role: str) -> None:
    made: list[Counting] = []

    def make(**own: Any) -> Counting:
        made.append(Counting(**own))
        return made[-1]

    connection = opened(role, make=make)
    connection.receive_data(written([Frame(1, HELLO, rsv=4)], role))
    assert list(connection.events()) == [TextMessage("Hello")]
    connection.send(TextMessage("Hello"))
    assert (made[0].inbound, made[0].outbound) == (len(HELLO), len(HELLO))


class Declining(PerMessageDeflate):
    """Wants no offer that leaves the server's window open."""

    def accept(self, offer: str) -> bool | str | None:
        return super().accept(offer) if "server_max_window_bits" in offer else None


def test_a_subclass_may_decline_an_offer() -> None:
    with_it = opened("server", f"{NAME}; server_max_window_bits=10", make=Declining)
    assert decode(with_it.send(TextMessage("Hello")))[0].rsv == 4
    without = opened("server", NAME, make=Declining, level=4)
    assert without.send(TextMessage("Hello")) == b"\x81\x05Hello"


def test_a_hook_that_was_replaced_on_the_object_is_called() -> None:
    extension = enabled(PerMessageDeflate())
    seen: list[bytes] = []

    def looking(proto: Any, data: bytes) -> bytes | CloseReason:
        seen.append(data)
        return PerMessageDeflate.frame_inbound_payload_data(extension, proto, data)

    extension.frame_inbound_payload_data = looking  # type: ignore[method-assign]
    connection = Connection(CLIENT, [extension])
    connection.receive_data(written([Frame(2, HELLO, rsv=4)], "client"))
    assert list(connection.events()) == [BytesMessage(b"Hello")]
    assert b"".join(seen) == HELLO


def test_a_codec_that_was_put_on_the_object_is_used() -> None:
    import zlib

    extension = enabled(PerMessageDeflate())
    extension._compressor = zlib.compressobj(0, zlib.DEFLATED, -15)
    (frame,) = decode(Connection(SERVER, [extension]).send(BytesMessage(b"Hello")))
    assert zlib.decompressobj(-15).decompress(frame.payload + TAIL) == b"Hello"
    assert b"Hello" in frame.payload  # stored, as a level of 0 has it
