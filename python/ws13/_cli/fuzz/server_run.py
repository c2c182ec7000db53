"""Aims all cases at a server, several at a time."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Iterator, Sequence

from ws13._cli.address import Address
from ws13.testing import Cut, Role, bytewise, scattered, text, whole
from ws13.testing.cases import Case, Echoes

from .aim import Patience, UnreachableError, aim_at_server
from .exchange import Exchange
from .minimise import minimised
from .mutations import ID
from .options import FuzzOptions
from .pace import Pace
from .progress import Progress
from .results import Report, Result
from .verdict import Opinion, Verdict, judge

#: A good connection is tried after so many cases.
BATCH = 50
GREETING = "ws13: do you echo?"
ALIVE = Case(
    id="alive",
    section="robustness",
    title="A good connection behind hostile ones.",
    roles=frozenset(Role),
    sends=(text(GREETING),),
    allowed=(Echoes((GREETING,)),),
)


def cut_for(name: str, rng: random.Random) -> Cut:
    """The cut that an option names."""
    return {"whole": whole, "bytes": bytewise, "random": scattered(rng.getrandbits(32))}[name]


def rng_for(case: Case, seed: int) -> random.Random:
    """For keys and cuts: the same whenever the case is run again with this seed."""
    return random.Random(case.id if ID.fullmatch(case.id) else f"{seed}-{case.id}")


class ServerRun:
    """One run against one server."""

    def __init__(
        self,
        address: Address,
        options: FuzzOptions,
        report: Report,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address = address
        self.options = options
        self.report = report
        self.tls = tls
        self.patience = Patience(options.timeout)
        #: Taken for granted until it is known.
        self.echoes = True
        self._pace = Pace(options.rate)
        #: When the time is over.
        self._last_start = 0.0

    async def run(self, cases: Sequence[Case], progress: Progress) -> None:
        """Carry out the cases."""
        self._last_start = time.monotonic() + self.options.duration
        self.report.left = len(cases)
        try:
            self.echoes = await self._greet()
        except UnreachableError as error:
            self.report.stopped = f"cannot connect to {self.report.endpoint}: {error}"
            return
        except NotAServerError as error:
            self.report.stopped = str(error)
            return
        self.report.echoes = self.echoes
        for batch in _batches(cases):
            await self._batch(batch, progress)
            if self.report.stopped:
                break

    async def _greet(self) -> bool:
        """Whether the server echoes messages."""
        exchange = await self._exchange(ALIVE)
        is_open = exchange.status == 101 and exchange.judge is not None
        if not is_open or not exchange.is_probed:
            what = "a good Ping is not answered" if is_open else "a good opening handshake fails"
            why = [opinion.sentence for opinion in judge(exchange)]
            why += [str(finding) for finding in exchange.handshake_findings]
            raise NotAServerError(f"{what}: {'; '.join(why)}")
        return exchange.messages == [GREETING]

    async def _batch(self, batch: Sequence[Case], progress: Progress) -> None:
        limit = asyncio.Semaphore(self.options.connections)

        async def one(case: Case) -> None:
            async with limit:
                if self.report.stopped or self._is_late():
                    return
                self.report.left -= 1
                result = await self._result(case)
            self.report.results.append(result)
            if result.is_found:
                progress.found += 1
            for line in result.lines():
                progress.tell(line)
            progress.step(case.id)

        await asyncio.gather(*map(one, batch))
        if self._is_late():
            self.report.stopped = f"the time of {self.options.duration:g} s was over"
        else:
            await self._check_alive(batch, progress)

    def _is_late(self) -> bool:
        return time.monotonic() > self._last_start

    async def _result(self, case: Case) -> Result:
        try:
            result = await self._judged(case)
        except UnreachableError as error:
            opinion = Opinion(Verdict.VIOLATION, "robustness", f"no TCP connection: {error}")
            return Result(case, Role.SERVER, (opinion,))
        if result.verdict is Verdict.VIOLATION and ID.fullmatch(case.id):
            return await self._minimised(result)
        return result

    async def _judged(self, case: Case) -> Result:
        exchange = await self._exchange(case)
        return Result.of(exchange, judge(exchange))

    async def _minimised(self, result: Result) -> Result:
        sections = {opinion.section for opinion in result.opinions}

        async def shows(case: Case) -> bool:
            if self._is_late():
                return False
            try:
                again = await self._judged(case)
            except UnreachableError:
                return False
            return again.verdict is Verdict.VIOLATION and any(
                opinion.section in sections for opinion in again.opinions
            )

        smaller = await minimised(result.case, Role.SERVER, shows)
        if smaller == result.case:
            return result
        try:
            again = await self._judged(smaller)
        except UnreachableError:
            return result
        return again if again.verdict is Verdict.VIOLATION else result

    async def _exchange(self, case: Case) -> Exchange:
        """On a connection of its own, not before its turn."""
        await self._pace.turn()
        rng = rng_for(case, self.options.seed)
        return await aim_at_server(
            case,
            self.address,
            self.patience,
            echoes=self.echoes,
            cut=cut_for(self.options.cut, rng),
            rng=rng,
            tls=self.tls,
        )

    async def _check_alive(self, batch: Sequence[Case], progress: Progress) -> None:
        """Whether a good connection still goes well."""
        why = None
        for _ in range(3):
            try:
                exchange = await self._exchange(ALIVE)
            except UnreachableError as error:
                why = f"no TCP connection: {error}"
            else:
                (opinion, *_) = judge(exchange)
                if opinion.verdict is Verdict.RIGHT:
                    return
                why = opinion.sentence
            await asyncio.sleep(0.5)
        ids = f"{batch[0].id} to {batch[-1].id}"
        sentence = f"a good connection fails behind {ids}: {why}"
        result = Result(ALIVE, Role.SERVER, (Opinion(Verdict.VIOLATION, "robustness", sentence),))
        self.report.results.append(result)
        for line in result.lines():
            progress.tell(line)
        self.report.stopped = "the server is not alive any more"


class NotAServerError(Exception):
    """What answers is no WebSocket server that could be tested."""


def _batches(cases: Sequence[Case]) -> Iterator[Sequence[Case]]:
    for at in range(0, len(cases), BATCH):
        yield cases[at : at + BATCH]
