"""Few events: a policy is told with an interval that holds what it promises, and passed over for others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from drivetrain.evidence import Estimate, Judge, judge
from drivetrain.evidence.backing import effective, events, spoken, unseen_events
from drivetrain.evidence.policies import single_settings
from drivetrain.evidence.propensity import Stratified
from drivetrain.evidence.refit import widened
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

TEXT = """\
objective: {maximise: 2 * click}
levers: {item: {kind: integer, min: 0, max: 2, do_nothing: 0}}
inputs: {x: {kind: numeric}}
outcomes: {click: {kind: binary}}
assignment: {design: randomised}
"""
SCENARIO = declare(TEXT)


def court(item: np.ndarray, click: np.ndarray) -> Judge:
    x = np.random.default_rng(9).normal(size=len(item))
    frame = pd.DataFrame({"x": x, "click": click.astype(float)})
    table = as_table(SCENARIO, frame, item.astype(float))
    support = Support.fit(SCENARIO.space, table.settings)
    simulator = stand_in(SCENARIO, {"click": lambda x, at: 0 * (x[..., 0] + at[..., 0]) + 0.003}, support)
    return Judge(simulator, table, Stratified(table.settings, np.zeros(len(item), dtype=np.int64)))


def test_events_are_counted_by_the_rarer_result_among_rows_that_speak() -> None:
    item, click = np.arange(900) % 3, np.zeros(900)
    click[[0, 3, 6, 1]] = 1  # three clicks of item 0, one of item 1
    asked = court(item, click)
    weight = np.stack([(item == k) * 3.0 for k in range(3)], axis=1)
    assert effective(weight) == pytest.approx([300, 300, 300])
    assert events(asked, weight) == pytest.approx([3, 1, 0])
    assert events(asked, weight[:, 0]) == pytest.approx(3)
    assert spoken(asked, weight).all()  # none has ten: rows decide
    click[(item == 2) & (np.arange(900) < 60)] = 1
    assert spoken(court(item, click), weight).tolist() == [False, False, True]


@pytest.mark.parametrize("expected", [1.0, 3.0, 6.0, 20.0])
def test_intervals_of_rare_events_cover(expected: float) -> None:
    """So many clicks are expected among 300 rows that speak; x ± 1.96 √(x + 2) covers 93.3% at least, 95% about."""
    draw, item, hit, plain = np.random.default_rng(2), np.arange(600) % 2, [], []
    base = court(item, np.zeros(600))
    settings, weight = np.zeros((600, 1)), (item == 0) * 2.0
    for _ in range(400):
        click = (draw.random(600) < expected / 300).astype(float)
        asked = replace(base, table=replace(base.table, frame=base.table.frame.assign(click=click)))
        told = asked.estimate(weight * 2 * click)
        wide = widened(told, unseen_events(asked, settings, weight))
        hit.append(wide.low <= 2 * expected / 300 <= wide.high)
        plain.append(told.low <= 2 * expected / 300 <= told.high)
    assert np.mean(hit) >= 0.92
    assert np.mean(plain) <= np.mean(hit)


def test_the_item_with_a_few_lucky_clicks_is_not_the_best() -> None:
    """Item 2 was shown 60 times and clicked six times; item 1, shown 600 times, was clicked forty times."""
    item = np.repeat([0, 1, 2], [600, 600, 60])
    click = np.zeros(1260)
    click[:25] = click[600:640] = click[1200:1206] = 1
    order = np.random.default_rng(0).permutation(1260)
    asked = court(item[order], click[order])
    assert single_settings(asked).best.tolist() == [1.0]


def test_where_events_are_few_for_all_the_choice_is_told_as_thin() -> None:
    draw = np.random.default_rng(3)
    asked = court(draw.integers(0, 3, 900), draw.random(900) < 0.008)
    found = judge(asked.simulator, asked.table, examined=False)
    assert found.policy("do_nothing").eligible
    assert all(each.thin for each in found.policies if each.name in {"single", "tree", "row"})
    assert found.recommended == "do_nothing"
    own = Estimate.of(asked.scores(np.zeros((900, 1))).total)
    assert found.chosen.estimate.error > own.error
