"""Levers that many decisions share, beside those that each decides for itself: one list price, a discount for each.

For given shared settings each decision is free, so what remains is a choice of shared ones. Where there are few, each
is looked at, except those that cannot be better: with a price on every limit, a bound on what a shared setting could be
worth is a sum (Geoffrion 1974, Math. Program. Study 2:82). Where there are many, every group takes what is best at the
prices, which are found anew with what the groups took, until nothing gets better; the same bound says how far from the
best that can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from drivetrain.optimizer.parts import Use, allot
from drivetrain.optimizer.totals import Table, worth

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FEW = 600
"""So many combinations of shared settings are looked at one by one."""
ROUNDS = 20
SAME = 1e-9


@dataclass(frozen=True)
class Shared:
    """Which decisions share, and what."""

    group: Ints
    """[U] the group of each decision."""
    option: Ints
    """[G] the shared part of each setting, numbered from 0."""


@dataclass(frozen=True)
class Choice:
    """Settings that agree within each group."""

    picked: Ints
    """[U]"""
    prices: Floats
    """[C]"""
    gap: float
    """No such choice is worth more than this share above."""
    looked: int
    """How many combinations of shared settings were looked at, with a bound on all others."""


def share_out(values: Table, uses: list[Use], shared: Shared, share: float, nodes: int) -> Choice | None:
    """The choice with the highest total value within all limits whose groups agree in what they share.

    Args:
        values: [U, G] what each decision earns under each setting; −∞ where a setting is not allowed.
        uses: what decisions use of each limit; may be none.
        shared: who shares what.
        share: the part of all rows that these are.
        nodes: as of `allotment.solve`.

    Returns:
        None where none was found.
    """
    groups, options = int(shared.group.max()) + 1, int(shared.option.max()) + 1
    if not uses:
        best = _free(values, shared)
        return _fixed(values, uses, shared, best.argmax(1), share, nodes, float(best.max(1).sum()))
    if options**groups <= FEW:
        return _each(values, uses, shared, share, nodes, groups, options)
    return _rounds(values, uses, shared, share, nodes)


def _free(net: Table | Floats, shared: Shared) -> Floats:
    """[groups, options] what each group is worth under each shared setting, its decisions free."""
    out = np.zeros((int(shared.group.max()) + 1, int(shared.option.max()) + 1))
    for option in range(out.shape[1]):
        best = net[:, shared.option == option].max(1).astype(np.float64)
        np.add.at(out[:, option], shared.group, best)
    return out


def _priced(values: Table, uses: list[Use], prices: Floats) -> Floats:
    net = values.astype(np.float64)
    for use, price in zip(uses, prices, strict=True):
        net[use.units] -= price * use.used
    return net


def _bounds(values: Table, uses: list[Use], shared: Shared, prices: Floats, share: float) -> tuple[Floats, float]:
    """[groups, options] what each could be worth at these prices, and what the limits themselves are worth."""
    room = sum(price * use.limit.ceiling(share) for use, price in zip(uses, prices, strict=True))
    return _free(_priced(values, uses, prices), shared), float(room)


def _fixed(
    values: Table, uses: list[Use], shared: Shared, taken: Ints, share: float, nodes: int, bound: float = np.inf
) -> Choice | None:
    """The best choice where every group's shared setting is given."""
    free = np.where(shared.option[None] == taken[shared.group][:, None], values, -np.inf).astype(np.float32)
    if not np.isfinite(free).any(1).all():
        return None
    answer = allot(free, uses, share, nodes) if uses else (free.argmax(1).astype(np.int64), np.zeros(0))
    if answer is None:
        return None
    earned = worth(values, answer[0])
    return Choice(answer[0], answer[1], max(0.0, bound - earned) / max(abs(earned), 1e-12), 1)


def _each(
    values: Table, uses: list[Use], shared: Shared, share: float, nodes: int, groups: int, options: int
) -> Choice | None:
    """Every combination of shared settings, the most promising first, until no other can be better."""
    every = np.array(list(product(range(options), repeat=groups)), dtype=np.int64)
    best, least, bound, looked = None, -np.inf, np.full(len(every), np.inf), 0
    prices, left = np.zeros(len(uses)), np.ones(len(every), dtype=np.bool_)
    while True:
        each, room = _bounds(values, uses, shared, prices, share)
        bound = np.minimum(bound, each[np.arange(groups), every].sum(1) + room)
        left &= bound > least + SAME * max(1.0, abs(least)) if np.isfinite(least) else np.isfinite(bound)
        if not left.any():
            break
        place = int(np.where(left, bound, -np.inf).argmax())
        left[place], looked = False, looked + 1
        found = _fixed(values, uses, shared, every[place], share, nodes)
        if found is None:
            bound[place] = -np.inf
            continue
        prices = found.prices
        if (earned := worth(values, found.picked)) > least:
            best, least = found, earned
    if best is None:
        return None
    return Choice(best.picked, best.prices, max(0.0, float(bound.max()) - least) / max(abs(least), 1e-12), looked)


def _rounds(values: Table, uses: list[Use], shared: Shared, share: float, nodes: int) -> Choice | None:
    """Every group takes what is best at the prices; the prices follow from what they took."""
    start = allot(values, uses, share, 0)
    prices = np.zeros(len(uses)) if start is None else start[1]
    best, least, bound, looked = None, -np.inf, np.inf, set[tuple[int, ...]]()
    for _ in range(ROUNDS):
        each, room = _bounds(values, uses, shared, prices, share)
        bound, taken = min(bound, float(each.max(1).sum()) + room), each.argmax(1)
        if (key := tuple(taken.tolist())) in looked:
            break
        looked.add(key)
        found = _fixed(values, uses, shared, taken, share, nodes)
        if found is None:  # what they took cannot keep the limits: dearer
            prices = np.where(prices > 0, 2 * prices, 1e-6 * max(1.0, abs(bound)))
            continue
        prices = found.prices if best is None else (prices + found.prices) / 2
        if (earned := worth(values, found.picked)) > least:
            best, least = found, earned
    if best is None:
        return None
    return Choice(best.picked, best.prices, max(0.0, bound - least) / max(abs(least), 1e-12), len(looked))
