"""What a target takes, what spending brings, what an input does: of models whose answers are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain import figures
from drivetrain.errors import InfeasibleError, UsageError
from tests.stand_ins import anywhere, as_table, declare, stand_in

TEXT = """\
objective: {maximise: sold - cost, unit: EUR per shop}
levers:
  mails: {kind: continuous, min: 0, max: 10, step: 1, do_nothing: 0, cost: 0.5 * mails}
  tv: {kind: continuous, min: 0, max: 4, step: 1, unit: EUR, do_nothing: 0, cost: tv}
inputs: {size: {kind: numeric, unit: m}, town: {kind: yes_no}}
outcomes: {sold: {kind: numeric, unit: EUR}}
assignment: {design: randomised}
MORE
"""


def _run(more: str = "") -> Any:
    """A run whose model is known: sold = 10 + size · mails + tv, where sizes are 1 and 2 in turn."""
    scenario = declare(TEXT.replace("MORE", more))
    simulator = stand_in(
        scenario, {"sold": lambda x, s: 10 + x[..., 0] * s[..., 0] + s[..., 1]}, anywhere(scenario.space)
    )
    frame = pd.DataFrame({"size": np.tile([1.0, 2.0], 20), "town": np.tile([0.0, 0.0, 1.0, 1.0], 10), "sold": 0.0})
    settings = np.tile([[4.0, 2.0]], (40, 1))
    return dt.Run(scenario, as_table(scenario, frame, settings), simulator, {})


@pytest.mark.parametrize(("target", "least"), [(12.0, 0.5), (20.0, 2.5), (22.0, 3.5), (26.0, 6.0)])
def test_the_least_spend_that_reaches_an_outcome(target: float, least: float) -> None:
    """Mails to shops of size 2 bring 4 for each EUR, to those of size 1 they bring 2, and television brings 1."""
    told = dt.reaching(_run(), "sold", "cost")
    found = told.limits.at(target, upper=told.upper)
    assert found.used == pytest.approx(target, abs=1e-3)
    assert found.value.value == pytest.approx(least, abs=1e-3)


def test_one_decision_for_all_is_one_setting_and_no_mixture() -> None:
    """On average a mail sells 1.5 for 0.5 EUR; two of them, the fewest that reach 2.2 more, sell 3."""
    told = dt.reaching(_run("decide: {unit: once}"), "sold", "cost")
    found = told.limits.at(12.2, upper=told.upper)
    assert [words for words, _ in told.limits.told(found)] == ["mails 2, tv 0 EUR"]
    assert (found.used, found.value.value) == pytest.approx((13.0, 1.0), abs=1e-4)
    with pytest.raises(InfeasibleError, match="no supported settings"):
        told.limits.at(40.0, upper=False)


def test_the_curve_bends_where_cheaper_ways_are_used_up() -> None:
    told = dt.reaching(_run(), "sold", "cost")
    curve = told.curve(9)
    spent = [point.value.value for point in curve.points]
    assert spent[0] == pytest.approx(0, abs=1e-6)
    assert (np.diff(spent, 2) > -1e-3).all()
    assert told.unit == "EUR per shop"
    drawn = figures.reach(told, curve, at=told.limits.at(21.0, upper=False))
    assert drawn.layout.yaxis.title.text == "least cost (EUR per shop)"
    assert drawn.data[-1].name == "your target"
    with pytest.raises(InfeasibleError, match="no supported settings"):
        told.limits.at(40.0, upper=False)


def test_the_least_change_that_reaches_the_objective() -> None:
    told = dt.reaching(_run(), "objective", "mails")
    assert not told.upper
    assert told.limits.at(11.5, upper=False).value.value == pytest.approx(1.0, abs=1e-3)  # 2 each where size is 2


def test_a_declared_budget_gives_way() -> None:
    budget = "constraints: [{name: budget, total: cost, at_most: 8, unit: EUR}]"
    run = _run(budget)
    assert next(iter(dt.efforts(run.scenario))) == "budget"
    assert "cost" not in dt.efforts(run.scenario)
    told = dt.reaching(run, "sold")
    assert told.effort == "budget"
    assert told.limits.at(20.0, upper=False).value.value == pytest.approx(2.5, abs=1e-3)  # 100 in total, far above 8


def test_what_cannot_be_asked_is_told() -> None:
    run = _run()
    assert dt.reachable(run.scenario) == {"objective": "EUR per shop", "sold": "EUR"}
    with pytest.raises(UsageError, match="Did you mean 'sold'"):
        dt.reaching(run, "sodl")
    with pytest.raises(UsageError, match="Did you mean 'cost'"):
        dt.reaching(run, "sold", "costs")


def test_shares_of_spend_and_of_effect() -> None:
    run = _run()
    told = dt.spending(run, "current")
    assert told is not None
    mails, tv = told.each
    assert (mails.spend, tv.spend) == pytest.approx((2.0, 2.0))
    assert (mails.effect.value, tv.effect.value) == pytest.approx((6.0, 2.0), abs=1e-4)
    assert (mails.spend_share, mails.effect_share) == pytest.approx((0.5, 0.75), abs=1e-4)
    assert mails.roi is not None
    assert tv.roi is not None
    assert (mails.roi.value, tv.roi.value) == pytest.approx((3.0, 1.0), abs=1e-4)
    assert dt.spends.lines(run.scenario, told)[0][:3] == ["mails", "2.00 EUR per shop", "50%"]
    drawn = figures.spending(told)
    assert list(drawn.data[1].x) == pytest.approx([0.75, 0.25], abs=1e-4)
    assert drawn.data[1].text[0] == "75%, ROI 3.00"


def test_money_that_is_a_lever_needs_no_cost() -> None:
    text = TEXT.replace(", cost: tv", "").replace("sold - cost", "sold - cost - tv").replace("MORE", "")
    scenario = declare(text)
    run = _run()
    simulator = stand_in(
        scenario, {"sold": lambda x, s: 10 + x[..., 0] * s[..., 0] + s[..., 1]}, anywhere(scenario.space)
    )
    told = dt.spending(dt.Run(scenario, run.table, simulator, {}), "current")
    assert told is not None
    assert [each.lever for each in told.each] == ["mails", "tv"]
    assert told.each[1].spend == pytest.approx(2.0)
    priced = declare(TEXT.replace("sold - cost", "mails * sold").replace(", cost: 0.5 * mails", "").replace("MORE", ""))
    simulator = stand_in(priced, {"sold": lambda x, s: 10 - s[..., 0] + 0 * x[..., 0]}, anywhere(priced.space))
    found = dt.spending(dt.Run(priced, run.table, simulator, {}), "current")
    assert found is not None
    assert [each.lever for each in found.each] == ["tv"]  # a price is no spend


def test_what_models_make_of_an_input() -> None:
    run = _run()
    told = dt.dependence(run, "size", {"mails": 3.0, "tv": 1.0})
    assert told.values == (1.0, 2.0)
    assert [each.value for each in told.estimates["sold"]] == pytest.approx([14.0, 17.0], abs=1e-4)
    assert told.each["sold"].shape == (24, 2)
    assert told.each["sold"][:, 1] == pytest.approx(17.0)
    flat = dt.dependence(run, "town", {"mails": 0.0, "tv": 1.0})
    assert [each.value for each in flat.estimates["objective"]] == pytest.approx([10.0, 10.0], abs=1e-4)
    drawn = figures.dependence(run, told, "sold", each=True)
    assert "24 single rows" in [trace.name for trace in drawn.data]
    assert list(figures.dependence(run, flat, "sold").data[0].x) == ["no", "yes"]
    with pytest.raises(UsageError, match="Did you mean 'size'"):
        dt.dependence(run, "siez")
