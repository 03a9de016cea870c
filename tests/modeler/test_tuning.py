"""The ladder of sizes: what the scenario sets stays, the lowest held-out loss is taken, climbing stops in time."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import pytest

from drivetrain.errors import UsageError
from drivetrain.modeler import fit
from drivetrain.modeler.searching import search
from drivetrain.modeler.tuning import BUSHES, LADDER, MOST_STEPS, bushes, climb, rungs, told
from drivetrain.scenario import Boosting, Model, Search


def test_what_the_scenario_sets_stays_on_every_rung() -> None:
    tried = rungs(Model(dropout=0.25, batch=32), 1000)
    assert {each.dropout for each in tried} == {0.25}
    assert {each.batch for each in tried} == {32}
    assert [each.layers for each in tried] == [(32,), (64, 32), (200, 100)]  # the first two differ in dropout alone


def test_nothing_is_tried_where_everything_is_set() -> None:
    model = Model(layers=(8,), dropout=0.1, epochs=3, weight_decay=0.0)
    best, tried = climb(rungs(model, 1000), lambda _: pytest.fail("nothing to choose"), told)
    assert told(best) == told(model)
    assert tried == []


def test_large_tables_take_larger_batches_and_fewer_epochs() -> None:
    free = rungs(Model(), 200_000)[-1]
    assert free.batch == 512
    assert free.epochs * 200_000 / 512 <= MOST_STEPS
    assert rungs(Model(epochs=70), 200_000)[-1].epochs == 70


@pytest.mark.parametrize(
    ("losses", "chosen", "many"),
    [((3, 2, 1, 0.5), 3, 4), ((1, 2, 3, 0), 0, 3), ((2, 1, 3, 4), 1, 4), ((3, 4, 2, 5), 2, 4)],
)
def test_the_lowest_loss_wins_and_two_idle_rungs_end_the_climb(
    losses: tuple[float, ...], chosen: int, many: int
) -> None:
    left = iter(losses)
    best, tried = climb(rungs(Model(), 1000), lambda _: next(left), told)
    assert told(best) == {**LADDER[chosen], "batch": 64, "learning_rate": 0.01, "interactions": 4}
    assert [each["loss"] for each in tried] == list(losses[:many])


def test_trees_have_a_ladder_of_their_own() -> None:
    assert [each.leaves for each in bushes(Boosting(), 1000)] == [rung["leaves"] for rung in BUSHES]
    assert {each.rate for each in bushes(Boosting(), 200_000)} == {0.1}
    assert bushes(Boosting(leaves=5, least=9, rate=0.3), 200_000) == [Boosting(leaves=5, least=9, rate=0.3)]


def parabola(size: Model) -> float:
    return (size.dropout - 0.3) ** 2 + math.log10(size.learning_rate / 0.004) ** 2


def test_a_search_begins_at_the_ladder_and_leaves_what_is_set() -> None:
    pytest.importorskip("optuna")
    model = Model(epochs=7, search=Search(trials=25, minutes=60))
    start = rungs(model, 1000)[0]
    tried = [{**told(start), "loss": parabola(start)}]
    best, all_tried = search(model, start, tried, 1000, parabola, 1)
    assert all_tried[0] == tried[0]
    assert len(all_tried) == 26
    assert parabola(best) == min(each["loss"] for each in all_tried) < 0.3 * parabola(start)
    assert best.epochs == 7
    assert (best, all_tried) == search(model, start, tried, 1000, parabola, 1)


def test_a_search_that_finds_nothing_better_changes_nothing() -> None:
    pytest.importorskip("optuna")
    model = Model(search=Search(trials=2, minutes=60))
    start = rungs(model, 1000)[0]
    best, _ = search(model, start, [{**told(start), "loss": -1.0}], 1000, lambda _: 0.0, 1)
    assert best == start


def test_a_search_without_optuna_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"drivetrain\[tune\]"):
        search(Model(search=Search()), Model(), [], 1000, lambda _: 0.0, 1)


def test_the_learning_rate_is_proposed_and_held_out_rows_decide(make: Callable[..., Any]) -> None:
    scenario, table = make(outcomes={"weight": {"kind": "numeric"}})
    left = Model(layers=(16,), dropout=0.0, epochs=4, batch=32, repeats=1, kinds=("two_tower",))
    scenario = scenario.model_copy(update={"model": left})
    told_of = fit(scenario, table).contest["weight"]
    rates = [each["learning_rate"] for each in told_of["sizes_tried"]]
    assert set(rates[:-1]) == {0.01}
    assert 1e-4 < rates[-1] < 1
    best = min(told_of["sizes_tried"], key=lambda each: each["loss"])
    assert told_of["size"]["learning_rate"] == best["learning_rate"]
