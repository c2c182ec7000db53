"""The examples do what they say, each in a process of its own."""

from __future__ import annotations

import ast
import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@contextmanager
def echo_server() -> Iterator[int]:
    command = [sys.executable, str(EXAMPLES / "echo_server.py"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.kill()


def run_client(port: int) -> subprocess.CompletedProcess[str]:
    source = (EXAMPLES / "echo_client.py").read_text(encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", source.replace("8765", str(port))],
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_echo_client_prints_what_the_echo_server_sent_back() -> None:
    with echo_server() as port:
        done = run_client(port)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, WebSocket!\n", "")


def test_echo_server_serves_one_client_after_another() -> None:
    with echo_server() as port:
        answers = [run_client(port).stdout for _ in range(3)]
    assert answers == ["Hello, WebSocket!\n"] * 3


def test_echo_server_gives_up_on_a_client_that_leaves_before_the_handshake() -> None:
    with (
        echo_server() as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as sock,
    ):
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""


def test_echo_client_fits_in_fifteen_lines_of_code() -> None:
    tree = ast.parse((EXAMPLES / "echo_client.py").read_text(encoding="utf-8"))
    lines = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    lines.discard(tree.body[0].lineno)  # the docstring
    assert len(lines) <= 15


@pytest.mark.skipif(not importlib.util.find_spec("websockets"), reason="needs websockets")
def test_demo_holds_all_three_conversations() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "demo.py")],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("as it should be") == 3
    assert done.stderr == ""


def test_demo_says_which_library_is_missing() -> None:
    hide = "import sys; sys.modules['websockets'] = None; import runpy; runpy.run_path(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", hide, str(EXAMPLES / "demo.py")],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "pip install websockets" in done.stderr
