"""The judge of frames: what it finds, and that it agrees with ws13 about what is right."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.vectors import identity, input_bytes, load
from ws13 import WSConnection
from ws13.connection import ConnectionState
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
from ws13.extensions import PerMessageDeflate
from ws13.testing import (
    BlockWriter,
    Conversation,
    Cut,
    Deflater,
    Finding,
    Frame,
    Judge,
    Opcode,
    Role,
    binary,
    bytewise,
    close,
    continuation,
    deflate,
    fragments,
    opened,
    ping,
    pong,
    strategies,
    text,
)

PROFILE = settings(max_examples=80, deadline=None)
DEFLATE = "permessage-deflate"
LEGAL = [text("a"), binary(b"\xff"), ping(), pong(b"x"), *fragments(1, ["a", "é"[:0], "b"])]


def sections(*frames: Frame, extension: str | None = None) -> list[str]:
    """The sections of what a server's frames break, `RFC 6455 §` left out where it stands."""
    judge = Judge(Role.SERVER, extension)
    judge.take(b"".join(map(bytes, frames)))
    return [finding.section.removeprefix("RFC 6455 §") for finding in judge.findings]


@pytest.mark.parametrize("extension", [None, DEFLATE])
def test_nothing_is_found_in_legal_frames(extension: str | None) -> None:
    assert sections(*LEGAL, close(1000, "bye"), extension=extension) == []


BROKEN: dict[str, tuple[list[Frame], list[str]]] = {
    "a mask from a server": ([text("a").masked(b"abcd")], ["5.1"]),
    "a reserved opcode": ([Frame(3)], ["5.2"]),
    "a reserved control opcode, too long": ([Frame(0xB, bytes(126))], ["5.2", "5.5"]),
    "RSV1": ([Frame(1, rsv1=True)], ["5.2"]),
    "RSV2 and RSV3": ([Frame(9, rsv2=True, rsv3=True)], ["5.2", "5.2"]),
    "16 bits for 5": ([Frame(1, b"Hello", length_form=16)], ["5.2"]),
    "64 bits for 126": ([Frame(2, bytes(126), length_form=64)], ["5.2"]),
    "the top bit of a length": ([Frame(2, announced_length=2**63)], ["5.2"]),
    "a long Ping": ([ping(bytes(126))], ["5.5"]),
    "a fragment of a Ping": ([Frame(9, fin=False)], ["5.5"]),
    "a continuation of nothing": ([continuation("a")], ["5.4"]),
    "a continuation behind a message": ([*fragments(1, "ab"), continuation("c")], ["5.4"]),
    "a message inside another": ([text("a", fin=False), text("b")], ["5.4"]),
    "bad text": ([text(b"\xff")], ["8.1"]),
    "bad text once": ([text(b"\xff", fin=False), continuation(b"\xff")], ["8.1"]),
    "bad text over fragments": ([text(b"\xed", fin=False), continuation(b"\xa0\x80")], ["8.1"]),
    "text that ends too early": ([*fragments(1, [b"\xe2", b"\x82"])], ["8.1"]),
    "a Close body of one byte": ([Frame(8, b"\x03")], ["5.5.1"]),
    "code 999": ([close(999)], ["7.4.2"]),
    "code 1005": ([close(1005)], ["7.4.1"]),
    "code 2999": ([close(2999)], ["7.4.2"]),
    "a reason that is not UTF-8": ([close(1000, b"\xff")], ["5.5.1"]),
    "text behind Close": ([close(1000), text("late")], ["5.5.1"]),
    "a Ping behind Close": ([close(1000), ping()], ["1.4"]),
    "another Close": ([close(1000), close(1000)], ["1.4"]),
    "a Pong behind Close, which may be due": ([close(1000), pong()], []),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_found_with_its_section_and_the_next_frame_is_read(name: str) -> None:
    frames, expected = BROKEN[name]
    assert sections(*frames) == expected
    if name != "the top bit of a length" and "Close" not in name:
        judge = Judge(Role.SERVER)
        judge.take(b"".join(map(bytes, [*frames, continuation(""), text("behind")])))
        assert judge.messages[-1] == "behind"


def test_a_client_masks_every_frame() -> None:
    judge = Judge(Role.CLIENT)
    judge.take(bytes(text("a")) + bytes(ping()) + bytes(ping().masked(b"abcd")))
    assert judge.findings == [
        Finding("RFC 6455 §5.1", "a frame with opcode 0x1 from a client is not masked", 0),
        Finding("RFC 6455 §5.1", "a frame with opcode 0x9 from a client is not masked", 3),
    ]
    assert str(judge.findings[1]).startswith("RFC 6455 §5.1, byte 3: a frame")


COMPRESSED: dict[str, tuple[list[Frame], list[str]]] = {
    "RSV1 on a Ping": ([Frame(9, rsv1=True)], ["RFC 7692 §6"]),
    "RSV1 on a continuation": (
        [text("a", fin=False), Frame(0, b"b", rsv1=True)],
        ["RFC 7692 §6"],
    ),
    "no DEFLATE": ([Frame(1, b"\xff", rsv1=True)], ["RFC 7692 §7.2.1"]),
    "no payload": ([Frame(1, b"", rsv1=True)], ["RFC 7692 §7.2.1"]),
    "BFINAL alone": ([Frame(1, b"\x03\x00", rsv1=True)], ["RFC 7692 §7.2.1"]),
    "bad text": ([Frame(1, deflate(b"\xff"), rsv1=True)], ["8.1"]),
    "RSV2": ([Frame(1, deflate(b"a"), rsv1=True, rsv2=True)], ["5.2"]),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_broken_rule_of_compression_is_found(name: str) -> None:
    frames, expected = COMPRESSED[name]
    assert sections(*frames, extension=DEFLATE) == expected


def test_the_window_that_was_agreed_is_the_senders_own() -> None:
    far = Frame(2, BlockWriter().stored(bytes(600)).fixed([(3, 513)]).message(), rsv1=True)
    for parameter, expected in (("server", ["RFC 7692 §7.1.2"]), ("client", [])):
        assert sections(far, extension=f"{DEFLATE}; {parameter}_max_window_bits=9") == expected
    again = [Frame(2, one, rsv1=True) for one in (deflate(b"Hello"), bytes.fromhex("f200110000"))]
    for parameter, expected in (("server", ["RFC 7692 §7.2.1"]), ("client", [])):
        assert sections(*again, extension=f"{DEFLATE}; {parameter}_no_context_takeover") == expected


def test_when_the_context_is_lost_nothing_is_found_in_what_refers_to_it() -> None:
    judge = Judge(Role.SERVER, DEFLATE)
    for payload in (b"\xff", deflate(b"Hello"), b"\xff"):
        judge.take(bytes(Frame(2, payload, rsv1=True)))
    assert len(judge.findings) == 1
    assert judge.messages == []


def test_a_message_that_breaks_a_rule_and_can_be_read_is_among_the_messages() -> None:
    judge = Judge(Role.SERVER, DEFLATE)
    for payload in (b"", deflate(b"Hello", final=True)[:-1]):
        judge.take(bytes(Frame(1, payload, rsv1=True)))
    assert judge.messages == ["", "Hello"]
    assert len(judge.violations) == 2


def test_messages_are_whole_and_inflated() -> None:
    judge, deflater = Judge(Role.SERVER, DEFLATE), Deflater()
    sent = [
        *fragments(Opcode.TEXT, ["a", "", "é"]),
        *fragments(Opcode.TEXT, bytewise(deflater.message(b"Hello")), compressed=True),
        Frame(Opcode.BINARY, deflater.message(b"Hello"), rsv1=True),
        text(b"\xff"),
        close(3000, "é"),
    ]
    judge.take(b"".join(map(bytes, sent)))
    assert judge.messages == ["aé", "Hello", b"Hello"]
    assert (judge.close_code, judge.close_reason) == (3000, "é")


def test_a_close_frame_without_a_body_is_1005() -> None:
    judge = Judge(Role.SERVER)
    assert judge.close_code is None
    judge.take(bytes(close()))
    assert (judge.close_code, judge.close_reason, judge.findings) == (1005, "", [])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", ["without a Close"]),
        (bytes(close(1000)), []),
        (bytes(text("a")), ["without a Close"]),
        (bytes(text("ab"))[:3], ["inside a frame", "without a Close"]),
        (bytes(text("a", fin=False)), ["inside a message", "without a Close"]),
        (bytes(text("a", fin=False)) + bytes(close(1000)), []),
    ],
)
def test_the_end_of_tcp_is_worth_a_remark(data: bytes, found: list[str]) -> None:
    judge = Judge(Role.SERVER)
    judge.take(data)
    judge.end()
    judge.end()
    assert len(judge.findings) == len(found)
    assert all(words in one.sentence for words, one in zip(found, judge.findings, strict=True))
    assert judge.violations == []


@pytest.mark.parametrize(
    "extension",
    ["x-unknown", f"{DEFLATE}, {DEFLATE}", f"{DEFLATE}; server_max_window_bits=7", "a b"],
)
def test_an_extension_that_cannot_be_judged_is_refused(extension: str) -> None:
    with pytest.raises(ValueError, match=r"known|bits|list"):
        Judge(Role.SERVER, extension)


@PROFILE
@given(data=st.data(), role=st.sampled_from(Role), cut=strategies.cuts())
def test_any_cut_gives_the_same_frames_and_findings(
    data: st.DataObject, role: Role, cut: Cut
) -> None:
    frames = data.draw(st.lists(strategies.any_frames(), max_size=4))
    stream = b"".join(map(bytes, frames))
    one, many = Judge(role, DEFLATE), Judge(role, DEFLATE)
    read = one.take(stream)
    assert [frame for piece in cut(stream) for frame in many.take(piece)] == read
    assert (many.findings, many.messages) == (one.findings, one.messages)
    assert stream.startswith(b"".join(map(bytes, read)))


def ends(deflate: bool) -> Conversation[Event, Event]:
    """Two ends of ws13 that have agreed on permessage-deflate, or on nothing."""
    extensions = [PerMessageDeflate] if deflate else []
    return opened(
        answering=False,
        request=Request("example.com", "/", extensions=[one() for one in extensions]),
        accept=AcceptConnection(extensions=[one() for one in extensions]),
    )


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """What a program may send on an open connection."""
    sent: list[Event] = []
    for _ in range(draw(st.integers(0, 5))):
        kind, source = draw(
            st.sampled_from([(TextMessage, strategies.texts()), (BytesMessage, st.binary())])
        )
        for _ in range(draw(st.integers(0, 2))):
            sent.append(kind(data=draw(source), message_finished=False))  # type: ignore[arg-type]
            sent += draw(st.lists(st.just(Ping(b"p")) | st.just(Pong(b"q")), max_size=1))
        sent.append(kind(data=draw(source)))  # type: ignore[arg-type]
    if draw(st.booleans()):
        sent.append(CloseConnection(draw(strategies.close_codes()), draw(strategies.texts(40))))
    return sent


@PROFILE
@given(sent=events(), role=st.sampled_from(Role), deflate=st.booleans(), cut=strategies.cuts())
def test_nothing_is_found_in_what_ws13_sends(
    sent: list[Event], role: Role, deflate: bool, cut: Cut
) -> None:
    talk = ends(deflate)
    end = talk.client if role is Role.CLIENT else talk.server
    start = len(end.sent)
    end.send(*sent)
    judge = Judge(role, DEFLATE if deflate else None)
    for piece in cut(bytes(end.sent[start:])):
        judge.take(piece)
    assert judge.findings == []
    whole, parts = [], []
    for event in sent:
        if isinstance(event, (TextMessage, BytesMessage)):
            parts.append(event.data)
            if event.message_finished:
                whole.append(event.data[:0].join(parts))  # type: ignore[arg-type]
                parts = []
    assert judge.messages == whole


def refuses(connection: WSConnection, data: bytes) -> tuple[bool, list[Any]]:
    """Whether ws13 fails the connection, and the whole messages that it gave out."""
    connection.receive_data(data)
    messages, parts = [], []
    for event in connection.events():
        if isinstance(event, CloseConnection):
            return connection.state is ConnectionState.OPEN, messages
        if isinstance(event, (TextMessage, BytesMessage)):
            parts.append(event.data)
            if event.message_finished:
                messages.append(event.data[:0].join(parts))
                parts = []
    return False, messages


#: What binds the sender (RFC 7692 §7.2.1, §7.1.2) and leaves a receiver in no doubt: ws13 reads it.
TOLERATED = ("it is empty", "behind a block with BFINAL", "window: ")


def tolerated(finding: Finding) -> bool:
    return any(words in finding.sentence for words in TOLERATED)


def judged(judge: Judge, data: bytes) -> tuple[list[Finding], bool]:
    """What was found before a Close frame, and whether the last frame or message is unfinished."""
    end, at = len(data), 0
    for frame in judge.take(data):
        if frame.opcode == Opcode.CLOSE:
            end = at
            break
        at += len(bytes(frame))
    found = [one for one in judge.findings if one.offset <= end and "behind" not in one.sentence]
    judge.end()
    return found, any("inside" in one.sentence for one in judge.findings)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), role=st.sampled_from(Role), deflate=st.booleans())
def test_the_judge_finds_something_exactly_where_ws13_refuses(
    data: st.DataObject, role: Role, deflate: bool
) -> None:
    sent = data.draw(strategies.conversations(role, deflate, max_size=60))
    stream = b"".join(map(bytes, sent))
    for _ in range(data.draw(st.integers(0, 2))):
        stream = data.draw(strategies.mutated(stream))
    talk = ends(deflate)
    receiver = talk.server if role is Role.CLIENT else talk.client
    judge = Judge(role, DEFLATE if deflate else None)
    failed, messages = refuses(receiver.connection, stream)  # type: ignore[arg-type]
    found, unfinished = judged(judge, stream)
    found = [one for one in found if not tolerated(one)]
    # ws13 sees what is wrong before the frame or the compressed message is whole.
    assert failed == bool(found) or (failed and unfinished)
    if not found and not failed:
        assert messages == judge.messages[: len(messages)]


@pytest.mark.parametrize("file", ["frames", "text", "close", "deflate"])
@pytest.mark.parametrize("role", Role)
def test_the_judge_agrees_with_the_vectors(file: str, role: Role) -> None:
    cases = [case for case in load(file) if role.value in case and "or" not in case]
    assert len(cases) > 50
    for case in cases:
        extension = case.get("extension")
        if isinstance(extension, dict):
            extension = extension[role.value]
        if extension is not None and not extension.startswith(DEFLATE):
            continue
        judge = Judge(role.other, extension)
        found, unfinished = judged(judge, input_bytes(case[role.value])[0])
        found = [one for one in found if not tolerated(one)]
        fails = any(entry[0] == "fail" for entry in case["expect"])
        assert fails == bool(found) or (fails and unfinished), (identity(case), found)


def test_a_stream_of_tiny_frames_and_a_dribbled_long_one_take_linear_time() -> None:
    def seconds(stream: bytes, piece: int) -> float:
        best = 1e9
        for _ in range(2):
            judge, start = Judge(Role.SERVER), perf_counter()
            for at in range(0, len(stream), piece):
                judge.take(stream[at : at + piece])
            best = min(best, perf_counter() - start)
        return best

    tiny = bytes(text("a", fin=False)) + bytes(continuation("", fin=False)) * 5000
    assert seconds(tiny * 2, 1 << 20) < 6 * seconds(tiny, 1 << 20)
    long = bytes(binary(bytes(100_000)))
    assert seconds(long + long, 1) < 6 * seconds(long, 1)
