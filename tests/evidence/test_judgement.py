"""Which policy is recommended, on made scores and on worlds whose best policy is known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.data import Rows, Table
from drivetrain.decisions import recommend
from drivetrain.errors import DataError, InfeasibleError, RefusedError
from drivetrain.evidence import Estimate, Evidence, Judge, Sample, judge, judgement
from drivetrain.evidence.choosing import Rivals, simplest
from drivetrain.evidence.curve import Point, near
from drivetrain.evidence.effects import effects
from drivetrain.evidence.propensity import propensity
from drivetrain.evidence.value import Scores
from drivetrain.evidence.worth import Judged
from drivetrain.simulator import Simulator, Support
from tests.stand_ins import as_table, declare, stand_in

TEXT = """\
objective: {maximise: 10 * y - price}
levers: {price: {kind: integer, min: 0, max: 4, do_nothing: 0}}
inputs: {x: {kind: numeric}, region: {kind: numeric, bins: [0.5, 1.5, 2.5]}}
outcomes: {y: {kind: numeric}}
assignment: {design: randomised}
"""


def truth(x, at):
    """The best price is 1 where x is below 0 and 3 above; with `flat` x both serve alike."""
    return 1 - 0.2 * (at[..., 0] - 2 - torch.sign(x[..., 0])) ** 2


def nothing_matters(x, at):
    return 0 * x[..., 0] + 1 - 0.2 * (at[..., 0] - 2) ** 2


def world(text: str = TEXT, response=truth, rows: int = 1500, noise: float = 0.5) -> tuple[Simulator, Table]:
    draw, scenario = np.random.default_rng(11), declare(text)
    frame = pd.DataFrame({"x": draw.normal(size=rows), "region": draw.integers(0, 4, rows).astype(float)})
    price = draw.integers(0, 5, rows).astype(float)
    x = torch.tensor(frame[list(scenario.inputs)].to_numpy())
    frame["y"] = response(x, torch.tensor(price[:, None])).numpy() + noise * draw.normal(size=rows)
    table = as_table(scenario, frame, price)
    return stand_in(scenario, {"y": response}, Support.fit(scenario.space, table.settings)), table


def value(evidence: Evidence, name: str) -> float:
    return evidence.policy(name).estimate.value


def test_groups_win_where_two_kinds_of_rows_differ():
    simulator, table = world()
    evidence = judge(simulator, table)
    assert evidence.recommended == "tree"
    assert evidence.tree is not None
    assert [evidence.tree.nodes[leaf].setting for leaf in evidence.tree.leaves] == [(1.0,), (3.0,)]
    assert evidence.tree.nodes[0].at_most == pytest.approx(0, abs=0.05)
    decided = recommend(simulator, evidence, table)
    assert decided.plan.settings == pytest.approx(evidence.tree.settings(table.frame))
    assert "2 groups" in decided.plan.method
    assert evidence.chosen.estimate.low <= 10 - 2 <= evidence.chosen.estimate.high  # half pays 1, half pays 3
    assert all(evidence.gains[name].low > 0 for name in ("current", "do_nothing", "single"))
    assert evidence.gains["row"].value == pytest.approx(0, abs=0.1)
    assert evidence.grade == "randomised"
    assert not evidence.policy("current").eligible


def test_one_setting_suffices_where_rows_do_not_differ():
    evidence = judge(*world(response=nothing_matters))
    assert evidence.recommended == "single"
    assert evidence.single == (2.0,)
    recommended = recommend(*[world(response=nothing_matters)[0]], evidence, world(response=nothing_matters)[1])
    assert set(recommended.frame["price"]) == {2}


def test_curves_and_ranges_keep_to_a_levers_steps():
    """The data shows prices between the steps: nothing is told of them."""
    scenario = declare(TEXT.replace("kind: integer, min: 0, max: 4", "kind: continuous, min: 0, max: 4, step: 0.5"))
    draw, rows = np.random.default_rng(11), 600
    frame = pd.DataFrame({"x": draw.normal(size=rows), "region": draw.integers(0, 4, rows).astype(float)})
    price = draw.uniform(0, 4, rows)
    frame["y"] = 1 - 0.2 * (price - 2) ** 2 + 0.5 * draw.normal(size=rows)
    table = as_table(scenario, frame, price)
    evidence = judge(stand_in(scenario, {"y": nothing_matters}, Support.fit(scenario.space, table.settings)), table)
    assert {point.setting % 0.5 for point in evidence.curve} == {0}
    assert len(evidence.curve) > 5
    assert evidence.near["price"][0] % 0.5 == evidence.near["price"][1] % 0.5 == 0


def test_a_single_setting_that_does_nothing_is_told_as_doing_nothing():
    """Else the gain of a setting over itself would be told: what other folds' settings are worth less than it."""
    simulator, table = world(TEXT.replace("do_nothing: 0", "do_nothing: 2"), response=nothing_matters)
    evidence = judge(simulator, table)
    assert (evidence.single, evidence.recommended) == ((2.0,), "do_nothing")
    known = [replace(each, eligible=True) for each in evidence.policies]
    for single, left in ((2.0, {"single"}), (3.0, set())):
        valued: Any = SimpleNamespace(judged=known, single=np.array([single]))
        court: Any = SimpleNamespace(simulator=simulator)
        assert {each.name for each in known} - {each.name for each in judgement.distinct(court, valued)} == left


def test_minimising_mirrors_maximising():
    simulator, table = world()
    up = judge(simulator, table)
    down = judge(*world(TEXT.replace("maximise: 10 * y - price", "minimise: price - 10 * y")))
    assert down.recommended == up.recommended
    assert down.single == up.single
    for name in ("do_nothing", "single", "row", "current"):
        assert value(down, name) == pytest.approx(-value(up, name), abs=1e-5)
        assert down.policy(name).naive == pytest.approx(-up.policy(name).naive, abs=1e-5)
    for name, gain in up.gains.items():
        assert down.gains[name].value == pytest.approx(gain.value, abs=1e-5)
        assert down.gain_corrections[name].value == pytest.approx(up.gain_corrections[name].value, abs=1e-5)
    assert down.near == up.near
    for a, b in zip(down.curve, up.curve, strict=True):
        assert (a.setting, a.loss.value) == pytest.approx((b.setting, b.loss.value), abs=1e-5)


def test_an_observed_policy_may_be_kept():
    """History already did the best: nothing clearly beats it, so it stays, broken only by a rule that it breaks."""
    text = TEXT.replace("randomised", "observational") + "decide: {unit: segment, by: [region]}\n"
    scenario, draw = declare(text), np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.normal(size=1200), "region": draw.integers(0, 4, 1200).astype(float)})
    best = 2 + np.sign(frame["x"].to_numpy())
    price = np.where(draw.random(1200) < 0.8, best, draw.integers(0, 5, 1200)).astype(float)
    frame["y"] = truth(torch.tensor(frame.to_numpy()), torch.tensor(price[:, None])).numpy() + draw.normal(size=1200)
    table = as_table(scenario, frame, np.where(draw.random(1200) < 0.01, 2.0, best))
    table = replace(table, settings=price[:, None])
    simulator = stand_in(scenario, {"y": nothing_matters}, Support.fit(scenario.space, table.settings))
    kept = judge(simulator, table)
    assert kept.policy("current").eligible
    assert kept.recommended == "current"
    assert kept.grade == "adjusted"
    rows = Rows(frame, table.settings, table.row, (), "", "made")
    assert recommend(simulator, kept, rows).plan.settings == pytest.approx(table.settings)
    blank = replace(rows, settings=np.full((1200, 1), np.nan))
    with pytest.raises(DataError, match="no current setting"):
        recommend(simulator, kept, blank)
    barred = declare(text + "constraints: [{name: cap, each: price, at_most: 2}]")
    other = stand_in(barred, {"y": nothing_matters}, simulator.support)
    assert not judge(other, table).policy("current").eligible


def test_a_budget_is_shared_by_folds_and_sealed_rows_alike():
    text = TEXT + "constraints: [{name: spend, total: price, at_most: 1500}]"
    simulator, table = world(text)
    sealed = replace(table, fold=np.where(np.arange(len(table)) % 5 == 0, -1, table.fold))
    evidence = judge(simulator, sealed)
    assert evidence.recommended == "row"
    # A mean price of 1, not of 1.25: what the training rows may spend is their share of the budget.
    spent = recommend(simulator, evidence, sealed).plan.settings.mean()
    assert spent == pytest.approx(1, abs=1e-3)
    promised = evidence.chosen.naive
    best = simulator.paired(simulator.crowd(table.frame), recommend(simulator, evidence, table).plan.settings)
    assert promised == pytest.approx(float(best.mean().mean()), rel=0.02)


def test_rows_may_have_room_where_no_single_setting_has():
    text = TEXT + "constraints: [{name: near, each: price - region, at_most: 0, at_least: 0}]"
    evidence = judge(*world(text))
    assert evidence.recommended == "tree"  # a group for each region, each with the one price that it allows
    assert evidence.tree is not None
    assert len(evidence.tree.leaves) == 4
    assert evidence.policy("tree").estimate.value == pytest.approx(value(evidence, "row"), abs=0.01)
    assert not evidence.policy("single").eligible
    assert not evidence.policy("do_nothing").eligible
    with pytest.raises(InfeasibleError):
        judge(*world(text + "\ndecide: {unit: once}"))


@pytest.mark.parametrize(("unit", "name"), [("{unit: once}", None), ("{unit: segment, by: [region]}", "segment")])
def test_every_decision_unit_is_judged(unit: str, name: str | None):
    simulator, table = world(TEXT + f"decide: {unit}")
    evidence = judge(simulator, table)
    assert [judged.name for judged in evidence.policies] == [
        "current",
        "do_nothing",
        "single",
        *([name] if name else []),
    ]
    assert evidence.recommended == "single"


def test_formulas_alone_need_no_outcome():
    text = """\
objective: {maximise: price * (x + 4 - price)}
levers: {price: {kind: continuous, min: 0, max: 4, do_nothing: 0}}
inputs: {x: {kind: numeric}}
"""
    draw, scenario = np.random.default_rng(2), declare(text)
    frame = pd.DataFrame({"x": draw.uniform(-1, 1, 300)})
    table = as_table(scenario, frame, draw.uniform(0, 4, 300))
    simulator = stand_in(scenario, {}, Support.fit(scenario.space, table.settings))
    evidence = judge(simulator, table)
    assert evidence.recommended == "tree"  # eight groups come within a hundredth of it
    evidence = replace(evidence, recommended="row", gains=evidence.gains | {"tree": Estimate(0, 0)})
    best = ((frame["x"] + 4) ** 2 / 4).mean()
    assert value(evidence, "row") == pytest.approx(best, rel=1e-3)
    made = recommend(simulator, evidence, table)
    assert made.frame["price"].to_numpy() == pytest.approx((frame["x"] + 4).to_numpy() / 2, abs=0.01)
    assert made.promise.total.value == pytest.approx(300 * best, rel=1e-3)


def test_what_cannot_be_computed_is_told():
    simulator, table = world(TEXT.replace("10 * y - price", "10 * y - price * region"))
    table.frame.loc[[3, 7], "region"] = np.nan
    with pytest.raises(DataError, match=r"2 of 1,500 rows.*region"):
        judge(simulator, table)


def test_a_policy_for_which_no_row_speaks_is_not_recommended():
    """History gave 0 below and 4 above, never otherwise: nobody knows what the opposite would do."""
    text = TEXT.replace("randomised", "observational").replace("do_nothing: 0", "do_nothing: 4")
    scenario, draw = declare(text), np.random.default_rng(4)
    frame = pd.DataFrame({"x": draw.normal(size=900), "region": 0.0})
    price = np.where(frame["x"] > 0, 4.0, 0.0)
    frame["y"] = draw.normal(size=900)
    table = as_table(scenario, frame, price)

    def opposite(x, at):
        return torch.where((x[..., 0] > 0) == (at[..., 0] < 2), 9.0, 0.0)

    simulator = stand_in(scenario, {"y": opposite}, Support.fit(scenario.space, table.settings))
    evidence = judge(simulator, table)
    assert evidence.policy("row").effective < 10
    assert not evidence.policy("row").eligible
    assert evidence.recommended != "row"


def made(**parts: tuple[float, float]) -> tuple[list[Judged], dict[str, Scores]]:
    """Policies whose scores have a mean and a spread of their own, independent of each other."""
    draw = np.random.default_rng(0)
    noise = {name: draw.normal(size=400) for name in parts}
    scores = {
        name: Scores(mean + spread * (noise[name] - noise[name].mean()), np.zeros(400), np.ones(400))
        for name, (mean, spread) in parts.items()
    }
    judged = [Judged(n, Estimate.of(s.total), 0.0, Estimate(0, 0), 400.0, True) for n, s in scores.items()]
    return judged, scores


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"do_nothing": (1, 1), "single": (1.02, 1), "row": (1.05, 1)}, "do_nothing"),
        # One standard error of the difference is 0.07.
        ({"do_nothing": (1, 1), "single": (1.1, 1), "row": (1.12, 1)}, "single"),
        ({"do_nothing": (1, 1), "single": (2, 1), "row": (2.05, 1)}, "single"),
        ({"do_nothing": (1, 1), "single": (2, 1), "row": (3, 1)}, "row"),
        ({"do_nothing": (1, 1), "single": (1.1, 1), "row": (1.4, 1)}, "row"),
        # Too uncertain to be beaten is no reason to leave what is known.
        ({"current": (1, 0.1), "do_nothing": (0.5, 40), "row": (2, 0.1)}, "row"),
        ({"current": (3, 1), "do_nothing": (1, 1), "single": (2, 1), "row": (2, 1)}, "current"),
    ],
)
def test_the_simplest_policy_that_is_not_clearly_beaten(parts, expected):
    judged, scores = made(**parts)
    assert simplest(judged, Rivals(scores, 1, Sample(400)), np.arange(400), np.arange(400)) == expected
    mirrored = {name: replace(each, direct=-each.direct) for name, each in scores.items()}
    assert simplest(judged, Rivals(mirrored, -1, Sample(400)), np.arange(400), np.arange(400)) == expected


def test_what_may_not_be_recommended_is_passed_over():
    judged, scores = made(current=(5, 1), single=(1, 1), row=(1, 1))
    barred = [replace(each, eligible=each.name != "current") for each in judged]
    assert simplest(barred, Rivals(scores, 1, Sample(400)), np.arange(400), np.arange(400)) == "single"
    none = [replace(each, eligible=False) for each in judged]
    with pytest.raises(InfeasibleError, match="no policy"):
        simplest(none, Rivals(scores, 1, Sample(400)), np.arange(400), np.arange(400))
    few = [replace(each, effective=3.0) for each in none]
    with pytest.raises(RefusedError, match="effective rows"):
        simplest(few, Rivals(scores, 1, Sample(400)), np.arange(400), np.arange(400))


@pytest.mark.parametrize("sign", [1, -1])
def test_near_is_the_unbroken_run_around_the_best_single_setting(sign: int):
    scenario = declare(TEXT)
    loss = {0: 0.5, 1: 0.004, 2: 0.0, 3: 0.3, 4: 0.001}
    points = [
        Point("price", float(at), Estimate(sign * (1 - lost), 0.01), Estimate(lost, 0.02 if at == 1 else 1e-4), 0.0)
        for at, lost in loss.items()
    ]
    assert near(scenario, points, np.array([2.0])) == {"price": (1.0, 2.0, True)}
    assert near(scenario, points, np.array([4.0])) == {"price": (4.0, 4.0, False)}


@pytest.mark.parametrize("design", ["randomised, within: [region]", "observational"])
def test_the_effect_of_acting_survives_a_wrong_model(design: str):
    """Acting is more common where x (or the region) is high, which by itself raises y; the effect is 0.5."""
    scenario, draw = declare(TEXT.replace("randomised", design)), np.random.default_rng(8)
    region = draw.integers(0, 4, 6000).astype(float)
    acts = draw.random(6000) < 0.2 + 0.2 * region
    price = np.where(acts, draw.integers(1, 5, 6000), 0).astype(float)
    frame = pd.DataFrame({"x": draw.normal(size=6000), "region": region})
    frame["y"] = region + 0.5 * acts + draw.normal(size=6000)
    table = as_table(scenario, frame, price)
    simulator = stand_in(scenario, {"y": nothing_matters}, Support.fit(scenario.space, table.settings))
    inputs = simulator.models.inputs
    within = scenario.assignment.within
    chances = propensity(table, simulator.support, inputs, randomised=bool(within), within=within, seed=0)
    (effect,) = effects(Judge(simulator, table, chances))
    assert frame["y"][acts].mean() - frame["y"][~acts].mean() > 1.3
    assert effect.estimate.low <= 0.5 <= effect.estimate.high
    assert effect.acting == pytest.approx(acts.mean())


def test_a_promise_for_new_rows_is_corrected_by_what_was_learned_of_the_models():
    """Models that promise 1 too much for every row: the promise for new rows takes it back."""
    simulator, table = world(noise=0.2)

    def rosy(x, at):
        return truth(x, at) + 0.1

    liar = stand_in(simulator.scenario, {"y": rosy}, simulator.support)
    evidence = judge(liar, table)
    assert evidence.chosen.naive == pytest.approx(evidence.chosen.estimate.value + 1, abs=0.2)
    x = np.random.default_rng(99).normal(size=500)
    new = Rows(pd.DataFrame({"x": x, "region": 0.0}), np.full((500, 1), np.nan), np.arange(500), (), "", "new")
    told = recommend(liar, evidence, new)
    price = 2 + np.sign(x)
    real = float((10 - price).sum())
    assert told.promise.total.low <= real <= told.promise.total.high
    nothing = float((10 * (1 - 0.2 * price**2)).sum())
    assert told.promise.against == "do_nothing"
    assert told.promise.gain is not None
    assert told.promise.gain.low <= real - nothing <= told.promise.gain.high
    assert told.frame["row"].tolist() == list(range(1, 501))
    with pytest.raises(DataError, match="no rows"):
        recommend(liar, evidence, new.subset(np.zeros(500, dtype=bool)))
