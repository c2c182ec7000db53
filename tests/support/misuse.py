"""Places of misuse.json: connections in the state a case wants, and its events built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from support import frames, http
from support.vectors import Case, input_bytes, payload_bytes
from ws13 import ConnectionType, WSConnection, events
from ws13.connection import Connection, ConnectionState

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Endpoint(Protocol):
    """What a Connection and a WSConnection have in common here."""

    @property
    def state(self) -> ConnectionState: ...

    def send(self, event: events.Event, /) -> bytes: ...


def request_bytes(offered: Sequence[str] = ()) -> bytes:
    """A good request that offers these subprotocols."""
    lines = [
        "GET /chat HTTP/1.1",
        "Host: example.com",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
    ]
    if offered:
        lines.append(f"Sec-WebSocket-Protocol: {', '.join(offered)}")
    return "".join(line + "\r\n" for line in [*lines, ""]).encode()


def built(event: dict[str, Any]) -> events.Event:
    """The event of a case; payloads are pieces, header names and values one character a byte."""
    fields = {name: value for name, value in event.items() if name != "type"}
    for name in ("payload", "data"):
        if name in fields and event["type"] != "TextMessage":
            fields[name] = payload_bytes(fields[name])
    for name in ("headers", "extra_headers"):
        if name in fields:
            fields[name] = [
                (key.encode("latin-1"), value.encode("latin-1")) for key, value in fields[name]
            ]
    made: events.Event = getattr(events, event["type"])(**fields)
    return made


def endpoint(case: Case, role: str) -> Endpoint:
    """The object the event of the case is sent on."""
    kind = ConnectionType[role.upper()]
    place = case["place"]
    if place == "open":
        connection = Connection(kind)
        if "received" in case:
            connection.receive_data(input_bytes(case["received"][role])[0])
            for _event in connection.events():
                pass
        for event in case.get("sent", []):
            connection.send(built(event))
        return connection
    whole = WSConnection(kind)
    if place == "half_request":
        whole.receive_data(request_bytes()[:60])
    elif place in ("answer", "accepted"):
        whole.receive_data(request_bytes(case.get("offered", [])))
        assert [type(event).__name__ for event in whole.events()] == ["Request"]
        if place == "accepted":
            whole.send(events.AcceptConnection())
    elif place == "requested":
        whole.send(events.Request(host="example.com", target="/"))
    else:
        assert place in ("fresh", "request"), place
    return whole


def roles(case: Case) -> list[str]:
    if case["place"] in ("open", "fresh"):
        named: list[str] = case["roles"]
        return named
    return ["client" if case["place"] in ("request", "requested") else "server"]


def frames_difference(sent: bytes, wanted: Sequence[dict[str, Any]], role: str) -> str | None:
    """What differs between sent frames and the wanted ones, masks by role included."""
    expected = [
        frames.Frame(
            opcode=frame["opcode"],
            payload=payload_bytes(frame["payload"]),
            fin=frame["fin"],
            masked=role == "client",
        )
        for frame in wanted
    ]
    found = frames.decode(sent)
    return None if found == expected else f"sent {found}, expected {expected}"


def head_difference(sent: bytes, wanted: dict[str, Any]) -> str | None:
    """What differs between a sent head and the wanted start and fields."""
    head = http.parse(sent)
    if not head.start.startswith(wanted["start"]):
        return f"sent {head.start!r}, expected {wanted['start']!r}"
    for name, value in wanted["fields"]:
        if head.all(name) != [value]:
            return f"sent {name}: {head.all(name)}, expected {value!r}"
    return None


def proof_of_life(case: Case, connection: Endpoint, role: str) -> None:
    """After a refusal the correct event still goes out, and nothing else was written."""
    place = case["place"]
    if "then" in case:
        sent = connection.send(built(case["then"]["event"]))
        assert frames_difference(sent, case["then"]["frames"], role) is None
    elif place in ("open", "accepted") and connection.state is ConnectionState.OPEN:
        sent = connection.send(events.BytesMessage(data=b"after"))
        wanted = {"opcode": 2, "fin": True, "payload": b"after".hex()}
        assert frames_difference(sent, [wanted], role) is None
    elif place == "answer":
        sent = connection.send(events.AcceptConnection())
        assert http.parse(sent).start.startswith("HTTP/1.1 101 ")
    elif place == "request" or (place == "fresh" and role == "client"):
        sent = connection.send(events.Request(host="example.com", target="/"))
        assert http.parse(sent).start == "GET / HTTP/1.1"
    elif place in ("fresh", "half_request"):
        assert isinstance(connection, WSConnection)
        whole = request_bytes()
        connection.receive_data(whole[60:] if place == "half_request" else whole)
        assert [type(event).__name__ for event in connection.events()] == ["Request"]
