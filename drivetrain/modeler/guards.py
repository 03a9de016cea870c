"""What leaves of trees ask of the setting: every different set of conditions once, so that many leaves share one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CODES = 256
"""Codes that a category's split can tell apart."""

Mask = NDArray[np.bool_]
Nodes = Mapping[str, Sequence[Any]]
"""One of each for a node: `column` (−1 at a leaf), `cut`, `bits` (−1 where numbers are compared), `left`, `right`."""
Asked = Mapping[int, Mask]
"""A column of the setting → [bins] whether a value in this bin meets the conditions."""


@dataclass(frozen=True)
class Guards:
    """The different sets of setting conditions, K, each for one of C linear predictors."""

    of_leaf: Mapping[int, int]
    """Leaf with conditions of both sides → its k."""
    bare: frozenset[int]
    """Roots of the trees with a leaf that asks nothing of the row: only these add what settings add by themselves."""
    allowed: tuple[NDArray[np.uint8], ...]
    """For each column of the setting: [bins, K] whether a value in this bin meets the conditions."""
    cuts: tuple[NDArray[np.float32] | None, ...]
    """For each column of the setting where bins end; None of a category, whose codes are its bins."""
    ends: tuple[int, ...]
    """[C] where the k of each linear predictor end."""

    @classmethod
    def of(
        cls,
        nodes: Nodes,
        sets: Mask,
        plants: Sequence[tuple[int, int]],
        first: int,
        kinds: Sequence[bool],
        width: int,
    ) -> Guards:
        """Of all leaves.

        Args:
            nodes: all trees'.
            sets: [S, 256] for splits of a category the codes that go left.
            plants: each tree's root, and which linear predictor c it adds to.
            first: the first column that is the setting's.
            kinds: for each column of the setting whether it is a category.
            width: C.
        """
        cuts = tuple(None if category else _cuts(nodes, first + j) for j, category in enumerate(kinds))
        found: list[dict[bytes, tuple[int, Asked]]] = [{} for _ in range(width)]
        places, bare = dict[int, tuple[int, int]](), set[int]()
        for root, c in plants:
            for leaf, of_row, asked in _leaves(nodes, sets, root, first, cuts):
                if not of_row:
                    bare.add(root)
                elif asked:
                    key = b"".join(bytes([j]) + mask.tobytes() for j, mask in sorted(asked.items()))
                    places[leaf] = c, found[c].setdefault(key, (len(found[c]), asked))[0]
        ends = np.cumsum([len(each) for each in found])
        everyone = [asked for each in found for _, asked in each.values()]
        allowed = tuple(_table(everyone, j, each) for j, each in enumerate(cuts))
        of_leaf = {leaf: int((0, *ends)[c]) + k for leaf, (c, k) in places.items()}
        return cls(of_leaf, frozenset(bare), allowed, cuts, tuple(ends.tolist()))

    def met(self, columns: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
        """Φ [G, K]: which sets of conditions each setting meets.

        Args:
            columns: for each column of the setting [G] numbers, or codes.
        """
        out = np.ones((len(columns[0]) if columns else 0, self.ends[-1]), np.uint8)
        for column, allowed, cuts in zip(columns, self.allowed, self.cuts, strict=True):
            out &= allowed[column if cuts is None else np.searchsorted(cuts, column)]
        return out


def _leaves(
    nodes: Nodes, sets: Mask, root: int, first: int, cuts: Sequence[NDArray[np.float32] | None]
) -> Iterator[tuple[int, bool, Asked]]:
    """Each leaf of a tree, whether it asks anything of the row, and what it asks of the setting."""
    waiting: list[tuple[int, bool, Asked]] = [(root, False, {})]
    while waiting:
        node, of_row, asked = waiting.pop()
        left, right, j = nodes["left"][node], nodes["right"][node], nodes["column"][node] - first
        if nodes["column"][node] < 0:
            yield node, of_row, asked
        elif j < 0:
            waiting += [(left, True, asked), (right, True, asked)]
        else:
            goes = _goes_left(nodes, sets, node, cuts[j])
            before = asked.get(j, np.ones(len(goes), np.bool_))
            waiting += [(left, of_row, {**asked, j: before & goes}), (right, of_row, {**asked, j: before & ~goes})]


def _goes_left(nodes: Nodes, sets: Mask, node: int, cuts: NDArray[np.float32] | None) -> Mask:
    """[bins] of the column that a node asks for."""
    if cuts is None:
        return sets[nodes["bits"][node]]
    return np.arange(len(cuts) + 1) <= np.searchsorted(cuts, np.float32(nodes["cut"][node]))


def _cuts(nodes: Nodes, column: int) -> NDArray[np.float32]:
    asked = [cut for cut, each in zip(nodes["cut"], nodes["column"], strict=True) if each == column]
    return np.unique(np.array(asked, np.float32))


def _table(everyone: Sequence[Asked], column: int, cuts: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    bins = CODES if cuts is None else len(cuts) + 1
    every = np.ones(bins, np.bool_)
    return np.array([asked.get(column, every) for asked in everyone], np.uint8).reshape(-1, bins).T.copy()
