"""Rows with the scenario's names for columns, in canonical types, and what became of the others."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.columns import Remark
from drivetrain.data.splits import SEALED
from drivetrain.errors import Fault, UsageError, nearest


@dataclass(frozen=True)
class Dropped:
    """Rows that could not be used, and why."""

    reason: str
    """Such as `lever 'incentive' is missing`; a row counts for its first reason only."""
    count: int
    """How many rows."""

    def __str__(self) -> str:
        """One line: `lever 'incentive' is missing (1,919 rows)`."""
        return f"{self.reason} ({self.count:,} row{'' if self.count == 1 else 's'})"


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """Rows to decide for, in the order of their source; nothing is dropped from them."""

    frame: pd.DataFrame
    """[rows] inputs, levers, outcomes under the scenario's names: float64 (missing NaN; yes/no as 1/0), or object of
    str and None. Levers and outcomes that the source does not have are left out."""
    settings: NDArray[np.float64]
    """[rows, levers] the logged settings in natural units, options as codes, as `LeverSpace.encode` gives them; NaN
    where missing."""
    row: NDArray[np.int64]
    """[rows] the row's number in the source, from 0."""
    flags: tuple[Remark, ...]
    """What was counted and did not stop the work."""
    fingerprint: str
    """sha256 of the content that is used, the same for the same content; a subset keeps that of its whole."""
    source: str
    """Where the rows came from."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.frame)

    def subset(self, mask: NDArray[Any]) -> Self:
        """The rows that a mask or an array of positions chooses, in that order.

        Args:
            mask: [rows] of bool, or positions from 0.
        """
        arrays = {each.name: getattr(self, each.name) for each in fields(self)}
        chosen = {name: array[mask] for name, array in arrays.items() if isinstance(array, np.ndarray)}
        return replace(self, frame=self.frame.loc[mask].reset_index(drop=True), **chosen)

    def evenly(self, most: int) -> Self:
        """At most so many of the rows, evenly taken: all of them where there are no more."""
        if len(self) <= most:
            return self
        return self.subset(np.linspace(0, len(self) - 1, most).round().astype(np.int64))

    def shifted(self, **by: float) -> Self:
        """The rows with numbers moved, each by so much: what if everyone were older, or it were warmer?

        Args:
            **by: numeric column → what is added to it; a missing value stays missing.

        Raises:
            UsageError: a column that the rows do not have, or that holds no numbers.
        """
        moved = {}
        for name, much in by.items():
            if name not in self.frame or not pd.api.types.is_numeric_dtype(self.frame[name].dtype):
                known = [str(c) for c in self.frame if pd.api.types.is_numeric_dtype(self.frame[c].dtype)]
                raise UsageError(Fault(name, "found no such column of numbers", "", nearest(name, known)))
            moved[name] = self.frame[name] + much
        return replace(self, frame=self.frame.assign(**moved)) if moved else self

    def among(self, **where: Collection[str] | tuple[float, float]) -> Self:
        """The rows whose inputs are among those named.

        Args:
            **where: column → the texts that it may hold, or the lowest and highest number; a missing value is never
                among them.

        Raises:
            UsageError: a column that the rows do not have.
        """
        mask = np.ones(len(self), dtype=bool)
        for name, wanted in where.items():
            if name not in self.frame:
                raise UsageError(Fault(name, "found no such column", "", nearest(name, list(self.frame.columns))))
            column = self.frame[name]
            if pd.api.types.is_numeric_dtype(column.dtype):
                low, high = (float(end) for end in wanted)
                mask &= ((column >= low) & (column <= high)).to_numpy()
            else:
                mask &= column.isin(list(wanted)).to_numpy()
        return self.subset(mask)

    def __repr__(self) -> str:
        """One line: how many rows, from where."""
        return f"<{type(self).__name__}: {self.summary}>"

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"<p>{html.escape(self.summary)}</p><ul>{notes}</ul>{self.frame.head(5).to_html()}"

    @property
    def summary(self) -> str:
        """How many rows, from where."""
        return f"{len(self):,} rows of {self.source}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was counted and did not stop the work, a line each."""
        return tuple(map(str, self.flags))


@dataclass(frozen=True, eq=False, repr=False)
class Table(Rows):
    """Rows to learn from: lever and outcome known, each in a fold or in the sealed test part."""

    fold: NDArray[np.int64]
    """[rows] 0..K−1, or −1 in the sealed test part; the same for the same rows and seed."""
    dropped: tuple[Dropped, ...]
    """Rows of the source that are not here."""
    propensity: NDArray[np.float64] | None
    """[rows] the declared probability of the logged setting, in (0, 1]; None where no column is declared."""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lever with `options: data` → all values that the rows hold; give them to `Scenario.resolved`."""
    cluster: NDArray[np.int64] | None = None
    """[rows] the number of the person or place that each row belongs to; None where each stands for itself."""
    weight: NDArray[np.float64] | None = None
    """[rows] how much models learn from each row, 0 or more; None where from all the same."""
    time: NDArray[Any] | None = None
    """[rows] when each row was, datetime64 in UTC or numbers; None where rows are not split by time."""

    @property
    def training(self) -> Table:
        """The rows of all folds."""
        return self.subset(self.fold != SEALED)

    @property
    def test(self) -> Table:
        """The sealed rows; whoever opens them says so in the run's record."""
        return self.subset(self.fold == SEALED)

    @property
    def summary(self) -> str:
        """How many rows, from where, and what became of the others."""
        left_out, sealed = sum(dropped.count for dropped in self.dropped), int((self.fold == SEALED).sum())
        others = f", {left_out:,} left out" if left_out else ""
        return super().summary + others + (f", {sealed:,} sealed for a last test" if sealed else "")

    @property
    def notes(self) -> tuple[str, ...]:
        """Which rows were left out, then what was counted, a line each."""
        return (*(f"left out: {dropped}" for dropped in self.dropped), *super().notes)


def fingerprint(frame: pd.DataFrame, *arrays: NDArray[np.float64] | None) -> str:
    """sha256 of a canonical frame and arrays, in hex: the same on every machine, whatever the source's format.

    Args:
        frame: columns of float64, or object of str and None; their names and order count.
        *arrays: float64 arrays that count as well; None where there is none.
    """
    digest = hashlib.sha256()
    for name, column in frame.items():
        digest.update(json.dumps(str(name)).encode())
        digest.update(_bytes(column.to_numpy()))
    for array in arrays:
        digest.update(b"-" if array is None else _bytes(array))
    return digest.hexdigest()


def _bytes(values: NDArray[Any]) -> bytes:
    if values.dtype == object:
        return json.dumps(values.tolist()).encode()
    plain = values.astype("<f8") + 0.0  # −0.0 becomes 0.0
    plain[np.isnan(plain)] = np.nan  # one NaN of the many
    return plain.tobytes()
