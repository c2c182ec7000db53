"""What a line typed into ``connect`` means."""

from __future__ import annotations

from ws13.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

LARGEST_CONTROL_PAYLOAD = 125  # RFC 6455 §5.5
LARGEST_REASON = LARGEST_CONTROL_PAYLOAD - 2  # after the close code, §5.5.1
NEVER_SENT = {1004, 1005, 1006}  # §7.4.1


def parse_line(line: str) -> Event:
    """Turn a line into the event to send; ValueError says what is wrong with it."""
    if line.startswith("//"):
        return TextMessage(data=line[1:])
    if not line.startswith("/"):
        return TextMessage(data=line)
    command, _, rest = line[1:].partition(" ")
    match command:
        case "ping":
            return Ping(payload=_limited(rest, LARGEST_CONTROL_PAYLOAD, "the text of a ping"))
        case "close":
            return _parse_close(rest.strip())
        case "binary":
            try:
                return BytesMessage(data=bytes.fromhex(rest))
            except ValueError:
                raise ValueError(f"{rest!r} is not hexadecimal; write /binary 00ff10") from None
        case _:
            raise ValueError(
                f"/{command} is not a command: there are /ping, /close and /binary "
                f"(to send it as text, write //{command})",
            )


def _parse_close(rest: str) -> CloseConnection:
    number, _, reason = rest.partition(" ")
    if not number:
        return CloseConnection(code=1000)
    if not (number.isascii() and number.isdigit()):
        raise ValueError(f"{number!r} is not a close code; write /close 1000 goodbye")
    code = int(number)
    if code in NEVER_SENT or not (1000 <= code <= 1014 or 3000 <= code <= 4999):
        raise ValueError(f"close code {code} must not be sent; 1000 and 3000 to 4999 may")
    _limited(reason, LARGEST_REASON, "the reason of a close")
    return CloseConnection(code=code, reason=reason or None)


def _limited(text: str, limit: int, what: str) -> bytes:
    data = text.encode()
    if len(data) > limit:
        raise ValueError(f"{what} is limited to {limit} bytes, this has {len(data)}")
    return data
