"""Bounds over rows together, solved apart where they concern different decisions, as groups of their own do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from drivetrain.optimizer.allotment import NODES, solve
from drivetrain.optimizer.bounds import Limit
from drivetrain.optimizer.totals import Table, Total, blocks, worth
from drivetrain.scenario.constraints import Key

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Use:
    """What decisions use of one limit."""

    limit: Limit
    units: Ints
    """[n] the decisions that it concerns, ascending."""
    used: Table
    """[n, G] what each uses of it under each setting, signed so that the bound is an upper one."""
    divisor: Table | None = None
    """[n, G] of a ratio: what it divides by; None where nobody asked."""

    @property
    def name(self) -> str:
        """`budget.at_most`, or `budget.at_most (north)`."""
        group = f" ({self.limit.group})" if self.limit.group else ""
        return f"{self.limit.constraint.name}.{self.limit.key}{group}"

    @property
    def key(self) -> Key:
        """Which of the constraint's bounds it is."""
        return self.limit.key

    @property
    def bound(self) -> float:
        """The bound as the scenario writes it."""
        return self.limit.bound

    def told(self, picked: Ints, spent: float, share: float) -> float:
        """The bound that a choice [n] of settings, whose sum of `used` is `spent`, would just keep."""
        whole = spent + self.limit.settled
        if self.divisor is None:
            return self.limit.sign * whole / self.limit.scale(share)
        return self.bound + self.limit.sign * whole / (worth(self.divisor, picked) + self.limit.settled_divisor or 1.0)

    def total(self, units: Ints, share: float) -> Total:
        """The limit over some decisions [u], ascending, all those that it concerns among them."""
        used = self.used
        if len(units) != len(self.units):
            used = np.zeros((len(units), self.used.shape[1]), dtype=np.float32)
            used[np.searchsorted(units, self.units)] = self.used
        limit = self.limit
        return Total(limit.name, used, limit.ceiling(share), limit.sign, limit.scale(share))


@dataclass(frozen=True)
class Sum:
    """What decisions use of a limit, added up part by part."""

    limit: Limit
    units: Ints
    place: Tensor
    """[N] the place of each row's decision among `units`; −1 where the limit does not bound the row."""
    table: Tensor
    """[n, G]"""
    divisor: Tensor | None = None
    """[n, G] the same of what a ratio divides by, where that is asked."""

    @classmethod
    def over(cls, limit: Limit, unit: Ints, many: int, *, divided: bool = False) -> Sum:
        """Args: limit: which; unit: [N] each row's decision; many: G; divided: whether to add up a ratio's divisor."""
        units, places = np.unique(unit[limit.rows], return_inverse=True)
        place = np.full(len(unit), -1, dtype=np.int64)
        place[limit.rows] = places.ravel()
        table = torch.zeros(len(units), many)
        below = torch.zeros_like(table) if divided and limit.constraint.over == "ratio" else None
        return cls(limit, units, torch.from_numpy(place), table, below)

    def add(self, part: slice, asked: Mapping[str, Tensor]) -> None:
        """Add some rows [n]; asked: keys of `Constraint.formulas` → [n, G]."""
        place, used = self.place[part], self.limit.use(asked).nan_to_num(0.0, 0.0, 0.0)
        inside = place >= 0
        self.table.index_add_(0, place[inside], used[inside])
        if self.divisor is not None:
            below = asked[self.limit.constraint.divisor].nan_to_num(0.0, 0.0, 0.0)
            self.divisor.index_add_(0, place[inside], below[inside])

    @property
    def use(self) -> Use:
        """What was added up."""
        return Use(self.limit, self.units, self.table.numpy(), None if self.divisor is None else self.divisor.numpy())


def allot(values: Table, uses: list[Use], share: float, nodes: int = NODES) -> tuple[Ints, Floats] | None:
    """The choice [U] of settings with the highest total value within all limits, and the price [C] of each limit.

    Args:
        values: [U, G] what each decision earns under each setting; −∞ where a setting is not allowed.
        uses: what decisions use of each limit.
        share: the part of all rows that these are.
        nodes: as of `solve`.

    Returns:
        None where no choice that keeps the limits was found.
    """
    picked, prices = values.argmax(1).astype(np.int64), np.zeros(len(uses))
    for units, places in parts(len(values), uses):
        answer = solve(values[units], [uses[place].total(units, share) for place in places], nodes)
        if answer is None:
            return None
        picked[units], prices[places] = answer
    return picked, prices


def most(values: Table, uses: list[Use], prices: Floats, share: float) -> float:
    """What no choice within all limits is worth more than: the Lagrangian's value at these prices, in double precision.

    Args:
        values: [U, G], as of `allot`.
        uses: what decisions use of each limit.
        prices: [C] of the limits, at least 0.
        share: the part of all rows that these are.
    """
    found = float(sum(price * use.limit.ceiling(share) for use, price in zip(uses, prices, strict=True)))
    for part in blocks(values):
        net = values[part].astype(np.float64)
        for use, price in zip(uses, prices, strict=True):
            first, last = np.searchsorted(use.units, [part.start, part.start + len(net)])
            net[use.units[first:last] - part.start] -= price * use.used[first:last]
        found += float(net.max(1).sum())
    return found


def parts(units: int, uses: list[Use]) -> Iterator[tuple[Ints, Ints]]:
    """Sets of decisions that share no limit with any other, each with the places of its limits."""
    if not uses:
        return
    if any(len(use.units) == units for use in uses):
        yield np.arange(units), np.arange(len(uses))
        return
    decision = np.concatenate([use.units for use in uses])
    limit = np.repeat(np.arange(len(uses)), [len(use.units) for use in uses])
    links = coo_array((np.ones(len(decision)), (decision, units + limit)), shape=(units + len(uses),) * 2)
    part = connected_components(links, directed=False)[1]
    order, start = np.argsort(part[:units], kind="stable"), np.bincount(part[:units], minlength=part.max() + 1).cumsum()
    for label in np.unique(part[units:]):
        mine = order[start[label - 1] if label else 0 : start[label]]
        yield np.sort(mine), np.flatnonzero(part[units:] == label)
