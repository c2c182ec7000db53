"""The names that programs written for wsproto use, with wsproto's signatures and values."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import ws13
from ws13 import connection, events, frame_protocol, handshake, utilities
from ws13.connection import ConnectionState, ConnectionType
from ws13.frame_protocol import CloseReason, Frame, Header, Opcode, ParseFailed, RsvBits

has_wsproto = importlib.util.find_spec("wsproto") is not None
needs_wsproto = pytest.mark.skipif(not has_wsproto, reason="wsproto is not installed")

MODULES = [
    "connection",
    "events",
    "extensions",
    "frame_protocol",
    "handshake",
    "typing",
    "utilities",
]

#: Module ("" is the package) and the names in it.
NAMES: dict[str, str] = {
    "": "Connection ConnectionState ConnectionType H11Handshake WSConnection __version__ "
    "install_as_wsproto",
    "connection": "CLIENT SERVER Connection ConnectionState ConnectionType WSConnection",
    "events": "AcceptConnection BytesMessage CloseConnection Event Message Ping Pong "
    "RejectConnection RejectData Request TextMessage",
    "extensions": "Extension PerMessageDeflate SUPPORTED_EXTENSIONS",
    "frame_protocol": "Buffer CloseReason Frame FrameDecoder FrameProtocol Header MessageDecoder "
    "Opcode ParseFailed RsvBits XorMaskerNull XorMaskerSimple",
    "handshake": "H11Handshake WEBSOCKET_UPGRADE WEBSOCKET_VERSION "
    "client_extensions_handshake server_extensions_handshake",
    "typing": "Headers",
    "utilities": "ACCEPT_GUID LocalProtocolError ProtocolError RemoteProtocolError "
    "generate_accept_token generate_nonce normed_header_dict split_comma_header",
}
CONSTANTS: dict[str, dict[str, object]] = {
    "frame_protocol": {
        "FIN_MASK": 0x80,
        "LOCAL_ONLY_CLOSE_REASONS": (1005, 1006, 1015),
        "MASK_MASK": 0x80,
        "MAX_CLOSE_REASON": 4999,
        "MAX_FRAME_PAYLOAD": 2**64 - 1,
        "MAX_LIBRARY_CLOSE_REASON": 3999,
        "MAX_PAYLOAD_EIGHT_BYTE": 2**64 - 1,
        "MAX_PAYLOAD_NORMAL": 125,
        "MAX_PAYLOAD_TWO_BYTE": 2**16 - 1,
        "MAX_PRIVATE_CLOSE_REASON": 4999,
        "MAX_PROTOCOL_CLOSE_REASON": 2999,
        "MIN_CLOSE_REASON": 1000,
        "MIN_LIBRARY_CLOSE_REASON": 3000,
        "MIN_PRIVATE_CLOSE_REASON": 4000,
        "MIN_PROTOCOL_CLOSE_REASON": 1000,
        "NULL_MASK": b"\x00\x00\x00\x00",
        "OPCODE_MASK": 0x0F,
        "PAYLOAD_LENGTH_EIGHT_BYTE": 127,
        "PAYLOAD_LENGTH_TWO_BYTE": 126,
        "PAYLOAD_LEN_MASK": 0x7F,
        "RSV1_MASK": 0x40,
        "RSV2_MASK": 0x20,
        "RSV3_MASK": 0x10,
    },
    "handshake": {"WEBSOCKET_UPGRADE": b"websocket", "WEBSOCKET_VERSION": b"13"},
    "utilities": {"ACCEPT_GUID": b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"},
}
#: What can be called: module, dotted name, and the parameters (with "=" when they have a default).
CALLABLES: list[tuple[str, str, str]] = [
    ("", "WSConnection", "connection_type"),
    ("", "WSConnection.initiate_upgrade_connection", "self headers path"),
    ("", "WSConnection.send", "self event"),
    ("", "WSConnection.receive_data", "self data"),
    ("", "WSConnection.events", "self"),
    ("connection", "Connection", "connection_type extensions= trailing_data="),
    ("connection", "Connection.send", "self event"),
    ("connection", "Connection.receive_data", "self data"),
    ("connection", "Connection.events", "self"),
    ("handshake", "H11Handshake", "connection_type"),
    ("handshake", "H11Handshake.initiate_upgrade_connection", "self headers path"),
    ("handshake", "H11Handshake.send", "self event"),
    ("handshake", "H11Handshake.receive_data", "self data"),
    ("handshake", "H11Handshake.events", "self"),
    ("handshake", "server_extensions_handshake", "requested supported"),
    ("handshake", "client_extensions_handshake", "accepted supported"),
    ("events", "Request", "host target extensions= extra_headers= subprotocols="),
    ("events", "AcceptConnection", "subprotocol= extensions= extra_headers="),
    ("events", "RejectConnection", "status_code= headers= has_body="),
    ("events", "RejectData", "data body_finished="),
    ("events", "CloseConnection", "code reason="),
    ("events", "CloseConnection.response", "self"),
    ("events", "TextMessage", "data frame_finished= message_finished="),
    ("events", "BytesMessage", "data frame_finished= message_finished="),
    ("events", "Message", "data frame_finished= message_finished="),
    ("events", "Ping", "payload="),
    ("events", "Ping.response", "self"),
    ("events", "Pong", "payload="),
    ("extensions", "Extension.enabled", "self"),
    ("extensions", "Extension.offer", "self"),
    ("extensions", "Extension.accept", "self offer"),
    ("extensions", "Extension.finalize", "self offer"),
    ("extensions", "Extension.frame_inbound_header", "self proto opcode rsv payload_length"),
    ("extensions", "Extension.frame_inbound_payload_data", "self proto data"),
    ("extensions", "Extension.frame_inbound_complete", "self proto fin"),
    ("extensions", "Extension.frame_outbound", "self proto opcode rsv data fin"),
    ("frame_protocol", "Buffer", "initial_bytes="),
    ("frame_protocol", "Buffer.feed", "self new_bytes"),
    ("frame_protocol", "Buffer.consume_at_most", "self nbytes"),
    ("frame_protocol", "Buffer.consume_exactly", "self nbytes"),
    ("frame_protocol", "FrameDecoder", "client extensions="),
    ("frame_protocol", "FrameDecoder.receive_bytes", "self data"),
    ("frame_protocol", "FrameDecoder.process_buffer", "self"),
    ("frame_protocol", "FrameProtocol", "client extensions"),
    ("frame_protocol", "FrameProtocol.receive_bytes", "self data"),
    ("frame_protocol", "FrameProtocol.received_frames", "self"),
    ("frame_protocol", "FrameProtocol.send_data", "self payload= fin="),
    ("frame_protocol", "FrameProtocol.ping", "self payload="),
    ("frame_protocol", "FrameProtocol.pong", "self payload="),
    ("frame_protocol", "FrameProtocol.close", "self code= reason="),
    ("frame_protocol", "MessageDecoder", ""),
    ("frame_protocol", "MessageDecoder.process_frame", "self frame"),
    ("frame_protocol", "XorMaskerSimple", "masking_key"),
    ("frame_protocol", "XorMaskerSimple.process", "self data"),
    ("frame_protocol", "XorMaskerNull.process", "self data"),
    ("frame_protocol", "ParseFailed", "msg code="),
    ("frame_protocol", "RsvBits", "rsv1 rsv2 rsv3"),
    ("frame_protocol", "Header", "fin rsv opcode payload_len masking_key"),
    ("frame_protocol", "Frame", "opcode payload frame_finished message_finished"),
    ("frame_protocol", "Opcode.iscontrol", "self"),
    ("utilities", "RemoteProtocolError", "message event_hint="),
    ("utilities", "generate_accept_token", "token"),
    ("utilities", "generate_nonce", ""),
    ("utilities", "normed_header_dict", "h11_headers"),
    ("utilities", "split_comma_header", "value"),
]


def module_of(package: str, name: str) -> ModuleType:
    return importlib.import_module(f"{package}.{name}" if name else package)


def attribute(package: str, module: str, dotted: str) -> Any:
    found: Any = module_of(package, module)
    for name in dotted.split("."):
        found = getattr(found, name)
    return found


def parameters(function: Any) -> str:
    """Names in order, "=" behind those that may be left out."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    return " ".join(
        one.name + ("" if one.default is one.empty else "=")
        for one in inspect.signature(function).parameters.values()
        if one.kind in kinds
    )


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in NAMES for name in NAMES[module].split()]
)
def test_the_name_exists_in_its_module(module: str, name: str) -> None:
    assert hasattr(module_of("ws13", module), name)
    assert name in getattr(module_of("ws13", module), "__all__", [name])


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [(module, name, value) for module in CONSTANTS for name, value in CONSTANTS[module].items()],
)
def test_the_constant_has_wsprotos_value(module: str, name: str, value: object) -> None:
    found = getattr(module_of("ws13", module), name)
    assert found == value
    assert isinstance(found, type(value))
    if has_wsproto:
        assert getattr(module_of("wsproto", module), name) == value


@pytest.mark.parametrize(("module", "name", "wanted"), CALLABLES)
def test_the_signature_has_wsprotos_parameters(module: str, name: str, wanted: str) -> None:
    assert parameters(attribute("ws13", module, name)) == wanted
    if has_wsproto:
        assert parameters(attribute("wsproto", module, name)) == wanted


@pytest.mark.parametrize("name", ["ConnectionState", "ConnectionType", "Opcode", "CloseReason"])
@needs_wsproto
def test_the_members_of_the_enum_are_wsprotos(name: str) -> None:
    module = "connection" if name.startswith("Connection") else "frame_protocol"
    ours, theirs = (attribute(package, module, name) for package in ("ws13", "wsproto"))
    added = {"BAD_GATEWAY": 1014} if name == "CloseReason" else {}
    members = {member.name: member.value for member in ours}
    assert {**added, **members} == {**added, **{one.name: one.value for one in theirs}}
    assert ours.__mro__[1] is theirs.__mro__[1]
    for one in theirs:
        assert repr(ours[one.name]) == repr(one)
        assert str(ours[one.name]) == str(one)


def test_states_and_types_are_plain_enums_with_wsprotos_values() -> None:
    states = {"CONNECTING": 0, "OPEN": 1, "REMOTE_CLOSING": 2, "LOCAL_CLOSING": 3, "CLOSED": 4}
    states["REJECTING"] = 5
    assert {state.name: state.value for state in ConnectionState} == states
    assert {kind.name: kind.value for kind in ConnectionType} == {"CLIENT": 1, "SERVER": 2}
    assert connection.CLIENT is ConnectionType.CLIENT
    assert connection.SERVER is ConnectionType.SERVER
    assert not isinstance(ConnectionState.OPEN, int)


def test_opcodes_and_close_reasons_are_ints_and_print_as_wsproto_prints_them() -> None:
    assert {int(code) for code in Opcode} == {0, 1, 2, 8, 9, 10}
    assert [code.name for code in Opcode if code.iscontrol()] == ["CLOSE", "PING", "PONG"]
    assert repr(Opcode.BINARY) == "<Opcode.BINARY: 2>"
    assert repr(CloseReason.PROTOCOL_ERROR) == "<CloseReason.PROTOCOL_ERROR: 1002>"
    assert CloseReason(1000) is CloseReason.NORMAL_CLOSURE


def test_rsv_bits_headers_and_frames_are_named_tuples() -> None:
    rsv = RsvBits(True, False, False)
    assert rsv == (True, False, False)
    assert Header(True, rsv, Opcode.TEXT, 5, None)._fields[3] == "payload_len"
    assert Frame(Opcode.PING, b"x", True, True)._replace(payload=b"y").payload == b"y"


def test_parse_failed_carries_its_close_code() -> None:
    assert ParseFailed("x").code is CloseReason.PROTOCOL_ERROR
    failed = ParseFailed("x", CloseReason.MESSAGE_TOO_BIG)
    assert (str(failed), failed.code) == ("x", CloseReason.MESSAGE_TOO_BIG)


def test_errors_are_wsprotos_classes_with_an_event_hint() -> None:
    assert issubclass(utilities.LocalProtocolError, utilities.ProtocolError)
    assert issubclass(utilities.RemoteProtocolError, utilities.ProtocolError)
    assert utilities.ProtocolError.__bases__ == (Exception,)
    error = utilities.RemoteProtocolError("x", event_hint=events.RejectConnection())
    assert (str(error), error.event_hint) == ("x", events.RejectConnection())
    assert utilities.RemoteProtocolError("x").event_hint is None
    assert str(utilities.LocalProtocolError("x")) == "x"


def test_the_helpers_answer_as_in_the_rfc() -> None:
    token = utilities.generate_accept_token(b"dGhlIHNhbXBsZSBub25jZQ==")
    assert token == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert len(utilities.generate_nonce()) == 24
    assert utilities.generate_nonce() != utilities.generate_nonce()
    headers = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
    assert utilities.normed_header_dict(headers) == {b"a": b"1, 3", b"b": b"2"}
    assert utilities.split_comma_header(b"a , b,c") == ["a", "b", "c"]
    assert handshake.server_extensions_handshake(["x"], []) is None
    assert bytes(4) == frame_protocol.NULL_MASK


def test_the_version_is_numeric() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", ws13.__version__)


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_loads_its_modules() -> None:
    names = ", ".join(f"ws13.{name}" for name in MODULES)
    assert run(f"import ws13; print(len([{names}]))") == str(len(MODULES))


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "asyncio h11 wsproto dataclasses inspect typing_extensions zlib socket ssl logging"
    code = (
        "import sys; before = set(sys.modules); import ws13; "
        f"print(sorted(set({heavy.split()!r}) & (set(sys.modules) - before)))"
    )
    assert run(code) == "[]"


def test_dataclasses_is_loaded_when_it_is_asked_for() -> None:
    code = (
        "import sys, ws13; e = ws13.events.Ping(); repr(e), e == e, hash(e);"
        "print('dataclasses' in sys.modules);"
        "import dataclasses; print(dataclasses.asdict(e))"
    )
    assert run(code).splitlines() == ["False", "{'payload': b''}"]
