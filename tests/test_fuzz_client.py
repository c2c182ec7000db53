"""`python -m ws13 fuzz --listen` with clients that connect again and again."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest

from support.servers import free_port
from ws13 import ConnectionType, WSConnection
from ws13._cli.fuzz import client_run, run
from ws13._cli.fuzz.client_run import ClientRun
from ws13._cli.fuzz.options import FuzzOptions
from ws13._cli.fuzz.progress import Progress
from ws13._cli.fuzz.results import Report
from ws13.connection import ConnectionState
from ws13.events import CloseConnection, Event, Message, Ping, RejectConnection, Request
from ws13.extensions import Extension, PerMessageDeflate
from ws13.testing import Frame, Judge, Opcode, Role, read_head, request
from ws13.testing.cases import Case
from ws13.utilities import LocalProtocolError, RemoteProtocolError

Talk = Callable[[socket.socket], None]


def ws13_client(sock: socket.socket, extensions: Sequence[Extension] = ()) -> None:
    """Echoes until the connection is closed."""
    ws = WSConnection(ConnectionType.CLIENT)
    sock.sendall(ws.send(Request("localhost", "/", extensions=list(extensions))))
    data: bytes | None = b""
    while data is not None:
        data = sock.recv(65536) or None
        ws.receive_data(data)
        for event in ws.events():
            for answer in answers(ws, event):
                sock.sendall(ws.send(answer))
            if isinstance(event, CloseConnection | RejectConnection):
                return


def answers(ws: WSConnection, event: Event) -> Iterator[Event]:
    if isinstance(event, Message):
        yield type(event)(event.data, message_finished=event.message_finished)
    elif isinstance(event, Ping) or (
        isinstance(event, CloseConnection) and ws.state is ConnectionState.REMOTE_CLOSING
    ):
        yield event.response()


def with_deflate(sock: socket.socket) -> None:
    ws13_client(sock, [PerMessageDeflate()])


def lenient_client(sock: socket.socket) -> None:
    """Takes any answer for 101, and any frame for a good one."""
    sock.sendall(bytes(request("localhost", key="AAAAAAAAAAAAAAAAAAAAAA==")))
    data = b""
    while (head := read_head(data)) is None:
        if not (more := sock.recv(65536)):
            return
        data += more
    judge = Judge(Role.SERVER)
    data = data[head.size :]
    while True:
        for frame in judge.take(data):
            if frame.opcode == Opcode.PONG:
                continue
            opcode = Opcode.PONG if frame.opcode == Opcode.PING else frame.opcode
            sock.sendall(bytes(Frame(opcode, frame.payload, fin=frame.fin).masked(b"key!")))
            if frame.opcode == Opcode.CLOSE:
                return
        if not (data := sock.recv(65536)):
            return


@contextmanager
def connecting(port: int, talk: Talk) -> Iterator[None]:
    """A client that connects again whenever its connection has ended."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            with suppress(OSError, RemoteProtocolError, LocalProtocolError):
                with socket.create_connection(("127.0.0.1", port), timeout=3) as sock:
                    talk(sock)
                continue
            time.sleep(0.005)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(20)


def listen(talk: Talk, *names: str, timeout: float = 2.0, random: int = 50) -> Report:
    """Run the cases against such a client."""
    role = Role.CLIENT
    port = free_port()
    options = FuzzOptions(
        None,
        ("127.0.0.1", port),
        cases=names,
        random=random,
        seed=1,
        timeout=timeout,
        duration=300.0,
    )
    report = Report("", role, 1)
    cases: list[Case] = run.choose(options, role)
    with connecting(port, talk):
        asyncio.run(ClientRun(options, report).run(cases, Progress(len(cases))))
    return report


def verdicts(report: Report) -> dict[str, str]:
    return {result.case.id: result.verdict.value for result in report.results}


def test_it_finds_nothing_in_a_client_on_ws13() -> None:
    report = listen(with_deflate, timeout=30.0, random=30)
    assert (report.stopped, report.left, report.echoes) == (None, 0, True)
    counts = report.counts()
    assert (counts["violation"], counts["remark"], counts["skipped"]) == (0, 0, 0), report.found
    assert counts["right"] > 300
    assert report.status == 0


def test_it_finds_what_a_client_takes_that_it_must_not_take() -> None:
    names = (
        "frames/reserved-bit-3-text",
        "frames/text",
        "masking/masked-text",
        "responses/accept-of-another-key",
        "responses/status-200",
    )
    report = listen(lenient_client, *names)
    told = verdicts(report)
    assert told.pop("frames/text") == "right"
    assert set(told.values()) == {"violation"}, told
    assert report.status == 1


def test_a_client_that_asks_again_on_the_same_connection_is_right() -> None:
    def persistent(sock: socket.socket) -> None:
        """As HTTP clients are: a refusal with a length leaves the connection open."""
        asked = bytes(request("localhost", key="AAAAAAAAAAAAAAAAAAAAAA=="))
        sock.sendall(asked)
        answer = sock.recv(65536)
        if not answer.startswith(b"HTTP/1.1 101"):
            sock.sendall(asked)
            sock.recv(65536)
            return
        head = read_head(answer)
        assert head is not None
        data, judge = answer[head.size :], Judge(Role.SERVER)
        while True:
            for frame in judge.take(data):
                opcode = Opcode.PONG if frame.opcode == Opcode.PING else frame.opcode
                sock.sendall(bytes(Frame(opcode, frame.payload).masked(b"key!")))
            if not (data := sock.recv(65536)):
                return

    report = listen(persistent, "responses/status-401", "responses/status-200", "frames/text")
    assert set(verdicts(report).values()) == {"right"}, report.found


def test_what_needs_an_extension_is_skipped_where_it_is_not_offered() -> None:
    report = listen(ws13_client, "compression/", random=0)
    assert set(verdicts(report).values()) <= {"skipped", "right", "allowed"}
    assert report.counts()["skipped"] > 30
    assert "does not offer permessage-deflate" in report.results[0].opinions[0].sentence


def test_a_request_that_is_wrong_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    def old(sock: socket.socket) -> None:
        """Of a version that nobody speaks any more."""
        sock.sendall(bytes(request("localhost").replacing("Sec-WebSocket-Version", "8")))
        while sock.recv(65536):
            pass

    report = listen(old, "responses/status-200", "responses/status-404")
    lines = [line for line in capsys.readouterr().out.splitlines() if "VIOLATION" in line]
    assert report.status == 1
    assert report.stopped is not None
    assert "bears a good handshake" in report.stopped
    assert sum("(RFC 6455 §4.1)" in line for line in lines) == 1, lines


def test_no_client_at_all_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_run, "IDLE", 0.2)
    options = FuzzOptions(None, ("127.0.0.1", 0), cases=("frames/text",))
    report = Report("", Role.CLIENT, 1)
    cases = run.choose(options, Role.CLIENT)
    asyncio.run(ClientRun(options, report).run(cases, Progress(1)))
    assert report.stopped == "no client has come for 0.2 s"
    assert (report.left, report.echoes, report.status) == (1, None, 2)


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run.run(FuzzOptions(None, ("127.0.0.1", port), cases=("frames/text",))) == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err
