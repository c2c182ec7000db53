"""What happens in a session: what the peer sends, what our end sends, and in which pieces."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from sessions.peer import Writer
from support.frames import Frame, encode
from support.negotiation import Agreement, other

PIECES = (1, 2, 3, 16, 100, 1000, 65536)
TEXTS = ("a", "b", "hello ", "é", "€uro ", "😀", "0123456789", "\x00", "the same words ")
BAD_TEXT = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe2(")


@dataclass(frozen=True)
class Send:
    """An event that our end is to send, and the choice that goes with it."""

    kind: str  # text, binary, ping, pong
    data: Any
    fin: bool = True
    compress: bool | None = None


#: ("feed", bytes), ("take", how many events; None is all of them) or ("send", Send)
Step = tuple[str, Any]


@dataclass
class Plan:
    seed: int
    role: str
    agreement: Agreement | None
    options: dict[str, int]
    config: dict[str, Any]
    frames: list[Frame] = field(default_factory=list)
    missing: int = 0  # bytes of the last frame that never come
    ends: bool = False  # the stream ends behind what comes
    steps: list[Step] = field(default_factory=list)
    strict: bool = False  # measure the distances of what is sent
    http: bool = False  # begin with the opening handshake


class Planner:
    """Draws a plan."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        draw = self.random.random
        self.plan = plan = Plan(
            seed,
            self.random.choice(("client", "server")),
            self._agreement() if draw() < 0.95 else None,
            {"level": self.random.randint(1, 9), "threshold": self.random.choice((0, 0, 0, 20))},
            self._config(),
            strict=draw() < 0.1,
            http=draw() < 0.1,
        )
        self.writer = Writer(self.random, plan.agreement, other(plan.role))
        self._receive()
        self._steps()

    def _agreement(self) -> Agreement:
        draw, bits = self.random.random, (8, 8, 9, 9, 10, 11, 12, 13, 14, 15, 15, 15)
        return Agreement(
            draw() < 0.25, draw() < 0.25, self.random.choice(bits), self.random.choice(bits)
        )

    def _config(self) -> dict[str, Any]:
        draw = self.random.random
        config: dict[str, Any] = {}
        if draw() < 0.3:
            config["whole_messages"] = True
        if draw() < 0.5:
            config["piece_size"] = self.random.choice(PIECES)
        if draw() < 0.3:
            config["max_message_size"] = self.random.choice((1, 5, 50, 200, 200, 2000))
        if draw() < 0.1:
            config["max_frame_size"] = self.random.choice((5, 50, 200))
        if draw() < 0.1:
            config["max_fragments"] = self.random.randint(1, 4)
        return config

    # What the peer sends

    def _receive(self) -> None:
        draw, frames = self.random.random, self.plan.frames
        for _ in range(self.random.choice((0, 1, 1, 2, 2, 3, 5))):
            frames += self._controls(0.1)
            for frame in self.writer.message(*self._payload(0.02)):
                frames += self._controls(0.2) if frame.opcode == 0 else []
                frames.append(frame)
        if draw() < 0.3:
            frames += self.writer.fault()
        if draw() < 0.2:
            body = self.random.choice((b"", b"\x03\xe8", b"\x03\xe9bye", b"\x0f\xa0\xc3\xa9"))
            frames.append(Frame(8, body))
        if frames and draw() < 0.1:
            del frames[self.random.randint(1, len(frames)) :]
            size = len(frames[-1].payload)
            self.plan.missing = self.random.randint(0, size)
        self.plan.ends = draw() < 0.3

    def _controls(self, chance: float) -> list[Frame]:
        if self.random.random() >= chance:
            return []
        return [Frame(self.random.choice((9, 10)), self.random.randbytes(self.random.randrange(6)))]

    def _payload(self, bad: float = 0.0) -> tuple[str, bytes]:
        """Kind and payload of a message; text is bad once in a while."""
        if self.random.random() < 0.5:
            return "binary", self._bytes()
        text = "".join(self.random.choices(TEXTS, k=self.random.choice((0, 1, 3, 10, 40))))
        data = text.encode()
        if self.random.random() < bad:
            at = self.random.randint(0, len(data))
            data = data[:at] + self.random.choice(BAD_TEXT) + data[at:]
        return "text", data

    def _bytes(self) -> bytes:
        if self.random.random() < 0.01:  # larger than any piece and any window
            return self.random.choice((bytes(150_000), self.random.randbytes(20_000) * 4))
        shape, size = self.random.randrange(6), self.random.choice((0, 1, 5, 30, 100, 300, 1500))
        if shape == 0:
            return self.random.randbytes(size)
        if shape == 1:
            return self.random.choice((b"\0", b"ab", b"\0\0\xff\xff", b"\xaa\x55\x12")) * size
        if shape == 2:  # what repeats at about the distance of the smallest windows
            block = self.random.randbytes(self.random.choice((20, 200, 260, 300, 520)))
            return block + block[: self.random.randrange(100)] + block
        return bytes(self.random.choices(b"abcd \0\xff", k=min(size, 300)))

    # In which pieces, and what happens between them

    def _steps(self) -> None:
        key = b"\x37\xfa\x21\x3d" if self.plan.role == "server" else None
        stream = b"".join(encode(frame, key) for frame in self.plan.frames)
        stream = stream[: len(stream) - self.plan.missing]
        sends = self._sends()
        for chunk in self._chunks(stream):
            self.plan.steps.append(("feed", chunk))
            takes = self.random.choice((0, 1, 2, None, None, None))
            if takes != 0:
                self.plan.steps.append(("take", takes))
            if sends and self.random.random() < 0.4:
                self.plan.steps.append(("send", sends.pop(0)))
        self.plan.steps += [("send", send) for send in sends]

    def _chunks(self, stream: bytes) -> list[bytes]:
        shape = self.random.random()
        if shape < 0.3 or not stream:
            return [stream]
        if shape < 0.4 and len(stream) < 200:
            return [bytes([byte]) for byte in stream]
        if shape < 0.6:
            size = self.random.choice((2, 7, 40, 200)) + len(stream) // 50
            return [stream[i : i + size] for i in range(0, len(stream), size)]
        places = sorted(
            self.random.randrange(len(stream)) for _ in range(self.random.randint(1, 6))
        )
        return [stream[i:j] for i, j in zip([0, *places], [*places, len(stream)], strict=True)]

    def _sends(self) -> list[Send]:
        sends: list[Send] = []
        for _ in range(self.random.choice((0, 1, 1, 2, 4))):
            kind, payload = self._payload()
            data: Any = payload.decode() if kind == "text" else payload
            compress = self.random.choice((None, None, None, True, False))
            cuts = sorted(
                self.random.choices(range(len(data) + 1), k=self.random.choice((0, 0, 0, 1, 3)))
            )
            parts = [data[i:j] for i, j in zip([0, *cuts], [*cuts, len(data)], strict=True)]
            for i, part in enumerate(parts):
                if self.random.random() < 0.1:
                    ping = self.random.randbytes(self.random.randrange(5))
                    sends.append(Send(self.random.choice(("ping", "pong")), ping))
                choice = compress if i == 0 else None
                sends.append(Send(kind, part, i == len(parts) - 1, choice))
        return sends


def plan_of(seed: int) -> Plan:
    return Planner(seed).plan
