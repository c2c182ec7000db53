"""Which tests of whom are run, and which of their modules are type checked: a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """Tests in a source distribution; `requirements/compat-suites.txt` has its version."""

    #: The project, as pip knows it.
    name: str
    #: Files or folders of tests, below the root of the source distribution.
    paths: tuple[str, ...]
    #: As many tests pass with wsproto at least, on any Python: fewer, and we compare nothing much.
    least: int
    #: The plugins of pytest that the project has in its own environment.
    plugins: tuple[str, ...] = ()
    #: What pytest is told besides.
    options: tuple[str, ...] = ()


SUITES = (
    Suite("wsproto", ("tests",), 230),
    # The setting stands in the pytest.ini of its repository, which is not in the distribution.
    Suite("trio-websocket", ("tests",), 64, ("pytest_trio.plugin",), ("-o", "trio_mode=true")),
    # `offline` is in plugins/: its client's tests look up example.com, and need nothing else of it.
    Suite("simple-websocket", ("tests",), 47, ("offline",)),
    # Its WebSocket tests are run for each implementation; those that concern us have it in their
    # names. It asks for eight processes itself; its tests wait more than they work, so two do.
    Suite(
        "uvicorn",
        ("tests/protocols", "tests/middleware"),
        231,
        ("anyio.pytest_plugin", "pytest_mock", "xdist.plugin"),
        ("-k", "wsproto", "-n", "2"),
    ),
    # The tests of what it does with wsproto, and those in which wsproto is the client.
    Suite(
        "hypercorn",
        (
            "tests/protocol/test_ws_stream.py",
            "tests/asyncio/test_sanity.py",
            "tests/trio/test_sanity.py",
        ),
        51,
        ("pytest_asyncio.plugin", "pytest_cov.plugin", "pytest_trio.plugin"),
    ),
)

#: For each project, where its packages are and which of its modules use wsproto in earnest.
TYPED = {
    "uvicorn": (".", ("uvicorn/protocols/websockets/wsproto_impl.py",)),
    "trio-websocket": (".", ("trio_websocket/_impl.py",)),
    "simple-websocket": ("src", ("simple_websocket/ws.py", "simple_websocket/aiows.py")),
    "hypercorn": ("src", ("hypercorn/protocol/ws_stream.py",)),
}

#: What `--suites` takes.
TYPES = "types"
NAMES = (*(suite.name for suite in SUITES), TYPES)
