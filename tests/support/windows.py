"""How far back messages may look, checked on an open connection (RFC 7692 §7.1.2 and §7.2)."""

from __future__ import annotations

import random
from collections.abc import Callable

from support import frames
from support.deflate import Blocks, Token
from support.frames import Frame
from support.inflate import Inflater
from support.negotiation import Agreement, other
from support.strategies import written
from ws13 import WSConnection
from ws13.events import BytesMessage, CloseConnection

BINARY, RSV1 = 2, 4


def compressed(payload: bytes) -> Frame:
    return Frame(BINARY, payload, rsv=RSV1)


def run(size: int) -> list[Token]:
    """An A and so many b that the length is `size`."""
    tokens: list[Token] = [ord("A"), ord("b")]
    left = size - 2
    while left >= 3 + 258:
        tokens.append((258, 1))
        left -= 258
    return [*tokens, *[ord("b")] * left]


def looking_back(history: int, distance: int) -> list[Frame]:
    """A message of so many bytes, and one that begins with a match at the distance."""
    first, second = Blocks().fixed(*run(history)), Blocks().fixed((3, distance))
    return [compressed(first.message()), compressed(second.message())]


def outcome(connection: WSConnection, role: str, messages: list[Frame]) -> list[bytes | int]:
    """The payloads that come out, and the close code of a failure."""
    connection.receive_data(written(messages, role))
    seen: list[bytes | int] = []
    parts: list[bytes] = []
    for event in connection.events():
        if isinstance(event, CloseConnection):
            seen.append(int(event.code))
        elif isinstance(event, BytesMessage):
            parts.append(event.data)
            if event.message_finished:
                seen.append(b"".join(parts))
                parts = []
        else:
            raise AssertionError(event)
    return seen


def check_received(
    make: Callable[[], WSConnection], role: str, bits: int, takeover: bool = True
) -> None:
    """What our end accepts reaches back as far as agreed, and not a byte further."""
    window = 1 << bits
    first = b"A" + b"b" * (window - 1)
    second: bytes | int = b"Abb" if takeover else 1007
    assert outcome(make(), role, looking_back(window, window)) == [first, second]
    if window < 32768:
        seen = outcome(make(), role, looking_back(window + 1, window + 1))
        assert seen == [first + b"b", 1007]
    if not takeover:
        assert outcome(make(), role, looking_back(10, 1)) == [first[:10], 1007]


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that nothing can be saved on."""
    return random.Random(seed or size).randbytes(size)


def check_sent(
    connection: WSConnection,
    bits: int,
    takeover: bool = True,
    periods: tuple[int, ...] = (60, 200, 256, 257, 300, 600, 1200, 60),
) -> int:
    """What our end sends decodes, and looks back no further than agreed; tells how far."""
    inflater, longest = Inflater(bits, takeover), 0
    for period in periods:
        body = noise(period) * 3
        sent = frames.decode(connection.send(BytesMessage(body), compress=True))
        assert [(frame.opcode, frame.rsv, frame.fin) for frame in sent] == [(BINARY, RSV1, True)]
        inflated = inflater.message(sent[0].payload)
        assert (inflated.data, inflated.fault) == (body, None)
        longest = max(longest, inflated.longest)
    assert longest <= 1 << bits, f"{longest} with a window of {bits} bits"
    return longest


def check(make: Callable[[], WSConnection], role: str, agreement: Agreement) -> None:
    """Both directions keep to what was agreed."""
    peer = other(role)
    check_received(make, role, agreement.bits(peer), agreement.takeover(peer))
    check_sent(make(), agreement.bits(role), agreement.takeover(role))
