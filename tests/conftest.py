"""The browser that some tests need: started once for each file of them, and missed aloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import browser as browsers
from support.browser import Browser

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
