"""Fit over time: what was observed in each period, beside what models said that had not seen it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly.result import Run, of_run
from drivetrain.data import Table
from drivetrain.data.splits import SEALED
from drivetrain.errors import Fault, UsageError, nearest
from drivetrain.modeler import HeldOut, held_out

Floats = NDArray[np.float64]

MOST = 270
"""Periods that a figure has room for; of more moments than these, several make a period."""
CALENDAR = {"D": "day", "W": "week", "M": "month", "Q": "quarter", "Y": "year"}
"""Periods of dates, the shortest first."""


@dataclass(frozen=True)
class Fit:
    """How near predictions came, over the periods of a part of the data."""

    periods: int
    explained: float
    """The share of the variation between periods that was foretold (R²); below 0 where their mean would do better."""
    off: float
    """By how much predictions were off, as a share of what was observed, summed over periods (weighted MAPE)."""


@dataclass(frozen=True)
class OverTime:
    """One outcome, period by period; means over the rows of each."""

    outcome: str
    start: NDArray[np.generic]
    """[P] when each period began, ascending: datetime64, or numbers."""
    rows: NDArray[np.int64]
    """[P]"""
    observed: Floats
    """[P]; NaN in sealed periods, until the sealed test was opened."""
    predicted: Floats
    """[P] by models that have not seen the period's rows; NaN likewise."""
    fold: NDArray[np.int64]
    """[P] the fold that most of the period's rows are in; −1 where they are sealed."""
    every: str
    """What a period is: `moment` of its own, `day`, `week`, `month`, `quarter`, `year` or `part`, of equal length."""
    fit: Fit
    """Over the periods that models were made with, each predicted by those that had not seen it."""
    sealed: Fit | None
    """Over the sealed ones; None until they were opened, or where there are none."""

    @property
    def note(self) -> str:
        """How near predictions came, in words."""
        period = "period" if self.every == "moment" else self.every
        told = f"Each {period} is predicted by models that had not seen it. {_said(self.fit)}"
        if self.sealed is not None:
            told += f" On the sealed ones: {_said(self.sealed)}"
        elif (self.fold == SEALED).any():
            told += " The sealed part stays blank until it is opened."
        return told

    @property
    def frame(self) -> pd.DataFrame:
        """A line for each period."""
        names = ("start", "rows", "observed", "predicted", "fold")
        return pd.DataFrame({name: getattr(self, name) for name in names})


@of_run
def over_time(run: Run, outcome: str) -> OverTime | None:
    """What was observed of an outcome and what blind models said of it, period by period.

    Args:
        run: any run.
        outcome: one that models predict; a rating, a count, an amount, or a share of yes.

    Returns:
        None where the scenario does not split rows by time, which is how it says when they were, where the outcome is
        categorical, or where it exists in fewer than three periods.

    Raises:
        UsageError: no model predicts such an outcome.
    """
    models = run.simulator.models
    if outcome not in models.outcomes:
        raise UsageError(
            Fault(outcome, "found no such outcome that a model predicts", "", nearest(outcome, list(models.outcomes)))
        )
    if run.table.time is None or models.outcomes[outcome].link.kind == "categorical":
        return None
    starts, every, place = _periods(run.table.time)
    opened = bool(run.record.get("test_openings", 0))
    parts = [run.table.training, run.table.test] if opened else [run.table.training]
    sums = np.zeros((3, len(starts)))
    for part in parts:
        if len(part):
            _add(sums, part, held_out(run.scenario, models, part)[outcome], _inside(part.time, run.table.time, place))
    fold = _fold(run.table.fold, place, len(starts))
    observed, predicted = np.divide(sums[1:], sums[0], out=np.full((2, len(starts)), np.nan), where=sums[0] > 0)
    seen = (fold != SEALED) & np.isfinite(observed)
    if seen.sum() < 3:
        return None
    rows = np.bincount(place, minlength=len(starts))
    if not opened:
        observed[fold == SEALED] = predicted[fold == SEALED] = np.nan
    late = (fold == SEALED) & np.isfinite(observed)
    last = _fit(observed[late], predicted[late]) if opened and late.sum() > 1 else None
    return OverTime(
        outcome, starts, rows, observed, predicted, fold, every, _fit(observed[seen], predicted[seen]), last
    )


def _periods(time: NDArray[np.generic]) -> tuple[NDArray[np.generic], str, NDArray[np.int64]]:
    """[P] where periods start, what they are, and [N] the one that each row is in."""
    moments, place = np.unique(time, return_inverse=True)
    if len(moments) <= MOST:
        return moments, "moment", place
    if time.dtype.kind == "M":
        for code, word in CALENDAR.items():
            starts, place = np.unique(pd.DatetimeIndex(time).to_period(code), return_inverse=True)
            if len(starts) <= MOST or word == "year":
                return pd.PeriodIndex(starts).start_time.to_numpy(), word, place
    edges = np.linspace(float(moments[0]), float(moments[-1]), MOST // 2 + 1)
    place = np.clip(np.searchsorted(edges, time.astype(np.float64), side="right") - 1, 0, len(edges) - 2)
    return edges[:-1], "part", place.astype(np.int64)


def _inside(part: NDArray[Any] | None, whole: NDArray[Any], place: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n] the period that each row of a part of the table is in; rows of one moment are in one."""
    assert part is not None  # noqa: S101  (a part of a table with times has times)
    moments, first = np.unique(whole, return_index=True)
    return np.asarray(place[first][np.searchsorted(moments, part)])


def _add(sums: Floats, table: Table, found: HeldOut, place: NDArray[np.int64]) -> None:
    """Add weights, what was observed and what was predicted to [3, P]."""
    weight = np.ones(len(table)) if table.weight is None else table.weight
    for line, values in enumerate((np.ones(len(found.at)), found.observed, found.predicted)):
        np.add.at(sums[line], place[found.at], weight[found.at] * values)


def _fold(fold: NDArray[np.int64], place: NDArray[np.int64], periods: int) -> NDArray[np.int64]:
    """[P] the commonest fold of each period's rows."""
    counts = np.zeros((periods, int(fold.max()) + 2), dtype=np.int64)
    np.add.at(counts, (place, fold + 1), 1)
    return np.asarray(counts.argmax(1) - 1)


def _said(fit: Fit) -> str:
    if not np.isfinite(fit.explained) or not np.isfinite(fit.off):
        return "There is nothing to foretell: the outcome hardly moves."
    if fit.explained <= 0:
        return f"They foretell its ups and downs no better than its mean would; they are off by {fit.off:.0%} (wMAPE)."
    return f"They foretell {fit.explained:.0%} of its ups and downs (R²), and are off by {fit.off:.0%} (wMAPE)."


def _fit(observed: Floats, predicted: Floats) -> Fit:
    left, spread = float(((observed - predicted) ** 2).sum()), float(((observed - observed.mean()) ** 2).sum())
    whole = float(np.abs(observed).sum())
    off = float(np.abs(observed - predicted).sum()) / whole if whole else float("nan")
    return Fit(len(observed), 1 - left / spread if spread else float("nan"), off)
