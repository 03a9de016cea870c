"""How strongly each value's factors are pulled towards what all share: more for values with fewer rows.

The penalty on the factors w of a value with n rows is λ n^½ |w|² over all rows: between one prior for all (n⁰) and a
pull that never wanes (n¹, "weighted-λ" of Zhou et al. 2008). Values without a row keep nothing of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from drivetrain.modeler.contract import Network

FACTORS = 3.0
"""Weight decay is multiplied by this for factors,"""
BIASES = 0.6
"""and by this for biases, of which every value has one whatever the number of factors."""


class Pull:
    """The penalty of what a batch has looked up, for each of M networks."""

    def __init__(
        self, networks: Sequence[Network], seen: Sequence[Tensor], codes: Tensor, features: Tensor, decay: float
    ) -> None:
        """Args: networks: M of one shape; seen: for each int64 [n] its rows; codes, features: of all rows."""
        self.bare, self.decay = networks[0], decay
        sizes = dict(networks[0].named_parameters())
        self.rows = {
            name: torch.stack([torch.bincount(looked[rows], minlength=len(sizes[name])) for rows in seen])
            for name, looked in networks[0].looked_up(codes, features)
        }
        self.shares = {name: rows.float().clamp(min=1).rsqrt() for name, rows in self.rows.items()}
        """Table → [M, values] how much of the pull each row that looks a value up brings."""

    def penalty(
        self, weights: Mapping[str, Tensor], shares: Sequence[Tensor], codes: Tensor, _: Tensor, features: Tensor
    ) -> Tensor:
        """One member's penalty of a batch [B, ...].

        Args:
            weights: by name.
            shares: the member's, in the order of `self.shares`.
            codes: [B, C] and features [B, F] of the batch.
            features: see codes.
        """
        total = torch.zeros(())
        for share, (name, looked) in zip(shares, self.bare.looked_up(codes, features), strict=True):
            squares = functional.embedding(looked, weights[name]).square() @ self._scale(name, weights[name].shape[-1])
            total = total + self.decay * (share[looked] * squares).mean()
        return total

    def _scale(self, name: str, width: int) -> Tensor:
        scale = torch.full((width,), FACTORS)
        scale[-self.bare.biases(name) or width :] = BIASES
        return scale

    def forget(self, networks: Sequence[Network]) -> None:
        """Values that a member has never seen keep nothing of their own."""
        for name, rows in self.rows.items():
            for place, network in enumerate(networks):
                network.get_parameter(name).data[rows[place] == 0] = 0
