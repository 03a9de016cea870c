"""Many networks of one shape, trained side by side by one fastai `Learner`.

The members of an ensemble differ in rows, order and seed, and in nothing else. Their weights are stacked and one
vectorised step moves all of them (torch.func's ensembling), which for small networks costs little more than moving one:
the time goes into Python's and torch's overhead a step, and that is paid once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import fastai.callback.schedule  # noqa: F401 - gives `Learner` its `fit_one_cycle`
import numpy as np
import torch
from fastai.callback.core import Callback, CancelValidException
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper
from fastai.torch_core import set_seed
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from drivetrain.errors import Fault, RefusedError
from drivetrain.modeler.encoder import EncodedRows
from drivetrain.modeler.kinds import EVERY
from drivetrain.modeler.links import Link
from drivetrain.modeler.networks import Network, Shape
from drivetrain.modeler.pulling import Pull
from drivetrain.scenario import Model

FEWEST_ROWS = 20
DOT = "·"
"""Stands for the dot of a weight's name, which a module's parameter may not contain."""


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
    """For each member a batch of its own rows in an order of its own: tensors [M, B, ...], as fastai wants them."""

    n_inp = 3

    def __init__(
        self, inputs: tuple[Tensor, ...], targets: Tensor, subsets: Sequence[Tensor], size: int, seed: int
    ) -> None:
        """A member with fewer rows than the largest begins a new round of its own within the epoch.

        Args:
            inputs: tensors [N, ...] that all members share.
            targets: [M, N] what each member learns of each row.
            subsets: for each member int64 [n] the rows that are its own.
            size: B.
            seed: of the orders.
        """
        self.inputs, self.targets, self.subsets = inputs, targets, subsets
        self.size = min(size, *(len(subset) for subset in subsets))
        self.random = torch.Generator().manual_seed(seed)
        self.device = torch.device("cpu")

    def __len__(self) -> int:
        """Batches an epoch."""
        return -(-max(len(subset) for subset in self.subsets) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """One epoch in new orders."""
        orders = torch.stack([self._order(subset) for subset in self.subsets])
        for rows in torch.split(orders, self.size, dim=1):
            yield (*(tensor[rows] for tensor in self.inputs), self.targets.gather(1, rows))

    def _order(self, subset: Tensor) -> Tensor:
        wanted = len(self) * self.size
        rounds = [torch.randperm(len(subset), generator=self.random) for _ in range(-(-wanted // len(subset)))]
        return subset[torch.cat(rounds)[:wanted]]


class Stack(nn.Module):
    """M networks of one shape as one module: inputs [M, B, ...] → linear predictors [M, B, C]."""

    def __init__(self, networks: Sequence[Network]) -> None:
        """Args: networks: of one kind and shape; their weights are copied."""
        super().__init__()
        weights, self.buffered = stack_module_state(list(networks))
        self.weights = nn.ParameterDict({k.replace(".", DOT): nn.Parameter(v.detach()) for k, v in weights.items()})
        self.bare = [deepcopy(networks[0]).to("meta")]  # in a list, so that its weights are not counted as ours

    def forward(self, codes: Tensor, numbers: Tensor, features: Tensor) -> Tensor:
        """[M, B, ...] → [M, B, C]."""
        bare = self.bare[0].train(self.training)

        def one(weights: dict[str, Tensor], buffers: dict[str, Tensor], *inputs: Tensor) -> Tensor:
            out: Tensor = functional_call(bare, (weights, buffers), inputs)
            return out

        named = {name.replace(DOT, "."): weight for name, weight in self.weights.items()}
        out: Tensor = torch.vmap(one, randomness="different")(named, self.buffered, codes, numbers, features)
        return out

    def weight(self, name: str) -> Tensor:
        """All members' weights [M, ...] by the name that one member's has."""
        out: Tensor = self.weights[name.replace(".", DOT)]
        return out

    def apart(self, networks: Sequence[Network]) -> list[Network]:
        """Give each network its own weights back."""
        for place, network in enumerate(networks):
            state = {name.replace(DOT, "."): weight[place].detach() for name, weight in self.weights.items()}
            network.load_state_dict(state)
            network.eval().requires_grad_(False)
        return list(networks)


class NoValidation(Callback):  # type: ignore[misc]  # fastai is not typed
    """Skips the pass over held-out rows: a fold's rows are its judges and must not steer its training."""

    def before_validate(self) -> None:
        """Called by fastai once an epoch."""
        raise CancelValidException


def train(
    kind: str,
    examples: Examples,
    subsets: Sequence[np.ndarray],
    links: Sequence[Link],
    shape: Shape,
    settings: Model,
    seed: int,
) -> list[Network]:
    """Fit M networks with fastai's one-cycle policy (Smith 2018, arXiv:1803.09820).

    Args:
        kind: a name in `kinds.EVERY`.
        examples: all rows, N.
        subsets: for each network int64 [n] the rows that it sees; none is held back, so `settings` fixes the epochs.
        links: for each network its link, fitted to the rows that it sees.
        shape: sizes of the data and of the networks.
        settings: the scenario's `model` part.
        seed: of initial weights, dropout and orders; equal seeds give equal weights.

    Raises:
        RefusedError: too few rows, or the loss left the numbers.
    """
    if (fewest := min(len(subset) for subset in subsets)) < FEWEST_ROWS:
        raise RefusedError(_too_few(fewest))
    set_seed(seed, reproducible=True)
    targets = torch.stack([link.target(examples.observed) for link in links])
    seen = [torch.from_numpy(subset) for subset in subsets]
    starts = [link.start(target[rows]) for link, target, rows in zip(links, targets, seen, strict=True)]
    networks = [EVERY[kind](shape, start) for start in starts]
    stack = Stack(networks)
    inputs = (examples.rows.codes, examples.rows.numbers, examples.features)
    pull = Pull(networks, seen, examples.rows.codes, examples.features, settings.weight_decay)
    batches = Batches(inputs, targets, seen, settings.batch, seed)
    learner = Learner(
        DataLoaders(batches, batches),
        stack,
        loss_func=partial(_loss, links[0]),
        opt_func=partial(OptimWrapper, opt=partial(torch.optim.AdamW, betas=(0.9, 0.99), eps=1e-5, fused=True)),
        splitter=partial(_by_decay, pulled=frozenset(pull.rows)),
        wd=[settings.weight_decay, 0.0],
        cbs=[NoValidation(), *([pull] if pull.rows else [])],
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(settings.epochs, settings.learning_rate)
    if not all(bool(torch.isfinite(weight).all()) for weight in stack.parameters()):
        raise RefusedError(_diverged(settings.learning_rate))
    trained = stack.apart(networks)
    pull.forget(trained)
    return trained


def _loss(link: Link, linear: Tensor, target: Tensor) -> Tensor:
    """The members' mean losses, summed: each member's gradient is that of its own loss."""
    return len(linear) * link.loss(linear.flatten(0, 1), target.flatten())


def _by_decay(stack: Stack, pulled: frozenset[str]) -> list[list[nn.Parameter]]:
    """Weights, which decay towards zero, and those that do not: biases, and factors, which are pulled by their rows."""
    free = {n for n in stack.weights if n.endswith(("bias", "start")) or n.replace(DOT, ".") in pulled}
    return [[weight for name, weight in stack.weights.items() if (name in free) == side] for side in (False, True)]


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
