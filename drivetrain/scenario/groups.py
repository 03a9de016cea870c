"""Groups of rows by the values of inputs: segments that are decided together, and groups that constraints bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.scenario.declarations import Input

if TYPE_CHECKING:
    from drivetrain.scenario.root import Scenario

Ints = NDArray[np.int64]
MISSING = "missing"


def labels(declared: Input, values: pd.Series[Any]) -> NDArray[np.object_]:
    """[N] the group of each row by one input, as people write it: `north`, `yes`, `30 to 50`, `missing`."""
    missing = values.isna().to_numpy(dtype=bool)
    if declared.bins:
        names = np.array(bands(declared), dtype=object)
        told = names[np.digitize(np.where(missing, 0, values.to_numpy()).astype(np.float64), declared.bins)]
    elif declared.kind == "yes_no":
        told = np.where(np.where(missing, 0, values.to_numpy()).astype(np.float64) > 0, "yes", "no").astype(object)
    else:
        codes, known = pd.factorize(values.astype(object), use_na_sentinel=True)
        told = np.array([*map(_text, known), MISSING], dtype=object)[codes]
    return np.where(missing, MISSING, told)


def labelled(scenario: Scenario, frame: pd.DataFrame) -> dict[str, NDArray[np.object_]]:
    """Input → `labels` [N], for every input that makes groups for a constraint, or shares a lever."""
    names = sorted({name for each in scenario.constraints for name in each.by} | {*scenario.decide.sharing})
    return {name: labels(scenario.inputs[name], frame[name]) for name in names}


def bands(declared: Input) -> tuple[str, ...]:
    """What the groups of a numeric input with `bins` are called, in order; none where it has none.

    >>> bands(Input(kind="numeric", bins=(30, 50)))
    ('below 30', '30 to 50', '50 and above')
    """
    if not declared.bins:
        return ()
    cuts = [f"{cut:g}" for cut in declared.bins]
    between = [f"{low} to {high}" for low, high in pairwise(cuts)]
    return f"below {cuts[0]}", *between, f"{cuts[-1]} and above"


def grouped(known: Mapping[str, NDArray[np.object_]], by: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The groups that rows make: their names, such as `north, yes`, and the number [N] of each row's.

    Args:
        known: input → `labels` [N].
        by: the inputs that make the groups, at least one.
    """
    codes, names = zip(*(pd.factorize(known[name], sort=True) for name in by), strict=True)
    distinct, number = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    told = tuple(", ".join(str(names[i][code]) for i, code in enumerate(group)) for group in distinct)
    return told, number.astype(np.int64).ravel()


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
