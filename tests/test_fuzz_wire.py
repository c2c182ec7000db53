"""The TCP connection of a case, at the moments when it is gone already."""

from __future__ import annotations

import asyncio

import pytest

from ws13._cli.fuzz import wire as wires
from ws13._cli.fuzz.wire import Ending, Wire


class Transport(asyncio.Transport):
    """Of a connection that was reset, and nobody has noticed yet."""

    def __init__(self, *, has_eof: bool = True) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.has_eof = has_eof
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def can_write_eof(self) -> bool:
        return self.has_eof

    def write_eof(self) -> None:
        raise OSError(107, "Transport endpoint is not connected")

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


def wire(transport: Transport) -> Wire:
    made = Wire()
    made.connection_made(transport)
    return made


def test_nothing_is_sent_behind_the_end_or_before_there_is_a_connection() -> None:
    transport = Transport()
    made = wire(transport)
    made.send(b"a")
    made.finish()
    made.finish()
    made.send(b"b")
    assert transport.written == [b"a"]
    assert made.sent == b"a"
    early = Wire()
    early.send(b"a")
    early.finish()
    early.close()
    assert early.sent == b""


def test_tls_has_no_half_of_an_end() -> None:
    transport = Transport(has_eof=False)
    made = wire(transport)
    made.finish()
    assert not transport.closed
    made.send(b"a")
    assert transport.written == []


def test_an_endpoint_that_never_stops_sending_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "MOST", 100)
    transport = Transport()

    async def talk() -> Wire:
        made = wire(transport)
        for _ in range(2):
            made.data_received(bytes(60))
        return made

    assert asyncio.run(talk()).is_flooded
    assert transport.closed


def test_what_came_before_a_reset_is_kept() -> None:
    async def talk() -> Wire:
        made = wire(Transport())
        made.data_received(b"Close")
        made.connection_lost(ConnectionResetError())
        assert await made.news(1)
        assert not await made.news(0.01)
        return made

    made = asyncio.run(talk())
    assert (made.received, made.ending, made.is_open) == (b"Close", Ending.RESET, False)
