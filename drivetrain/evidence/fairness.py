"""Fairness of actions: what a policy sets, and what comes of it, in groups of people, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from drivetrain.evidence.sample import Z95, Estimate, Sample
from drivetrain.evidence.value import Judge
from drivetrain.scenario import Categorical, YesNo
from drivetrain.scenario.groups import labels

Floats = NDArray[np.float64]

FEWEST = 20
"""Groups of fewer rows are not compared."""


@dataclass(frozen=True)
class Mean:
    """One group."""

    group: str
    rows: int
    estimate: Estimate


@dataclass(frozen=True)
class Gap:
    """How far groups are apart in one respect."""

    by: str
    """The input that makes the groups."""
    of: str
    """A lever, an outcome, or `objective`."""
    option: str
    """Of a lever with options: the one whose share is compared; else empty."""
    judged: bool
    """Whether observed rows speak for it: outcomes are judged doubly robustly, settings are as the policy sets them."""
    groups: tuple[Mean, ...]
    """Highest first."""
    gap: Estimate
    """The highest group's mean less the lowest's; its interval holds for all pairs of groups at once (Bonferroni)."""


def gaps(court: Judge, settings: Floats | None) -> tuple[Gap, ...]:
    """What groups get and what comes of it, for every `fairness` that is declared.

    Args:
        court: judges on rows that its models have not seen.
        settings: [N, L] what the policy sets; None for what the data shows.
    """
    settings = court.table.settings if settings is None else settings
    scenario, frame = court.simulator.scenario, court.table.frame
    out: list[Gap] = []
    for by in dict.fromkeys(each.by for each in scenario.fairness):
        told = labels(scenario.inputs[by], frame[by])
        for (of, option), values in _set(court, settings).items():
            out += _gap(court, by, told, values, (of, option, False))
        for of, values in _came(court, settings).items():
            out += _gap(court, by, told, values, (of, "", True))
    return tuple(out)


def _set(court: Judge, settings: Floats) -> dict[tuple[str, str], Floats]:
    """Lever and option → [N] its setting, or 1 where it is that option."""
    out: dict[tuple[str, str], Floats] = {}
    for i, (name, lever) in enumerate(court.simulator.scenario.levers.items()):
        if isinstance(lever, Categorical):
            out |= {(name, o): (settings[:, i] == code).astype(np.float64) for code, o in enumerate(lever.options)}
        else:
            out[name, "yes" if isinstance(lever, YesNo) else ""] = settings[:, i]
    return out


def _came(court: Judge, settings: Floats) -> dict[str, Floats]:
    """Outcome, or `objective` → its doubly robust scores [N]."""
    out = {"objective": court.scores(settings).total}
    for name, declared in court.simulator.scenario.outcomes.items():
        if declared.kind != "categorical" and not declared.when:
            out[name] = replace(court, outcome=name).scores(settings).total
    return out


def _gap(court: Judge, by: str, told: NDArray[np.object_], values: Floats, what: tuple[str, str, bool]) -> list[Gap]:
    cluster, means = court.sample.cluster, []
    for group in np.unique(told.astype(str)):
        inside = told == group
        if (many := int(inside.sum())) < FEWEST:
            continue
        part = Sample(many, None if cluster is None else cluster[inside])
        means.append(Mean(str(group), many, part.estimate(values[inside])))
    if len(means) < 2:
        return []
    means.sort(key=lambda each: -each.estimate.value)
    high, low, pairs = means[0].estimate, means[-1].estimate, len(means) * (len(means) - 1) / 2
    wide = float(norm.ppf(1 - 0.025 / pairs)) / Z95
    apart = Estimate(high.value - low.value, wide * float(np.hypot(high.error, low.error)))
    return [Gap(by, *what, tuple(means), apart)]
