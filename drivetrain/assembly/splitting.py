"""What is expected of one row, split by what is known of it: from everyone's mean to the row's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.assembly import shapley
from drivetrain.assembly.answers import Asked
from drivetrain.assembly.neighbours import placed, recommended
from drivetrain.assembly.result import Run, of_run
from drivetrain.assembly.settings import whole
from drivetrain.assembly.slates import described
from drivetrain.data import Rows
from drivetrain.decisions.rounding import known, with_unit
from drivetrain.evidence import Estimate
from drivetrain.simulator import jackknife, looked

Floats = NDArray[np.float64]

BACKGROUND = 64
"""Rows, evenly taken, that stand for everyone."""


@dataclass(frozen=True)
class Part:
    """What one input adds."""

    input: str
    value: str
    """What the row has, in words."""
    change: Estimate
    """In the unit of what is split, with the models' spread."""


@dataclass(frozen=True)
class Contributions:
    """Why models expect of one row what they do, all of it under one setting; not judged by any evidence."""

    row: int
    """Its number in the source, from 1."""
    setting: str
    """What everyone gets, in words."""
    start: Mapping[str, float]
    """`objective`, then each outcome → what is expected of everyone, on average."""
    end: Mapping[str, float]
    """The same → what is expected of the row."""
    parts: Mapping[str, tuple[Part, ...]]
    """The same → what each input adds, the widest first; start and all parts together are the end."""
    among: int
    """How many rows stand for everyone."""


@of_run
def contributions(run: Run, row: int, rows: Asked = None, /, **setting: Any) -> Contributions:
    """Split what models expect of a row among its inputs, each compared with what other rows have in its place.

    A part is an input's mean contribution over the orders in which inputs can be put in place of those of other rows
    (interventional Shapley values: Štrumbelj & Kononenko 2014, Knowl. Inf. Syst. 41:647).

    Args:
        run: any run.
        row: its number in the source, from 1.
        rows: where the row is; the run's own rows where left out.
        **setting: every lever's value, or as for `Run.what_if` options where rows get several; what is recommended for
            the row where left out.

    Raises:
        UsageError: no such row, an unknown lever or a value that it does not allow, or a lever left out.
    """
    asked = run.whom(rows)
    place = placed(asked, row)
    one = asked.subset(np.array([place]))
    at = whole(run.scenario, setting) if setting else recommended(run, asked, place)
    names = list(run.scenario.inputs)
    orders = shapley.orders(range(len(names)))
    worth, among = _worth(run, one.frame[names].iloc[0], shapley.coalitions(orders), at)
    told = {of: shapley.parts(orders, each) for of, each in worth.items()}
    return Contributions(
        row=row,
        setting=described(run.scenario, at),
        start={of: float(each[frozenset()].mean()) for of, each in worth.items()},
        end={of: float(each[frozenset(range(len(names)))].mean()) for of, each in worth.items()},
        parts={of: _parts(run, one, each) for of, each in told.items()},
        among=among,
    )


def _worth(
    run: Run, row: pd.Series[Any], asked: list[shapley.Coalition], at: Floats
) -> tuple[dict[str, dict[shapley.Coalition, Tensor]], int]:
    """What is split → inputs taken from the row → the mean [M] over rows that keep the others as they are."""
    others = run.table.training.evenly(BACKGROUND).frame[list(row.index)]
    mixed = [
        others.assign(**{name: _column(others[name], row[name]) for i, name in enumerate(row.index) if i in taken})
        for taken in asked
    ]
    crowd = run.simulator.crowd(pd.concat(mixed, ignore_index=True))
    outlook = looked(run.simulator, crowd, np.tile(at, (len(crowd), 1)))
    out = {}
    for of, values in {"objective": outlook.objective, **outlook.outcomes}.items():
        means = values[..., 0].double().reshape(len(values), len(asked), len(others)).mean(2)
        out[of] = {taken: means[:, place] for place, taken in enumerate(asked)}
    return out, len(others)


def _column(column: pd.Series[Any], value: Any) -> pd.Series[Any]:
    return pd.Series([value] * len(column), index=column.index, dtype=column.dtype)


def _parts(run: Run, one: Rows, told: Mapping[int, Tensor]) -> tuple[Part, ...]:
    found = []
    for place, (name, declared) in enumerate(run.scenario.inputs.items()):
        change = told[place]
        value = with_unit(known(one.frame[name].iloc[0], declared.kind, declared.of_date), declared.unit)
        found.append(Part(name, value, Estimate(float(change.mean()), float(jackknife(change, run.simulator.folds)))))
    return tuple(sorted(found, key=lambda part: -abs(part.change.value)))
