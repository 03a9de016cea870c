"""From prices to a choice: whole settings for whole decisions, within all totals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

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


def solve(values: Table, totals: list[Total], nodes: int = NODES) -> tuple[Ints, Floats] | None:
    """The choice [U] of settings with the highest total value within all limits, and the price [C] of each limit.

    Args:
        values: [U, G] what each decision earns under each setting; −∞ where a setting is not allowed.
        totals: the limits, at least one.
        nodes: how far the exact search among the last few decisions may go; 0 leaves it out where it is not needed.

    Returns:
        A choice that keeps the limits (exactly the best where U · G ≤ 2,000), and the prices; None where none was
        found: see `conflict` for why.
    """
    if not _each_reachable(values, totals):
        return None
    found = dual(values, totals)
    mixed = mixture(found)
    known = [*found.kept, mixed]
    if nodes or not any(keeps(picked, totals) for picked in known):
        known.append(_mended(values, totals, found.prices, mixed, max(1, nodes)))
    kept = [picked for picked in known if keeps(picked, totals)]
    if not kept:
        return None
    start = max(kept, key=lambda picked: worth(values, picked))
    return _swapped(values, totals, start, found.prices), found.prices


def _each_reachable(values: Table, totals: list[Total]) -> bool:
    """Whether every limit could be kept, each by itself."""
    barred = np.where(np.isfinite(values), 0, np.inf).astype(np.float32)
    return all((t.used + barred).min(1).sum(dtype=np.float64) <= t.limit + t.slack for t in totals)


def mixture(found: Dual) -> Ints:
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
    widths, slack = np.array([total.width for total in totals]), np.array([total.slack for total in totals])
    uses = np.stack([total.used[units[at], setting] for total in totals]).astype(np.float64) / widths[:, None]
    open_use = [float(total.used[units, base[units]].sum(dtype=np.float64)) for total in totals]
    rest = (
        np.array(open_use) - over(base, totals) + slack / 2
    ) / widths  # HiGHS forgives no rounding error in whole numbers
    with stdout_kept_clean():
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
def stdout_kept_clean() -> Iterator[None]:
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
