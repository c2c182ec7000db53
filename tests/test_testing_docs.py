"""What docs/testing.md shows works, block after block."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ws13 import testing
from ws13.testing.cases import chapters

DOCS = (Path(__file__).resolve().parent.parent / "docs" / "testing.md").read_text(encoding="utf-8")


def test_the_examples_work_and_print_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    assert len(blocks) == 7
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    printed = capsys.readouterr().out
    for expected in re.findall(r"print\(.*\)  # (.*)", DOCS):
        assert f"{expected}\n" in printed
    tests = [test for name, test in names.items() if name.startswith("test_")]
    assert len(tests) == 1
    for test in tests:
        test()


def test_each_public_name_is_spoken_of() -> None:
    aside = {
        "Finding",
        "ReceivedHead",
        "Conversation",
        "Cut",
        "Inflater",
        "NotDeflateError",
        "read_head",
    }
    assert [name for name in testing.__all__ if name not in DOCS and name not in aside] == []
    assert sorted(testing.__all__) == sorted(set(testing.__all__))
    assert all(hasattr(testing, name) for name in testing.__all__)


def test_each_chapter_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \|", DOCS, re.MULTILINE)
    assert tuple(row for row in rows if row in chapters()) == chapters()
