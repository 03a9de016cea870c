"""Cross-fitting: for each fold networks that have not seen it, and what they predict of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.modeler.boosting import Soil, grow, halves, stops
from drivetrain.modeler.contract import Shape
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.links import Link
from drivetrain.modeler.settings import SettingEncoder
from drivetrain.modeler.training import train
from drivetrain.scenario import Boosting, Model


@dataclass(frozen=True)
class Task:
    """One outcome's examples, with everything that does not depend on who competes."""

    link: Link
    shape: Shape
    settings: SettingEncoder
    examples: Examples
    fold: np.ndarray
    """int64 [N]: the fold that each example belongs to."""

    def fitted(self, rows: np.ndarray) -> Link:
        """The link with the centre and scale of these rows."""
        weight = self.examples.weight
        return self.link.fitted(self.examples.observed[rows], None if weight is None else weight[rows])

    def sized(self, model: Model) -> Self:
        """The same task for networks of another size."""
        return replace(
            self, shape=replace(self.shape, layers=model.layers, dropout=model.dropout, interactions=model.interactions)
        )


def cross_fit(
    kind: str, task: Task, model: Model, folds: Sequence[int] | NDArray[np.int64], seed: int
) -> tuple[Member, ...]:
    """Networks that do not see a fold, one for each place in `folds`, all trained at once.

    Where they stop early, rows of a further fold tell when.
    """
    seen, told = [np.flatnonzero(task.fold != fold) for fold in folds], list[np.ndarray]()
    if model.patience:
        seen, told = map(list, zip(*halves(task.fold, folds, seed), strict=True))
    links = [task.fitted(rows) for rows in seen]
    networks = train(kind, task.examples, seen, links, task.shape, model, seed, told)
    return tuple(Member(network, link, int(fold)) for network, link, fold in zip(networks, links, folds, strict=True))


def cross_stop(
    task: Task, bush: Boosting, folds: Sequence[int] | NDArray[np.int64], seed: int
) -> tuple[dict[int, int], float]:
    """Fold → how many rounds of trees its judges shall have, told by rows of others; and the mean loss there."""
    subsets = halves(task.fold, folds, seed)
    links = [task.fitted(np.r_[rows, told]) for rows, told in subsets]
    soil = Soil.of(task.examples, task.shape, task.settings)
    rounds, loss = stops(soil, subsets, links, bush, seed)
    return dict(zip(map(int, folds), rounds, strict=True)), loss


def cross_grow(
    task: Task, bush: Boosting, rounds: Mapping[int, int], folds: Sequence[int] | NDArray[np.int64], seed: int
) -> tuple[Member, ...]:
    """Boosted trees that do not see a fold, one for each place in `folds`.

    Args:
        task: one outcome's examples.
        bush: how to grow.
        rounds: fold → how many rounds; where a fold has no number, as many as the others on average.
        folds: whose rows each member must not see.
        seed: of the columns that splits look at.
    """
    seen, average = [np.flatnonzero(task.fold != fold) for fold in folds], round(np.mean(list(rounds.values())))
    links = [task.fitted(rows) for rows in seen]
    many = [rounds.get(int(fold), average) for fold in folds]
    soil = Soil.of(task.examples, task.shape, task.settings)
    trees = grow(soil, seen, links, many, bush, seed)
    return tuple(Member(each, link, int(fold)) for each, link, fold in zip(trees, links, folds, strict=True))


def linear_of_fold(fold: int, members: Sequence[Member], held: Examples) -> Tensor:
    """[n, C] the mean linear predictor of the members that have not seen a fold, of rows of it; they share one link."""
    judges = [member.network for member in members if member.fold == fold]
    with torch.no_grad():
        return torch.stack([net.paired(net.context(held.rows), held.features) for net in judges]).mean(0)


def out_of_fold(members: tuple[Member, ...], task: Task) -> np.ndarray:
    """The mean prediction of the members that have not seen the row: [N], or [N, C] of a categorical outcome.

    Rows of a fold for which there is no member are NaN.
    """
    width = (task.link.width,) if task.link.kind == "categorical" else ()
    out = np.full((len(task.fold), *width), np.nan)
    for fold in sorted({member.fold for member in members}):
        held = np.flatnonzero(task.fold == fold)
        rows = task.examples.take(held)
        judges = [member for member in members if member.fold == fold]
        each = [m.link.mean(m.network.paired(m.network.context(rows.rows), rows.features).double()) for m in judges]
        out[held] = torch.stack(each).mean(0).numpy()
    return out
