"""The policies that are judged: for each training row a setting, made by models that have not seen the row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.errors import InfeasibleError
from drivetrain.evidence.backing import spoken
from drivetrain.evidence.groups import LEAVES, groups, smoothed
from drivetrain.evidence.slate import Slate, slate
from drivetrain.evidence.smoothed import Smoothed
from drivetrain.evidence.tree import Tree
from drivetrain.evidence.value import Judge
from drivetrain.optimizer import decisions, optimise, premiums, settle, shortlist
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]

SINGLES = 128


@dataclass(frozen=True)
class Policies:
    """What is judged."""

    settings: dict[str, Floats | None]
    """Policy → its setting for each training row [N, L], made for each fold without it; None is what the data shows."""
    tree: Tree | None = None
    """The tree of groups, grown on all training rows; None where one group does as well."""
    smoothed: Smoothed | None = None
    """The smoothed policy, trained on all training rows; None where rows are not decided one by one."""


def policies(court: Judge, singles: Singles) -> Policies:
    """Every policy that can be valued.

    A fixed setting that the data does not support, and a current policy that is fixed in some levers only, cannot be
    valued and are left out. A current setting that is the same as doing nothing is named once, as that.
    """
    scenario, rows, support = court.simulator.scenario, len(court.table), court.simulator.support
    current, nothing = scenario.space.current, scenario.space.do_nothing
    out: dict[str, Floats | None] = {}
    idle = nothing is not None and np.array_equal(current, nothing)
    if np.isnan(current).all():
        out["current"] = None
    elif not np.isnan(current).any() and support.holds(current[None])[0] and not idle:
        out["current"] = np.tile(current, (rows, 1))
    if nothing is not None and support.holds(nothing[None])[0]:
        out["do_nothing"] = np.tile(nothing, (rows, 1))
    out["single"] = singles.settings
    grown = scenario.decide.tree is not None
    own = _by_fold(court) if scenario.decide.unit != "once" and not grown else None
    if own is not None:
        out[scenario.decide.unit] = own
    if not grown and (scenario.decide.unit != "row" or own is None):
        return Policies(out)
    return _shared(court, out, slate(court, singles.options, own))


def _shared(court: Judge, out: dict[str, Floats | None], told: Slate | None) -> Policies:
    """With the policies that many rows share: groups that a tree finds, and settings smoothed over rows."""
    scenario = court.simulator.scenario
    if told is None or not scenario.inputs:
        return Policies(out)
    tree, found = groups(court, told, scenario.decide.tree or LEAVES), None
    if tree is not None:
        out["tree"] = tree[0]
    if (
        scenario.decide.unit == "row"
        and not scenario.decide.shared
        and all(each.over == "each" for each in scenario.constraints)
    ):
        out["smoothed"], found = smoothed(court, told)
    return Policies(out, None if tree is None else tree[1], found)


def _by_fold(court: Judge) -> Floats | None:
    """The setting [N, L] of each row, chosen by models that have not seen it; None where a fold by itself has no room.

    Raises:
        InfeasibleError: neither do all rows together.
    """
    out, scenario = np.empty_like(court.table.settings), court.simulator.scenario
    frame, everyone = court.table.frame, len(court.table)
    try:
        for rows, blind, crowd in court.folds:
            share = court.part * len(rows) / everyone
            holds_back = scenario.decide.keep_within is not None
            whole = (court.simulator, court.simulator.crowd(frame.iloc[rows])) if holds_back else None
            unit = decisions(scenario, frame.iloc[rows])
            out[rows] = settle(blind, crowd, unit, share=share, whole=whole).settings
    except InfeasibleError:
        optimise(court.simulator, court.simulator.crowd(frame), decisions(scenario, frame), share=court.part)
        return None
    return out


@dataclass(frozen=True)
class Singles:
    """The best single setting."""

    best: Floats
    """[L], by doubly robust value."""
    settings: Floats
    """[N, L] for each row the one that other folds chose."""
    feasible: bool
    """Whether one meets the constraints."""
    options: Floats
    """[P, L] those that were valued."""


def single_settings(court: Judge) -> Singles:
    """The best single setting.

    With one number to choose the data itself can speak, so models' expectations are corrected by it: see `credible`.
    Where settings are too many to value all, blind models choose which to value for their fold. One for which fewer
    than ten effective rows speak, or ten events, is passed over where there are others.
    """
    everyone, many = court.simulator.crowd(court.table.frame), len(court.table)
    listed, feasible = shortlist(court.simulator, everyone, SINGLES, share=court.part)
    lists = [listed] * (1 + len(court.folds))
    if listed.shape[1] > 1:
        few = max(8, SINGLES // len(lists))
        lists = [shortlist(court.simulator, everyone, few, share=court.part)[0]]
        for rows, blind, crowd in court.folds:
            lists.append(shortlist(blind, crowd, few, share=court.part * len(rows) / many)[0])
    options = np.unique(np.concatenate(lists), axis=0)
    sign, scores = court.simulator.scenario.objective.sign, court.each_single(options)
    total = scores.total
    if not court.simulator.support.radius:  # of many levers hardly a row speaks for any: that is told, see `opinions`
        total = np.where(spoken(court, scores.weight), total, np.nan)
    chosen = np.empty_like(court.table.settings)
    for (rows, blind, crowd), own in zip(court.folds, lists[1:], strict=True):
        others = np.delete(np.arange(many), rows)
        told = credible(total[others], court.unseen(blind, others, options))
        chosen[rows] = _best(options, own, sign * told - _fear(blind, crowd, options))
    best = sign * credible(total, scores.direct) - _fear(court.simulator, everyone, options)
    return Singles(_best(options, lists[0], best), chosen, feasible, options)


def _fear(simulator: Simulator, crowd: Crowd, options: Floats) -> Floats:
    """[P] what the scenario's risk takes off the value of one setting for everyone, for one row."""
    lost = premiums(simulator, crowd, np.zeros(len(crowd), dtype=np.int64), options)[0]
    return np.asarray(lost / len(crowd), dtype=np.float64)


def credible(scores: Floats, direct: Floats) -> Floats:
    """The value [P] of settings: what models expect, corrected by observed rows as far as that stands out of noise.

    The best of many noisy values is the luckiest one. Corrections are therefore shrunk to their common mean, each by
    its own error (empirical Bayes: Efron & Morris 1973, JASA 68:117).

    Args:
        scores: [N, P] doubly robust scores.
        direct: [N, P] the part that models expect.
    """
    each = scores - direct
    correction: Floats = each.mean(0)
    error: Floats = each.var(0, ddof=1) / len(each)
    known = np.isfinite(correction)
    if not known.any():
        return correction
    common = correction[known].mean()
    true = max(0.0, float(correction[known].var() - error[known].mean()))
    share = np.divide(true, true + error, out=np.ones_like(error), where=error > 0)
    return np.asarray(direct.mean(0) + common + share * (correction - common))


def _best(options: Floats, among: Floats, value: Floats) -> Floats:
    """The option [L] of the highest value [P] among some of the options [P, L]; of all where none of them has one."""
    known = np.isfinite(value)
    listed = (options[:, None] == among[None]).all(2).any(1) & known
    return np.asarray(options[np.where(listed if listed.any() else known, value, -np.inf).argmax()])
