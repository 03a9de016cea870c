"""Several options for each decision: the best few of them, of one group no more than so many, within totals.

Sets whose groups are bounded are the bases of a partition matroid, so taking the best that still may be taken, one
after another, gives the best set (Edmonds 1971, Math. Program. 1:127). With a price on what each total limits every
decision does that for itself; prices, and the way from them to whole choices, are those of `totals` and `allotment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from torch import Tensor

from drivetrain.optimizer.allotment import COLUMNS, GOLDEN, NEAREST, NODES, stdout_kept_clean
from drivetrain.optimizer.totals import Dual, Response, Table, Total, accept, dual, respond

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Slots:
    """How many options a decision gets, and which of them are alike."""

    many: int
    """K."""
    group: Ints | None = None
    """[G] the group of each option, numbered from 0; −1 of one that is in none."""
    most: int = 1
    """How many of one group a decision gets at most."""


def best(net: Tensor, slots: Slots) -> tuple[Tensor, Tensor]:
    """The best options of net [n, G], best first: what they are worth, −∞ where none is left, and places, [n, K]."""
    if slots.group is None or slots.most >= slots.many:
        taken = torch.topk(net, slots.many, dim=1)
        return taken.values, taken.indices
    ordered, place = torch.sort(net, dim=1, descending=True, stable=True)
    label = torch.from_numpy(slots.group)[place]
    order = torch.argsort(label, dim=1, stable=True)
    sizes = torch.bincount(torch.from_numpy(slots.group) + 1)
    before = torch.repeat_interleave(torch.cumsum(sizes, 0) - sizes, sizes)
    among = torch.empty_like(label).scatter_(1, order, (torch.arange(net.shape[1]) - before).expand_as(label))
    barred = (label >= 0) & (among >= slots.most)
    kept = torch.topk(ordered.masked_fill(barred, -torch.inf), slots.many, dim=1)
    return kept.values, place.gather(1, kept.indices)


def solve(values: Table, totals: list[Total], slots: Slots, nodes: int = NODES) -> tuple[Ints, Floats, float] | None:
    """The options [U, K] of each decision with the highest total value within all limits, best first.

    Args:
        values: [U, G] what an option adds to a decision; −∞ where it is not allowed. Every decision has K that are.
        totals: limits on what all chosen options use together; may be none.
        slots: how many, and which are alike.
        nodes: how far the exact search among the last few decisions may go.

    Returns:
        The choice (exactly the best where U · G ≤ 2,000 and the search ends), the price [C] of each limit, and what no
        choice is worth more than; None where no choice that keeps the limits was found.
    """
    if not totals:
        picked = chosen(values, [], slots, np.zeros(0)).picked.astype(np.int64).reshape(len(values), -1)
        return picked, np.zeros(0), worth(values, picked)
    if any(least(values, total, slots) > total.limit + total.slack for total in totals):
        return None
    found = dual(values, totals, answer=partial(chosen, values, totals, slots))
    shape = (len(values), slots.many)
    mixed = _mixture(found, shape)
    known = [*(each.reshape(shape) for each in found.kept), mixed]
    known.append(_mended(values, totals, found.prices, mixed, slots, max(1, nodes)))
    kept = [picked for picked in known if _keeps(picked, totals)]
    if not kept:
        return None
    start = max(kept, key=lambda picked: worth(values, picked))
    picked = _swapped(values, totals, start, found.prices, slots)
    order = np.argsort(-np.take_along_axis(values, picked, 1), axis=1, kind="stable")
    bound = max(found.bound, worth(values, picked))  # a hair below it where a limit is kept but for rounding
    return np.take_along_axis(picked, order, 1), found.prices, bound


def least(values: Table, total: Total, slots: Slots) -> float:
    """The least that decisions can use of a limit together, whatever that earns."""
    saved = np.where(np.isfinite(values), -total.used, -np.inf).astype(np.float32)
    return -chosen(saved, [], slots, np.zeros(0)).value


def chosen(values: Table, totals: list[Total], slots: Slots, prices: Floats) -> Response:
    """Every decision's best set at these prices [C]; picked is [U · K], decision by decision."""
    return respond(values, totals, prices, lambda net: best(net, slots)[1])


def worth(values: Table, picked: Ints) -> float:
    """The sum of values [U, G] over the options [U, K] of each decision."""
    return float(np.take_along_axis(values, picked, 1).sum(dtype=np.float64))


def over(picked: Ints, totals: list[Total]) -> Floats:
    """[C] by how much a choice [U, K] goes over each limit."""
    return np.array([worth(total.used, picked) - total.limit for total in totals])


def _keeps(picked: Ints, totals: list[Total]) -> bool:
    return all(extra <= total.slack for extra, total in zip(over(picked, totals), totals, strict=True))


def _mixture(found: Dual, shape: tuple[int, int]) -> Ints:
    """As many decisions follow each choice as its share says, alike ones spread evenly."""
    used = np.flatnonzero(found.shares > 1e-9)
    choices = np.stack([found.met[k].reshape(shape) for k in used])
    order = np.lexsort(choices.transpose(0, 2, 1).reshape(-1, shape[0]))
    place = np.empty(len(order))
    place[order] = (np.arange(len(order)) + 0.5) * GOLDEN % 1
    ends = np.cumsum(found.shares[used])[:-1]
    return np.asarray(choices[np.searchsorted(ends, place), np.arange(len(order))], dtype=np.int64)


def _mended(values: Table, totals: list[Total], prices: Floats, base: Ints, slots: Slots, nodes: int) -> Ints:
    """Choose exactly for the decisions that stand closest to a change, the others staying at `base`."""
    units, columns = _open(values, totals, prices, base, slots)
    at, option = np.array([(i, g) for i, each in enumerate(columns) for g in each], dtype=np.int64).T
    earned = values[units[at], option].astype(np.float64)
    widths, slack = np.array([t.width for t in totals]), np.array([t.slack for t in totals])
    uses = np.stack([total.used[units[at], option] for total in totals]).astype(np.float64) / widths[:, None]
    own = np.array([worth(total.used[units], base[units]) for total in totals])
    rest = (own - over(base, totals) + slack / 2) / widths
    bounds = [LinearConstraint(_rows(at, len(units)), slots.many, slots.many), LinearConstraint(uses, -np.inf, rest)]
    if slots.group is not None:
        inside = slots.group[option] >= 0
        alike = np.where(inside, at * (slots.group.max() + 1) + slots.group[option], -1)
        names, which = np.unique(alike[inside], return_inverse=True)
        cells = (np.ones(inside.sum()), (which.ravel(), np.flatnonzero(inside)))
        bounds.append(LinearConstraint(csr_array(cells, shape=(len(names), len(at))), 0, slots.most))
    with stdout_kept_clean():
        answer = milp(
            -earned / (np.abs(earned).max() or 1.0),
            constraints=bounds,
            integrality=np.ones(len(at), dtype=np.int64),
            bounds=Bounds(0, 1),
            options={"node_limit": nodes, "mip_rel_gap": 1e-7},
        )
    if answer.x is None:
        return base
    picked, taken = base.copy(), answer.x > 0.5
    picked[units] = option[taken].reshape(len(units), slots.many)  # taken ones stand decision by decision
    return picked


def _rows(at: Ints, units: int) -> csr_array:
    return csr_array((np.ones(len(at)), (at, np.arange(len(at)))), shape=(units, len(at)))


def _open(values: Table, totals: list[Total], prices: Floats, base: Ints, slots: Slots) -> tuple[Ints, list[Ints]]:
    """Decisions whose sets could change at least cost at these prices, and for each the options worth a thought."""
    net = values.astype(np.float64)
    for total, price in zip(totals, prices, strict=True):
        net -= price * total.used
    chosen = best(torch.from_numpy(net), slots)[1].numpy()
    last = np.take_along_axis(net, chosen, 1).min(1, keepdims=True)
    apart = np.where(np.isfinite(net), np.abs(net - last), np.inf)
    outside = apart.copy()
    np.put_along_axis(outside, chosen, np.inf, 1)
    differs = (np.sort(chosen, 1) != np.sort(base, 1)).any(1)
    nearest = min(values.shape[1], max(NEAREST + slots.many, COLUMNS // len(values)))
    units = np.sort(np.argsort(np.where(differs, -1.0, outside.min(1)), kind="stable")[: max(1, COLUMNS // nearest)])
    near = np.argpartition(apart[units], nearest - 1, axis=1)[:, :nearest]
    frugal = [
        np.where(np.isfinite(net[units]), total.used[units], np.inf).argsort(1)[:, : slots.many] for total in totals
    ]
    listed = np.column_stack([near, base[units], chosen[units], *frugal])
    return units, [np.unique(row[np.isfinite(values[u, row])]) for u, row in zip(units, listed, strict=True)]


def _swapped(values: Table, totals: list[Total], start: Ints, prices: Floats, slots: Slots) -> Ints:
    """Move decisions to the sets they would choose at the best prices, as far as the limits allow."""
    goal = chosen(values, totals, slots, prices).picked.astype(np.int64).reshape(start.shape)

    def moved(table: Table) -> Floats:
        each = np.take_along_axis(table, goal, 1).astype(np.float64) - np.take_along_axis(table, start, 1)
        return np.asarray(each.sum(1))

    made = accept(moved(values), np.stack([moved(t.used) for t in totals]), -over(start, totals), prices)
    return np.where(made[:, None], goal, start)
