"""The page of ``python -m ws13 serve`` in Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.browser import Browser, ScriptError, Tab
from support.serving import Served, serving

MARKUP = "<img src=x onerror=\"document.title = 'mine'\"><script>document.title = 'mine'</script>"

#: The text in the page whose contrast is below that of WCAG 2 AA.
PALE = """
(() => {
  const parts = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (color) => parts(color).slice(0, 3)
    .map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return parts(color)[3] === 0 ? ground(element.parentElement) : color;
  };
  const contrast = (element) => {
    const [one, other] = [getComputedStyle(element).color, ground(element)].map(light);
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
  return Array.from(document.body.querySelectorAll("*"))
    .filter((element) => !["SCRIPT", "OPTION"].includes(element.tagName))
    .filter((element) => element.matches("input, textarea")
      || Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((element) => contrast(element) < 4.5)
    .map((element) => element.outerHTML);
})()
"""


class Page:
    """The page, and what a person does with it."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    def fill(self, field: str, value: str) -> None:
        self.tab.evaluate(f"document.getElementById('{field}').value = {json.dumps(value)}; 0")

    def press(self, form: str) -> None:
        self.tab.evaluate(f"document.querySelector('#{form} button').click()")

    def read(self, name: str) -> str:
        return str(self.tab.evaluate(f"document.getElementById('{name}').textContent"))

    def until(self, name: str, value: str) -> None:
        self.tab.until(f"document.getElementById('{name}').textContent === {json.dumps(value)}")

    def connect(self, offers: str = "") -> None:
        self.fill("offers", offers)
        self.press("connect")
        self.until("state", "open")

    def close(self, code: str, reason: str = "") -> str:
        """Close, and what the page says about it."""
        self.fill("code", code)
        self.fill("reason", reason)
        self.press("close")
        return self.closed()

    def closed(self) -> str:
        self.until("state", "closed")
        return self.read("closed")

    def send(self, form: str, field: str, value: str) -> None:
        self.fill(field, value)
        self.press(form)

    def messages(self, count: int) -> list[tuple[str, str]]:
        """What is in the log when so many messages came: about each, without time, and it."""
        self.until("received", str(count))
        entries: list[tuple[str, str]] = self.tab.evaluate(
            "Array.from(document.querySelectorAll('#log li'), (entry) =>"
            " [entry.firstElementChild.textContent, entry.lastElementChild.textContent])"
        )
        assert all(re.search(r", \d\d:\d\d:\d\d$", about) for about, _ in entries)
        return [(about.rpartition(",")[0], body) for about, body in reversed(entries)]


@contextmanager
def opened(browser: Browser, server: Served) -> Iterator[Page]:
    """The page, which nothing may be said against in the end."""
    with browser.tab() as tab:
        tab.go(server.page)
        yield Page(tab)
        assert tab.complaints() == []


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--subprotocol", "chat") as server:
        yield server


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with opened(browser, served) as page:
        yield page


def test_it_connects_and_shows_what_was_agreed(page: Page, served: Served) -> None:
    assert page.read("state") == "not connected"
    page.connect("superchat, chat")
    assert page.read("url") == f"{served.url}/"
    assert page.read("subprotocol") == "chat"
    assert page.read("extensions").startswith("permessage-deflate")


def test_it_shows_that_no_subprotocol_was_agreed(page: Page) -> None:
    page.connect()
    assert page.read("subprotocol") == "none"


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Hello", "text, 5 bytes"),
        ("", "text, 0 bytes"),
        ("x", "text, 1 byte"),
        ("Grüße,\n世界 🎉", "text, 20 bytes"),
        (MARKUP, f"text, {len(MARKUP)} bytes"),
    ],
)
def test_a_text_comes_back_and_is_shown_as_text(page: Page, text: str, about: str) -> None:
    page.connect()
    page.send("text", "words", text)
    assert page.messages(1) == [(f"↑ sent {about}", text), (f"↓ received {about}", text)]
    assert page.tab.evaluate("document.querySelectorAll('#log img, #log script').length") == 0
    assert page.tab.evaluate("document.title") == "ws13 echo"


def test_a_text_of_1_mib_comes_back_and_its_beginning_is_shown(page: Page) -> None:
    page.connect()
    page.tab.evaluate("document.getElementById('words').value = 'é'.repeat(1 << 19); 0")
    page.press("text")
    (_, sent), (about, received) = page.messages(1)
    assert about == "↓ received text, 1048576 bytes, the first 4096 are shown"
    assert sent == received == "é" * 4096


@pytest.mark.parametrize(("digits", "size"), [("00 ff10", "3 bytes"), ("", "0 bytes")])
def test_bytes_come_back_and_are_shown_in_hexadecimal(page: Page, digits: str, size: str) -> None:
    page.connect()
    page.send("binary", "hex", digits)
    shown = bytes.fromhex(digits).hex(" ")
    both = [(f"↑ sent binary, {size}", shown), (f"↓ received binary, {size}", shown)]
    assert page.messages(1) == both


def test_a_file_of_1_mib_comes_back(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 4096)
    root = page.tab.call("DOM.getDocument")["root"]["nodeId"]
    node = page.tab.call("DOM.querySelector", {"nodeId": root, "selector": "#file"})["nodeId"]
    page.tab.call("DOM.setFileInputFiles", {"files": [str(file)], "nodeId": node})
    page.connect()
    page.press("upload")
    (_, sent), (about, received) = page.messages(1)
    assert about == "↓ received binary, 1048576 bytes, the first 256 are shown"
    assert sent == received == bytes(range(256)).hex(" ")


def test_the_log_keeps_the_last_200_and_counts_all(page: Page) -> None:
    page.connect()
    page.fill("words", "again")
    page.tab.evaluate("for (let at = 0; at < 150; at += 1) document.forms.text.requestSubmit()")
    assert len(page.messages(150)) == 200
    assert page.read("sent") == "150"


def test_it_closes_with_the_code_and_the_reason_it_is_told(browser: Browser) -> None:
    with serving("--subprotocol", "chat") as server, opened(browser, server) as page:
        page.connect("chat")
        assert page.close("3000", "<b>bye</b>") == "3000: <b>bye</b> (clean)"
        assert server.stop() == 0
    assert "subprotocol chat  closed by the client: 3000: <b>bye</b>" in server.log


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1000", "1000 normal closure (clean)"),
        ("", "1005 no code in the Close frame (clean)"),
    ],
)
def test_it_says_the_code_in_words(page: Page, code: str, words: str) -> None:
    page.connect()
    assert page.close(code) == words


def test_it_says_that_the_server_has_closed(browser: Browser) -> None:
    with serving() as server, opened(browser, server) as page:
        page.connect()
        assert server.stop() == 0
        assert page.closed() == "1001 going away: the server is stopping (clean)"
    assert "closed by the server, answered: 1001" in server.log


def test_it_says_that_the_connection_was_lost(browser: Browser) -> None:
    with serving() as server, opened(browser, server) as page:
        page.connect()
        server.process.kill()
        assert page.closed() == "1006 abnormal closure, without a Close frame (not clean)"


def test_it_connects_anew(page: Page) -> None:
    page.connect("chat")
    page.close("1000")
    page.connect()
    assert (page.read("subprotocol"), page.read("closed")) == ("none", "–")


def test_what_cannot_be_sent_is_explained_and_changes_nothing(page: Page) -> None:
    page.send("connect", "offers", "chat, not a token")
    assert "not a token" in page.read("problem")
    page.connect("chat")
    assert page.read("problem") == ""
    page.send("binary", "hex", "0")
    assert page.read("problem") == '"0" is not hexadecimal; write 00 ff 10'
    page.press("upload")
    page.until("problem", "choose a file first")
    for code in ("1001", "2000", "a few"):
        page.send("close", "code", code)
        assert code in page.read("problem")
    assert (page.read("state"), page.read("sent")) == ("open", "0")


def test_nothing_can_be_sent_without_a_connection(page: Page) -> None:
    pressable = "Array.from(document.querySelectorAll('button:enabled'), (one) => one.textContent)"
    before = page.tab.evaluate(pressable)
    page.connect()
    during = page.tab.evaluate(pressable)
    page.close("1000")
    assert before == page.tab.evaluate(pressable) == ["Connect"]
    assert during == ["Close", "Send text", "Send bytes", "Send file"]


def test_a_second_tab_hears_nothing_of_the_first(page: Page, browser: Browser) -> None:
    page.connect()
    with browser.tab() as tab:
        tab.go(page.tab.evaluate("location.href"))
        other = Page(tab)
        other.connect()
        page.send("text", "words", "mine")
        page.messages(1)
        other.send("text", "words", "yours")
        assert [body for _, body in other.messages(1)] == ["yours", "yours"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible_in_light_and_in_dark(page: Page, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.tab.call("Emulation.setEmulatedMedia", {"features": features})
    ground = page.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", ground)[0]) > 128) == (scheme == "light")
    page.connect()
    page.send("text", "words", "Hello")
    page.messages(1)
    page.send("binary", "hex", "x")
    assert page.read("problem")
    assert page.tab.evaluate(PALE) == []


def test_it_fits_a_narrow_phone_and_a_thumb(page: Page) -> None:
    size = {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True}
    page.tab.call("Emulation.setDeviceMetricsOverride", size)
    page.connect("chat")
    page.send("text", "words", "x" * 300)
    page.messages(1)
    assert page.tab.evaluate("document.documentElement.scrollWidth") == 320
    heights = "Array.from(document.querySelectorAll('button, input'), (one) => one.offsetHeight)"
    assert min(page.tab.evaluate(heights)) >= 44


def test_over_tls_it_connects_with_wss(
    browser: Browser, certificate_and_key: tuple[str, str]
) -> None:
    certificate, key = certificate_and_key
    arguments = ["--tls-cert", certificate, "--tls-key", key]
    with serving(*arguments) as server, browser.tab() as tab:
        tab.call("Security.setIgnoreCertificateErrors", {"ignore": True})
        tab.go(server.page)
        page = Page(tab)
        page.connect()
        assert page.read("url") == f"{server.url}/"
        assert server.url.startswith("wss:")
        page.send("text", "words", "secret")
        assert [body for _, body in page.messages(1)] == ["secret", "secret"]
        assert tab.complaints() == []


@pytest.mark.parametrize(
    ("breach", "complaint"),
    [
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        ("new Image().src = '/x.png'", "img-src"),
        ("fetch('data:,x').catch(() => 0)", "connect-src"),
        ("new WebSocket('ws://127.0.0.1:9').onerror = () => 0", "connect-src"),
        ("console.error('so what')", "so what"),
        ("setTimeout(() => { throw new Error('so what') })", "so what"),
    ],
)
def test_the_tests_above_see_what_the_browser_complains_of(
    browser: Browser, served: Served, breach: str, complaint: str
) -> None:
    with browser.tab() as tab:
        tab.go(served.page)
        tab.evaluate(f"{breach}; 0")
        tab.evaluate("new Promise((done) => setTimeout(done))")
        complaints = tab.complaints()
    assert complaints
    assert complaint in complaints[0]


def test_the_policy_lets_no_string_become_markup(browser: Browser, served: Served) -> None:
    with browser.tab() as tab:
        tab.go(served.page)
        with pytest.raises(ScriptError, match="TrustedHTML"):
            tab.evaluate("document.body.innerHTML = '<b>bold</b>'")
        with pytest.raises(ScriptError, match="TypeError"):
            tab.evaluate("trustedTypes.createPolicy('mine', {})")
