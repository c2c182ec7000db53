"""Servers that import wsproto, started unmodified on ws13, and clients that talk to them."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator

import pytest

from support import servers
from support.browser import Browser, echo_in_browser
from support.servers import Server

MESSAGES = 1000
NEEDS = {
    "uvicorn": ["uvicorn"],
    "hypercorn": ["hypercorn"],
    "flask": ["flask", "simple_websocket"],
}


@pytest.fixture(scope="module", params=list(servers.COMMANDS))
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    missing = [name for name in NEEDS[request.param] if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed")
    with servers.started(request.param, tmp_path_factory.mktemp("servers")) as server:
        yield server


Payload = str | bytes
Sent = Payload | list[str] | list[bytes]


def messages(apart: int = 100) -> Iterator[Sent]:
    """Text and binary, empty, short, and so many `apart` of 1 MiB; lists are sent in fragments."""
    chance = random.Random(13)
    texts = ["", "ASCII only", "Grüße, 世界 🎉", "x" * 126, "{'key': 'value'}" * 200]
    for number in range(MESSAGES):
        if number % apart == apart // 2:
            yield chance.randbytes(2**20)
        elif number % apart == apart - 1:
            yield "Möwe 🐦 " * (2**20 // 12)
        elif number % 5 == 0:
            yield [text * chance.randrange(4) for text in texts]
        elif number % 5 == 1:
            yield [chance.randbytes(chance.randrange(300)) for _ in range(chance.randrange(1, 6))]
        elif number % 5 == 2:
            yield chance.randbytes(chance.choice([0, 1, 125, 126, 5000, 65535, 65536]))
        else:
            yield chance.choice(texts) + str(number)


def whole(sent: Sent) -> Payload:
    if isinstance(sent, list):
        empty: Payload = sent[0][:0]
        return empty.join(sent)  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("compression", ["deflate", None])
def test_it_echoes_a_thousand_messages_of_websockets(
    server: Server, compression: str | None
) -> None:
    client = pytest.importorskip("websockets.sync.client")
    echoed = 0
    with client.connect(server.url, compression=compression, max_size=None) as connection:
        agreed = [extension.name for extension in connection.protocol.extensions]
        assert agreed == (["permessage-deflate"] if compression else [])
        for sent in messages():
            connection.send(sent)
            assert connection.recv(timeout=30) == whole(sent)
            echoed += 1
    assert echoed == MESSAGES
    # The development server of Flask writes a response of HTTP behind the Close frame and closes:
    # on a machine that is busy, the reset that follows overtakes the frame, with wsproto too.
    ends = (1000, 1006) if server.name == "flask" else (1000,)
    assert connection.protocol.close_code in ends


def test_it_echoes_a_thousand_messages_of_a_page_in_chromium(
    server: Server, browser: Browser
) -> None:
    # The page is told of each message through its DevTools, which takes longer than the echo.
    sent = [whole(one) for one in messages(apart=500)]
    echoed = echo_in_browser(browser, server.url, sent)
    assert echoed.text + echoed.binary == MESSAGES
    assert min(echoed.text, echoed.binary) > MESSAGES // 3
    assert echoed.extensions.startswith("permessage-deflate")
    # Chromium takes that response amiss always.
    end = (1006, False) if server.name == "flask" else (1000, True)
    assert (echoed.code, echoed.clean) == end


def test_it_runs_on_ws13(server: Server) -> None:
    assert server.under() == "ws13.events"
