"""Chromium as a client, and the means by which it is driven."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support import browser as browsers
from support.browser import Browser, Echoed, ScriptError, echo_in_browser
from support.serving import serving

TEXTS = ["", "ASCII only", "Grüße, 世界 🎉", "x" * 126, '{"key": "value"}' * 200]


def messages() -> Iterator[str | bytes]:
    """Text and binary, empty, short and long, and one of each of 1 MiB."""
    chance = random.Random(13)
    for number in range(100):
        yield chance.choice(TEXTS) + str(number)
        yield chance.randbytes(chance.choice([0, 1, 125, 126, 5000, 65535, 65536]))
        yield TEXTS[number % len(TEXTS)]
    yield "Möwe 🐦 " * (2**20 // 12)
    yield chance.randbytes(2**20)


@contextmanager
def answering(answer: Any) -> Iterator[str]:
    """A server of another library that answers as it is told; its URL."""
    server_module = pytest.importorskip("websockets.sync.server")

    def handle(connection: Any) -> None:
        for message in connection:
            answer(connection, message)

    with server_module.serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()
        thread.join()


def test_the_browser_gets_each_message_back_from_serve(browser: Browser) -> None:
    sent = list(messages())
    with serving("--subprotocol", "chat") as server:
        echoed = echo_in_browser(browser, server.url, sent, ["superchat", "chat"])
        assert server.stop() == 0
    assert echoed == Echoed(201, 101, "chat", echoed.extensions, 1000, True)
    assert echoed.extensions.startswith("permessage-deflate")
    assert "closed by the client: 1000" in server.log


def test_a_message_that_comes_back_as_another_one_is_seen(browser: Browser) -> None:
    def shout(connection: Any, message: Any) -> None:
        connection.send(message.upper() if message == "b" else message)

    with answering(shout) as url:
        assert echo_in_browser(browser, url, ["A", b"b"]).text == 1
        with pytest.raises(ScriptError, match="message 1 came back as another one"):
            echo_in_browser(browser, url, ["A", "b", "C"])


def test_bytes_that_come_back_as_text_are_seen(browser: Browser) -> None:
    with (
        answering(lambda connection, message: connection.send(message, text=True)) as url,
        pytest.raises(ScriptError, match="message 0 came back as another one"),
    ):
        echo_in_browser(browser, url, [b"bytes"])


def test_a_server_that_closes_too_early_is_seen(browser: Browser) -> None:
    with (
        answering(lambda connection, message: connection.close(4000, "enough")) as url,
        pytest.raises(ScriptError, match="closed with 4000 enough after 0 of 1"),
    ):
        echo_in_browser(browser, url, ["text"])


def test_it_is_driven_over_a_compressed_connection(browser: Browser) -> None:
    assert browser.devtools.extensions == ["permessage-deflate"]


def test_a_script_that_never_ends_is_given_up(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with browser.tab() as tab:
        with monkeypatch.context() as patch:
            patch.setattr(browsers, "PATIENCE", 0.1)
            with pytest.raises(TimeoutError, match="never"):
                tab.evaluate("new Promise((never) => 0)")
        assert tab.evaluate("1 + 1") == 2


def test_what_a_script_throws_is_told(browser: Browser) -> None:
    with browser.tab() as tab, pytest.raises(ScriptError, match="so what"):
        tab.evaluate("(() => { throw new Error('so what') })()")


def test_a_browser_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """It must not outlive the tests, even one that takes no notice of SIGTERM."""
    script = tmp_path / "chromium"
    script.write_text("#!/bin/sh\ntrap '' TERM\nsh -c 'echo here; sleep 1000'\n")
    script.chmod(0o755)
    with subprocess.Popen([script], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        browsers.stop(process, 0.1)
        assert process.stdout.read() == b""  # none that could write is left
    assert process.returncode == -signal.SIGKILL


def test_a_browser_does_not_outlive_tests_that_are_killed(tmp_path: Path) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    script = tmp_path / "chromium"
    script.write_text(f"#!/bin/sh\nexec >{held}\necho here\nsleep 60\n")
    script.chmod(0o755)
    tests = "import sys; from support import browser; browser.started(sys.argv[1]).__enter__()"
    command = [sys.executable, "-c", tests, str(script)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment) as process, held.open("rb") as reader:
        assert reader.readline() == b"here\n"
        process.kill()
        assert select.select([reader], [], [], 10)[0]
        assert reader.read() == b""  # none that could write is left


def test_a_browser_that_does_not_start_says_why(tmp_path: Path) -> None:
    script = tmp_path / "chromium"
    script.write_text("#!/bin/sh\necho no display >&2\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(AssertionError, match="no display"), browsers.started(str(script)):
        pass
