"""The chat room of the examples, under uvicorn on ws13."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 30


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if importlib.util.find_spec("uvicorn") is None:
        pytest.skip("needs uvicorn")
    port = free_port()
    command = [sys.executable, "-m", "ws13", "run", "--as-wsproto", "-m", "uvicorn"]
    command += ["examples.uvicorn_app:app", "--ws", "wsproto", "--port", str(port)]
    log = tmp_path_factory.mktemp("uvicorn") / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process,
    ):
        try:
            wait_for(port, process, log)
            yield port
            process.send_signal(signal.SIGINT)
            process.wait(TIMEOUT)
        finally:
            process.kill()
    said = log.read_text(errors="replace")
    assert "Traceback" not in said, said
    assert "never retrieved" not in said, said


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text(errors="replace"))


def enter(port: int, name: str) -> Any:
    client = pytest.importorskip("websockets.sync.client")
    return client.connect(f"ws://127.0.0.1:{port}/?name={name}")


def heard(client: Any, count: int) -> list[str]:
    return [client.recv(timeout=TIMEOUT) for _ in range(count)]


def test_who_is_in_the_room_hears_what_is_said_and_who_comes_and_goes(port: int) -> None:
    with ExitStack() as stack:
        anna = stack.enter_context(enter(port, "anna"))
        assert heard(anna, 1) == ["anna is here"]
        with enter(port, "bert") as bert:
            assert heard(anna, 1) == heard(bert, 1) == ["bert is here"]
            bert.send("Grüße")
            anna.send("hello")
            assert (
                sorted(heard(anna, 2)) == sorted(heard(bert, 2)) == ["anna: hello", "bert: Grüße"]
            )
        assert heard(anna, 1) == ["bert has left"]


@pytest.mark.parametrize("query", ["/", "/?name=", "/?name=carl"])
def test_nobody_comes_in_without_a_name_of_their_own(port: int, query: str) -> None:
    client = pytest.importorskip("websockets.sync.client")
    exceptions = pytest.importorskip("websockets.exceptions")
    with (
        enter(port, "carl"),
        pytest.raises(exceptions.InvalidStatus, match="403"),
        client.connect(f"ws://127.0.0.1:{port}{query}"),
    ):
        pass


@pytest.mark.parametrize(("said", "code"), [("x" * 1001, 1009), (b"bytes", 1003)])
def test_who_says_too_much_has_to_leave(port: int, said: str | bytes, code: int) -> None:
    exceptions = pytest.importorskip("websockets.exceptions")
    with enter(port, "dora") as dora, enter(port, "emil") as emil:
        heard(dora, 2)
        heard(emil, 1)
        emil.send(said)
        with pytest.raises(exceptions.ConnectionClosedError) as closed:
            emil.recv(timeout=TIMEOUT)
        assert closed.value.rcvd.code == code
        assert heard(dora, 1) == ["emil has left"]


def test_who_vanishes_or_breaks_the_protocol_is_gone(port: int) -> None:
    with enter(port, "fritz") as fritz:
        heard(fritz, 1)
        with enter(port, "gerd") as gerd:
            assert heard(fritz, 1) == ["gerd is here"]
            gerd.socket.shutdown(socket.SHUT_RDWR)
            assert heard(fritz, 1) == ["gerd has left"]
        with enter(port, "hans") as hans:
            assert heard(fritz, 1) == ["hans is here"]
            hans.socket.sendall(b"\xf1\x80\x00\x00\x00\x00")
            assert heard(fritz, 1) == ["hans has left"]


def test_http_alone_is_told_to_upgrade(port: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=TIMEOUT)
    with error.value as answer:
        assert (answer.status, answer.read()) == (426, b"WebSocket only\n")
