"""Choices against brute force, and re-scored by code that shares nothing with the optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import event, given, reject, settings, strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from drivetrain.errors import DataError, InfeasibleError, RefusedError, ScenarioError
from drivetrain.optimizer import candidates, decisions, holds, optimise, shortlist
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator, Support
from tests.stand_ins import anywhere, declare, stand_in

KINDS = {
    "price": "{kind: continuous, min: 0, max: 10}",
    "stepped": "{kind: continuous, min: 0, max: 10, step: 0.5}",
    "calls": "{kind: integer, min: 0, max: 6}",
    "channel": "{kind: categorical, options: [post, mail, phone]}",
    "gift": "{kind: yes_no}",
}
FINE = {
    "price": np.linspace(0, 10, 201),
    "stepped": np.linspace(0, 10, 21),
    "calls": np.arange(7.0),
    "channel": np.arange(3.0),
    "gift": np.arange(2.0),
}
SCALE = {"price": 10, "stepped": 10, "calls": 6, "channel": 2, "gift": 1}


@dataclass(frozen=True)
class Made:
    """A random problem, with its truth in numpy."""

    scenario: Scenario
    levers: tuple[str, ...]
    slopes: np.ndarray
    bends: np.ndarray
    kinds: tuple[str, ...]
    bounds: tuple[tuple[float | None, float | None], ...]
    x: np.ndarray
    sign: int

    def outcome(self, at: np.ndarray) -> np.ndarray:
        """At settings [N or 1, G, L] → [N, G]."""
        z = at / np.array([SCALE[name] for name in self.levers])
        peak = 0.5 + 0.1 * self.x[:, None, None]
        return 20 + (self.slopes * self.x[:, None, None] * z - self.bends * (z - peak) ** 2).sum(2)

    def value(self, at: np.ndarray) -> np.ndarray:
        return self.sign * (2 * self.outcome(at) - 0.3 * at[..., 0])

    def use(self, at: np.ndarray, k: int) -> np.ndarray:
        return at.sum(2) + 0 * self.x[:, None] if k == 0 else self.outcome(at) + at[..., 0]

    def simulator(self) -> Simulator:
        scale = torch.tensor([float(SCALE[name]) for name in self.levers], dtype=torch.float64)

        def response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
            z, slope, bend = at / scale, torch.tensor(self.slopes), torch.tensor(self.bends)
            return 20 + (slope * x * z - bend * (z - 0.5 - 0.1 * x) ** 2).sum(-1)

        return stand_in(self.scenario, {"y": response}, anywhere(self.scenario.space))

    def breaks(self, at: np.ndarray) -> float:
        """The worst relative violation of any constraint under one setting a row, [N, L]."""
        worst = 0.0
        for k, (kind, (low, high)) in enumerate(zip(self.kinds, self.bounds, strict=True)):
            use = self.use(at[:, None], k)[:, 0]
            told = {"each": use, "mean": np.array([use.mean()]), "total": np.array([use.sum()])}[kind]
            for bound, over in ((high, told - (high or 0)), (low, (low or 0) - told)):
                worst = max(worst, float(over.max()) / max(1, abs(bound)) if bound is not None else 0.0)
        return worst


@st.composite
def problems(draw: st.DrawFn) -> Made:
    levers = tuple(draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=3, unique=True)))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    x, sign = rng.normal(size=draw(st.integers(4, 20))), draw(st.sampled_from([1, -1]))
    slopes, bends = rng.normal(size=len(levers)), rng.uniform(0, 5, len(levers)) * sign
    kinds = tuple(draw(st.lists(st.sampled_from(["each", "total", "mean"]), max_size=2)))
    blank = Made(None, levers, slopes, bends, kinds, (), x, sign)  # type: ignore[arg-type]
    corner = np.array(list(product(*([0, SCALE[n] / 2, SCALE[n]] for n in levers))))[None]
    bounds = []
    for k, kind in enumerate(kinds):
        use = blank.use(corner, k)
        least, most = (use.min(1).max(), use.max(1).min()) if kind == "each" else (use.min(1).mean(), use.max(1).mean())
        at = least + (most - least) * draw(st.floats(-0.3, 1))
        at *= len(x) if kind == "total" else 1
        bounds.append((None, round(at, 3)) if draw(st.booleans()) or kind == "each" else (round(at, 3), None))
    lines = [f"  - {{name: c{k}, {kind}: {_use(levers, k)}, {_bound(bounds[k])}}}" for k, kind in enumerate(kinds)]
    text = f"objective: {{{'maximise' if sign > 0 else 'minimise'}: 2 * y - 0.3 * {_number(levers[0])}}}\n"
    text += "levers:\n" + "".join(f"  {name}: {KINDS[name]}\n" for name in levers)
    text += "inputs: {x: {kind: numeric}}\noutcomes: {y: {kind: numeric}}\n"
    text += "constraints:\n" + "\n".join(lines) if lines else ""
    try:
        scenario = declare(text, folds=2)
    except ScenarioError:  # a bound on a lever alone, outside its range: refused before anything is asked
        reject()
    return Made(scenario, levers, slopes, bends, kinds, tuple(bounds), x, sign)


def _number(lever: str) -> str:
    return "(channel == 'mail') + 2 * (channel == 'phone')".join("()") if lever == "channel" else lever


def _use(levers: tuple[str, ...], k: int) -> str:
    return " + ".join(map(_number, levers)) if k == 0 else f"y + {_number(levers[0])}"


def _bound(bound: tuple[float | None, float | None]) -> str:
    return f"at_least: {bound[0]}" if bound[0] is not None else f"at_most: {bound[1]}"


def best_choice(made: Made) -> float | None:
    """The best choice over a fine grid, by a mixed-integer programme solved whole; None where there is none."""
    at = np.array(
        list(
            product(
                *(
                    FINE[name] if len(made.levers) == 1 else FINE[name][::8] if name == "price" else FINE[name]
                    for name in made.levers
                )
            )
        )
    )[None]
    values, many = made.value(at), at.shape[1]
    allowed, rows, limits = np.ones(values.shape, dtype=bool), [], []
    for k, (kind, (low, high)) in enumerate(zip(made.kinds, made.bounds, strict=True)):
        use = made.use(at, k)
        if kind == "each":
            allowed &= use <= high + 1e-9
            continue
        scale = len(made.x) if kind == "mean" else 1
        rows.append(use.ravel() if high is not None else -use.ravel())
        limits.append((high if high is not None else -low) * scale)
    place = np.repeat(np.arange(len(values)), many)
    one = coo_array((np.ones(values.size), (place, np.arange(values.size)))).tocsr()
    bounds = [LinearConstraint(one, 1, 1)]
    bounds += [LinearConstraint(np.array(rows), -np.inf, limits)] if rows else []
    answer = milp(
        -values.ravel(),
        constraints=bounds,
        integrality=np.ones(values.size),
        bounds=Bounds(0, allowed.ravel().astype(float)),
        options={"mip_rel_gap": 1e-3},
    )
    return None if answer.x is None else -answer.fun


@given(problems())
@settings(max_examples=50, deadline=None)
def test_answers_match_brute_force_and_keep_their_constraints(made: Made) -> None:
    simulator = made.simulator()
    crowd = simulator.crowd(pd.DataFrame({"x": made.x}))
    best = best_choice(made)
    try:
        plan = optimise(simulator, crowd, np.arange(len(made.x)))
    except InfeasibleError as error:
        plan = error
    if isinstance(plan, InfeasibleError):
        assert plan.exit_code == 4
        assert "constraints" in str(plan)
        event(f"infeasible; brute force {'agrees' if best is None else 'finds one'}")
        assert best is None
        return
    got = float(made.value(plan.settings[:, None]).sum())
    assert made.breaks(plan.settings) <= 1e-6
    claimed = simulator.paired(crowd, plan.settings)
    assert made.sign * float(claimed.mean().sum()) == pytest.approx(got, rel=1e-5)
    event("feasible; brute force agrees" if best is not None else "feasible between brute force's steps")
    if best is not None:
        assert got >= best - 0.01 * abs(best)


SMALL = """\
objective: {maximise: 10 * y - price}
levers: {price: {kind: continuous, min: 0, max: 10}}
inputs: {x: {kind: numeric}, region: {kind: numeric, bins: [1.5, 2.5]}}
outcomes: {y: {kind: numeric}}
"""


def parabola(peak: float, bend: float = 1.0):
    return lambda x, at: -bend * (at[..., 0] - peak - x[..., 0]) ** 2 / 10


def small(more: str = "", peak: float = 4.0) -> Simulator:
    scenario = declare(SMALL + more)
    return stand_in(scenario, {"y": parabola(peak)}, anywhere(scenario.space))


def test_refinement_finds_the_top_between_candidates_and_never_loses() -> None:
    simulator, x = small(), np.linspace(-1, 1, 50)
    crowd = simulator.crowd(pd.DataFrame({"x": x, "region": 0.0}))
    plan = optimise(simulator, crowd, np.arange(50))
    assert plan.settings[:, 0] == pytest.approx(4 + x - 0.5, abs=0.01)
    assert "refined" in plan.method


def test_refinement_under_a_total_gains_and_keeps_it() -> None:
    simulator = small("constraints: [{name: spend, total: price, at_most: 100}]")
    x = np.random.default_rng(0).normal(size=40)
    crowd = simulator.crowd(pd.DataFrame({"x": x, "region": 0.0}))
    plan = optimise(simulator, crowd, np.arange(40))
    assert plan.settings.sum() <= 100 * (1 + 1e-6)
    price = (2 * (x + 4 - 0.5).sum() - 2 * 100) / 40
    best = np.clip(x + 4 - 0.5 - price / 2, 0, 10)
    value = lambda at: (-((at - 4 - x) ** 2) - at).sum()  # noqa: E731
    assert value(plan.settings[:, 0]) >= value(best) * (1 + 0.01 * np.sign(-value(best)))
    assert plan.shadow_prices["spend"] == pytest.approx(price, rel=0.1)


def test_shadow_prices_count_in_the_bounds_own_unit() -> None:
    crowd_of = pd.DataFrame({"x": np.linspace(-1, 1, 40), "region": 0.0})
    found = {}
    for kind, bound in (("total", 100), ("mean", 2.5)):
        simulator = small(f"constraints: [{{name: spend, {kind}: price, at_most: {bound}}}]")
        found[kind] = optimise(simulator, simulator.crowd(crowd_of), np.arange(40)).shadow_prices["spend"]
    assert found["mean"] == pytest.approx(40 * found["total"], rel=1e-3)


def test_two_bounds_of_one_constraint() -> None:
    simulator = small("constraints: [{name: spend, mean: price, at_most: 6.1, at_least: 6}]")
    crowd = simulator.crowd(pd.DataFrame({"x": np.zeros(30), "region": 0.0}))
    plan = optimise(simulator, crowd, np.arange(30))
    assert 6 - 1e-5 <= plan.settings.mean() <= 6.1
    assert plan.shadow_prices["spend"] > 0  # the lower bound binds, and loosening it gains


def test_totals_are_bounded_in_proportion_to_the_rows() -> None:
    simulator = small("constraints: [{name: spend, total: price, at_most: 100}]")
    crowd = simulator.crowd(pd.DataFrame({"x": np.zeros(20), "region": 0.0}))
    plan = optimise(simulator, crowd, np.arange(20), share=0.5)
    assert 45 <= plan.settings.sum() <= 50 + 1e-4


def test_units_get_one_setting_each_and_missing_values_are_a_segment() -> None:
    scenario = declare(SMALL + "decide: {unit: segment, by: [region]}")
    frame = pd.DataFrame({"x": [0.0, 1.0, 0.0, 3.0, 5.0], "region": [1.0, 1.0, 2.0, np.nan, np.nan]})
    unit = decisions(scenario, frame)
    assert len(set(unit)) == 3
    assert unit[0] == unit[1] != unit[2]
    assert unit[3] == unit[4]
    simulator = stand_in(scenario, {"y": parabola(2)}, anywhere(scenario.space))
    plan = optimise(simulator, simulator.crowd(frame), unit)
    assert plan.settings[:, 0] == pytest.approx([2, 2, 1.5, 5.5, 5.5], abs=0.02)


def test_what_cannot_be_computed_is_never_picked_and_never_silent() -> None:
    scenario = declare(SMALL.replace("10 * y - price", "10 * y - log(price)"))
    simulator = stand_in(scenario, {"y": parabola(0)}, anywhere(scenario.space))
    plan = optimise(simulator, simulator.crowd(pd.DataFrame({"x": [0.0], "region": [0.0]})), np.arange(1))
    assert plan.settings[0, 0] > 0  # log(0) is −∞, and so 10·y − log(0) is +∞
    scenario = declare(SMALL.replace("10 * y - price", "10 * y - price * region"))
    simulator = stand_in(scenario, {"y": parabola(0)}, anywhere(scenario.space))
    crowd = simulator.crowd(pd.DataFrame({"x": [0.0, 0.0], "region": [np.nan, 1.0]}))
    with pytest.raises(DataError, match=r"in 1 of 2 decisions.*region"):
        optimise(simulator, crowd, np.arange(2))


def test_a_missing_value_in_a_constraint_keeps_none() -> None:
    simulator = small("constraints: [{name: cap, each: price * region, at_most: 5}]")
    crowd = simulator.crowd(pd.DataFrame({"x": [0.0, 0.0], "region": [np.nan, 1.0]}))
    with pytest.raises(DataError, match="1 of 2"):
        optimise(simulator, crowd, np.arange(2))
    assert not holds(simulator, crowd, np.array([[1.0], [1.0]]))


def test_a_bound_that_float32_cannot_hit_is_still_kept() -> None:
    simulator = small("constraints: [{name: big, each: 123456.7 * price, at_most: 1234567, at_least: 1234567}]")
    crowd = simulator.crowd(pd.DataFrame({"x": [0.0], "region": [0.0]}))
    assert optimise(simulator, crowd, np.arange(1)).settings[0, 0] == pytest.approx(10, rel=1e-5)


def test_rows_without_room_are_counted() -> None:
    simulator = small("constraints: [{name: cap, each: price * region, at_least: 20}]")
    crowd = simulator.crowd(pd.DataFrame({"x": [0.0] * 3, "region": [1.0, 2.0, 5.0]}))
    with pytest.raises(InfeasibleError, match="1 of 3 decisions"):
        optimise(simulator, crowd, np.arange(3))


def test_no_single_setting_need_meet_what_each_row_can() -> None:
    more = "constraints: [{name: near, each: price - 5 * region, at_most: 1, at_least: -1}]"
    frame = pd.DataFrame({"x": [0.0, 0.0], "region": [0.0, 1.0]})
    simulator = small(more)
    listed, feasible = shortlist(simulator, simulator.crowd(frame), 20)
    assert not feasible
    assert len(listed) > 0
    plan = optimise(simulator, simulator.crowd(frame), np.arange(2))
    assert holds(simulator, simulator.crowd(frame), plan.settings)
    once = small(more + "\ndecide: {unit: once}")
    with pytest.raises(InfeasibleError):
        shortlist(once, once.crowd(frame), 20)


def test_candidates_fill_their_budget_without_doubles_and_stay_in_support() -> None:
    two = declare(
        "objective: {maximise: y}\nlevers:\n  a: {kind: continuous, min: 0, max: 1}\n"
        "  b: {kind: continuous, min: 0, max: 1}\n  c: {kind: yes_no}\noutcomes: {y: {kind: numeric}}\n"
    )
    tried = candidates(two.space, anywhere(two.space))
    assert 3500 <= len(tried) <= 4096
    assert len(np.unique(tried, axis=0)) == len(tried)
    logged = np.random.default_rng(0).uniform(0.2, 0.6, (2000, 3)).round(3)
    logged[:, 2] = logged[:, 2] > 0.5
    support = Support.fit(two.space, logged)
    within = candidates(two.space, support)
    assert within[:, :2].min() >= 0.199
    assert within[:, :2].max() <= 0.601
    few = Support.fit(two.space, logged[:5])
    with pytest.raises(RefusedError, match="no support"):
        candidates(two.space, few)


def test_rows_that_decide_alone_decide_as_rows_in_a_table_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """One way streams, the other holds all decisions × settings: the same answers."""
    x = np.random.default_rng(1).normal(size=300)
    simulator = small("constraints: [{name: low, each: price + x, at_most: 5}]")
    crowd = simulator.crowd(pd.DataFrame({"x": x, "region": 0.0}))
    streamed = optimise(simulator, crowd, np.arange(300))
    monkeypatch.setattr("drivetrain.optimizer.choice._alone", lambda *_: False)
    assert np.array_equal(optimise(simulator, crowd, np.arange(300)).settings, streamed.settings)


def test_a_lever_with_steps_is_tried_at_each_of_them() -> None:
    scenario = declare(SMALL.replace("max: 10", "max: 10, step: 0.05"))
    simulator = stand_in(scenario, {"y": parabola(4.0)}, anywhere(scenario.space))
    x = np.linspace(-1, 1, 50)
    plan = optimise(simulator, simulator.crowd(pd.DataFrame({"x": x, "region": 0.0})), np.arange(50))
    assert plan.method == "201 settings tried for every decision"
    assert np.abs(plan.settings[:, 0] - (4 + x - 0.5)).max() <= 0.025 + 1e-9


GROUPED = """\
objective: {maximise: y - price}
levers: {price: {kind: continuous, min: 0, max: 10, step: 1}}
inputs: {x: {kind: numeric}, region: {kind: numeric, bins: [0.5, 1.5]}, size: {kind: numeric}}
outcomes: {y: {kind: numeric}}
constraints:
"""


def grouped_world(constraints: str, many: int = 12) -> tuple[Simulator, pd.DataFrame]:
    scenario = declare(GROUPED + constraints)
    draw = np.random.default_rng(many)
    frame = pd.DataFrame(
        {"x": draw.uniform(0, 4, many), "region": np.arange(many) % 3.0, "size": draw.uniform(1, 3, many)}
    )
    return stand_in(scenario, {"y": lambda x, at: x[..., 0] * at[..., 0]}, anywhere(scenario.space)), frame


def referee(frame: pd.DataFrame, rows: list[np.ndarray], limits: list[float]) -> float:
    """The best Σ (x − 1) · price under Σ rows · use ≤ limits, each use [N, 11], by a programme solved whole."""
    price = np.arange(11.0)
    values = (frame["x"].to_numpy()[:, None] - 1) * price
    place = np.repeat(np.arange(len(frame)), 11)
    one = coo_array((np.ones(values.size), (place, np.arange(values.size))))
    answer = milp(
        -values.ravel(),
        constraints=[
            LinearConstraint(one.tocsr(), 1, 1),
            LinearConstraint(np.array([r.ravel() for r in rows]), -np.inf, limits),
        ],
        integrality=np.ones(values.size),
        bounds=Bounds(0, 1),
    )
    return -float(answer.fun)


@pytest.mark.parametrize("beside", [False, True])
def test_groups_are_bounded_each_by_itself(beside: bool) -> None:
    more = "  - {name: all, total: price, at_most: 30}\n" if beside else ""
    known, frame = grouped_world(
        "  - {name: quota, total: price, by: [region], at_most: {below 0.5: 12, 1.5 and above: 7}}\n" + more
    )
    plan = optimise(known, known.crowd(frame), np.arange(12))
    price, region = np.tile(np.arange(11.0), (12, 1)), frame["region"].to_numpy()
    rows, limits = [price * (region == 0)[:, None], price * (region == 2)[:, None]], [12.0, 7.0]
    if beside:
        rows, limits = [*rows, price], [*limits, 30.0]
    got = plan.settings[:, 0]
    assert got[region == 0].sum() <= 12
    assert got[region == 2].sum() <= 7
    value = float(((frame["x"] - 1) * got).sum())
    assert value == pytest.approx(referee(frame, rows, limits), rel=1e-5)
    assert set(plan.shadow_prices) == {"quota (below 0.5)", "quota (1.5 and above)"} | ({"all"} if beside else set())
    assert holds(known, known.crowd(frame), plan.settings)


def test_a_mean_within_each_group_is_that_of_its_rows() -> None:
    known, frame = grouped_world("  - {name: usual, mean: price, by: [region], at_most: 3, at_least: 2}", 30)
    plan = optimise(known, known.crowd(frame), np.arange(30))
    means = pd.Series(plan.settings[:, 0]).groupby(frame["region"]).mean()
    assert (means <= 3 + 1e-9).all()
    assert (means >= 2 - 1e-9).all()


@pytest.mark.parametrize("key", ["at_most", "at_least"])
def test_a_ratio_of_totals_is_kept_and_as_good_as_the_referee(key: str) -> None:
    bound = 3.0 if key == "at_most" else 6.0
    known, frame = grouped_world(f"  - {{name: load, ratio: {{of: price * size, to: size + y}}, {key}: {bound / 10}}}")
    plan = optimise(known, known.crowd(frame), np.arange(12))
    size, x, price = frame["size"].to_numpy(), frame["x"].to_numpy(), plan.settings[:, 0]
    ratio = (price * size).sum() / (size + x * price).sum()
    sign = 1 if key == "at_most" else -1
    assert sign * ratio <= sign * bound / 10 + 1e-6
    grid = np.arange(11.0)
    use = sign * (size[:, None] * grid - bound / 10 * (size[:, None] + x[:, None] * grid))
    assert float(((x - 1) * price).sum()) == pytest.approx(referee(frame, [use], [0.0]), rel=1e-4)
    assert "load" in plan.shadow_prices


def test_a_share_is_the_mean_of_a_yes_or_no() -> None:
    scenario = declare(
        "objective: {maximise: y - 3 * gift}\nlevers: {gift: {kind: yes_no}}\ninputs: {x: {kind: numeric}}\n"
        "outcomes: {y: {kind: numeric}}\nconstraints: [{name: reach, mean: gift, at_least: 0.25}]\n"
    )
    known = stand_in(scenario, {"y": lambda x, at: x[..., 0] * at[..., 0]}, anywhere(scenario.space))
    frame = pd.DataFrame({"x": np.linspace(0, 2, 20)})
    plan = optimise(known, known.crowd(frame), np.arange(20))
    assert plan.settings[:, 0].tolist() == [0.0] * 15 + [1.0] * 5
    assert plan.shadow_prices["reach"] == pytest.approx(20 * 1.5, rel=0.1)


def test_units_that_straddle_groups_count_in_each() -> None:
    known, frame = grouped_world("  - {name: quota, total: price, by: [region], at_most: 9}")
    plan = optimise(known, known.crowd(frame), np.arange(12) // 4)
    assert all(plan.settings[frame["region"].to_numpy() == region].sum() <= 9 for region in range(3))
    assert len(np.unique(plan.settings[:4])) == 1


def test_the_certificate_is_the_share_that_a_better_choice_could_add() -> None:
    x = np.random.default_rng(3).normal(size=400)
    free = small()
    assert optimise(free, free.crowd(pd.DataFrame({"x": x, "region": 0.0})), np.arange(400)).gap == 0
    bound = small("constraints: [{name: spend, total: price, at_most: 1000}]")
    plan = optimise(bound, bound.crowd(pd.DataFrame({"x": x, "region": 0.0})), np.arange(400))
    assert plan.gap is not None
    assert 0 <= plan.gap <= 1e-4
