"""A smoothed policy: a small network that says which setting suits a row, trained on what settings are worth.

The raw choice of the best of many predictions follows every wrinkle of the models. A small network that is trained on
the optima of all rows follows only what many of them share (the prescriptor of evolutionary surrogate-assisted
prescription, Francon et al. 2020, GECCO; here by gradient, on doubly robust scores).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor, nn

from drivetrain.evidence.laws import MOST_VALUES
from drivetrain.evidence.residuals import foretold
from drivetrain.evidence.slate import Slate
from drivetrain.modeler import InputEncoder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HIDDEN = 16
STEPS = 100
MOST = 20_000
DECAY = 3e-4
SHARP = 5.0
"""How sharply the softmax prefers better settings, for a standard deviation of what they are worth."""


@dataclass(frozen=True)
class Smoothed:
    """The network, as numbers that a record can hold."""

    options: tuple[tuple[float, ...], ...]
    """[P, L] the settings among which it chooses."""
    width: int
    """Columns of the encoded inputs."""
    weights: str
    """Its float64 weights, layer by layer, in base64."""

    def settings(self, inputs: InputEncoder, frame: pd.DataFrame) -> Floats:
        """[N, L] the setting of each row.

        Args:
            inputs: the run's encoder.
            frame: N rows with the inputs as columns.
        """
        net = _net(self.width, len(self.options))
        told = torch.from_numpy(np.frombuffer(base64.b64decode(self.weights), dtype="<f8").copy())
        nn.utils.vector_to_parameters(told, net.parameters())
        return np.array(self.options)[_chosen(net, encoded(inputs, frame))]


def encoded(inputs: InputEncoder, frame: pd.DataFrame) -> Tensor:
    """float64 [N, D]: the numbers, and a column for every value of each category; of very many the later ones are as
    unknown, since a smooth policy can only tell rows apart by what many of them share.
    """
    rows, parts = inputs.encode(frame), list[Tensor]()
    for place, size in enumerate(inputs.sizes):
        code, most = rows.codes[:, place], min(size, MOST_VALUES)
        parts.append(nn.functional.one_hot(torch.where(code < most, code, 0), most).double())
    return torch.cat([rows.numbers.double(), *parts], dim=1)


def smooth(slate: Slate, x: Tensor, rows: Ints, seed: int) -> nn.Module:
    """The network that comes nearest to every row's own optimum: cross-entropy to a softmax of credible scores.

    What is credible of a row is what models expect, corrected as far as corrections stand out of noise over all rows,
    and as far as inputs foretell them: see `residuals`.

    Args:
        slate: what settings are worth.
        x: float64 [N, D] the encoded inputs.
        rows: the rows to train on; of more than 20,000 a sample.
        seed: of the first weights and of the sample.
    """
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST, replace=False))
    told = slate.credible()[rows] + foretold(slate.correction[rows], x[torch.from_numpy(rows)].numpy(), seed)
    told = told - told.max(1, keepdims=True)
    wanted = torch.softmax(torch.from_numpy(SHARP * told / (told.std() or 1.0)), dim=1)
    x = x[torch.from_numpy(rows)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _net(x.shape[1], wanted.shape[1])
    own = list(net.parameters())

    def lost(weights: Floats) -> tuple[float, Floats]:
        nn.utils.vector_to_parameters(torch.from_numpy(weights), own)
        loss = -(torch.log_softmax(net(x), dim=1) * wanted).sum(1).mean()
        loss = loss + DECAY * torch.stack([(weight**2).sum() for weight in own]).sum()
        slope = torch.autograd.grad(loss, own)
        return float(loss.detach()), torch.cat([each.flatten() for each in slope]).numpy()

    start = nn.utils.parameters_to_vector(own).detach().numpy()
    best = minimize(lost, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    nn.utils.vector_to_parameters(torch.from_numpy(best.x), own)
    return net.eval()


def settings_of(net: nn.Module, slate: Slate, x: Tensor) -> Floats:
    """[n, L] what the network chooses for encoded rows [n, D]."""
    return np.asarray(slate.options[_chosen(net, x)])


def kept(net: nn.Module, slate: Slate, width: int) -> Smoothed:
    """The network as numbers."""
    flat = nn.utils.parameters_to_vector(net.parameters()).detach().numpy().astype("<f8")
    return Smoothed(tuple(map(tuple, slate.options.tolist())), width, base64.b64encode(flat.tobytes()).decode())


def _net(width: int, options: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, options)).double()


@torch.no_grad()
def _chosen(net: nn.Module, x: Tensor) -> Ints:
    return np.asarray(net(x).argmax(1).numpy())
