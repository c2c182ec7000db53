"""Reads tests/vectors/*.json (the format is in the README there) and cuts bytes into chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent.parent / "vectors"

Case = dict[str, Any]
Chunk = bytes | None  # None: end of file


def load(*names: str) -> list[Case]:
    """The cases of these files, each with the key ``file`` added."""
    cases: list[Case] = []
    for name in names:
        text = (VECTORS / f"{name}.json").read_text(encoding="utf-8")
        cases += [{**case, "file": name} for case in json.loads(text)]
    return cases


def identity(case: Case) -> str:
    return f"{case['row']} {case['name']}"


def piece_bytes(piece: str | dict[str, Any]) -> bytes:
    """A piece is a hex string or {"hex" or "text": ..., "times": n}."""
    if isinstance(piece, str):
        return bytes.fromhex(piece)
    unit = bytes.fromhex(piece["hex"]) if "hex" in piece else str(piece["text"]).encode()
    return unit * int(piece.get("times", 1))


def payload_bytes(payload: Any) -> bytes:
    """A binary payload: a piece or a list of pieces."""
    pieces = payload if isinstance(payload, list) else [payload]
    return b"".join(piece_bytes(piece) for piece in pieces)


def payload_text(payload: Any) -> str:
    """A text payload: a string, {"text": ..., "times": n} or a list of these."""
    pieces = payload if isinstance(payload, list) else [payload]
    return "".join(
        piece if isinstance(piece, str) else str(piece["text"]) * int(piece.get("times", 1))
        for piece in pieces
    )


def input_bytes(items: Sequence[Any]) -> tuple[bytes, bool]:
    """The bytes of a list of input items, and whether the end of file follows them."""
    ends = bool(items) and isinstance(items[-1], dict) and bool(items[-1].get("eof"))
    return payload_bytes(list(items[:-1] if ends else items)), ends


def head_bytes(lines: Sequence[Any]) -> bytes:
    """An HTTP head: the lines, each ended by CRLF, and the empty line behind them.

    A line is a string (one character a byte), {"line": ..., "times": n} for a line repeated,
    or {"start": ..., "fill": ..., "times": n, "end": ...} for a long one.
    """
    out: list[str] = []
    for line in lines:
        if isinstance(line, str):
            out.append(line)
        elif "line" in line:
            out += [line["line"]] * int(line["times"])
        else:
            out.append(line["start"] + line["fill"] * int(line["times"]) + line.get("end", ""))
    return "".join(line + "\r\n" for line in [*out, ""]).encode("latin-1")


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def chunkings(data: bytes, every_split_up_to: int = 64) -> Iterator[tuple[str, list[bytes]]]:
    """Whole; byte by byte; with empty chunks; two parts, everywhere when short; equal parts."""
    size = len(data)
    yield "whole", [data]
    if size < 2:
        return
    if size <= 4096:
        yield "byte by byte", pieces_of(data, 1)
    else:
        yield "20 single bytes, then 1009", pieces_of(data[:20], 1) + pieces_of(data[20:], 1009)
    yield "with empty chunks", [b"", data[:1], b"", data[1:], b""]
    if size <= every_split_up_to:
        cuts = set(range(1, size))
    else:
        cuts = {*range(1, 15), *range(15, size, max(1, size // 16)), *range(size - 6, size)}
    for cut in sorted(cuts):
        yield f"split at {cut}", [data[:cut], data[cut:]]
    for length in (2, 3, 7, 61, 1460, 65536):
        if length < size <= length * 2000:
            yield f"chunks of {length}", pieces_of(data, length)
