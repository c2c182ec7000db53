"""Conversations made at random from a seed, and spoilt at random; what is right comes of the judge.

What we send is read by the same independent judge that reads what comes back. A conversation in
which it finds nothing must be answered; one that breaks a rule whose breach a receiver must not
bear must fail the connection. Where the RFCs leave it open, anything is right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from ws13.testing import (
    Frame,
    Judge,
    Opcode,
    Role,
    binary,
    close,
    deflate,
    fragments,
    ping,
    pong,
    text,
)
from ws13.testing.cases import Case, Closes, Drops, Echoes, Outcome

#: An id such as ``random/17-203``: seed and number.
ID = re.compile(r"random/(\d+)-(\d+)")
DEFLATE = "permessage-deflate"
SECTION = "RFC 6455 §5"
#: What a receiver of these must do is said in so many words: fail the connection.
MUST_FAIL = (
    "which is reserved",  # §5.2
    "without an extension that uses it",  # §5.2
    "is not masked",  # §5.1
    "is masked",  # §5.1
    "the text of a message is not UTF-8",  # §8.1
)
WORDS = ("", "a", "Hello", "Grüße, 世界", "🎉" * 9, "x" * 125, "y" * 126, "z" * 65536, "é" * 700)


def mutation(seed: int, number: int, role: Role) -> Case:
    """The case with this number, always the same one, for an endpoint of this role."""
    rng = random.Random(f"{seed}-{number}")
    extension = DEFLATE if rng.random() < 0.4 else None
    items: list[Frame | bytes] = list(_conversation(rng, compressed=extension is not None))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        rng.choice(SPOILERS)(rng, items)
    key = rng.randbytes(4)
    sends = [_written(item, role, key) for item in items]
    return judged(f"random/{seed}-{number}", sends, role, extension)


def judged(id: str, sends: Sequence[bytes], role: Role, extension: str | None) -> Case:
    """A case of these bytes, whose outcomes are what the judge says."""
    ours = Judge(role.other, extension)
    sent: list[Frame] = []
    whole: list[str | bytes] | None = None  # before the first breach
    for item in sends:
        for at in range(0, len(item), 1024):
            sent += ours.take(item[at : at + 1024])
            if ours.violations and whole is None:
                whole = list(ours.messages)
    eof = sum(len(bytes(frame)) for frame in sent) < sum(map(len, sends))
    allowed, must = _allowed(ours, sent, whole, eof=eof)
    title = "A conversation at random"
    if ours.violations:
        title += f" ({ours.violations[0].sentence})"
    return Case(
        id=id,
        section=ours.violations[0].section if ours.violations else SECTION,
        title=f"{title}.",
        roles=frozenset({role}),
        sends=tuple(sends),
        allowed=allowed,
        extension=extension,
        eof=eof,
        must=must,
        needs_context=extension is not None,
    )


def _allowed(
    ours: Judge, sent: Sequence[Frame], whole: list[str | bytes] | None, *, eof: bool
) -> tuple[tuple[Outcome, ...], bool]:
    """The outcomes that are right, and whether another one is a violation."""
    if ours.violations:
        assert whole is not None
        fails = (Closes(messages=tuple(whole)), Drops(tuple(whole)))
        first = ours.violations[0].sentence
        return fails, first.endswith(MUST_FAIL) or first.startswith("RSV1 is set in a")
    messages = tuple(ours.messages)
    pongs = tuple(frame.payload for frame in sent if frame.opcode == Opcode.PING)
    if _breaks_off_compressed(sent):
        # The judge inflates whole messages; a receiver may see sooner that this is no DEFLATE.
        return (Echoes(messages, pongs), Closes(messages=messages), Drops(messages)), False
    if ours.close_code is not None:
        return (Closes((ours.close_code,), messages=messages), Closes(messages=messages)), True
    if eof:
        return (Drops(messages), Closes(messages=messages)), False
    # Choice: an endpoint may have limits of its own, RFC 6455 §10.4, or reserves.
    busy = Closes((1008, 1009, 1011, 1013), messages=messages)
    return (Echoes(messages, pongs), busy), True


def _breaks_off_compressed(sent: Sequence[Frame]) -> bool:
    """Whether the last message is compressed and has no end."""
    data = [frame for frame in sent if not frame.iscontrol]
    begun = [frame for frame in data if frame.opcode != Opcode.CONTINUATION]
    return bool(begun) and begun[-1].rsv1 and not data[-1].fin


def _conversation(rng: random.Random, *, compressed: bool) -> list[Frame]:
    """Legal frames of one end, unmasked; sometimes with a Close frame at the end."""
    frames: list[Frame] = []
    for _ in range(rng.randint(1, 6)):
        match rng.randrange(6):
            case 0:
                frames.append(ping(rng.randbytes(rng.choice((0, 1, 125)))))
            case 1:
                frames.append(pong(rng.randbytes(rng.randrange(9))))
            case _:
                frames += _message(rng, compressed=compressed and rng.random() < 0.7)
    if rng.random() < 0.2:
        frames.append(close(rng.choice((1000, 1001, 3000, 4999)), rng.choice(("", "bye", "é"))))
    return frames


def _message(rng: random.Random, *, compressed: bool) -> list[Frame]:
    is_text = rng.random() < 0.5
    payload = rng.choice(WORDS).encode() if is_text else rng.randbytes(rng.choice((0, 1, 200, 999)))
    opcode = Opcode.TEXT if is_text else Opcode.BINARY
    if compressed:
        payload = deflate(payload)
    if not compressed and rng.random() < 0.5:
        return [text(payload) if is_text else binary(payload)]
    cuts = sorted(rng.randrange(len(payload) + 1) for _ in range(rng.randrange(4)))
    places = [0, *cuts, len(payload)]
    parts = [payload[a:b] for a, b in pairwise(places)]
    frames = list(fragments(opcode, parts, compressed=compressed))
    if len(frames) > 1 and rng.random() < 0.5:
        frames.insert(rng.randrange(1, len(frames)), ping(rng.randbytes(3)))
    return frames


def _written(item: Frame | bytes, role: Role, key: bytes) -> bytes:
    if isinstance(item, bytes):
        return item
    masked = role is Role.SERVER and item.masking_key is None
    return bytes(item.masked(key) if masked else item)


Items = list["Frame | bytes"]


def _change(rng: random.Random, items: Items, change: Callable[[Frame], Frame]) -> None:
    """Change one of the frames."""
    places = [i for i, item in enumerate(items) if isinstance(item, Frame)]
    if not places:
        return
    at = rng.choice(places)
    frame = items[at]
    assert isinstance(frame, Frame)
    items[at] = change(frame)


def _opcode(rng: random.Random, items: Items) -> None:
    _change(rng, items, lambda frame: replace(frame, opcode=rng.randrange(16)))


def _fin(rng: random.Random, items: Items) -> None:
    _change(rng, items, lambda frame: replace(frame, fin=not frame.fin))


def _reserved_bit(rng: random.Random, items: Items) -> None:
    match rng.randrange(3):
        case 0:
            _change(rng, items, lambda frame: replace(frame, rsv1=not frame.rsv1))
        case 1:
            _change(rng, items, lambda frame: replace(frame, rsv2=not frame.rsv2))
        case _:
            _change(rng, items, lambda frame: replace(frame, rsv3=not frame.rsv3))


def _length_form(rng: random.Random, items: Items) -> None:
    def change(frame: Frame) -> Frame:
        short = frame.length < 2**16 and rng.random() < 0.5
        return replace(frame, length_form=16 if short else 64)

    _change(rng, items, change)


def _other_mask(rng: random.Random, items: Items) -> None:
    """Masked where it must not be; for a server, with another key."""
    _change(rng, items, lambda frame: frame.masked(rng.randbytes(4)))


def _not_masked(rng: random.Random, items: Items) -> None:
    at = rng.randrange(len(items))
    items[at] = bytes(items[at])


def _longer(rng: random.Random, items: Items) -> None:
    more = rng.randbytes(rng.choice((1, 126)))
    _change(rng, items, lambda frame: replace(frame, payload=frame.payload + more))


def _payload(rng: random.Random, items: Items) -> None:
    def change(frame: Frame) -> Frame:
        payload = bytearray(frame.payload or b"x")
        payload[rng.randrange(len(payload))] ^= 1 << rng.randrange(8)
        return replace(frame, payload=bytes(payload))

    _change(rng, items, change)


def _again(rng: random.Random, items: Items) -> None:
    items.insert(rng.randrange(len(items) + 1), rng.choice(items))


def _lost(rng: random.Random, items: Items) -> None:
    if len(items) > 1:
        del items[rng.randrange(len(items))]


def _moved(rng: random.Random, items: Items) -> None:
    items.insert(rng.randrange(len(items)), items.pop(rng.randrange(len(items))))


def _noise(rng: random.Random, items: Items) -> None:
    items.insert(rng.randrange(len(items) + 1), rng.randbytes(rng.randint(1, 20)))


SPOILERS = (
    _opcode,
    _fin,
    _reserved_bit,
    _length_form,
    _other_mask,
    _not_masked,
    _longer,
    _payload,
    _payload,
    _again,
    _lost,
    _moved,
    _noise,
)
