"""Slots of a page against brute force over all sets of options, scored by other code."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.data import alike
from drivetrain.errors import InfeasibleError, ScenarioError
from drivetrain.optimizer import fill, front, frontier, holds_together, optimise, ranking, refereed
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

OPTIONS = ["none", "a", "b", "c", "d"]
WORTH = torch.tensor([[0.0, 3.0, 2.0, -1.0, 1.0], [0.0, 1.0, -2.0, 0.5, 2.5], [0.0, 0.2, 0.1, -1.0, -2.0]])
"""What each of three rows gains from each option, beside 10 with none."""

SLOTS = """\
objective: {maximise: sales}
levers:
  shown: {kind: categorical, options: [none, a, b, c, d], choose: 2NOTHINGDIVERSE}
inputs: {row: {kind: numeric}}
outcomes: {sales: {kind: numeric}}
decide: {unit: UNIT}
constraints: [BOUNDS]
"""


def _declare(bounds: str = "", unit: str = "row", nothing: str = ", do_nothing: none", diverse: str = "") -> Scenario:
    text = SLOTS.replace("BOUNDS", bounds).replace("UNIT", unit).replace("NOTHING", nothing)
    return declare(text.replace("DIVERSE", diverse))


def _simulator(scenario: Scenario) -> Simulator:
    def response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        row, option = torch.broadcast_tensors(x[..., 0].long(), at[..., 0].long())
        return 10 + WORTH.double()[row, option]

    return stand_in(scenario, {"sales": response}, anywhere(scenario.space))


COSTS = np.array([0, 2, 1.5, 0, 1])
SETS = [(0, 0), *combinations(range(5), 2)]
PRICE = "2 * (shown == 'a') + 1.5 * (shown == 'b') + (shown == 'd')"

FRAME = pd.DataFrame({"row": [0.0, 1.0, 2.0]})
ROWS = np.arange(3)


def _chosen(scenario: Scenario, unit: np.ndarray = ROWS) -> list[set[str]]:
    simulator = _simulator(scenario)
    crowd = simulator.crowd(FRAME)
    plan = refereed(simulator, crowd, unit, fill(simulator, crowd, unit))
    assert plan.slots is not None
    return [{OPTIONS[int(code)] for code in row} for row in plan.slots]


def test_each_row_gets_what_adds_most_and_slots_stay_empty_where_nothing_adds() -> None:
    assert _chosen(_declare()) == [{"a", "b"}, {"a", "d"}, {"a", "b"}]
    thin = _declare("{name: dear, each: 10 * (shown == 'b'), at_most: 1}")
    assert _chosen(thin) == [{"a", "d"}, {"a", "d"}, {"a", "none"}]


def test_all_rows_of_a_decision_get_the_same() -> None:
    assert _chosen(_declare(unit="once"), np.zeros(3, dtype=np.int64)) == [{"a", "d"}] * 3


def test_no_more_are_alike_than_declared() -> None:
    diverse = ", diverse: {by: {left: [a, b], right: [c, d]}, most: 1}"
    assert _chosen(_declare(diverse=diverse)) == [{"a", "d"}, {"a", "d"}, {"a", "none"}]


def test_a_group_that_leaves_too_few_is_told() -> None:
    diverse = ", diverse: {by: {all: [none, a, b, c, d]}, most: 1}"
    scenario = _declare(nothing="", diverse=diverse)
    with pytest.raises(InfeasibleError, match="fewer than 2 options that are allowed in 3 of 3 decisions"):
        _chosen(scenario)


@pytest.mark.parametrize("seed", range(6))
def test_sets_under_totals_are_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bound, most = rng.uniform(1.0, 4.0), rng.uniform(0.3, 1.0)
    scenario = _declare(
        f"{{name: budget, total: {PRICE}, at_most: {bound}}}, {{name: few, mean: shown == 'd', at_most: {most}}}"
    )
    worth, best = WORTH.numpy(), -np.inf
    for choice in product(SETS, repeat=3):
        used = sum(COSTS[list(each)].sum() for each in choice)
        if used <= bound + 1e-9 and sum(4 in each for each in choice) / 3 <= most + 1e-9:
            best = max(best, sum(worth[row, list(each)].sum() for row, each in enumerate(choice)))
    simulator = _simulator(scenario)
    crowd = simulator.crowd(FRAME)
    plan = refereed(simulator, crowd, ROWS, fill(simulator, crowd, ROWS, nodes=2000))
    slots = np.asarray(plan.slots, dtype=np.int64)
    assert np.take_along_axis(worth, slots, 1).sum() == pytest.approx(best, abs=1e-5)
    assert plan.gap is not None
    assert plan.gap >= 0


def test_a_bound_that_cannot_be_kept_is_told_with_what_can() -> None:
    scenario = _declare("{name: often, mean: shown == 'a', at_least: 1.5}")
    with pytest.raises(InfeasibleError) as caught:
        _chosen(scenario)
    assert "often.at_least: found 1.5. The highest that any choice of options reaches is 1" in str(caught.value)


def test_a_choice_that_breaks_a_bound_is_seen() -> None:
    simulator = _simulator(_declare("{name: few, mean: shown == 'd', at_most: 0.5}"))
    crowd = simulator.crowd(FRAME)
    assert holds_together(simulator, crowd, np.array([[1.0, 4.0], [1.0, 2.0], [1.0, 2.0]]))
    assert not holds_together(simulator, crowd, np.array([[1.0, 4.0], [4.0, 2.0], [1.0, 2.0]]))


def test_rankings_keep_to_groups_too() -> None:
    diverse = ", diverse: {by: {left: [a, b], right: [c, d]}, most: 1}"
    found = ranking(_simulator(_declare(nothing="", diverse=diverse)), FRAME, 4).settings[..., 0]
    assert [[OPTIONS[int(c)] for c in row if np.isfinite(c)] for row in found] == [
        ["a", "d", "none"], ["d", "a", "none"], ["a", "none", "c"],
    ]  # fmt: skip


EXCLUDED = FRAME.assign(shown_excluded=["a|d", " d ", None])


def test_no_row_gets_what_its_column_excludes() -> None:
    scenario = _declare(diverse=", excluded: bought")
    simulator = _simulator(scenario)
    crowd = simulator.crowd(EXCLUDED)
    plan = refereed(simulator, crowd, ROWS, fill(simulator, crowd, ROWS))
    assert plan.slots is not None
    assert [{OPTIONS[int(code)] for code in row} for row in plan.slots] == [{"b", "none"}, {"a", "c"}, {"a", "b"}]
    assert not holds_together(simulator, crowd, np.array([[2.0, 4.0], [1.0, 3.0], [1.0, 2.0]]))  # row 0 gets d
    ranks = ranking(simulator, EXCLUDED, 3).settings[..., 0]
    assert [[OPTIONS[int(c)] for c in row if np.isfinite(c)] for row in ranks] == [
        ["b", "none", "c"], ["a", "c", "none"], ["a", "b", "none"],
    ]  # fmt: skip
    together = fill(simulator, crowd, np.zeros(3, dtype=np.int64)).slots
    assert together is not None
    assert {OPTIONS[int(code)] for code in together[0]} == {"b", "none"}  # somebody has had a, and somebody d
    with pytest.raises(InfeasibleError, match="fewer than 2 options that are allowed in 1 of 3 decisions"):
        _chosen_of(_declare(nothing="", diverse=", excluded: bought"), ["a|b|c|d", None, None])


def test_one_option_a_row_is_never_an_excluded_one_either() -> None:
    text = SLOTS.replace(", choose: 2NOTHINGDIVERSE", ", excluded: bought").replace("UNIT", "row")
    simulator = _simulator(declare(text.replace("BOUNDS", "")))
    plan = optimise(simulator, simulator.crowd(EXCLUDED), ROWS)
    assert [OPTIONS[int(code)] for code in plan.settings[:, 0]] == ["b", "a", "a"]
    with pytest.raises(InfeasibleError, match=r"levers\.shown\.excluded"):
        optimise(simulator, simulator.crowd(FRAME.assign(shown_excluded=["none|a|b|c|d", None, None])), ROWS)


def _chosen_of(scenario: Scenario, bought: list[str | None]) -> None:
    simulator = _simulator(scenario)
    fill(simulator, simulator.crowd(FRAME.assign(shown_excluded=bought)), ROWS)


def _every_choice() -> np.ndarray:
    """[P, 2] sales beside 10 of nothing, and cost, of all that three rows can get together, their means."""
    pairs = np.array(
        [[[WORTH.numpy()[row, list(each)].sum(), COSTS[list(each)].sum()] for each in SETS] for row in ROWS]
    )
    return np.array([sum(pairs[row, at] for row, at in enumerate(place)) for place in product(range(11), repeat=3)]) / 3


def test_a_front_of_several_options_wastes_nothing_of_all_that_can_be_chosen() -> None:
    text = SLOTS.replace("{maximise: sales}", f"{{maximise: sales, beside: [{{name: cost, minimise: {PRICE}}}]}}")
    text = text.replace("NOTHINGDIVERSE", ", do_nothing: none").replace("UNIT", "row").replace("BOUNDS", "")
    simulator = _simulator(declare(text))
    found = front(simulator, simulator.crowd(FRAME), ROWS, 15)
    every = _every_choice() + np.array([10, 0])
    assert len(found) >= 6
    assert found.settings.shape == (len(found), 3, 2)
    assert found.values[0, 0] == pytest.approx(every[:, 0].max(), abs=1e-4)
    assert found.values[-1, 1] == pytest.approx(0, abs=1e-4)
    for sales, cost in found.values:
        better = (every[:, 0] > sales + 1e-4) & (every[:, 1] <= cost + 1e-4)
        assert not better.any(), every[better]
    everyone = front(simulator, simulator.crowd(FRAME), np.zeros(3, dtype=np.int64), 9)
    shared = everyone.shared(simulator.scenario.space)
    assert shared is not None
    assert list(shared) == ["shown_1", "shown_2"]
    assert set(shared.iloc[0]) == {"a", "d"}


def test_a_frontier_of_several_options_is_the_best_at_every_bound() -> None:
    simulator = _simulator(_declare(f"{{name: budget, total: {PRICE}, at_most: 4}}"))
    found = frontier(simulator, simulator.crowd(FRAME), ROWS, "budget", 8)
    every = _every_choice() * 3
    assert 4 in found.bounds
    assert (np.diff(found.values) >= -1e-9).all()
    for bound, value, spent in zip(found.bounds, found.values, found.spent, strict=True):
        assert spent <= bound + 1e-5
        assert value == pytest.approx(10 + every[every[:, 1] <= bound + 1e-6, 0].max() / 3, abs=1e-4)


def test_a_feature_of_options_makes_groups() -> None:
    features = ", features: {genre: {kind: categorical}}, diverse: {by: genre, most: 1}"
    scenario = _declare(diverse=features)
    genre = {"a": "crime", "b": "crime", "c": "poetry", "d": "poetry"}
    rows = pd.DataFrame({"shown": [*genre, "none"], "genre": [*genre.values(), None]})
    assert alike(scenario, rows) == {"shown": (None, "crime", "crime", "poetry", "poetry")}
    assert _chosen(scenario.resolved({}, alike(scenario, rows))) == [{"a", "d"}, {"a", "d"}, {"a", "none"}]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (", choose: 5", "levers.shown.choose: found 5. It must be below the number of options, which is 5"),
        (", diverse: {by: {x: [a]}, most: 1}", "levers.shown.diverse: found it without choose"),
        (", choose: 2, diverse: {by: genre, most: 1}", "levers.shown.diverse.by: found 'genre'"),
        (", choose: 2, diverse: {by: {x: [a], y: [a]}, most: 1}", "levers.shown.diverse.by.y"),
        (", choose: 2, diverse: {by: {x: [e]}, most: 1}", "found the unknown option 'e'"),
        (", choose: 2, diverse: {by: {x: [a]}, mots: 1}", "found an unknown key"),
    ],
)
def test_strange_slots_are_told(change: str, found: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        declare(SLOTS.replace(", choose: 2NOTHINGDIVERSE", change).replace("UNIT", "row").replace("BOUNDS", ""))
    assert found in str(caught.value)


def test_slots_are_decided_alone() -> None:
    text = SLOTS.replace("inputs:", "  price: {kind: continuous, min: 0, max: 1}\ninputs:")
    with pytest.raises(ScenarioError, match=r"levers\.shown\.choose: found it beside price"):
        declare(text.replace("NOTHINGDIVERSE", "").replace("UNIT", "row").replace("BOUNDS", ""))


def test_fixed_rows_stay_count_in_totals_and_the_rest_is_filled_without_them() -> None:
    scenario = _declare("{name: shown, total: (shown == 'a') + (shown == 'b'), at_most: 2}")
    simulator = _simulator(scenario)
    crowd = simulator.crowd(FRAME)
    free = fill(simulator, crowd, ROWS)
    assert free.slots is not None
    assert [set(row) for row in free.slots.tolist()] == [{1.0, 2.0}, {3.0, 4.0}, {0.0}]  # row 0 takes both
    locked = np.array([[np.nan, np.nan], [1.0, 4.0], [np.nan, np.nan]])
    plan = fill(simulator, crowd, ROWS, locked=locked)
    assert plan.slots is not None
    assert plan.slots[1].tolist() == [1.0, 4.0]
    assert set(plan.slots[0].tolist()) == {1.0, 4.0}  # one of a and b is left, and d adds more than nothing
    assert set(plan.slots[2].tolist()) == {0.0}
    assert plan.method.startswith("1 of 3 rows fixed by people; ")
    assert holds_together(simulator, crowd, plan.slots)
    every = fill(simulator, crowd, ROWS, locked=np.array([[3.0, np.nan]] * 3))
    assert every.slots is not None
    assert every.slots[:, 0].tolist() == [3.0] * 3
    with pytest.raises(InfeasibleError, match="shown"):
        fill(simulator, crowd, ROWS, locked=np.array([[1.0, 2.0], [1.0, 2.0], [np.nan, np.nan]]))
