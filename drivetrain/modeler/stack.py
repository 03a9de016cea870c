"""Many networks of one shape as one: their weights stacked, one vectorised step for all of them.

The members of an ensemble differ in rows, order and seed, and in nothing else (torch.func's ensembling). For small
networks moving all costs little more than moving one: the time goes into overhead a step, and that is paid once.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state

from drivetrain.modeler.contract import Network
from drivetrain.modeler.flat import Function, flatten
from drivetrain.modeler.links import Link
from drivetrain.modeler.pulling import Pull


class Stack(nn.Module):
    """M networks that learn side by side, each from its own rows: [M, B, ...] → M losses.

    All weights lie in one piece of memory, so that an optimizer's step is one or two operations: first those that decay
    towards zero, then those that do not: biases, and factors, which are pulled by their rows.
    """

    def __init__(self, networks: Sequence[Network], link: Link, pull: Pull) -> None:
        """Args: networks: their weights are copied; link: whose loss is minimised; pull: the penalty beside it."""
        super().__init__()
        weights, _ = stack_module_state(list(networks))
        free = {name: name.endswith(("bias", "start")) or name in pull.shares for name in weights}
        self.names = tuple(sorted(weights, key=free.__getitem__))
        sizes = [weights[name].shape for name in self.names]
        whole = torch.cat([weights[name].detach().flatten() for name in self.names])
        self.slopes = torch.zeros_like(whole)
        self.weights, self.gradients = _parts(whole, sizes), _parts(self.slopes, sizes)
        many = sum(weight.numel() for name, weight in weights.items() if not free[name])
        self.decaying, self.free = nn.Parameter(whole[:many]), nn.Parameter(whole[many:])
        self.decaying.grad, self.free.grad = self.slopes[:many], self.slopes[many:]
        self.link, self.pull, self.many = link, pull, len(networks)
        self.bare = [deepcopy(networks[0]).to("meta").train()]  # in a list, so that its weights are not counted as ours
        self.moved: Function = self._alone if self.many == 1 else self.step

    def forward(self, *batch: Tensor) -> Tensor:
        """Codes, numbers, features, targets and perhaps weights [M, B, ...] → the members' losses [M].

        It sets every weight's gradient.
        """
        *gradients, losses = self.moved(*self.weights, *self.pull.shares.values(), *batch)
        torch.cat([gradient.reshape(-1) for gradient in gradients], out=self.slopes)
        return losses

    def flatten(self, *batch: Tensor) -> None:
        """Make steps cheaper whose batches have the sizes of this one; that itself costs some hundred steps."""
        self.moved = flatten(self.step, *self.weights, *self.pull.shares.values(), *batch)

    def step(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Weights, shares and batch, all [M, ...] → each weight's gradient of its own member's loss, and the losses.

        What dropout leaves out of a step is the same places for all members, whose rows differ.
        """
        with torch.no_grad():
            if self.many == 1:
                return tuple(each[None] for each in self._one(*(tensor[0] for tensor in tensors)))
            out: tuple[Tensor, ...] = torch.vmap(self._one, randomness="same")(*tensors)
            return out

    def _one(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        weights, rest = self._told(tensors)
        gradients, loss = grad_and_value(self._loss)(weights, *rest)
        return (*gradients.values(), loss)

    def _alone(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """`step` of one network, by torch's own tape, which costs less but cannot be flattened."""
        weights, rest = self._told(tuple(tensor.detach()[0] for tensor in tensors))
        loss = self._loss({name: weight.requires_grad_() for name, weight in weights.items()}, *rest)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        return tuple(each[None] for each in (*gradients, loss.detach()))

    def _told(self, tensors: tuple[Tensor, ...]) -> tuple[dict[str, Tensor], tuple[Any, ...]]:
        many, tables = len(self.names), len(self.pull.shares)
        weights = dict(zip(self.names, tensors[:many], strict=True))
        return weights, (tensors[many : many + tables], *tensors[many + tables :])

    def _loss(self, weights: dict[str, Tensor], shares: Sequence[Tensor], *batch: Tensor) -> Tensor:
        codes, numbers, features, target, *counts = batch
        linear = functional_call(self.bare[0], weights, (codes, numbers, features))
        return self.link.loss(linear, target, *counts) + self.pull.penalty(weights, shares, codes, numbers, features)

    def apart(self, networks: Sequence[Network]) -> list[Network]:
        """Give each network its own weights back."""
        for place, network in enumerate(networks):
            own = (weight[place] for weight in self.weights)
            network.load_state_dict(dict(zip(self.names, own, strict=True)))
            network.eval().requires_grad_(False)
        return list(networks)


def _parts(whole: Tensor, sizes: Sequence[torch.Size]) -> list[Tensor]:
    """Views of one piece of memory, one after the other."""
    each = torch.split(whole, [size.numel() for size in sizes])
    return [part.view(size) for part, size in zip(each, sizes, strict=True)]
