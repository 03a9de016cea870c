"""Recommendations: for each row its setting, what that is expected to do, how sure that is, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import Rows, Table
from drivetrain.decisions import slots
from drivetrain.decisions.nearest import instead
from drivetrain.decisions.promise import Promise, promised
from drivetrain.decisions.table import FIXED, tabled
from drivetrain.errors import DataError, Fault
from drivetrain.evidence import NAMES, Evidence
from drivetrain.optimizer import Plan, alone, certify, checked, decisions, holds, ranked, settle
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Simulator, summed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROWS_AT_ONCE = 100_000
"""More rows that decide alone are decided in runs of so many."""


@dataclass(frozen=True, repr=False)
class Recommendations:
    """A line for each row, in the rows' order, with the promise for their total."""

    frame: pd.DataFrame
    """`row` (number in the source, from 1), the levers (one named like another column with `_setting` behind; of one
    that says `choose: 3` the columns LEVER_1 to LEVER_3, best first, what is expected being of all three), what is
    expected under them, `LEVER_near_low` and `LEVER_near_high` (settings that lose at most 1%),
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
    frame = tabled(simulator, rows, crowd, plan, chosen, other, reference)
    if seen is not None and plan.slots is None and not frame["supported"].all():
        told = instead(simulator.scenario, seen.training, plan.settings, frame["supported"].to_numpy())
        frame["reason"] = [reason + more for reason, more in zip(frame["reason"], told, strict=True)]
    remarks = {what: int(mask.sum()) for what, mask in crowd.remarks.items()}
    promise = promised(simulator.scenario, evidence, chosen, other, against)
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
            raise DataError(_unknown_current(scenario, rows, settings))
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


def _unknown_current(scenario: Scenario, rows: Rows, settings: Floats) -> Fault:
    """Rows of which nobody knows what they have now."""
    lacking = rows.row[np.isnan(settings).any(1)] + 1
    names = [name for at, name in enumerate(scenario.levers) if np.isnan(settings[:, at]).any()]
    numbers = ", ".join(f"{row:,}" for row in lacking[:3]) + (", …" if len(lacking) > 3 else "")
    found = f"{len(lacking):,} of {len(rows):,} rows have no current setting: row {numbers}"
    rule = "What each row has now is kept, or compared with, so each must say what that is"
    cure = "Fill in the lever's column, or leave these rows out"
    return Fault(f"columns {', '.join(scenario.columns[name] for name in names)}", found, rule, cure)


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
