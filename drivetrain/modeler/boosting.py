"""Gradient boosting as a contestant: slow rates, small trees, and as many of them as held-out rows ask for.

(Friedman 2001, "Greedy Function Approximation: A Gradient Boosting Machine".) The rows of one of the folds that a
member may see tell how many; then all that it may see grow as many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

from drivetrain.modeler.contract import Shape
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.growers import GROWERS, Grown, Loss, Order, Sample, Tree
from drivetrain.modeler.guards import CODES
from drivetrain.modeler.links import Link
from drivetrain.modeler.settings import SettingEncoder
from drivetrain.modeler.trees import Trees, recoded, seen
from drivetrain.scenario import Boosting

MOST_TREES = 1_500
PATIENCE = 25
"""Trees without gain on held-out rows that end the growth."""
MOST_OPTIONS = CODES - 2
"""A lever with more options is no category for trees."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Soil:
    """One outcome's examples as trees see them: W columns that vary."""

    examples: Examples
    shape: Shape
    table: NDArray[np.float64]
    """[N, W] codes of categories, numbers, settings."""
    places: Rows
    """[W] the column of `Trees` that each is."""
    categories: NDArray[np.bool_]
    """[W] whether it holds codes."""
    signs: Rows
    """[W] 1 where the outcome must not fall as it rises."""
    recode: Tensor
    views: Tensor

    @classmethod
    def of(cls, examples: Examples, shape: Shape, settings: SettingEncoder) -> Soil:
        """Args: examples: N; shape: of the networks; settings: the levers and earlier outcomes."""
        views, recode = _views(settings), _recode(examples.rows.codes, shape.sizes)
        codes, numbers = recoded(examples.rows.codes, shape.sizes, recode), examples.rows.numbers.numpy()
        table = np.column_stack([codes, numbers, *seen(examples.features, views)]).astype(np.float64)
        categories = np.r_[np.ones(codes.shape[1]), np.zeros(numbers.shape[1]), views[:, 2].numpy()].astype(bool)
        signs = np.array([0] * (table.shape[1] - len(views)) + [int(bool(c.effect)) for c in settings.columns])
        varying = np.flatnonzero(np.ptp(table, axis=0) > 0)
        return cls(examples, shape, table[:, varying], varying, categories[varying], signs[varying], recode, views)

    def grown(self, grown: Grown, of: Sequence[int], start: Tensor) -> Trees:
        """A member.

        Args:
            grown: what came of it.
            of: the linear predictor that each tree of a round adds to.
            start: [C] the linear predictors, but for what `grown` adds.
        """
        base = start.clone()
        base[list(of)] += torch.from_numpy(grown.base).float()
        trees = [(tree, c) for each in grown.rounds for tree, c in zip(each, of, strict=True)]
        return self.bare(base).planted(_planted(trees, self.places))

    def bare(self, base: Tensor) -> Trees:
        """A member without trees."""
        trees = Trees(self.shape, base).planted({"recode": self.recode, "views": self.views})
        trees.eval().requires_grad_(False)
        return trees


def stops(
    soil: Soil, subsets: Sequence[tuple[Rows, Rows]], links: Sequence[Link], bush: Boosting, seed: int
) -> tuple[list[int], float]:
    """For each member how many rounds of trees to grow, and the mean loss there on the rows that told it.

    Args:
        soil: the examples.
        subsets: for each member int64 [n] the rows to learn from, and those that tell when to stop.
        links: for each member its link, fitted to both.
        bush: how to grow.
        seed: of the columns that splits look at.

    Raises:
        UsageError: LightGBM is asked for and not installed.
    """
    found = []
    with _threads():
        for (rows, told), link in zip(subsets, links, strict=True):
            plot = _plot(soil, link, rows)
            silent = link.kind == "count" and not soil.examples.observed[told].any()  # of nothing, no Poisson loss
            grown = None if plot is None or silent else plot.grown(rows, told, bush, MOST_TREES, seed)
            best = int(np.argmin(grown.losses)) if grown else 0
            found.append((best, float(grown.losses[best]) if grown else 0.0))
    return [best for best, _ in found], float(np.mean([loss for _, loss in found]))


def grow(
    soil: Soil, subsets: Sequence[Rows], links: Sequence[Link], rounds: Sequence[int], bush: Boosting, seed: int
) -> list[Trees]:
    """Each member's trees.

    Args:
        soil: the examples.
        subsets: for each member int64 [n] the rows to learn from.
        links: for each member its link, fitted to them.
        rounds: for each member how many rounds.
        bush: how to grow.
        seed: of the columns that splits look at.

    Raises:
        UsageError: LightGBM is asked for and not installed.
    """
    out = []
    with _threads():
        for place, (rows, link, many) in enumerate(zip(subsets, links, rounds, strict=True)):
            plot = _plot(soil, link, rows)
            if plot is None or not many:
                out.append(soil.bare(_start(soil, link, rows)))
                continue
            out.append(soil.grown(plot.grown(rows, None, bush, many, seed + place), plot.of, plot.start))
    return out


def halves(fold: Rows, folds: Sequence[int] | Rows, seed: int) -> list[tuple[Rows, Rows]]:
    """For each member the rows to learn from and those that tell when to stop: another fold's, each time the next.

    With two folds there is none to spare, and a fifth of the rows is drawn.

    Args:
        fold: [N].
        folds: for each member the fold that it must not see.
        seed: of that draw.
    """
    draw, turns, out = np.random.default_rng(seed), dict[int, int](), list[tuple[Rows, Rows]]()
    for own in map(int, folds):
        turn = turns[own] = turns.get(own, -1) + 1
        others = [int(each) for each in np.unique(fold) if each != own]
        spare = fold == others[(own + turn) % len(others)] if len(others) > 1 else draw.random(len(fold)) < 0.2
        out.append((np.flatnonzero((fold != own) & ~spare), np.flatnonzero((fold != own) & spare)))
    return out


@dataclass(frozen=True)
class _Plot:
    """What one member's rows are to grow."""

    soil: Soil
    link: Link
    values: NDArray[np.float64]
    """[N] targets; of classes their places among those that its rows hold."""
    known: NDArray[np.bool_]
    """[N] whether its rows hold the class."""
    start: Tensor
    """[C] the linear predictors before anything is grown."""
    of: list[int]
    """The linear predictor to which each tree of a round adds."""

    def grown(self, rows: Rows, told: Rows | None, bush: Boosting, most: int, seed: int) -> Grown:
        """Trees of these rows, until others tell to stop."""
        signs = self.soil.signs * (self.link.kind != "categorical")  # options have no order
        order = Order(_loss(self.link), self.soil.categories, signs, bush, seed)
        take = _doubled if self.link.kind == "rating" else _sample
        beside = None if told is None else take(self.soil, self.values, told[self.known[told]])
        return GROWERS[bush.by](order, take(self.soil, self.values, rows), beside, most, PATIENCE)


def _plot(soil: Soil, link: Link, rows: Rows) -> _Plot | None:
    """None where the rows hold one value: nothing can be learned of it."""
    target = link.target(soil.examples.observed)
    start, values = _start(soil, link, rows), target.double().numpy()
    weight = soil.examples.weight
    if not np.ptp(values[rows if weight is None else rows[weight[rows] > 0]]):
        return None
    if link.kind not in {"binary", "categorical"}:
        return _Plot(soil, link, values, np.ones(len(values), np.bool_), torch.zeros_like(start), [0])
    classes = np.unique(values[rows])
    base, of = _aims(link, start, classes.astype(np.int64))
    places = np.searchsorted(classes, values).astype(np.float64)
    return _Plot(soil, link, places, np.isin(values, classes), base, of)


def _start(soil: Soil, link: Link, rows: Rows) -> Tensor:
    weight = None if soil.examples.weight is None else torch.from_numpy(soil.examples.weight[rows]).float()
    return link.start(link.target(soil.examples.observed[rows]), weight)


def _threads() -> Any:
    return threadpool_limits(torch.get_num_threads(), "openmp")


def _loss(link: Link) -> Loss:
    if link.kind in {"binary", "categorical", "rating"}:
        return "classes"
    return "poisson" if link.kind == "count" else "squared"


def _aims(link: Link, start: Tensor, known: Rows) -> tuple[Tensor, list[int]]:
    """The linear predictors before anything is grown, and that to which each tree of a round adds."""
    if link.kind != "categorical":
        return torch.zeros_like(start), [0]
    start = start.clone()
    if len(known) == 2:  # one tree a round: how much more likely the second is than the first
        start[known[1]] = start[known[0]]
        return start, [int(known[1])]
    start[known] = start[known].mean()
    return start, known.tolist()


def _sample(soil: Soil, values: NDArray[np.float64], rows: Rows) -> Sample:
    weight = soil.examples.weight
    return Sample(soil.table[rows], values[rows], None if weight is None else weight[rows])


def _doubled(soil: Soil, shares: NDArray[np.float64], rows: Rows) -> Sample:
    """Shares of a range as rows that are yes with this weight, and no with the rest: the log-loss is the same."""
    share = shares[rows]
    table = np.concatenate([soil.table[rows]] * 2)
    counts = np.ones(len(rows)) if soil.examples.weight is None else soil.examples.weight[rows]
    return Sample(table, np.repeat([1.0, 0.0], len(rows)), np.r_[counts * share, counts * (1 - share)])


def _views(settings: SettingEncoder) -> Tensor:
    """Of each lever and earlier outcome the line through its settings, or the flags of its options."""
    places = settings.slices()
    flags = [getattr(column, "options", 0) for column in settings.columns]
    views = [
        (places[column.name].start, max(1, many), many > 0)
        for column, many in zip(settings.columns, flags, strict=True)
    ]
    return torch.tensor(views, dtype=torch.int32).reshape(-1, 3)


def _recode(codes: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Codes as they are, or, of a category with too many, the most frequent ones in order; the others share 0."""
    parts = []
    for place, size in enumerate(sizes):
        recode = torch.arange(size)
        if size > CODES:
            common = torch.bincount(codes[:, place], minlength=size).argsort(descending=True, stable=True)
            recode = torch.zeros(size, dtype=torch.int64)
            recode[common[:MOST_OPTIONS].sort().values] = torch.arange(1, MOST_OPTIONS + 1)
        parts.append(recode.to(torch.uint8))
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.uint8)


def _planted(trees: Sequence[tuple[Tree, int]], places: Rows) -> dict[str, Tensor]:
    """Trees, and the linear predictors that they add to, as the buffers of `Trees`."""
    if not trees:
        return {}
    roots = np.cumsum([0, *(len(tree.value) for tree, _ in trees)])[:-1]
    sets = np.cumsum([0, *(len(tree.sets) for tree, _ in trees)])[:-1]
    whole = np.concatenate
    bits = whole([np.where(t.bits < 0, -1, t.bits + at) for (t, _), at in zip(trees, sets, strict=True)])
    column = whole([np.where(t.column < 0, -1, places[t.column]) for t, _ in trees])
    left = whole([t.left + at for (t, _), at in zip(trees, roots, strict=True)])
    right = whole([t.right + at for (t, _), at in zip(trees, roots, strict=True)])
    small = {"column": column, "bits": bits, "left": left, "right": right, "roots": roots, "of": [c for _, c in trees]}
    return {
        **{name: torch.tensor(np.asarray(each), dtype=torch.int32) for name, each in small.items()},
        "cut": torch.from_numpy(_below(whole([t.cut for t, _ in trees]))),
        "sets": torch.from_numpy(whole([t.sets for t, _ in trees])),
        "value": torch.from_numpy(whole([t.value for t, _ in trees]).astype(np.float32)),
    }


def _below(cuts: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest 32-bit numbers that are not above these, so that 32-bit numbers fall on the same side."""
    near = cuts.astype(np.float32)
    return np.where(near > cuts, np.nextafter(near, np.float32(-np.inf)), near)
