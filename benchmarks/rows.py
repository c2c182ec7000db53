"""The rows: what is measured and what is to be reached. A new row is a new entry of ROWS."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from frames import (
    BINARY,
    PING,
    TEXT,
    Workload,
    ascii_payloads,
    binary_payloads,
    deflated,
    json_payloads,
    masked,
    mixed_script_payloads,
)
from memory import connection_bytes, import_milliseconds
from peers import Operation, Peer
from peers.deflate import compressed_size, zlib_size
from timing import REFERENCES, Participant, minima, other_addresses

SUBJECT = "ws13"
KIB = 1024


@dataclass(frozen=True)
class AtMost:
    """ws13 takes at most ``value`` times ``of``: M, D or the unit of the row."""

    value: float
    of: str

    @property
    def is_orientation(self) -> bool:
        """Times as such depend on the machine and the hour: they are shown, and ratios decide."""
        return self.of in ("ns", "ms")


@dataclass(frozen=True)
class Times:
    """ws13 takes at most 1/value of what ``than`` takes."""

    value: float
    than: str


Target = AtMost | Times


@dataclass(frozen=True)
class Figure:
    label: str
    peer: str | None  # None: a reference, M or D
    value: float
    judged: bool = False


class ContentsError(Exception):
    """A participant did not deliver what was put in."""


@dataclass(frozen=True)
class Setting:
    peers: Sequence[Peer]
    quick: bool


@dataclass(frozen=True)
class Row:
    number: int
    title: str
    unit: str  # "ns", "B" or "ms"
    measure: Callable[[Setting], list[Figure]]
    targets: tuple[Target, ...] = field(default=())


def timed_row(
    operation: Operation, make: Callable[[], Workload], reference: str | None = None
) -> Callable[[Setting], list[Figure]]:
    """Everybody's time for one unit of the workload, contents compared first."""

    def measure(setting: Setting) -> list[Figure]:
        workload = make()
        best: dict[str, Figure] = {}
        walls: list[list[bytes]] = []
        for layout in range(3 if setting.quick else 10):
            walls.append(other_addresses(layout))
            participants, figures = _line_up(setting, operation, workload, reference)
            times = minima(participants, 0.1 if setting.quick else 0.25)
            for figure, time in zip(figures, times, strict=True):
                known = best.get(figure.label)
                value = time if known is None else min(time, known.value)
                best[figure.label] = replace(figure, value=value)
        return list(best.values())

    return measure


def _line_up(
    setting: Setting, operation: Operation, workload: Workload, reference: str | None
) -> tuple[list[Participant], list[Figure]]:
    """The participants of a row, and their figures without values."""
    inputs, expected = workload.inputs, list(workload.contents)
    participants: list[Participant] = []
    figures: list[Figure] = []
    for peer in setting.peers:
        for index, work in enumerate(peer.works(operation)):
            if work.collect(inputs) != expected:
                raise ContentsError(f"{work.label}: contents differ in {operation.name}")
            participants.append(Participant(work.run, inputs, workload.units))
            figures.append(Figure(work.label, peer.name, 0.0, judged=index == 0))
    if reference is not None:
        payloads = workload.payloads
        participants.append(Participant(REFERENCES[reference], payloads, len(payloads)))
        figures.append(Figure(reference, None, 0.0))
    return participants, figures


def memory_row(state: str, count: int = 20_000) -> Callable[[Setting], list[Figure]]:
    def measure(setting: Setting) -> list[Figure]:
        figures = []
        for peer in setting.peers:
            value = connection_bytes(peer.name, state, count // 10 if setting.quick else count)
            if value is not None:
                figures.append(Figure(peer.name, peer.name, value, True))
        return figures

    return measure


def import_row(setting: Setting) -> list[Figure]:
    repeats = 3 if setting.quick else 15
    return [
        Figure(peer.name, peer.name, import_milliseconds(peer.import_line, repeats), True)
        for peer in setting.peers
    ]


def size_row(setting: Setting) -> list[Figure]:
    """Messages of 1 KiB with context takeover, beside those of zlib's level 6."""
    payloads = json_payloads(2048, KIB)
    share = 100 * compressed_size(SUBJECT, payloads) / zlib_size(payloads)
    return [Figure(SUBJECT, SUBJECT, share, True), Figure("zlib level 6", None, 100.0)]


def _received(opcode: int, payloads: list[bytes]) -> Workload:
    contents: list[Any] = [p.decode() for p in payloads] if opcode == TEXT else payloads
    return Workload(masked(opcode, payloads), contents, payloads)


def _many_in_a_chunk() -> Workload:
    payloads = binary_payloads(4096, range(16, 129))
    stream = b"".join(masked(BINARY, payloads))
    chunks = [stream[i : i + 64 * KIB] for i in range(0, len(stream), 64 * KIB)]
    return Workload(chunks, payloads, payloads)


def _sent(count: int, size: int) -> Workload:
    payloads = binary_payloads(count, [size])
    return Workload(payloads, payloads, payloads)


def _large_in_chunks() -> Workload:
    # Few, so that they stay in the cache, as what has just been received does.
    payloads = binary_payloads(2, [KIB * KIB])
    chunks = [
        frame[i : i + 64 * KIB]
        for frame in masked(BINARY, payloads)
        for i in range(0, len(frame), 64 * KIB)
    ]
    return Workload(chunks, payloads, payloads)


def _inflated(count: int, size: int) -> Workload:
    payloads = json_payloads(count, size)
    return Workload(deflated(payloads), payloads, payloads)


def _deflated() -> Workload:
    payloads = json_payloads(256, KIB)
    return Workload(payloads, payloads, payloads)


def _targets() -> Workload:
    source = random.Random(5)
    targets = [f"/chat/{source.randrange(10**9)}?room={i}" for i in range(32)]
    return Workload(targets, targets)


def _pings() -> Workload:
    payloads = binary_payloads(256, range(4, 17))
    return Workload(masked(PING, payloads), payloads, payloads)


ROWS = [
    Row(
        1,
        "binary 64 KiB received (masked)",
        "ns",
        timed_row(
            Operation.RECEIVE_BYTES,
            lambda: _received(BINARY, binary_payloads(32, [64 * KIB])),
            "M",
        ),
        (
            AtMost(1.1, "M"),
            Times(53, "wsproto"),
            Times(4.5, "websockets"),
            Times(3, "aiohttp"),
            Times(6.5, "picows"),
        ),
    ),
    Row(
        2,
        "ASCII text 64 KiB received (masked)",
        "ns",
        timed_row(
            Operation.RECEIVE_TEXT, lambda: _received(TEXT, ascii_payloads(32, 64 * KIB)), "D"
        ),
        (
            AtMost(0.5, "D"),
            Times(55, "wsproto"),
            Times(6.8, "websockets"),
            Times(5.4, "aiohttp"),
            Times(7, "picows"),
        ),
    ),
    Row(
        3,
        "mixed-script text 16 KiB received (masked)",
        "ns",
        timed_row(
            Operation.RECEIVE_TEXT,
            lambda: _received(TEXT, mixed_script_payloads(64, 16 * KIB)),
            "D",
        ),
        (
            AtMost(0.3, "D"),
            Times(7, "wsproto"),
            Times(3.5, "websockets"),
            Times(3.5, "aiohttp"),
            Times(3.5, "picows"),
        ),
    ),
    Row(
        4,
        "frames of 16-128 B received, 64 KiB chunks, per event",
        "ns",
        timed_row(Operation.RECEIVE_MANY, _many_in_a_chunk),
        (AtMost(60, "ns"), Times(100, "wsproto"), Times(9, "aiohttp"), Times(3.5, "picows")),
    ),
    Row(
        5,
        "binary 16 B received, one a chunk, receive_data() + events()",
        "ns",
        timed_row(Operation.RECEIVE_BYTES, lambda: _received(BINARY, binary_payloads(256, [16]))),
        (AtMost(130, "ns"), Times(52, "wsproto"), Times(20, "websockets"), Times(3.7, "picows")),
    ),
    Row(
        6,
        "binary 1 MiB received in chunks of 64 KiB, whole messages",
        "ns",
        timed_row(Operation.RECEIVE_WHOLE, _large_in_chunks, "M"),
        (AtMost(1.3, "M"), Times(45, "wsproto"), Times(3, "websockets")),
    ),
    Row(
        7,
        "client send 16 B (masked)",
        "ns",
        timed_row(Operation.SEND_BYTES, lambda: _sent(256, 16)),
        (AtMost(55, "ns"), Times(67, "wsproto"), Times(27, "websockets"), Times(1.7, "picows")),
    ),
    Row(
        8,
        "client send 64 KiB (masked)",
        "ns",
        timed_row(Operation.SEND_BYTES, lambda: _sent(32, 64 * KIB), "M"),
        (AtMost(1.1, "M"), Times(53, "wsproto"), Times(2.8, "websockets")),
    ),
    Row(
        9,
        "server send 1 MiB, without a copy",
        "ns",
        timed_row(Operation.SERVE_BYTES, lambda: _sent(4, KIB * KIB)),
        (AtMost(100, "ns"), Times(1000, "wsproto"), Times(3, "aiohttp")),
    ),
    Row(
        10,
        "ping in, pong out",
        "ns",
        timed_row(Operation.PING_PONG, _pings),
        (AtMost(110, "ns"), Times(70, "wsproto"), Times(13, "aiohttp"), Times(3, "picows")),
    ),
    Row(
        11,
        "deflate, JSON of 128 B received, context takeover",
        "ns",
        timed_row(Operation.INFLATE, lambda: _inflated(512, 128)),
        (AtMost(450, "ns"), Times(28, "wsproto"), Times(3.8, "aiohttp")),
    ),
    Row(
        11,
        "deflate, JSON of 1 KiB received, context takeover",
        "ns",
        timed_row(Operation.INFLATE, lambda: _inflated(256, KIB)),
        (AtMost(2100, "ns"), Times(7, "wsproto"), Times(2.1, "aiohttp")),
    ),
    Row(
        11,
        "deflate, JSON of 64 KiB received, context takeover",
        "ns",
        timed_row(Operation.INFLATE, lambda: _inflated(32, 64 * KIB)),
        (AtMost(55_000, "ns"), Times(2, "wsproto"), Times(1.5, "aiohttp")),
    ),
    Row(
        12,
        "deflate, JSON of 1 KiB sent, context takeover",
        "ns",
        timed_row(Operation.DEFLATE, _deflated),
        (AtMost(11_500, "ns"), Times(2.2, "wsproto")),
    ),
    Row(12, "size of these messages beside zlib's", "%", size_row, (AtMost(106, "%"),)),
    Row(
        12,
        "the same, as fast as possible",
        "ns",
        timed_row(Operation.DEFLATE_FAST, _deflated),
        (AtMost(2000, "ns"), Times(12, "wsproto")),
    ),
    Row(
        13,
        "opening handshake, client and server together",
        "ns",
        timed_row(Operation.HANDSHAKE, _targets),
        (AtMost(6000, "ns"), Times(12, "wsproto"), Times(9, "websockets"), Times(4.5, "picows")),
    ),
    Row(14, "memory of an idle connection", "B", memory_row("idle"), (AtMost(256, "B"),)),
    Row(
        14,
        "memory of a server's connection after the handshake",
        "B",
        memory_row("opened"),
        (AtMost(512, "B"),),
    ),
    Row(
        15,
        "memory of a connection after a compressed message of 1 KiB each way",
        "B",
        memory_row("compressed", 2_000),
        (AtMost(10 * KIB, "B"), Times(30, "wsproto")),
    ),
    Row(16, "import", "ms", import_row, (AtMost(10, "ms"), Times(3, "wsproto"))),
]
