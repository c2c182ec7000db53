"""Opening handshakes of the vectors: one run with one cut of the bytes, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from support import http
from support.transcript import Expected, Transcript, brief
from support.vectors import Case, Chunk, payload_bytes
from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    Event,
    RejectConnection,
    RejectData,
    Request,
)
from ws13.utilities import RemoteProtocolError


class Run:
    """A connection and everything it has given out. Feeding stops at an error."""

    def __init__(self, kind: ConnectionType) -> None:
        self.connection = WSConnection(kind)
        self.error: RemoteProtocolError | None = None
        self.opening: list[Event] = []
        self.frames = Transcript()

    def feed(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            try:
                self.connection.receive_data(chunk)
            except RemoteProtocolError as error:
                self._take()  # what came before the fault is still given out
                self.error = error
            else:
                self._take()
            if self.error is not None:
                return

    def _take(self) -> None:
        try:
            for event in self.connection.events():
                self.take(event)
        except RemoteProtocolError as error:
            self.error = error

    def take(self, event: Event) -> None:
        opening = (Request, AcceptConnection, RejectConnection, RejectData)
        if isinstance(event, opening):
            self.opening.append(event)
        else:
            self.frames.add(event)

    def frames_difference(self, then: Sequence[Any]) -> str | None:
        return Expected.parse(then).difference(self.frames, self.connection.state)


class ServerRun(Run):
    """A server that accepts at once, as the case says."""

    def __init__(self, accept: dict[str, Any]) -> None:
        super().__init__(ConnectionType.SERVER)
        self.answer = AcceptConnection(**accept)
        self.sent = b""

    def take(self, event: Event) -> None:
        super().take(event)
        if isinstance(event, Request):
            self.sent += self.connection.send(self.answer)

    @property
    def status(self) -> int | None:
        hint = getattr(self.error, "event_hint", None)
        return hint.status_code if isinstance(hint, RejectConnection) else None

    def difference(self, expect: dict[str, Any]) -> str | None:
        """What differs from the expectation of a case, in words."""
        if "refused" in expect:
            return self._refused(expect)
        if self.error is not None:
            return f"refused: {self.error} (status {self.status})"
        if len(self.opening) != 1 or not isinstance(self.opening[0], Request):
            return f"events {brief(self.opening)}, expected one Request"
        found = self._request(self.opening[0], expect["request"])
        return (
            found
            or self._answer(expect.get("answer", {}))
            or self.frames_difference(expect.get("then", []))
        )

    def _refused(self, expect: dict[str, Any]) -> str | None:
        if self.error is None:
            return f"not refused: {brief(self.opening)} {brief(self.frames.items)}"
        if self.opening or self.frames.items:
            return f"events beside the refusal: {brief(self.opening)}"
        if expect["refused"] and self.status not in expect["refused"]:
            return f"refused with {self.status}, expected {expect['refused']}"
        for name, value in expect.get("headers", []):
            hint = self.error.event_hint
            assert isinstance(hint, RejectConnection)
            if (name.lower(), value) not in lowered(hint.headers):
                return f"no {name}: {value} in {hint}"
        return None

    def _request(self, seen: Request, wanted: dict[str, Any]) -> str | None:
        for name in ("target", "host", "subprotocols"):
            if wanted[name] is not None and getattr(seen, name) != wanted[name]:
                return f"{name} {brief(getattr(seen, name))}, expected {wanted[name]!r}"
        return headers_difference(seen.extra_headers, wanted.get("headers", []))

    def _answer(self, wanted: dict[str, str]) -> str | None:
        head = http.parse(self.sent)
        if not head.start.startswith("HTTP/1.1 101 ") or head.rest:
            return f"answer {brief(self.sent)}"
        for name, value in wanted.items():
            if [v.lower() for v in head.all(name)] != [value.lower()]:
                return f"answer {name}: {head.all(name)}, expected {value}"
        return None


class ClientRun(Run):
    """A client that has sent its request."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(ConnectionType.CLIENT)
        event = Request(host="example.com", target="/chat", **request)
        (self.key,) = http.parse(self.connection.send(event)).all("Sec-WebSocket-Key")

    def filled(self, response: bytes) -> bytes:
        """The response with the placeholders replaced; its length does not depend on the key."""
        token = http.accept_token(self.key)
        for name, value in (
            ("{accept}", token),
            ("{accept:swapcase}", token.swapcase()),
            ("{accept:cut}", token[:-1]),
            ("{key}", self.key),
        ):
            response = response.replace(name.encode(), value.encode())
        return response

    def difference(self, expect: dict[str, Any]) -> str | None:
        """What differs from the expectation of a case, in words."""
        if expect.get("fail", False) != (self.error is not None):
            return f"error {self.error!r} behind {brief(self.opening)}"
        if "reject" in expect:
            return self._rejected(expect["reject"])
        if "accept" not in expect:
            found = self.opening or self.frames.items
            return f"events beside the failure: {brief(found)}" if found else None
        if len(self.opening) != 1 or not isinstance(self.opening[0], AcceptConnection):
            return f"events {brief(self.opening)}, expected one AcceptConnection"
        seen, wanted = self.opening[0], expect["accept"]
        if seen.subprotocol != wanted["subprotocol"] or seen.extensions:
            return f"{seen}, expected subprotocol {wanted['subprotocol']}"
        return headers_difference(
            seen.extra_headers, wanted.get("headers", [])
        ) or self.frames_difference(expect.get("then", []))

    def _rejected(self, wanted: dict[str, Any]) -> str | None:
        if not self.opening or not isinstance(self.opening[0], RejectConnection):
            return f"events {brief(self.opening)}, expected RejectConnection first"
        first, *rest = self.opening
        assert isinstance(first, RejectConnection)
        if first.status_code != wanted["status"]:
            return f"status {first.status_code}, expected {wanted['status']}"
        data = [event for event in rest if isinstance(event, RejectData)]
        if len(data) != len(rest) or self.frames.items:
            return f"events {brief(self.opening)}"
        body = b"".join(bytes(event.data) for event in data)
        if "body" in wanted and body != payload_bytes(wanted["body"]):
            return f"body {brief(body)}, expected {brief(wanted['body'])}"
        ends = [event.body_finished for event in data]
        if any(ends[:-1]) or (bool(ends) and ends[-1]) != wanted["finished"]:
            return f"body_finished {brief(ends)}, expected {wanted['finished']} at last"
        if wanted["finished"] and self.connection.state is not ConnectionState.CLOSED:
            return f"state {self.connection.state} behind the rejection"
        return headers_difference(first.headers, wanted.get("headers", []))


def lowered(headers: Iterable[tuple[Any, Any]]) -> list[tuple[str, str]]:
    return [
        (bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1"))
        for name, value in headers
    ]


def headers_difference(
    seen: Iterable[tuple[Any, Any]], wanted: Sequence[Sequence[str]]
) -> str | None:
    """The fields with the wanted names must be exactly the wanted ones, in order."""
    names = {name for name, _value in wanted}
    found = [[name, value] for name, value in lowered(seen) if name in names]
    return None if found == [list(w) for w in wanted] else f"headers {brief(found)}"


def alternatives(case: Case) -> list[dict[str, Any]]:
    """The outcomes a case allows."""
    expect: dict[str, Any] = case["expect"]
    either: list[dict[str, Any]] = expect.get("either", [expect])
    return either
