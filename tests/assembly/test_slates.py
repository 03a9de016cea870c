"""What-ifs, locks and refusals where rows get several options each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain.decisions import recommend
from drivetrain.errors import UsageError
from drivetrain.evidence import judge_slots
from drivetrain.scenario.categorical import Diverse
from tests.evidence.test_slots import ROWS, _world


@pytest.fixture(scope="module")
def run() -> dt.Run:
    """Options a, b, c, d add 2, 1, −1, 0.2 to 5 for one taste, −1, 1, 2, 0.2 for the other."""
    simulator, table = _world()
    return dt.Run(simulator.scenario, table, simulator, {}, judge_slots(simulator, table))


def test_a_slate_is_worth_what_its_options_add(run: dt.Run) -> None:
    other = run.table.frame["taste"].mean()
    one = 5 + 2 * (1 - other) - other
    assert run.what_if({"shown": "a"}).estimates["objective"].value == pytest.approx(one, abs=1e-4)
    both = run.what_if({"shown_1": "a", "shown_2": "b"})
    assert both.estimates["sales"].value == pytest.approx(one + 1, abs=1e-4)
    assert both.asked == "shown a, b"
    assert both.against == "doing nothing"
    assert both.supported
    assert run.what_if({"shown": ["a", "b"]}).estimates == both.estimates
    frame = pd.DataFrame({"shown_1": ["a"] * ROWS, "shown_2": ["b"] * ROWS})
    assert run.what_if(frame).totals["sales"].value == pytest.approx(both.totals["sales"].value)


def test_policies_are_slates_too(run: dt.Run) -> None:
    assert run.what_if("recommended").estimates["objective"].value == pytest.approx(8, abs=1e-4)
    assert run.what_if("do_nothing").estimates["objective"].value == pytest.approx(5, abs=1e-4)
    assert run.what_if("current").rows == ROWS
    single = run.what_if("single")
    options = [run.scenario.options["shown"][int(code)] for code in run.judged.slots]
    assert single.totals == run.what_if({"shown": options}).totals
    assert run.what_if("recommended", against="single").gain is not None


def test_an_input_moves_under_a_slate(run: dt.Run) -> None:
    """Under options a and b the one taste comes to 5 + 2 + 1, the other to 5 − 1 + 1."""
    told = dt.dependence(run, "taste", {"shown": ["a", "b"]})
    worth = dict(zip(told.values, (each.value for each in told.estimates["objective"]), strict=True))
    assert worth == pytest.approx({0.0: 8, 1.0: 5}, abs=1e-4)
    assert dt.dependence(run, "taste").rows == min(300, ROWS)


def test_the_way_is_taken_apart_option_by_option_and_slot_by_slot(run: dt.Run) -> None:
    """One taste gets a and b, which add 2 and 1; the other c and b."""
    made = replace(run, recommendations=recommend(run.simulator, run.judged, run.table))
    told, other = dt.bridge(made), run.table.frame["taste"].mean()
    assert told is not None
    assert told.against == "do_nothing"
    found = {step.name: step.change.value for step in told.levers}
    assert found == pytest.approx({"a": 2 * (1 - other), "b": 1, "c": 2 * other}, abs=1e-4)
    assert [step.change.value for step in told.stages] == pytest.approx([2, 1], abs=1e-4)
    assert told.end - told.start == pytest.approx(3, abs=1e-4)
    assert told.correction is not None
    honest = run.judged.gains["do_nothing"]
    assert told.correction.value == pytest.approx(2 * honest.value - 3, abs=1e-4)
    shares = {move.name: (move.before, move.after) for move in told.moves}
    assert shares["shown: b"] == (0, 1)
    assert shares["shown: none"] == (1, 0)
    assert shares["sales"] == pytest.approx((5, 8), abs=1e-4)
    moved = dt.swings(made)
    assert moved is not None
    assert moved.base == pytest.approx(3, abs=1e-4)
    chance = next(each for each in moved.each if each.name == "chance in the data")
    assert (chance.low, chance.high) == pytest.approx((2 * honest.low, 2 * honest.high))


@pytest.mark.parametrize(("target", "slots"), [(6.0, 0.5), (7.0, 1.0), (7.5, 1.5), (8.0, 2.0)])
def test_the_fewest_slots_that_reach_a_target(run: dt.Run, target: float, slots: float) -> None:
    """The first slot adds 2 to every row, the second 1."""
    told = dt.reaching(run, "sales", "slots filled by shown")
    found = told.limits.at(target, upper=told.upper)
    assert found.used == pytest.approx(target, abs=2e-3)
    assert found.value.value == pytest.approx(slots, abs=2e-3)
    assert told.summed == "slots"


def test_a_limit_moves_over_slates(run: dt.Run) -> None:
    limits = dt.Limits.of(run, "sales")
    told = limits.tradeoff()
    assert told.free.value.value == pytest.approx(8, abs=1e-3)
    assert told.points[0].used == pytest.approx(4, abs=1e-2)  # to each taste the one option that takes 1 away
    assert limits.at(7.0).value.value == pytest.approx(7, abs=1e-3)
    assert dict(limits.told(told.free))["shown b"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"show_1": "a"}, "unknown lever"),
        ({"shown": ["a", "a"]}, "in two slots"),
        ({"shown": ["a", "b", "c"]}, "found 3 options"),
        ({"shown_1": "z"}, "found 'z'"),
        (pd.DataFrame({"shown_1": ["a"]}), "found 1 lines"),
    ],
)
def test_a_slate_that_is_none_is_refused_in_words(run: dt.Run, asked: object, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        run.what_if(asked)  # type: ignore[arg-type]


def test_a_test_is_of_one_slot(run: dt.Run) -> None:
    """The single slate is a and b; the other taste is recommended c and b, and each slot of b is worth 6, of c 7."""
    made = run.experiment(run.table, 1e9, against="single")
    got = made.frame.groupby(["taste", "shown"])["propensity"].agg(["min", "max"])
    assert got.index.tolist() == [(0.0, "a"), (0.0, "b"), (1.0, "a"), (1.0, "b"), (1.0, "c")]
    assert got["min"].tolist() == got["max"].tolist() == [0.5, 0.5, 0.25, 0.5, 0.25]
    others = int((run.table.frame["taste"] == 1).sum())
    assert made.loss == pytest.approx(others * 0.5 * 1.5, rel=1e-4)  # 6.5 a slot, against 5
    assert "the test is about one slot" in made.sentences("EUR")[1]
    tight = run.experiment(run.table, 10, against="do_nothing")
    assert tight.loss == pytest.approx(10, rel=1e-3)
    assert (tight.frame["shown"] == "none").mean() < 0.05
    for mode in ("thompson", "top_two"):  # members agree here, so that the best two are all that is tried
        free = run.experiment(run.table, 0, mode=mode)  # type: ignore[arg-type]
        assert set(free.frame.loc[run.table.frame["taste"] == 1, "shown"]) == {"b", "c"}
        assert free.frame["propensity"].unique().tolist() == [0.5]
        assert free.loss == 0


def test_trade_offs_are_of_whole_slates(run: dt.Run) -> None:
    with pytest.raises(UsageError, match="one objective"):
        run.pareto()
    with pytest.raises(UsageError, match="no such constraint"):
        run.frontier("budget")


def test_what_is_about_one_setting_says_so(run: dt.Run) -> None:
    with pytest.raises(UsageError, match="rows that get 2 options each"):
        run.predict({"shown": ["a", "b"]})
    assert np.isfinite(run.predict({"shown": "a"}, rows=run.table.subset(np.arange(5)))["objective"]).all()


def test_a_row_is_split_under_all_its_options(run: dt.Run) -> None:
    number = int(run.table.row[0]) + 1
    told = dt.contributions(run, number, shown=["a", "b"])
    assert told.setting == "shown a, b"
    alone = [dt.contributions(run, number, shown=each).end["sales"] for each in ("a", "b", "none")]
    assert told.end["sales"] == pytest.approx(alone[0] + alone[1] - alone[2], abs=1e-4)
    assert told.end["sales"] == pytest.approx(
        run.what_if({"shown": ["a", "b"]}, rows=run.table.subset(np.array([0]))).estimates["sales"].value, abs=1e-4
    )
    assert told.start["sales"] + sum(part.change.value for part in told.parts["sales"]) == pytest.approx(
        told.end["sales"], abs=1e-4
    )


def test_rows_with_any_of_the_options_speak_for_them(run: dt.Run) -> None:
    number = int(run.table.row[0]) + 1
    found = [run.neighbours(number, shown=each) for each in (["a"], ["b"], ["a", "b"])]
    assert found[2].spoken == pytest.approx(found[0].spoken + found[1].spoken)
    assert found[2].setting == "shown a, b"


def test_options_that_are_too_much_alike_break_a_rule(run: dt.Run) -> None:
    lever = run.scenario.levers["shown"]
    diverse = Diverse.model_validate({"by": {"novels": ["a", "b"], "maps": ["c"]}, "most": 1})
    scenario = run.scenario.model_copy(update={"levers": {"shown": lever.model_copy(update={"diverse": diverse})}})
    asked = replace(run, scenario=scenario)
    assert dt.rules(scenario) == ["shown: at most 1 each of novels, maps"]
    assert dt.breaches(asked, {"shown": ["a", "b"]}) == {"shown: at most 1 each of novels, maps": 1.0}
    assert dt.breaches(asked, {"shown": ["a", "c"]}) == {}
    half = pd.DataFrame({"shown_1": ["a"] * ROWS, "shown_2": ["b", "c"] * (ROWS // 2)})
    assert dt.breaches(asked, half, run.table)["shown: at most 1 each of novels, maps"] == pytest.approx(0.5, abs=1e-3)
