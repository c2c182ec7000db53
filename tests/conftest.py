"""What some tests need: a certificate, and a browser, which is missed aloud."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from support import browser as browsers
from support.browser import Browser
from ws13 import _native

#: These need a module of their own, `make test-panics`.
collect_ignore = [] if hasattr(_native, "panic_behind") else ["injected"]

MISSING = f"no browser: none of {', '.join(browsers.NAMES)} is installed"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: needs Chromium; given to what uses it")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    missed = sum(MISSING in str(report.longrepr) for report in skipped)
    if missed:
        terminalreporter.write_line(f"{missed} tests in a browser were left out: {MISSING}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = browsers.find()
    if executable is None:
        pytest.skip(MISSING)
    with browsers.started(executable) as browser:
        yield browser


@pytest.fixture(scope="session")
def certificate_and_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Files with a certificate for localhost that nobody vouches for, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    make += ["-subj", "/CN=localhost", "-keyout", key, "-out", certificate]
    try:
        subprocess.run(make, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")
    return certificate, key
