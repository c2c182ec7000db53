"""What was sent, what came back and what would have been right, in words."""

from __future__ import annotations

from collections.abc import Sequence

from ws13._cli.wording import visible
from ws13.testing import Frame, Judge, Opcode, Role
from ws13.testing.cases import Accepts, Case, Closes, Drops, Echoes, Outcome, Refuses

from .exchange import Exchange
from .wire import Ending

#: Of a payload, and of a list, so much is shown.
SHOWN = 24
LISTED = 4


def sent(case: Case, role: Role) -> str:
    """What the case sends to an endpoint of this role."""
    parts: list[str] = []
    if case.opening is not None:
        parts.append("the opening handshake of the case")
    elif case.extension is not None:
        parts.append(f"a handshake with {case.extension}")
    items = [one for item in case.sends for one in as_frames(item, role)]
    parts += [item_in_words(item) for item in items[:LISTED]]
    if len(items) > LISTED:
        parts.append(f"{len(items) - LISTED} more")
    if case.eof:
        parts.append("the end of TCP")
    return "; ".join(parts) or "nothing"


def as_frames(item: Frame | bytes, role: Role) -> list[Frame | bytes]:
    """Bytes as the frames that they are, and what is left of them."""
    if isinstance(item, Frame):
        return [item]
    frames = Judge(role.other).take(item)
    rest = item[sum(len(bytes(frame)) for frame in frames) :]
    return [*frames, rest] if rest else [*frames]


def item_in_words(item: Frame | bytes) -> str:
    """A frame with its payload, or bytes."""
    if isinstance(item, bytes):
        return f"{len(item)} bytes {item[:SHOWN].hex(' ')}{'...' if len(item) > SHOWN else ''}"
    if item.opcode == Opcode.CLOSE:
        return close_in_words(item)
    shown = f" {payload_in_words(item.payload)}" if item.payload else ""
    return f"{item}{shown}"


def close_in_words(frame: Frame) -> str:
    """A Close frame with code and reason, if it has them."""
    bits = [name for name in ("rsv1", "rsv2", "rsv3") if getattr(frame, name)]
    words = " ".join(["Close", *bits, *([] if frame.fin else ["without FIN"])])
    if len(frame.payload) < 2:
        return f"{words} {payload_in_words(frame.payload)}" if frame.payload else f"{words} (empty)"
    code, reason = int.from_bytes(frame.payload[:2], "big"), frame.payload[2:]
    return f"{words} {code}" + (f" {payload_in_words(reason)}" if reason else "")


def payload_in_words(payload: str | bytes) -> str:
    """Its beginning."""
    if isinstance(payload, str):
        more = "..." if len(payload) > SHOWN else ""
        return f'"{visible(payload[:SHOWN])}"{more}'
    if len(payload) <= SHOWN and payload.isascii() and payload.decode().isprintable():
        return f'"{payload.decode()}"'
    return f"{payload[:SHOWN].hex(' ')}{'...' if len(payload) > SHOWN else ''}"


def came(exchange: Exchange) -> str:
    """What the endpoint did."""
    parts: list[str] = []
    if exchange.role is Role.SERVER and exchange.status is None:
        parts.append("no answer to the request")
    elif exchange.role is Role.SERVER and (exchange.case.opening or exchange.status != 101):
        parts.append("101" if exchange.status == 101 else f"refused with {exchange.status}")
    messages = exchange.messages
    if messages:
        shown = ", ".join(map(_message_in_words, messages[:LISTED]))
        more = f" and {len(messages) - LISTED} more" if len(messages) > LISTED else ""
        parts.append(f"messages {shown}{more}")
    if exchange.pongs:
        shown = ", ".join(payload_in_words(pong) or "empty" for pong in exchange.pongs[:LISTED])
        parts.append(f"Pong {shown}")
    if exchange.close is not None:
        parts.append(close_in_words(exchange.close))
    if exchange.is_probed and exchange.close is None:
        parts.append("the connection stays open")
    else:
        if exchange.timed_out and exchange.ending is Ending.OPEN:
            parts.append("nothing more in time")
        parts.append(exchange.ending.value)
    return ", ".join(parts)


def _message_in_words(message: str | bytes) -> str:
    size = f" ({len(message)})" if len(message) > SHOWN else ""
    return (payload_in_words(message) or "empty") + size


def wanted(allowed: Sequence[Outcome]) -> str:
    """The outcomes that are allowed."""
    return ", or ".join(dict.fromkeys(map(outcome_in_words, allowed)))


def outcome_in_words(outcome: Outcome) -> str:
    """One outcome."""
    match outcome:
        case Echoes():
            echo = f"the echo of {len(outcome.messages)} messages" if outcome.messages else ""
            pongs = f"a Pong {payload_in_words(outcome.pongs[-1])}" if outcome.pongs else ""
            return " and ".join(filter(None, (echo, pongs, "an open connection")))
        case Closes(codes=codes):
            return f"Close {' / '.join(map(str, codes))}".strip() if codes else "any Close"
        case Drops():
            return "the end of TCP"
        case Accepts(fields=fields):
            return "101" + _fields_in_words(fields)
        case Refuses(statuses=statuses, fields=fields):
            numbers = [str(status) if status else "the end of TCP" for status in statuses]
            return (" / ".join(numbers) or "any refusal") + _fields_in_words(fields)


def _fields_in_words(fields: Sequence[tuple[str, str | None]]) -> str:
    with_them = [f"{name}: {value}" for name, value in fields if value is not None]
    without = [name for name, value in fields if value is None]
    return (f" with {', '.join(with_them)}" if with_them else "") + (
        f" without {', '.join(without)}" if without else ""
    )


def legible(data: bytes, most: int) -> str:
    """For reports: a head as text and the rest as hexadecimal digits, up to so many bytes."""
    shown = data[:most]
    head, end, rest = shown.partition(b"\r\n\r\n")
    if not end:
        head, rest = b"", shown
    lines = [visible(line.decode("latin-1")) for line in head.split(b"\r\n")]
    more = f" ... ({len(data)} bytes)" if len(data) > most else ""
    return "\n".join([*lines, "", rest.hex(" ") + more]).strip()
