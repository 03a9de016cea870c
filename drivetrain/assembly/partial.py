"""What models make of an input: outcomes and objective as it moves and all else stays, for all rows and single ones.

Partial dependence (Friedman 2001, "Greedy function approximation", 8.2) with the curves of single rows behind it
(individual conditional expectation, Goldstein et al. 2015). Nobody can set an input: this shows what the model has
learned, and not what would come of changing it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.assembly.answers import Asked
from drivetrain.assembly.result import Run, of_run
from drivetrain.assembly.settings import Settings, settle
from drivetrain.data import Rows
from drivetrain.errors import Fault, UsageError, nearest
from drivetrain.evidence import Estimate
from drivetrain.scenario import Input
from drivetrain.simulator import Outlook, jackknife, looked

Floats = NDArray[np.float64]

MOST_ROWS, POINTS, SINGLE = 300, 25, 24
MOST_OPTIONS = 12
"""Of an input with more categories the commonest are asked about."""
EDGE = 0.01
"""Beyond the values of this share of rows at either end there are too few to speak of."""


@dataclass(frozen=True)
class Dependence:
    """What models expect along one input, on average over the rows asked about; not judged by any evidence."""

    input: str
    values: tuple[float, ...] | tuple[str, ...]
    """[G] ascending numbers; categories, the commonest first; 0 and 1 for no and yes."""
    estimates: Mapping[str, tuple[Estimate, ...]]
    """`objective`, those beside it, each outcome → an estimate for each value, with the members' standard error."""
    each: Mapping[str, Floats]
    """The same quantities → [R, G] of some rows one by one, evenly taken."""
    rows: int
    """How many rows were asked about."""


@of_run
def dependence(run: Run, name: str, settings: Settings = "single", *, rows: Asked = None) -> Dependence:
    """Ask about rows whose value of one input is put to one value after another.

    Args:
        run: any run.
        name: the input.
        settings: what levers are set to meanwhile, as for `Run.what_if`.
        rows: whom to ask about; the run's own where left out. Of many, 300 evenly taken stand for all.

    Raises:
        UsageError: an unknown input, lever or policy.
    """
    inputs = run.scenario.inputs
    if name not in inputs:
        raise UsageError(Fault(name, "found no such input", "", nearest(name, list(inputs))))
    known = run.whom(rows)
    asked = known.evenly(MOST_ROWS)
    one = settle(run, asked, settings)[1]
    at = np.broadcast_to(one, (len(asked), one.shape[1])).copy()
    values = _values(inputs[name], known.frame[name])
    looks = [_told(looked(run.simulator, run.simulator.crowd(frame), at)) for frame in _moved(asked, name, values)]
    few = torch.from_numpy(np.linspace(0, len(asked) - 1, min(SINGLE, len(asked))).round().astype(np.int64))
    together = {of: torch.cat([look[of] for look in looks], dim=2) for of in looks[0]} if looks else {}
    return Dependence(
        name,
        values,
        {of: _estimates(told, run.simulator.folds) for of, told in together.items()},
        {of: told.mean(0)[few].double().numpy() for of, told in together.items()},
        len(asked),
    )


def _values(declared: Input, column: pd.Series) -> tuple[float, ...] | tuple[str, ...]:
    known = column.dropna()
    if declared.kind == "categorical":
        return tuple(map(str, known.value_counts().index[:MOST_OPTIONS]))
    numbers = known.to_numpy(dtype=np.float64)
    distinct = np.unique(numbers)
    if len(distinct) <= POINTS:
        return tuple(map(float, distinct))
    low, high = np.quantile(numbers, [EDGE, 1 - EDGE])
    return tuple(map(float, np.unique(np.linspace(low, high, POINTS))))


def _moved(rows: Rows, name: str, values: tuple[float, ...] | tuple[str, ...]) -> Iterator[pd.DataFrame]:
    for value in values:
        yield rows.frame.assign(**{name: pd.Series([value] * len(rows), dtype=rows.frame[name].dtype)})


def _told(outlook: Outlook) -> dict[str, Tensor]:
    return {"objective": outlook.objective, **outlook.beside, **outlook.outcomes}


def _estimates(told: Tensor, folds: Tensor) -> tuple[Estimate, ...]:
    means = told.double().mean(1)
    errors = jackknife(means, folds)
    return tuple(Estimate(float(v), float(e)) for v, e in zip(means.mean(0), errors, strict=True))
