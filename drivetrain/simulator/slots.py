"""Several options for a row at once, such as the slots of a page.

The data shows rows with one option each, so what several do together is not known from it. It is taken to be the sum
of what each adds by itself: to the setting that does nothing, with which slots may also stay empty; to nothing where
none is declared. Options that crowd each other out are then worth less than is said, and those that help each other
more.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.simulator.crowd import Crowd
from drivetrain.simulator.outlook import Outlook
from drivetrain.simulator.simulator import Simulator

Floats = NDArray[np.float64]


def looked(simulator: Simulator, crowd: Crowd, settings: Floats) -> Outlook:
    """What members expect of rows as they are set.

    Args:
        simulator: who is asked.
        crowd: N rows.
        settings: [N, L] of each row; where rows get several options these, [N, K], NaN where a slot is empty.

    Returns:
        Tensors [M, N, 1].
    """
    if simulator.scenario.slots > 1:
        return summed(simulator, crowd, settings)
    return simulator.paired(crowd, settings)


def summed(simulator: Simulator, crowd: Crowd, slots: Floats) -> Outlook:
    """What members expect of rows with several options each: objective, outcomes and formulas, each added up.

    Args:
        simulator: of a scenario with one lever.
        crowd: N rows.
        slots: [N, K] option codes; NaN is an empty slot.

    Returns:
        Tensors [M, N, 1].
    """
    nothing = simulator.scenario.space.do_nothing
    base = None if nothing is None else simulator.paired(crowd, np.tile(nothing, (len(crowd), 1)))
    parts = [base] if base is not None else []
    filled = np.isfinite(slots)
    for place in range(slots.shape[1]):
        codes = np.where(filled[:, place], slots[:, place], 0.0)
        parts.append(_added(simulator.paired(crowd, codes[:, None]), base, torch.from_numpy(filled[:, place])))
    return _sum(parts)


def _added(one: Outlook, base: Outlook | None, filled: Tensor) -> Outlook:
    """What one slot adds; 0 in rows where it is empty."""

    def less(value: Tensor, start: Tensor | None) -> Tensor:
        added = value if start is None else value - start
        return torch.where(filled[None, :, None], added, torch.zeros_like(added))

    def each(values: dict[str, Tensor], start: dict[str, Tensor] | None) -> dict[str, Tensor]:
        return {name: less(value, None if start is None else start[name]) for name, value in values.items()}

    return Outlook(
        less(one.objective, None if base is None else base.objective),
        each(dict(one.outcomes), None if base is None else dict(base.outcomes)),
        each(dict(one.bounded), None if base is None else dict(base.bounded)),
        one.folds,
        each(dict(one.beside), None if base is None else dict(base.beside)),
    )


def _sum(parts: list[Outlook]) -> Outlook:
    first = parts[0]

    def each(name: str) -> dict[str, Tensor]:
        tables = [getattr(part, name) for part in parts]
        return {key: torch.stack([table[key] for table in tables]).sum(0) for key in tables[0]}

    objective = torch.stack([part.objective for part in parts]).sum(0)
    return Outlook(objective, each("outcomes"), each("bounded"), first.folds, each("beside"))
