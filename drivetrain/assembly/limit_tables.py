"""What every candidate setting would bring, use and break, added up over decisions: what a limit is drawn on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.optimizer.bounds import broken
from drivetrain.optimizer.fronts import shared_front
from drivetrain.optimizer.landscape import Landscape
from drivetrain.optimizer.parts import Use
from drivetrain.scenario import Beside, Constraint, Scenario
from drivetrain.simulator import Crowd, Outlook, Simulator

Floats = NDArray[np.float64]
Side = Literal["minimise", "maximise"]

POINTS = 40
"""Of the front between the objective and what is limited, where all rows get one setting of several levers."""
BUDGET = 4_000
"""Settings asked about for that, each gradient counted as one more."""


def searched(
    simulator: Simulator,
    crowd: Crowd,
    unit: NDArray[np.int64],
    constraint: Constraint,
    tried: Floats,
    sides: tuple[Side, ...],
) -> Floats:
    """Candidates [G, L], doing nothing among them where slots may stay empty; and for one decision on several levers
    where searches between the objective and the limit end.

    Args:
        simulator: within all bounds but the one that moves.
        crowd: N rows.
        unit: [N] the decision of each.
        constraint: what is limited.
        tried: [G, L].
        sides: to which of them the limit may be drawn.
    """
    scenario = simulator.scenario
    if scenario.slots > 1 and scenario.space.do_nothing is not None:  # an empty slot needs no rows
        return np.unique(np.vstack([tried, scenario.space.do_nothing]), axis=0)
    if unit.max() > 0 or scenario.slots > 1 or sum(not each.frozen for each in scenario.levers.values()) < 2:
        return tried
    found = [tried]
    for side in sides:
        goal = Beside.model_validate({"name": constraint.name, side: constraint.formula.text})
        objective = scenario.objective.model_copy(update={"beside": (goal,)})
        asked = replace(simulator, scenario=scenario.model_copy(update={"objective": objective}))
        found.append(shared_front(Landscape.of(asked, crowd), tried, POINTS, BUDGET))
    every = np.unique(np.vstack(found), axis=0)
    return every[simulator.support.holds(every)]


@dataclass(frozen=True)
class Added:
    """Tables of what settings bring; where rows get several options, of what these add to empty slots."""

    tried: Floats
    """[G, L]"""
    sums: Sums
    uses: tuple[Use, ...]
    idle: Tensor
    """[M] the objective of all rows with empty slots; 0 where there are no slots."""
    idle_use: float


@dataclass(frozen=True)
class Sums:
    """What each decision would get, summed over its rows."""

    members: Tensor
    """float32 [M, U, G] the objective."""
    refused: Tensor
    """[U, G] rows that a setting is not allowed for."""
    usage: Tensor
    """[U, G] what is limited."""

    @classmethod
    def empty(cls, simulator: Simulator, units: int, settings: int) -> Sums:
        """Of no rows yet."""
        members = torch.zeros(len(simulator.folds), units, settings)
        return cls(members, torch.zeros(units, settings), torch.zeros(units, settings))

    def add(self, scenario: Scenario, limited: Constraint, where: Tensor, outlook: Outlook) -> None:
        """Some rows: the decision of each, and what the members expect."""
        strange = ~torch.isfinite(outlook.objective.mean(0))
        for constraint in scenario.constraints:
            if constraint.over == "each":
                strange = strange | broken(constraint, outlook.mean(outlook.bounded[constraint.name]))
        used = outlook.mean(outlook.bounded[limited.name])
        self.members.index_add_(1, where, outlook.objective.nan_to_num(0.0, 0.0, 0.0))
        self.usage.index_add_(0, where, used.nan_to_num(0.0, 0.0, 0.0))
        self.refused.index_add_(0, where, strange.float())

    def beside_nothing(self, scenario: Scenario, tried: Floats, uses: list[Use]) -> Added:
        """The same as what options add to empty slots, and doing nothing as often as there are slots."""
        nothing = scenario.space.do_nothing
        if scenario.slots == 1 or nothing is None:
            return Added(tried, self, tuple(uses), torch.zeros(len(self.members)), 0.0)
        at = int(np.flatnonzero((tried == nothing).all(1))[0])
        place = np.append(np.arange(len(tried)), np.full(scenario.slots - 1, at))
        own, use = self.members[:, :, [at]], self.usage[:, [at]]
        sums = Sums((self.members - own)[:, :, place], self.refused[:, place], (self.usage - use)[:, place])
        room = []
        for each in uses:
            idle = each.used[:, [at]]
            limit = replace(each.limit, settled=each.limit.settled + float(idle.sum(dtype=np.float64)))
            room.append(replace(each, used=(each.used - idle)[:, place], limit=limit))
        return Added(tried[place], sums, tuple(room), own.sum((1, 2)), float(use.sum(dtype=torch.float64)))
