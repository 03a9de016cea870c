"""What remaking a policy on all rows adds to the error of its value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from drivetrain.evidence import Estimate, Judge
from drivetrain.evidence.propensity import Stratified
from drivetrain.evidence.refit import refit_error, widened
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

SCENARIO = declare("""\
objective: {maximise: y}
levers: {offer: {kind: integer, min: 0, max: 1, do_nothing: 0}}
outcomes: {y: {kind: numeric}}
assignment: {design: randomised}
""")


def twice(x, at):
    return 2 * at[..., 0]


def court() -> Judge:
    """Models that know: offer 1 is worth 2 more, and nothing is left to chance."""
    offer = (np.arange(300) // 3 % 2).astype(float)
    table = as_table(SCENARIO, pd.DataFrame({"y": 2 * offer}), offer)
    simulator = stand_in(SCENARIO, {"y": twice}, Support.fit(SCENARIO.space, table.settings))
    return Judge(simulator, table, Stratified(table.settings, np.zeros(300, dtype=np.int64)))


def test_folds_that_chose_as_all_rows_do_add_nothing() -> None:
    judge, ones = court(), np.ones((300, 1))
    assert refit_error(judge, judge.scores(ones), ones) == 0


def test_a_fold_that_chose_otherwise_adds_what_it_lost() -> None:
    """One fold of three chose 0: its third of the rows lost 2 each, so the parts are −2/3, 0, 0."""
    judge = court()
    chosen = (judge.table.fold != 0).astype(float)[:, None]
    told = refit_error(judge, judge.scores(chosen), np.ones((300, 1)))
    parts = np.array([-2 / 3, 0, 0])
    assert told == pytest.approx(np.sqrt(3 * parts.var(ddof=1)), abs=1e-6)
    assert refit_error(judge, judge.scores(np.zeros((300, 1))), np.ones((300, 1))) == pytest.approx(0, abs=1e-6)


def test_errors_add_up_as_those_of_independent_things() -> None:
    assert widened(Estimate(1.0, 3.0), 4.0, 0.0).error == pytest.approx(5)
