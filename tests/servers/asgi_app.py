"""An echo for servers that speak ASGI, written for nobody's WebSocket library."""

from __future__ import annotations

import sys
from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Sends every message back; `/under` answers with the module that wsproto's events are in."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await echo(receive, send)
    else:
        module = sys.modules.get("wsproto.events")
        name = module.__name__ if module else "nothing"
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-length", b"%d" % len(name))]})
        await send({"type": "http.response.body", "body": name.encode()})


async def lifespan(receive: Any, send: Any) -> None:
    """Starts and stops with nothing to do."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


async def echo(receive: Any, send: Any) -> None:
    """One connection."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        kind = "bytes" if message.get("bytes") is not None else "text"
        await send({"type": "websocket.send", kind: message[kind]})
