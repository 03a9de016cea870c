"""How strongly each value's factors are pulled towards what all share: more for values with fewer rows.

The penalty on the factors w of a value with n rows is λ n^½ |w|² over all rows: between one prior for all (n⁰) and a
pull that never wanes (n¹, "weighted-λ" of Zhou et al. 2008). Values without a row keep nothing of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from fastai.callback.core import Callback
from torch import Tensor

from drivetrain.modeler.networks import Network

FACTORS = 3.0
"""Weight decay is multiplied by this for factors,"""
BIASES = 0.6
"""and by this for biases, of which every value has one whatever the number of factors."""


class Pull(Callback):  # type: ignore[misc]  # fastai is not typed
    """Adds the penalty of what a batch has looked up to its loss."""

    def __init__(
        self, networks: Sequence[Network], seen: Sequence[Tensor], codes: Tensor, features: Tensor, decay: float
    ) -> None:
        """Args: networks: M of one shape; seen: for each int64 [n] its rows; codes, features: of all rows."""
        super().__init__()
        self.bare, self.decay = networks[0], decay
        sizes = dict(networks[0].named_parameters())
        self.rows = {
            name: torch.stack([torch.bincount(looked[rows], minlength=len(sizes[name])) for rows in seen])
            for name, looked in networks[0].looked_up(codes, features)
        }

    def after_loss(self) -> None:
        """Called by fastai once a batch, in training."""
        codes, _, features = self.learn.xb
        for name, looked in self.bare.looked_up(codes, features):
            members = torch.arange(len(looked))[:, None]
            weight = self.learn.model.weight(name)[members, looked]
            share = self.rows[name].float().clamp(min=1).rsqrt()[members, looked]
            squares = weight.square() @ self._scale(name, weight.shape[-1])
            self.learn.loss_grad = self.learn.loss_grad + self.decay * len(looked) * (share * squares).mean()

    def _scale(self, name: str, width: int) -> Tensor:
        scale = torch.full((width,), FACTORS)
        scale[-self.bare.biases(name) or width :] = BIASES
        return scale

    def forget(self, networks: Sequence[Network]) -> None:
        """Values that a member has never seen keep nothing of their own."""
        for name, rows in self.rows.items():
            for place, network in enumerate(networks):
                network.get_parameter(name).data[rows[place] == 0] = 0
