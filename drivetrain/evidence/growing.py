"""Growing a tree of groups on doubly robust scores: the question first that is worth most, until it has its leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from drivetrain.evidence.slate import Slate, shrunk
from drivetrain.evidence.tree import Node, Tree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CUTS = 64
"""A number is asked about at so many values at most."""
KINDS = 32
"""So many of a category's values, the commonest, are told apart."""
SMALLEST = 0.02
"""Share of the rows that a group has at least; and 50 rows."""
FEWEST = 50


@dataclass(frozen=True)
class Column:
    """An input in bins, between any two of which a question may be asked."""

    bins: Ints
    """[N]."""
    many: int
    cuts: Floats | None
    """Of a number: between the bins; a missing value lies below all."""
    kinds: tuple[str | None, ...] = ()
    """Of a category: the value of each bin; None for missing and rare ones."""
    gaps: bool = False


@dataclass(frozen=True)
class _Split:
    gain: float
    input: str
    yes: NDArray[np.bool_]
    """[bins] whose rows answer yes."""


def columns(frame: pd.DataFrame, inputs: Mapping[str, str]) -> dict[str, Column]:
    """The inputs in bins.

    Args:
        frame: N rows.
        inputs: name → `numeric`, `categorical` or `yes_no`.
    """
    made = {
        name: _category(frame[name]) if kind == "categorical" else _number(frame[name]) for name, kind in inputs.items()
    }
    return {name: column for name, column in made.items() if column.many > 1}


def grow(slate: Slate, asked: Mapping[str, Column], rows: Ints, most: int) -> Iterator[Tree]:
    """Trees of 1, 2, … leaves, each the one before with its most rewarding group divided.

    The value of a setting in a group is its doubly robust mean there, corrected as far as that stands out of noise.

    Args:
        slate: what settings are worth.
        asked: the inputs.
        rows: the rows to grow on.
        most: leaves at most.
    """
    fewest = max(FEWEST, int(SMALLEST * len(rows)))
    inside: dict[int, Ints] = {0: rows}
    nodes = [_leaf(slate, rows, len(rows))]
    waiting = {0: _best(slate, asked, rows, fewest)}
    yield Tree(tuple(nodes))
    while len(waiting) < most:
        place, split = max(waiting.items(), key=lambda each: each[1].gain)
        if split.gain <= 0:
            return
        column, here = asked[split.input], inside.pop(place)
        told = split.yes[column.bins[here]]
        del waiting[place]
        for part in (here[told], here[~told]):
            inside[len(nodes)], waiting[len(nodes)] = part, _best(slate, asked, part, fewest)
            nodes.append(_leaf(slate, part, len(rows)))
        nodes[place] = _asking(nodes[place], split, column, len(nodes) - 2)
        yield Tree(tuple(nodes))


def _leaf(slate: Slate, rows: Ints, everyone: int) -> Node:
    value = shrunk(slate.sums(rows).sum(0), np.array(len(rows)))
    return Node(tuple(slate.options[value.argmax()].tolist()), len(rows) / everyone)


def _asking(node: Node, split: _Split, column: Column, first: int) -> Node:
    told: Node = replace(node, input=split.input, yes=first, no=first + 1)
    if column.cuts is not None:
        return replace(told, at_most=float(column.cuts[split.yes.sum() - 1]), missing=column.gaps)
    among = tuple(kind for kind, yes in zip(column.kinds, split.yes, strict=True) if yes and kind is not None)
    lost = column.kinds.index(None) if None in column.kinds else None
    return replace(told, among=among, missing=lost is not None and bool(split.yes[lost]))


def _best(slate: Slate, asked: Mapping[str, Column], rows: Ints, fewest: int) -> _Split:
    """The question that is worth most for the rows of a group, summed over them."""
    none = _Split(0.0, "", np.zeros(0, dtype=bool))
    if len(rows) < 2 * fewest:
        return none
    sums = slate.sums(rows)
    alone = float(shrunk(sums.sum(0), np.array(len(rows))).max()) * len(rows)
    return max((none, *(_divided(name, c, c.bins[rows], sums, alone, fewest) for name, c in asked.items())), key=_worth)


def _worth(split: _Split) -> float:
    return split.gain


def _divided(name: str, column: Column, bins: Ints, sums: Floats, alone: float, fewest: int) -> _Split:
    """The best place to divide a group along one input; values of a category in the order of what suits them."""
    member = sparse.csr_array((np.ones(len(bins)), (bins, np.arange(len(bins)))), shape=(column.many, len(bins)))
    parts, counts = (
        np.asarray(member @ sums.reshape(len(bins), -1)).reshape(column.many, *sums.shape[1:]),
        np.bincount(bins, minlength=column.many),
    )
    order = np.arange(column.many) if column.cuts is not None else _ordered(parts, counts)
    left, many = np.cumsum(parts[order], 0)[:-1], np.cumsum(counts[order])[:-1]
    fair = (many >= fewest) & (len(bins) - many >= fewest)
    if not fair.any():
        return _Split(0.0, name, np.zeros(0, dtype=bool))
    right = parts.sum(0) - left
    value = many * shrunk(left, np.maximum(many, 2)).max(-1)
    value += (len(bins) - many) * shrunk(right, np.maximum(len(bins) - many, 2)).max(-1)
    place = int(np.where(fair, value, -np.inf).argmax())
    yes = np.zeros(column.many, dtype=bool)
    yes[order[: place + 1]] = True
    return _Split(float(value[place]) - alone, name, yes)


def _ordered(parts: Floats, counts: Ints) -> Ints:
    """Bins along the direction in which what settings are worth differs most between them (first component)."""
    means = parts[:, :2].sum(1) / np.maximum(counts, 1)[:, None]
    apart = (means - means.mean(1, keepdims=True)) * np.sqrt(counts)[:, None]
    apart = apart - np.sqrt(counts)[:, None] * apart.sum(0) / max(1.0, np.sqrt(counts).sum())
    return np.argsort(
        (means - means.mean(1, keepdims=True)) @ np.linalg.svd(apart, full_matrices=False)[2][0], kind="stable"
    )


def _number(values: pd.Series[float]) -> Column:
    raw = values.to_numpy(dtype=np.float64)
    seen = np.unique(raw[np.isfinite(raw)])
    if len(seen) < 2:
        return Column(np.zeros(len(raw), dtype=np.int64), 1, np.zeros(0))
    places = np.unique(np.searchsorted(seen, np.nanquantile(raw, np.linspace(0, 1, CUTS + 2)[1:-1])))
    if len(seen) <= CUTS + 1:
        places = np.arange(1, len(seen))
    cuts = np.unique([_plain(seen[place - 1], seen[place]) for place in places if 0 < place < len(seen)])
    gaps = not np.isfinite(raw).all()
    bins = np.searchsorted(cuts, np.where(np.isfinite(raw), raw, -np.inf), side="left")
    return Column(bins.astype(np.int64), len(cuts) + 1, cuts, gaps=gaps)


def _plain(low: float, high: float) -> float:
    """The shortest number from `low` up to but not including `high`."""
    for digits in range(1, 16):
        step = 10.0 ** (np.floor(np.log10(high - low)) + 2 - digits) if high > low else 1.0
        value = float(f"{np.ceil(low / step) * step:.12g}")
        if low <= value < high:
            return value
    return float(low)


def _category(values: pd.Series[str]) -> Column:
    common = values.value_counts().index[:KINDS].tolist()
    place = {kind: at for at, kind in enumerate(common)}
    bins = values.map(place).fillna(len(common)).to_numpy(dtype=np.int64)
    if (bins < len(common)).all():
        return Column(bins, len(common), None, tuple(common))
    return Column(bins, len(common) + 1, None, (*common, None))
