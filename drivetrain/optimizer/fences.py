"""What constraints ask of decisions: by how much each setting would pass what holds for each row, and uses of sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from drivetrain.optimizer.bounds import TOLERANCE, Limit
from drivetrain.optimizer.loosening import loosened
from drivetrain.optimizer.offers import Offers
from drivetrain.optimizer.parts import Sum, Use
from drivetrain.optimizer.totals import Table
from drivetrain.scenario import Constraint, Scenario, rule_of
from drivetrain.scenario.constraints import KEYS, Key
from drivetrain.simulator import Crowd, Simulator

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Fence:
    """One bound that holds for each row."""

    constraint: Constraint
    key: Key
    excess: Table
    """[U, G] by how much of itself some row of a decision would pass it under each setting; 0 where all keep it."""
    rule: str = ""
    """The lever's own rule that it is, such as `levers.price.at_most`; empty of a declared constraint."""

    @property
    def name(self) -> str:
        """`fair.at_most`, or the lever's rule."""
        return self.rule or f"{self.constraint.name}.{self.key}"

    @property
    def bound(self) -> float:
        """The bound as the scenario writes it."""
        return self.constraint.bound(self.key) or 0.0

    def told(self, loosening: float) -> float:
        """The bound when loosened by that much of itself."""
        return self.bound + (1 if self.key == "at_most" else -1) * loosening * max(1.0, abs(self.bound))


Part = Fence | Use


@dataclass(frozen=True)
class Asked:
    """All that constraints ask of U decisions under G settings."""

    known: Bools
    """[U, G] where everything can be computed and is allowed but for the constraints."""
    parts: tuple[Part, ...]
    share: float

    def allowed(self, parts: Sequence[Part], loosening: Mapping[str, float]) -> Bools:
        """[U, G] what keeps the bounds that hold for each row, some of them loosened."""
        out = self.known.copy()
        for part in parts:
            if isinstance(part, Fence):
                out &= part.excess <= loosening.get(part.name, 0.0) * (1 + 1e-6)
        return out

    def possible(self, parts: Sequence[Part]) -> bool:
        """Whether some choice keeps these bounds."""
        allowed = self.allowed(parts, {})
        uses = [part for part in parts if isinstance(part, Use)]
        return bool(allowed.any(1).all()) and (not uses or loosened(allowed, uses, self.share) == {})


def ask(simulator: Simulator, crowd: Crowd, offers: Offers, bounds: list[Limit], share: float) -> Asked:
    """Ask about all that decisions are offered; arguments as of `conflict`."""
    scenario, unit, many = simulator.scenario, offers.unit, len(offers)
    units, where = int(unit.max()) + 1, torch.from_numpy(unit)
    fences = {
        (each.name, key): np.zeros((units, many), dtype=np.float32)
        for each in scenario.constraints
        if each.over == "each"
        for key in KEYS
        if each.bound(key) is not None
    }
    sums = [Sum.over(limit, unit, many, divided=True) for limit in bounds]
    strange = torch.zeros(units, many)
    for part, expected, outside in offers.expected(simulator, crowd):
        bounded = expected.bounded
        if outside is not None:
            strange.index_add_(0, where[part], outside.float())
        for value in (expected.objective, *bounded.values()):
            strange.index_add_(0, where[part], (~torch.isfinite(value)).float())
        for each in scenario.constraints:
            for key in KEYS:
                if (table := fences.get((each.name, key))) is not None:
                    over = _over(each, key, bounded[each.name])
                    np.maximum.at(table, unit[part], over.numpy())
        for total in sums:
            total.add(part, bounded)
    possible = (strange == 0).numpy()
    named = {each.name: each for each in scenario.constraints}
    parts = [Fence(named[name], key, table, _rule(scenario, name)) for (name, key), table in fences.items()]
    return Asked(possible, (*parts, *(total.use for total in sums)), share)


def _rule(scenario: Scenario, constraint: str) -> str:
    told = rule_of(scenario, constraint)
    return f"levers.{told[0]}.{told[1]}" if told else ""


def _over(constraint: Constraint, key: Key, value: torch.Tensor) -> torch.Tensor:
    bound = constraint.bound(key) or 0.0
    over = (1 if key == "at_most" else -1) * (value - bound) / max(1.0, abs(bound))
    return torch.where(over > TOLERANCE, over, torch.zeros_like(over)).nan_to_num(0.0)
