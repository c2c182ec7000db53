"""Waits for clients, and gives each the next case."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import replace

from ws13.testing import Role, read_head
from ws13.testing.cases import Case

from .aim import MOST_HEAD, Patience, answer_client, offers
from .exchange import Exchange
from .options import FuzzOptions
from .pace import Pace
from .progress import Progress
from .results import Report, Result
from .server_run import ALIVE, GREETING, cut_for, rng_for
from .verdict import Opinion, Verdict, judge
from .wire import Wire

FIRST = replace(ALIVE, id="first", title="A good connection, before all others.")
#: So many clients may fail with a good connection before it is given up.
GREETINGS = 3
#: So many seconds without a client end the run.
IDLE = 30.0


class ClientRun:
    """One run against clients that connect again and again."""

    def __init__(self, options: FuzzOptions, report: Report) -> None:
        self.options = options
        self.report = report
        self.patience = Patience(options.timeout)
        self.echoes = True
        self._cases: list[Case] = []
        self._greeted = False
        self._greetings = 0
        self._busy = 0
        self._last = time.monotonic()
        self._done = asyncio.Event()
        self._requests: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._progress = Progress(0)
        self._pace = Pace(options.rate)
        self._limit = asyncio.Semaphore(options.connections)

    async def run(self, cases: Sequence[Case], progress: Progress) -> None:
        """Carry out the cases, in the order of the connections."""
        self._cases, self._progress = list(cases), progress
        host, port = self.options.listen
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family, backlog=100)
        except OSError as error:
            self.report.stopped = f"cannot listen on {host} port {port}: {error}"
            return
        with listener:
            listener.setblocking(False)
            port = listener.getsockname()[1]
            self.report.endpoint = f"ws://{f'[{host}]' if ':' in host else host}:{port}/"
            progress.tell(f"waiting for clients at {self.report.endpoint}")
            accepting = asyncio.create_task(self._accept(listener))
            await self._wait(accepting)
            # Cancelled while it has a connection in its hands, it would lose it: so one more comes.
            with contextlib.suppress(OSError):
                socket.create_connection(listener.getsockname()[:2], timeout=1).close()
            await accepting
            await self._end()
        self.report.left = len(self._cases)
        self.report.echoes = self.echoes if self._greeted else None

    async def _wait(self, accepting: asyncio.Task[None]) -> None:
        """Until all is done."""
        started = self._last = time.monotonic()
        while not self._done.is_set() and not accepting.done():
            self._look_at_the_clock(started)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._done.wait(), 0.5)

    async def _end(self) -> None:
        """Nothing goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    async def _accept(self, listener: socket.socket) -> None:
        """Give each connection a task of its own."""
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(listener)
            if self._done.is_set():
                sock.close()
                return
            task = loop.create_task(self._in_turn(sock))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            self._done.set()

    def _look_at_the_clock(self, started: float) -> None:
        now = time.monotonic()
        if now - started > self.options.duration:
            self.report.stopped = f"the time of {self.options.duration:g} s was over"
            self._done.set()
        elif not self._busy and now - self._last > IDLE:
            self.report.stopped = f"no client has come for {IDLE:g} s"
            self._done.set()

    async def _in_turn(self, sock: socket.socket) -> None:
        """Not more at once, nor in a second, than the options say."""
        with contextlib.closing(sock):
            async with self._limit:
                await self._pace.turn()
                await self._serve(sock)

    async def _serve(self, sock: socket.socket) -> None:
        """Deal with one connection."""
        loop = asyncio.get_running_loop()
        try:
            _, wire = await loop.connect_accepted_socket(Wire, sock)
        except OSError:
            return  # it is gone already
        self._busy += 1
        deadline = time.monotonic() + self.patience.answer
        try:
            while read_head(bytes(wire.received[:MOST_HEAD])) is None:
                left = deadline - time.monotonic()
                if not wire.is_open or left < 0 or not await wire.news(left):
                    return
            # One greeting before all else, as what is right depends on it.
            case = FIRST if not self._greeted else self._next(wire)
            if case is None:
                return
            await self._carry_out(case, wire)
        finally:
            wire.close()
            self._busy -= 1
            self._last = time.monotonic()
            if not self._cases and not self._busy:
                self._done.set()

    def _next(self, wire: Wire) -> Case | None:
        """The next case for this client; those that it cannot be sent are skipped."""
        while self._cases:
            case = self._cases.pop(0)
            if offers(case, wire):
                return case
            opinion = Opinion(
                Verdict.SKIPPED, case.section, f"the client does not offer {case.extension}"
            )
            self._told(Result(case, Role.CLIENT, (opinion,)))
        return None

    async def _carry_out(self, case: Case, wire: Wire) -> None:
        rng = rng_for(case, self.options.seed)
        exchange = await answer_client(
            case,
            wire,
            self.patience,
            echoes=self.echoes,
            cut=cut_for(self.options.cut, rng),
            rng=rng,
        )
        # What is wrong with its requests is wrong with each: told once.
        new = [f for f in exchange.handshake_findings if f.sentence not in self._requests]
        self._requests.update(finding.sentence for finding in new)
        exchange.handshake_findings = new
        if case is FIRST:
            self._greet(exchange)
            return
        self._told(Result.of(exchange, judge(exchange)))

    def _greet(self, exchange: Exchange) -> None:
        """Whether the client echoes, and what is wrong with its requests."""
        (*wrong, opinion) = judge(exchange)
        if wrong:
            self._told(Result.of(exchange, wrong))
        if exchange.is_probed:
            self.echoes = exchange.messages == [GREETING]
            self._greeted = True
            return
        self._greetings += 1
        if self._greetings == GREETINGS:
            self.report.stopped = f"no client bears a good handshake and Ping: {opinion.sentence}"
            self._done.set()

    def _told(self, result: Result) -> None:
        self.report.results.append(result)
        if result.is_found:
            self._progress.found += 1
        for line in result.lines():
            self._progress.tell(line)
        self._progress.step(result.case.id)
