"""One network, trained by a fastai `Learner` over ready tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import fastai.callback.schedule  # noqa: F401 - gives `Learner` its `fit_one_cycle`
import numpy as np
import torch
from fastai.callback.core import Callback, CancelValidException
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.torch_core import set_seed
from torch import Tensor

from drivetrain.errors import Fault, RefusedError
from drivetrain.modeler.encoder import EncodedRows
from drivetrain.modeler.links import Link
from drivetrain.modeler.networks import KINDS, Network, Shape
from drivetrain.scenario import Model

FEWEST_ROWS = 20


@dataclass(frozen=True)
class Examples:
    """N rows with the settings that the data shows and what came of them."""

    rows: EncodedRows
    features: Tensor
    """float32 [N, F]: encoded settings and earlier outcomes."""
    observed: np.ndarray
    """float64 [N]: the outcome (options as codes)."""

    def __len__(self) -> int:
        """N."""
        return len(self.observed)

    def take(self, index: np.ndarray) -> Examples:
        """The rows at these positions."""
        at = torch.from_numpy(index)
        rows = EncodedRows(self.rows.codes[at], self.rows.numbers[at], {})
        return Examples(rows, self.features[at], self.observed[index])


class Batches:
    """Shuffled batches of tensors, as fastai's `DataLoaders` want them; the last, smaller one is kept."""

    n_inp = 3

    def __init__(self, tensors: tuple[Tensor, ...], size: int, seed: int) -> None:
        """Args: tensors: inputs, then the target, all of length N; size: rows a batch; seed: of the order."""
        self.tensors, self.size = tensors, size
        self.random = torch.Generator().manual_seed(seed)
        self.device = torch.device("cpu")

    def __len__(self) -> int:
        """Batches an epoch."""
        return -(-len(self.tensors[0]) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """One epoch in a new order."""
        order = torch.randperm(len(self.tensors[0]), generator=self.random)
        for part in torch.split(order, self.size):
            yield tuple(tensor[part] for tensor in self.tensors)


class NoValidation(Callback):  # type: ignore[misc]  # fastai is not typed
    """Skips the pass over held-out rows: a fold's rows are its judges and must not steer its training."""

    def before_validate(self) -> None:
        """Called by fastai once an epoch."""
        raise CancelValidException


def train(kind: str, examples: Examples, link: Link, shape: Shape, settings: Model, seed: int) -> Network:
    """Fit one network with fastai's one-cycle policy (Smith 2018, arXiv:1803.09820).

    Args:
        kind: `two_tower` or `joint`.
        examples: the training rows; none is held back, so the number of epochs is fixed by `settings`.
        link: already fitted to these rows.
        shape: sizes of the data and of the network.
        settings: the scenario's `model` part.
        seed: of initial weights, dropout and order; equal seeds give equal weights.

    Raises:
        RefusedError: too few rows, or the loss left the numbers.
    """
    if len(examples) < FEWEST_ROWS:
        raise RefusedError(_too_few(len(examples)))
    set_seed(seed, reproducible=True)
    target = link.target(examples.observed)
    network = KINDS[kind](shape, link.start(target))
    tensors = (examples.rows.codes, examples.rows.numbers, examples.features, target)
    batches = Batches(tensors, min(settings.batch, len(examples)), seed)
    learner = Learner(
        DataLoaders(batches, batches), network, loss_func=link.loss, wd=settings.weight_decay, cbs=NoValidation()
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(settings.epochs, settings.learning_rate)
    if not all(bool(torch.isfinite(weight).all()) for weight in network.parameters()):
        raise RefusedError(_diverged(settings.learning_rate))
    return network.eval().requires_grad_(False)


def _too_few(rows: int) -> Fault:
    return Fault(
        "training",
        f"found {rows} rows to train on",
        f"A network needs at least {FEWEST_ROWS} rows in each fold",
        "Bring more rows, use fewer folds, or a smaller sealed test",
    )


def _diverged(rate: float) -> Fault:
    return Fault(
        "model.learning_rate", f"found {rate:g}, at which training diverged", cure="Write a smaller one, a tenth of it"
    )
