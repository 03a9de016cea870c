"""From prices to a choice: whole settings for whole decisions, within all totals, or what stands in the way."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from drivetrain.errors import Fault, InfeasibleError
from drivetrain.optimizer.totals import (
    Dual,
    Floats,
    Ints,
    Table,
    Total,
    accept,
    blocks,
    dual,
    keeps,
    over,
    priced,
    respond,
    worth,
)

COLUMNS = 2_000
NEAREST = 8
NODES = 500
MOST_SEEN = 100_000
GOLDEN = 0.6180339887498949


def solve(values: Table, totals: list[Total], nodes: int = NODES) -> tuple[Ints, Floats]:
    """The choice [U] of settings with the highest total value within all limits, and the price [C] of each limit.

    Args:
        values: [U, G] what each decision earns under each setting; −∞ where a setting is not allowed.
        totals: the limits, at least one.
        nodes: how far the exact search among the last few decisions may go; 0 leaves it out where it is not needed.

    Returns:
        A choice that keeps the limits (exactly the best where U · G ≤ 2,000), and the prices.

    Raises:
        InfeasibleError: no choice keeps the limits; names them, with the nearest that could be kept.
    """
    _each_reachable(np.where(np.isfinite(values), 0, np.inf).astype(np.float32), totals)
    found = dual(values, totals)
    mixed = _mixture(found)
    known = [*found.kept, mixed]
    if nodes or not any(keeps(picked, totals) for picked in known):
        known.append(_mended(values, totals, found.prices, mixed, max(1, nodes)))
    kept = [picked for picked in known if keeps(picked, totals)]
    if not kept:
        raise InfeasibleError(*_clash(values, totals, mixed))
    start = max(kept, key=lambda picked: worth(values, picked))
    return _swapped(values, totals, start, found.prices), found.prices


def _mixture(found: Dual) -> Ints:
    """As many decisions follow each choice as its share says, alike ones spread evenly."""
    used = np.flatnonzero(found.shares > 1e-9)
    choices = np.stack([found.met[k] for k in used])
    order = np.lexsort(choices)
    place = np.empty(len(order))
    place[order] = (np.arange(len(order)) + 0.5) * GOLDEN % 1
    ends = np.cumsum(found.shares[used])[:-1]
    return np.asarray(choices[np.searchsorted(ends, place), np.arange(len(order))], dtype=np.int64)


def _mended(values: Table, totals: list[Total], prices: Floats, base: Ints, nodes: int) -> Ints:
    """Choose exactly for the decisions that stand closest to a change, the others staying at `base`."""
    units, columns = _open(values, totals, prices, base)
    at, setting = np.array([(i, g) for i, each in enumerate(columns) for g in each], dtype=np.int64).T
    earned = values[units[at], setting].astype(np.float64)
    cells = np.arange(len(at))
    one_each = coo_array((np.ones(len(at)), (at, cells)), shape=(len(units), len(at))).tocsr()
    uses = np.stack([total.used[units[at], setting] / total.width for total in totals]).astype(np.float64)
    open_use = [float(total.used[units, base[units]].sum(dtype=np.float64)) for total in totals]
    rest = -(over(base, totals) - np.array(open_use)) / np.array([total.width for total in totals])
    with _stdout_kept_clean():
        answer = milp(
            -earned / (np.abs(earned).max() or 1.0),
            constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(uses, -np.inf, rest)],
            integrality=np.ones(len(at), dtype=np.int64),
            bounds=Bounds(0, 1),
            options={"node_limit": nodes, "mip_rel_gap": 1e-7},
        )
    if answer.x is None:
        return base
    picked, taken = base.copy(), answer.x > 0.5
    picked[units[at[taken]]] = setting[taken]
    return picked


@contextmanager
def _stdout_kept_clean() -> Iterator[None]:
    """HiGHS prints a line of its own for some solutions, whatever it is told; results on stdout must stay readable."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _open(values: Table, totals: list[Total], prices: Floats, base: Ints) -> tuple[Ints, list[Ints]]:
    """Decisions whose next best setting costs least at these prices, and for each the settings worth a thought."""
    every = max(1, len(values) // MOST_SEEN)  # of a million decisions a hundred thousand have as close ones
    values, totals, base = values[::every], [replace(t, used=t.used[::every]) for t in totals], base[::every]
    nearest = min(values.shape[1], max(NEAREST, COLUMNS // len(values)))
    lost, columns = [], []
    for part in blocks(values):
        net = priced(values, totals, prices, part)
        loss = net.max(1, keepdims=True) - net
        rows = np.arange(len(loss))
        differs = np.zeros(loss.shape, dtype=np.bool_)
        extremes = [base[part]]
        for total in totals:
            used = np.where(np.isfinite(net), total.used[part], np.inf)
            differs |= np.abs(used - used[rows, base[part], None]) > 1e-9 * total.width
            extremes.append(used.argmin(1))
        lost.append(np.where(differs, loss, np.inf).min(1))
        close = np.argpartition(loss, nearest - 1, axis=1)[:, :nearest]
        columns.append(np.column_stack([close, *extremes]))
    listed = np.concatenate(columns)
    units = np.sort(np.argsort(np.concatenate(lost), kind="stable")[: max(1, COLUMNS // nearest)])
    settings = [np.unique(row[np.isfinite(values[u, row])]) for u, row in zip(units, listed[units], strict=True)]
    return units * every, settings


def _swapped(values: Table, totals: list[Total], start: Ints, prices: Floats) -> Ints:
    """Move decisions to what they would choose at the best prices, as far as the limits allow."""
    rows, goal = np.arange(len(start)), respond(values, totals, prices).picked
    gain = values[rows, goal].astype(np.float64) - values[rows, start]
    use = np.stack([total.used[rows, goal].astype(np.float64) - total.used[rows, start] for total in totals])
    return np.where(accept(gain, use, -over(start, totals), prices), goal, start).astype(np.int64)


def _each_reachable(barred: Table, totals: list[Total]) -> None:
    """Raises: InfeasibleError: limits that no choice keeps, each by itself; barred [U, G] is ∞ where not allowed."""
    faults = []
    for total in totals:
        least = float((total.used + barred).min(1).sum(dtype=np.float64))
        if least > total.limit + total.slack:
            faults.append(_out_of_reach(total, least, ""))
    if faults:
        raise InfeasibleError(*faults)


def _clash(values: Table, totals: list[Total], nearest: Ints) -> list[Fault]:
    """Which limits cannot be kept together, and how far each can go while the others are kept."""
    barred = np.where(np.isfinite(values), 0, -np.inf).astype(np.float32)
    proof = dual(barred, totals, highest=1.0)
    guilty = [total for total, price in zip(totals, proof.prices * _widths(totals), strict=True) if price > 1e-6]
    if proof.bound >= -1e-6 * max(1.0, *(abs(total.limit) / total.width for total in totals)) or len(guilty) < 2:
        return [_lumpy(total, nearest) for total in totals]
    faults = []
    for total in guilty:
        others = [other for other in guilty if other is not total]
        least = -dual(barred - total.used, others).bound
        most = float(np.where(np.isfinite(barred), total.used, -np.inf).max(1).sum(dtype=np.float64))
        if least > most + total.slack:  # the others alone cannot be kept: then no single number would help
            faults.append(_lumpy(total, nearest))
            continue
        names = " and ".join(f"{other.name}.{_bound(other)}" for other in others)
        faults.append(_out_of_reach(total, least, f" beside {names}"))
    return faults


def _widths(totals: list[Total]) -> Floats:
    return np.array([total.width for total in totals])


def _bound(total: Total) -> str:
    return "at_most" if total.direction > 0 else "at_least"


def _out_of_reach(total: Total, least: float, condition: str) -> Fault:
    bound, reach = _bound(total), f"{total.told(least):,.6g}"
    return Fault(
        f"constraints.{total.name}.{bound}",
        f"found {total.told(total.limit):,.6g}",
        f"The nearest that any supported settings reach{condition} is {reach}",
        f"Write {bound}: {reach}, or loosen another bound, or widen a lever's range",
    )


def _lumpy(total: Total, nearest: Ints) -> Fault:
    return Fault(
        f"constraints.{total.name}.{_bound(total)}",
        f"found {total.told(total.limit):,.6g}, and {total.told(total.spent(nearest)):,.6g} at the nearest choice",
        "Together with the other constraints, no whole settings for whole decisions were found that meet it",
        "Leave a little more room between the bounds",
    )
