"""A short run of `make soak`, and that it would notice."""

from __future__ import annotations

import mmap
import subprocess
import sys
from collections.abc import Iterator

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


@needs_proc
def test_what_is_left_behind_shows() -> None:
    kept: list[mmap.mmap] = []

    def leaking() -> Iterator[int]:
        for done in range(100):
            # New memory, whatever is free.
            kept.append(mmap.mmap(-1, MIB // 5))
            kept[-1].write(b"x" * (MIB // 5))
            yield done + 1

    assert soak.growth("leaks", 100, leaking(), lambda line: None) > MIB
    for one in kept:
        one.close()


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
