"""Bounds over all decisions at once, by Lagrangian duality.

With a price on what each total limits, every decision chooses alone. The best prices minimise a convex, piecewise
linear function, found by cutting planes (Kelley 1960, J. SIAM 8:703). Their weights say how many decisions follow
which choice (Dantzig & Wolfe 1960, Oper. Res. 8:101); the few decisions that stand closest to a change are then chosen
exactly, so that what is lost is a small part of one decision's worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Table = NDArray[np.float32]
"""[U, G] a number for each decision under each setting."""

CUTS = 200
GAP = 1e-7
SLACK = 1e-6
CELLS = 4_000_000


@dataclass(frozen=True)
class Total:
    """The sum over decisions of `used` must not exceed `limit`."""

    name: str
    used: Table
    """[U, G] what each decision uses under each setting, signed so that the bound is an upper one."""
    limit: float
    direction: int
    """1 for the scenario's `at_most`, −1 for its `at_least`."""
    scale: float
    """`limit` in units of the scenario's bound."""

    @property
    def slack(self) -> float:
        """By how much the sum may pass the limit and still keep it: a rounding error's worth."""
        return SLACK * max(1.0, abs(self.limit))

    @property
    def width(self) -> float:
        """The most that one decision can change the sum."""
        return float((self.used.max(1) - self.used.min(1)).max()) or 1.0

    def spent(self, picked: Ints) -> float:
        """The sum for a choice [U] of settings."""
        return worth(self.used, picked)

    def told(self, spent: float) -> float:
        """A sum as the scenario's bound counts it."""
        return self.direction * spent / self.scale


@dataclass(frozen=True)
class Dual:
    """The best prices, and what was learned on the way to them."""

    prices: Floats
    """[C] what one more unit of each limit is worth."""
    bound: float
    """No choice within the limits is worth more."""
    met: list[Ints]
    """Choices [U] that decisions make by themselves at the prices tried."""
    shares: Floats
    """For each of them the weight it has in the best mixture of choices, which keeps the limits on average."""


def worth(values: Table, picked: Ints) -> float:
    """The sum of values [U, G] over a choice [U]."""
    return float(values[np.arange(len(picked)), picked].sum(dtype=np.float64))


def priced(values: Table, totals: list[Total], prices: Floats, part: slice) -> Floats:
    """Values of some decisions less the price of what they use, [n, G]."""
    out = values[part].astype(np.float64)
    for total, price in zip(totals, prices, strict=True):
        out -= price * total.used[part]
    return out


def blocks(values: Table) -> list[slice]:
    """Runs of decisions, so that float64 copies of a table stay small."""
    step = max(1, CELLS // values.shape[1])
    return [slice(start, start + step) for start in range(0, len(values), step)]


def respond(values: Table, totals: list[Total], prices: Floats) -> Ints:
    """What each decision chooses by itself at these prices, [U]."""
    parts = [priced(values, totals, prices, part).argmax(1) for part in blocks(values)]
    return np.concatenate(parts).astype(np.int64)


def over(picked: Ints, totals: list[Total]) -> Floats:
    """[C] by how much a choice goes over each limit."""
    return np.array([total.spent(picked) - total.limit for total in totals])


def keeps(picked: Ints, totals: list[Total]) -> bool:
    """Whether a choice keeps all limits."""
    return all(extra <= total.slack for extra, total in zip(over(picked, totals), totals, strict=True))


def dual(values: Table, totals: list[Total], highest: float = 1e4) -> Dual:
    """Minimise, over prices ≥ 0, the worth of free choices less the price of going over the limits.

    Args:
        values: [U, G]; −∞ where a setting is not allowed.
        totals: the limits.
        highest: the price that no one would pay, in ranges of one decision's value over `Total.width`.
    """
    reach, widths = _reach(values), np.array([total.width for total in totals])
    unit = reach / widths  # prices are found in this unit, so that the linear programme is well scaled
    scale = reach * len(values)
    prices = np.zeros(len(totals))
    best, best_prices, met, cuts = np.inf, prices, list[Ints](), list[tuple[float, Floats]]()
    shares = np.ones(1)
    for _ in range(CUTS):
        picked = respond(values, totals, prices)
        value, extra = worth(values, picked), over(picked, totals)
        met.append(picked)
        cuts.append((value / scale, extra * unit / scale))
        if (bound := value - float(prices @ extra)) < best:
            best, best_prices = bound, prices
        answer = _master(cuts, highest)
        if not answer.success:
            break
        shares = -answer.ineqlin.marginals
        if best - answer.fun * scale <= GAP * max(abs(best), reach):
            break
        prices = answer.x[1:] * unit
    return Dual(best_prices, best, met[: len(shares)], shares / shares.sum())


def _master(cuts: list[tuple[float, Floats]], highest: float) -> Any:
    """Least z over (z, prices) with z ≥ worth_k − prices · over_k for every choice met so far."""
    rows = np.array([[-1.0, *(-extra)] for _, extra in cuts])
    right = np.array([-value for value, _ in cuts])
    many = rows.shape[1] - 1
    return linprog([1.0, *np.zeros(many)], rows, right, bounds=[(None, None), *[(0, highest)] * many])


def _reach(values: Table) -> float:
    """The largest range of values within one decision."""
    low = np.where(np.isfinite(values), values, np.inf).min(1)
    return float((values.max(1).astype(np.float64) - low).max()) or 1.0


def accept(gain: Floats, use: Floats, room: Floats, prices: Floats) -> NDArray[np.bool_]:
    """Which of U moves to make, the best first, while limits hold.

    Args:
        gain: [U] what each move adds to the value.
        use: [C, U] what it adds to each sum.
        room: [C] by how much each sum may still grow.
        prices: [C] of the limits, to weigh uses against each other.

    Returns:
        [U]; only moves that gain are made.
    """
    made, room = np.zeros(len(gain), dtype=np.bool_), room.astype(np.float64)
    cost = np.maximum(prices @ use, 1e-12)
    first = np.where((use <= 0).all(0), np.inf, gain / cost)
    for i in np.argsort(-first, kind="stable"):
        if gain[i] > 0 and (use[:, i] <= np.maximum(room, 0)).all():
            made[i], room = True, room - use[:, i]
    return made
