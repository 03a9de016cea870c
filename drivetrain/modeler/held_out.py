"""What models say of rows that they have not seen: each row judged by the members whose training left it out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from drivetrain.data import Table, existing
from drivetrain.data.splits import SEALED
from drivetrain.modeler import scores
from drivetrain.modeler.ensemble import Models
from drivetrain.modeler.links import Link, worth
from drivetrain.scenario import Scenario


@dataclass(frozen=True)
class HeldOut:
    """One outcome where it exists, as members predicted it that had not seen the row."""

    link: Link
    at: np.ndarray
    """int64 [n] the rows' positions in the table."""
    observed: np.ndarray
    """float64 [n], options as codes."""
    predicted: np.ndarray
    """float64 [n] expected outcomes; [n, C] probabilities of a categorical one."""
    weight: np.ndarray | None = None
    """float64 [n] how much each counts; None where all count the same."""

    @property
    def losses(self) -> np.ndarray:
        """[n] each row's loss, as of `scores.each`."""
        return scores.each(self.link, self.observed, self.predicted)

    def loss(self, rows: np.ndarray | None = None) -> float:
        """The loss named in `scores.LOSS_NAMES`.

        Args:
            rows: positions, or [n] of bool, of the rows to take; all where left out.
        """
        taken = slice(None) if rows is None else rows
        weight = None if self.weight is None else self.weight[taken]
        return scores.loss(self.link, self.observed[taken], self.predicted[taken], weight)


def held_out(scenario: Scenario, models: Models, table: Table) -> dict[str, HeldOut]:
    """Predict every outcome of rows from what the data shows of them: inputs, settings, earlier outcomes.

    Args:
        scenario: what is declared.
        models: all members; a row of a fold is judged by that fold's, a sealed row by all.
        table: rows of the folds, or of the sealed test part.
    """
    values = worth(scenario, models.links, table.frame)
    out = {}
    for name, model in models.outcomes.items():
        settings = np.column_stack([table.settings, *(values[use] for use in scenario.outcomes[name].uses)])
        known = np.isfinite(np.column_stack([values[name], settings])).all(axis=1)
        at = np.flatnonzero(existing(scenario, table.frame, name) & known)
        link, width = model.link, model.link.width
        predicted = np.zeros((len(at), width) if link.kind == "categorical" else len(at))
        for fold in np.unique(table.fold[at]):
            held = np.flatnonzero(table.fold[at] == fold)
            judges = model if fold == SEALED else model.without(int(fold))
            context = judges.context(models.inputs.encode(table.frame.iloc[at[held]]))
            own = torch.tensor(settings[at[held]])
            predicted[held] = judges.paired(context, own, torch.float64).mean(0).numpy()
        out[name] = HeldOut(link, at, values[name][at], predicted, None if table.weight is None else table.weight[at])
    return out
