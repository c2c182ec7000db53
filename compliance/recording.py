"""What the suite sent in a case, what ws13 answered, and the verdict: as data, in one small file.

The file is JSON, a recording a line, compressed with xz; `compliance/README.md` has the format.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from expectations import Verdict
from wire import BINARY, CLOSE, CONTINUATION, TEXT, Frame, Inflater

#: A recording as it stands in the file.
Entry = dict[str, Any]
#: A kind, the length, and the payload in hex, or a digest of it if it is longer than that.
Answer = tuple[str, int, str]
KINDS = {TEXT: "text", BINARY: "binary", CLOSE: "close", 9: "ping", 10: "pong"}
LONGEST_IN_HEX = 125
#: Where payloads are repetitive, they repeat so many bytes at most.
LONGEST_UNIT = 16


@dataclass(frozen=True)
class Recording:
    """One case with ws13 in one role, ``server`` or ``client``."""

    case: str
    role: str
    verdict: Verdict
    #: The code of ws13's Close frame as the suite understood it; None if it saw none.
    close_code: int | None
    #: Sec-WebSocket-Extensions of the request and of the answer.
    offer: str | None
    accepted: str | None
    #: How many messages the suite sent, of which the first ones are kept.
    messages: int
    frames: tuple[Frame, ...]
    answers: tuple[Answer, ...]


def answers(frames: Iterable[Frame], extension: str | None, role: str) -> Iterator[Answer]:
    """Tell what the frames say that ws13 sent in this role: messages are joined and inflated."""
    inflater = Inflater(extension, role)
    message: list[Frame] = []
    for frame in frames:
        if frame.opcode not in (CONTINUATION, TEXT, BINARY):
            yield answer(frame.opcode, frame.payload)
            continue
        message.append(frame)
        if frame.fin:
            payload = b"".join(part.payload for part in message)
            if message[0].compressed:
                payload = inflater.inflate(payload)
            yield answer(message[0].opcode, payload)
            message.clear()
    if message:
        raise ValueError("the last message is not finished")


def answer(opcode: int, payload: bytes) -> Answer:
    short = len(payload) <= LONGEST_IN_HEX
    content = payload.hex() if short else hashlib.sha256(payload).hexdigest()[:32]
    return (KINDS[opcode], len(payload), content)


def load(path: Path) -> list[Entry]:
    """Read the file; there is nothing in one that does not exist."""
    if not path.exists():
        return []
    with lzma.open(path, "rt", encoding="ascii") as lines:
        return [json.loads(line) for line in lines]


def save(path: Path, entries: Iterable[Entry]) -> None:
    """Write the file, sorted by case: what the two roles have in common is then close together."""
    lines = [json.dumps(entry, separators=(",", ":")) for entry in sorted(entries, key=_place)]
    text = "".join(f"{line}\n" for line in lines).encode("ascii")
    # The dictionary spans the file, so that what cases have in common is there once.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 26}]
    path.write_bytes(lzma.compress(text, filters=filters))


def _place(entry: Entry) -> tuple[list[int], str]:
    return [int(number) for number in entry["case"].split(".")], entry["role"]


def piece(data: bytes) -> str | dict[str, Any] | list[Any]:
    """Write bytes as in ``tests/vectors``: as hex, or as a unit that is repeated, and a rest."""
    if len(data) <= LONGEST_IN_HEX:
        return data.hex()
    for size in range(1, LONGEST_UNIT + 1):
        times = len(data) // size
        if data[size:] == data[:-size]:
            repeated = {"hex": data[:size].hex(), "times": times}
            rest = data[size * times :]
            return [repeated, rest.hex()] if rest else repeated
    return data.hex()


def piece_bytes(written: str | dict[str, Any] | list[Any]) -> bytes:
    if isinstance(written, list):
        return b"".join(map(piece_bytes, written))
    if isinstance(written, dict):
        return bytes.fromhex(written["hex"]) * int(written["times"])
    return bytes.fromhex(written)


def to_entry(recording: Recording) -> Entry:
    return {
        "case": recording.case,
        "role": recording.role,
        "behavior": recording.verdict.behavior,
        "behaviorClose": recording.verdict.behavior_close,
        "closeCode": recording.close_code,
        "offer": recording.offer,
        "accepted": recording.accepted,
        "messages": recording.messages,
        "frames": [
            [frame.header.hex(), piece(frame.payload), len(list(group))]
            for frame, group in groupby(recording.frames)
        ],
        "answers": [[*one, len(list(group))] for one, group in groupby(recording.answers)],
    }


def from_entry(entry: Entry) -> Recording:
    """Make a recording, which may take many times the memory of its entry."""
    frames: list[Frame] = []
    for header, payload, times in entry["frames"]:
        frames += [Frame(bytes.fromhex(header), piece_bytes(payload))] * times
    answered: list[Answer] = []
    for kind, size, content, times in entry["answers"]:
        answered += [(kind, size, content)] * times
    return Recording(
        case=entry["case"],
        role=entry["role"],
        verdict=Verdict(entry["behavior"], entry["behaviorClose"]),
        close_code=entry["closeCode"],
        offer=entry["offer"],
        accepted=entry["accepted"],
        messages=entry["messages"],
        frames=tuple(frames),
        answers=tuple(answered),
    )
