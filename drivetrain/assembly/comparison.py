"""Two runs of the same rows: whose models predict better what both were judged on, as with and without cleaning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.assembly.result import Run, finished
from drivetrain.errors import Fault, UsageError
from drivetrain.evidence import Estimate, Sample
from drivetrain.modeler import held_out
from drivetrain.modeler.scores import LOSS_NAMES


@dataclass(frozen=True)
class Compared:
    """Two runs' held-out losses of one outcome on the rows that both kept as they are."""

    outcome: str
    loss_name: str
    rows: int
    """Rows that judge: training rows of both, with the same observed outcome in both."""
    left_out: int
    """Training rows of one of the two only, or whose observed outcome differs."""
    first: float
    second: float
    better: Estimate
    """How much lower the second run's loss is, for one row (of a numeric outcome its absolute error)."""


def compare(first: Run, second: Run) -> tuple[Compared, ...]:
    """Compare held-out losses, row by row, each row judged by members that have not seen it.

    Args:
        first: the run to compare with, such as one without a cleaning file.
        second: the run to judge, of the same source.

    Raises:
        UsageError: these are no runs, are of different sources, or have no outcome or no rows in common.
    """
    if finished(first).table.source != finished(second).table.source:
        found = f"they learned from {first.table.source} and {second.table.source}"
        raise UsageError(Fault("the runs", found, "Rows are told by their number in one source", "Name two runs of it"))
    both = [name for name in first.scenario.outcomes if name in second.scenario.outcomes]
    told = [each for name in both if (each := _outcome(first, second, name)) is not None]
    if not told:
        rule = "A comparison needs an outcome of the same kind, judged on the same rows"
        raise UsageError(Fault("the runs", "they have no judged outcome in common", rule, "Name two runs of one case"))
    return tuple(told)


def _outcome(first: Run, second: Run, name: str) -> Compared | None:
    parts = []
    for run in (first, second):
        table = run.table.training
        found = held_out(run.scenario, run.simulator.models, table)[name]
        parts.append((found, table.row[found.at]))
    (one, rows), (other, others) = parts
    _, here, there = np.intersect1d(rows, others, return_indices=True)
    same = one.observed[here] == other.observed[there]
    if one.link.kind != other.link.kind or one.link.options != other.link.options or same.sum() < 2:
        return None
    here, there = here[same], there[same]
    return Compared(
        outcome=name,
        loss_name=LOSS_NAMES[one.link.kind],
        rows=len(here),
        left_out=len(np.union1d(rows, others)) - len(here),
        first=one.loss(here),
        second=other.loss(there),
        better=_sample(first, one.at[here]).estimate(one.losses[here] - other.losses[there]),
    )


def _sample(run: Run, at: NDArray[np.int64]) -> Sample:
    """Training rows at these places, with the people or places that they belong to."""
    cluster = run.table.training.cluster
    return Sample(len(at), None if cluster is None else cluster[at])
