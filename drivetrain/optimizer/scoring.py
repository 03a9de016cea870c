"""What decisions would get from candidate settings: sums over their rows, and what is not allowed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.errors import DataError, Fault
from drivetrain.optimizer.bounds import Limit, broken
from drivetrain.optimizer.fear import paired_premiums, premiums
from drivetrain.optimizer.offers import Offers
from drivetrain.optimizer.parts import Sum, Use
from drivetrain.optimizer.totals import Table
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Expected, Simulator


@dataclass(frozen=True)
class Scored:
    """What each of U decisions would get from each of G settings: sums over the decision's rows."""

    values: Table
    """Objective, in the direction that is better when higher; −∞ where it is not allowed."""
    uses: list[Use]

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """[U, G] whether a setting is known to meet what holds for each row."""
        return np.isfinite(self.values)


@dataclass(frozen=True)
class Judged:
    """What n rows would get from each of G settings, better when higher."""

    earned: Tensor
    """[n, G], 0 where it cannot be computed."""
    refused: Tensor | None
    """[n, G] bool: breaks what holds for each; None where nothing does."""
    strange: Tensor | None
    """[n, G] bool: the objective or a constraint cannot be computed; None where all can."""

    @classmethod
    def of(cls, scenario: Scenario, expected: Expected, barred: Tensor | None) -> Judged:
        """Judge the members' mean, beside what is barred [n, G] anyway."""
        told = [expected.objective, *expected.bounded.values()]
        strange = None
        if not all(bool(torch.isfinite(each.sum())) for each in told):
            strange = ~torch.stack([torch.isfinite(each) for each in told]).all(0)
        each = [c for c in scenario.constraints if c.over == "each"]
        refused = [broken(constraint, expected.bounded[constraint.name]) for constraint in each]
        refused += [] if barred is None else [barred]
        earned = expected.objective if scenario.objective.sign > 0 else -expected.objective
        earned = earned if strange is None else earned.nan_to_num(0.0, 0.0, 0.0)
        return cls(earned, torch.stack(refused).any(0) if refused else None, strange)

    @property
    def net(self) -> Tensor:
        """[n, G]: earned, −∞ where a setting is not allowed."""
        out = self.earned
        for barred in (self.refused, self.strange):
            out = out if barred is None else out.masked_fill(barred, -torch.inf)
        return out


def score(simulator: Simulator, crowd: Crowd, offers: Offers, bounds: list[Limit]) -> Scored:
    """Ask about every decision under every candidate; what cannot be computed is not allowed."""
    unit, many, scenario = offers.unit, len(offers), simulator.scenario
    units, where = int(unit.max()) + 1, torch.from_numpy(unit)
    values, sums = torch.zeros(units, many), [Sum.over(limit, unit, many) for limit in bounds]
    refused, unknown = (torch.zeros(units, many, dtype=torch.bool) for _ in range(2))
    for part, expected, outside in offers.expected(simulator, crowd):
        judged, at = Judged.of(scenario, expected, outside), where[part]
        values.index_add_(0, at, judged.earned)
        for each in sums:
            each.add(part, expected.bounded)
        for seen, barred in ((refused, judged.refused), (unknown, judged.strange)):
            if barred is not None:
                seen.index_put_((at,), barred, accumulate=True)
    require_known(scenario, int(unknown.all(1).sum()), units)
    if scenario.objective.risk is not None:
        values[:, : len(offers.tried)] -= torch.from_numpy(premiums(simulator, crowd, unit, offers.tried))
        if offers.own is not None:
            now = np.where(np.isnan(offers.own), offers.tried[0], offers.own)[unit]
            values[:, -1] -= torch.from_numpy(paired_premiums(simulator, simulator.paired(crowd, now), unit))
    values[refused | unknown] = -torch.inf
    return Scored(values.numpy(), [each.use for each in sums])


def require_known(scenario: Scenario, stuck: int, units: int) -> None:
    """Raises: DataError: for so many of the decisions no setting has an objective and constraints that are numbers."""
    if stuck:
        raise DataError(_unknown(scenario, stuck, units))


def _unknown(scenario: Scenario, stuck: int, units: int) -> Fault:
    formulas = [scenario.objective.formula, *(constraint.formula for constraint in scenario.constraints)]
    used = {name for formula in formulas for name in scenario.expand(formula).names} & set(scenario.inputs)
    names = sorted(used | set(scenario.remembered))
    listed = ", ".join(names) or "no input, but numbers for which they are not defined"
    return Fault(
        "objective and constraints",
        f"found no number for them in {stuck:,} of {units:,} decisions, whatever the setting",
        f"Their formulas use {listed}",
        "Fill in what is missing, or leave these rows out",
    )
