"""The rows that models get most wrong, by members that have not seen them: before you clean, train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly.answers import Answers
from drivetrain.data import Table
from drivetrain.modeler import HeldOut, held_out
from drivetrain.modeler.links import Link
from drivetrain.scenario import Scenario

RARE = 0.005
"""Rows in this share of the edge of a number's range, or with a text in no more rows than this share, are unusual."""
FEW = 2
"""A text in no more rows than these is unusual, however few rows there are."""

Strings = NDArray[np.object_]


def surprises(run: Answers, top: int = 50) -> pd.DataFrame:
    """The rows with the highest loss, each judged by members that have not seen it; sealed rows are left alone.

    Args:
        run: any run.
        top: how many lines.

    Returns:
        A line for each row and outcome, the worst first, losses of several outcomes compared with their means:
        `row` (its number in the source, from 1), `action`, `column`, `value`, `note` (empty, so that the table can be
        filled in and used as a cleaning file), `outcome`, `loss`, `times` (the outcome's mean loss), `predicted` (of a
        categorical outcome the probability of what was observed), `observed`, `setting`, `unusual` (its inputs that
        few rows are like).
    """
    table = run.table.training
    parts = [_lines(table, name, each) for name, each in _judged(run, table).items() if len(each.at)]
    if not parts:
        return pd.DataFrame()
    worst = pd.concat(parts).sort_values("times", ascending=False, kind="stable").head(top)
    at = worst.pop("at").to_numpy()
    worst["setting"] = [run.scenario.space.describe(setting) for setting in table.settings[at]]
    worst["unusual"] = _unusual(run.scenario, table, at)
    return worst.reset_index(drop=True)


def predictions(run: Answers) -> pd.DataFrame:
    """Out-of-fold predictions of every training row, as a run folder keeps them.

    Args:
        run: any run.

    Returns:
        `row` (its number in the source, from 1), `fold`, and for each outcome `NAME predicted`, `NAME observed`,
        `NAME loss`; NaN where an outcome does not exist.
    """
    table = run.table.training
    out: dict[str, NDArray[Any]] = {"row": table.row + 1, "fold": table.fold}
    for name, each in _judged(run, table).items():
        told = {"predicted": _said(each), "observed": each.observed, "loss": each.losses}
        for what, values in told.items():
            whole = np.full(len(table), np.nan)
            whole[each.at] = values
            out[f"{name} {what}"] = whole
    return pd.DataFrame(out)


def _judged(run: Answers, table: Table) -> Mapping[str, HeldOut]:
    return held_out(run.scenario, run.simulator.models, table)


def _lines(table: Table, name: str, found: HeldOut) -> pd.DataFrame:
    losses = found.losses
    out: dict[str, Any] = {"row": table.row[found.at] + 1}
    out |= dict.fromkeys(("action", "column", "value", "note"), "")
    out |= {"outcome": name, "loss": losses, "times": losses / (losses.mean() or 1.0)}
    out |= {"predicted": _said(found), "observed": _shown(found.link, found.observed), "at": found.at}
    return pd.DataFrame(out)


def _said(found: HeldOut) -> NDArray[np.float64]:
    """[n] what was predicted: a mean, or the probability of the option that was observed."""
    if found.predicted.ndim == 1:
        return found.predicted
    return np.asarray(found.predicted[np.arange(len(found.at)), found.observed.astype(int)])


def _shown(link: Link, observed: NDArray[np.float64]) -> Strings:
    if link.options:
        return np.array([link.options[int(code)] for code in observed], dtype=object)
    return np.array([f"{value:g}" for value in observed], dtype=object)


def _unusual(scenario: Scenario, table: Table, at: NDArray[np.int64]) -> list[str]:
    """For each row what few others are like, as text."""
    notes: list[list[str]] = [[] for _ in at]
    for name in scenario.inputs:
        column = table.frame[name]
        rare = _rare_texts(column) if column.dtype == object else _rare_numbers(column)
        missing = column.isna().to_numpy()
        few = 0 < missing.mean() < 0.1
        for place, row in enumerate(at):
            if missing[row] and few:
                notes[place].append(f"{name} is missing")
            elif not missing[row] and (told := rare.get(column.iloc[row])):
                notes[place].append(f"{name} {told}")
    return ["; ".join(note) for note in notes]


def _rare_texts(column: pd.Series[Any]) -> dict[Any, str]:
    counts = column.value_counts()
    rare = counts[counts <= max(FEW, RARE * len(column))]
    return {value: f"'{value}' (in {count:,} row{'' if count == 1 else 's'})" for value, count in rare.items()}


def _rare_numbers(column: pd.Series[float]) -> dict[Any, str]:
    low, high = column.quantile(RARE), column.quantile(1 - RARE)
    outside = column[(column < low) | (column > high)].unique()
    return {value: f"{value:g} (99% of rows: {low:g} to {high:g})" for value in outside}
