"""The writer of frames: against RFC 6455's examples, ws13's decoder and the judge."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws13.frame_protocol import FrameDecoder
from ws13.frame_protocol import Opcode as Ws13Opcode
from ws13.testing import (
    Frame,
    Judge,
    Opcode,
    Role,
    binary,
    close,
    continuation,
    fragments,
    ping,
    pong,
    strategies,
    text,
)
from ws13.testing.frames import LengthForm, mask

PROFILE = settings(max_examples=150, deadline=None)
EXAMPLES = {
    "8105 48656c6c6f": text("Hello"),
    "8185 37fa213d 7f9f4d5158": text("Hello").masked(bytes.fromhex("37fa213d")),
    "0103 48656c": text("Hel", fin=False),
    "8002 6c6f": continuation("lo"),
    "8905 48656c6c6f": ping(b"Hello"),
    "8a85 37fa213d 7f9f4d5158": pong(b"Hello").masked(bytes.fromhex("37fa213d")),
    "8800": close(),
    "8805 03e8 627965": close(1000, "bye"),
    "f3 00": Frame(3, rsv1=True, rsv2=True, rsv3=True),
    "02 fe 0001 00000000 ff": Frame(2, b"\xff", fin=False, masking_key=bytes(4), length_form=16),
    "82 7f 0000000000000000": Frame(2, length_form=64),
    "82 7f ffffffffffffffff 61": Frame(2, b"a", announced_length=2**64 - 1),
    "82 00 61": Frame(2, b"a", announced_length=0),
    "88 7d": Frame(8, announced_length=125),
}


@pytest.mark.parametrize("wire", EXAMPLES)
def test_a_frame_is_written_as_its_fields_say(wire: str) -> None:
    assert bytes(EXAMPLES[wire]) == bytes.fromhex(wire)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_the_header_of_a_long_binary_message_is_that_of_the_rfc(size: int) -> None:
    length = {0: "00", 1: "01", 125: "7d", 126: "7e007e", 65535: "7effff"}
    assert binary(bytes(size)).header.hex() == "82" + length.get(size, "7f0000000000010000")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"opcode": 16}, "4 bits"),
        ({"opcode": -1}, "4 bits"),
        ({"opcode": 1, "masking_key": b"abc"}, "4 bytes"),
        ({"opcode": 1, "masking_key": b""}, "4 bytes"),
        ({"opcode": 1, "length_form": 8}, "7, 16 or 64"),
        ({"opcode": 1, "payload": bytes(126), "length_form": 7}, "no length of 7"),
        ({"opcode": 1, "announced_length": 65536, "length_form": 16}, "no length of 16"),
        ({"opcode": 1, "announced_length": 2**64}, "no length of 64"),
        ({"opcode": 1, "announced_length": -1}, "no length of 64"),
    ],
)
def test_what_no_header_can_express_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Frame(**arguments)  # type: ignore[arg-type]


def test_what_no_close_frame_can_express_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bits"):
        close(65536)
    with pytest.raises(ValueError, match="behind a code"):
        close(None, "reason")
    with pytest.raises(ValueError, match="at least one frame"):
        fragments(1, [])


def test_fragments_are_one_message() -> None:
    first, second, third = fragments(Opcode.TEXT, ["a", b"b", ""], compressed=True)
    assert first == Frame(1, b"a", fin=False, rsv1=True)
    assert second == Frame(0, b"b", fin=False)
    assert third == Frame(0)


def test_a_mask_comes_off_again() -> None:
    frame = text("Hello")
    assert frame.masked(b"abcd").unmasked() == frame
    assert mask(mask(b"Hello", b"abcd"), b"abcd") == b"Hello"
    assert mask(b"", b"abcd") == b""


def test_a_frame_says_in_words_what_it_is() -> None:
    assert str(text("Hello").masked(b"abcd")) == "TEXT fin masked, 5 bytes"
    lying = Frame(0xB, rsv1=True, fin=False, announced_length=3)
    assert str(lying) == "opcode 0xb rsv1, 0 bytes, 3 announced"
    assert lying.iscontrol
    assert not text("").iscontrol


@PROFILE
@given(frame=strategies.frames(), key=strategies.masking_keys())
def test_ws13s_decoder_reads_what_is_written(frame: Frame, key: bytes) -> None:
    decoder = FrameDecoder(client=False)
    decoder.receive_bytes(bytes(frame.masked(key)))
    payload = b""
    while (piece := decoder.process_buffer()) is not None:
        assert piece.opcode in (Ws13Opcode(frame.opcode), Ws13Opcode.CONTINUATION)
        payload += bytes(piece.payload)
        if piece.frame_finished:
            break
    assert payload == frame.payload


@PROFILE
@given(
    frame=strategies.any_frames().filter(lambda one: one.announced_length is None),
    role=st.sampled_from(Role),
    cut=strategies.cuts(),
)
def test_the_judge_reads_any_frame_as_it_was_written(frame: Frame, role: Role, cut: object) -> None:
    judge, data = Judge(role), bytes(frame)
    (read,) = [one for piece in cut(data) for one in judge.take(piece)]  # type: ignore[operator]
    assert bytes(read) == data
    assert read.payload == frame.payload
    assert (read.opcode, read.fin, read.masking_key) == (frame.opcode, frame.fin, frame.masking_key)


@pytest.mark.parametrize("form", [7, 16, 64])
def test_a_length_is_read_in_each_of_its_forms(form: LengthForm) -> None:
    (read,) = Judge(Role.SERVER).take(bytes(Frame(2, b"abc", length_form=form)))
    assert read.length_form == (None if form == 7 else form)


def test_importing_ws13_imports_nothing_of_testing_and_testing_nothing_of_hypothesis() -> None:
    script = """
import sys
import ws13
assert not [name for name in sys.modules if name.startswith("ws13.testing")]
import ws13.testing, ws13.testing.cases
ws13.testing.cases.cases()
assert "hypothesis" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


def test_strategies_without_hypothesis_say_what_to_install() -> None:
    script = """
import sys
sys.modules["hypothesis"] = None
try:
    import ws13.testing.strategies
except ImportError as error:
    assert "ws13[testing]" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
