"""Which texts a column holds, told apart once.

A table has few texts, each in very many rows, and equal ones are one object in memory (`data.columns` sees to it). So
rows are sorted into slots by their object's address, which takes a few passes over plain integers, and only one object
a slot is looked at as a text; where others fell into the same slot, and where equal texts are objects of their own,
they are hashed as texts are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

SLOTS = 1 << 16
_SPREAD = np.uint32(0x9E3779B1)
"""Multiplicative hashing (Knuth, TAOCP 3, 6.4): the golden ratio's share of 2^32."""


class Texts(NamedTuple):
    """A column of N texts."""

    place: np.ndarray
    """[N] each row's place in `words`."""
    words: np.ndarray
    """Every text that there is, perhaps more than once, and None or NaN where one is missing."""

    @classmethod
    def of(cls, values: pd.Series[str]) -> Texts:
        """Args: values: [N] texts, or missing."""
        cells = values.to_numpy(dtype=object)
        address = np.asarray(_Addresses(cells))
        hashed = (address >> 4).astype(np.uint32) * _SPREAD >> np.uint32(16)  # no two objects are closer than 16 bytes
        slot = hashed.astype(np.intp)
        row, there, rank = np.full(SLOTS, -1), np.zeros(SLOTS, address.dtype), np.zeros(SLOTS, np.intp)
        row[slot] = np.arange(len(cells))
        used = np.flatnonzero(row >= 0)
        there[used], rank[used] = address[row[used]], np.arange(len(used))
        others = np.flatnonzero(there[slot] != address)
        if len(others) > len(cells) // 2:
            return cls(*_hashed(cells))
        place, words = rank[slot], cells[row[used]]
        if len(others):
            more, texts = _hashed(cells[others])
            place[others], words = more + len(used), np.concatenate([words, texts])
        return cls(place, words)


def _hashed(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    place, words = pd.factorize(cells)
    return np.where(place < 0, len(words), place), np.array([*words, None], dtype=object)


class _Addresses:
    """A view of an object array as the addresses that it holds."""

    def __init__(self, cells: np.ndarray) -> None:
        self.cells = cells  # kept, so that its memory is
        self.__array_interface__ = {**cells.__array_interface__, "typestr": np.dtype(np.intp).str}
        self.__array_interface__.pop("descr", None)
