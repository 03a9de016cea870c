"""What models rely on, and what they take for what, on rows that they have not seen.

Importance is that of permutation (Breiman 2001; Fisher, Rudin & Dominici 2019): how much worse predictions of held-out
rows get when one input's, or one lever's, values are dealt anew among them. Of two that tell the same each takes the
other's place, so that neither may look important.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.modeler.ensemble import Models
from drivetrain.modeler.held_out import HeldOut, held_out
from drivetrain.scenario import Scenario

MOST_ROWS = 2_000
DEALS = 3
EACH_LOSS = {"binary": "log-loss", "categorical": "log-loss", "count": "Poisson deviance"}
"""What one row's loss is called; of other kinds it is the absolute error."""
MOST_OPTIONS = 12
"""A table of what is taken for what is drawn for outcomes with no more options."""


def importance(scenario: Scenario, models: Models, table: Table, seed: int) -> dict[str, dict[str, Any]]:
    """Outcome → `loss_name`, `loss` of a row, and by name of input and lever how much it grows, with standard error.

    Args:
        scenario: what is declared.
        models: all members; each row is judged by those that have not seen it.
        table: rows of the folds; of many, 2,000 stand for all.
        seed: of the deals.
    """
    random = np.random.default_rng(seed)
    some = table.subset(np.sort(random.permutation(len(table))[:MOST_ROWS]))
    plain = held_out(scenario, models, some)
    out: dict[str, dict[str, Any]] = {
        name: {"loss_name": EACH_LOSS.get(each.link.kind, "absolute error"), "loss": float(each.losses.mean()),
               "rows": len(each.at), "by": []} for name, each in plain.items() if len(each.at)}  # fmt: skip
    for name in (*scenario.inputs, *scenario.levers):
        dealt = [held_out(scenario, models, _dealt(scenario, some, name, random)) for _ in range(DEALS)]
        for outcome, told in out.items():
            more = np.mean([each[outcome].losses for each in dealt], axis=0) - plain[outcome].losses
            error = float(more.std(ddof=1) / np.sqrt(len(more))) if len(more) > 1 else 0.0
            what = "lever" if name in scenario.levers else "input"
            told["by"].append({"name": name, "is": what, "loss": float(more.mean()), "error": error})
    return out


def confusion(found: HeldOut) -> dict[str, Any] | None:
    """How often what was observed (a line) was held most probable (a column); None where an outcome has no classes."""
    if found.link.kind not in {"binary", "categorical"} or found.link.width > MOST_OPTIONS:
        return None
    names = found.link.options or ("no", "yes")
    likeliest = found.predicted.argmax(axis=1) if found.predicted.ndim == 2 else found.predicted >= 0.5
    table = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(table, (found.observed.astype(np.int64), likeliest.astype(np.int64)), 1)
    return {"options": list(names), "rows": table.tolist()}


def explained(scenario: Scenario, models: Models, table: Table) -> dict[str, dict[str, Any]]:
    """Outcome → what `importance` says of it, and, where it has classes, its `confusion`; plain JSON values.

    Args:
        scenario: what is declared.
        models: what was learned.
        table: training rows.
    """
    out = importance(scenario, models, table, scenario.seed)
    return {name: told | dict(_classes(found)) for name, found in held_out(scenario, models, table).items()
            if (told := out.get(name))}  # fmt: skip


def _classes(found: HeldOut) -> Iterator[tuple[str, Any]]:
    if (told := confusion(found)) is not None:
        yield "confusion", told


def _dealt(scenario: Scenario, table: Table, name: str, random: np.random.Generator) -> Table:
    """The rows with one column's values dealt anew within each fold."""
    order: NDArray[np.int64] = np.arange(len(table))
    for fold in np.unique(table.fold):
        rows = np.flatnonzero(table.fold == fold)
        order[rows] = random.permutation(rows)
    if name in scenario.inputs:
        return replace(table, frame=table.frame.assign(**{name: table.frame[name].to_numpy()[order]}))
    settings, place = table.settings.copy(), list(scenario.levers).index(name)
    settings[:, place] = settings[order, place]
    return replace(table, settings=settings)
