"""The recorder of the Autobahn test suite: what it keeps of a conversation, and how."""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import frames as naive
from support.autobahn import COMPLIANCE, entries

record: Any = importlib.import_module("record")
recording: Any = importlib.import_module("recording")
relay: Any = importlib.import_module("relay")
wire: Any = importlib.import_module("wire")

PROFILE = settings(max_examples=250, deadline=None)
REQUEST = b"GET /runCase?case=3&agent=ws13 HTTP/1.1\r\nHost: a\r\n\r\n"
RESPONSE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
CLOSE = naive.Frame(8, b"\x03\xe8")
CLOSED = ("close", 2, "03e8")


def masked(*frames: naive.Frame) -> bytes:
    """What the suite sends as a client."""
    return b"".join(map(naive.encode, frames, wire.masking_keys()))


def plain(*frames: naive.Frame) -> bytes:
    return b"".join(map(naive.encode, frames))


def conversation(request: bytes, response: bytes) -> Any:
    return relay.Conversation(0, bytearray(REQUEST + request), bytearray(RESPONSE + response))


# Frames

some_frames = st.lists(
    st.builds(
        naive.Frame,
        opcode=st.integers(0, 15),
        payload=st.binary(max_size=200) | st.sampled_from([b"*" * 126, b"*" * 65536]),
        fin=st.booleans(),
        rsv=st.integers(0, 7),
    ),
    max_size=5,
)


@given(some_frames, st.booleans(), st.integers(0, 100))
@PROFILE
def test_the_bytes_come_back_be_they_legal_or_not_wherever_they_end(
    frames: list[naive.Frame], as_client: bool, missing: int
) -> None:
    stream = masked(*frames) if as_client else plain(*frames)
    stream = stream[: max(0, len(stream) - missing)]
    assert wire.write(wire.read(memoryview(stream))) == stream


@given(some_frames)
@PROFILE
def test_frames_are_kept_unmasked(frames: list[naive.Frame]) -> None:
    seen = list(wire.read(memoryview(masked(*frames))))
    assert [frame.payload for frame in seen] == [frame.payload for frame in frames]
    assert all(frame.masked for frame in seen)


@given(
    st.binary(max_size=400) | st.builds(bytes.__mul__, st.binary(max_size=20), st.integers(1, 99))
)
@PROFILE
def test_payloads_come_back_however_they_repeat(payload: bytes) -> None:
    assert recording.piece_bytes(recording.piece(payload)) == payload


def test_a_payload_that_repeats_itself_takes_no_room() -> None:
    assert recording.piece(b"\x00\xfe" * 500) == {"hex": "00fe", "times": 500}
    assert recording.piece(b"abc" * 99 + b"a") == [{"hex": "616263", "times": 99}, "61"]


# What is kept of a case


def test_a_conversation_is_kept_from_the_side_of_ws13() -> None:
    text, ping, pong = naive.Frame(1, b"hi"), naive.Frame(9, b"1"), naive.Frame(10, b"1")
    asked = conversation(masked(text, ping, CLOSE), plain(text, pong, CLOSE))
    server = record.recorded("server", asked)
    assert server.answers == (("text", 2, "6869"), ("pong", 1, "31"), CLOSED)
    client = record.recorded("client", conversation(masked(text, pong, CLOSE), plain(text, CLOSE)))
    assert client.answers == server.answers
    assert [frame.header.hex() for frame in server.frames] == ["8182", "8981", "8882"]
    assert [frame.header.hex() for frame in client.frames] == ["8102", "8802"]


def test_of_a_long_case_the_first_messages_are_kept_and_how_it_ends() -> None:
    half = record.BYTES_KEPT // 2
    messages = [naive.Frame(2, bytes([number]) * half) for number in range(9)]
    fragments = [naive.Frame(2, b"first", fin=False), naive.Frame(0, b"last")]
    stream = masked(*fragments, *messages, CLOSE)
    kept = record.recorded("server", conversation(stream, plain(*fragments, *messages, CLOSE)))
    assert kept.messages == 10
    assert [one[1] for one in kept.answers] == [len(b"firstlast"), half, half, len(CLOSE.payload)]
    assert wire.write(kept.frames)[:-2] == masked(*fragments, *messages[:2], CLOSE)[:-2]


def test_messages_that_are_all_the_same_are_all_kept() -> None:
    messages = [naive.Frame(2, b"*" * record.BYTES_KEPT)] * 9
    kept = record.recorded("client", conversation(masked(CLOSE), plain(*messages, CLOSE)))
    assert len(kept.frames) == kept.messages + 1 == 10


def test_a_masking_key_that_is_not_known_is_an_error() -> None:
    stream = naive.encode(CLOSE, b"\x01\x02\x03\x04")
    with pytest.raises(ValueError, match="cannot be made again"):
        record.recorded("server", conversation(stream, b""))


@pytest.mark.parametrize("parameters", ["", "; server_no_context_takeover"])
def test_answers_are_inflated_and_long_ones_digested(parameters: str) -> None:
    deflate, messages = zlib.compressobj(wbits=-15), []
    for _ in range(2):
        if parameters:
            deflate = zlib.compressobj(wbits=-15)
        payload = deflate.compress(b"a" * 126) + deflate.flush(zlib.Z_SYNC_FLUSH)
        first, rest = payload[:3], payload[3:-4]
        messages += [naive.Frame(1, first, fin=False, rsv=4), naive.Frame(0, rest)]
    seen = list(wire.read(memoryview(plain(*messages))))
    digest = recording.answer(1, b"a" * 126)
    assert len(digest[2]) == 32
    extension = f"permessage-deflate{parameters}"
    assert list(recording.answers(seen, extension, "server")) == [digest, digest]


def test_cases_are_told_apart_by_the_order_or_by_what_our_client_asks_for() -> None:
    asked = conversation(b"", b"")
    assert record.case_index("server", asked) == 0
    assert record.case_index("client", asked) == 2
    count = relay.Conversation(0, bytearray(b"GET /getCaseCount HTTP/1.1\r\n\r\n"))
    assert record.case_index("client", count) is None


def test_the_file_gives_back_what_was_written_sorted_by_case(tmp_path: Path) -> None:
    one = record.recorded("server", conversation(masked(CLOSE, CLOSE), plain(CLOSE)))
    report = {"behavior": "OK", "behaviorClose": "INFORMATIONAL", "remoteCloseCode": 1000}
    written = [record.judged(one, case, report) for case in ("10.1.1", "9.1.1")]
    recording.save(tmp_path / "file", written)
    read = [recording.from_entry(entry) for entry in recording.load(tmp_path / "file")]
    assert [each.case for each in read] == ["9.1.1", "10.1.1"]
    named = replace(one, case="9.1.1", verdict=read[0].verdict, close_code=1000)
    assert read[0] == named
    assert str(read[0].verdict) == "OK, close INFORMATIONAL"


def test_there_are_no_recordings_in_a_file_that_does_not_exist(tmp_path: Path) -> None:
    assert recording.load(tmp_path / "none") == []


# The relay


def test_the_relay_passes_everything_on_and_keeps_it() -> None:
    ended: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        passing = relay.Relay(listener.getsockname()[1], ended.append)
        with socket.create_connection(("127.0.0.1", passing.port), timeout=20) as client:
            server, _ = listener.accept()
            with server:
                client.sendall(b"question")
                client.shutdown(socket.SHUT_WR)
                assert server.makefile("rb").read() == b"question"
                server.sendall(b"answer")
            assert client.makefile("rb").read() == b"answer"
        passing.close()
    assert ended == [relay.Conversation(0, bytearray(b"question"), bytearray(b"answer"))]


# The suite itself


@pytest.mark.skipif(
    not (COMPLIANCE / ".wstest" / "built-from").exists(),
    reason="the suite's environment is built by running compliance/run.py",
)
def test_recording_again_gives_what_is_in_the_repository(tmp_path: Path) -> None:
    # In none of these ws13 fails the connection: what still comes behind that is a matter of time.
    file, cases = tmp_path / "again.xz", "1.1.6,6.2.3,7.3.5,10"
    arguments = ["--cases", cases, "--file", str(file), "--reports", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(COMPLIANCE / "record.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    again = recording.load(file)
    committed = entries()
    assert len(again) == 8
    assert again == [committed[f"{entry['role']} {entry['case']}"] for entry in again]
