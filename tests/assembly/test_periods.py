"""Fit over time: means by period of a model that is known, the sealed part blank until it is opened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain import figures
from drivetrain.errors import UsageError
from tests.stand_ins import anywhere, as_table, declare, stand_in

TEXT = """\
objective: {maximise: sold - spent}
levers: {spent: {kind: continuous, min: 0, max: 10}}
inputs: {size: {kind: numeric}}
outcomes: {sold: {kind: numeric, unit: EUR}}
assignment: {design: observational}
"""


def _run(time: Any, off: float = 0.0, opened: int = 0) -> Any:
    """A model that says 2 · size + spent, of rows that sold `off` more; the last quarter is sealed."""
    scenario = declare(TEXT)
    simulator = stand_in(scenario, {"sold": lambda x, s: 2 * x[..., 0] + s[..., 0]}, anywhere(scenario.space))
    many = len(time)
    size, spent = np.arange(many, dtype=float), np.tile([1.0, 3.0], many)[:many]
    frame = pd.DataFrame({"size": size, "sold": 2 * size + spent + off})
    table = as_table(scenario, frame, spent[:, None])
    fold = np.where(np.arange(many) < 0.75 * many, np.arange(many) * 4 // many, -1)
    return dt.Run(scenario, replace(table, fold=fold, time=np.asarray(time)), simulator, {"test_openings": opened})


def test_moments_are_periods_and_the_sealed_ones_stay_blank() -> None:
    weeks = np.datetime64("2026-01-05") + 7 * np.arange(40)
    told = dt.over_time(_run(weeks, off=1.0), "sold")
    assert told is not None
    assert (told.start == weeks).all()
    assert told.observed[:30] == pytest.approx(told.predicted[:30] + 1, abs=1e-4)
    assert np.isnan(told.observed[30:]).all()
    assert np.isnan(told.predicted[30:]).all()
    assert told.fit.periods == 30
    sold = 2 * np.arange(30) + np.tile([1.0, 3.0], 15) + 1
    assert told.fit.explained == pytest.approx(1 - 30 / ((sold - sold.mean()) ** 2).sum(), abs=1e-5)
    assert told.fit.off == pytest.approx(30 / sold.sum(), abs=1e-5)
    assert told.sealed is None
    assert "stays blank" in told.note
    drawn = figures.over_time(_run(weeks), told, figures.LIGHT)
    assert [trace.name for trace in drawn.data] == ["observed", "predicted, unseen", "sealed, still closed"]
    assert drawn.layout.yaxis.title.text == "sold (EUR)"


def test_an_opened_test_is_shown_and_measured() -> None:
    told = dt.over_time(_run(np.arange(40.0), opened=1), "sold")
    assert told is not None
    assert told.observed == pytest.approx(told.predicted, abs=1e-4)
    assert told.sealed is not None
    assert told.sealed.explained == pytest.approx(1)
    assert "On the sealed ones" in told.note


def test_rows_of_one_month_are_averaged_where_days_are_many() -> None:
    days = np.datetime64("2024-01-01") + np.arange(900)
    told = dt.over_time(_run(days), "sold")
    assert told is not None
    assert told.every == "week"
    assert told.rows.sum() == 900
    sold = 2 * np.arange(900) + np.tile([1.0, 3.0], 450)
    assert told.observed[0] == pytest.approx(sold[:7].mean())


def test_numbers_are_cut_into_equal_parts() -> None:
    told = dt.over_time(_run(np.sort(np.random.default_rng(0).uniform(0, 1, 1000))), "sold")
    assert told is not None
    assert told.every == "part"
    assert np.ptp(np.diff(told.start)) == pytest.approx(0, abs=1e-12)


def test_without_a_time_there_is_nothing_to_show() -> None:
    run = _run(np.arange(40.0))
    assert dt.over_time(replace(run, table=replace(run.table, time=None)), "sold") is None
    with pytest.raises(UsageError, match="Did you mean 'sold'"):
        dt.over_time(run, "sodl")
