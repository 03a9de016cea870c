"""Early stopping: the weights of the pass after which a network was best in rows that it does not learn from.

(Prechelt 1998, "Early Stopping — But When?", Neural Networks: Tricks of the Trade.) Asked for by `model: {patience:
5}`. The rows are another fold's, and never those that the network will judge. Networks train side by side, each keeps a
pass of its own, and all end once none has gained for so many passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from fastai.callback.core import Callback, CancelFitException

from drivetrain.modeler.contract import Network
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.links import Link
from drivetrain.modeler.stack import Stack


class Stopping(Callback):  # type: ignore[misc]  # fastai is not typed
    """Told after each pass how good every network is."""

    def __init__(
        self, networks: Sequence[Network], links: Sequence[Link], told: Sequence[Examples], patience: int
    ) -> None:
        """Args: networks: M; links: theirs; told: for each the rows that tell; patience: passes without gain."""
        self.networks, self.links, self.told, self.patience = networks, links, told, patience
        self.least = [float("inf")] * len(networks)
        self.best: list[dict[str, Any]] = [{} for _ in networks]

    def after_epoch(self) -> None:
        """Called by fastai; keeps what is best, and ends the training where nothing gets better."""
        stack: Stack = self.learn.model
        passes = self.learn.epoch + 1
        for place, network in enumerate(stack.apart(self.networks)):
            loss = _loss(network, self.links[place], self.told[place])
            if loss < self.least[place]:
                self.least[place], self.best[place] = loss, deepcopy(network.state_dict())
                network.passes = passes
        if passes - max(network.passes for network in self.networks) >= self.patience:
            raise CancelFitException

    def kept(self) -> list[Network]:
        """The networks with the weights of their best passes."""
        for network, best in zip(self.networks, self.best, strict=True):
            network.load_state_dict(best)
        return list(self.networks)


def _loss(network: Network, link: Link, told: Examples) -> float:
    weight = [] if told.weight is None else [torch.from_numpy(told.weight).float()]
    with torch.no_grad():
        linear = network.paired(network.context(told.rows), told.features)
        return float(link.loss(linear, link.target(told.observed), *weight))
