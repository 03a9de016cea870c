"""The choice of a setting for each decision unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drivetrain.optimizer.allotment import NODES
from drivetrain.optimizer.bounds import Limit, limits, used
from drivetrain.optimizer.certificate import Certificate
from drivetrain.optimizer.conflict import conflict
from drivetrain.optimizer.locking import rest, some
from drivetrain.optimizer.mixed import Shared, share_out
from drivetrain.optimizer.offers import Offers
from drivetrain.optimizer.once import promising
from drivetrain.optimizer.parts import allot, most
from drivetrain.optimizer.refining import Search, refine
from drivetrain.optimizer.scoring import Judged, Scored, require_known, score
from drivetrain.optimizer.totals import worth
from drivetrain.optimizer.zooming import Zoom
from drivetrain.scenario import Scenario, grouped, labels
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ONCE = 256
"""Candidates of several levers that everyone could get at once and that are asked about for every row."""
LISTED = 6_000
"""Settings asked about to make a short list of them."""
LISTED_BY = 4_096
"""Rows that stand for all meanwhile, where nothing has to be kept."""


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
    slots: Floats | None = None
    """[N, K] where a row gets several options: all of them, best first, NaN where a slot stays empty; `settings` has
    the first. None where a row gets one setting."""

    @property
    def given(self) -> Floats:
        """All that each row gets: its setting [N, L], or its options [N, K] where it gets several."""
        return self.settings if self.slots is None else self.slots


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
    left = rest(crowd, unit, bounds, fixed, used(simulator, some(crowd, fixed), locked[fixed]), share)
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
    scored = score(simulator, crowd, asked, bounds)
    answer = allot(scored.values, scored.uses, share, nodes) if scored.allowed.any(1).all() else None
    if answer is None:
        raise conflict(simulator, crowd, offers, bounds, share)
    picked, prices = answer
    start = asked.settings(picked)
    refined = refine(Search(simulator, crowd, unit, bounds, prices, share), start, offers.tried)
    extra = f", by {scenario.objective.risk}" if scenario.objective.risk else ""
    extra += ", totals by a Lagrangian dual" if bounds else ""
    method = way + extra if way else _told(offers.tried, start, refined, extra)
    shadows = shadow_prices(simulator, crowd, refined[unit], bounds, prices, share)
    return Plan(refined[unit], method, shadows, _gap(scored, picked, prices, share))


def _gap(scored: Scored, picked: Ints, prices: Floats, share: float) -> float:
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
    scored = score(simulator, crowd, offers, bounds)
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
    told = shadow_prices(simulator, crowd, refined[offers.unit], bounds, found.prices, share)
    return Plan(refined[offers.unit], _told(offers.tried, start, refined, extra), told, found.gap)


def _alone(scenario: Scenario, unit: Ints) -> bool:
    """Whether each row decides for itself, by the mean: no decision has a second row, and no constraint is shared."""
    shared = any(each.over != "each" for each in scenario.constraints) or bool(scenario.decide.shared)
    return len(unit) == int(unit.max()) + 1 and not shared and scenario.objective.risk is None


def _each(simulator: Simulator, crowd: Crowd, offers: Offers) -> Plan:
    """Every row's own best: of each run of rows only that is kept, so that memory does not grow with the settings."""
    if (zoom := Zoom.of(simulator, offers)) is not None:
        offers = replace(offers, tried=zoom.tried)
        chosen, found = zoom.best(crowd)
        stuck = torch.from_numpy(np.flatnonzero(~found))
        if len(stuck):
            some = replace(offers, unit=np.arange(len(stuck), dtype=np.int64))
            chosen[stuck] = _compared(simulator, crowd.take(stuck), some)
    else:
        chosen = _compared(simulator, crowd, offers)
    start = offers.settings(chosen)
    refined = refine(Search(simulator, crowd, offers.unit, [], np.zeros(0)), start, offers.tried)
    return Plan(refined, _told(offers.tried, start, refined, ", most of them by bounds" if zoom else ""), gap=0.0)


def _compared(simulator: Simulator, crowd: Crowd, offers: Offers) -> Ints:
    """[N] which setting is best for each row, all of them asked about."""
    scenario, chosen = simulator.scenario, np.empty(len(crowd), dtype=np.int64)
    refused = unknown = 0
    for part, expected, barred in offers.expected(simulator, crowd):
        judged = Judged.of(scenario, expected, barred)
        best, picked = judged.net.max(1)
        chosen[part] = picked.numpy()
        if judged.strange is not None:
            unknown += int(judged.strange.all(1).sum())
        refused += int((best == -torch.inf).sum())
    require_known(scenario, unknown, len(crowd))
    if refused:
        raise conflict(simulator, crowd, offers, [])
    return chosen


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
        rows = None if scenario.constraints else LISTED_BY
        tried = promising(simulator, crowd, tried, 4 * most, share=share, budget=LISTED, rows=rows).settings
    offers = replace(offers, tried=tried, own=None)
    tried, scored = offers.common(), score(simulator, crowd, offers, bounds)
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


def shadow_prices(
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
