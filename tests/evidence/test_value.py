"""The doubly robust estimator on generators with known truth; models are stand-ins, so nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.data import Table
from drivetrain.evidence import Estimate, Judge
from drivetrain.evidence.propensity import Declared, Stratified, propensity
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

DISCRETE = """\
objective: {maximise: 3 * y - 0.5 * offer}
levers: {offer: {kind: integer, min: 0, max: 2, do_nothing: 0}}
inputs: {x: {kind: numeric}, group: {kind: numeric}}
outcomes: {y: {kind: numeric}}
assignment: {design: randomised, within: [group]}
"""
CONTINUOUS = DISCRETE.replace("kind: integer, min: 0, max: 2", "kind: continuous, min: 0, max: 3")


declared_as = cache(declare)
DECLARED = declared_as(DISCRETE)


def truth(x, at):
    return 1 + 0.5 * x[..., 0] + at[..., 0] - 0.35 * at[..., 0] ** 2 + 0.3 * x[..., 0] * at[..., 0]


def wrong(x, at):
    return 0 * x[..., 0] + 0.7 + 0.2 * at[..., 0]


@cache
def value_of(edge: float, above: float, below: float) -> float:
    """The true value of offering `above` where x passes the edge, else `below`."""
    x = np.random.default_rng(0).normal(size=2_000_000)
    offer = np.where(x > edge, above, below)
    return float((3 * truth(x[:, None], offer[:, None]) - 0.5 * offer).mean())


@dataclass(frozen=True)
class World:
    """A draw of rows, with the truth of a policy's value for these rows' population."""

    table: Table
    policy: np.ndarray
    value: float


def discrete(rows: int, seed: int, skew: float = 0.0) -> World:
    """Offers drawn with chances that differ by group, and lean on x by `skew`."""
    draw = np.random.default_rng(seed)
    x, group = draw.normal(size=rows), draw.integers(0, 3, rows)
    lean = np.array([[0, 0, 0], [1.2, 0, -0.5], [-0.7, 0.4, 0.9]])[group] + skew * x[:, None] * np.array([-1, 0, 1])
    chance = np.exp(lean) / np.exp(lean).sum(1, keepdims=True)
    offer = (draw.random(rows)[:, None] > chance.cumsum(1)).sum(1).clip(0, 2)
    frame = pd.DataFrame({"x": x, "group": group.astype(float)})
    mean = truth(x[:, None], offer[:, None].astype(float))
    frame["y"] = mean + draw.normal(size=rows) * (0.5 + 0.5 * (group == 1))
    table = as_table(DECLARED, frame, offer.astype(float), chance[np.arange(rows), offer])
    policy = np.where(x > 0.2, 2.0, 1.0)[:, None]
    return World(table, policy, value_of(0.2, 2.0, 1.0))


def court(world: World, response, declared: bool = False, text: str = DISCRETE) -> Judge:
    scenario = declared_as(text)
    support = Support.fit(scenario.space, world.table.settings)
    simulator = stand_in(scenario, {"y": response}, support)
    groups = world.table.frame["group"].to_numpy().astype(np.int64)
    chances = Declared(world.table.propensity) if declared else Stratified(world.table.settings, groups)
    return Judge(simulator, world.table, chances)


def covered(estimates: list[Estimate], values: list[float]) -> float:
    pairs = zip(estimates, values, strict=True)
    return float(np.mean([each.low <= value <= each.high for each, value in pairs]))


CASES = {
    "both right": (truth, True, 0.4),
    "model wrong, declared chances right": (wrong, True, 0.4),
    "model wrong, estimated shares right": (wrong, False, 0.0),
    "model right, shares wrong": (truth, False, 0.8),
}


@pytest.mark.parametrize("case", CASES)
def test_unbiased_and_covered_where_either_is_right(case: str, record_property):
    response, declared, skew = CASES[case]
    worlds = [discrete(600, seed, skew) for seed in range(200)]
    estimates = [Estimate.of(court(w, response, declared).scores(w.policy).total) for w in worlds]
    found = np.array([each.value for each in estimates])
    bias, error = found.mean() - worlds[0].value, found.std() / np.sqrt(len(found))
    share = covered(estimates, [world.value for world in worlds])
    record_property("coverage", share)
    print(f"{case}: bias {bias:+.4f} ± {error:.4f}, covered {share:.1%}")
    assert abs(bias) < 4 * error
    assert 0.90 <= share <= 0.99


def test_both_wrong_is_biased_so_that_the_tests_above_can_fail():
    worlds = [discrete(600, seed, 0.8) for seed in range(50)]
    found = np.array([court(w, wrong).scores(w.policy).total.mean() for w in worlds])
    assert abs(found.mean() - worlds[0].value) > 10 * found.std() / np.sqrt(len(found))


def continuous(rows: int, seed: int) -> World:
    """A third gets nothing, the others an offer drawn between 0.2 and 3, higher in some groups."""
    draw = np.random.default_rng(seed)
    x, group = draw.normal(size=rows), draw.integers(0, 3, rows)
    offer = np.where(draw.random(rows) < 0.3, 0, (0.2 + 2.8 * draw.beta(1 + 0.4 * group, 1.2)).round(3))
    frame = pd.DataFrame({"x": x, "group": group.astype(float)})
    frame["y"] = truth(x[:, None], offer[:, None]) + draw.normal(size=rows)
    policy = np.where(x > 0, 2.0, 1.2)[:, None]
    return World(as_table(declared_as(CONTINUOUS), frame, offer), policy, value_of(0.0, 2.0, 1.2))


@pytest.mark.parametrize("response", [truth, lambda x, at: truth(x, at) + 0.4 - 0.2 * x[..., 0]])
def test_continuous_levers_are_covered_where_the_model_errs_by_the_same_for_settings_that_are_near(response):
    worlds = [continuous(600, seed) for seed in range(200)]
    estimates = [Estimate.of(court(w, response, text=CONTINUOUS).scores(w.policy).total) for w in worlds]
    share = covered(estimates, [world.value for world in worlds])
    bias = float(np.mean([each.value for each in estimates])) - worlds[0].value
    print(f"continuous: bias {bias:+.4f}, error {estimates[0].error:.3f}, covered {share:.1%}")
    assert 0.90 <= share <= 0.99


def test_what_a_formula_says_of_a_setting_is_never_smoothed():
    """Settings near 1.25 make 4 − 3.2·offer vanish; the noise of their outcomes must still count in full."""
    text = CONTINUOUS.replace("3 * y - 0.5 * offer", "(4 - 3.2 * offer) * y")
    world = continuous(3000, 1)
    judge = court(world, truth, text=text)
    there = Estimate.of(judge.scores(np.full((3000, 1), 1.25)).total)
    assert there.value == pytest.approx(0, abs=1e-4)
    beside = [Estimate.of(judge.scores(np.full((3000, 1), at)).total) for at in (1.05, 1.45)]
    for each, at in zip(beside, (1.05, 1.45), strict=True):
        outcome = Estimate.of(replace(judge, outcome="y").scores(np.full((3000, 1), at)).total)
        assert each.error == pytest.approx(abs(4 - 3.2 * at) * outcome.error, rel=1e-3)


def test_the_formula_re_derived_by_hand():
    """Outcomes and chances as arrays; the estimator as the textbook writes it."""
    world = discrete(400, 5)
    judge = court(world, wrong, declared=True)
    x, y = world.table.frame["x"].to_numpy(), world.table.frame["y"].to_numpy()
    got, policy = world.table.settings[:, 0], world.policy[:, 0]

    def q(at: np.ndarray) -> np.ndarray:
        outcome = (0 * x + 0.7 + 0.2 * at).astype(np.float32)
        return (np.float32(3) * outcome - np.float32(0.5) * at.astype(np.float32)).astype(np.float64)

    weight = (got == policy) / world.table.propensity
    by_hand = q(policy) + weight * (3 * y - 0.5 * got - q(got))
    scores = judge.scores(world.policy)
    assert scores.total == pytest.approx(by_hand, abs=1e-8)
    assert scores.effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    singles = np.array([[0.0], [1.0], [2.0]])
    each = judge.each_single(singles)
    for place, single in enumerate(singles):
        one = judge.scores(np.tile(single, (400, 1)))
        assert each.total[:, place] == pytest.approx(one.total, abs=1e-8)
        assert each.direct[:, place] == pytest.approx(one.direct, abs=1e-8)
    logged = judge.logged()
    assert logged.total == pytest.approx(3 * y - 0.5 * got, abs=1e-8)
    assert logged.direct == pytest.approx(q(got), abs=1e-8)


def test_minimising_is_maximising_the_opposite():
    world = discrete(400, 6)
    down = DISCRETE.replace("maximise: 3 * y - 0.5 * offer", "minimise: 0.5 * offer - 3 * y")
    up, low = court(world, wrong), court(world, wrong, text=down)
    assert low.scores(world.policy).total == pytest.approx(-up.scores(world.policy).total, abs=1e-6)


def test_no_member_that_saw_a_row_judges_it():
    """Each member answers a number of its own; a row's score may hold only its own fold's."""
    world = discrete(300, 7)
    own = [lambda x, at, k=k: 0 * x[..., 0] + 0 * at[..., 0] + 1000.0 * (k + 1) for k in range(3)]
    judge = court(world, own)
    mine = 1000.0 * (world.table.fold + 1)
    offer = world.policy[:, 0]
    assert judge.expected(world.policy) == pytest.approx(3 * mine - 0.5 * offer)
    assert judge.carried(world.policy[:, None])[:, 0] == pytest.approx(3 * mine - 0.5 * offer)
    assert judge.logged().direct == pytest.approx(3 * mine - 0.5 * world.table.settings[:, 0])
    assert judge.each_single(np.array([[1.0]])).direct[:, 0] == pytest.approx(3 * mine - 0.5)
    for rows, blind, _ in judge.folds:
        assert set(world.table.fold[rows].tolist()) == set(blind.folds.tolist())


def test_shares_within_strata_are_known():
    settings = np.array([[0.0], [0], [0], [1], [1], [1], [1], [1]])
    frame = pd.DataFrame({"x": 0.0, "group": [1.0, 1, 1, 1, np.nan, np.nan, np.nan, np.nan], "y": 0.0})
    table = as_table(DECLARED, frame, settings)
    support = Support.fit(DECLARED.space, settings)
    made = propensity(table, support, None, randomised=True, within=("group",), seed=0)  # type: ignore[arg-type]
    near = made.moments(np.ones((8, 1)), support)[:, 0]
    overall = 5 / 8
    assert near[:4] == pytest.approx((1 + 10 * overall) / 14)
    assert near[4:] == pytest.approx((4 + 10 * overall) / 14)


def test_a_declared_chance_is_matched_exactly_even_where_the_lever_has_many_values():
    text = "objective: {maximise: y}\nlevers: {offer: {kind: integer, min: 0, max: 40}}\noutcomes: {y: {kind: numeric}}"
    draw = np.random.default_rng(3)
    scenario, offer = declare(text), draw.integers(0, 41, 2000).astype(float)
    table = as_table(scenario, pd.DataFrame({"y": draw.normal(size=2000)}), offer, np.full(2000, 1 / 41))
    support = Support.fit(scenario.space, table.settings)
    assert support.reach[0].width > 0
    judge = Judge(stand_in(scenario, {"y": wrong_alone}, support), table, Declared(table.propensity))
    weight = judge.scores(np.full((2000, 1), 7.0)).weight
    assert weight == pytest.approx(41.0 * (offer == 7))


def wrong_alone(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    return 0 * at[..., 0] + 0 * x.sum(-1)


def test_an_intervals_ends():
    scores = np.array([1.0, 2.0, 3.0, 4.0])
    estimate = Estimate.of(scores)
    assert estimate.error == pytest.approx(np.sqrt(5 / 3) / 2)
    assert estimate.high - estimate.low == pytest.approx(2 * 1.959964 * estimate.error)
