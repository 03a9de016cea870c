"""Rows, read once: what of them does not depend on the setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.scenario import Categorical


@dataclass(frozen=True)
class Crowd:
    """N rows, read once: what formulas see of them and what of each model does not depend on the setting."""

    values: Mapping[str, Tensor]
    """Input → float32 [N, 1], categories as codes; of what a lever excludes [N, W]: see `listed`."""
    contexts: Mapping[str, list[Any]]
    """Outcome → a context for each member; only the models can read it, and only rows can be taken from it."""
    remarks: Mapping[str, NDArray[np.bool_]]
    """What was not plain in the inputs, and in which rows [N]."""
    size: int
    labels: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    """Input → the group of each row [N], for every input that makes groups for a constraint."""
    current: NDArray[np.float64] | None = None
    """[N, L] each row's current setting, NaN where it is not known; None where nobody asks for it."""

    def __len__(self) -> int:
        """N."""
        return self.size

    def take(self, part: slice | Tensor) -> Crowd:
        """Some of the rows: a slice, or positions int64 [n]."""
        contexts = {name: [_some(each, part) for each in members] for name, members in self.contexts.items()}
        values = {name: _some(value, part) for name, value in self.values.items()}
        size = len(range(*part.indices(self.size))) if isinstance(part, slice) else len(part)
        place = part if isinstance(part, slice) else part.numpy()
        current = None if self.current is None else self.current[place]
        return Crowd(values, contexts, {}, size, {name: each[place] for name, each in self.labels.items()}, current)


def listed(lever: Categorical, cells: pd.Series[Any]) -> Tensor:
    """float32 [N, W] the codes of the options that each cell names, −1 where it names fewer than others."""
    place, texts = pd.factorize(cells)
    codes = [lever.listed(text)[0] for text in texts]
    table = np.full((len(texts) + 1, max(map(len, codes), default=0)), -1.0, dtype=np.float32)
    for row, each in enumerate(codes):
        table[row, : len(each)] = each
    return torch.from_numpy(table[place])  # the last line is that of empty cells


def _some(rows: Any, part: slice | Tensor) -> Any:
    if isinstance(rows, Tensor) and isinstance(part, Tensor):
        return torch.index_select(rows, 0, part)  # in half the time
    return rows[part]
