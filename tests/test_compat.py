"""The comparison with wsproto: its judgement, on reports and tables that are made up."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMPAT = Path(__file__).resolve().parent.parent / "compat"


@pytest.fixture(autouse=True)
def compat_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(COMPAT))


def module(name: str) -> types.ModuleType:
    return importlib.import_module(name)


PASSED = ""
FAILED = '<failure message="assert 1 == 2&#10; where 1 = f()" />'
ERROR = '<error message="failed on setup" />'
SKIPPED = '<skipped message="wsproto not installed." />'


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a report as pytest does, of tests in tests/test_it.py, and load it."""

    def write(*cases: tuple[str, str]) -> dict[str, Any]:
        lines = [
            f'<testcase classname="tests.test_it" file="tests/test_it.py" name="{name}">{child}'
            "</testcase>"
            for name, child in cases
        ]
        report = tmp_path / "report.xml"
        suite = f"<testsuite>{''.join(lines)}</testsuite>"
        report.write_text(f"<testsuites>{suite}</testsuites>", encoding="utf-8")
        loaded: dict[str, Any] = module("outcomes").load_outcomes(report)
        return loaded

    return write


def outcome(what: str = "passed") -> Any:
    return module("outcomes").Outcome(what)


def compared(
    wsproto: dict[str, Any],
    ws13: dict[str, Any],
    allowed: set[str] | None = None,
    again: Callable[[str], tuple[Any, Any]] | None = None,
) -> Any:
    """Compare two results of a suite; what is run again ends as it did, unless told otherwise."""
    outcomes = module("outcomes")
    missing = outcome("missing")
    row = outcomes.Row("3.11", "it", "1.0")

    def as_before(name: str) -> tuple[Any, Any]:
        return wsproto.get(name, missing), ws13.get(name, missing)

    outcomes.compare(row, wsproto, ws13, allowed or set(), again or as_before)
    return row


# Reports


def test_each_test_of_a_report_has_an_outcome(load: Callable[..., dict[str, Any]]) -> None:
    loaded = load(("test_a", PASSED), ("test_b", FAILED), ("test_c", ERROR), ("test_d", SKIPPED))
    assert {name: str(how) for name, how in loaded.items()} == {
        "tests/test_it.py::test_a": "passed",
        "tests/test_it.py::test_b": "failed: assert 1 == 2",
        "tests/test_it.py::test_c": "error: failed on setup",
        "tests/test_it.py::test_d": "skipped: wsproto not installed.",
    }


def test_parametrised_tests_count_one_by_one(load: Callable[..., dict[str, Any]]) -> None:
    assert list(load(("test_a[1-x.y]", PASSED), ("test_a[2-::]", PASSED))) == [
        "tests/test_it.py::test_a[1-x.y]",
        "tests/test_it.py::test_a[2-::]",
    ]


def test_an_id_names_the_class_of_the_test(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    case = '<testcase classname="tests.test_it.TestThis" file="tests/test_it.py" name="test_a" />'
    report.write_text(f"<testsuite>{case}</testsuite>", encoding="utf-8")
    assert list(module("outcomes").load_outcomes(report)) == ["tests/test_it.py::TestThis::test_a"]


@pytest.mark.parametrize("order", [(PASSED, ERROR), (ERROR, PASSED)])
def test_of_a_test_that_is_told_twice_the_worse_counts(
    load: Callable[..., dict[str, Any]], order: tuple[str, str]
) -> None:
    (told,) = load(*(("test_a", child) for child in order)).values()
    assert told.what == "error"


def test_a_test_that_passes_and_cannot_be_cleaned_up_did_not_pass(
    load: Callable[..., dict[str, Any]],
) -> None:
    (told,) = load(("test_a", f"<system-out />{ERROR}")).values()
    assert not told.passed


def test_without_a_report_there_is_no_outcome(tmp_path: Path) -> None:
    assert module("outcomes").load_outcomes(tmp_path / "nothing.xml") == {}


# What is lost


@pytest.mark.parametrize("what", ["failed", "error", "skipped", "missing"])
def test_a_test_that_passes_with_wsproto_only_is_lost(what: str) -> None:
    ws13 = {} if what == "missing" else {"a": outcome(what)}
    row = compared({"a": outcome(), "b": outcome()}, {"b": outcome()} | ws13)
    assert {name: how.what for name, how in row.lost.items()} == {"a": what}
    assert (row.tests, row.with_wsproto, row.on_ws13) == (2, 2, 1)


@pytest.mark.parametrize("what", ["failed", "error", "skipped", "missing", "passed"])
def test_a_test_that_does_not_pass_with_wsproto_is_not_lost(what: str) -> None:
    wsproto = {"a": outcome("failed"), "b": outcome("skipped")}
    row = compared(wsproto, {} if what == "missing" else {"a": outcome(what)})
    assert not row.lost
    assert not row.flaky


def test_a_test_that_is_there_on_ws13_only_is_counted_and_not_lost() -> None:
    row = compared({"a": outcome()}, {"a": outcome(), "b": outcome("failed")})
    assert (row.tests, row.with_wsproto, row.on_ws13, row.lost) == (2, 1, 1, {})


# What is allowed


@pytest.fixture
def allowed(tmp_path: Path) -> Callable[[str], set[str]]:
    def write(text: str) -> set[str]:
        path = tmp_path / "differences.md"
        path.write_text(text, encoding="utf-8")
        loaded: set[str] = module("outcomes").load_allowed(path)
        return loaded

    return write


def test_a_lost_test_that_the_differences_name_is_allowed(
    allowed: Callable[[str], set[str]],
) -> None:
    named = allowed("| `it/tests/test_it.py::test_a[x\\|y]` | asks for `that` | RFC 6455 §9.1. |")
    results = {f"tests/test_it.py::{name}": outcome() for name in ("test_a[x|y]", "test_b")}
    row = compared(results, {}, named)
    assert row.allowed == ["tests/test_it.py::test_a[x|y]"]
    assert list(row.lost) == ["tests/test_it.py::test_b"]


@pytest.mark.parametrize(
    "text",
    [
        "it/tests/test_it.py::test_a[1]",  # not between backticks
        "`tests/test_it.py::test_a[1]`",  # of which suite?
        "`other/tests/test_it.py::test_a[1]`",
        "`it/tests/test_it.py::test_a`",  # not for all parameters
        "`it/tests/test_it.py::test_a[`1]`",
    ],
)
def test_what_is_not_named_exactly_is_not_allowed(
    allowed: Callable[[str], set[str]], text: str
) -> None:
    row = compared({"tests/test_it.py::test_a[1]": outcome()}, {}, allowed(text))
    assert list(row.lost) == ["tests/test_it.py::test_a[1]"]
    assert not row.allowed


def test_a_backtick_without_its_fellow_concerns_its_own_line_only(
    allowed: Callable[[str], set[str]],
) -> None:
    assert allowed("an odd ` here\n`it/a` and `it/b`") == {"it/a", "it/b"}


def test_what_is_allowed_is_not_run_again() -> None:
    def again(name: str) -> tuple[Any, Any]:
        raise AssertionError(name)

    assert compared({"a": outcome()}, {}, {"it/a"}, again).allowed == ["a"]


# What is flaky


def replay(*tries: tuple[str, str]) -> tuple[Callable[[str], tuple[Any, Any]], list[str]]:
    """Return something that tells one try after the other, and what it was asked for."""
    asked: list[str] = []

    def again(name: str) -> tuple[Any, Any]:
        wsproto, ws13 = tries[len(asked)]
        asked.append(name)
        return outcome(wsproto), outcome(ws13)

    return again, asked


def test_a_lost_test_that_passes_on_ws13_the_second_time_is_flaky() -> None:
    again, asked = replay(("passed", "failed"), ("passed", "passed"))
    row = compared({"a": outcome()}, {"a": outcome("failed")}, None, again)
    assert (row.lost, list(row.flaky), asked) == ({}, ["a"], ["a", "a"])


def test_a_lost_test_that_passes_on_ws13_at_once_is_run_only_once_more() -> None:
    again, asked = replay(("failed", "passed"))
    assert list(compared({"a": outcome()}, {}, None, again).flaky) == ["a"]
    assert asked == ["a"]


def test_a_test_that_never_passes_with_wsproto_again_says_nothing_about_ws13() -> None:
    again, _ = replay(("failed", "failed"), ("missing", "failed"))
    row = compared({"a": outcome()}, {}, None, again)
    assert not row.lost
    assert "with wsproto" in row.flaky["a"]


@pytest.mark.parametrize("passes", [0, 1])
def test_a_test_that_passes_with_wsproto_again_and_never_on_ws13_is_lost(passes: int) -> None:
    tries = [("failed", "failed"), ("failed", "failed")]
    tries[passes] = ("passed", "skipped")
    again, asked = replay(*tries)
    row = compared({"a": outcome()}, {"a": outcome("error")}, None, again)
    assert {name: how.what for name, how in row.lost.items()} == {"a": "error"}
    assert (row.flaky, asked) == ({}, ["a", "a"])


def test_if_much_is_lost_nothing_is_run_again() -> None:
    def again(name: str) -> tuple[Any, Any]:
        raise AssertionError(name)

    results = {str(number): outcome() for number in range(21)}
    assert compared(results, {}, None, again).lost.keys() == results.keys()


# Types


def diagnostic(line: int, rule: str, text: str = "wrong", file: str = "a.py") -> Any:
    return module("typechecking").Diagnostic(file, line, rule, text)


def typed(wsproto: list[Any], ws13: list[Any], allowed: set[str] | None = None) -> Any:
    row = module("outcomes").Row("3.11", "mypy", "2.4")
    modules = ("a.py", "b.py")
    module("typechecking").compare_types(row, modules, wsproto, ws13, allowed or set())
    return row


def test_a_diagnostic_that_comes_on_ws13_only_is_lost() -> None:
    row = typed([diagnostic(1, "arg-type")], [diagnostic(1, "arg-type"), diagnostic(2, "misc")])
    assert list(row.lost) == ["a.py:2 misc"]
    assert (row.tests, row.with_wsproto, row.on_ws13) == (2, 2, 1)


def test_another_rule_on_the_same_line_is_lost() -> None:
    assert list(typed([diagnostic(1, "arg-type")], [diagnostic(1, "override")]).lost) == [
        "a.py:1 override"
    ]


def test_the_same_line_of_another_module_is_lost() -> None:
    row = typed([diagnostic(1, "misc")], [diagnostic(1, "misc", file="b.py")])
    assert list(row.lost) == ["b.py:1 misc"]


def test_a_second_diagnostic_of_the_same_rule_on_a_line_is_lost() -> None:
    row = typed([diagnostic(1, "misc")], [diagnostic(1, "misc"), diagnostic(1, "misc", "too")])
    assert list(row.lost) == ["a.py:1 misc"]


def test_other_words_at_the_same_place_are_not_lost() -> None:
    row = typed([diagnostic(1, "misc", "wsproto")], [diagnostic(1, "misc", "ws13")])
    assert (row.lost, row.on_ws13) == ({}, 2)


def test_a_diagnostic_that_comes_with_wsproto_only_is_not_lost() -> None:
    assert not typed([diagnostic(1, "misc")], []).lost


def test_a_diagnostic_that_the_differences_name_is_allowed() -> None:
    row = typed([], [diagnostic(1, "misc"), diagnostic(2, "misc")], {"mypy/a.py:1 misc"})
    assert (row.allowed, list(row.lost)) == (["a.py:1 misc"], ["a.py:2 misc"])


@pytest.mark.parametrize("side", [0, 1])
def test_a_library_that_a_checker_does_not_find_stops_the_comparison(side: int) -> None:
    name = ("wsproto", "ws13")[side]
    text = f'Cannot find implementation or library stub for module named "{name}.events"'
    results: list[list[Any]] = [[], []]
    results[side] = [diagnostic(1, "import-not-found", text)]
    with pytest.raises(module("environments").CompatError, match="did not find"):
        typed(*results)


def test_another_library_that_is_not_found_does_not() -> None:
    missing = diagnostic(1, "import-not-found", 'module named "gevent"')
    assert not typed([missing], [missing]).lost


# The table


def test_the_table_has_a_line_for_each_suite_and_what_there_is_to_say_below() -> None:
    outcomes = module("outcomes")
    fine = outcomes.Row("3.10", "wsproto", "1.3.2", 230, 230, 230, seconds=4.6)
    how = outcomes.Outcome("failed", "assert 1 == 2\nmore")
    bad = outcomes.Row("3.11", "it", "1.0", 4, 4, 1, {"a": how}, ["b"], {"c": "why"}, 60.0)
    assert outcomes.table([fine, bad]).splitlines() == [
        "Python  suite    version  tests  wsproto  ws13  lost  allowed   s",
        "3.10    wsproto  1.3.2      230      230   230     0        0   5",
        "3.11    it       1.0          4        4     1     1        1  60",
        "3.11 LOST it/a",
        "     failed: assert 1 == 2",
        "     more",
        "3.11 allowed it/b",
        "3.11 flaky it/c",
        "     why",
    ]


# What is run


def test_each_suite_and_each_typed_project_is_pinned() -> None:
    suites, pinned = module("suites"), module("environments").distributions()
    assert {suite.name for suite in suites.SUITES} | set(suites.TYPED) == set(pinned)
    assert all(suite.least > 0 for suite in suites.SUITES)


def test_the_common_environment_has_no_wsproto() -> None:
    text = module("environments").REQUIREMENTS.read_text(encoding="utf-8")
    names = {line.partition("==")[0] for line in text.splitlines() if "==" in line}
    assert {"pytest", "h11"} <= names
    assert not {"wsproto", "ws13"} & names


def test_a_distribution_that_is_not_the_pinned_one_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments = module("environments")
    monkeypatch.setattr(environments, "CACHE", tmp_path)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    one = environments.Distribution("a-b", "1.0", empty)
    assert not one.there
    (tmp_path / "a_b-1.0.tar.gz").write_bytes(b"")
    assert one.there
    (tmp_path / "a_b-1.0.tar.gz").write_bytes(b"x")
    assert not one.there
