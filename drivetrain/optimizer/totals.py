"""Bounds over all decisions at once, by Lagrangian duality.

With a price on what each total limits, every decision chooses alone. The best prices minimise a convex, piecewise
linear function, found by cutting planes (Kelley 1960, J. SIAM 8:703); a feasible choice is then built from the
choices on either side of the best prices, so that few decisions stand between it and the bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from drivetrain.errors import Fault, InfeasibleError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CUTS = 200
GAP = 1e-7
SLACK = 1e-9


@dataclass(frozen=True)
class Total:
    """The sum over decisions of `used` must not exceed `limit`."""

    name: str
    used: NDArray[np.float32]
    """[U, G] what each decision uses under each setting, signed so that the bound is an upper one."""
    limit: float
    direction: int
    """1 for the scenario's `at_most`, −1 for its `at_least`."""
    scale: float
    """`limit` in units of the scenario's bound."""

    def spent(self, picked: Ints) -> float:
        """The sum for a choice [U] of settings."""
        return float(self.used[np.arange(len(picked)), picked].sum(dtype=np.float64))


def solve(values: NDArray[np.float32], totals: list[Total]) -> tuple[Ints, Floats]:
    """The choice [U] of settings with the highest total value within all limits, and the price [C] of each limit.

    Args:
        values: [U, G] what each decision earns under each setting; −∞ where a setting is not allowed.
        totals: the limits, at least one.

    Returns:
        A feasible choice, and the prices. Its value is within a few decisions' worth of the dual bound.

    Raises:
        InfeasibleError: no choice keeps the limits; names them, with the nearest that could be kept.
    """
    allowed = np.isfinite(values)
    _each_reachable(allowed, totals)
    tame = np.where(allowed, values, np.float32(-1e30))
    prices, visited = _dual(tame, totals)
    feasible = [picked for picked in visited if _keeps(picked, totals)] or _steeper(tame, totals, prices)
    start = max(feasible, key=lambda picked: _worth(values, picked))
    goal = _respond(tame, totals, prices)
    return _swap(values, totals, start, goal, prices), prices


def _respond(values: NDArray[np.float32], totals: list[Total], prices: Floats) -> Ints:
    """What each decision chooses by itself at these prices."""
    priced = values.copy()
    for total, price in zip(totals, prices, strict=True):
        priced -= np.float32(price) * total.used
    return np.asarray(priced.argmax(1))


def _worth(values: NDArray[np.float32], picked: Ints) -> float:
    return float(values[np.arange(len(picked)), picked].sum(dtype=np.float64))


def _over(picked: Ints, totals: list[Total]) -> Floats:
    return np.array([total.spent(picked) - total.limit for total in totals])


def _keeps(picked: Ints, totals: list[Total]) -> bool:
    return all(over <= SLACK * max(1.0, abs(t.limit)) for over, t in zip(_over(picked, totals), totals, strict=True))


def _dual(values: NDArray[np.float32], totals: list[Total]) -> tuple[Floats, list[Ints]]:
    """Minimise over prices ≥ 0 the value of free choices less the price of going over; all choices met on the way."""
    prices, most = np.zeros(len(totals)), _highest_price(values, totals)
    best, best_prices, visited, cuts = np.inf, prices, [], []
    for _ in range(CUTS):
        picked = _respond(values, totals, prices)
        worth, over = _worth(values, picked), _over(picked, totals)
        visited.append(picked)
        cuts.append((worth, over))
        if (bound := worth - prices @ over) < best:
            best, best_prices = bound, prices
        # min z over (z, prices) with z ≥ worth_k − prices · over_k for every choice met so far
        rows = np.array([[-1.0, *(-o)] for _, o in cuts])
        right = np.array([-w for w, _ in cuts])
        answer = linprog([1.0, *np.zeros(len(totals))], rows, right, bounds=[(None, None), *[(0, p) for p in most]])
        if not answer.success or best - answer.fun <= GAP * max(1.0, abs(best)):
            break
        prices = answer.x[1:]
    return best_prices, visited


def _highest_price(values: NDArray[np.float32], totals: list[Total]) -> Floats:
    """A price above which nobody would pay for any use: the range of values over the least step of use."""
    tame = np.where(values > -1e29, values, np.nan)
    reach = float(np.nanmax(np.nanmax(tame, 1) - np.nanmin(tame, 1))) or 1.0
    out = []
    for total in totals:
        width = float((total.used.max(1) - total.used.min(1)).max())
        out.append(1e4 * reach / max(width, 1e-9))
    return np.array(out)


def _steeper(values: NDArray[np.float32], totals: list[Total], prices: Floats) -> list[Ints]:
    """Raise the prices of limits that are broken until all are kept."""
    prices = prices + 1e-9
    for _ in range(200):
        picked = _respond(values, totals, prices)
        over = _over(picked, totals)
        if _keeps(picked, totals):
            return [picked]
        prices = np.where(over > 0, prices * 1.3 + 1e-6, prices)
    raise InfeasibleError(
        *(
            Fault(
                f"constraints.{total.name}",
                f"found {total.direction * total.spent(picked) / total.scale:,.6g} at the nearest choice",
                f"It is bounded by {total.direction * total.limit / total.scale:,.6g}, together with the other constraints",
                "Loosen one of them",
            )
            for total in totals
        )
    )


def _swap(values: NDArray[np.float32], totals: list[Total], start: Ints, goal: Ints, prices: Floats) -> Ints:
    """Move decisions from a feasible choice to the one at the best prices, cheapest gain first, while limits hold."""
    rows = np.arange(len(start))
    gain = (values[rows, goal] - values[rows, start]).astype(np.float64)
    use = np.stack([(t.used[rows, goal] - t.used[rows, start]).astype(np.float64) for t in totals])
    room = -_over(start, totals)
    priced = np.maximum(prices @ use, 1e-12)
    worth = np.where((use <= 0).all(0), np.inf, gain / priced)
    order = [i for i in np.argsort(-worth, kind="stable") if gain[i] > 0]
    picked = start.copy()
    for i in order:
        if (use[:, i] <= room).all():
            picked[i], room = goal[i], room - use[:, i]
    return picked


def _each_reachable(allowed: NDArray[np.bool_], totals: list[Total]) -> None:
    faults = []
    for total in totals:
        least = float(np.where(allowed, total.used, np.inf).min(1).sum(dtype=np.float64))
        if least > total.limit + SLACK * max(1.0, abs(total.limit)):
            bound = "at_most" if total.direction > 0 else "at_least"
            reach = total.direction * least / total.scale
            faults.append(
                Fault(
                    f"constraints.{total.name}.{bound}",
                    f"found {total.direction * total.limit / total.scale:,.6g}",
                    f"The nearest that any supported settings reach is {reach:,.6g}",
                    f"Write {bound}: {reach:,.6g}, or widen a lever's range",
                )
            )
    if faults:
        raise InfeasibleError(*faults)
