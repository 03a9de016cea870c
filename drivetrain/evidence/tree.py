"""A tree of groups: a few questions about inputs, and for each group of rows one setting, that people can read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Node:
    """A group of rows; and where it is divided further, the question that divides it."""

    setting: tuple[float, ...]
    """[L] what the group gets where it is not divided."""
    share: float
    """Its share of the rows that the tree was grown on."""
    input: str = ""
    """The input that is asked about; empty where the group is not divided."""
    at_most: float | None = None
    """Of a number: whether it is at most this."""
    among: tuple[str, ...] = ()
    """Of a category: whether it is one of these."""
    missing: bool = False
    """Whether rows of which it is not known go where the answer is yes."""
    yes: int = 0
    no: int = 0
    """The nodes of the two answers."""

    def answers(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """[N] the answer of each row; a category that was never seen is none of those asked for."""
        values = frame[self.input]
        gone = values.isna().to_numpy()
        told = values.isin(self.among) if self.at_most is None else values.to_numpy(dtype=np.float64) <= self.at_most
        return np.where(gone, self.missing, np.asarray(told, dtype=bool))


@dataclass(frozen=True)
class Condition:
    """What is true of one input in a group."""

    input: str
    above: float | None = None
    at_most: float | None = None
    among: tuple[str, ...] = ()
    """A category's values; empty where it may have any but those in `others`."""
    others: tuple[str, ...] = ()
    missing: bool = False
    """Whether rows of which it is not known belong here too, as they do among those other than some."""


@dataclass(frozen=True)
class Tree:
    """Questions that lead every row to its group, and what it gets (Athey & Wager 2021, Econometrica 89:133)."""

    nodes: tuple[Node, ...]
    """The first is where all start; a node stands before its answers'."""

    def groups(self, frame: pd.DataFrame) -> Ints:
        """[N] the node at which each row ends."""
        at = np.zeros(len(frame), dtype=np.int64)
        for place, node in enumerate(self.nodes):
            inside = np.flatnonzero(at == place)
            if node.input and len(inside):
                at[inside] = np.where(node.answers(frame.iloc[inside]), node.yes, node.no)
        return at

    def settings(self, frame: pd.DataFrame) -> Floats:
        """[N, L] the setting of each row."""
        return np.array([node.setting for node in self.nodes])[self.groups(frame)]

    @property
    def leaves(self) -> tuple[int, ...]:
        """The groups that are not divided: their nodes."""
        return tuple(place for place, node in enumerate(self.nodes) if not node.input)

    def conditions(self, leaf: int) -> list[Condition]:
        """What is true of a group's rows: one condition for each input that was asked about."""
        told: dict[str, Condition] = {}
        place = leaf
        while place:
            above = next(i for i, node in enumerate(self.nodes) if node.input and place in (node.yes, node.no))
            node = self.nodes[above]
            told[node.input] = _both(told.get(node.input), _condition(node, place == node.yes))
            place = above
        return list(reversed(told.values()))


def _condition(node: Node, yes: bool) -> Condition:
    missing = node.missing == yes
    if node.at_most is not None:
        above, most = (None, node.at_most) if yes else (node.at_most, None)
        return Condition(node.input, above, most, missing=missing)
    return Condition(node.input, among=node.among if yes else (), others=() if yes else node.among, missing=missing)


def _both(one: Condition | None, other: Condition) -> Condition:
    """Both at once; `one` is the stricter, since it was asked later."""
    if one is None:
        return other
    above = [value for value in (one.above, other.above) if value is not None]
    most = [value for value in (one.at_most, other.at_most) if value is not None]
    others = tuple(dict.fromkeys((*other.others, *one.others)))
    among = [value for value in one.among or other.among if value in (other.among or one.among) and value not in others]
    return Condition(
        one.input,
        max(above) if above else None,
        min(most) if most else None,
        tuple(among),
        () if among else others,
        one.missing and other.missing,
    )
