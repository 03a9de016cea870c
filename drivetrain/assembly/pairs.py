"""What models expect as two levers move at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivetrain.assembly.answers import Asked
from drivetrain.assembly.response import respond
from drivetrain.assembly.result import Run, of_run
from drivetrain.errors import Fault, UsageError, nearest

Floats = NDArray[np.float64]

POINTS = 21


@dataclass(frozen=True)
class Surface:
    """What models expect over two levers, on average over the rows asked about; not judged by any evidence."""

    across: str
    """The lever that changes from column to column."""
    up: str
    """The lever that changes from row to row."""
    columns: Floats
    """[A] settings of `across`, ascending, in natural units; an option's code."""
    rows: Floats
    """[B] settings of `up`."""
    values: Mapping[str, Floats]
    """`objective`, then each outcome → [B, A] the mean over rows and members."""
    supported: NDArray[np.bool_]
    """[B, A] whether the data has seen enough around the pair, the other levers being as asked."""
    asked: int
    """How many rows were asked about."""


@of_run
def surface(run: Run, across: str, up: str, rows: Asked = None, /, **setting: Any) -> Surface:
    """Ask about every pair of settings of two levers, the same for all rows.

    Args:
        run: any run.
        across: one lever.
        up: another.
        rows: whom to ask about; the run's own rows where left out.
        **setting: where the other levers stand; where left out, at the best single setting.

    Raises:
        UsageError: an unknown lever, the same one twice, or a value that it does not allow.
    """
    space = run.scenario.space
    for name in (across, up):
        if name not in space.names:
            raise UsageError(Fault(name, "found an unknown lever", "A map has two levers", nearest(name, space.names)))
    if across == up:
        raise UsageError(Fault(up, "found the same lever twice", "A map has two different levers", "Name another"))
    given = space.parse(setting)
    others = given if run.evidence is None else np.where(np.isnan(given), run.evidence.single, given)
    first, second = space.names.index(across), space.names.index(up)
    columns, lines = space.grid(across, POINTS), space.grid(up, POINTS)
    settings = np.tile(others, (len(columns) * len(lines), 1))
    settings[:, first], settings[:, second] = np.tile(columns, len(lines)), np.repeat(lines, len(columns))
    asked = run.whom(rows)
    answer = respond(run.simulator, run.simulator.crowd(asked.frame), settings, first)
    shape = (len(lines), len(columns))
    values = {of: np.array([each.value for each in line]).reshape(shape) for of, line in answer.estimates.items()}
    return Surface(across, up, columns, lines, values, answer.supported.reshape(shape), len(asked))
