"""The least by which bounds over rows must be loosened for some choice to keep them.

Each bound gets a slack, whose price is its share of the bound itself. Small problems are solved whole, by a
mixed-integer programme; large ones by cutting planes on the prices, of which none exceeds what its slack costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array

from drivetrain.optimizer.allotment import mixture
from drivetrain.optimizer.parts import Use, parts
from drivetrain.optimizer.totals import Dual, Places, Total, over, respond

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SMALL = 5_000
NODES = 2_000
CUTS = 200
ENOUGH = 2e-6
"""A sum over its bound by so little of it is a rounding error."""
ROUGHLY = 1e-4
"""The same of an average."""
UNTHINKABLE = 1e4
"""What loosening a bound costs that must be kept, in shares of it."""


def loosened(allowed: Bools, uses: list[Use], share: float, only: Use | None = None) -> dict[str, float] | None:
    """Bound → the nearest value with which some choice keeps all bounds; empty where all can be kept as they are.

    Args:
        allowed: [U, G] settings that may be chosen, at least one for each decision.
        uses: what decisions use of each bound.
        share: the part of all rows that these are.
        only: the one bound that may be loosened, the tightest value of which is told; all may where left out.

    Returns:
        None where loosening these does not help.
    """
    out: dict[str, float] = {}
    for units, places in parts(len(allowed), uses):
        some = [uses[place] for place in places]
        firm = np.array([only is not None and use is not only for use in some])
        totals = [use.total(units, share) for use in some]
        heavy = np.array([_magnitude(use, total) for use, total in zip(some, totals, strict=True)])
        small = int(allowed[units].sum()) <= SMALL
        answer = (_whole if small else _average)(allowed[units], totals, heavy, firm)
        if answer is None:
            return None
        for use, total, spent, past in zip(some, totals, answer.spent, answer.passed, strict=True):
            if past or use is only:  # of an average so much more that the last whole decision fits as well
                room = 0.0 if small or use is only else total.width
                out[use.name] = use.told(answer.picked[np.searchsorted(units, use.units)], spent + room, share)
    return out


@dataclass(frozen=True)
class _Answer:
    """A choice that passes bounds least, or an average of several."""

    picked: Ints
    """[U] the choice, or one about as the average."""
    spent: Floats
    """[C] the sums."""
    passed: Bools
    """[C] which bounds they pass."""


def _magnitude(use: Use, total: Total) -> float:
    """By how much the sum moves when the bound moves by the whole of itself."""
    span = float((total.used.max(1).astype(np.float64) - total.used.min(1)).sum())
    divided = abs(float(use.divisor.mean(1).sum())) * abs(use.limit.bound) if use.divisor is not None else 0.0
    return max(abs(total.limit), divided, 1e-3 * span) or 1.0


def _whole(allowed: Bools, totals: list[Total], heavy: Floats, firm: Bools) -> _Answer | None:
    """The whole choice that passes bounds least, firm ones not at all."""
    at, setting = np.nonzero(allowed)
    cells, many = len(at), len(totals)
    one_each: Any = coo_array((np.ones(cells), (at, np.arange(cells))), shape=(len(allowed), cells + many)).tocsr()
    uses = np.stack([total.used[at, setting] / size for total, size in zip(totals, heavy, strict=True)])
    rows = np.hstack([uses.astype(np.float64), -np.eye(many)])
    limit = np.array([total.limit for total in totals]) / heavy + ENOUGH / 2
    answer = milp(
        np.concatenate([np.zeros(cells), np.ones(many)]),
        constraints=[
            LinearConstraint(one_each, 1, 1),
            LinearConstraint(rows, -np.inf, limit),
        ],
        integrality=np.concatenate([np.ones(cells), np.zeros(many)]),
        bounds=Bounds(0, np.concatenate([np.ones(cells), np.where(firm, 0, np.inf)])),
        options={"node_limit": NODES, "mip_rel_gap": 1e-6},
    )
    if answer.x is None:
        return None
    taken = answer.x[:cells] > 0.5
    picked = np.zeros(len(allowed), dtype=np.int64)
    picked[at[taken]] = setting[taken]
    passed = over(picked, totals)
    return _Answer(picked, passed + [total.limit for total in totals], passed / heavy > ENOUGH)


def _average(allowed: Bools, totals: list[Total], heavy: Floats, firm: Bools) -> _Answer | None:
    """The same for many decisions, of which a share can follow each of several choices."""
    found = _mixed(allowed, totals, heavy, np.where(firm, UNTHINKABLE, 1.0))
    passed = found.shares @ np.array([over(choice, totals) for choice in found.met])
    past = (passed / heavy > ROUGHLY) & (found.bound > ENOUGH)
    spent = passed + [total.limit for total in totals]
    return None if (past & firm).any() else _Answer(mixture(found), spent, past)


def _mixed(allowed: Bools, totals: list[Total], heavy: Floats, cap: Floats) -> Dual:
    """Maximise, over prices from 0 to `cap`, what free choices pass the bounds by at these prices."""
    barred = np.where(allowed, 0, -np.inf).astype(np.float32)
    prices, best, met, cuts = np.zeros(len(totals)), 0.0, list[Places](), list[Floats]()
    shares = np.ones(1)
    for _ in range(CUTS):
        response = respond(barred, totals, prices / heavy)
        passed = response.over / heavy
        met.append(response.picked)
        cuts.append(passed)
        best = max(best, float(prices @ passed))
        answer: Any = linprog(
            [-1.0, *np.zeros(len(totals))],
            np.array([[1.0, *-each] for each in cuts]),
            np.zeros(len(cuts)),
            bounds=[(None, None), *((0.0, most) for most in cap)],
        )
        if not answer.success:
            break
        shares = -answer.ineqlin.marginals
        if -answer.fun - best <= 1e-7 * max(1.0, best):
            break
        prices = answer.x[1:]
    return Dual(prices, best, met[: len(shares)], [], shares / shares.sum())
