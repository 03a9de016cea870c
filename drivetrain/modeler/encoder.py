"""Tables to tensors: the one place that decides what a network sees.

fastai's own processing turns an unseen category, a bool given as text or a re-ordered `category` column silently into
a wrong code (FACTS.md). Here vocabularies are explicit, an unknown value has a code of its own and is counted, a
missing number carries a flag, and a number outside the range that training saw is moved to its edge and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, repeat
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from drivetrain.modeler.foretold import Foretold
from drivetrain.modeler.texts import Texts

if TYPE_CHECKING:
    from torch import Tensor

RUN = 16_000
"""So many rows of a few columns stay in the processor's cache; a power of two crowds them into few of its lines."""
HUGE = 1e150
"""Squares of numbers below are finite."""
MOST_FOR_CENTRE = 10_000
"""A median of so many rows is as good as that of all."""


@dataclass(frozen=True)
class EncodedRows:
    """What a context tower sees of N rows."""

    codes: Tensor
    """int64 [N, C]: a code per categorical input; 0 is missing or unknown."""
    numbers: Tensor
    """float32 [N, D]: standardised numbers and, for each, a flag that it was missing."""
    remarks: Mapping[str, np.ndarray]
    """What was not plain, and in which rows [N]: `village: unseen category`, `age: missing`, `distance: outside the
    range seen`."""

    def __len__(self) -> int:
        """The number of rows N."""
        return len(self.codes)

    def __getitem__(self, part: slice | Tensor) -> EncodedRows:
        """Some of the rows; a run of them shares memory."""
        return EncodedRows(self.codes[part], self.numbers[part], {})

    def beside(self, foretold: np.ndarray) -> EncodedRows:
        """The rows with what inputs foretell of levers [N, F] behind the numbers, as numbers that are never missing."""
        import torch

        flagged = np.stack([foretold, np.zeros_like(foretold)], -1).reshape(len(self), -1).astype(np.float32)
        return EncodedRows(self.codes, torch.cat([self.numbers, torch.from_numpy(flagged)], 1), self.remarks)


class Remarks:
    """What was not plain in N rows, and in which of them."""

    def __init__(self, rows: int) -> None:
        """Args: rows: N."""
        self.rows = rows
        self.found: dict[str, np.ndarray] = {}

    def note(self, what: str, at: slice, mask: np.ndarray) -> None:
        """Note it for the rows that a mask picks of a run; nothing where it picks none."""
        if mask.any():
            if what not in self.found:
                self.found[what] = np.zeros(self.rows, dtype=bool)
            self.found[what][at] = mask


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NumericColumn(_Frozen):
    """A numeric or yes/no input."""

    kind: Literal["numeric"] = "numeric"
    name: str
    centre: float
    scale: float
    low: float
    high: float
    gaps: bool = False
    """Whether training rows lacked it. Only then do networks know what the flag means; else it stays down."""

    @classmethod
    def fit(cls, name: str, raw: np.ndarray) -> NumericColumn:
        """Learn centre (median), scale (standard deviation) and range from the training rows that are not missing.

        Args:
            name: of the input.
            raw: float64 [N].
        """
        seen, (low, high) = raw, _ends(raw)
        if not np.isfinite([low, high]).all():
            seen = raw[np.isfinite(raw)]
            low, high = _ends(seen)
        gaps = len(seen) < len(raw)
        if not len(seen):
            return cls(name=name, centre=0.0, scale=1.0, low=0.0, high=0.0, gaps=gaps)
        centre = float(np.median(_some(seen)))
        return cls(
            name=name, centre=centre, scale=_spread(seen, centre, max(-low, high)), low=low, high=high, gaps=gaps
        )

    def encode(self, values: np.ndarray, out: np.ndarray, remarks: Remarks, at: slice, plain: bool) -> None:
        """Fill float32 [n, 2] of a run of rows: the standardised value (0 where missing), and the missing flag.

        Args:
            values: float64 [n] of the run.
            out: what to fill; its flags, which stay as they are where training had no gaps, are down.
            remarks: to note what is not plain.
            at: the run's place among all rows.
            plain: whether all is known to be there and within the range.
        """
        if self.gaps:
            out[:, 1] = 0
        if not (plain or (values.min() >= self.low and values.max() <= self.high)):  # never so where one is missing
            values = self._plain(values, out, remarks, at)
        np.divide(values - self.centre, self.scale, out=out[:, 0], casting="same_kind")

    def _plain(self, values: np.ndarray, out: np.ndarray, remarks: Remarks, at: slice) -> np.ndarray:
        """Values without gaps and within the range, with the flag set and both noted."""
        missing = ~np.isfinite(values)
        remarks.note(f"{self.name}: missing", at, missing)
        if self.gaps:
            out[:, 1] = missing
        known = np.where(missing, self.centre, values)
        if known.min() >= self.low and known.max() <= self.high:
            return known
        inside = known.clip(self.low, self.high)
        remarks.note(f"{self.name}: outside the range seen", at, inside != known)
        return inside


class CategoricalColumn(_Frozen):
    """A categorical input with its vocabulary; code 0 is missing or unknown."""

    kind: Literal["categorical"] = "categorical"
    name: str
    vocabulary: tuple[str, ...]

    @classmethod
    def fit(cls, name: str, texts: Texts) -> CategoricalColumn:
        """Learn the sorted distinct values of training rows."""
        return cls(name=name, vocabulary=texts.words)

    def codes(self, texts: Texts, remarks: Remarks) -> np.ndarray:
        """int64, by slot of the texts: 1 + position in the vocabulary, or 0."""
        if texts.gaps:
            remarks.note(f"{self.name}: missing", slice(None), (texts.rank == 0)[texts.place])
        if texts.words == self.vocabulary:
            return texts.rank
        index = dict(zip(self.vocabulary, count(1), strict=False))
        codes: np.ndarray = np.array([0, *map(index.get, texts.words, repeat(0))])[texts.rank]
        if len(unseen := np.flatnonzero((codes == 0) & (texts.rank > 0))):
            remarks.note(f"{self.name}: unseen category", slice(None), np.isin(texts.place, unseen))
        return codes


Column = NumericColumn | CategoricalColumn


class InputEncoder(_Frozen):
    """All inputs of a scenario, fitted on training rows only."""

    columns: tuple[Annotated[Column, Field(discriminator="kind")], ...]
    foretold: tuple[Foretold, ...] = ()
    """What inputs foretell of levers, which stands behind the numbers; none where settings were drawn at random."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, kinds: Mapping[str, str]) -> InputEncoder:
        """Args: frame: training rows; kinds: for each input `numeric`, `yes_no` or `categorical`."""
        return cls._fitted(_read(frame, kinds))

    @classmethod
    def fit_encode(cls, frame: pd.DataFrame, kinds: Mapping[str, str]) -> tuple[InputEncoder, EncodedRows]:
        """As `fit`, and the same rows encoded: each column is read once."""
        read = _read(frame, kinds)
        encoder = cls._fitted(read)
        return encoder, encoder._encoded(read, len(frame), fitted=True)

    @classmethod
    def _fitted(cls, read: Mapping[str, Texts | np.ndarray]) -> InputEncoder:
        columns = (
            CategoricalColumn.fit(name, values) if isinstance(values, Texts) else NumericColumn.fit(name, values)
            for name, values in read.items()
        )
        return cls(columns=tuple(columns))

    @property
    def sizes(self) -> list[int]:
        """For each categorical input the number of codes, unknown included."""
        return [len(column.vocabulary) + 1 for column in self.columns if isinstance(column, CategoricalColumn)]

    @property
    def numbers(self) -> int:
        """D, the width of the numeric block."""
        return 2 * (sum(isinstance(column, NumericColumn) for column in self.columns) + len(self.foretold))

    @property
    def bare(self) -> InputEncoder:
        """The inputs alone."""
        return self.model_copy(update={"foretold": ()})

    @property
    def vocabularies(self) -> dict[str, tuple[str, ...]]:
        """Input → its options, as formulas compare them."""
        return {column.name: column.vocabulary for column in self.columns if isinstance(column, CategoricalColumn)}

    def encode(self, frame: pd.DataFrame) -> EncodedRows:
        """Rows with the scenario's input columns → tensors, in order."""
        rows = self._encoded(_read(frame, {column.name: column.kind for column in self.columns}), len(frame))
        if not self.foretold:
            return rows
        known = np.column_stack([rows.codes.numpy(), rows.numbers.numpy()]).astype(np.float32)
        return rows.beside(np.column_stack([each.of(known) for each in self.foretold]))

    def _encoded(self, read: Mapping[str, Texts | np.ndarray], rows: int, fitted: bool = False) -> EncodedRows:
        """The inputs alone, perhaps of the rows that the columns were fitted to."""
        import torch

        remarks, coded, numeric = Remarks(rows), [], []
        for column in self.columns:
            if isinstance(column, CategoricalColumn) and isinstance(texts := read[column.name], Texts):
                coded.append((texts.place, column.codes(texts, remarks)))
            elif isinstance(column, NumericColumn):
                numeric.append((np.asarray(read[column.name]), column))
        codes = np.empty((rows, len(coded)), np.int64)
        numbers = np.empty((rows, 2 * len(numeric)), np.float32)
        run = min(rows, RUN)
        lines, pairs = np.empty((len(coded), run), np.int64), np.zeros((len(numeric), run, 2), np.float32)
        for start in range(0, rows, RUN):
            at = slice(start, min(start + RUN, rows))
            here = slice(at.stop - start)
            for line, (place, code) in zip(lines, coded, strict=True):
                code.take(place[at], out=line[here], mode="clip")  # which checks nothing
            for pair, (values, column) in zip(pairs, numeric, strict=True):
                column.encode(values[at], pair[here], remarks, at, fitted and not column.gaps)
            codes[at] = lines[:, here].T
            numbers.view(np.int64)[at] = pairs.view(np.int64)[:, here, 0].T  # a number and its flag at once
        return EncodedRows(torch.from_numpy(codes), torch.from_numpy(numbers), remarks.found)


def _read(frame: pd.DataFrame, kinds: Mapping[str, str]) -> dict[str, Texts | np.ndarray]:
    return {
        name: Texts.of(frame[name]) if kind == "categorical" else frame[name].to_numpy(dtype=np.float64)
        for name, kind in kinds.items()
    }


def _ends(values: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest; NaN where one is NaN."""
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)


def _some(seen: np.ndarray) -> np.ndarray:
    """Evenly spaced ones of very many."""
    return seen[:: max(1, len(seen) // MOST_FOR_CENTRE)]


def _spread(seen: np.ndarray, centre: float, largest: float) -> float:
    """The standard deviation, without overflow and in few passes; 1 where there is none."""
    if largest >= HUGE:
        return float((seen / largest).std() * largest) or 1.0
    apart = seen - centre
    return float(np.sqrt(max(apart @ apart / len(apart) - apart.mean() ** 2, 0.0))) or 1.0
