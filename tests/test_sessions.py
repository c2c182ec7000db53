"""A few of the random sessions of tests/sessions; `make sessions` plays more of them."""

from __future__ import annotations

import pytest

from run_sessions import batch
from sessions.plan import plan_of
from sessions.play import play

COUNT = 2000


@pytest.mark.parametrize("first", range(0, COUNT, 250))
def test_random_sessions_go_as_the_model_says(first: int) -> None:
    decided, undecided, wrong = batch(first, 250)
    assert wrong == [], f"python tests/run_sessions.py --seed {wrong[0][0]}"
    assert decided + undecided == 250
    assert undecided < 10


def test_a_session_is_made_from_its_seed_alone() -> None:
    assert plan_of(7) == plan_of(7)
    assert plan_of(7) != plan_of(8)


def test_sessions_are_of_all_kinds() -> None:
    """A plan that never gets to the point would pass for a good one."""
    plans = [plan_of(seed) for seed in range(500)]
    frames = [frame for plan in plans for frame in plan.frames]
    assert {plan.role for plan in plans} == {"client", "server"}
    assert sum(plan.agreement is None for plan in plans) > 5
    assert sum(frame.rsv == 4 for frame in frames) > 200
    assert sum(frame.opcode == 0 for frame in frames) > 200
    assert sum(frame.opcode in (9, 10) for frame in frames) > 50
    for name in ("whole_messages", "piece_size", "max_message_size", "max_fragments"):
        assert sum(name in plan.config for plan in plans) > 20, name
    ends = {bits for plan in plans if plan.agreement for bits in (plan.agreement.bits(plan.role),)}
    assert ends == set(range(8, 16))


@pytest.mark.parametrize("break_it", ["a byte more", "a message twice", "another code"])
def test_a_session_that_goes_wrong_is_noticed(
    break_it: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessions.model import Model

    run = Model.run

    def broken(model: Model) -> object:
        verdict = run(model)
        if break_it == "a byte more" and verdict.partial:
            verdict.partial += verdict.partial[-1:]
        elif break_it == "a message twice" and verdict.items:
            verdict.items.append(verdict.items[-1])
        elif break_it == "another code" and verdict.end:
            verdict.end = (verdict.end[0], 4999, "")
        return verdict

    monkeypatch.setattr(Model, "run", broken)
    _, _, wrong = batch(0, 250)
    assert len(wrong) > 5


def test_what_is_printed_of_a_session_plays_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    from run_sessions import again

    assert again(3) == 0
    assert "Plan(seed=3" in capsys.readouterr().out
    assert play(3)
