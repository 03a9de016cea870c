"""Bounds over all decisions at once, by Lagrangian duality.

With a price on what each total limits, every decision chooses alone. The best prices minimise a convex, piecewise
linear function, found by cutting planes (Kelley 1960, J. SIAM 8:703). Their weights say how many decisions follow
which choice (Dantzig & Wolfe 1960, Oper. Res. 8:101); the few decisions that stand closest to a change are then chosen
exactly, so that what is lost is a small part of one decision's worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from torch import Tensor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Table = NDArray[np.float32]
"""[U, G] a number for each decision under each setting."""
Places = NDArray[np.int16]
"""[U] a choice of settings, kept small since many are kept."""

CUTS = 200
GAP = 1e-7
SLACK = 1e-6
CELLS = 4_000_000
CELLS_IN_CACHE = 131_072
REFUSALS = 500
"""So many moves that no longer fit are passed over, before the rest is left alone."""


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

    def spent(self, picked: Ints | Places) -> float:
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
    met: list[Places]
    """Choices [U] that decisions make by themselves at the prices tried."""
    kept: list[Ints]
    """Of these the best that keeps all limits; empty where none does."""
    shares: Floats
    """For each of them the weight it has in the best mixture of choices, which keeps the limits on average."""


def worth(values: Table, picked: Ints | Places) -> float:
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


@dataclass(frozen=True)
class Response:
    """What every decision chooses by itself at some prices."""

    picked: Places
    """[U]"""
    value: float
    """What the choice is worth."""
    over: Floats
    """[C] by how much it goes over each limit."""


def respond(
    values: Table, totals: list[Total], prices: Floats, choose: Callable[[Tensor], Tensor] | None = None
) -> Response:
    """Every decision's best at these prices.

    In single precision, block by block, so that a million decisions take a tenth of a second: nothing leaves the cache
    between the prices and the choice. Sums are in double precision.

    Args:
        values: [U, G] what each setting is worth to each decision.
        totals: limits on what is chosen.
        prices: [C] of a unit of each limit.
        choose: net worth [u, G] → the places [u, K] that a decision takes together; the one best where left out. What
            is picked is then [U · K], decision by decision.
    """
    picked, value, used = list[Places](), 0.0, np.zeros(len(totals))
    table, tables = torch.from_numpy(values), [torch.from_numpy(total.used) for total in totals]
    step = max(1, CELLS_IN_CACHE // values.shape[1])
    for start in range(0, len(values), step):
        part = slice(start, start + step)
        net = table[part]
        for price, each in zip(prices, tables, strict=True):
            net = torch.sub(net, each[part], alpha=float(price))
        taken = net.max(1, keepdim=True)[1] if choose is None else choose(net)
        picked.append(taken.numpy().astype(np.int16).ravel())
        value += float(table[part].gather(1, taken).sum(dtype=torch.float64))
        used += [float(each[part].gather(1, taken).sum(dtype=torch.float64)) for each in tables]
    return Response(np.concatenate(picked), value, used - [total.limit for total in totals])


def bounded(values: Table, totals: list[Total], prices: Floats) -> float:
    """What no choice within the limits is worth more than: the dual's value at these prices, in double precision."""
    free = sum(float(priced(values, totals, prices, part).max(1).sum()) for part in blocks(values))
    return free + float(prices @ [total.limit for total in totals])


def over(picked: Ints | Places, totals: list[Total]) -> Floats:
    """[C] by how much a choice goes over each limit."""
    return np.array([total.spent(picked) - total.limit for total in totals])


def keeps(picked: Ints | Places, totals: list[Total]) -> bool:
    """Whether a choice keeps all limits."""
    return all(extra <= total.slack for extra, total in zip(over(picked, totals), totals, strict=True))


def dual(
    values: Table,
    totals: list[Total],
    highest: float = 1e4,
    answer: Callable[[Floats], Response] | None = None,
) -> Dual:
    """Minimise, over prices ≥ 0, the worth of free choices less the price of going over the limits.

    Args:
        values: [U, G]; −∞ where a setting is not allowed.
        totals: the limits.
        highest: the price that no one would pay, in ranges of one decision's value over `Total.width`.
        answer: what decisions choose by themselves at some prices [C]; `respond` where left out.
    """
    asked = answer or partial(respond, values, totals)
    reach, widths = _reach(values), np.array([total.width for total in totals])
    unit = reach / widths  # prices are found in this unit, so that the linear programme is well scaled
    scale = reach * len(values)
    prices = np.zeros(len(totals))
    best, best_prices, met, cuts = np.inf, prices, list[Places](), list[tuple[float, Floats]]()
    kept, most, shares = list[Ints](), -np.inf, np.ones(1)
    slack = np.array([total.slack for total in totals])
    for _ in range(CUTS):
        found = asked(prices)
        value, extra = found.value, found.over
        met.append(found.picked)
        if value > most and (extra <= slack).all():
            kept, most = [found.picked.astype(np.int64)], value
        cuts.append((value / scale, extra * unit / scale))
        if (bound := value - float(prices @ extra)) < best:
            best, best_prices = bound, prices
        master = _master(cuts, highest)
        if not master.success:
            break
        shares = -master.ineqlin.marginals
        if best - master.fun * scale <= GAP * max(abs(best), reach):
            break
        prices = master.x[1:] * unit
    return Dual(best_prices, best, met[: len(shares)], kept, shares / shares.sum())


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
    made, room = np.zeros(len(gain), dtype=np.bool_), np.maximum(room.astype(np.float64), 0)
    cost = np.maximum(prices @ use, 1e-12)
    first = np.where((use <= 0).all(0), np.inf, gain / cost)
    left = np.argsort(-first, kind="stable")
    left = left[gain[left] > 0]
    for _ in range(REFUSALS):  # as many as fit, then without the one that does not, and what could not fit any more
        fits = (np.cumsum(use[:, left], axis=1) <= room[:, None]).all(0)
        many = len(left) if fits.all() else int(fits.argmin())
        made[left[:many]], room = True, room - use[:, left[:many]].sum(1)
        left = left[many + 1 :]
        left = left[(use[:, left] <= room[:, None]).all(0)]
        if not len(left):
            break
    return made
