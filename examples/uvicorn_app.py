"""A chat room for any ASGI server: whoever is in it hears what is said, and who comes and goes.

    python -m ws13 run --as-wsproto -m uvicorn examples.uvicorn_app:app --ws wsproto

Nothing here names ws13: uvicorn speaks WebSocket with wsproto, and gets ws13 in its place.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LONGEST = 1000  # characters that may be said at once
LATE = 100  # lines that somebody may be behind

room: dict[asyncio.Queue[str], str] = {}


def tell(line: str) -> None:
    """Tell everybody. Who does not listen misses it, and holds up nobody."""
    for queue in room:
        if not queue.full():
            queue.put_nowait(line)


async def listen(name: str, receive: Receive, send: Send) -> None:
    """Tell the others what one of them says, until they leave."""
    while (event := await receive())["type"] == "websocket.receive":
        text = event.get("text")
        if text is None or len(text) > LONGEST:
            await send({"type": "websocket.close", "code": 1003 if text is None else 1009})
            return
        tell(f"{name}: {text}")


async def speak(queue: asyncio.Queue[str], send: Send) -> None:
    """Send one of them what there is to hear."""
    with contextlib.suppress(OSError):  # they have left
        while True:
            await send({"type": "websocket.send", "text": await queue.get()})


async def chat(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Have somebody in the room, under the name in ``?name=``."""
    await receive()  # websocket.connect
    name = parse_qs(scope["query_string"].decode()).get("name", [""])[0]
    if not name or name in room.values():
        await send({"type": "websocket.close", "code": 1008})  # status 403, before the handshake
        return
    await send({"type": "websocket.accept"})
    queue: asyncio.Queue[str] = asyncio.Queue(LATE)
    room[queue] = name
    tell(f"{name} is here")
    speaking = asyncio.create_task(speak(queue, send))
    try:
        await listen(name, receive, send)
    finally:
        speaking.cancel()
        del room[queue]
        tell(f"{name} has left")


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Take what the server hands us."""
    if scope["type"] == "websocket":
        await chat(scope, receive, send)
    elif scope["type"] == "lifespan":
        for _ in ("startup", "shutdown"):
            await send({"type": f"{(await receive())['type']}.complete"})
    else:
        await send({"type": "http.response.start", "status": 426, "headers": []})
        await send({"type": "http.response.body", "body": b"WebSocket only\n"})
