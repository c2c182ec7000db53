"""An echo server on Trio, one task for each client, with a limit for every wait."""

import sys

import trio

from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import AcceptConnection, CloseConnection, Event, Message, Ping, Request
from ws13.extensions import PerMessageDeflate
from ws13.utilities import RemoteProtocolError

SILENCE = 60.0  # seconds until a client that says nothing is asked whether it is there
PATIENCE = 10.0  # seconds for all that a client has to do: see where it is used
PIECE = 1 << 16  # bytes to receive at once, and to send at once within PATIENCE
GOING_ON = {ConnectionState.CONNECTING, ConnectionState.OPEN}


def answer(ws: WSConnection, event: Event) -> bytes:
    """Return the bytes that answer one event."""
    match event:
        case Request():
            return ws.send(AcceptConnection(extensions=[PerMessageDeflate()]))
        case Message():
            return ws.send(event)
        case Ping() | CloseConnection():
            return ws.send(event.response())
    return b""


async def send(stream: trio.SocketStream, data: bytes) -> None:
    """Send piece by piece: who takes a long answer slowly is not given up, who takes nothing is."""
    for start in range(0, len(data), PIECE):
        with trio.fail_after(PATIENCE):
            await stream.send_all(data[start : start + PIECE])


async def hear(ws: WSConnection, stream: trio.SocketStream) -> bytes:
    """Wait for bytes; ask a silent client whether it is there, and close if it does not answer."""
    with trio.move_on_after(SILENCE):
        return await stream.receive_some(PIECE)
    await send(stream, ws.send(Ping()))
    with trio.move_on_after(PATIENCE):
        return await stream.receive_some(PIECE)
    await send(stream, ws.send(CloseConnection(1011, "no answer to a Ping")))
    return b""


async def echo(ws: WSConnection, stream: trio.SocketStream) -> None:
    """Answer until a Close frame is sent, or until the client is gone."""
    deadline = trio.current_time() + PATIENCE  # of the whole opening handshake
    while ws.state in GOING_ON:
        if ws.state is ConnectionState.CONNECTING:
            with trio.fail_at(deadline):
                data = await stream.receive_some(PIECE)
        else:
            data = await hear(ws, stream)
        if not data:
            return
        ws.receive_data(data)
        for event in ws.events():
            # It waits until the client has taken enough, and reads nothing meanwhile.
            await send(stream, answer(ws, event))


async def serve(stream: trio.SocketStream) -> None:
    """Serve one client."""
    ws = WSConnection(ConnectionType.SERVER)
    try:
        async with stream:
            try:
                await echo(ws, stream)
            except RemoteProtocolError as error:
                if error.event_hint is not None:
                    await send(stream, ws.send(error.event_hint))
            # Closing TCP with bytes unread would reset it, and lose our Close frame with it.
            with trio.move_on_after(PATIENCE):
                await stream.send_eof()
                async for _ in stream:
                    pass
    except (trio.BrokenResourceError, trio.TooSlowError):
        pass  # a client that has vanished, takes nothing, or never said what it wants


async def main(port: int) -> None:
    """Serve for ever."""
    listeners = await trio.open_tcp_listeners(port, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    print(f"echoing on ws://127.0.0.1:{port}", flush=True)
    await trio.serve_listeners(serve, listeners)


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 8765)
