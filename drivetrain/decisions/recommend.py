"""Recommendations: for each row its setting, what that is expected to do, how sure that is, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.data import Rows, Table
from drivetrain.decisions import ranges, slots
from drivetrain.decisions.nearest import instead
from drivetrain.errors import DataError, Fault
from drivetrain.evidence import NAMES, Estimate, Evidence
from drivetrain.evidence.sample import Z95
from drivetrain.optimizer import Plan, alone, certify, checked, decisions, holds, ranked, settle
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Outlook, Simulator, averse, jackknife, summed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Column = NDArray[Any] | list[str]
ROWS_AT_ONCE = 100_000
"""More rows that decide alone are decided in runs of so many."""

_WORTH = ("objective", "objective_low", "objective_high", "gain", "gain_low", "gain_high")
FIXED = "fixed by a person"
"""The remark of a row whose setting was not decided here."""
COLUMNS = frozenset({"row", *_WORTH, "supported", "remarks", "reason"})
"""Every column of a table of recommendations but the levers and what is expected of outcomes."""


@dataclass(frozen=True)
class Promise:
    """What the recommended settings are worth for some rows together, in the objective's unit."""

    rows: int
    total: Estimate
    """The objective, summed over the rows."""
    against: str | None
    """The policy of comparison, a key of `evidence.NAMES`: doing nothing, or the current one."""
    gain: Estimate | None
    """How much better than that, in the objective's direction, summed over the rows."""

    @classmethod
    def together(cls, parts: Sequence[Promise]) -> Promise:
        """Of all rows; errors add up whole, not in squares: all parts share the evidence that they rest on."""

        def added(estimates: Sequence[Estimate]) -> Estimate:
            return Estimate(sum(e.value for e in estimates), sum(e.error for e in estimates))

        gains = [part.gain for part in parts if part.gain is not None]
        gain = added(gains) if len(gains) == len(parts) else None
        return cls(sum(part.rows for part in parts), added([part.total for part in parts]), parts[0].against, gain)


@dataclass(frozen=True, repr=False)
class Recommendations:
    """A line for each row, in the rows' order, with the promise for their total."""

    frame: pd.DataFrame
    """`row` (number in the source, from 1), the levers (one named like another column with `_setting` behind; of one
    that says `choose: 3` the columns LEVER_1 to LEVER_3, best first, what is expected being of all three), what is
    expected under them, `LEVER_near_low` and `LEVER_near_high` (settings that lose at most 1 %),
    `objective_at_risk` where a risk is declared, `objective_NAME` of further ones, `gain` over the policy of
    comparison, `supported`, `remarks` and the `reason` in words."""
    promise: Promise
    policy: str
    """The policy that was followed, a key of `evidence.NAMES`."""
    plan: Plan
    remarks: Mapping[str, int]
    """What was not plain in the inputs, and in how many rows."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.frame)

    def __repr__(self) -> str:
        """One line: how many rows, by which policy, for how much."""
        total = self.promise.total
        return (
            f"<Recommendations: {len(self):,} rows by {NAMES[self.policy]}; "
            f"promised {total.value:,.4g} [{total.low:,.4g} to {total.high:,.4g}] in total>"
        )

    def _repr_html_(self) -> str:
        return f"<p>{repr(self)[1:-1]}</p>{self.frame.head(10).to_html(index=False)}"


def recommend(
    simulator: Simulator, evidence: Evidence, rows: Rows, seen: Table | None = None, locked: Floats | None = None
) -> Recommendations:
    """Decide for rows by the policy that the evidence recommends.

    Args:
        simulator: with all its members.
        evidence: which policy, and what it is worth.
        rows: any rows with the scenario's inputs; outcomes are not looked at.
        seen: rows that show what everyone has had already; where options are ranked, nobody gets these again; and where
            the data cannot speak for a setting, the nearest of them are named.
        locked: [N, L] settings that people have fixed, NaN where a row is free, or [N, K] options where rows get
            several; they count in every total, and what is left is decided without them.

    Raises:
        DataError: there are no rows; the policy is to leave things as they are, and the rows do not say how they are;
            or the objective cannot be computed for them.
        InfeasibleError: no settings meet the constraints for these rows.
    """
    if not len(rows):
        raise DataError(Fault(rows.source, "found no rows", "There must be something to decide", "Bring rows"))
    if len(rows) > ROWS_AT_ONCE and _apart(simulator.scenario, evidence):
        return _in_parts(simulator, evidence, rows, locked)
    crowd = simulator.crowd(rows.frame)
    places = max(len(simulator.scenario.levers), simulator.scenario.slots)
    fixed = np.full((len(rows), places), np.nan) if locked is None else locked
    if ranked(simulator.scenario):
        plan = slots.ranked_plan(simulator, rows, seen, fixed)
    elif simulator.scenario.slots > 1:
        plan = slots.filled_plan(simulator, evidence, rows, crowd, fixed)
    else:
        plan = _plan(simulator, evidence, rows, crowd, fixed)
    if (by_people := slots.fixed_rows(fixed)).any():
        crowd = replace(crowd, remarks={**crowd.remarks, FIXED: by_people})
    if simulator.scenario.decide.unit == "once" and plan.slots is None and evidence.recommended == "single":
        plan = replace(plan, certificate=certify(simulator, crowd, plan.settings[0]))
    against, reference = _beside(simulator.scenario, rows)
    chosen = simulator.paired(crowd, plan.settings) if plan.slots is None else summed(simulator, crowd, plan.slots)
    other = None if reference is None else simulator.paired(crowd, reference)
    frame = _frame(simulator, rows, crowd, plan, chosen, other, reference)
    if seen is not None and plan.slots is None and not frame["supported"].all():
        told = instead(simulator.scenario, seen.training, plan.settings, frame["supported"].to_numpy())
        frame["reason"] = [reason + more for reason, more in zip(frame["reason"], told, strict=True)]
    remarks = {what: int(mask.sum()) for what, mask in crowd.remarks.items()}
    promise = _promise(simulator.scenario, evidence, chosen, other, against)
    return Recommendations(frame, promise, evidence.recommended, plan, remarks)


def _apart(scenario: Scenario, evidence: Evidence) -> bool:
    """Whether each row's recommendation is the same, whichever others are decided with it."""
    single = evidence.recommended not in {"row", "current", "do_nothing"}
    return alone(scenario) and not ranked(scenario) and not (single and scenario.constraints)


def _in_parts(simulator: Simulator, evidence: Evidence, rows: Rows, locked: Floats | None) -> Recommendations:
    """The same, in runs of rows, so that memory grows by the answers only."""
    parts = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = np.arange(start, min(start + ROWS_AT_ONCE, len(rows)))
        parts.append(recommend(simulator, evidence, rows.subset(some), None, None if locked is None else locked[some]))
    remarks: Counter[str] = sum((Counter(part.remarks) for part in parts), Counter())
    gaps = [part.plan.gap for part in parts if part.plan.gap is not None]
    settings = np.concatenate([part.plan.settings for part in parts])
    several = [part.plan.slots for part in parts if part.plan.slots is not None]
    options = np.concatenate(several) if several else None
    plan = Plan(settings, parts[0].plan.method, gap=max(gaps) if gaps else None, slots=options)
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    promise = Promise.together([part.promise for part in parts])
    return Recommendations(frame, promise, evidence.recommended, plan, dict(remarks))


def _plan(simulator: Simulator, evidence: Evidence, rows: Rows, crowd: Crowd, locked: Floats) -> Plan:
    scenario, name, many = simulator.scenario, evidence.recommended, len(rows)
    if name == "current":
        settings = np.where(np.isnan(scenario.space.current), rows.settings, scenario.space.current)
        settings = np.where(np.isnan(locked), settings, locked)
        if np.isnan(settings).any():
            raise DataError(_unknown_current(scenario))
        return Plan(settings, "the current settings are kept")
    if name in {"single", "do_nothing"}:
        setting = scenario.space.do_nothing if name == "do_nothing" else np.array(evidence.single)
        everyone = np.where(np.isnan(locked), np.asarray(setting, dtype=np.float64), locked)
        if name == "do_nothing" or holds(simulator, crowd, everyone):
            how = "as the models expect" if evidence.grade == "unsupported" else "by doubly robust value"
            return Plan(everyone, f"{NAMES[name]} for every row, {how}")
        return _best(simulator, rows, crowd, np.zeros(many, dtype=np.int64), locked)
    if name in {"tree", "smoothed"}:
        return _shared(simulator, evidence, rows, crowd, locked)
    return _best(simulator, rows, crowd, decisions(scenario, rows.frame), locked)


def _best(simulator: Simulator, rows: Rows, crowd: Crowd, unit: Ints, locked: Floats) -> Plan:
    """The optimizer's answer, checked by other code; people answer for what they have fixed themselves."""
    plan = settle(simulator, crowd, unit, locked=locked)
    if np.isfinite(locked).all(1).any():
        return plan
    return checked(simulator, crowd, unit, plan, _reference(simulator.scenario, rows)[1])


def _shared(simulator: Simulator, evidence: Evidence, rows: Rows, crowd: Crowd, locked: Floats) -> Plan:
    """What groups of a tree get, or a smoothed policy says; where that breaks a bound, the best that keeps it."""
    if evidence.tree is not None and evidence.recommended == "tree":
        settings, method = evidence.tree.settings(rows.frame), f"a tree of {len(evidence.tree.leaves)} groups"
        unit = np.unique(evidence.tree.groups(rows.frame), return_inverse=True)[1].astype(np.int64).ravel()
    else:
        assert evidence.smoothed is not None  # noqa: S101  (it is recommended)
        settings, method = evidence.smoothed.settings(simulator.models.inputs, rows.frame), "a small network"
        unit = np.arange(len(rows), dtype=np.int64)
    settings = np.where(np.isnan(locked), settings, locked)
    if holds(simulator, crowd, settings):
        return Plan(settings, f"{method}, by doubly robust scores")
    return _best(simulator, rows, crowd, unit, locked)


def _unknown_current(scenario: Scenario) -> Fault:
    return Fault(
        f"columns {', '.join(scenario.columns[name] for name in scenario.levers)}",
        "a row has no current setting",
        "Here the recommendation is to keep the current setting, so each row must say what it is",
        "Fill in the lever's column",
    )


def _beside(scenario: Scenario, rows: Rows) -> tuple[str | None, Floats | None]:
    """`_reference`, but for rankings: what somebody happened to have first is no policy to compare one with. Several
    options are compared with none, and not with the one that a row has now.
    """
    if ranked(scenario):
        return None, None
    against, reference = _reference(scenario, rows)
    return (None, None) if scenario.slots > 1 and against == "current" else (against, reference)


def _reference(scenario: Scenario, rows: Rows) -> tuple[str | None, Floats | None]:
    """What recommendations are compared with: doing nothing; else each row's current setting, where all are known."""
    nothing = scenario.space.do_nothing
    if nothing is not None:
        return "do_nothing", np.tile(nothing, (len(rows), 1))
    current = np.where(np.isnan(scenario.space.current), rows.settings, scenario.space.current)
    return (None, None) if np.isnan(current).any() else ("current", current)


def _frame(
    simulator: Simulator,
    rows: Rows,
    crowd: Crowd,
    plan: Plan,
    chosen: Outlook,
    other: Outlook | None,
    reference: Floats | None,
) -> pd.DataFrame:
    scenario = simulator.scenario
    out: dict[str, Column] = {"row": rows.row + 1}
    if plan.slots is not None:
        out |= slots.columns(scenario, plan.slots, column_of(next(iter(scenario.levers))))
    else:
        natural = scenario.space.decode(plan.settings)
        out |= {column_of(name): natural[name].to_numpy() for name in scenario.levers}
    out |= {f"expected_{_plain(name)}": _mean(chosen, value) for name, value in chosen.outcomes.items()}
    expected, error = _mean(chosen, chosen.objective), chosen.spread()[:, 0].double().numpy()
    out |= {"objective": expected, "objective_low": expected - Z95 * error, "objective_high": expected + Z95 * error}
    if (objective := scenario.objective).risk is not None:
        signed = objective.sign * chosen.objective
        out["objective_at_risk"] = (
            objective.sign * averse(signed, chosen.spread(), objective.risk)[:, 0].double().numpy()
        )
    out |= {f"objective_{each.name}": _mean(chosen, chosen.beside[each.name]) for each in objective.beside}
    if other is not None and reference is not None:
        gain = scenario.objective.sign * (chosen.objective - other.objective)
        mean, error = _mean(chosen, gain), chosen.spread(gain)[:, 0].double().numpy()
        out |= {"gain": mean, "gain_low": mean - Z95 * error, "gain_high": mean + Z95 * error}
    near = None if ranked(scenario) or plan.slots is not None else ranges.ranges(simulator, crowd, plan)
    out |= ranges.columns(scenario, near, {name: column_of(name) for name in scenario.levers})
    out["supported"] = _supported(simulator, crowd, plan)
    out["remarks"] = _remarks(crowd)
    reasons, wide = _reasons(scenario, _words(scenario, plan), chosen, other), ranges.told(simulator, near, len(rows))
    out["reason"] = [reason + told for reason, told in zip(reasons, wide, strict=True)]
    return pd.DataFrame(out)


def column_of(lever: str) -> str:
    """The column of a lever in a table of recommendations; one named like another column there gets a longer name."""
    return f"{lever}_setting" if lever in COLUMNS or lever.startswith(("expected_", "objective_")) else lever


def columns_of(scenario: Scenario, lever: str) -> tuple[str, ...]:
    """The columns of a lever in a table of recommendations: one, or one for each of the options that a row gets."""
    name = column_of(lever)
    return tuple(f"{name}_{place}" for place in range(1, scenario.slots + 1)) if scenario.slots > 1 else (name,)


def _supported(simulator: Simulator, crowd: Crowd, plan: Plan) -> NDArray[np.bool_]:
    """[N] whether the data speaks for a row's setting, or for all of its options that are not empty slots."""
    if plan.slots is None:
        known = simulator.support.holds(plan.settings)
        return known if simulator.kin is None else known & simulator.kin.holds(simulator, crowd, plan.settings)
    return slots.supported(simulator, plan.slots)


def _words(scenario: Scenario, plan: Plan) -> list[str]:
    """For each row its setting, or its options, in words."""
    if plan.slots is not None:
        return slots.words(scenario, plan.slots)
    known = {tuple(setting): scenario.space.describe(np.array(setting)) for setting in np.unique(plan.settings, axis=0)}
    return [known[tuple(setting)] for setting in plan.settings]


def _plain(name: str) -> str:
    return name.replace(": ", "_").replace(" ", "_")


def _mean(outlook: Outlook, values: Tensor) -> Floats:
    return np.asarray(outlook.mean(values)[:, 0].to(torch.float64).numpy())


def _remarks(crowd: Crowd) -> list[str]:
    lines: list[list[str]] = [[] for _ in range(len(crowd))]
    for what, mask in crowd.remarks.items():
        for i in np.flatnonzero(mask):
            lines[i].append(what)
    return ["; ".join(line) for line in lines]


def _reasons(scenario: Scenario, settings: list[str], chosen: Outlook, other: Outlook | None) -> list[str]:
    """In words: the setting, what it does to each outcome, and what that is worth."""
    after = [_mean(chosen, value) for value in chosen.outcomes.values()]
    if other is None:
        return [
            setting + "".join(f"; {n} {v[i]:.3g}" for n, v in zip(chosen.outcomes, after, strict=True))
            for i, setting in enumerate(settings)
        ]
    before = [_mean(other, value) for value in other.outcomes.values()]
    gain = scenario.objective.sign * (_mean(chosen, chosen.objective) - _mean(other, other.objective))
    unit = f" {scenario.objective.unit}" if scenario.objective.unit else ""
    out = []
    for i, setting in enumerate(settings):
        moves = "".join(
            f"; {name} {b[i]:.3g} → {a[i]:.3g}" for name, b, a in zip(chosen.outcomes, before, after, strict=True)
        )
        out.append(f"{setting}{moves}; {gain[i]:+.3g}{unit}")
    return out


def _promise(
    scenario: Scenario, evidence: Evidence, chosen: Outlook, other: Outlook | None, against: str | None
) -> Promise:
    """What models expect of these rows, corrected by how wrong blind models were on rows with known outcomes."""
    many = chosen.objective.shape[1]
    if scenario.slots > 1:
        return _promise_of_slots(scenario, evidence, chosen, other)
    fix = evidence.chosen.correction
    total = Estimate(many * (float(chosen.objective.mean()) + fix.value), many * fix.error)
    if other is None or against is None:
        return Promise(many, total, None, None)
    if against == evidence.recommended:  # all the same, but for what people have fixed
        each = scenario.objective.sign * (chosen.objective - other.objective).sum(1)
        return Promise(many, total, against, Estimate(float(each.mean()), float(jackknife(each, chosen.folds).max())))
    if against not in evidence.gain_corrections:
        return Promise(many, total, None, None)
    fix = evidence.gain_corrections[against]
    gain = scenario.objective.sign * float((chosen.objective - other.objective).mean())
    return Promise(many, total, against, Estimate(many * (gain + fix.value), many * fix.error))


def _promise_of_slots(scenario: Scenario, evidence: Evidence, chosen: Outlook, other: Outlook | None) -> Promise:
    """The same where rows get several options: each slot is corrected by what the data's one slot shows."""
    rows = chosen.objective.shape[1]
    fix, gain_fix = slots.corrected(scenario, evidence, rows)
    total = Estimate(rows * float(chosen.objective.mean()) + fix.value, fix.error)
    if other is None or gain_fix is None:
        return Promise(rows, total, None, None)
    gain = scenario.objective.sign * float((chosen.objective - other.objective).mean())
    return Promise(rows, total, "do_nothing", Estimate(rows * gain + gain_fix.value, gain_fix.error))
