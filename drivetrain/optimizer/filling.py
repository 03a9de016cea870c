"""Slots filled: several options for each decision, that together score best, under the constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from drivetrain.errors import Fault, InfeasibleError, RefusedError
from drivetrain.optimizer.allotment import NODES
from drivetrain.optimizer.bounds import Labels, Limit, kept, limits, within
from drivetrain.optimizer.choice import Plan
from drivetrain.optimizer.locking import rest, some
from drivetrain.optimizer.offers import Offers
from drivetrain.optimizer.parts import Sum, Use
from drivetrain.optimizer.scoring import Scored, score
from drivetrain.optimizer.slots import Slots, best, least, solve
from drivetrain.optimizer.totals import Table
from drivetrain.scenario import Categorical, Scenario
from drivetrain.simulator import Crowd, Simulator, summed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLACK = 1e-5
"""By how much of itself a bound may seem to be passed, since members' single precision adds up in another order."""


def fill(
    simulator: Simulator,
    crowd: Crowd,
    unit: Ints,
    *,
    share: float = 1.0,
    nodes: int = NODES,
    locked: Floats | None = None,
) -> Plan:
    """The options for each decision that score best together, each worth what it adds by itself: see `summed`.

    Constraints on each row hold for each of its options; totals, means and ratios are over what all its options do.

    Args:
        simulator: of a scenario whose only lever says `choose`.
        crowd: N rows, at least one.
        unit: [N] the decision that each row belongs to, numbered from 0 without gaps.
        share: the part of all rows that these are; totals are bounded in proportion.
        nodes: as of `optimise`.
        locked: [N, K] options that people have fixed, all NaN where a row is free, else NaN where a slot stays empty:
            they count in every total, and the other rows are decided without them.

    Raises:
        DataError: for some rows the objective or a constraint cannot be computed.
        InfeasibleError: no options meet the constraints.
        RefusedError: the data supports no option.
    """
    bounds = limits(simulator.scenario, crowd.labels, len(crowd))
    fixed = np.zeros(len(crowd), dtype=np.bool_) if locked is None else np.asarray(np.isfinite(locked).any(1))
    if locked is None or not fixed.any():
        return _fill(simulator, crowd, unit, bounds, share, nodes)
    left = rest(crowd, unit, bounds, fixed, used_together(simulator, some(crowd, fixed), locked[fixed])[0], share)
    slots, plan = locked.copy(), Plan(locked[:, :1], "")
    if not fixed.all():
        plan = _fill(simulator, left.crowd, left.unit, left.bounds, share, nodes)
        slots[~fixed] = plan.slots
    told = f"{int(fixed.sum()):,} of {len(crowd):,} rows fixed by people" + (plan.method and f"; {plan.method}")
    return replace(plan, settings=slots[:, :1], method=told, slots=slots)


def _fill(simulator: Simulator, crowd: Crowd, unit: Ints, bounds: list[Limit], share: float, nodes: int) -> Plan:
    """`fill` within limits that may leave out what settled rows use."""
    scenario, offers = simulator.scenario, Offers.of(simulator, crowd, unit)
    nothing = scenario.space.do_nothing
    if nothing is not None and not (offers.tried == nothing).all(1).any():  # an empty slot needs no rows
        offers = replace(offers, tried=np.vstack([offers.tried, nothing]))
    scored = score(simulator, crowd, offers, bounds)
    if nothing is not None:
        scored = _beside_nothing(scored, _alone(simulator, crowd, unit, bounds, nothing))
    codes, table, uses = _with_empty(scenario, offers.tried[:, 0], scored)
    slots = slots_of(scenario, codes)
    _require_room(scenario, table, slots)
    everyone = np.arange(len(table), dtype=np.int64)
    totals = [use.total(everyone, share) for use in uses]
    answer = solve(table, totals, slots, nodes)
    if answer is None:
        raise _conflict(uses, [least(table, total, slots) for total in totals], share)
    picked, prices, bound = answer
    chosen = codes[picked][unit]
    earned = float(np.take_along_axis(table, picked, 1).sum(dtype=np.float64))
    gap = max(0.0, bound - earned) / max(abs(bound), abs(earned), 1e-12) if totals else 0.0
    method = f"the best {slots.many} of {len(offers):,} options for every decision, each for what it adds by itself"
    method += ", totals by a Lagrangian dual" if totals else ""
    shadows = _shadow_prices(simulator, crowd, chosen, [use.limit for use in uses], prices, share)
    return Plan(chosen[:, :1], method, shadows, gap, slots=chosen)


def slots_of(scenario: Scenario, codes: Floats) -> Slots:
    """How many of the options with these codes [G] a row gets, and which are alike."""
    lever = next(iter(scenario.levers.values()))
    if not isinstance(lever, Categorical) or lever.diverse is None:
        return Slots(scenario.slots)
    names = sorted({name for name in lever.alike if name is not None})
    place = np.array([-1 if name is None else names.index(name) for name in lever.alike], dtype=np.int64)
    if lever.settled is not None:
        place[lever.places[lever.settled]] = -1  # empty slots are not alike
    return Slots(scenario.slots, place[codes.astype(np.int64)], lever.diverse.most)


def crowded(scenario: Scenario, slots: Floats) -> NDArray[np.bool_]:
    """[N] whether more options of a row [N, K], NaN where a slot is empty, are alike than its lever allows."""
    alike = slots_of(scenario, np.arange(len(next(iter(scenario.options.values()))), dtype=np.float64))
    if alike.group is None or alike.group.max() < 0:
        return np.zeros(len(slots), dtype=np.bool_)
    group = np.where(np.isnan(slots), -1, alike.group[np.nan_to_num(slots).astype(np.int64)])
    many = [(group == each).sum(1) for each in range(int(alike.group.max()) + 1)]
    return np.asarray(np.max(many, axis=0) > alike.most)


@dataclass(frozen=True)
class _Nothing:
    """What decisions get, and use of each limit, with all slots empty: [U]."""

    values: Floats
    uses: list[Use]


def _alone(simulator: Simulator, crowd: Crowd, unit: Ints, bounds: list[Limit], nothing: Floats) -> _Nothing:
    where, sums = torch.from_numpy(unit), [Sum.over(limit, unit, 1, divided=True) for limit in bounds]
    values = torch.zeros(int(unit.max()) + 1)
    for part, expected in simulator.expected(crowd, nothing[None]):
        told = simulator.scenario.objective.sign * expected.objective[:, 0]
        values.index_add_(0, where[part], told.nan_to_num(0.0, 0.0, 0.0))
        for each in sums:
            each.add(part, expected.bounded)
    return _Nothing(values.double().numpy(), [each.use for each in sums])


def _beside_nothing(scored: Scored, nothing: _Nothing) -> Scored:
    """What options add to empty slots; limits have the room that these leave."""
    uses = []
    for use, own in zip(scored.uses, nothing.uses, strict=True):
        below = 0.0 if own.divisor is None else float(own.divisor.sum(dtype=np.float64))
        settled = use.limit.settled + float(own.used.sum(dtype=np.float64))
        limit = replace(use.limit, settled=settled, settled_divisor=use.limit.settled_divisor + below)
        uses.append(replace(use, used=use.used - own.used, limit=limit))
    return Scored((scored.values - nothing.values[:, None]).astype(np.float32), uses)


def _with_empty(scenario: Scenario, codes: Floats, scored: Scored) -> tuple[Floats, Table, list[Use]]:
    """Options [G], and as often as there are slots the one that leaves a slot empty, with what each adds and uses."""
    nothing = scenario.space.do_nothing
    if nothing is None:
        return codes, scored.values, scored.uses
    at = int(np.flatnonzero(codes == nothing[0])[0])
    place = np.append(np.arange(len(codes)), np.full(scenario.slots - 1, at))
    return codes[place], scored.values[:, place], [replace(use, used=use.used[:, place]) for use in scored.uses]


def _require_room(scenario: Scenario, table: Table, slots: Slots) -> None:
    stuck = int((~torch.isfinite(best(torch.from_numpy(table), slots)[0])).any(1).sum())
    if stuck:
        lever = next(iter(scenario.levers))
        found = f"found fewer than {slots.many} options that are allowed in {stuck:,} of {len(table):,} decisions"
        rule = (
            f"levers.{lever}.choose asks for {slots.many}, each supported, within every constraint, and diverse enough"
        )
        cure = "Choose fewer, loosen a bound, or declare do_nothing, so that slots may stay empty"
        raise InfeasibleError(Fault(lever, found, rule, cure))


def _conflict(uses: list[Use], reach: list[float], share: float) -> InfeasibleError:
    """Which bounds no choice keeps, each by itself; all of them, where only together they cannot be kept."""
    alone = []
    for use, reached in zip(uses, reach, strict=True):
        ceiling = use.limit.ceiling(share)
        if reached > ceiling + 1e-6 * max(1.0, abs(ceiling)) and use.divisor is None:
            told = use.limit.sign * (reached + use.limit.settled) / use.limit.scale(share)
            end = "lowest" if use.limit.sign > 0 else "highest"
            rule = f"The {end} that any choice of options reaches is {told:.6g}"
            alone.append(Fault(use.name, f"found {use.bound:g}", rule, "Loosen it"))
    if alone:
        return InfeasibleError(*alone)
    found = "no choice of options that keeps all of them was found"
    return InfeasibleError(*(Fault(use.name, f"found {use.bound:g}", found, "Loosen one of them") for use in uses))


def _shadow_prices(
    simulator: Simulator, crowd: Crowd, slots: Floats, bounds: list[Limit], prices: Floats, share: float
) -> dict[str, float]:
    """As of `choice.shadow_prices`, for sets of options."""
    out: dict[str, float] = {}
    ratios = any(limit.constraint.over == "ratio" for limit in bounds)
    told = summed(simulator, crowd, slots) if ratios else None
    for limit, price in zip(bounds, prices, strict=True):
        scale = limit.scale(share)
        if limit.constraint.over == "ratio" and told is not None:
            scale = float(told.mean(told.bounded[limit.constraint.divisor])[limit.rows].double().sum())
        out[limit.name] = out.get(limit.name, 0.0) + simulator.scenario.objective.sign * float(price) * scale
    return out


def refereed(simulator: Simulator, crowd: Crowd, unit: Ints, plan: Plan, share: float = 1.0) -> Plan:
    """The plan, if sets are what they must be; checked member by member, slot by slot, by other code than found it.

    Args:
        simulator: who is asked.
        crowd: N rows.
        unit: [N] the decision that each row belongs to.
        plan: what was found for them; looked at where rows get several options.
        share: the part of all rows that these are; totals are bounded in proportion.

    Raises:
        RefusedError: an option stands twice, too many are alike, rows of one decision differ, or a constraint breaks.
    """
    slots, scenario = plan.slots, simulator.scenario
    if slots is None:
        return plan
    nothing = np.nan if scenario.space.do_nothing is None else scenario.space.do_nothing[0]
    ordered = np.sort(np.where(slots == nothing, np.nan, slots), axis=1)
    first = np.unique(unit, return_index=True)[1]
    _require("rows of one decision", bool((slots == slots[first][unit]).all()), "their options differ")
    _require("slots", not (ordered[:, 1:] == ordered[:, :-1]).any(), "an option stands in two of them")
    _require("slots", not crowded(scenario, slots).any(), "too many of them are alike")
    _require("constraints", holds_together(simulator, crowd, slots, share), "one of them is broken")
    return replace(plan, method=f"{plan.method}; scored and checked again")


def holds_together(simulator: Simulator, crowd: Crowd, slots: Floats, share: float = 1.0) -> bool:
    """Whether members expect every constraint to hold for rows with these options [N, K], NaN where a slot is empty;
    where rows are a share of all, totals are bounded in proportion.
    """
    return kept_together(simulator.scenario, *used_together(simulator, crowd, slots), crowd.labels, share=share)


def used_together(simulator: Simulator, crowd: Crowd, slots: Floats) -> tuple[dict[str, Floats], NDArray[np.bool_]]:
    """What rows with options [N, K] use of what bounds rows together: key of `Constraint.formulas` → [N], the mean over
    members; and [N] whether each of a row's options keeps what holds for each.
    """
    scenario, fine = simulator.scenario, np.ones(len(crowd), dtype=np.bool_)
    each = [constraint for constraint in scenario.constraints if constraint.over == "each"]
    for place in range(slots.shape[1] if each else 0):
        filled = np.isfinite(slots[:, place])
        outlook = simulator.paired(crowd, np.where(filled, slots[:, place], 0.0)[:, None])
        for constraint in each:
            value = outlook.mean(outlook.bounded[constraint.name])[:, 0].double().numpy()
            fine &= within(value, constraint, "", SLACK) | ~filled
    told = summed(simulator, crowd, slots)
    return {name: told.mean(value)[:, 0].double().numpy() for name, value in told.bounded.items()}, fine


def kept_together(
    scenario: Scenario,
    uses: Mapping[str, Floats],
    fine: NDArray[np.bool_],
    labels: Labels,
    *,
    share: float = 1.0,
    stray: float = 0.0,
) -> bool:
    """Whether what `used_together` tells of N rows keeps every constraint.

    Args:
        scenario: which constraints.
        uses: of what bounds rows together.
        fine: [N] whether rows keep what holds for each.
        labels: input → the group label of each row [N].
        share: the part of all rows that these are.
        stray: by how much of itself a total, and in what share of the rows what holds for each, may be broken.
    """
    rest = tuple(constraint for constraint in scenario.constraints if constraint.over != "each")
    bounds = scenario.model_copy(update={"constraints": rest})
    return bool((~fine).mean() <= stray) and kept(bounds, uses, labels, share=share, slack=max(SLACK, stray))


def _require(thing: str, fine: bool, found: str) -> None:
    if not fine:
        rule = "An answer must pass a check by other code than that which found it"
        raise RefusedError(
            Fault(thing, f"found on a second look that {found}", rule, "Please report it: our own fault")
        )
