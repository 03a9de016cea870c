"""What networks learn from: rows, settings and what came of them, a batch of its own for each of many networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from drivetrain.modeler.encoder import EncodedRows

ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class Examples:
    """N rows with the settings that the data shows and what came of them."""

    rows: EncodedRows
    features: Tensor
    """float32 [N, F]: encoded settings and earlier outcomes."""
    observed: np.ndarray
    """float64 [N]: the outcome (options as codes)."""
    weight: np.ndarray | None = None
    """float64 [N]: how much each row counts, 1 on average; None where all count the same."""

    def __len__(self) -> int:
        """N."""
        return len(self.observed)

    def take(self, index: np.ndarray) -> Examples:
        """The rows at these positions."""
        at = torch.from_numpy(index)
        rows = EncodedRows(self.rows.codes[at], self.rows.numbers[at], {})
        weight = None if self.weight is None else self.weight[index]
        return Examples(rows, self.features[at], self.observed[index], weight)


class Batches:
    """For each member a batch of its own rows in an order of its own: tensors [M, B, ...], as fastai wants them."""

    n_inp = 3

    def __init__(
        self,
        inputs: tuple[Tensor, ...],
        targets: Tensor,
        subsets: Sequence[Tensor],
        size: int,
        seed: int,
        weight: Tensor | None = None,
    ) -> None:
        """A member with fewer rows than the largest begins a new round of its own within the epoch.

        Args:
            inputs: tensors [N, ...] that all members share.
            targets: [M, N] what each member learns of each row.
            subsets: for each member int64 [n] the rows that are its own.
            size: B.
            seed: of the orders.
            weight: [N] how much each row counts; None where all count the same.
        """
        self.inputs, self.targets, self.subsets = inputs, targets, subsets
        self.weight = [] if weight is None else [weight]
        self.size = min(size, *(len(subset) for subset in subsets))
        self.random = torch.Generator().manual_seed(seed)
        self.device = torch.device("cpu")

    def __len__(self) -> int:
        """Batches an epoch."""
        return -(-max(len(subset) for subset in self.subsets) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """One epoch in new orders."""
        orders = torch.stack([self._order(subset) for subset in self.subsets])
        each = orders.reshape(len(orders), -1, self.size).transpose(0, 1)  # [batches, M, B]
        for some in torch.split(each, max(1, ROWS_AT_ONCE // each[0].numel())):
            yield from zip(*(part.unbind() for part in self._taken(some)), strict=True)

    def _taken(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Inputs, targets and weights of these rows [..., M, B]; for many batches at once, for that costs less."""
        members = torch.arange(len(self.subsets))[:, None]
        inputs = (each.index_select(0, rows.flatten()).reshape(*rows.shape, *each.shape[1:]) for each in self.inputs)
        return (*inputs, self.targets[members, rows], *(weight[rows] for weight in self.weight))

    def first(self) -> tuple[Tensor, ...]:
        """A batch in no order: an example of their sizes."""
        return self._taken(torch.stack([subset[: self.size] for subset in self.subsets]))

    def _order(self, subset: Tensor) -> Tensor:
        wanted = len(self) * self.size
        rounds = [torch.randperm(len(subset), generator=self.random) for _ in range(-(-wanted // len(subset)))]
        return subset[torch.cat(rounds)[:wanted]]
