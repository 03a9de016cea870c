"""Which texts a column holds, told apart once.

A table has few texts, each in very many rows, and equal ones are one object in memory (`data.columns` sees to it). So
rows are sorted into slots by their object's address, which takes a few passes over plain integers, and only one object
a slot is looked at as a text; where others fell into the same slot, and where equal texts are objects of their own,
they are hashed as texts are.
"""

from __future__ import annotations

from itertools import compress
from operator import ne
from typing import NamedTuple

import numpy as np
import pandas as pd

BITS = 16
"""2 to this power is how many slots there are."""
FIRST = 16_000
"""So many rows hold most texts of most columns."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Multiplicative hashing (Knuth, TAOCP 3, 6.4): the golden ratio's share of 2^64."""


class Texts(NamedTuple):
    """A column of N texts, W of them told apart."""

    place: np.ndarray
    """int64 [N]: the slot that each row fell into."""
    rank: np.ndarray
    """int64 [slots]: 1 + the position in `words` of the text in each slot, or 0 where it is missing."""
    words: tuple[str, ...]
    """[W] every text that there is, once, sorted."""
    gaps: bool
    """Whether a row lacks one."""

    @classmethod
    def of(cls, values: pd.Series[str]) -> Texts:
        """Args: values: [N] texts, or None or NaN where one is missing."""
        cells = values.to_numpy(dtype=object)
        address = np.asarray(Addresses(cells))
        place = (address * _SPREAD >> np.uint64(64 - BITS)).view(np.int64)
        slots = _Slots(place, address)
        slots.let_in(np.arange(min(len(cells), FIRST)))
        others = slots.strangers()
        if len(others):
            slots.let_in(others)
            others = slots.strangers()
        if len(others) > len(cells) // 2:
            return cls._sorted(*_hashed(cells))
        used = np.flatnonzero(slots.row >= 0)
        words = cells[slots.row[used]]
        if len(others):
            place[others], there, more = _hashed(cells[others])
            place[others] += 1 << BITS
            used, words = np.concatenate([used, there + (1 << BITS)]), np.concatenate([words, more])
        return cls._sorted(place, used, words)

    @classmethod
    def _sorted(cls, place: np.ndarray, slots: np.ndarray, words: np.ndarray) -> Texts:
        """Args: place: [N]; slots, words: the slot and the text, perhaps missing or there twice, of each object."""
        rank = np.zeros(slots.max(initial=-1) + 1, np.int64)
        known = ~pd.isna(words)
        gaps = not known.all()
        if gaps:
            slots, words = slots[known], words[known]
        texts = words.tolist()
        if pd.api.types.infer_dtype(words) not in {"string", "empty"}:
            texts = list(map(str, texts))
        order = sorted(range(len(texts)), key=texts.__getitem__)
        texts = [texts[place] for place in order]
        new = np.fromiter(map(ne, texts, [None, *texts]), bool, len(texts))
        rank[slots[order]] = new.cumsum()
        return cls(place, rank, tuple(compress(texts, new)), gaps)


class _Slots:
    """Which row's object each slot holds: the first that fell into it."""

    def __init__(self, place: np.ndarray, address: np.ndarray) -> None:
        self.place, self.address = place, address
        self.row, self.held = np.full(1 << BITS, -1), np.zeros(1 << BITS, address.dtype)

    def let_in(self, rows: np.ndarray) -> None:
        """The objects of some rows take the slots that are free."""
        free = rows[self.row[self.place[rows]] < 0]
        self.row[self.place[free]] = free
        used = np.flatnonzero(self.row >= 0)
        self.held[used] = self.address[self.row[used]]

    def strangers(self) -> np.ndarray:
        """The rows whose slot holds another object than theirs, or none."""
        return np.flatnonzero(self.held.take(self.place) != self.address)


def _hashed(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each row's slot, the slots, and what they hold."""
    place, words = pd.factorize(cells)
    if (missing := place < 0).any():
        place[missing], words = len(words), np.array([*words, None], dtype=object)
    return place, np.arange(len(words)), words


class Addresses:
    """A view of an object array as the addresses that it holds."""

    def __init__(self, cells: np.ndarray) -> None:
        """Args: cells: [N] objects."""
        self.cells = cells  # kept, so that its memory is
        self.__array_interface__ = {**cells.__array_interface__, "typestr": np.dtype(np.uint64).str}
        self.__array_interface__.pop("descr", None)
