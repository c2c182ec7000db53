"""Sends a case to an endpoint, and waits until it is clear what the endpoint does about it."""

from __future__ import annotations

import asyncio
import base64
import random
import ssl
import time
from dataclasses import dataclass

from ws13._cli.address import Address
from ws13.testing import (
    Cut,
    Judge,
    Role,
    close,
    extensions,
    judge_request,
    judge_response,
    read_head,
)
from ws13.testing import ping as a_ping
from ws13.testing.cases import Case, Closes, Drops, Echoes

from .exchange import PROBE, Exchange
from .wire import MOST, Ending, Wire

#: A head that is longer is not waited for.
MOST_HEAD = 1 << 20
KEY_FIELD = "sec-websocket-key"
EXTENSIONS_FIELD = "sec-websocket-extensions"


@dataclass(frozen=True)
class Patience:
    """How long is waited, in seconds."""

    #: For an answer.
    answer: float = 5.0
    #: For what may still come when the verdict is nearly clear.
    grace: float = 0.3
    #: Before a Close frame is answered.
    pause: float = 0.02


class UnreachableError(Exception):
    """No TCP connection to the endpoint."""


async def aim_at_server(
    case: Case,
    address: Address,
    patience: Patience,
    *,
    echoes: bool,
    cut: Cut,
    rng: random.Random,
    tls: ssl.SSLContext | None = None,
) -> Exchange:
    """Open a connection for the case, and carry it out.

    Raises `UnreachableError` when there is no TCP connection.
    """
    start = time.monotonic()
    loop = asyncio.get_running_loop()
    try:
        connecting = loop.create_connection(Wire, address.host, address.port, ssl=tls)
        _, wire = await asyncio.wait_for(connecting, patience.answer)
    except (OSError, asyncio.TimeoutError) as error:
        why = str(error) or f"no answer within {patience.answer:g} s"
        raise UnreachableError(why) from None
    exchange = Exchange(case, Role.SERVER, echoes)
    if tls is not None and case.eof:
        exchange.skipped = "TLS has no end of one direction alone"
        wire.close()
        return exchange
    try:
        await _open(wire, exchange, address, patience, cut, rng)
        if exchange.judge is not None and _goes_on(case):
            await converse(wire, exchange, patience, cut=cut, rng=rng)
    finally:
        wire.close()
    exchange.sent, exchange.received = bytes(wire.sent), bytes(wire.received)
    exchange.ending, exchange.seconds = wire.ending, time.monotonic() - start
    exchange.is_flooded = wire.is_flooded
    return exchange


def _goes_on(case: Case) -> bool:
    """Whether something is to be seen behind the opening handshake."""
    return bool(case.sends) or any(isinstance(one, Echoes | Closes | Drops) for one in case.allowed)


async def _open(
    wire: Wire,
    exchange: Exchange,
    address: Address,
    patience: Patience,
    cut: Cut,
    rng: random.Random,
) -> None:
    """The opening handshake; `exchange.judge` is there when it has succeeded."""
    case = exchange.case
    key = base64.b64encode(rng.randbytes(16)).decode()
    request = bytes(case.request(address.host_header, address.resource, key=key))
    exchange.request = read_head(request)
    await _send(wire, request, cut)
    if case.eof and case.opening is not None and not case.sends:
        wire.finish()
    response = await _final_head(wire, patience.answer)
    if response is None and wire.is_open:
        # It may wait for more: now nothing more comes.
        exchange.timed_out = True
        wire.finish()
        response = await _final_head(wire, max(1.0, patience.grace))
    if response is None:
        return
    exchange.response = read_head(bytes(wire.received), response[0])
    if exchange.request is not None:
        exchange.handshake_findings = judge_response(request, bytes(wire.received[: response[1]]))
    if exchange.status != 101 or exchange.response is None:
        return
    agreed = ", ".join(exchange.response.values(EXTENSIONS_FIELD))
    exchange.skipped = _not_agreed(case, agreed)
    if exchange.skipped is None:
        try:
            exchange.judge = Judge(Role.SERVER, agreed, largest_message=MOST)
        except ValueError:
            return  # found already: the answer is wrong
        exchange.take(bytes(wire.received[response[1] :]))


def _not_agreed(case: Case, agreed: str) -> str | None:
    """Why a case that needs an extension cannot be carried out."""
    if case.extension is None:
        return None
    if not agreed:
        return f"the server does not agree to {case.extension}"
    if case.needs_context and ("client_no_context" in agreed or "client_max_window" in agreed):
        return f"it needs a whole window, and the server wants {agreed}"
    return None


async def _final_head(wire: Wire, seconds: float) -> tuple[int, int] | None:
    """Where the final response begins and ends, RFC 9110 §15.2; None if none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        data, at = bytes(wire.received[:MOST_HEAD]), 0
        while (head := read_head(data, at)) is not None:
            if head.status is None or head.status == 101 or head.status >= 200:
                return at, at + head.size
            at += head.size
        if not wire.is_open or len(data) == MOST_HEAD:
            return None
        if not await wire.news(deadline - time.monotonic()):
            return None


async def answer_client(
    case: Case, wire: Wire, patience: Patience, *, echoes: bool, cut: Cut, rng: random.Random
) -> Exchange:
    """Answer the request that a client under test has sent, and carry out the case."""
    start = time.monotonic()
    exchange = Exchange(case, Role.CLIENT, echoes)
    exchange.request = read_head(bytes(wire.received))
    assert exchange.request is not None
    request = bytes(wire.received[: exchange.request.size])
    exchange.handshake_findings = judge_request(request)
    keys = exchange.request.values(KEY_FIELD)
    response = case.response(keys[0] if keys else "")
    await _send(wire, response, cut)
    exchange.response = read_head(response)
    exchange.judge = Judge(Role.CLIENT, case.extension, largest_message=MOST)
    exchange.take(bytes(wire.received[exchange.request.size :]))
    await converse(wire, exchange, patience, cut=cut, rng=rng)
    exchange.sent, exchange.received = bytes(wire.sent), bytes(wire.received)
    exchange.ending, exchange.seconds = wire.ending, time.monotonic() - start
    exchange.is_flooded = wire.is_flooded
    return exchange


def offers(case: Case, wire: Wire) -> bool:
    """Whether the client, whose request has come, can be sent the case."""
    head = read_head(bytes(wire.received))
    if case.extension is None or head is None:
        return True
    try:
        offered = extensions.read(head.values(EXTENSIONS_FIELD))
        (answer,) = extensions.read([case.extension])
    except ValueError:
        return False
    return any(
        offer.name == answer.name
        and extensions.wrong_with(offer, answer=False) is None
        and extensions.answers(answer, offer)
        for offer in offered
    )


async def converse(
    wire: Wire, exchange: Exchange, patience: Patience, *, cut: Cut, rng: random.Random
) -> None:
    """Send what the case sends and the probe behind it; read until it is clear how it ends."""
    case = exchange.case
    key = rng.randbytes(4)
    read = len(wire.received)
    probe = a_ping(PROBE)
    data = b"".join(case.data(exchange.role, key))
    if case.eof:
        await _send(wire, data, cut)
        if exchange.role is Role.CLIENT and case.opening is not None:
            # A client that takes a wrong answer for a good one shows it by its Pong.
            wire.send(bytes(probe))
            await wire.news(patience.grace)
        wire.finish()
    else:
        # In one piece with the rest: what is written to a peer that has reset loses what came.
        masked = probe.masked(key) if exchange.role is Role.SERVER else probe
        await _send(wire, data + bytes(masked), cut)
    deadline = time.monotonic() + patience.answer
    while True:
        exchange.take(bytes(wire.received[read:]))
        read = len(wire.received)
        if not wire.is_open:
            return
        if exchange.close is not None:
            break
        if exchange.is_probed and _is_settled(exchange):
            return
        left = deadline - time.monotonic()
        if exchange.is_probed and _is_hopeless(exchange):
            # What fails the connection comes in order, so before the Pong; but who knows.
            left = min(left, patience.grace)
        if not await wire.news(left):
            exchange.timed_out = not exchange.is_probed
            return
    await _close(wire, exchange, patience, key, read)


def _is_settled(exchange: Exchange) -> bool:
    """Whether everything has come that the best outcome can bring."""
    return any(
        isinstance(outcome, Echoes)
        and (not exchange.echoes or exchange.messages == list(outcome.messages))
        and (not outcome.pongs or outcome.pongs[-1] in exchange.pongs)
        for outcome in exchange.case.allowed
    )


def _is_hopeless(exchange: Exchange) -> bool:
    """Whether the messages that have come are no beginning of what any outcome would bring."""
    came = exchange.messages if exchange.echoes else []
    return not any(
        isinstance(outcome, Echoes) and came == list(outcome.messages[: len(came)])
        for outcome in exchange.case.allowed
    )


async def _close(wire: Wire, exchange: Exchange, patience: Patience, key: bytes, read: int) -> None:
    """Behind the endpoint's Close frame: ours, and the end of TCP."""
    # What it sends behind its Close frame first: writing to a peer that is gone loses what came.
    last = time.monotonic() + patience.answer
    while wire.is_open and time.monotonic() < last and await wire.news(patience.pause):
        pass
    if exchange.role is Role.CLIENT:
        # The server ends TCP (RFC 6455 §7.1.1), once it is clear that nothing comes behind it.
        wire.send(bytes(close(1000)))
        await wire.news(patience.grace)
        exchange.take(bytes(wire.received[read:]))
        if wire.is_open:
            wire.ending = Ending.CLOSED
        return
    wire.send(bytes(close(1000).masked(key)))
    deadline = time.monotonic() + patience.answer
    while wire.is_open and await wire.news(deadline - time.monotonic()):
        pass
    exchange.timed_out = wire.is_open
    exchange.take(bytes(wire.received[read:]))


async def _send(wire: Wire, data: bytes, cut: Cut) -> None:
    """In the pieces of the cut, each in a write of its own."""
    for piece in cut(data):
        wire.send(piece)
        await asyncio.sleep(0)
