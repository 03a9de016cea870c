"""How much each row's outcome counts for a setting: kernel weights over how often such rows get such settings.

For options a weight is "the same" over a probability. For numbers it is local-linear: with u = (T − s)/width and the
support's kernel K, w = K·(a + b·u), where a and b make E[w | x] = 1 and E[w·u | x] = 0. So a smooth error of the models
cancels to the second order, at the edge of the range as well as inside it, where a plain K/E[K] leans to one side (Fan
& Gijbels 1996, "Local Polynomial Modelling", 3.2.5; for policies Kallus & Zhou 2018 have the plain kernel).

Moments are arrays [N, Q] of E[K·φ | x], where φ is 1, then each u, then each product of two, for the levers whose
settings speak for settings near them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.simulator import Support

Floats = NDArray[np.float64]

FLOOR = 0.01
"""No chance is taken to be lower: a few rows would outvote all others."""
RIDGE = 0.005
"""Steadies the slope where few rows lie on one side."""
BLOCK = 2_000_000


def smooth(support: Support) -> list[int]:
    """The levers whose settings speak for settings near them."""
    return [place for place, reach in enumerate(support.reach) if reach.width > 0]


def scaled(support: Support, factor: float) -> Support:
    """The support with kernels so many times as wide."""
    reach = tuple(each.model_copy(update={"width": each.width * factor}) for each in support.reach)
    return support.model_copy(update={"reach": reach})


@dataclass(frozen=True)
class Seen:
    """Settings that rows got, each named once."""

    settings: Floats
    """[U, L]"""
    share: Floats
    """[U] of the rows."""

    @classmethod
    def of(cls, logged: Floats) -> Seen:
        """Args: logged: [N, L] settings; none are taken as they are."""
        settings, counts = np.unique(logged, axis=0, return_counts=True)
        return cls(settings, counts / max(1, len(logged)))

    def moments(self, support: Support, settings: Floats) -> Floats:
        """Moments [n, Q] around each of settings [n, L], asked once for each that differs."""
        if len(settings) and (settings == settings[0]).all():
            return np.repeat(_moments(support, self.settings, self.share, settings[:1]), len(settings), axis=0)
        distinct, back = np.unique(settings, axis=0, return_inverse=True)
        block = max(1, BLOCK // max(1, len(self.settings)))
        parts = [
            _moments(support, self.settings, self.share, distinct[i : i + block])
            for i in range(0, len(distinct), block)
        ]
        return np.asarray(np.concatenate(parts)[back.ravel()])


def empirical(support: Support, logged: Floats, settings: Floats) -> Floats:
    """Moments [n, Q] over logged settings [N, L] around each of settings [n, L]."""
    return Seen.of(logged).moments(support, settings)


def _moments(support: Support, seen: Floats, share: Floats, settings: Floats) -> Floats:
    kernel, axes = support.kernel(seen, settings), smooth(support)
    at, around = _scaled(support, seen, axes), _scaled(support, settings, axes)
    mass = share @ kernel
    first = [(share * at[:, j]) @ kernel for j in range(len(axes))]
    out = [mass, *(first[j] - around[:, j] * mass for j in range(len(axes)))]
    for j, k in pairs(len(axes)):
        second = (share * at[:, j] * at[:, k]) @ kernel
        out.append(second - around[:, j] * first[k] - around[:, k] * first[j] + around[:, j] * around[:, k] * mass)
    return np.column_stack(out)


def pairs(axes: int) -> list[tuple[int, int]]:
    """The products of two levers, in the order of the moments."""
    return [(j, k) for j in range(axes) for k in range(j, axes)]


def weights(support: Support, logged: Floats, settings: Floats, moments: Floats, floor: float = FLOOR) -> Floats:
    """The weight [N] of each row's logged setting [N, L] for its setting [N, L], given the moments [N, Q] there."""
    kernel, axes = support.paired(logged, settings), smooth(support)
    mass = np.maximum(moments[:, 0], floor)
    out, near = np.zeros(len(kernel)), kernel > 0
    if not axes or moments.shape[1] == 1:
        out[near] = kernel[near] / mass[near]
        return out
    u = (logged[near] - settings[near])[:, axes] / [support.reach[j].width for j in axes]
    line = _line(moments[near] / np.maximum(moments[near, :1], 1e-12), len(axes))
    out[near] = kernel[near] * (line[:, 0] + (line[:, 1:] * u).sum(1)) / mass[near]
    return out


def _line(moments: Floats, axes: int) -> Floats:
    """[n, 1 + d] the line in u that gives E[w] = 1 and E[w·u] = 0, for moments over their mass."""
    design = np.zeros((len(moments), 1 + axes, 1 + axes))
    design[:, 0, 0] = 1.0
    for j in range(axes):
        design[:, 0, 1 + j] = design[:, 1 + j, 0] = moments[:, 1 + j]
    for place, (j, k) in enumerate(pairs(axes), start=1 + axes):
        design[:, 1 + j, 1 + k] = design[:, 1 + k, 1 + j] = moments[:, place]
        if j == k:
            design[:, 1 + j, 1 + k] += RIDGE
    goal = np.zeros((len(moments), 1 + axes, 1))
    goal[:, 0] = 1.0
    return np.asarray(np.linalg.solve(design, goal)[:, :, 0])


def _scaled(support: Support, settings: Floats, axes: list[int]) -> Floats:
    """[n, d] smooth levers in widths above the lowest that was seen."""
    return np.column_stack(
        [(settings[:, j] - support.reach[j].low) / support.reach[j].width for j in axes]
        or [np.zeros((len(settings), 0))]
    )
