"""Neighbours: rows that get the same answers, and what they say of a setting."""

from __future__ import annotations

from inspect import Parameter, signature

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain.simulator.likeness import nearest, outlines


def test_the_nearest_are_listed_first_and_never_the_row_itself(small_run: dt.Run) -> None:
    row = int(small_run.table.training.row[7]) + 1
    found = small_run.neighbours(row, 5)
    assert len(found.frame) == 5
    assert row not in found.frame["row"].tolist()
    assert found.frame["distance"].is_monotonic_increasing
    assert {"income", "region", "price", "bought", "speaks"} <= set(found.frame)
    one = small_run.table.frame["income"].to_numpy()[np.flatnonzero(small_run.table.row == row - 1)[0]]
    assert (found.frame["income"] - one).abs().mean() < small_run.table.frame["income"].std()


def test_how_many_speak_for_a_setting_is_told(small_run: dt.Run) -> None:
    row = int(small_run.table.training.row[7]) + 1
    found = small_run.neighbours(row, price=9)
    assert found.among == 200
    assert found.setting == "price 9.00 EUR"
    assert found.spoken > 0
    assert found.spoken == pytest.approx(found.usual, rel=0.5)  # prices were drawn: alike rows got any of them
    assert not found.few
    assert str(found).startswith("Of the 200 rows most like it, ")


def test_a_row_that_is_new_has_neighbours_in_the_data(small_run: dt.Run) -> None:
    rows = dt.read_rows(small_run.scenario, pd.DataFrame({"income": [40.0], "region": ["north"]}))
    assert len(small_run.neighbours(1, 10, rows).frame) == 10
    with pytest.raises(dt.UsageError, match="counted in their source"):
        small_run.neighbours(2, 10, rows)


def test_distances_are_in_standard_deviations() -> None:
    others = np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    found, distance = nearest(np.array([1.9, 5.0]), others, 2)
    assert found.tolist() == [1, 0]
    assert distance == pytest.approx(np.array([0.1, 1.9]) / others[:, 0].std())


def test_an_outline_is_what_is_expected_under_every_setting(small_run: dt.Run) -> None:
    simulator = small_run.simulator
    crowd, stops = simulator.crowd(small_run.table.frame.iloc[:4]), np.array([[6.0], [9.0]])
    expected = simulator.grid(crowd, stops)
    assert outlines(simulator, crowd, stops) == pytest.approx(expected.mean(expected.outcomes["bought"]).numpy())


def test_rows_are_a_path_a_frame_or_rows_that_were_read_wherever_they_are_asked_for(small_run, tmp_path) -> None:
    frame = pd.DataFrame({"income": [40.0, 60.0], "region": ["north", "south"], "price": [9.0, 10.0]})
    frame.to_csv(tmp_path / "new.csv", index=False)
    read = dt.read_rows(small_run.scenario, frame)
    asks = (
        lambda rows: small_run.respond("price", rows).estimates["objective"],
        lambda rows: small_run.neighbours(2, 10, rows).frame.to_csv(),
        lambda rows: small_run.simulate(rows, price=9).totals["objective"],
        lambda rows: dt.contributions(small_run, 2, rows, price=9).start,
        lambda rows: dt.dependence(small_run, "income", rows=rows).rows,
    )
    for ask in asks:
        assert ask(read) == ask(frame) == ask(tmp_path / "new.csv") == ask(str(tmp_path / "new.csv"))


def test_what_is_no_number_of_lines_no_share_and_no_rows_is_said(small_run: dt.Run) -> None:
    for wrong in (-3, 0, 2.5, True):
        with pytest.raises(dt.UsageError, match="top: found"):
            small_run.neighbours(1, wrong)
        with pytest.raises(dt.UsageError, match="top: found"):
            small_run.surprises(wrong)
    with pytest.raises(dt.UsageError, match="rows: found 5"):
        small_run.recommend(rows=5)
    with pytest.raises(dt.UsageError, match="share: found 'a'"):
        small_run.predict(share="a")


def test_a_lever_may_be_called_like_any_argument(small_run: dt.Run) -> None:
    for asks in (dt.Run.simulate, dt.Run.respond, dt.Run.neighbours, dt.contributions, dt.surface):
        *others, levers = signature(asks).parameters.values()
        assert levers.kind is Parameter.VAR_KEYWORD
        assert all(each.kind is Parameter.POSITIONAL_ONLY for each in others)
    for name in ("rows", "row", "top", "self"):
        for ask in (small_run.simulate, lambda **given: small_run.neighbours(1, **given)):
            with pytest.raises(dt.UsageError, match=f"{name}: found an unknown lever"):
                ask(**{name: 5})
