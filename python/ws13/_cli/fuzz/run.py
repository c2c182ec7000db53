"""``python -m ws13 fuzz``: chooses the cases, runs them, tells what was found."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from ws13._cli.address import Address
from ws13.testing import Role
from ws13.testing.cases import Case, by_id, cases

from . import report as reports
from . import words
from .client_run import ClientRun
from .mutations import ID, mutation
from .options import RANDOM, FuzzOptions, is_loopback
from .progress import Progress
from .results import Report
from .server_run import ServerRun


def run(options: FuzzOptions) -> int:
    """Test the endpoint; return the exit status."""
    role = Role.CLIENT if options.address is None else Role.SERVER
    try:
        chosen = choose(options, role)
        refuse_remote(options)
        check_reports(options)
    except ValueError as error:
        say(str(error))
        return 2
    endpoint = "clients" if options.address is None else url_of(options.address)
    result = Report(endpoint, role, options.seed)
    use_any_terminal()
    progress = Progress(len(chosen))
    started = time.monotonic()
    try:
        asyncio.run(_run(options, chosen, result, progress))
    except KeyboardInterrupt:
        result.stopped = "interrupted"
        result.left = len(chosen) - len(result.results)
    result.seconds = time.monotonic() - started
    progress.clear()
    try:
        write_reports(options, result)
    except OSError as error:
        say(f"cannot write a report: {error}")
        return 2
    tell_the_end(result)
    return result.status


async def _run(
    options: FuzzOptions, chosen: list[Case], result: Report, progress: Progress
) -> None:
    if options.address is None:
        await ClientRun(options, result).run(chosen, progress)
    else:
        tls = _tls(options, options.address)
        await ServerRun(options.address, options, result, tls).run(chosen, progress)


def choose(options: FuzzOptions, role: Role) -> list[Case]:
    """The cases that the options name, and the random ones; ValueError names what is none."""
    if not options.cases:
        return [*cases(role), *_random(options, role)]
    chosen: list[Case] = []
    for name in options.cases:
        if match := ID.fullmatch(name):
            chosen.append(mutation(int(match[1]), int(match[2]), role))
        elif name == f"{RANDOM}/":
            chosen += _random(options, role)
        elif name.endswith("/") and (chapter := cases(role, name[:-1])):
            chosen += chapter
        else:
            try:
                case = by_id(name)
            except KeyError:
                raise ValueError(f"there is no case {name}; --list prints them") from None
            if role not in case.roles:
                raise ValueError(f"{name} is not for a {role.value}")
            chosen.append(case)
    if not chosen:
        raise ValueError("there is no case to run")
    return chosen


def _random(options: FuzzOptions, role: Role) -> list[Case]:
    return [mutation(options.seed, number, role) for number in range(options.random)]


def list_cases() -> int:
    """Print all cases; return the exit status."""
    use_any_terminal()
    for case in cases():
        roles = " and ".join(sorted(role.value for role in case.roles))
        print(f"{case.id}  ({case.section}; {roles})  {case.title}")
        print(f"    {words.wanted(case.allowed)}{'' if case.must else ' (SHOULD)'}")
    return 0


def use_any_terminal() -> None:
    """What standard output cannot show is shown as an escape."""
    # What stands in for standard output may have none of it.
    reconfigure: Any = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def check_reports(options: FuzzOptions) -> None:
    """ValueError if a report could not be written: better now than in the end."""
    for path in filter(None, (options.json, options.junit, options.html)):
        if not Path(path).absolute().parent.is_dir():
            raise ValueError(f"{path}: there is no such folder")


def refuse_remote(options: FuzzOptions) -> None:
    """ValueError, unless the endpoint is on this machine or may be elsewhere."""
    if options.allow_remote:
        return
    if options.address is None:
        hosts = _addresses(*options.listen)
    else:
        hosts = _addresses(options.address.host, options.address.port)
    for host in hosts:
        if not is_loopback(host):
            raise ValueError(
                f"{host} is not on this machine; if you may test it, give --allow-remote"
            )


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ValueError(f"{host} cannot be found: {error}") from None
    return [str(one[4][0]) for one in found]


def _tls(options: FuzzOptions, address: Address) -> ssl.SSLContext | None:
    if not address.tls:
        return None
    context = ssl.create_default_context()
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def url_of(address: Address) -> str:
    """The URL of a server."""
    return f"{'wss' if address.tls else 'ws'}://{address.host_header}{address.resource}"


def write_reports(options: FuzzOptions, result: Report) -> None:
    """Write the files that the options name."""
    for path, write in (
        (options.json, reports.as_json),
        (options.junit, reports.as_junit),
        (options.html, reports.as_html),
    ):
        if path is not None:
            Path(path).write_text(write(result), encoding="utf-8")


def tell_the_end(result: Report) -> None:
    """The last lines."""
    if result.echoes is False:
        say("the endpoint does not echo messages: what it made of them was not checked")
    if result.stopped:
        say(f"stopped: {result.stopped}")
    print(f"{result.summary()} (seed {result.seed})")


def say(text: str) -> None:
    """To the person, not into what is piped on."""
    print(text, file=sys.stderr)
