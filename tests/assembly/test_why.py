"""Why a decision, and what limits cost: parts add up, answers are those of other code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain.errors import InfeasibleError, UsageError
from drivetrain.optimizer import optimise
from tests.stand_ins import anywhere, as_table, declare, stand_in

if TYPE_CHECKING:
    from drivetrain import Run

PRICES = """\
objective: {maximise: price * sold - cost}
levers:
  price: {kind: continuous, min: 0, max: 10, do_nothing: 2}
  gift: {kind: yes_no, do_nothing: no, cost: {yes: 1}}
inputs: {size: {kind: numeric}}
outcomes: {sold: {kind: numeric}}
assignment: {design: randomised}
"""


def _run(text: str = PRICES, rows: int = 60) -> Any:
    """A run whose model is known: sold = size + 2 · gift − price / 10."""
    scenario = declare(text)
    simulator = stand_in(
        scenario, {"sold": lambda x, s: x[..., 0] + 2 * s[..., 1] - s[..., 0] / 10}, anywhere(scenario.space)
    )
    frame = pd.DataFrame({"size": np.linspace(1, 3, rows), "sold": 0.0})
    table = as_table(scenario, frame, np.column_stack([np.linspace(0, 10, rows), np.arange(rows) % 2]))
    return dt.Run(scenario, table, simulator, {})


def test_a_limit_is_kept_and_its_price_is_the_slope() -> None:
    limits = dt.Limits.of(_run(), "gift")
    free = limits.at(None)
    assert free.used == pytest.approx(1)
    half, less = limits.at(0.5), limits.at(0.4)
    assert half.used == pytest.approx(0.5, abs=1e-3)
    assert (half.value.value - less.value.value) / 0.1 == pytest.approx(half.price, rel=0.05)
    tradeoff = limits.tradeoff()
    values = [point.value.value for point in tradeoff.points]
    assert values == sorted(values)
    assert tradeoff.points[-1].value.value == pytest.approx(free.value.value)


def test_one_setting_for_all_stays_one_under_a_limit() -> None:
    limits = dt.Limits.of(_run(PRICES + "decide: {unit: once}\n"), "sold")
    free = limits.at(None)
    found = limits.at(free.used + 0.123, upper=False)
    (settings, share), least = found.settings[0], free.used + 0.123
    assert (len(found.settings), share) == (1, 1.0)
    assert len(np.unique(settings, axis=0)) == 1
    assert found.used >= least - 1e-5
    assert found.value.value < free.value.value
    others = limits.tried[limits.usage[0] / limits.rows >= least - 1e-6]
    worth = limits.values[0][limits.usage[0] / limits.rows >= least - 1e-6] / limits.rows
    assert found.value.value == pytest.approx(worth.max(), abs=1e-4)
    assert (settings[0] == others[worth.argmax()]).all()
    with pytest.raises(InfeasibleError, match=r"the nearest that they come to is 4\. Ask for 4 or looser"):
        limits.at(5.0, upper=False)


def test_a_limit_that_cannot_be_kept_is_told() -> None:
    with pytest.raises(InfeasibleError, match=r"no supported settings keep gift: .* is 0\. Ask for 0 or looser"):
        dt.Limits.of(_run(), "gift").at(-0.5)
    with pytest.raises(UsageError, match="Did you mean 'gift'"):
        dt.Limits.of(_run(), "gifts")


def test_a_declared_total_counts_all_rows() -> None:
    text = PRICES + "constraints: [{name: gifts, total: gift, at_most: 30}]\n"
    limits = dt.Limits.of(_run(text), "gifts")
    assert limits.at(None).used == pytest.approx(60)
    assert limits.at(15).used == pytest.approx(15, abs=0.01)


def test_limits_keep_what_groups_and_ratios_ask() -> None:
    text = PRICES.replace("size: {kind: numeric}", "size: {kind: numeric, bins: [2]}") + "constraints:\n"
    text += "  - {name: gifts, mean: gift, by: [size], at_most: 0.25}\n"
    text += "  - {name: yield, ratio: {of: sold, to: gift}, at_least: 9}\n"
    run = _run(text)
    limits = dt.Limits.of(run, "price")
    free = limits.at(None)
    size = run.table.frame["size"].to_numpy()
    gift = sum(share * settings[:, 1] for settings, share in free.settings)
    sold = sum(share * (size + 2 * s[:, 1] - s[:, 0] / 10) for s, share in free.settings)
    assert max(gift[size < 2].mean(), gift[size >= 2].mean()) <= 0.25 + 1e-3
    assert sold.sum() == pytest.approx(9 * gift.sum(), rel=2e-3)  # the ratio binds, and is kept
    crowd = run.simulator.crowd(run.table.frame)
    plan = optimise(run.simulator, crowd, np.arange(len(size), dtype=np.int64), nodes=0)
    whole = float(run.simulator.paired(crowd, plan.settings).objective.mean())
    assert whole - 1e-4 <= free.value.value <= whole + 0.1  # what whole gifts for whole rows earn, and a little more
    assert limits.unkept == ()


def test_the_way_adds_up_to_the_honest_gain(small_run: Run) -> None:
    told = dt.bridge(small_run)
    assert told is not None
    assert told.correction is not None
    steps = sum(step.change.value for step in told.levers)
    assert told.start + steps == pytest.approx(told.end, abs=1e-4)
    assert sum(step.change.value for step in told.stages) == pytest.approx(steps, abs=1e-4)
    moves = {move.name: move for move in told.moves}
    assert (moves["price"].before, moves["price"].unit) == (10.0, "EUR")
    assert moves["bought"].after == pytest.approx(small_run.what_if("recommended").estimates["bought"].value, abs=1e-4)
    honest = small_run.judged.gains[told.against].value
    assert told.end + told.correction.value - told.start == pytest.approx(honest, abs=1e-4)


def test_swings_tell_what_moves_the_gain(small_run: Run) -> None:
    told = dt.swings(small_run)
    assert told is not None
    widths = [each.width for each in told.each]
    assert widths == sorted(widths, reverse=True)
    assert {"income", "chance in the data"} <= {each.name for each in told.each}
    rows = small_run.table.evenly(1000)
    income = rows.frame["income"]
    richer = rows.frame.assign(income=(income + income.std(ddof=0)).clip(upper=income.max()))
    crowd = small_run.simulator.crowd(richer)
    assert small_run.recommendations is not None
    after = small_run.simulator.paired(crowd, small_run.recommendations.plan.settings)
    before = small_run.simulator.paired(crowd, np.full((len(rows), 1), 10.0))
    moved = float((after.objective - before.objective).mean())
    assert next(each for each in told.each if each.name == "income").high == pytest.approx(moved, abs=1e-3)


def test_neighbours_are_the_rows_that_differ_least() -> None:
    told = dt.alike(_run(), 30, most=2)
    assert list(told["row"]) in ([30, 32], [32, 30])
    assert told["alike"].is_monotonic_decreasing


def test_a_surface_asks_what_simulate_asks() -> None:
    run = _run()
    told = dt.surface(run, "price", "gift", price=2.0)
    assert told.values["objective"].shape == (2, len(told.columns))
    one = run.simulate(price=float(told.columns[5]), gift="yes").estimates["objective"].value
    assert told.values["objective"][1, 5] == pytest.approx(one, abs=1e-4)
    with pytest.raises(UsageError, match="two different levers"):
        dt.surface(run, "price", "price")
