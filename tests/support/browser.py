"""Chromium without a window, driven over its DevTools by ws13's own client."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ws13 import Config, ConnectionType, WSConnection
from ws13.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage
from ws13.extensions import PerMessageDeflate

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PIECE = 1 << 18
PATIENCE = 20.0  # seconds for one step, on a machine that is busy

#: Ends the browser when its own input does, which is when the tests are gone, whatever ended them.
GUARD = '{ "$@"; kill 0; } & read gone; kill -KILL 0'

Json = dict[str, Any]


def find() -> str | None:
    """The path of a browser, if this machine has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class ScriptError(Exception):
    """What a script in the page has thrown."""


class DevTools:
    """A client of the DevTools protocol: JSON in text messages, over a plain socket."""

    def __init__(self, port: int, target: str) -> None:
        self.ws = WSConnection(ConnectionType.CLIENT, config=Config(whole_messages=True))
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.events: list[Json] = []
        self.replies: dict[int, Json] = {}
        self.last_id = 0
        self.extensions: list[str] = []
        offer = Request(f"127.0.0.1:{port}", target, extensions=[PerMessageDeflate()])
        self.sock.sendall(self.ws.send(offer))
        deadline = time.monotonic() + PATIENCE
        while self.ws.connection is None:
            self._receive(deadline)

    def call(self, method: str, params: Json | None = None, session: str | None = None) -> Json:
        """Call a method; its result."""
        self.last_id += 1
        call = {"id": self.last_id, "method": method, "params": params or {}}
        if session is not None:
            call["sessionId"] = session
        self.sock.sendall(self.ws.send(TextMessage(json.dumps(call))))
        deadline = time.monotonic() + PATIENCE
        while self.last_id not in self.replies:
            self._receive(deadline, f"an answer to {method} {str(params)[:200]}")
        reply = self.replies.pop(self.last_id)
        assert "error" not in reply, f"{method}: {reply['error']}"
        result: Json = reply["result"]
        return result

    def wait_for(self, method: str, session: str | None = None) -> Json:
        """Take the next event of this name off those that came; its parameters."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for event in self.events:
                if (event["method"], event.get("sessionId")) == (method, session):
                    self.events.remove(event)
                    params: Json = event["params"]
                    return params
            self._receive(deadline, method)

    def close(self) -> None:
        self.sock.close()

    def _receive(self, deadline: float, awaited: str = "the opening handshake") -> None:
        """Read once, and sort what came."""
        self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = self.sock.recv(1 << 20)
        except TimeoutError:
            raise TimeoutError(f"{awaited} has not come in time") from None
        self.ws.receive_data(data or None)
        for event in self.ws.events():
            match event:
                case AcceptConnection():
                    self.extensions = [extension.name for extension in event.extensions]
                case TextMessage():
                    message = json.loads(event.data)
                    if "id" in message:
                        self.replies[message["id"]] = message
                    else:
                        self.events.append(message)
                case Ping():
                    self.sock.sendall(self.ws.send(event.response()))
                case CloseConnection():
                    raise ConnectionError(f"the browser has closed: {event}")
                case _:
                    raise AssertionError(event)


class Tab:
    """A page, with cookies, cache and storage of its own."""

    def __init__(self, devtools: DevTools) -> None:
        self.devtools = devtools
        self.context = devtools.call("Target.createBrowserContext")["browserContextId"]
        target = {"url": "about:blank", "browserContextId": self.context}
        self.target = devtools.call("Target.createTarget", target)["targetId"]
        attach = {"targetId": self.target, "flatten": True}
        self.session = devtools.call("Target.attachToTarget", attach)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, params: Json | None = None) -> Json:
        """Call a method of the protocol on this page; its result."""
        return self.devtools.call(method, params, self.session)

    def wait_for(self, event: str) -> Json:
        """Wait for an event of this page; its parameters."""
        return self.devtools.wait_for(event, self.session)

    def go(self, url: str) -> None:
        """Load a page, to its end."""
        answer = self.call("Page.navigate", {"url": url})
        assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        self.wait_for("Page.loadEventFired")

    def evaluate(self, script: str) -> Any:
        """The value of an expression, of a promise the value that it comes to."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", asked)
        if details := answer.get("exceptionDetails"):
            thrown = details.get("exception", {})
            raise ScriptError(thrown.get("description") or thrown.get("value") or details["text"])
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until an expression is true; its value."""
        look = f"const value = ({script}); if (value) done(value); else setTimeout(look, 5)"
        return self.evaluate(
            f"new Promise((done) => {{ const look = () => {{ {look} }}; look() }})"
        )

    def complaints(self) -> list[str]:
        """What the console shows as an error or a warning: exceptions, and breaches of a policy."""
        self.evaluate("0")  # what was said before is here now
        found = []
        for event in self.devtools.events:
            params = event["params"]
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"]))
            elif event["method"] == "Log.entryAdded":
                found.append(params["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and params["type"] != "log":
                found.append(json.dumps(params["args"]))
        return found

    def leave(self) -> None:
        """Make it ready for another test: to start a tab takes longer than most of them."""
        self.call("Emulation.clearDeviceMetricsOverride")
        self.call("Emulation.setEmulatedMedia", {"features": []})
        self.call("Security.setIgnoreCertificateErrors", {"ignore": False})
        self.go("about:blank")
        self._forget()

    def close(self) -> None:
        context = {"browserContextId": self.context}
        self.devtools.call("Target.disposeBrowserContext", context)
        self._forget()

    def _forget(self) -> None:
        events = self.devtools.events
        events[:] = [event for event in events if event.get("sessionId") != self.session]


class Browser:
    """A running browser."""

    def __init__(self, devtools: DevTools) -> None:
        self.devtools = devtools
        self.idle: list[Tab] = []

    @contextlib.contextmanager
    def tab(self) -> Iterator[Tab]:
        """A page as if new, until the block ends."""
        tab = self.idle.pop() if self.idle else Tab(self.devtools)
        try:
            yield tab
        except BaseException:
            tab.close()
            raise
        tab.leave()
        self.idle.append(tab)


class Blank(BaseHTTPRequestHandler):
    """An empty page. It is on the loopback interface, as the servers of the tests are.

    From about:blank Chromium connects to no address of this machine.
    """

    def do_GET(self) -> None:
        self.send_response(200)
        for name, value in (("Content-Type", "text/html"), ("Content-Length", "0")):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def blank_page() -> Iterator[str]:
    """Serve the empty page, until the block ends; its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/blank"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def started(executable: str) -> Iterator[Browser]:
    """A browser with a profile of its own, until the block ends."""
    command = ["sh", "-c", GUARD, "sh", executable, *FLAGS, "--remote-debugging-port=0"]
    with (
        tempfile.TemporaryDirectory(prefix="ws13-browser-", ignore_cleanup_errors=True) as folder,
        Path(folder, "stderr").open("wb") as log,
        subprocess.Popen(
            [*command, f"--user-data-dir={folder}"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            devtools = DevTools(*address(Path(folder), process))
            with contextlib.closing(devtools):
                yield Browser(devtools)
        finally:
            stop(process)


def address(folder: Path, process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Port and target of DevTools, which the browser writes into its profile."""
    file = folder / "DevToolsActivePort"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            port, target = file.read_text().split("\n")
            return int(port), target
        time.sleep(0.02)
    said = (folder / "stderr").read_text(errors="replace")
    raise AssertionError(f"the browser does not start:\n{said}")


def stop(process: subprocess.Popen[bytes], patience: float = 5) -> None:
    """End the browser with all of its processes, whatever they are at."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Echoed:
    """What came back to the page, all of it as it was sent; and how the connection was."""

    text: int
    binary: int
    subprotocol: str
    extensions: str
    code: int
    clean: bool


ECHO = """
(async (url, subprotocols) => {
  const decode = (text) => {
    const octets = atob(text);
    const bytes = new Uint8Array(octets.length);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = octets.charCodeAt(at);
    return bytes;
  };
  const sent = JSON.parse(coded).map(([kind, data]) => kind === "text" ? data : decode(data));
  const same = (one, other) => typeof one === "string" ? one === other
    : other instanceof ArrayBuffer && other.byteLength === one.length
      && new Uint8Array(other).every((byte, at) => byte === one[at]);
  const socket = new WebSocket(url, subprotocols);
  socket.binaryType = "arraybuffer";
  const counts = { text: 0, binary: 0 };
  return await new Promise((done, fail) => {
    let next = 0;
    socket.onopen = () => {
      for (const message of sent) socket.send(message);
      if (!sent.length) socket.close(1000);
    };
    socket.onmessage = ({ data }) => {
      if (next >= sent.length || !same(sent[next], data)) {
        fail(new Error(`message ${next} came back as another one`));
        socket.close(3000);
        return;
      }
      counts[typeof data === "string" ? "text" : "binary"] += 1;
      next += 1;
      if (next === sent.length) socket.close(1000);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      if (next < sent.length) {
        fail(new Error(`closed with ${code} ${reason} after ${next} of ${sent.length}`));
      }
      const { protocol, extensions } = socket;
      done({ ...counts, subprotocol: protocol, extensions, code, clean: wasClean });
    };
  });
})
"""


def echo_in_browser(
    browser: Browser,
    url: str,
    messages: Sequence[str | bytes],
    subprotocols: Sequence[str] = (),
) -> Echoed:
    """Send messages from an empty page, and see each come back: see `echo_from`."""
    with blank_page() as blank, browser.tab() as tab:
        tab.go(blank)
        return echo_from(tab, url, messages, subprotocols)


def echo_from(
    tab: Tab, url: str, messages: Sequence[str | bytes], subprotocols: Sequence[str] = ()
) -> Echoed:
    """Send messages from this page, and see each come back, in their order, as it was.

    They are sent one behind the other without waiting. ScriptError tells what is wrong.
    """
    coded = [
        ("text", one) if isinstance(one, str) else ("binary", base64.b64encode(one).decode())
        for one in messages
    ]
    text = json.dumps(coded)
    tab.evaluate("globalThis.coded = ''")
    # In pieces: DevTools takes longer for a long message than for many short ones.
    for at in range(0, len(text), PIECE):
        tab.evaluate(f"coded += {json.dumps(text[at : at + PIECE])}; 0")
    arguments = ", ".join(map(json.dumps, (url, list(subprotocols))))
    return Echoed(**tab.evaluate(f"{ECHO}({arguments})"))
