"""Why no settings meet the constraints: the fewest of them that conflict, and the least loosening that leaves room.

The smallest set is found by a deletion filter (Chinneck & Dravnieks 1991, ORSA J. Comput. 3:157): leave out one bound
after another, for good where what is left still conflicts. What is left at the end is irreducible: without any one of
its bounds the others can be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from math import floor, log10

import numpy as np

from drivetrain.errors import Fault, InfeasibleError
from drivetrain.optimizer.bounds import Limit
from drivetrain.optimizer.fences import Asked, Bools, Fence, Part, ask
from drivetrain.optimizer.loosening import loosened
from drivetrain.optimizer.offers import Offers
from drivetrain.optimizer.parts import Use
from drivetrain.scenario.constraints import Key
from drivetrain.simulator import Crowd, Simulator

DIGITS = 6
MOST_ORDERS = 24
STEPS = 50
"""At so many degrees of loosening what holds for each row is tried beside sums."""


def conflict(
    simulator: Simulator, crowd: Crowd, offers: Offers, bounds: list[Limit], share: float = 1.0
) -> InfeasibleError:
    """The error that says which constraints conflict, how far each could go beside the others, and what would do.

    Args:
        simulator: who is asked.
        crowd: N rows.
        offers: what each decision may be set to.
        bounds: what bounds rows together.
        share: the part of all rows that these are.
    """
    asked = ask(simulator, crowd, offers.both, bounds, share)
    if not asked.known.any(1).all():
        return InfeasibleError(_no_room(asked))
    if asked.possible(asked.parts):
        return InfeasibleError(*(_lumpy(part, len(asked.parts)) for part in asked.parts))
    guilty = _fewest(asked)
    reached = [_reach(asked, part, [other for other in guilty if other is not part]) for part in guilty]
    faults = [_fault(part, guilty, reach) for part, reach in zip(guilty, reached, strict=True)]
    relaxed = _relaxation(asked)
    said = len(guilty) == 1 and relaxed == {guilty[0].name: reached[0]}
    return InfeasibleError(*faults, *([] if said or not relaxed else [_nearest(relaxed)]))


def _fewest(asked: Asked) -> list[Part]:
    """A set of bounds that cannot be kept together, of which none can be left out."""
    left = list(asked.parts)
    step = max(1, len(left) // 2)
    while step:  # whole runs first, so that hundreds of groups take few tries
        place = 0
        while place < len(left):
            fewer = left[:place] + left[place + step :]
            if fewer and not asked.possible(fewer):
                left = fewer
            else:
                place += step
        step //= 2
    return left


def _relaxation(asked: Asked) -> dict[str, float]:
    """Bound → the value that it would need, so that all can be kept: the least loosening in total, each in proportion.

    What holds for each row is loosened only as far as rows without room need it, and levers' own rules not at all.
    """
    rules = [part for part in asked.parts if isinstance(part, Fence) and part.rule]
    fences = [part for part in asked.parts if isinstance(part, Fence) and not part.rule]
    uses = [part for part in asked.parts if isinstance(part, Use)]
    known = asked.allowed(rules, {})
    if not known.any(1).all():
        return {}
    loosening = _fences(known, fences)
    allowed = known & asked.allowed(fences, loosening)
    out = {fence.name: fence.told(loosening[fence.name]) for fence in fences if loosening[fence.name] > 0}
    out |= (loosened(allowed, uses, asked.share) if uses and allowed.any(1).all() else None) or {}
    keys = {part.name: part.key for part in asked.parts}
    return {name: outward(value, keys[name]) for name, value in out.items()}


def _fences(known: Bools, fences: list[Fence]) -> dict[str, float]:
    """Fence → by how much of itself it must give way for every decision to have a setting.

    Each in turn is loosened as little as the others allow, in several orders; the least sum is taken. For one fence,
    or where only one gives way, it is the least there is.
    """
    best: dict[str, float] = {fence.name: 0.0 for fence in fences}
    if not fences or _needed(known, fences, fences[0], best) == 0:
        return best
    lowest = np.inf
    for place, order in enumerate(permutations(fences)):
        if place == MOST_ORDERS:
            break
        now = {fence.name: np.inf for fence in fences}
        for fence in order:
            now[fence.name] = _needed(known, fences, fence, now)
        if sum(now.values()) < lowest:
            best, lowest = now, sum(now.values())
    return best


def _needed(known: Bools, fences: list[Fence], fence: Fence, now: Mapping[str, float]) -> float:
    """The loosening of one fence that leaves every decision a setting, the others as they are now."""
    others = known.copy()
    for other in fences:
        if other is not fence:
            others &= other.excess <= now[other.name]
    return float(np.where(others, fence.excess, np.inf).min(1).max())


def _fault(part: Part, guilty: list[Part], reach: float | None) -> Fault:
    """One of the conflicting bounds, and how far it can go while the others are kept."""
    thing, found = f"constraints.{part.name}", f"found {part.bound:,.6g}"
    if rule := getattr(part, "rule", ""):
        thing, found, reach = rule, "found a rule of each row", None
    if isinstance(part, Fence) and (stuck := int((part.excess > 0).all(1).sum())):
        found += f", which no setting meets in {stuck:,} of {len(part.excess):,} decisions"
    others = [other.name for other in guilty if other is not part]
    condition = f" beside {' and '.join(others)}" if others else ""
    if reach is None:
        rule = f"No settings were found that meet it{condition}"
        return Fault(thing, found, rule, "Loosen it together with another of them")
    rule = f"The nearest that any supported settings reach{condition} is {reach:,.12g}"
    return Fault(
        thing, found, rule, f"Write {part.key}: {reach:,.12g}, or loosen another bound, or widen a lever's range"
    )


def _reach(asked: Asked, part: Part, others: list[Part]) -> float | None:
    """The tightest bound that can be kept beside the others; None where loosening it alone does not help."""
    allowed = asked.allowed(others, {})
    if not allowed.any(1).all():
        return None
    uses = [other for other in others if isinstance(other, Use)]
    if isinstance(part, Use):
        found = (loosened(allowed, [part, *uses], asked.share, only=part) or {}).get(part.name)
        return None if found is None else outward(found, part.key)
    need = float(np.where(allowed, part.excess, np.inf).min(1).max())
    steps = np.unique(part.excess[allowed & (part.excess >= need)])
    for step in steps[np.unique(np.linspace(0, len(steps) - 1, STEPS).round().astype(int))] if uses else [need]:
        if not uses or loosened(allowed & (part.excess <= step), uses, asked.share) == {}:
            return outward(part.told(float(step)), part.key)
    return None


def outward(value: float, key: Key) -> float:
    """A bound as people write it, rounded to the looser side, so that it can be kept."""
    if value == 0 or not np.isfinite(value):
        return value
    digits = DIGITS - 1 - floor(log10(abs(value)))
    scaled = value * 10.0**digits
    nearby = round(scaled)
    whole = nearby if abs(scaled - nearby) < 0.05 else (np.ceil(scaled) if key == "at_most" else np.floor(scaled))
    return float(whole / 10.0**digits)


def _nearest(relaxed: Mapping[str, float]) -> Fault:
    return Fault(
        "constraints",
        "found no settings that keep all of them",
        "The nearest that can be kept loosens as little as possible, each bound in proportion to itself",
        "Write " + ", ".join(f"{name}: {value:,.12g}" for name, value in relaxed.items()),
    )


def _lumpy(part: Part, beside: int) -> Fault:
    return Fault(
        f"constraints.{part.name}",
        f"found {part.bound:,.6g}",
        "No whole settings for whole decisions were found that meet it" + " together with the others" * (beside > 1),
        "Leave a little more room between the bounds",
    )


def _no_room(asked: Asked) -> Fault:
    stuck = int((~asked.known.any(1)).sum())
    return Fault(
        "levers",
        f"found no setting in {stuck:,} of {len(asked.known):,} decisions",
        "Every decision needs at least one setting that its levers allow and the data supports",
        "Widen a lever's range",
    )
