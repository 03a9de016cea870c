"""Levers with many options: one code in place of a flag for each, and beside it what is known of the option."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from drivetrain.scenario import Categorical, Lever, Model

if TYPE_CHECKING:
    from torch import Tensor

MOST_FLAGS = 64
"""A lever with more options than this is coded."""
MOST_WORDS = 64
"""The most frequent words of a feature that get a flag."""


class CodedColumn(BaseModel):
    """One lever with many options, as networks with factors see it: its code, then the option's features."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["coded"] = "coded"
    name: str
    options: int
    """How many options there are."""
    table: tuple[tuple[float, ...], ...]
    """[options][S] what is known of each option, standardised; 0 where it is not known."""
    effect: Literal[""] = ""
    """Options have no order, so no effect of theirs has a shape."""

    @classmethod
    def fit(cls, name: str, lever: Categorical, frame: pd.DataFrame) -> CodedColumn:
        """Args: name, lever: which; frame: rows with the lever and its features as columns."""
        first = frame.drop_duplicates(name).set_index(name).reindex(list(lever.options))
        parts = [part for feature, each in lever.features.items() for part in _described(first[feature], each.kind)]
        table = np.column_stack(parts) if parts else np.zeros((len(lever.options), 0))
        return cls(name=name, options=len(lever.options), table=tuple(map(tuple, table.round(6).tolist())))

    @property
    def width(self) -> int:
        """The code, and the S features."""
        return 1 + len(self.table[0])

    def features(self, values: Tensor) -> list[Tensor]:
        """`width` float32 tensors of the shape of `values` (codes): the code itself first."""
        import torch

        known = self._table[values.to(torch.int64)]
        return [values.to(torch.float32), *known.unbind(-1)]

    @cached_property
    def _table(self) -> Tensor:
        import torch

        return torch.tensor(self.table, dtype=torch.float32).reshape(self.options, -1)


def coded(lever: Lever, model: Model) -> bool:
    """Whether a lever has too many options for a flag each, and a network competes that can do without."""
    many = isinstance(lever, Categorical) and len(lever.options) > MOST_FLAGS
    return many and bool({"dot", "neural"} & set(model.kinds))


def _described(values: pd.Series[Any], kind: str) -> Iterator[np.ndarray]:
    """Columns [options]: a number and its square, or a flag for each frequent word, scaled to add up to about one."""
    if kind == "numeric":
        raw = values.to_numpy(dtype=np.float64)
        centre, scale = float(np.nanmedian(raw)), float(np.nanstd(raw)) or 1.0
        number = np.nan_to_num((raw - centre) / scale).clip(-4, 4)
        yield from (number, number**2 / 4)
        return
    words = values.fillna("").astype(str)
    flags = words.str.get_dummies("|") if kind == "tags" else pd.get_dummies(words).drop(columns="", errors="ignore")
    for word in flags.sum().sort_values(ascending=False, kind="stable").index[:MOST_WORDS]:
        yield flags[word].to_numpy(dtype=np.float64)
