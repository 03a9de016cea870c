"""How far an unseen influence can shift a gain: the theorem's bound, in worlds small enough to count."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from drivetrain.evidence import sensitivity
from drivetrain.evidence.propensity import Stratified
from drivetrain.evidence.sample import Sample
from drivetrain.evidence.value import Judge
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in


def counted(usual: float, there: float, moves: float, leans: float) -> tuple[float, float, float]:
    """The bias of leaving u = ±1 out, the theorem's bound of it, and that of the mean square of the product.

    Half of the rows, x = 0, are treated with the chance `usual`; the others with `there + leans·u`, and have outcomes
    `moves·u`. Every cell is counted with its probability, so nothing is left to chance.
    """
    cells = []
    for x, u, treated in product((0, 1), (-1, 1), (0, 1)):
        short = (usual, there)[x]
        full = {v: short + leans * v * x for v in (-1, 1)}
        chance = {v: full[v] if treated else 1 - full[v] for v in full}
        mean = sum(chance[v] * moves * x * v for v in chance) / sum(chance.values())
        sign = 1 if treated else -1
        weights = sign / chance[u], sign / (short if treated else 1 - short)
        cells.append((0.25 * chance[u], moves * x * u, mean, *weights))
    p, full_mean, short_mean, full_weight, short_weight = np.array(cells).T
    bias = abs(float((p * (full_mean - short_mean) * (full_weight - short_weight)).sum()))
    # Rows as often as their cells are likely; all that is left of the outcome is the unseen influence's, so C_Y = 1.
    many = np.round(p * 10_000).astype(int)
    assert many / 10_000 == pytest.approx(p)
    surprise, weight = np.repeat(full_mean - short_mean, many), np.repeat(short_weight, many)
    share = 1 - (p * short_weight**2).sum() / (p * full_weight**2).sum()
    scale = sensitivity.spread(surprise, weight, Sample(len(weight)))
    reach = np.sqrt(share / (1 - share))
    return bias, float(scale * reach), float(np.sqrt(((surprise * weight) ** 2).mean()) * reach)


def test_no_unseen_influence_shifts_a_gain_by_more_than_the_bound():
    bias, bound, product_alone = counted(usual=0.02, there=0.5, moves=1.0, leans=0.2)
    assert bias == pytest.approx(0.4)
    assert bias <= bound * (1 + 1e-9)
    assert product_alone < bias / 2  # where surprises are large and weights are small it would be broken


WORLDS = list(product((0.05, 0.3, 0.5), (0.3, 0.5), (1.0, 3.0), (0.1, 0.25)))


@pytest.mark.parametrize(("usual", "there", "moves", "leans"), WORLDS)
def test_the_bound_holds_in_every_world(usual: float, there: float, moves: float, leans: float):
    bias, bound, _ = counted(usual, there, moves, leans)
    assert bias <= bound * (1 + 1e-9)


@pytest.mark.parametrize("leans", [0.05, 0.6])
def test_an_unseen_twin_explains_what_an_input_does_of_what_that_one_leaves(leans: float):
    """Two influences alike, one recorded: what least squares say of its twin is what the other does."""
    draw, many = np.random.default_rng(1), 20_000
    seen, unseen = draw.normal(size=(2, many))
    lever = leans * (seen + unseen) + draw.normal(size=many)
    worth = lever + 2 * seen + 2 * unseen + 3 * draw.normal(size=many)
    scenario = declare(
        "objective: {maximise: y}\nlevers: {t: {kind: continuous, min: -9, max: 9, do_nothing: 0}}\n"
        "inputs: {x: {kind: numeric}}\noutcomes: {y: {kind: numeric}}\nassignment: {design: observational}\n"
    )
    table = as_table(scenario, pd.DataFrame({"x": seen, "y": worth}), lever)
    simulator = stand_in(scenario, {"y": lambda _, at: at[..., 0]}, Support.fit(scenario.space, table.settings))
    court = Judge(simulator, table, Stratified(table.settings, np.zeros(many, dtype=np.int64)))
    name, outcome, share = sensitivity.strongest(court)
    assert name == "x"
    assert share == pytest.approx(_explains(unseen, lever, seen), abs=0.01)
    if leans < 0.1:  # else what both did to the lever tells, among rows of one lever, the one from the other
        assert outcome == pytest.approx(_explains(unseen, worth, seen, lever), abs=0.02)


def test_the_share_that_overturns_a_gain_shifts_it_by_just_as_much():
    for gain, scale in ((0.5, 1.0), (2.0, 0.3), (0.01, 5.0)):
        r = sensitivity.robustness_value(gain, scale)
        assert scale * r / np.sqrt(1 - r) == pytest.approx(gain)
    assert sensitivity.robustness_value(-1.0, 1.0) == 0


def test_so_many_times_as_strong_shifts_it_by_just_as_much():
    told = sensitivity.Sensitivity(0.3, 0.1, "x", outcome_share=0.05, lever_share=0.1, bias=1.0)
    assert told.times is not None
    outcome, lever = told.times * 0.05, told.times * 0.1
    assert np.sqrt(outcome * lever / (1 - lever)) == pytest.approx(0.3 / np.sqrt(0.7))


def _explains(influence: np.ndarray, y: np.ndarray, *given: np.ndarray) -> float:
    """The share of what is left of y, given columns, that an influence explains of it."""
    base = np.column_stack([np.ones(len(y)), *given])
    left, own = (each - base @ np.linalg.lstsq(base, each, rcond=None)[0] for each in (y, influence))
    return float(np.corrcoef(left, own)[0, 1] ** 2)
