"""What-ifs: settings, policies and inputs that are other than they are."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain.simulator import Asked, Crowd, Simulator, tally


def test_a_policy_may_be_a_name_a_function_or_a_frame(small_run: dt.Run) -> None:
    rich = small_run.table.frame["income"].to_numpy() > 40
    by_hand = small_run.what_if(pd.DataFrame({"price": np.where(rich, 9.0, 7.0)}))
    by_rule = small_run.what_if(lambda rows: {"price": np.where(rows["income"] > 40, 9.0, 7.0)})
    assert by_rule.estimates == by_hand.estimates
    assert by_rule.totals["objective"].value == pytest.approx(by_hand.rows * by_hand.estimates["objective"].value)
    recommended = small_run.what_if("recommended")
    made = small_run.recommendations
    assert made is not None
    assert recommended.totals["objective"].value == pytest.approx(made.frame["objective"].sum(), rel=1e-5)
    assert small_run.what_if("single").rows == small_run.what_if("current").rows == len(small_run.table)


def test_each_what_if_is_compared_and_told_how_likely_it_is_to_lose(small_run: dt.Run) -> None:
    found = small_run.what_if({"price": 8}, against={"price": 14})
    beside = small_run.what_if({"price": 14})
    assert found.gain is not None
    difference = found.totals["objective"].value - beside.totals["objective"].value
    assert found.gain.value == pytest.approx(difference, rel=1e-4)
    back = small_run.what_if({"price": 14}, against={"price": 8})
    assert back.chance_of_loss == pytest.approx(1 - found.chance_of_loss)
    assert back.worse == pytest.approx(1 - found.worse, abs=1e-6)
    assert small_run.what_if({"price": 8}).against == "doing nothing"
    assert small_run.what_if({"price": 8}, against=False).gain is None


@pytest.mark.parametrize("against", [False, True, {"price": 14}])
def test_of_rows_that_are_streamed_few_are_held(
    small_run: dt.Run, monkeypatch: pytest.MonkeyPatch, against: bool | dict[str, float]
) -> None:
    plain, made, most = Simulator.crowds, list[weakref.ref[Crowd]](), 0

    def watched(self: Simulator, frame: pd.DataFrame) -> Iterator[tuple[slice, Crowd]]:
        nonlocal most
        for part, crowd in plain(self, frame):
            made.append(weakref.ref(crowd))
            most = max(most, sum(each() is not None for each in made))
            yield part, crowd
            del crowd

    whole = small_run.what_if({"price": 8}, against=against)
    monkeypatch.setattr(Simulator, "crowds", watched)
    monkeypatch.setattr("drivetrain.assembly.answers.MOST_KEPT", 0)
    monkeypatch.setattr("drivetrain.simulator.simulator.ROWS_AT_ONCE", 50)
    streamed = small_run.what_if({"price": 8}, against=against)
    assert len(made) > 10
    assert most <= 3
    assert streamed.totals["objective"].value == pytest.approx(whole.totals["objective"].value, rel=1e-5)


def test_inputs_may_be_other_than_they_are(small_run: dt.Run) -> None:
    frame = small_run.table.frame
    cut = small_run.what_if({"price": 8}, inputs={"income": "*0.9"})
    assert cut.against == "the inputs as they are"
    assert cut.asked == "price 8.00 EUR; income *0.9"
    changed = dt.read_rows(small_run.scenario, frame.assign(income=frame["income"] * 0.9)[["income", "region"]])
    by_hand = small_run.what_if({"price": 8}, rows=changed)
    assert cut.estimates["objective"].value == pytest.approx(by_hand.estimates["objective"].value)
    same = small_run.what_if({"price": 8}, inputs={"income": "max(income / 2, income - 4)"})
    other = small_run.what_if({"price": 8}, inputs={"income": "+-4"})
    assert same.estimates["objective"].value == pytest.approx(other.estimates["objective"].value)
    north = small_run.what_if({"price": 8}, inputs={"region": "north", "income": 1000})
    assert north.remarks["income: outside the range seen"] == len(frame)


def test_what_cannot_be_supposed_is_told_with_its_cure(small_run: dt.Run) -> None:
    for inputs, told in (
        ({"incom": "*2"}, "Did you mean 'income'"),
        ({"region": "nort"}, "Did you mean 'north'"),
        ({"income": "*2 +"}, "cannot be read"),
        ({"income": "price * 2"}, "unknown name 'price'"),
    ):
        with pytest.raises(dt.UsageError, match=told):
            small_run.what_if({"price": 8}, inputs=inputs)
    for settings, told in (
        ("recomended", "Did you mean 'recommended'"),
        ({"price": [1.0, 2.0]}, "2 settings for"),
        ({"prize": np.full(len(small_run.table), 8.0)}, "Did you mean 'price'"),
    ):
        with pytest.raises(dt.UsageError, match=told):
            small_run.what_if(settings)
    with pytest.raises(dt.DataError, match="goes from min 5 to max 15"):
        small_run.what_if(lambda rows: {"price": np.full(len(rows), 99.0)})


def test_many_rows_are_read_anew_each_time_and_answer_the_same(
    small_run: dt.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = small_run.what_if({"price": 8}, inputs={"income": "*1.1"})
    monkeypatch.setattr("drivetrain.assembly.answers.MOST_KEPT", 10)
    monkeypatch.setattr("drivetrain.simulator.simulator.ROWS_AT_ONCE", 100)
    streamed = small_run.what_if({"price": 8}, inputs={"income": "*1.1"})
    assert streamed.gain is not None
    assert streamed.gain.value == pytest.approx(kept.gain.value, rel=1e-4)
    assert streamed.remarks == kept.remarks
    assert len(small_run.what_if({"price": 8}).frame) == 2


def test_run_and_simulator_agree(small_run: dt.Run, tmp_path: Path) -> None:
    simulator, frame = small_run.simulator, small_run.table.frame
    found = tally(simulator, Asked(simulator.crowds(frame), np.array([[9.0]])), len(frame))
    assert small_run.simulate(price=9).totals["bought"].value == pytest.approx(found.total("bought")[0])


def test_what_the_data_cannot_speak_for_is_told_with_the_nearest_rows(small_run: dt.Run) -> None:
    tried = np.linspace(*(getattr(small_run.scenario.levers["price"], end) for end in ("min", "max")), 40)
    beyond = [price for price in tried if not small_run.simulator.support.holds(np.array([[price]]))[0]]
    found = small_run.what_if({"price": beyond[-1]})
    assert not found.supported
    assert found.nearest.startswith("row ")
    assert found.as_dict()["nearest"] == found.nearest
    assert small_run.what_if("single").nearest == ""
