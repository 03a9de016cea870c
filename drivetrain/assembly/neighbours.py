"""The rows of the data that are most like one row, and how many of them speak for a setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly.slates import described
from drivetrain.data import Rows
from drivetrain.decisions import column_of
from drivetrain.errors import Fault, UsageError, integer
from drivetrain.optimizer import candidates
from drivetrain.simulator.likeness import nearest, outlines

if TYPE_CHECKING:
    from drivetrain.assembly.answers import Answers

Floats = NDArray[np.float64]

ALIKE = 200
"""So many of the nearest rows are asked whether they speak for the setting."""
FEWEST = 10
"""Fewer of them than this are few."""
PLACES = 16
"""Settings under which rows are compared."""


@dataclass(frozen=True, repr=False)
class Neighbours:
    """Rows of the data that models expect the same of, whatever the setting."""

    frame: pd.DataFrame
    """A line a row, nearest first: `row` (number in the source, from 1), `distance` (in standard deviations of what is
    expected), inputs, the setting that it had, its outcomes, and how much it `speaks` for the setting asked about, 0 to
    1."""
    setting: str
    """The setting asked about, in words."""
    spoken: float
    """How many of the nearest rows speak for it."""
    among: int
    """The nearest rows, so many."""
    usual: float
    """How many of as many rows taken from everywhere do."""

    @property
    def few(self) -> bool:
        """Whether hardly a row like this one speaks for the setting."""
        return self.spoken < min(FEWEST, self.among / 2)

    def __str__(self) -> str:
        """A sentence."""
        start = f"Of the {self.among:,} rows most like it, {self.spoken:.3g} speak for {self.setting}"
        beside = f"of as many rows from everywhere {self.usual:.3g} do"
        return f"{start}; {beside}.{' That is few: for such rows it is extrapolation.' if self.few else ''}"

    def __repr__(self) -> str:
        """The sentence."""
        return f"<Neighbours: {self}>"

    def _repr_html_(self) -> str:
        return f"<p>{self}</p>{self.frame.to_html(index=False)}"


def neighbours(run: Answers, row: int, top: int, rows: Rows | None, setting: Floats | None) -> Neighbours:
    """See `Run.neighbours`."""
    asked, seen = run.table if rows is None else rows, run.table.training
    place = placed(asked, row)
    one = asked.subset(np.array([place]))
    told = recommended(run, asked, place) if setting is None else setting
    tried = candidates(run.scenario.space, run.simulator.support)
    stops = tried[np.unique(np.linspace(0, len(tried) - 1, PLACES).round().astype(int))]
    parts = [outlines(run.simulator, crowd, stops) for _, crowd in run.simulator.crowds(seen.frame)]
    others, own = np.concatenate(parts), outlines(run.simulator, run.simulator.crowd(one.frame), stops)[0]
    itself = np.flatnonzero(seen.row == row - 1) if rows is None else np.zeros(0, dtype=np.int64)
    close, distance = nearest(own, others, max(top, ALIKE) + len(itself))
    distance, close = distance[~np.isin(close, itself)], close[~np.isin(close, itself)]
    weight = _speaks(run, seen.settings[close], told)
    every = _speaks(run, seen.settings, told).mean()
    among = min(ALIKE, len(close))
    frame = _frame(run, seen.subset(close[:top]), distance[:top], weight[:top])
    return Neighbours(frame, described(run.scenario, told), float(weight[:among].sum()), among, float(every * among))


def _speaks(run: Answers, seen: Floats, told: Floats) -> Floats:
    """[N] how much rows with settings [N, L] speak for one [L]; or for any of the options [K] that a row gets."""
    each = told[np.isfinite(told), None] if run.scenario.slots > 1 else told[None]
    return np.asarray(run.simulator.support.kernel(seen, each).max(1, initial=0.0))


def placed(asked: Rows, row: int) -> int:
    """The place, from 0, of the row with a number in the source, from 1. Raises: UsageError: there is none."""
    place = np.flatnonzero(asked.row == integer("row", row) - 1)
    if not len(place):
        found = f"found {row}, and {len(asked):,} rows from {asked.source or 'the data'}"
        raise UsageError(Fault("row", found, "Rows are counted in their source, from 1", "Name a row that was used"))
    return int(place[0])


def recommended(run: Answers, asked: Rows, place: int) -> Floats:
    """[L] what is recommended for the row at a place; where rows get several options these, [K]."""
    made = run.recommendations
    if asked is run.table and made is not None and len(made) == len(asked):
        return np.asarray(made.plan.given[place])
    return np.asarray(run.recommend(asked.subset(np.array([place]))).plan.given[0])


def _frame(run: Answers, rows: Rows, distance: Floats, weight: Floats) -> pd.DataFrame:
    natural = run.scenario.space.decode(rows.settings)
    out = {"row": rows.row + 1, "distance": distance}
    out |= {name: rows.frame[name].to_numpy() for name in run.scenario.inputs}
    out |= {column_of(name): natural[name].to_numpy() for name in run.scenario.levers}
    out |= {name: rows.frame[name].to_numpy() for name in run.scenario.outcomes if name in rows.frame}
    return pd.DataFrame({**out, "speaks": weight})
