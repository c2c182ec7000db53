"""What ``fuzz`` can be told on the command line."""

from __future__ import annotations

import argparse
import ipaddress
import secrets
from dataclasses import dataclass

from ws13._cli.address import Address, parse_url
from ws13._cli.arguments import Commands, checked, seconds

#: Cases with these ids are made at random; see `mutations`.
RANDOM = "random"

HELP = """\
Sends the cases of the catalogue, and random conversations behind them, each on a connection of
its own, and compares what the endpoint does with what RFC 6455 and RFC 7692 allow. The endpoint
should echo messages; of one that does not, only the rest is checked. Now and then a good
connection shows that the endpoint is alive.

With --listen it waits for clients instead, which have to connect again and again.

Only loopback addresses are taken, unless --allow-remote says that you may test the endpoint.
The exit status is 0 if nothing was found, 1 for violations, 2 if it could not be tested."""


@dataclass(frozen=True)
class FuzzOptions:
    """What is tested, with what, and how hard."""

    #: The server under test; None: clients are waited for.
    address: Address | None
    #: Where clients are waited for.
    listen: tuple[str, int] = ("127.0.0.1", 0)
    allow_remote: bool = False
    insecure: bool = False
    #: Ids, or beginnings of ids; empty: all.
    cases: tuple[str, ...] = ()
    seed: int = 1
    #: How many random conversations.
    random: int = 200
    #: How the bytes of the cases are cut: whole, bytes, or random.
    cut: str = "whole"
    #: For an answer, in seconds.
    timeout: float = 5.0
    #: Connections at once, and begun a second at most.
    connections: int = 4
    rate: float = 200.0
    #: After this many seconds no case is begun any more.
    duration: float = 600.0
    json: str | None = None
    junit: str | None = None
    html: str | None = None


def add_fuzz(commands: Commands) -> None:
    """Describe ``fuzz``."""
    parser = commands.add_parser(
        "fuzz",
        help="test how a server or client stands hostile input",
        description="Test how a WebSocket server, or a client, stands hostile input.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "url",
        nargs="?",
        type=checked(parse_url),
        metavar="URL",
        help="the server: ws://host/path or wss://host/path",
    )
    add(
        "--listen",
        type=checked(parse_listen),
        metavar="[HOST:]PORT",
        help="wait for clients there instead; port 0 takes a free one",
    )
    add("--allow-remote", action="store_true", help="test an endpoint that is not on this machine")
    add("--insecure", action="store_true", help="with wss://, accept any certificate")
    add(
        "--case",
        action="append",
        default=[],
        metavar="ID",
        help="only this case, or with ID/ this chapter; may be given several times",
    )
    add("--list", action="store_true", help="print the cases and what they allow, and end")
    add(
        "--seed",
        type=count,
        metavar="N",
        help="of random conversations, keys and cuts (default: another one each time)",
    )
    add(
        "--random",
        type=count,
        default=200,
        metavar="N",
        help="how many random conversations (default: %(default)s)",
    )
    add(
        "--cut",
        choices=("whole", "bytes", "random"),
        default="whole",
        help="the pieces in which a case is sent (default: %(default)s)",
    )
    add(
        "--timeout",
        type=seconds,
        default=5.0,
        metavar="SECONDS",
        help="how long an answer may take (default: %(default)g)",
    )
    add(
        "--connections",
        type=positive,
        default=4,
        metavar="N",
        help="how many at once (default: %(default)s)",
    )
    add(
        "--rate",
        type=seconds,
        default=200.0,
        metavar="N",
        help="how many connections are opened in a second at most (default: %(default)g)",
    )
    add(
        "--duration",
        type=seconds,
        default=600.0,
        metavar="SECONDS",
        help="begin no case after this long (default: %(default)g)",
    )
    add("--json", metavar="FILE", help="write a report as JSON")
    add("--junit", metavar="FILE", help="write a report as JUnit XML")
    add("--html", metavar="FILE", help="write a report as a page for a browser")


def fuzz_options(options: argparse.Namespace) -> FuzzOptions:
    """Give the parsed arguments of ``fuzz`` their types."""
    return FuzzOptions(
        address=options.url,
        listen=options.listen or ("127.0.0.1", 0),
        allow_remote=options.allow_remote,
        insecure=options.insecure,
        cases=tuple(options.case),
        seed=secrets.randbelow(10**6) if options.seed is None else options.seed,
        random=options.random,
        cut=options.cut,
        timeout=options.timeout,
        connections=options.connections,
        rate=options.rate,
        duration=options.duration,
        json=options.json,
        junit=options.junit,
        html=options.html,
    )


def parse_listen(text: str) -> tuple[str, int]:
    """Take ``HOST:PORT`` or ``PORT`` apart; an IPv6 host stands in brackets."""
    host, _, number = text.rpartition(":")
    if not (number.isascii() and number.isdigit() and int(number) <= 65535):
        raise ValueError(f"{text!r} is no port, and no host and port")
    return (host.removeprefix("[").removesuffix("]") or "127.0.0.1"), int(number)


def count(text: str) -> int:
    """Check a number that is not negative."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return int(text)


def positive(text: str) -> int:
    """Check a number that is greater than zero."""
    if count(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def is_loopback(host: str) -> bool:
    """Whether an address, given in numbers, is one of this machine alone."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
