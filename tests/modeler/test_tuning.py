"""The ladder of sizes: what the scenario sets stays, the lowest held-out loss is taken, climbing stops in time."""

from __future__ import annotations

import pytest

from drivetrain.modeler.tuning import BUSHES, LADDER, MOST_STEPS, bushes, climb, rungs, told
from drivetrain.scenario import Boosting, Model


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
    assert told(best) == {**LADDER[chosen], "batch": 64}
    assert [each["loss"] for each in tried] == list(losses[:many])


def test_trees_have_a_ladder_of_their_own() -> None:
    assert [each.leaves for each in bushes(Boosting(), 1000)] == [rung["leaves"] for rung in BUSHES]
    assert {each.rate for each in bushes(Boosting(), 200_000)} == {0.1}
    assert bushes(Boosting(leaves=5, least=9, rate=0.3), 200_000) == [Boosting(leaves=5, least=9, rate=0.3)]
