"""What each option, and each slot, adds by itself where rows get several options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]

MOST = 11
"""Options told one by one, those that bring most; the others together."""


@dataclass(frozen=True)
class Added:
    """Of a slate, in the objective's unit for one row; either list adds up to what all slots add."""

    options: tuple[tuple[str, Tensor], ...]
    """An option's name and what it adds where it stands, [M], the mean over all rows; what adds most stands first."""
    slots: tuple[tuple[str, Tensor], ...]
    """The same of the first slot, the second, and so on."""


def added(simulator: Simulator, crowd: Crowd, slates: Floats) -> Added:
    """Take apart what slates [N, K] add to empty slots; their scenario declares what does nothing."""
    scenario = simulator.scenario
    lever, names = next(iter(scenario.levers)), next(iter(scenario.options.values()))
    nothing = scenario.space.do_nothing
    assert nothing is not None  # noqa: S101  (see `waterfall.sides`)
    idle = simulator.paired(crowd, np.tile(nothing, (len(crowd), 1))).objective[:, :, 0].double()
    options, slots = torch.zeros(len(idle), len(names), dtype=torch.float64), list[tuple[str, Tensor]]()
    for place in range(slates.shape[1]):
        codes = np.where(np.isfinite(slates[:, place]), slates[:, place], nothing[0])
        more = simulator.paired(crowd, codes[:, None]).objective[:, :, 0].double() - idle
        options.index_add_(1, torch.from_numpy(codes.astype(np.int64)), more / len(crowd))
        slots.append((f"{lever} {place + 1}", more.mean(1)))
    return Added(tuple(_told(names, options, int(nothing[0]))), tuple(slots))


def _told(names: tuple[str, ...], options: Tensor, nothing: int) -> Iterator[tuple[str, Tensor]]:
    size = options.mean(0).abs()
    order = [code for code in torch.argsort(-size).tolist() if size[code] > 0 and code != nothing]
    yield from ((names[code], options[:, code]) for code in order[:MOST])
    if rest := order[MOST:]:
        yield f"{len(rest)} others together", options[:, rest].sum(1)
