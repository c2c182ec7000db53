"""What READMEs and docs show works: the lines of wsproto's, our echo client, how to move."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support import heads, strategies
from support.frames import Frame

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
MARK = "<!-- echo client -->"

# The Usage section of wsproto's README, import by import. Its `ws.bytes_to_send()` is left out: no
# release with the rest of these lines ever had it.
CLIENT = """
from ws13 import WSConnection, ConnectionType
from ws13.events import Request

ws = WSConnection(ConnectionType.CLIENT)
sent = ws.send(Request(host='echo.websocket.org', target='/'))
"""
SERVER = """
from ws13.connection import WSConnection, ConnectionType

ws = WSConnection(ConnectionType.SERVER)
"""
RECEIVE = """
ws.receive_data(some_byte_string_of_data)
"""
LOOP = """
from ws13.events import (
    AcceptConnection, BytesMessage, CloseConnection, Request, TextMessage,
)

for event in ws.events():
    if isinstance(event, Request):
        ws.send(AcceptConnection())
    elif isinstance(event, CloseConnection):
        print('Closed.')
    elif isinstance(event, TextMessage):
        print('We got text!', event.data)
    elif isinstance(event, BytesMessage):
        print('We got bytes!', event.data)
"""


def test_the_client_of_wsprotos_readme_sends_a_request() -> None:
    names: dict[str, Any] = {}
    exec(CLIENT, names)
    assert names["sent"].startswith(b"GET / HTTP/1.1\r\nHost: echo.websocket.org\r\n")


def test_the_server_of_wsprotos_readme_holds_a_conversation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names: dict[str, Any] = {}
    exec(SERVER, names)
    frames = [Frame(1, b"hello"), Frame(2, b"\x01"), Frame(8, b"\x03\xe8")]
    for data in (heads.head(heads.REQUEST), strategies.written(frames, "server")):
        names["some_byte_string_of_data"] = data
        exec(RECEIVE, names)
        exec(LOOP, names)
    assert capsys.readouterr().out == "We got text! hello\nWe got bytes! b'\\x01'\nClosed.\n"


def echo_client() -> str:
    """The Python block behind the mark."""
    text = README.read_text(encoding="utf-8")
    assert text.count(MARK) == 1, f"README.md has no line {MARK}"
    block = re.search(r"```python\n(.*?)```", text.partition(MARK)[2], re.DOTALL)
    assert block is not None, "no Python block behind the mark"
    return block[1]


@contextmanager
def echo_server() -> Iterator[int]:
    command = [sys.executable, str(ROOT / "examples" / "echo_server.py"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.kill()


def test_the_echo_client_is_the_first_python_block_and_has_at_most_fifteen_lines() -> None:
    client = echo_client()
    text = README.read_text(encoding="utf-8")
    assert text.index("```python\n" + client) == text.index("```python\n")
    lines = [line for line in client.splitlines() if line.strip()]
    assert len(lines) <= 15


def test_the_echo_client_runs_as_it_stands() -> None:
    with echo_server() as port:
        source = echo_client()
        assert "8765" in source
        assert "127.0.0.1" in source
        done = subprocess.run(
            [sys.executable, "-c", source.replace("8765", str(port))],
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_what_docs_migrating_shows_works() -> None:
    text = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 4
    opened = """
from ws13.connection import Connection, SERVER
connection = Connection(SERVER)
"""
    closed = "\nassert data == b'\\x88\\x02\\x03\\xf3'\n"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*blocks[:3], opened, blocks[3], closed])],
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
