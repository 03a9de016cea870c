"""The choice of a setting for each decision unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.errors import DataError, Fault
from drivetrain.optimizer.allotment import NODES
from drivetrain.optimizer.bounds import Limit, broken, limits, used
from drivetrain.optimizer.certificate import Certificate
from drivetrain.optimizer.conflict import conflict
from drivetrain.optimizer.fear import premiums
from drivetrain.optimizer.locking import rest
from drivetrain.optimizer.mixed import Shared, share_out
from drivetrain.optimizer.offers import Offers
from drivetrain.optimizer.once import promising
from drivetrain.optimizer.parts import Sum, Use, allot, most
from drivetrain.optimizer.refining import Search, refine
from drivetrain.optimizer.totals import Table, worth
from drivetrain.scenario import Scenario, grouped, labels
from drivetrain.simulator import Crowd, Expected, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ONCE = 256
"""Candidates of several levers that everyone could get at once and that are asked about for every row."""
LISTED = 6_000
"""Settings asked about to make a short list of them."""


@dataclass(frozen=True)
class Plan:
    """A setting for every row."""

    settings: Floats
    """[N, L] in natural units; equal within a decision unit."""
    method: str
    """How it was found, in words, for the record."""
    shadow_prices: Mapping[str, float] = field(default_factory=dict)
    """Bound over all rows, or over a group, such as `budget (north)` → how much higher the objective's total would be
    (for a minimised one: lower, so negative) if it were looser by one of its own units."""
    gap: float | None = None
    """A certificate: the share of the objective's total by which the best choice among the settings tried could be
    better, at most; 0 where all were compared for each decision alone, None where nothing was searched."""
    certificate: Certificate | None = None
    """How far from the best one setting for all can be, as the models see it; None where that is not known."""


@dataclass(frozen=True)
class _Scored:
    """What each of U decisions would get from each of G settings: sums over the decision's rows."""

    values: Table
    """Objective, in the direction that is better when higher; −∞ where it is not allowed."""
    uses: list[Use]

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """[U, G] whether a setting is known to meet what holds for each row."""
        return np.isfinite(self.values)


def decisions(scenario: Scenario, frame: pd.DataFrame) -> Ints:
    """For each row [N] the number, from 0, of the decision it belongs to: its own, its segment's, or the only one."""
    if scenario.decide.unit == "row" or scenario.decide.tree is not None:  # what a tree divides is known later
        return np.arange(len(frame), dtype=np.int64)
    if scenario.decide.unit == "once":
        return np.zeros(len(frame), dtype=np.int64)
    known = {name: labels(scenario.inputs[name], frame[name]) for name in scenario.decide.by}
    return grouped(known, scenario.decide.by)[1]


def alone(scenario: Scenario) -> bool:
    """Whether what one row gets never depends on which others are decided with it."""
    return scenario.decide.unit == "row" and all(each.over == "each" for each in scenario.constraints)


def optimise(
    simulator: Simulator,
    crowd: Crowd,
    unit: Ints,
    *,
    share: float = 1.0,
    nodes: int = NODES,
    locked: Floats | None = None,
) -> Plan:
    """The setting for each decision that scores best on the objective's mean over members, less what risk takes off.

    Args:
        simulator: who is asked.
        crowd: N rows, at least one.
        unit: [N] the decision that each row belongs to, numbered from 0 without gaps.
        share: the part of all rows that these are; totals are bounded in proportion.
        nodes: how far the exact search among the few decisions closest to a change may go, where totals are bounded.
        locked: [N, L] settings that people have fixed, NaN where a row is free: they stay as they are, count in every
            total, and the other rows of their unit are decided without them.

    Raises:
        DataError: for some rows the objective or a constraint cannot be computed.
        InfeasibleError: no settings meet the constraints.
        RefusedError: the data supports no candidate.
    """
    bounds = limits(simulator.scenario, crowd.labels, len(crowd))
    fixed = np.zeros(len(crowd), dtype=np.bool_) if locked is None else np.asarray(np.isfinite(locked).all(1))
    if locked is None or not fixed.any():
        return _decide(simulator, crowd, unit, bounds, share, nodes)
    left = rest(simulator, crowd, unit, bounds, locked, fixed, share)
    settings, method, prices, gap = locked.copy(), "", dict[str, float](), None
    if not fixed.all():
        plan = _decide(simulator, left.crowd, left.unit, left.bounds, share, nodes)
        settings[~fixed], method, prices, gap = plan.settings, f"; {plan.method}", dict(plan.shadow_prices), plan.gap
    return Plan(settings, f"{int(fixed.sum()):,} of {len(crowd):,} rows fixed by people{method}", prices, gap)


def _decide(simulator: Simulator, crowd: Crowd, unit: Ints, bounds: list[Limit], share: float, nodes: int) -> Plan:
    """`optimise` within limits that may leave out what settled rows use."""
    scenario = simulator.scenario
    if _alone(scenario, unit):
        return _each(simulator, crowd, Offers.of(simulator, crowd, np.arange(len(crowd), dtype=np.int64)))
    offers = Offers.of(simulator, crowd, unit)
    if scenario.decide.shared:
        return _sharing(simulator, crowd, offers, bounds, share, nodes)
    asked, way = offers, ""
    if offers.tried.shape[1] > 1 and unit.max() == 0 and not any(limit.settled for limit in bounds):
        found = promising(simulator, crowd, offers.common(), ONCE, share=share)
        asked, way = replace(offers, tried=found.settings), found.method
    scored = _score(simulator, crowd, asked, bounds)
    answer = allot(scored.values, scored.uses, share, nodes) if scored.allowed.any(1).all() else None
    if answer is None:
        raise conflict(simulator, crowd, offers, bounds, share)
    picked, prices = answer
    start = asked.settings(picked)
    refined = refine(Search(simulator, crowd, unit, bounds, prices, share), start, offers.tried)
    extra = f", by {scenario.objective.risk}" if scenario.objective.risk else ""
    extra += ", totals by a Lagrangian dual" if bounds else ""
    method = way + extra if way else _told(offers.tried, start, refined, extra)
    shadows = _shadow_prices(simulator, crowd, refined[unit], bounds, prices, share)
    return Plan(refined[unit], method, shadows, _gap(scored, picked, prices, share))


def _gap(scored: _Scored, picked: Ints, prices: Floats, share: float) -> float:
    """Between a choice and the Lagrangian's bound; an exact choice may leave one, since the bound is for mixtures."""
    if not scored.uses:
        return 0.0
    got, bound = worth(scored.values, picked), most(scored.values, scored.uses, prices, share)
    return max(0.0, bound - got) / max(abs(bound), abs(got), 1e-12)


def _sharing(simulator: Simulator, crowd: Crowd, offers: Offers, bounds: list[Limit], share: float, nodes: int) -> Plan:
    """`_decide` where some levers are shared more widely than the others are decided."""
    scenario, names = simulator.scenario, list(simulator.scenario.levers)
    common, by = [names.index(name) for name in scenario.decide.shared], scenario.decide.sharing
    offers = offers.alike(common)
    scored = _score(simulator, crowd, offers, bounds)
    first = np.unique(offers.unit, return_index=True)[1]
    whose = grouped(crowd.labels, by)[1] if by else np.zeros(len(crowd), dtype=np.int64)
    option = np.unique(offers.tried[:, common], axis=0, return_inverse=True)[1].astype(np.int64).ravel()
    found = share_out(scored.values, scored.uses, Shared(whose[first], option), share, nodes)
    if found is None:
        raise conflict(simulator, crowd, offers, bounds, share)
    start = offers.settings(found.picked)
    search = Search(simulator, crowd, offers.unit, bounds, found.prices, share, frozenset(common))
    refined = refine(search, start, offers.tried)
    extra = f", {found.looked:,} combinations of {int(option.max()) + 1:,} shared ones looked at"
    extra += ", totals by a Lagrangian dual" if bounds else ""
    told = _shadow_prices(simulator, crowd, refined[offers.unit], bounds, found.prices, share)
    return Plan(refined[offers.unit], _told(offers.tried, start, refined, extra), told, found.gap)


def _alone(scenario: Scenario, unit: Ints) -> bool:
    """Whether each row decides for itself, by the mean: no decision has a second row, and no constraint is shared."""
    shared = any(each.over != "each" for each in scenario.constraints) or bool(scenario.decide.shared)
    return len(unit) == int(unit.max()) + 1 and not shared and scenario.objective.risk is None


def _each(simulator: Simulator, crowd: Crowd, offers: Offers) -> Plan:
    """Every row's own best: of each run of rows only that is kept, so that memory does not grow with the settings."""
    scenario, chosen = simulator.scenario, np.empty(len(crowd), dtype=np.int64)
    refused = unknown = 0
    for part, expected, barred in offers.expected(simulator, crowd):
        judged = _Judged.of(scenario, expected, barred)
        best, picked = judged.net.max(1)
        chosen[part] = picked.numpy()
        if judged.strange is not None:
            unknown += int(judged.strange.all(1).sum())
        refused += int((best == -torch.inf).sum())
    _require_known(scenario, unknown, len(crowd))
    if refused:
        raise conflict(simulator, crowd, offers, [])
    start = offers.settings(chosen)
    refined = refine(Search(simulator, crowd, offers.unit, [], np.zeros(0)), start, offers.tried)
    return Plan(refined, _told(offers.tried, start, refined), gap=0.0)


def _told(tried: Floats, start: Floats, refined: Floats, totals: str = "") -> str:
    then = ", then refined" if not np.array_equal(refined, start) else ""
    return f"{len(tried):,} settings tried for every decision{totals}{then}"


def shortlist(simulator: Simulator, crowd: Crowd, most: int, *, share: float = 1.0) -> tuple[Floats, bool]:
    """Up to `most` settings [P, L] that everyone could get at once, and whether they meet every constraint.

    One lever: evenly spread over what is possible. Several: those that the members expect most of. Where no single
    setting meets the constraints though settings of their own might, those that can at least be computed.

    Args:
        simulator: who is asked.
        crowd: N rows, at least one.
        most: P at most.
        share: the part of all rows that these are; totals are bounded in proportion.

    Raises:
        DataError: for some rows the objective or a constraint cannot be computed.
        InfeasibleError: no single setting meets the constraints, and the scenario asks for one.
        RefusedError: the data supports no candidate.
    """
    scenario = simulator.scenario
    everyone = np.zeros(len(crowd), dtype=np.int64)
    offers, bounds = Offers.of(simulator, crowd, everyone), limits(scenario, crowd.labels, len(crowd))
    tried = offers.common()
    if tried.shape[1] > 1:
        tried = promising(simulator, crowd, tried, 4 * most, share=share, budget=LISTED).settings
    offers = replace(offers, tried=tried)
    tried, scored = offers.common(), _score(simulator, crowd, offers, bounds)
    kept = scored.allowed[0].copy()
    for total in (use.total(everyone[:1], share) for use in scored.uses):
        kept &= total.used[0] <= total.limit + total.slack
    if not kept.any() and scenario.decide.unit == "once":
        raise conflict(simulator, crowd, offers, bounds, share)
    feasible = bool(kept.any())
    values = scored.values[0]
    chosen = np.flatnonzero(kept if feasible else scored.allowed[0]) if (kept | scored.allowed[0]).any() else None
    if chosen is None:
        chosen = np.arange(len(tried))
    if tried.shape[1] > 1:
        return tried[np.sort(chosen[np.argsort(-values[chosen], kind="stable")[:most]])], feasible
    return tried[chosen[np.unique(np.linspace(0, len(chosen) - 1, most).round().astype(int))]], feasible


@dataclass(frozen=True)
class _Judged:
    """What n rows would get from each of G settings, better when higher."""

    earned: Tensor
    """[n, G], 0 where it cannot be computed."""
    refused: Tensor | None
    """[n, G] bool: breaks what holds for each; None where nothing does."""
    strange: Tensor | None
    """[n, G] bool: the objective or a constraint cannot be computed; None where all can."""

    @classmethod
    def of(cls, scenario: Scenario, expected: Expected, barred: Tensor | None) -> _Judged:
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


def _score(simulator: Simulator, crowd: Crowd, offers: Offers, bounds: list[Limit]) -> _Scored:
    """Ask about every decision under every candidate; what cannot be computed is not allowed."""
    unit, many, scenario = offers.unit, len(offers), simulator.scenario
    units, where = int(unit.max()) + 1, torch.from_numpy(unit)
    values, sums = torch.zeros(units, many), [Sum.over(limit, unit, many) for limit in bounds]
    refused, unknown = (torch.zeros(units, many, dtype=torch.bool) for _ in range(2))
    for part, expected, outside in offers.expected(simulator, crowd):
        judged, at = _Judged.of(scenario, expected, outside), where[part]
        values.index_add_(0, at, judged.earned)
        for each in sums:
            each.add(part, expected.bounded)
        for seen, barred in ((refused, judged.refused), (unknown, judged.strange)):
            if barred is not None:
                seen.index_put_((at,), barred, accumulate=True)
    _require_known(scenario, int(unknown.all(1).sum()), units)
    if scenario.objective.risk is not None:
        values -= torch.from_numpy(premiums(simulator, crowd, unit, offers.tried))
    values[refused | unknown] = -torch.inf
    return _Scored(values.numpy(), [each.use for each in sums])


def _require_known(scenario: Scenario, stuck: int, units: int) -> None:
    if stuck:
        raise DataError(_unknown(scenario, stuck, units))


def _unknown(scenario: Scenario, stuck: int, units: int) -> Fault:
    formulas = [scenario.objective.formula, *(constraint.formula for constraint in scenario.constraints)]
    names = sorted({name for formula in formulas for name in scenario.expand(formula).names} & set(scenario.inputs))
    listed = ", ".join(names) or "no input, but numbers for which they are not defined"
    return Fault(
        "objective and constraints",
        f"found no number for them in {stuck:,} of {units:,} decisions, whatever the setting",
        f"Their formulas use {listed}",
        "Fill in what is missing, or leave these rows out",
    )


def _shadow_prices(
    simulator: Simulator, crowd: Crowd, settings: Floats, bounds: list[Limit], prices: Floats, share: float
) -> dict[str, float]:
    """Limit → how much better the objective's total would be for one more unit of the bound."""
    out: dict[str, float] = {}
    ratios = any(limit.constraint.over == "ratio" for limit in bounds)
    told = used(simulator, crowd, settings) if ratios else {}
    for limit, price in zip(bounds, prices, strict=True):
        ratio = limit.constraint.over == "ratio"
        below = float(told[limit.constraint.divisor][limit.rows].sum()) + limit.settled_divisor if ratio else 0.0
        scale = below if ratio else limit.scale(share)
        out[limit.name] = out.get(limit.name, 0.0) + simulator.scenario.objective.sign * float(price) * scale
    return out
