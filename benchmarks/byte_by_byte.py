"""What a byte costs when each arrives alone: linear means the same for every length.

python benchmarks/byte_by_byte.py [--quick]
"""

from __future__ import annotations

import gc
import random
import sys
from time import perf_counter
from typing import Any

from frames import BINARY, TEXT, encode
from peers import find

LENGTHS = (50_000, 200_000)


def microseconds_per_byte(peer: Any, opcode: int, length: int) -> float:
    """One masked frame of ``length`` bytes through receive_data() and events()."""
    source = random.Random(length)
    payload = bytes(source.choices(range(32, 127), k=length))
    frame = encode(opcode, payload, source.randbytes(4))
    chunks = [frame[i : i + 1] for i in range(len(frame))]
    connection = peer.Connection(peer.server)
    receive_data, events = connection.receive_data, connection.events
    parts = []
    gc.collect()
    gc.disable()
    try:
        start = perf_counter()
        for chunk in chunks:
            receive_data(chunk)
            for event in events():
                parts.append(event.data)
        spent = perf_counter() - start
    finally:
        gc.enable()
    got = "".join(parts).encode() if opcode == TEXT else b"".join(parts)
    if got != payload:
        raise SystemExit(f"{peer.name}: contents differ at {length} bytes")
    return spent / len(chunks) * 1e6


def main() -> None:
    repeats = 1 if "--quick" in sys.argv[1:] else 3
    for name in ("ws13", "wsproto"):
        try:
            peer = find(name)
        except ImportError as error:
            print(f"{name}: skipped ({error})")
            continue
        for opcode, kind in ((BINARY, "binary"), (TEXT, "text")):
            for length in LENGTHS:
                best = min(microseconds_per_byte(peer, opcode, length) for _ in range(repeats))
                print(f"{name:10}{kind:8}{length:>8} bytes  {best:8.3f} us per byte", flush=True)


if __name__ == "__main__":
    main()
