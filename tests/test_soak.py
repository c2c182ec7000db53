"""A short run of `make soak`, and that it would notice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

import soak
from support.memory import MIB, needs_proc
from ws13.events import CloseConnection


@needs_proc
def test_a_hundred_thousand_messages_and_ten_thousand_connections_leave_nothing_behind() -> None:
    # On its own: what tests before it have left free would hide what grows.
    command = [sys.executable, soak.__file__, "--messages=100000", "--connections=10000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "messages: " in done.stdout
    assert "connections: " in done.stdout


@pytest.mark.parametrize(("each", "grown"), [(0, 0), (MIB, 90 * MIB), (-MIB, -90 * MIB)])
def test_what_is_left_behind_the_warm_up_shows(
    each: int, grown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = 1000 * MIB

    def working() -> Iterator[int]:
        nonlocal resident
        for done in range(100):
            resident += each
            yield done + 1

    monkeypatch.setattr(soak, "memory", lambda name: resident)
    assert soak.growth("leaks", 100, working(), lambda line: None) == grown


def test_a_soak_that_leaves_something_behind_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "growth", lambda *arguments: soak.GROWTH + 1)
    assert soak.main(["--messages=1", "--connections=1"], lambda line: None) == 1


def test_each_way_opens_connections_that_end() -> None:
    for way, connections in soak.WAYS:
        assert connections > 0
        way()


def test_the_messages_of_all_talks_arrive() -> None:
    for one in soak.talks():
        assert one.send(one.ends) > 0
        for end in (one.ends.client, one.ends.server):
            assert not any(isinstance(event, CloseConnection) for event in end.receive(b""))
            assert end.send_text("still open")
    assert abs(sum(one.share for one in soak.talks()) - 1) < 1e-9
