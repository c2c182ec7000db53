"""What can be said on the command line, checked before anything is opened."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .address import Address, parse_header, parse_subprotocol, parse_url

T = TypeVar("T")
Commands = Any  # argparse does not name the type of what add_subparsers() returns

CONNECT_HELP = """\
Each line you type is sent as a text message. Lines that begin with a slash are commands:

  /ping [TEXT]             send a ping
  /close [CODE] [REASON]   start the closing handshake
  /binary HEX              send a binary message, as in /binary 00ff10
  //TEXT                   send text that begins with a slash

Messages are printed to standard output, everything else to standard error. When the
input ends, the answers still under way are awaited, then the connection is closed with
1000. The exit status is 0 after a clean close, 1 after anything else, 2 for a mistake on
the command line."""


@dataclass(frozen=True)
class ServeOptions:
    """Where and how ``serve`` listens."""

    host: str
    port: int
    subprotocols: tuple[str, ...] = ()
    tls_cert: str | None = None
    tls_key: str | None = None
    handshake_timeout: float = 10.0


@dataclass(frozen=True)
class ConnectOptions:
    """What ``connect`` connects to, and how."""

    address: Address
    subprotocols: tuple[str, ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()
    ping_interval: float | None = None
    insecure: bool = False
    timeout: float = 10.0
    wait: float = 1.0


def add_serve(commands: Commands) -> None:
    """Describe ``serve``."""
    parser = commands.add_parser(
        "serve",
        help="answer every message with itself",
        description="Run an echo server: each message comes back as it was sent. "
        "Ctrl-C says goodbye to everyone (close code 1001) and stops.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add(
        "--port",
        type=port,
        default=8765,
        help="port to listen on; 0 takes a free one (default: %(default)s)",
    )
    add(
        "--subprotocol",
        type=checked(parse_subprotocol),
        action="append",
        default=[],
        metavar="NAME",
        help="a subprotocol to agree to; may be given several times",
    )
    add("--tls-cert", metavar="FILE", help="PEM certificate: serve wss:// instead of ws://")
    add("--tls-key", metavar="FILE", help="PEM private key, if it is not in the same file")
    add(
        "--handshake-timeout",
        type=seconds,
        default=10.0,
        metavar="SECONDS",
        help="how long a client may take for its opening handshake (default: %(default)g)",
    )


def add_connect(commands: Commands) -> None:
    """Describe ``connect``."""
    parser = commands.add_parser(
        "connect",
        help="talk to a server, line by line",
        description="Open a WebSocket connection and talk over it, line by line.",
        epilog=CONNECT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("url", type=checked(parse_url), metavar="URL", help="ws://host/path or wss://host/path")
    add(
        "--subprotocol",
        type=checked(parse_subprotocol),
        action="append",
        default=[],
        metavar="NAME",
        help="a subprotocol to offer, the preferred one first; may be given several times",
    )
    add(
        "--header",
        type=checked(parse_header),
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="a header field to add to the request; may be given several times",
    )
    add(
        "--ping-interval",
        type=seconds,
        metavar="SECONDS",
        help="send a ping this often, and give up if one stays unanswered until the next",
    )
    add("--insecure", action="store_true", help="with wss://, accept any certificate")
    add(
        "--timeout",
        type=seconds,
        default=10.0,
        metavar="SECONDS",
        help="how long opening and closing may each take (default: %(default)g)",
    )
    add(
        "--wait",
        type=seconds,
        default=1.0,
        metavar="SECONDS",
        help="once the input has ended, close after this long without a message "
        "(default: %(default)g)",
    )


def add_run(commands: Commands) -> None:
    """Describe ``run``."""
    parser = commands.add_parser(
        "run",
        usage="%(prog)s --as-wsproto (-m MODULE | SCRIPT) [ARGUMENTS]",
        help="run a program that imports wsproto",
        description="Run a Python program as python itself would, with ws13 in the place of "
        "wsproto: for the program and for the Python processes that it starts. wsproto need "
        "not be installed.",
    )
    add = parser.add_argument
    add("--as-wsproto", action="store_true", required=True, help="import wsproto gives ws13")
    add("-m", dest="module", metavar="MODULE", help="the module to run")
    add("script", nargs="?", metavar="SCRIPT", help="the file to run")


def serve_options(options: argparse.Namespace) -> ServeOptions:
    """Give the parsed arguments of ``serve`` their types."""
    return ServeOptions(
        host=options.host,
        port=options.port,
        subprotocols=tuple(options.subprotocol),
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        handshake_timeout=options.handshake_timeout,
    )


def connect_options(options: argparse.Namespace) -> ConnectOptions:
    """Give the parsed arguments of ``connect`` their types."""
    return ConnectOptions(
        address=options.url,
        subprotocols=tuple(options.subprotocol),
        headers=tuple(options.header),
        ping_interval=options.ping_interval,
        insecure=options.insecure,
        timeout=options.timeout,
        wait=options.wait,
    )


def checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Let argparse show the text of the ValueError that ``parse`` raises."""

    def parse_argument(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_argument


def port(text: str) -> int:
    """Check a TCP port."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 0 and 65535")
    return int(text)


def seconds(text: str) -> float:
    """Check a time, which must be greater than zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value
