"""What constraints ask: of every row, and of all rows or a group of them together; and whether they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.scenario import Constraint, Scenario, grouped
from drivetrain.scenario.constraints import KEYS, Key
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Labels = Mapping[str, NDArray[np.object_]]

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Limit:
    """One bound on a sum over all rows, or over a group of them: `Σ use ≤ ceiling`.

    A ratio of totals at most b is Σ of − b Σ to ≤ 0: linear in what is chosen, and exact where Σ to is above 0.
    """

    constraint: Constraint
    key: Key
    bound: float
    """As the scenario writes it."""
    group: str
    """The group that it bounds; empty where it bounds all rows."""
    rows: Ints
    """[n] the rows to decide for that it bounds, ascending."""
    many: int
    """How many rows it bounds, with those that are settled."""
    settled: float = 0.0
    """What settled rows use of it."""
    settled_divisor: float = 0.0
    """Of a ratio: what they add to its divisor."""

    @property
    def name(self) -> str:
        """`budget`, or `budget (north)`."""
        return f"{self.constraint.name} ({self.group})" if self.group else self.constraint.name

    @property
    def sign(self) -> int:
        """1 for an upper bound, −1 for a lower one."""
        return 1 if self.key == "at_most" else -1

    def use(self, asked: Mapping[str, Tensor]) -> Tensor:
        """What each row uses, signed so that the bound is an upper one.

        Args:
            asked: keys of `Constraint.formulas` → their values, of any one shape.
        """
        value = asked[self.constraint.name]
        if self.constraint.over == "ratio":
            value = value - self.bound * asked[self.constraint.divisor]
        return self.sign * value

    def ceiling(self, share: float = 1.0) -> float:
        """What the sum of `use` over `rows` must not exceed, where all these rows are a share of all."""
        whole = 0.0 if self.constraint.over == "ratio" else self.sign * self.bound * self.scale(share)
        return whole - self.settled

    def scale(self, share: float = 1.0) -> float:
        """How much the ceiling moves with the bound; of a ratio only the chosen settings tell."""
        return share if self.constraint.over == "total" else float(self.many)

    def beside(self, settled: NDArray[np.bool_], uses: Mapping[str, Floats]) -> Limit:
        """What is left of it for other rows, which are numbered anew.

        Args:
            settled: [N] rows whose setting is not to be decided.
            uses: keys of `Constraint.formulas` → their values [N], known where a row is settled.
        """
        fixed = self.rows[settled[self.rows]]
        known = {key: torch.from_numpy(value[fixed]) for key, value in uses.items() if key in self.constraint.formulas}
        below = known.get(self.constraint.divisor)
        return replace(
            self,
            rows=(np.cumsum(~settled) - 1)[self.rows[~settled[self.rows]]],
            settled=float(self.use(known).sum()),
            settled_divisor=0.0 if below is None else float(below.sum()),
        )


def limits(scenario: Scenario, labels: Labels, rows: int) -> list[Limit]:
    """Every bound over rows together, group by group.

    Args:
        scenario: which constraints.
        labels: input → the group label of each row [N], for every input that makes groups.
        rows: N.
    """
    return [limit for each in scenario.constraints if each.over != "each" for limit in _limits(each, labels, rows)]


def _limits(constraint: Constraint, labels: Labels, rows: int) -> Iterator[Limit]:
    names, number = grouped(labels, constraint.by) if constraint.by else (("",), np.zeros(rows, dtype=np.int64))
    for place, group in enumerate(names):
        inside = np.flatnonzero(number == place)
        for key in KEYS:
            if (bound := constraint.bound(key, group)) is not None:
                yield Limit(constraint, key, bound, group, inside, len(inside))


def broken(constraint: Constraint, value: Tensor) -> Tensor:
    """Where a value passes a bound by more than rounding would; a value that is not a number keeps none."""
    return torch.isnan(value) | (excess(constraint, value) > 0)


def excess(constraint: Constraint, value: Tensor) -> Tensor:
    """By how much of itself a value passes a bound, beyond rounding; 0 where it keeps both."""
    out = torch.zeros_like(value)
    for key, sign in (("at_most", 1), ("at_least", -1)):
        bound = constraint.bound(key)  # type: ignore[arg-type]
        if bound is not None:
            over = sign * (value - bound) / max(1.0, abs(bound))
            out = torch.where(over > TOLERANCE, torch.maximum(out, over), out)
    return out


def used(simulator: Simulator, crowd: Crowd, settings: Floats) -> dict[str, Floats]:
    """Key of `Constraint.formulas` → its value [N] for rows under their settings [N, L], the mean over members."""
    if not simulator.scenario.constraints:
        return {}
    outlook = simulator.paired(crowd, settings)
    return {name: outlook.mean(value)[:, 0].double().numpy() for name, value in outlook.bounded.items()}


def kept(
    scenario: Scenario,
    uses: Mapping[str, Floats],
    labels: Labels,
    *,
    share: float = 1.0,
    slack: float = TOLERANCE,
    stray: float = 0.0,
) -> bool:
    """Whether every constraint holds; reckoned without the optimizer's sums.

    Args:
        scenario: which constraints.
        uses: key of `Constraint.formulas` → its value [N].
        labels: input → the group label of each row [N], for every input that makes groups.
        share: the part of all rows that these are; totals are bounded in proportion.
        slack: by how much of itself a bound may be passed.
        stray: the share of rows that may break what holds for each.
    """
    for each in scenario.constraints:
        if each.over == "each":
            fine = [within(uses[each.name], each, "", slack)]
            if any((~one).mean() > stray for one in fine):
                return False
            continue
        names, number = grouped(labels, each.by) if each.by else (("",), np.zeros(len(uses[each.name]), dtype=int))
        for place, group in enumerate(names):
            told = _together(each, {key: uses[key][number == place] for key in each.formulas}, share)
            if not within(np.array([told]), each, group, slack).all():
                return False
    return True


def told(scenario: Scenario, uses: Mapping[str, Floats], labels: Labels) -> dict[str, float]:
    """What rows together use of every constraint over rows, as its bound counts it: `budget`, or `budget (north)`.

    Args:
        scenario: which constraints.
        uses: key of `Constraint.formulas` → its value [N].
        labels: input → the group label of each row [N], for every input that makes groups.
    """
    out = {}
    for each in scenario.constraints:
        if each.over == "each":
            continue
        rows = len(uses[each.name])
        names, number = grouped(labels, each.by) if each.by else (("",), np.zeros(rows, dtype=np.int64))
        for place, group in enumerate(names):
            mine = {key: uses[key][number == place] for key in each.formulas}
            out[f"{each.name} ({group})" if group else each.name] = _together(each, mine, 1.0)
    return out


def _together(constraint: Constraint, uses: Mapping[str, Floats], share: float) -> float:
    """What a constraint bounds, for some rows together."""
    value = uses[constraint.name]
    if constraint.over == "total":
        return float(value.sum() / share)
    if constraint.over == "mean":
        return float(value.mean())
    of, to = float(value.sum()), float(uses[constraint.divisor].sum())
    return of / to if to > 0 else 0.0 if of == to == 0 else float("nan")


def within(values: Floats, constraint: Constraint, group: str = "", slack: float = TOLERANCE) -> NDArray[np.bool_]:
    """Which values keep a constraint's bounds, of a group where it has some."""
    fine = np.isfinite(values)
    most, least = constraint.bound("at_most", group), constraint.bound("at_least", group)
    if most is not None:
        fine &= values <= most + slack * max(1.0, abs(most))
    if least is not None:
        fine &= values >= least - slack * max(1.0, abs(least))
    return fine


def holds(simulator: Simulator, crowd: Crowd, settings: Floats) -> bool:
    """Whether the members expect every constraint to hold for rows under their settings [N, L]."""
    return kept(simulator.scenario, used(simulator, crowd, settings), crowd.labels)
