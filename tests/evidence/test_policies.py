"""How the best single setting is told from the luckiest one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.evidence import Judge
from drivetrain.evidence.policies import credible, policies, single_settings
from drivetrain.evidence.propensity import Stratified
from drivetrain.evidence.slate import slate, unseeing
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in


def scores(correction: np.ndarray, noise: float, rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(1)
    direct = np.tile(np.linspace(1, 2, len(correction)), (rows, 1))
    return direct + correction + noise * draw.normal(size=direct.shape), direct


def test_noise_is_shrunk_away():
    total, direct = scores(np.full(40, 0.5), 4.0)
    told, real = credible(total, direct), direct.mean(0) + 0.5
    assert np.abs(told - real).max() < 0.4 * np.abs(total.mean(0) - real).max()


def test_what_stands_out_of_noise_is_kept():
    correction = np.where(np.arange(40) < 20, 3.0, -3.0)
    total, direct = scores(correction, 1.0)
    assert credible(total, direct) == pytest.approx(total.mean(0), abs=0.02)


def test_without_noise_the_scores_are_taken_as_they_are():
    total, direct = scores(np.arange(40.0), 0.0)
    assert credible(total, direct) == pytest.approx(total.mean(0))
    assert credible(direct, direct) == pytest.approx(direct.mean(0))
    assert np.isnan(credible(direct * np.nan, direct)).all()


def test_a_setting_that_cannot_be_computed_does_not_spoil_the_others():
    total, direct = scores(np.full(40, 0.5), 1.0)
    total[:, 3] = np.nan
    told = credible(total, direct)
    assert np.isnan(told[3])
    assert np.isfinite(np.delete(told, 3)).all()


OFFERS = "{kind: integer, min: 0, max: 2, do_nothing: 0}"


def court(members: Any, y: Sequence[float] = (0.0, 0.0, 0.0), offer: str = OFFERS, more: str = "") -> Judge:
    """900 rows that got offers 0, 1 and 2 in turn, worth `y` and noise, before models that answer by formulas."""
    scenario, draw = (
        declare(f"""\
objective: {{maximise: y}}
levers: {{offer: {offer}}}
inputs: {{x: {{kind: numeric}}}}
outcomes: {{y: {{kind: numeric}}}}
assignment: {{design: randomised}}
{more}"""),
        np.random.default_rng(0),
    )
    given = np.arange(900) // 3 % 3
    frame = pd.DataFrame({"x": draw.normal(size=900), "y": np.array(y)[given] + draw.normal(size=900)})
    table = as_table(scenario, frame, given.astype(float))
    simulator = stand_in(scenario, {"y": members}, Support.fit(scenario.space, table.settings))
    return Judge(simulator, table, Stratified(table.settings, np.zeros(900, dtype=np.int64)))


def plain(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    return 0 * x[..., 0] + 0.1 * (at[..., 0] == 1)


def led(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """As of a member that has seen fold 0, and that its luck made hopeful of offer 2."""
    return plain(x, at) + 5.0 * (at[..., 0] == 2) * (x[..., 0] > 0)


def test_the_choice_for_a_fold_is_blind_to_it() -> None:
    """Members of other folds have seen fold 0. If its luck made them hopeful of offer 2, fold 0 must not follow."""
    chosen = []
    for others in (plain, led):
        judge = court([plain, others, others], (0.0, 0.3, 0.2))
        chosen.append(single_settings(judge).settings[judge.table.fold == 0])
    assert (chosen[0] == chosen[1]).all()


def test_a_smoothed_policy_and_a_tree_are_blind_to_the_fold_they_are_judged_on() -> None:
    """Members of other folds have seen fold 0. If they know its rows by heart, fold 0's policies must not."""
    chosen = []
    for others in (plain, led):
        judge = court([plain, others, others])
        told = slate(judge, np.array([[0.0], [1.0], [2.0]]), None)
        assert told is not None
        rows, blind, _ = judge.folds[0]
        rest = np.setdiff1d(np.arange(900), rows)
        found = unseeing(judge, told, blind, rest)
        chosen.append(found.direct[rest])
        assert found.direct + found.correction == pytest.approx(told.direct + told.correction)
    assert chosen[0] == pytest.approx(chosen[1])


@pytest.mark.parametrize(
    ("lever", "named"), [("current: 1", ["do_nothing"]), ("current: 1, do_nothing: 0", ["current", "do_nothing"])]
)
def test_a_current_setting_that_is_doing_nothing_is_named_once(lever: str, named: list[str]) -> None:
    """`do_nothing` is `current` where that is a value and nothing else is said: two lines would say the same."""
    offer = f"{{kind: integer, min: 0, max: 2, {lever}}}"
    judge = court(lambda x, at: 0 * x[..., 0] + at[..., 0], offer=offer, more="decide: {unit: once}\n")
    made = policies(judge, single_settings(judge))
    assert [name for name in made.settings if name != "single"] == named
