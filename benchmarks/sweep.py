"""Cost against the size of a message: ws13 and its peers on the same bytes, in one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from frames import BINARY, TEXT, Workload, ascii_payloads, binary_payloads, masked
from peers import Operation, Peer
from rows import Setting, timed_row

SIZES = [16, 64, 256, 1024, 4096, 16384, 65536, 131072]
#: Bytes of all payloads of a point, so that small ones are many and large ones few.
TOGETHER = 1 << 20


@dataclass(frozen=True)
class Chart:
    """One operation at every size: nanoseconds a message, by size, for each library."""

    name: str
    title: str
    lines: dict[str, list[float]]


def received(make: Callable[[int, int], list[bytes]], opcode: int) -> Callable[[int], Workload]:
    def workload(size: int) -> Workload:
        payloads = make(count(size), size)
        contents = [p.decode() for p in payloads] if opcode == TEXT else payloads
        return Workload(masked(opcode, payloads), contents, payloads)

    return workload


def sent(size: int) -> Workload:
    payloads = binary_payloads(count(size), [size])
    return Workload(payloads, payloads, payloads)


def count(size: int) -> int:
    return min(256, max(8, TOGETHER // size))


CHARTS = [
    (
        "received-binary",
        "binary message received by a server",
        Operation.RECEIVE_BYTES,
        received(lambda n, size: binary_payloads(n, [size]), BINARY),
    ),
    (
        "received-text",
        "ASCII text received by a server",
        Operation.RECEIVE_TEXT,
        received(ascii_payloads, TEXT),
    ),
    ("sent", "binary message sent by a client", Operation.SEND_BYTES, sent),
]


def sweep(peers: Sequence[Peer]) -> list[Chart]:
    """All charts."""
    charts = []
    for name, title, operation, make in CHARTS:
        lines: dict[str, list[float]] = {}
        for size in SIZES:
            measure = timed_row(operation, lambda size=size, make=make: make(size))  # type: ignore[misc]
            for figure in measure(Setting(peers, quick=True)):
                if figure.judged and figure.peer is not None:
                    lines.setdefault(figure.peer, []).append(figure.value)
            print(f"{name}: {size} bytes", flush=True)
        charts.append(Chart(name, title, lines))
    return charts
