"""How large a network, how long trained, how much held back: chosen on held-out rows, unless the scenario says.

A few thousand rows and a million want other networks. A short ladder of sizes, from one that barely trusts its rows to
one that learns them well, is climbed with one network a fold; what the scenario sets by itself stays as it is set. How
long is part of a size: the one-cycle policy comes to rest with its last step, so that a training stopped midway is not
what a shorter one would have been, and lengths are compared as wholes; where the scenario asks for patience networks
stop early all the same. Trees stop where held-out rows say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from drivetrain.modeler import scores
from drivetrain.modeler.cross_fitting import Task, cross_fit, cross_stop, out_of_fold
from drivetrain.modeler.searching import search
from drivetrain.modeler.training import find_rate
from drivetrain.scenario import Boosting, Model

LADDER: tuple[dict[str, Any], ...] = (
    {"layers": (32,), "dropout": 0.7, "epochs": 10, "weight_decay": 0.3},
    {"layers": (32,), "dropout": 0.4, "epochs": 10, "weight_decay": 0.3},
    {"layers": (64, 32), "dropout": 0.15, "epochs": 40, "weight_decay": 0.1},
    {"layers": (200, 100), "dropout": 0.05, "epochs": 100, "weight_decay": 0.03},
)
"""From careful to free."""
BUSHES: tuple[dict[str, Any], ...] = (
    {"leaves": 4, "least": 20},
    {"leaves": 8, "least": 20},
    {"leaves": 16, "least": 10},
    {"leaves": 31, "least": 5},
)
"""The same for boosted trees."""
MANY_ROWS = 20_000
"""From here on batches are larger, and one fold is enough to tell sizes apart."""
MOST_STEPS = 4_000
IDLE = 2
NEAR = 0.2
"""Learning rates that differ by less than a fifth are the same."""


def settle(
    model: Model, kind: str, task: Task, seed: int, progress: Callable[[str], None]
) -> tuple[Model, list[dict[str, Any]]]:
    """The settings with which all kinds will be trained, and every size that was tried with its held-out loss.

    Args:
        model: what the scenario says.
        kind: the kind of network that tries the sizes.
        task: one outcome's examples.
        seed: of the networks.
        progress: told which size is being tried.
    """
    if task.shape.coded:  # factors of thousands of options have sizes of their own
        return model, []
    folds = np.unique(task.fold)[: 1 if len(task.fold) >= MANY_ROWS else None]

    def loss(size: Model) -> float:
        words = f"dropout {size.dropout:.2g}, {size.epochs} epochs, learning rate {size.learning_rate:.2g}"
        progress(f"trying layers {list(size.layers)}, {words}")
        predicted = out_of_fold(cross_fit(kind, task.sized(size), size, folds, seed), task)
        held = np.flatnonzero(np.isin(task.fold, folds))
        rows = task.examples.take(held)
        return scores.loss(task.link, rows.observed, predicted[held], rows.weight)

    best, tried = climb(rungs(model, len(task.fold)), loss, told)
    if tried and "learning_rate" not in model.model_fields_set:
        best, tried = _paced(best, tried, _proposed(kind, task, best, int(folds[0]), seed), loss)
    if model.search is not None:
        best, tried = search(model, best, tried, len(task.fold), loss, seed)
    return best, tried


def _proposed(kind: str, task: Task, size: Model, fold: int, seed: int) -> float | None:
    """The learning rate that fastai's finder proposes for networks of this size, from the rows of the other folds."""
    rows = np.flatnonzero(task.fold != fold)
    return find_rate(kind, task.examples, rows, task.fitted(rows), task.sized(size).shape, size, seed)


def _paced(
    best: Model, tried: list[dict[str, Any]], proposed: float | None, loss: Callable[[Model], float]
) -> tuple[Model, list[dict[str, Any]]]:
    """The size with the proposed learning rate, if held-out rows are for it."""
    if proposed is None or abs(np.log(proposed / best.learning_rate)) < NEAR:
        return best, tried
    other = best.model_copy(update={"learning_rate": float(f"{proposed:.2g}")})
    found = loss(other)
    least = min(each["loss"] for each in tried)
    return other if found < least else best, [*tried, {**told(other), "loss": found}]


def settle_trees(
    model: Model, task: Task, seed: int, progress: Callable[[str], None]
) -> tuple[Boosting, dict[int, int], list[dict[str, Any]]]:
    """As `settle`, for boosted trees, and for each fold how many rounds; losses are of the rows that told it.

    Args:
        model: what the scenario says.
        task: one outcome's examples.
        seed: of the trees.
        progress: told which size is being tried.
    """
    folds = np.unique(task.fold)[: 1 if len(task.fold) >= MANY_ROWS else None]
    rounds: dict[Boosting, dict[int, int]] = {}

    def loss(bush: Boosting) -> float:
        progress(f"trying trees of {bush.leaves} leaves with at least {bush.least} rows each")
        rounds[bush], found = cross_stop(task, bush, folds, seed)
        return found

    ladder = bushes(model.boosting, len(task.fold))
    best, tried = climb(ladder, loss, told_of_trees)
    if not tried:
        loss(best)
    return best, rounds[best], tried


def bushes(declared: Boosting, rows: int) -> list[Boosting]:
    """As `rungs`, for boosted trees."""
    own = {name: getattr(declared, name) for name in declared.model_fields_set}
    rate = {"rate": 0.1 if rows >= MANY_ROWS else 0.05}
    tried = [declared.model_copy(update={**rate, **rung, **own}) for rung in BUSHES]
    return [each for place, each in enumerate(tried) if each not in tried[:place]]


def rungs(model: Model, rows: int) -> list[Model]:
    """The sizes to try: the ladder's, with what the scenario sets put in; each once, and one where all is set."""
    own = {name: getattr(model, name) for name in model.model_fields_set}
    batch = {"batch": 512 if rows >= MANY_ROWS else 64}
    tried = [model.model_copy(update={**batch, **rung, **own}) for rung in LADDER]
    if "epochs" not in own:
        tried = [each.model_copy(update={"epochs": _affordable(each, rows)}) for each in tried]
    return [each for place, each in enumerate(tried) if each not in tried[:place]]


def _affordable(model: Model, rows: int) -> int:
    """No more epochs than make 4,000 steps; large tables learn as much in fewer."""
    return max(3, min(model.epochs, MOST_STEPS * model.batch // rows))


def told(model: Model) -> dict[str, Any]:
    """What of the settings a rung decides, for the record."""
    return {name: getattr(model, name) for name in (*LADDER[0], "learning_rate", "interactions", "batch")}


def told_of_trees(bush: Boosting) -> dict[str, Any]:
    """All of it, for the record."""
    return bush.model_dump()


Rung = TypeVar("Rung", Model, Boosting)


def climb(
    ladder: list[Rung], loss: Callable[[Rung], float], told: Callable[[Rung], dict[str, Any]]
) -> tuple[Rung, list[dict[str, Any]]]:
    """The rung with the lowest held-out loss, and each rung tried with its loss.

    It climbs from the careful end and stops after two rungs without gain, since each costs more than the one before.

    Args:
        ladder: the sizes, at least one; where there is only one, nothing is tried.
        loss: trains models of this size, and gives their held-out loss.
        told: a size, for the record.
    """
    if len(ladder) == 1:
        return ladder[0], []
    tried: list[dict[str, Any]] = []
    best, least, idle = ladder[0], float("inf"), 0
    for rung in ladder:
        found = loss(rung)
        tried.append({**told(rung), "loss": found})
        idle = 0 if found < least else idle + 1
        if found < least:
            best, least = rung, found
        if idle == IDLE:
            break
    return best, tried
