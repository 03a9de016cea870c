"""Many networks of one shape, trained side by side by one fastai `Learner`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from fastai.callback.core import Callback, CancelValidException, TrainEvalCallback
from fastai.callback.schedule import SchedCos, valley
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper
from fastai.torch_core import set_seed
from torch import Tensor, nn

from drivetrain.errors import Fault, RefusedError
from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.examples import Batches, Examples
from drivetrain.modeler.kinds import EVERY
from drivetrain.modeler.links import Link
from drivetrain.modeler.pulling import Pull
from drivetrain.modeler.stack import Stack
from drivetrain.modeler.stopping import Stopping
from drivetrain.scenario import Model

FEWEST_ROWS = 20
BETA = 0.99
RISING = 0.25
"""The share of training in which the learning rate rises."""
RATES = (1e-5, 1.0)
RATE_STEPS = 100
SMOOTH = 0.9
MANY_STEPS = 1_000
"""Of all members together; from here on making each cheaper is worth what that itself costs, up to a second."""


class NoValidation(Callback):  # type: ignore[misc]  # fastai is not typed
    """Skips the pass over held-out rows: a fold's rows are its judges and must not steer its training."""

    def before_validate(self) -> None:
        """Called by fastai once an epoch."""
        raise CancelValidException


class Trainer(Learner):  # type: ignore[misc]  # fastai is not typed
    """fastai's `Learner` for a module that makes its own gradients: a batch is one call, and one optimizer step."""

    def _set_device(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return batch  # it is where the weights are

    def _do_one_batch(self) -> None:
        self.loss = self.model(*self.xb, *self.yb)
        self.opt.step()


class OneCycle(Callback):  # type: ignore[misc]  # fastai is not typed
    """fastai's one-cycle policy, set where torch's optimizer reads it, and recorded by nobody."""

    def __init__(self, rate: float) -> None:
        """Args: rate: the highest learning rate."""
        self.rising = SchedCos(rate / 25, rate), SchedCos(0.95, 0.85)
        self.falling = SchedCos(rate, rate / 1e5), SchedCos(0.85, 0.95)

    def before_batch(self) -> None:
        """Called by fastai once a batch."""
        at = self.learn.pct_train
        part, at = (self.rising, at / RISING) if at < RISING else (self.falling, (at - RISING) / (1 - RISING))
        rate, momentum = (schedule(at) for schedule in part)
        for group in self.learn.opt.opt.param_groups:
            group["lr"], group["betas"] = rate, (momentum, BETA)


def train(
    kind: str,
    examples: Examples,
    subsets: Sequence[np.ndarray],
    links: Sequence[Link],
    shape: Shape,
    settings: Model,
    seed: int,
    told: Sequence[np.ndarray] = (),
) -> list[Network]:
    """Fit M networks with fastai's one-cycle policy (Smith 2018, arXiv:1803.09820).

    Args:
        kind: a name in `kinds.EVERY`.
        examples: all rows, N.
        subsets: for each network int64 [n] the rows that it learns from.
        links: for each network its link, fitted to the rows that it sees.
        shape: sizes of the data and of the networks.
        settings: the scenario's `model` part.
        seed: of initial weights, dropout and orders; equal seeds give equal weights.
        told: for each network int64 the rows that tell when it is best, where `settings` stop early; else there are
            as many epochs as `settings` say.

    Raises:
        RefusedError: too few rows, or the loss left the numbers.
    """
    if (fewest := min(len(subset) for subset in subsets)) < FEWEST_ROWS:
        raise RefusedError(_too_few(fewest))
    set_seed(seed, reproducible=True)
    networks, stack, batches = _stacked(kind, examples, subsets, links, shape, settings, seed)
    if len(subsets) * len(batches) * settings.epochs >= MANY_STEPS:
        stack.flatten(*batches.first())
    held = [examples.take(rows) for rows in told]
    stopping = Stopping(networks, links, held, settings.patience) if settings.patience else None
    _fit(stack, batches, settings, stopping)
    if not all(bool(torch.isfinite(weight).all()) for weight in stack.parameters()):
        raise RefusedError(_diverged(settings.learning_rate))
    trained = stack.apart(networks) if stopping is None else stopping.kept()
    stack.pull.forget(trained)
    return trained


def find_rate(
    kind: str, examples: Examples, subset: np.ndarray, link: Link, shape: Shape, settings: Model, seed: int
) -> float | None:
    """The learning rate that fastai's finder proposes for one network (Smith 2015, arXiv:1506.01186).

    The rate rises from step to step until the loss explodes; the proposal lies in the longest valley before that.

    Args:
        kind: a name in `kinds.EVERY`.
        examples: all rows, N.
        subset: int64 [n] the rows that it sees.
        link: fitted to them.
        shape: sizes.
        settings: the scenario's `model` part.
        seed: of initial weights, dropout and orders.

    Returns:
        None where the loss shows no valley.
    """
    set_seed(seed, reproducible=True)
    _, stack, batches = _stacked(kind, examples, [subset], [link], shape, settings, seed)
    optimizer = torch.optim.AdamW(stack.parameters(), lr=RATES[0], eps=1e-5, weight_decay=settings.weight_decay)
    rates = np.geomspace(*RATES, RATE_STEPS).tolist()
    smooth, losses = 0.0, list[float]()
    for place, (rate, batch) in enumerate(zip(rates, _endless(batches), strict=False), 1):
        optimizer.param_groups[0]["lr"] = rate
        smooth = SMOOTH * smooth + (1 - SMOOTH) * float(stack(*batch).mean())
        optimizer.step()
        losses.append(smooth / (1 - SMOOTH**place))
        if not np.isfinite(losses[-1]) or losses[-1] > 4 * abs(min(losses)):
            break
    many = len(losses) // 10  # the noise of the first steps
    found = valley(rates[many : len(losses) - 5], losses[many:-5], RATE_STEPS) if len(losses) > 20 else None
    return None if found is None else float(found[0])


def _endless(batches: Batches) -> Iterator[tuple[Tensor, ...]]:
    while True:
        yield from batches


def _stacked(
    kind: str,
    examples: Examples,
    subsets: Sequence[np.ndarray],
    links: Sequence[Link],
    shape: Shape,
    settings: Model,
    seed: int,
) -> tuple[list[Network], Stack, Batches]:
    """Networks of one kind, as one, and what they learn from."""
    targets = torch.stack([link.target(examples.observed) for link in links])
    seen = [torch.from_numpy(subset) for subset in subsets]
    weight = None if examples.weight is None else torch.from_numpy(examples.weight).float()
    starts = [
        link.start(target[rows], None if weight is None else weight[rows])
        for link, target, rows in zip(links, targets, seen, strict=True)
    ]
    networks = [EVERY[kind](shape, start) for start in starts]
    inputs = (examples.rows.codes, examples.rows.numbers, examples.features)
    pull = Pull(networks, seen, examples.rows.codes, examples.features, settings.weight_decay)
    return networks, Stack(networks, links[0], pull), Batches(inputs, targets, seen, settings.batch, seed, weight)


def _fit(stack: Stack, batches: Batches, settings: Model, stopping: Stopping | None) -> None:
    learner = Trainer(
        DataLoaders(batches, batches),
        stack,
        loss_func=nn.Identity(),  # the module knows its loss
        opt_func=partial(OptimWrapper, opt=partial(torch.optim.AdamW, eps=1e-5, fused=True)),
        splitter=lambda stack: [[stack.decaying], [stack.free]],
        default_cbs=False,  # a recorder that nobody reads costs as much as a small network
        cbs=[TrainEvalCallback(), NoValidation()],
    )
    callbacks = [OneCycle(settings.learning_rate), *([] if stopping is None else [stopping])]
    learner.fit(settings.epochs, wd=[settings.weight_decay, 0.0], cbs=callbacks)


def _too_few(rows: int) -> Fault:
    return Fault(
        "training",
        f"found {rows} rows to train on",
        f"A network needs at least {FEWEST_ROWS} rows besides those that judge it",
        "Bring more rows, use more folds, or a smaller sealed test",
    )


def _diverged(rate: float) -> Fault:
    return Fault(
        "model.learning_rate", f"found {rate:g}, at which training diverged", cure="Write a smaller one, a tenth of it"
    )
