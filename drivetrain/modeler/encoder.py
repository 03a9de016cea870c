"""Tables to tensors: the one place that decides what a network sees.

fastai's own processing turns an unseen category, a bool given as text or a re-ordered `category` column silently into
a wrong code (FACTS.md). Here vocabularies are explicit, an unknown value has a code of its own and is counted, a
missing number carries a flag, and a number outside the range that training saw is moved to its edge and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from drivetrain.modeler import effects
from drivetrain.modeler.coded import CodedColumn
from drivetrain.modeler.foretold import Foretold

if TYPE_CHECKING:
    from torch import Tensor

KNOTS = 6
ATOM_SHARE = 0.02
RUN = 4096
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

    def __getitem__(self, part: slice) -> EncodedRows:
        """A run of rows, sharing memory."""
        return EncodedRows(self.codes[part], self.numbers[part], {})


class Remarks:
    """What was not plain in N rows, and in which of them."""

    def __init__(self, rows: int) -> None:
        """Args: rows: N."""
        self.rows = rows
        self.found: dict[str, np.ndarray] = {}

    def note(self, what: str, at: slice, mask: np.ndarray) -> None:
        """Note it for the rows that a mask picks of a run; nothing where it picks none."""
        if mask.any():
            self.found.setdefault(what, np.zeros(self.rows, dtype=bool))[at] = mask


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
    def fit(cls, name: str, values: pd.Series[float]) -> NumericColumn:
        """Learn centre (median), scale (standard deviation) and range from the training rows that are not missing."""
        raw = values.to_numpy(dtype=np.float64)
        seen = raw[np.isfinite(raw)]
        if not len(seen):
            return cls(name=name, centre=0.0, scale=1.0, low=0.0, high=0.0, gaps=bool(len(raw)))
        low, high, gaps = float(seen.min()), float(seen.max()), len(seen) < len(raw)
        return cls(name=name, centre=float(np.median(_some(seen))), scale=_spread(seen), low=low, high=high, gaps=gaps)

    def encode(self, values: np.ndarray, out: np.ndarray, remarks: Remarks, at: slice) -> None:
        """Fill float32 [n, 2] of a run of rows: the standardised value (0 where missing), and the missing flag.

        Args:
            values: float64 [n] of the run.
            out: what to fill; the flag stays down where training had no gaps.
            remarks: to note what is not plain.
            at: the run's place among all rows.
        """
        missing = ~np.isfinite(values)
        if gaps := bool(missing.any()):
            remarks.note(f"{self.name}: missing", at, missing)
            values = np.where(missing, self.centre, values)
        inside = np.clip(values, self.low, self.high)
        if (moved := (inside != values) & ~missing).any():
            remarks.note(f"{self.name}: outside the range seen", at, moved)
        out[:, 0] = (inside - self.centre) / self.scale
        out[:, 1] = missing if gaps and self.gaps else 0.0


class CategoricalColumn(_Frozen):
    """A categorical input with its vocabulary; code 0 is missing or unknown."""

    kind: Literal["categorical"] = "categorical"
    name: str
    vocabulary: tuple[str, ...]

    @classmethod
    def fit(cls, name: str, values: pd.Series[str]) -> CategoricalColumn:
        """Learn the sorted distinct values of training rows."""
        distinct = pd.Series(list(set(values.tolist())), dtype=object).dropna()
        return cls(name=name, vocabulary=tuple(sorted({str(value) for value in distinct})))

    def encode(self, values: pd.Series[str], remarks: Remarks) -> np.ndarray:
        """int64 [N]: 1 + position in the vocabulary, or 0."""
        codes = pd.Index(self.vocabulary, dtype=object).get_indexer(pd.Index(values, dtype=object)) + 1
        if (unknown := codes == 0).any():
            missing = unknown & values.isna().to_numpy()
            remarks.note(f"{self.name}: missing", slice(None), missing)
            remarks.note(f"{self.name}: unseen category", slice(None), unknown & ~missing)
        return np.asarray(codes, dtype=np.int64)


class InputEncoder(_Frozen):
    """All inputs of a scenario, fitted on training rows only."""

    columns: tuple[Annotated[NumericColumn | CategoricalColumn, Field(discriminator="kind")], ...]
    foretold: tuple[Foretold, ...] = ()
    """What inputs foretell of levers, which stands behind the numbers; none where settings were drawn at random."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, kinds: Mapping[str, str]) -> InputEncoder:
        """Args: frame: training rows; kinds: for each input `numeric`, `yes_no` or `categorical`."""
        return cls(
            columns=tuple(
                CategoricalColumn.fit(name, frame[name])
                if kind == "categorical"
                else NumericColumn.fit(name, frame[name])
                for name, kind in kinds.items()
            )
        )

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
        import torch

        remarks = Remarks(len(frame))
        codes = np.zeros((len(frame), len(self.sizes)), np.int64)
        for place, texts in enumerate(c for c in self.columns if isinstance(c, CategoricalColumn)):
            codes[:, place] = texts.encode(frame[texts.name], remarks)
        numeric = [column for column in self.columns if isinstance(column, NumericColumn)]
        raw = [frame[column.name].to_numpy(dtype=np.float64) for column in numeric]
        numbers = np.zeros((len(frame), self.numbers), np.float32)
        for start in range(0, len(frame), RUN):  # a run of rows stays in the processor's cache
            at = slice(start, start + RUN)
            for place, (column, values) in enumerate(zip(numeric, raw, strict=True)):
                column.encode(values[at], numbers[at, 2 * place : 2 * place + 2], remarks, at)
        if self.foretold:
            known = np.column_stack([codes, numbers[:, : 2 * len(numeric)]]).astype(np.float32)
            for place, each in enumerate(self.foretold, start=len(numeric)):
                numbers[:, 2 * place] = each.of(known)
        return EncodedRows(torch.from_numpy(codes), torch.from_numpy(numbers), remarks.found)


class SettingColumn(_Frozen):
    """One lever, or one earlier outcome, as the setting tower sees it."""

    name: str
    low: float = 0.0
    high: float = 1.0
    knots: tuple[float, ...] = ()
    """Where the response may bend: quantiles of what the data saw."""
    atom: float | None = None
    """A value apart from its neighbours (paying nothing is not paying a little), with a flag of its own."""
    options: int = 0
    """Above 0: a categorical column with that many options, one flag each."""
    effect: str = ""
    """The declared shape of its effect; then all features have it, and their weights may not be negative."""

    @classmethod
    def fit(
        cls, name: str, seen: np.ndarray, *, options: int = 0, atom: float | None = None, effect: str = ""
    ) -> SettingColumn:
        """Args: name: the column; seen: [N] its values in training rows; options, atom, effect: as the fields."""
        if options:
            return cls(name=name, options=options)
        seen = seen[np.isfinite(seen)]
        low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
        if high <= low:  # a chain may ask about other values than the one seen: they must stay within bounds
            return cls(name=name, low=low, high=low + max(1.0, abs(low)), effect=effect)
        apart = stands_apart(seen, atom)
        rest = np.unique(seen[seen != atom]) if apart else np.unique(seen)
        few = len(rest) <= KNOTS + 2
        inner = rest[1:-1] if few else np.quantile(rest, np.linspace(0, 1, KNOTS + 2)[1:-1])
        knots = tuple(sorted({float(knot) for knot in inner if low < knot < high}))
        return cls(name=name, low=low, high=high, knots=knots, atom=atom if apart else None, effect=effect)

    @property
    def width(self) -> int:
        """The number of features."""
        if self.effect:
            return effects.width(self.effect, self.knots) + len(self._jumps)
        return self.options or 1 + len(self.knots) + (self.atom is not None)

    def features(self, values: Tensor) -> list[Tensor]:
        """`width` float tensors of the shape of `values`; differentiable, but for the flags."""
        import torch

        if self.options:
            return [(values == option).to(torch.float32) for option in range(self.options)]
        if self.effect:
            return [part.to(torch.float32) for part in self._shaped(values)]
        span = (self.high - self.low) / 2
        line = (values - self.low) / span - 1
        hinges = [torch.relu(values - knot) / span for knot in self.knots]
        flags = [(values == self.atom).to(torch.float32)] if self.atom is not None else []
        return [part.to(torch.float32) for part in (line, *hinges, *flags)]

    def _shaped(self, values: Tensor) -> Iterator[Tensor]:
        yield from effects.shaped(self.effect, values, self.low, self.knots, self.high)
        for sign in self._jumps:
            yield sign * (values > self.low if self.atom == self.low else values >= self.high)

    @property
    def _jumps(self) -> tuple[int, ...]:
        return () if self.atom is None else effects.jumps(self.effect, at_low=self.atom == self.low)


class SettingEncoder(_Frozen):
    """Levers, then earlier outcomes, as features of the setting tower."""

    columns: tuple[SettingColumn | CodedColumn, ...]

    @property
    def coded(self) -> tuple[tuple[int, int], ...]:
        """For each lever with many options the place of its code among the features, and how many options it has."""
        places = self.slices()
        return tuple((places[c.name].start, c.options) for c in self.columns if isinstance(c, CodedColumn))

    @property
    def width(self) -> int:
        """F, the number of features."""
        return sum(column.width for column in self.columns)

    @property
    def held(self) -> tuple[tuple[int, int], ...]:
        """For each column whose effect has a declared shape where its features begin and end."""
        places = self.slices()
        return tuple((places[c.name].start, places[c.name].stop) for c in self.columns if c.effect)

    def slices(self) -> Mapping[str, slice]:
        """Column → its features' positions."""
        ends = np.cumsum([0, *(column.width for column in self.columns)])
        return {c.name: slice(int(a), int(b)) for c, (a, b) in zip(self.columns, pairwise(ends), strict=True)}

    def encode(self, settings: Tensor) -> Tensor:
        """Float [..., L] in natural units (options as codes) → float32 [..., F]."""
        import torch

        parts: Sequence[Tensor] = [
            feature for i, column in enumerate(self.columns) for feature in column.features(settings[..., i])
        ]
        return torch.stack(list(parts), dim=-1)


def stands_apart(seen: np.ndarray, value: float | None) -> bool:
    """Whether doing nothing is a thing of its own, and not merely the smallest dose.

    So it is where `value` is an end of the range of what was seen [N], and a fair share of the rows has exactly it:
    then the response may jump beside it, and rows on its other side say nothing of it.
    """
    if value is None or len(np.unique(seen)) <= 2 or value not in (seen.min(), seen.max()):
        return False
    return ATOM_SHARE <= float(np.mean(seen == value)) <= 1 - ATOM_SHARE


def _some(seen: np.ndarray) -> np.ndarray:
    """Evenly spaced ones of very many."""
    return seen[:: max(1, len(seen) // MOST_FOR_CENTRE)]


def _spread(seen: np.ndarray) -> float:
    """The standard deviation, without overflow; 1 where there is none."""
    largest = max(float(seen.max()), -float(seen.min())) or 1.0
    spread = seen.std() if largest < HUGE else (seen / largest).std() * largest
    return float(spread) or 1.0
