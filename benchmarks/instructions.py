"""
Instructions instead of seconds: what a noisy machine cannot hide.

    python benchmarks/instructions.py              compare the hot paths with what is recorded
    python benchmarks/instructions.py --record     record them anew
    python benchmarks/instructions.py --hostile    the cost of hostile input of sizes n, 2n and 4n

Counts come from valgrind's callgrind. Those that are recorded are of ws13's own machine code alone:
they depend on the compiler, and with another one than recorded they are only shown. Exit status: 1
if a path has become more than 5 % longer than recorded, or if twice the input costs more than 2.1
times as much, both from n to 2n and from there to 4n: where memory happens to be moved, one may.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "instructions.json"
TOLERANCE = 1.05
LINEAR = 2.1
SIZES = (50, 100, 200)  # of the hostile input

#: Called around what is measured: valgrind takes stock whenever it is.
mark = os.getppid


def paths() -> Iterator[tuple[str, int, Callable[[], Any]]]:
    """The hot paths: name, how many messages that is, and what runs them."""
    from frames import BINARY, PING, TEXT, ascii_payloads, binary_payloads, masked
    from ws13.connection import CLIENT, SERVER, Connection
    from ws13.events import BytesMessage

    def received(chunks: list[bytes]) -> Callable[[], None]:
        connection = Connection(SERVER)

        def run() -> None:
            for chunk in chunks:
                connection.receive_data(chunk)
                for _event in connection.events():
                    pass

        return run

    def in_one_call(chunks: list[bytes]) -> Callable[[], None]:
        connection = Connection(SERVER)
        return lambda: [connection.receive(chunk) for chunk in chunks] and None

    def sent(role: Any, payloads: list[bytes]) -> Callable[[], None]:
        connection = Connection(role)
        return lambda: [connection.send(BytesMessage(payload)) for payload in payloads] and None

    small = binary_payloads(256, [16])
    frames = masked(BINARY, small)
    yield "binary of 16 B, one a chunk", 256, received(frames)
    yield "binary of 16 B, one a chunk, receive()", 256, in_one_call(frames)
    yield "binary of 16 B, many a chunk, receive()", 256, in_one_call([b"".join(frames)])
    yield "binary of 64 KiB", 8, received(masked(BINARY, binary_payloads(8, [65536])))
    yield "text of 64 KiB", 8, received(masked(TEXT, ascii_payloads(8, 65536)))
    yield "ping", 256, received(masked(PING, small))
    yield "client sends 16 B", 256, sent(CLIENT, small)
    yield "server sends 16 B", 256, sent(SERVER, small)
    client = Connection(CLIENT)
    yield "client sends 16 B, send_bytes()", 256, lambda: [client.send_bytes(p) for p in small]
    server = Connection(SERVER)
    large = bytes(2**20)
    yield "server sends 1 MiB, send_parts()", 256, lambda: [server.send_parts(large) for _ in small]


def child(what: str) -> None:
    """What valgrind looks at."""
    gc.disable()  # a collection would be counted where it happens to come
    if what == "paths":
        for _name, _count, run in list(paths()):
            run()  # once for everything that is made once
            mark()
            run()
            mark()
        return
    from hostile import HOSTILE, attack, receive

    for hostile in HOSTILE:
        receive(*attack(hostile, 1))
        for size in SIZES:
            end, chunks = attack(hostile, size)
            mark()
            receive(end, chunks)
            mark()


def stock(what: str) -> list[dict[str, int]]:
    """Instructions between each pair of marks, by the file that the machine code is in."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("valgrind is not installed: apt-get install valgrind")
    with tempfile.TemporaryDirectory() as folder:
        command = [valgrind, "--tool=callgrind", "--dump-before=getppid"]
        command += [f"--callgrind-out-file={folder}/out", sys.executable, __file__, "--child", what]
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        dumps = sorted(Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        # Between the second mark of a pair and the first of the next stands what prepares it.
        return [by_object(path) for path in dumps][1::2]


def by_object(dump: Path) -> dict[str, int]:
    """The costs in a dump by object file; the costs of calls are counted where they arise."""
    names: dict[str, str] = {}
    costs: dict[str, int] = {}
    current, called = "", False
    for line in dump.read_text(errors="replace").splitlines():
        if match := re.match(r"ob=\((\d+)\)(?: (.*))?", line):
            current = names.setdefault(match[1], match[2] or "")
        elif match := re.match(r"cob=\((\d+)\)(?: (.*))?", line):
            names.setdefault(match[1], match[2] or "")
        elif line.startswith("calls="):
            called = True
        elif re.match(r"[+\-*\d]", line):
            if not called:
                costs[current] = costs.get(current, 0) + int(line.split()[1])
            called = False
    return costs


def compare(record: bool) -> int:
    """The hot paths beside what is recorded."""
    found: dict[str, float] = {}
    for (name, count, _run), costs in zip(paths(), stock("paths"), strict=True):
        own = sum(cost for where, cost in costs.items() if "_native." in where)
        found[name] = round(own / count, 1)
    made = made_with()
    if record:
        text = json.dumps({"made with": made, "paths": found}, indent=2)
        RECORDED.write_text(text + "\n", encoding="utf-8")
    before_us = json.loads(RECORDED.read_text(encoding="utf-8"))
    recorded: dict[str, float] = before_us["paths"]
    same = before_us["made with"] == made
    status = 0
    print(f"{'instructions a message, in ws13 itself':<44}{'now':>10}{'recorded':>10}")
    for name, count in found.items():
        before = recorded.get(name)
        worse = same and (before is None or count > before * TOLERANCE)
        status |= worse
        print(f"{name:<44}{count:>10.0f}{before or 0:>10.0f}{'  LONGER' if worse else ''}")
    if not same:
        print(f"not compared: recorded with {before_us['made with']}, this is {made}")
    return int(status)


def made_with() -> str:
    """What the counts depend on."""
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    python = "{}.{}".format(*sys.version_info)
    return f"{compiler.stdout.strip()}, {platform.machine()}, CPython {python}"


def linear() -> int:
    """Hostile input of two sizes."""
    from hostile import HOSTILE

    counts = [sum(costs.values()) for costs in stock("hostile")]
    status = 0
    print(f"{'hostile input, instructions':<46}{'I(n)':>12}{'I(2n)':>12}{'I(4n)':>12}{'ratio':>8}")
    for hostile, one, two, four in zip(
        HOSTILE, counts[::3], counts[1::3], counts[2::3], strict=True
    ):
        ratio = min(two / one, four / two)
        worse = ratio > LINEAR
        status |= worse
        mark = "  NOT LINEAR" if worse else ""
        print(f"{hostile.name:<46}{one:>12,}{two:>12,}{four:>12,}{ratio:>8.2f}{mark}")
    return int(status)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="write instructions.json anew")
    parser.add_argument("--hostile", action="store_true", help="the cost of hostile input")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return 0
    return linear() if options.hostile else compare(options.record)


if __name__ == "__main__":
    sys.exit(main())
