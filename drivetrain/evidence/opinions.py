"""Opinions: evidence where no row can judge what is recommended; it is what models expect, and is called that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.evidence.many import opinion, require_alone
from drivetrain.evidence.sample import Estimate, Sample
from drivetrain.evidence.value import Judge, Scores
from drivetrain.evidence.worth import Evidence, Judged
from drivetrain.optimizer import best_single, deciders
from drivetrain.simulator import Simulator, jackknife

Floats = NDArray[np.float64]


def unspoken(court: Judge, judged: Sequence[Judged], scores: Mapping[str, Scores], single: Floats) -> Evidence:
    """Of many levers hardly a row has settings like the best: what models expect is told, and is called that.

    The error of what they expect is their own disagreement (jackknife), which is no interval of the truth.

    Args:
        court: judged what could be judged.
        judged: that.
        scores: of each policy.
        single: [L] the best single setting.
    """
    simulator, sign = court.simulator, court.simulator.scenario.objective.sign
    everyone = simulator.crowd(court.table.frame)
    each = torch.cat([outlook.objective for _, outlook in simulator.chunks(everyone, single[None])], dim=1)
    error = float(jackknife(each.double().mean((1, 2)), simulator.folds))
    best, none = Estimate(float(scores["single"].direct.mean()), error), Estimate(0.0, error)
    own = Judged("single", best, best.value, none, scores["single"].effective, True)
    others = {each.name: each for each in judged if each.name != "single"}
    gains = {
        name: Estimate(sign * (best.value - each.estimate.value), float(np.hypot(error, each.estimate.error)))
        for name, each in others.items()
    }
    policies = (*(replace(each, eligible=False) for each in others.values()), own)
    kept = tuple(single.tolist())
    rows = len(court.table)
    return Evidence("unsupported", policies, "single", gains, dict.fromkeys(gains, none), kept, (), {}, (), rows)


def unsupported(simulator: Simulator, rows: Table, progress: Callable[[str], None]) -> Evidence:
    """Of many options none has been tried often enough: what models expect is told, and is called that.

    Args:
        simulator: all members.
        rows: those that would judge.
        progress: told, in words, what is being asked.
    """
    scenario = simulator.scenario
    require_alone(scenario)
    progress("asking blind models for everyone's best option")
    told, own = opinion(simulator, rows), scenario.decide.unit
    seen, best = Sample(len(rows), rows.cluster).estimate(told.observed), Estimate.of(told.expected)
    none = Estimate(0.0, best.error)
    gain = Estimate(scenario.objective.sign * (best.value - seen.value), float(np.hypot(best.error, seen.error)))
    policies = (
        Judged("current", seen, seen.value, Estimate(0.0, 0.0), float(len(rows)), False),
        Judged(own, best, best.value, none, float(told.spoken), True),
    )
    first = np.unique(deciders(scenario, rows.frame), return_index=True)[1]
    single = tuple(best_single(simulator, rows.frame.iloc[first]).tolist())
    none_of = {"current": none}
    return Evidence("unsupported", policies, own, {"current": gain}, none_of, single, (), {}, (), len(rows))
