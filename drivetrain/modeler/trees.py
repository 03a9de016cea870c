"""Boosted trees in the same contract: a leaf is a product of conditions, and so is context · setting.

A leaf holds where its conditions on the row's columns hold and those on the setting's columns do. So the sum over the
leaves of all trees is

    linear predictor = base + own(row) + main(setting) + Σ_k H_k(row) Φ_k(setting)

where Φ_k is one of the different sets of setting conditions, and H_k the sum of the values of the leaves that the row
is in and that ask for just these: one matrix product for N rows × G settings, however many trees there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.modeler.contract import Context, Network, Prepared, Shape
from drivetrain.modeler.encoder import EncodedRows
from drivetrain.modeler.guards import CODES, Guards, Mask

ROWS_AT_ONCE = 8_192
"""Rows sorted together, so that what is compared stays in the processor's cache."""
MOST_KEPT = 8_000_000
"""Up to so many numbers of H are kept between calls; beyond, they are reckoned again for each."""
EMPTY: dict[str, Tensor] = {
    "recode": torch.zeros(0, dtype=torch.uint8),
    "views": torch.zeros((0, 3), dtype=torch.int32),
    "column": torch.zeros(0, dtype=torch.int32),
    "cut": torch.zeros(0),
    "bits": torch.zeros(0, dtype=torch.int32),
    "sets": torch.zeros((0, CODES), dtype=torch.bool),
    "left": torch.zeros(0, dtype=torch.int32),
    "right": torch.zeros(0, dtype=torch.int32),
    "value": torch.zeros(0),
    "roots": torch.zeros(0, dtype=torch.int32),
    "of": torch.zeros(0, dtype=torch.int32),
}
"""No trees. recode [Σ sizes]: each input's codes → those that trees see; rare ones share one. views [J, 3]: for each
lever and earlier outcome its first feature, how many, and 1 where these flag options. Nodes, M of all trees: column
(−1 at a leaf; rows' codes, rows' numbers, then views), cut (the largest number that goes left), bits (the row of `sets`
with the codes that go left; −1 where numbers are compared), left, right, value (a leaf's share). Trees: roots, and of,
the linear predictor that each adds to."""


@dataclass(frozen=True)
class Sorted:
    """Rows, and what of the trees does not depend on the setting, unless that is left to be reckoned."""

    rows: EncodedRows
    own: Tensor | None = None
    """[N, C]."""
    met: Tensor | None = None
    """[N, K] H."""

    def __len__(self) -> int:
        """N."""
        return len(self.rows)

    def __getitem__(self, part: Any) -> Sorted:
        """Some of the rows."""
        if self.own is None or self.met is None:
            return Sorted(self.rows[part])
        return Sorted(self.rows[part], self.own[part], self.met[part])


class Trees(Network):
    """A sum of trees; grown by `boosting`, never trained by gradients."""

    base: Tensor
    """[C]"""
    recode: Tensor
    views: Tensor
    sets: Tensor
    roots: Tensor
    of: Tensor

    def __init__(self, shape: Shape, start: Tensor) -> None:
        """Args: shape: sizes; start: [C] the linear predictor without trees, which `planted` or a file bring."""
        super().__init__(shape, start)
        self.shape = shape
        self.register_buffer("base", start.clone())
        for name, empty in EMPTY.items():
            self.register_buffer(name, empty.clone())

    @classmethod
    def can_hold(cls, effect: str) -> bool:
        """Rising and falling, by constraints on the leaves' values; no bends, since trees are steps."""
        return effect in {"increasing", "decreasing"}

    def planted(self, arrays: Mapping[str, Tensor]) -> Trees:
        """Itself, with copies of these buffers."""
        for name, array in arrays.items():
            setattr(self, name, array.clone())
        self.__dict__.pop("_compiled", None)
        return self

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *args: Any) -> None:
        self.planted({name: state[prefix + name] for name in EMPTY if prefix + name in state})
        super()._load_from_state_dict(state, prefix, *args)

    def forward(self, codes: Tensor, numbers: Tensor, features: Tensor) -> Tensor:
        """Each row under its own setting: [N, C]."""
        return self.paired(Sorted(EncodedRows(codes, numbers, {})), features)

    def context(self, rows: EncodedRows) -> Sorted:
        """The rows, sorted into the leaves if that is not too much to keep."""
        plain = Sorted(EncodedRows(rows.codes, rows.numbers, {}))
        keep = len(rows) * self._compiled[1].ends[-1] <= MOST_KEPT
        parts = [self._sort(plain[part]) for part in _blocks(len(rows))] if keep and len(rows) else []
        return (
            Sorted(plain.rows, torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])) if parts else plain
        )

    def ready(self, context: Sorted) -> Sorted:
        """The rows, sorted if they are not yet."""
        return context if context.met is not None else self.context(context.rows)

    def prepare(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What settings add by themselves [G, C], and Φ [G, K]."""
        return self._of_settings(features)

    def grid(self, context: Context, features: Tensor) -> Tensor:
        """[N, G, C]."""
        return self.against(context, self.prepare(features))

    def against(self, context: Context, prepared: Prepared) -> Tensor:
        """One matrix product: [N, G, C]."""
        main, phi = prepared
        out = torch.empty(len(context), *main.shape)
        for part in _blocks(len(context)):
            own, met = self._sort(context[part])
            for c, columns in enumerate(self._columns):
                out[part, :, c] = met[:, columns] @ phi[:, columns].T
            out[part] += own[:, None] + main
        return out

    def paired(self, context: Context, features: Tensor) -> Tensor:
        """[N, C]."""
        out = torch.empty(len(context), self.shape.width)
        for part in _blocks(len(context)):
            own, met = self._sort(context[part])
            main, phi = self._of_settings(features[part])
            both = met * phi
            out[part] = own + main + torch.stack([both[:, columns].sum(1) for columns in self._columns], 1)
        return out

    def _sort(self, context: Sorted) -> tuple[Tensor, Tensor]:
        """What rows add by themselves [N, C], and H [N, K]."""
        if context.own is not None and context.met is not None:
            return context.own, context.met
        nodes, guards = self._compiled
        columns = self._columns_of(context.rows)
        own = np.zeros((self.shape.width, len(context)))
        met = np.zeros((guards.ends[-1], len(context)), np.float32)

        def goes_left(node: int) -> Mask | None:
            place = nodes["column"][node]
            return self._left(node, columns[place]) if place < len(columns) else None

        for root, c in self._plants:
            for leaf, mask in self._fall(root, goes_left, past=True):
                if mask is not None:
                    to = met[guards.of_leaf[leaf]] if leaf in guards.of_leaf else own[c]
                    to += mask * np.float32(nodes["value"][leaf])
        return torch.from_numpy(own.T.astype(np.float32)), torch.from_numpy(met.T.copy())

    def _of_settings(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [G, F] → what the setting adds by itself [G, C], base included, and Φ [G, K]."""
        nodes, guards = self._compiled
        columns, first = seen(features, self.views), self._first
        main = np.repeat(self.base.double().numpy()[:, None], len(features), 1)

        def goes_left(node: int) -> Mask | None:
            place = nodes["column"][node] - first
            return self._left(node, columns[place]) if place >= 0 else None

        for root, c in (plant for plant in self._plants if plant[0] in guards.bare):
            for leaf, mask in self._fall(root, goes_left, past=False):
                main[c] += nodes["value"][leaf] if mask is None else mask * nodes["value"][leaf]
        return torch.from_numpy(main.T.astype(np.float32)), torch.from_numpy(guards.met(columns)).float()

    def _columns_of(self, rows: EncodedRows) -> list[NDArray[Any]]:
        """Columns [n]: codes as trees see them, then numbers."""
        return [*recoded(rows.codes, self.shape.sizes, self.recode).T.copy(), *rows.numbers.numpy().T.copy()]

    def _left(self, node: int, column: NDArray[Any]) -> Mask:
        nodes = self._compiled[0]
        bits = nodes["bits"][node]
        left: Mask = column <= np.float32(nodes["cut"][node]) if bits < 0 else self._sets[bits][column]
        return left

    def _fall(
        self, root: int, goes_left: Callable[[int], Mask | None], *, past: bool
    ) -> Iterator[tuple[int, Mask | None]]:
        """Leaves, each with the things that get there (None: all).

        Args:
            root: of the tree.
            goes_left: a node → which things go left; None where it asks the other side.
            past: whether to go on beyond such a node, both ways.
        """
        nodes = self._compiled[0]
        waiting: list[tuple[int, Mask | None]] = [(root, None)]
        while waiting:
            node, mask = waiting.pop()
            if nodes["column"][node] < 0:
                yield node, mask
                continue
            left, right, goes = nodes["left"][node], nodes["right"][node], goes_left(node)
            if goes is not None:
                waiting.append((left, goes if mask is None else mask & goes))
                waiting.append((right, ~goes if mask is None else mask & ~goes))
            elif past:
                waiting += [(left, mask), (right, mask)]

    @cached_property
    def _compiled(self) -> tuple[dict[str, list[Any]], Guards]:
        """Nodes as Python's own numbers, since they are read one by one; and what leaves ask of settings."""
        nodes = {name: self.get_buffer(name).tolist() for name in ("column", "cut", "bits", "left", "right", "value")}
        kinds = [bool(flags) for _, _, flags in self.views.tolist()]
        return nodes, Guards.of(nodes, self._sets, self._plants, self._first, kinds, self.shape.width)

    @property
    def _sets(self) -> Mask:
        return self.sets.numpy()

    @property
    def _plants(self) -> list[tuple[int, int]]:
        """Each tree's root and linear predictor."""
        return list(zip(self.roots.tolist(), self.of.tolist(), strict=True))

    @property
    def _first(self) -> int:
        """The first column that is the setting's."""
        return len(self.shape.sizes) + self.shape.numbers

    @property
    def _columns(self) -> list[slice]:
        """The k of each linear predictor."""
        ends = self._compiled[1].ends
        return [slice(start, end) for start, end in zip((0, *ends[:-1]), ends, strict=True)]


def recoded(codes: Tensor, sizes: tuple[int, ...], recode: Tensor) -> NDArray[np.uint8]:
    """Inputs' codes [N, C] → as trees see them; sizes and recode as in `Shape` and `EMPTY`."""
    starts = np.cumsum([0, *sizes])[:-1]
    return recode.numpy()[codes.numpy() + starts] if sizes else np.zeros((len(codes), 0), np.uint8)


def seen(features: Tensor, views: Tensor) -> list[NDArray[Any]]:
    """Features [G, F] → for each lever and earlier outcome its number [G], or the code of its option, 0 for none."""
    out: list[NDArray[Any]] = []
    for start, many, flags in views.tolist():
        if flags:
            codes = features[:, start : start + many] @ torch.arange(1, many + 1, dtype=torch.float32)
            out.append(codes.numpy().astype(np.uint8))
        else:
            out.append(features[:, start].numpy().copy())
    return out


def _blocks(many: int) -> Iterator[slice]:
    return (slice(start, min(start + ROWS_AT_ONCE, many)) for start in range(0, many, ROWS_AT_ONCE))
