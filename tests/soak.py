"""
Very many messages and connections in one process, which must not grow.

    python tests/soak.py                                     10^7 messages, 10^6 connections
    python tests/soak.py --messages 100000 --connections 10000

Connections are opened, failed and closed in every way there is. Exit status: 1 if the resident
memory after the warm-up, the first tenth, has grown by more than 1 MiB.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from support import heads, http
from support.bombs import final
from support.frames import Frame
from support.memory import KIB, MIB, memory
from support.strategies import written
from ws13 import Config, ConnectionType, WSConnection
from ws13.connection import CLIENT, SERVER, Connection
from ws13.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    RejectConnection,
    RejectData,
    Request,
)
from ws13.extensions import PerMessageDeflate
from ws13.utilities import ProtocolError, RemoteProtocolError

#: How much the process may grow, in bytes.
GROWTH = MIB
KEY = bytes(4)

# Messages: each of these sends some through a pair of ends, and tells how many.


@dataclass
class Pair:
    """Two open ends of one connection."""

    client: Connection
    server: Connection


def pair(extension: str | None = None, config: Config | None = None) -> Pair:
    def extensions() -> list[PerMessageDeflate]:
        made = PerMessageDeflate()
        made._enabled = True
        return [made] if extension else []

    return Pair(
        Connection(CLIENT, extensions(), config=config),
        Connection(SERVER, extensions(), config=config),
    )


PLAIN = [
    Frame(2, b"binary"),
    Frame(1, b"ascii"),
    Frame(1, "\u00e9\u20ac\U0001f600".encode()),
    Frame(9, b"ping"),
    Frame(10, b"pong"),
    Frame(2, b"in two ", False),
    Frame(0, b"fragments"),
    Frame(2, b""),
]
IN_A_READ = 64
READ = {role: written(PLAIN * IN_A_READ, role, KEY) for role in ("client", "server")}
LARGE = bytes(range(256)) * 300


def read(ends: Pair) -> int:
    """Many frames in a read."""
    return len(ends.server.receive(READ["server"])) + len(ends.client.receive(READ["client"]))


def talk(ends: Pair) -> int:
    """One message a read, there and back."""
    for number in range(200):
        (event,) = ends.server.receive(ends.client.send_bytes(b"%d" % number))
        ends.client.receive_data(ends.server.send(event))
        assert list(ends.client.events()) == [event]
    return 400


def large(ends: Pair) -> int:
    """Messages that come in pieces."""
    sent = ends.client.send_bytes(LARGE) + ends.client.send_text("\u0436" * 30_000)
    for start in range(0, len(sent), 16 * KIB):
        ends.server.receive(sent[start : start + 16 * KIB])
    header, payload = ends.server.send_parts(LARGE)
    ends.client.receive(header)
    ends.client.receive(payload)
    return 3


@dataclass
class Talk:
    """A pair of ends, what is sent between them, and how much of all messages that is."""

    ends: Pair
    send: Callable[[Pair], int]
    share: float


def talks() -> list[Talk]:
    whole = Config(whole_messages=True)
    return [
        Talk(pair(), read, 0.60),
        Talk(pair(config=whole), read, 0.20),
        Talk(pair(), talk, 0.08),
        Talk(pair("deflate"), read, 0.06),
        Talk(pair("deflate"), talk, 0.0595),
        Talk(pair(), large, 0.00025),
        Talk(pair("deflate", whole), large, 0.00025),
    ]


# Connections: each of these opens one and lets it end.

REQUEST = heads.head([*heads.REQUEST, "Sec-WebSocket-Extensions: permessage-deflate"])
#: Answers to the key that `heads.REQUEST` has; a client's own key is another one.
BAD_HEADS = [
    b"POST / HTTP/1.1\r\n\r\n",
    b"SSH-2.0-x\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    heads.head(["GET / HTTP/1.1", "X: " + "x" * 20_000]),
    heads.head([*heads.REQUEST, "Sec-WebSocket-Extensions: ;"]),
    heads.head([*heads.REQUEST, "Sec-WebSocket-Extensions: " + "a," * 7000]),
]
REJECTION = heads.head(["HTTP/1.1 403 No", "Content-Length: 5"]) + b"hello"
COMPRESSED = written([Frame(1, final(b"hello " * 20, 6), rsv=4)], "server", KEY)
VIOLATIONS = [
    written([frame], "server", KEY)
    for frame in (
        Frame(3, b""),
        Frame(0, b""),
        Frame(1, b"\xff"),
        Frame(8, b"\x00"),
        Frame(9, b"x" * 126),
        Frame(2, b"", rsv=2),
        Frame(2, b"\xff\xff", rsv=4),
        Frame(2, b"x" * 2000),
    )
]
CLOSE = written([Frame(8, b"\x03\xe8bye")], "server", KEY)
UNFINISHED = [
    written([Frame(1, b"begun", False)], "server", KEY),
    written([Frame(2, b"x" * 1000)], "server", KEY)[:-1],
    COMPRESSED[:-5],
    CLOSE[:-1],
    b"\x82",
]


def accepted(config: Config | None = None) -> WSConnection:
    server = WSConnection(ConnectionType.SERVER, config=config)
    server.receive(REQUEST)
    server.send(AcceptConnection(extensions=[PerMessageDeflate()]))
    return server


def both() -> tuple[WSConnection, WSConnection]:
    client = WSConnection(ConnectionType.CLIENT)
    server = WSConnection(ConnectionType.SERVER)
    server.receive(client.send(Request("h", "/", extensions=[PerMessageDeflate()])))
    client.receive(server.send(AcceptConnection(extensions=[PerMessageDeflate()])))
    return client, server


def closed_by_us() -> None:
    server = accepted()
    server.close(1000)
    server.receive(CLOSE)


def closed_by_the_peer() -> None:
    server = accepted()
    for event in server.receive(COMPRESSED + CLOSE):
        if isinstance(event, CloseConnection):
            server.send(event.response())


def closed_by_both() -> None:
    client, server = both()
    there, back = client.close(1001, "x"), server.send_text("late") + server.close()
    server.receive(there)
    client.receive(back)


def failed() -> None:
    for violation in VIOLATIONS:
        server = accepted(Config(max_message_size=1000))
        server.receive_data(violation)
        list(server.events())
        server.close(1002)


def cut_off() -> None:
    for data in UNFINISHED:
        accepted().receive(data)
        server = accepted(Config(whole_messages=True))
        server.receive(data)
        server.receive(None)


def left_unread() -> None:
    server = accepted()
    server.receive_data(COMPRESSED * 3)
    next(server.events())


def refused() -> None:
    for head in BAD_HEADS:
        server = WSConnection(ConnectionType.SERVER)
        try:
            server.receive_data(head)
        except RemoteProtocolError as error:
            server.send(error.event_hint or AcceptConnection())
        else:
            list(server.events())


def rejected() -> None:
    server = WSConnection(ConnectionType.SERVER)
    server.receive(REQUEST)
    server.send(RejectConnection(status_code=403, has_body=True))
    server.send(RejectData(b"no"))
    client = WSConnection(ConnectionType.CLIENT)
    client.send(Request("h", "/"))
    assert len(client.receive(REJECTION)) > 1


def misused() -> None:
    server = accepted()
    events: list[Event] = [CloseConnection(999), Request("h", "/"), RejectData(b"")]
    for event in events:
        try:
            server.send(event)
        except ProtocolError:
            continue
        raise AssertionError("it was sent")


def cut_off_in_the_handshake() -> None:
    for connection_type in ConnectionType:
        connection = WSConnection(connection_type)
        if connection.client:
            key = http.parse(connection.send(Request("h", "/"))).all("Sec-WebSocket-Key")[0]
            connection.receive(f"HTTP/1.1 101 X\r\nX: {key}\r\n".encode())
        else:
            connection.receive(REQUEST[:-10])
        try:
            connection.receive(None)
        except RemoteProtocolError:
            continue
        raise AssertionError("it was the end of a head")


#: The ways, and how many connections each opens.
WAYS: list[tuple[Callable[[], None], int]] = [
    (closed_by_us, 1),
    (closed_by_the_peer, 1),
    (closed_by_both, 2),
    (failed, len(VIOLATIONS)),
    (cut_off, 2 * len(UNFINISHED)),
    (left_unread, 1),
    (refused, len(BAD_HEADS)),
    (rejected, 2),
    (misused, 1),
    (cut_off_in_the_handshake, 2),
]


def all_messages(count: int) -> Iterator[int]:
    """Send so many messages, and some more; tell from time to time how many that was."""
    sendings, sent = talks(), 0
    # The rare ones a few times at least.
    due = [0.0 for _ in sendings]
    while sent < count:
        for number, one in enumerate(sendings):
            due[number] += one.share * 10_000
            while due[number] > 0:
                done = one.send(one.ends)
                due[number] -= done
                sent += done
        yield sent


def all_connections(count: int) -> Iterator[int]:
    opened = 0
    for way, connections in itertools.cycle(WAYS):
        if opened >= count:
            return
        way()
        opened += connections
        yield opened


def growth(what: str, count: int, work: Iterator[int], show: Callable[[str], object]) -> int:
    """How much memory grows while the work is done, behind its first tenth, in bytes."""
    started, shown, before = time.monotonic(), 0, 0
    for done in work:
        tenth = 10 * done // count
        if tenth > shown:
            gc.collect()
            now = memory("VmRSS")
            before = before or now
            seconds = time.monotonic() - started
            show(f"{done:>12,} {what:<12} {seconds:7.1f} s  {now / MIB:8.2f} MiB resident")
            shown = tenth
    gc.collect()
    return memory("VmRSS") - before


def main(arguments: list[str] | None = None, show: Callable[[str], object] = print) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=10**7)
    parser.add_argument("--connections", type=int, default=10**6)
    options = parser.parse_args(arguments)
    status = 0
    for what, count, work in (
        ("messages", options.messages, all_messages(options.messages)),
        ("connections", options.connections, all_connections(options.connections)),
    ):
        grown = growth(what, count, work, show)
        show(f"{what}: {grown / KIB:+.0f} KiB after the warm-up, {GROWTH // KIB} allowed")
        status |= grown > GROWTH
    return status


if __name__ == "__main__":
    sys.exit(main())
