"""``python -m ws13``: try things out from a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ws13 import __version__
from ws13._cli import arguments
from ws13._cli.fuzz import options as fuzzing


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m ws13",
        description="Try WebSocket connections out from a terminal.",
    )
    parser.add_argument("--version", action="version", version=f"ws13 {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    arguments.add_serve(commands)
    arguments.add_connect(commands)
    arguments.add_run(commands)
    fuzzing.add_fuzz(commands)
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["run"]:
        from ws13._cli import run

        ours, rest = run.split(words[1:])
        options = parser.parse_args(["run", *ours])
        if (options.module is None) == (options.script is None):
            parser.error("run needs a script, or -m and a module")
        return run.run(options.module, options.script, rest)
    options = parser.parse_args(words)
    if options.command == "serve":
        if options.tls_key and not options.tls_cert:
            parser.error("--tls-key needs --tls-cert")
        from ws13._cli import serve

        return serve.run(arguments.serve_options(options))
    if options.command == "fuzz":
        from ws13._cli.fuzz import run as fuzz_run

        if options.list:
            return fuzz_run.list_cases()
        if (options.url is None) == (options.listen is None):
            parser.error("fuzz needs the URL of a server, or --listen and a port")
        return fuzz_run.run(fuzzing.fuzz_options(options))
    from ws13._cli import connect

    return connect.run(arguments.connect_options(options))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # who reads what we print has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
