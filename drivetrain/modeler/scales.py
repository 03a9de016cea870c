"""Scales on which a numeric outcome is learned, and the way back to means in its own unit.

The mean of a function is not the function of the mean: the exponential of a mean logarithm falls short of the mean,
most where tails are heavy. So the way back averages over the errors that held-out rows showed (Duan 1983, "Smearing
Estimate: A Nonparametric Retransformation Method"), which for these scales takes two numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

Curve = Literal["linear", "log", "asinh"]
Smear = tuple[float, float]
"""Of errors e on the scale: log: mean exp(e), and nothing; asinh: mean cosh(e) and mean sinh(e)."""
MOST = 80.0
"""Largest number on a scale that is taken back: float32 ends at exp(88)."""


def knee(curve: Curve, observed: np.ndarray) -> float:
    """Where asinh bends from linear to logarithmic: the middle size of observed outcomes [N] that are not 0."""
    sizes = np.abs(observed[np.isfinite(observed) & (observed != 0)])
    return float(np.median(sizes)) if curve == "asinh" and len(sizes) else 1.0


def there(curve: Curve, knee: float, values: np.ndarray) -> np.ndarray:
    """Values [N] in the outcome's unit → on the scale."""
    if curve == "log":
        return np.asarray(np.log(values))
    return np.asarray(np.arcsinh(values / knee)) if curve == "asinh" else values


def smear(curve: Curve, errors: np.ndarray, weight: np.ndarray | None = None) -> Smear:
    """What the way back must know of held-out errors [N], observed minus predicted on the scale."""

    def mean(values: np.ndarray) -> float:
        return float(np.average(values, weights=weight))

    if curve == "log":
        return mean(np.exp(errors)), 0.0
    return (mean(np.cosh(errors)), mean(np.sinh(errors))) if curve == "asinh" else (1.0, 0.0)


def back(curve: Curve, knee: float, smear: Smear, predicted: Tensor) -> Tensor:
    """Predictions [...] on the scale → means in the outcome's unit."""
    if curve == "linear":
        return predicted
    within = predicted.clamp(-MOST, MOST)
    if curve == "log":
        return torch.exp(within) * smear[0]
    return knee * (torch.sinh(within) * smear[0] + torch.cosh(within) * smear[1])


def middle(curve: Curve, knee: float, mean: Tensor, spread: float) -> Tensor:
    """The centre on the scale of a normal distribution with this spread there and this mean [...] in the unit."""
    if curve == "log":
        return mean.clamp(min=torch.finfo(mean.dtype).tiny).log() - spread**2 / 2
    return torch.asinh(mean / (knee * float(np.exp(spread**2 / 2)))) if curve == "asinh" else mean


def moment(curve: Curve, knee: float, centre: Tensor, spread: float, edges: tuple[Tensor, Tensor]) -> Tensor:
    """The part of the mean [...] that lies between two edges.

    Args:
        curve: log or asinh.
        knee: as above.
        centre: [...] of the normal distribution on the scale.
        spread: its standard deviation.
        edges: [...] in standard deviations from the centre, low and high.
    """
    low, high = edges
    half = float(np.exp(spread**2 / 2))
    up: Tensor = torch.exp(centre) * half * (torch.special.ndtr(high - spread) - torch.special.ndtr(low - spread))
    if curve == "log":
        return up
    down: Tensor = torch.exp(-centre) * half * (torch.special.ndtr(high + spread) - torch.special.ndtr(low + spread))
    return knee / 2 * (up - down)
