"""The best choice of settings that keeps totals; of many decisions the best mixture of choices that does on average."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from drivetrain.errors import Fault, InfeasibleError
from drivetrain.optimizer.slots import Slots, chosen, over, solve
from drivetrain.optimizer.totals import Total, dual

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Table = NDArray[np.float32]

FEW = 24
"""So few decisions get one setting each, and no mixture that is kept on average."""


@dataclass(frozen=True)
class Mixture:
    """Choices, and the share in which each is made."""

    choices: tuple[tuple[Ints, float], ...]
    """Candidates for each decision [U, K], and their share."""
    prices: Floats
    """One for each total."""


def mixed(
    values: Table, totals: list[Total], slots: Slots, passed: Callable[[Total, float], InfeasibleError]
) -> Mixture:
    """The best choice of few decisions, else the best mixture of choices that keeps all totals on average.

    Args:
        values: [U, G] what each candidate is worth for each decision; −∞ where it is not allowed.
        totals: what must be kept.
        slots: how many candidates a decision gets.
        passed: says, of a total that cannot be kept and by how much it is passed, where that comes to.

    Raises:
        InfeasibleError: no settings keep them.
    """
    if not totals or len(values) <= FEW:
        whole = solve(values, totals, slots)
        if whole is not None:
            return Mixture(((whole[0], 1.0),), whole[1])
    found = dual(values, totals, answer=partial(chosen, values, totals, slots))
    weighted = [
        (picked.astype(np.int64).reshape(len(values), -1), float(share))
        for picked, share in zip(found.met, found.shares, strict=True)
    ]
    extra = sum(share * over(picked, totals) for picked, share in weighted)
    for total, more in zip(totals, np.atleast_1d(extra), strict=True):
        if more > 1e-3 * max(total.width, abs(total.limit)):
            raise passed(total, float(more))
    if len(values) <= FEW:
        raise InfeasibleError(Fault("limit", "found no setting that keeps all bounds", "", "Ask for a looser one"))
    return Mixture(tuple((picked, share) for picked, share in weighted if share > 1e-6), found.prices)
