"""Rows that get several options each: which, in columns and words, and what they are worth together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import Rows, Table
from drivetrain.errors import DataError, Fault, UsageError, nearest
from drivetrain.evidence import NAMES, Estimate, Evidence
from drivetrain.optimizer import Plan, decisions, exclusions, fill, holds_together, ranking, refereed
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def require_one(scenario: Scenario, thing: str) -> None:
    """Raises: UsageError: rows get several options, and the thing is about rows that get one setting."""
    if scenario.slots > 1:
        found = f"found rows that get {scenario.slots} options each"
        rule = "It is about rows that get one setting: what several do together is not known from the data"
        raise UsageError(
            Fault(thing, found, rule, "Use recommend, rank or simulate; or leave choose out of the scenario")
        )


def columns(scenario: Scenario, slots: Floats, lever_column: str) -> dict[str, NDArray[np.object_]]:
    """`shown_1`, `shown_2`, … → the option in each slot [N], None where it stays empty."""
    lever = next(iter(scenario.levers))
    decoded = (scenario.space.decode(slots[:, [k]])[lever] for k in range(slots.shape[1]))
    return {f"{lever_column}_{k}": each.to_numpy(dtype=object) for k, each in enumerate(decoded, 1)}


def read(scenario: Scenario, frame: pd.DataFrame, lever_column: str) -> Floats:
    """[N, K] the options that such columns hold."""
    lever, slots = next(iter(scenario.levers)), scenario.slots
    each = (scenario.space.encode(pd.DataFrame({lever: frame[f"{lever_column}_{k}"]})) for k in range(1, slots + 1))
    return np.column_stack(list(each))


def slate(scenario: Scenario, given: Mapping[str, Any]) -> Floats:
    """[K] the options that words name, in their order, NaN where a slot stays empty.

    Args:
        scenario: whose lever says `choose`.
        given: `{shown: [a, b]}`, `{shown: a}`, or `{shown_1: a, shown_2: b}`; blanks are empty slots.

    Raises:
        UsageError: an unknown lever or option, one that stands twice, or more of them than there are slots.
    """
    lever, many = next(iter(scenario.levers)), scenario.slots
    places = [f"{lever}_{k}" for k in range(1, many + 1)]
    named: list[Any] = []
    for key, value in given.items():
        if key != lever and key not in places:
            rule = f"Options are given as {lever}, or {places[0]} to {places[-1]}"
            raise UsageError(Fault(key, "found an unknown lever", rule, nearest(key, [lever, *places])))
        named += list(value) if isinstance(value, list | tuple | np.ndarray) else [value]
    codes = [scenario.space.parse({lever: each})[0] for each in named if not (pd.isna(each) or each == "")]
    nothing = scenario.space.do_nothing
    filled = [code for code in codes if nothing is None or code != nothing[0]]
    if len(filled) > many:
        cure = "Leave some out"
        raise UsageError(Fault(lever, f"found {len(filled)} options", f"A row has {many} slots", cure))
    if len(set(filled)) < len(filled):
        raise UsageError(Fault(lever, "found an option in two slots", "A row gets each option once", "Give another"))
    return np.array([*filled, *[np.nan] * (many - len(filled))])


def supported(simulator: Simulator, slots: Floats) -> NDArray[np.bool_]:
    """[N] whether the data speaks for all options of a row [N, K] that are not empty slots."""
    nothing = simulator.scenario.space.do_nothing
    empty = np.isnan(slots) | (slots == (np.nan if nothing is None else nothing[0]))
    known = simulator.support.holds(np.nan_to_num(slots).reshape(-1, 1)).reshape(slots.shape)
    return np.asarray((known | empty).all(1))


def ranked_plan(simulator: Simulator, rows: Rows, seen: Table | None, locked: Floats) -> Plan:
    """Everyone's best options of thousands, those that they have had left out."""
    many = simulator.scenario.slots
    excluded = None if seen is None else exclusions(simulator.scenario, rows.frame, seen)
    best = ranking(simulator, rows.frame, top=many, excluded=excluded).settings[..., 0]
    method = f"everyone's best {many if many > 1 else ''} supported option{'s' * (many > 1)}".replace("  ", " ")
    method += " not had yet" if seen is not None else ""
    if many == 1:
        return Plan(np.where(np.isnan(locked), best, locked), method)
    kept = np.where(fixed_rows(locked)[:, None], locked, best)
    return Plan(kept[:, :1], method, slots=kept)


def fixed_rows(locked: Floats) -> NDArray[np.bool_]:
    """[N] which rows' settings, or options, people have fixed."""
    return np.asarray(np.isfinite(locked).any(1))


def filled_plan(simulator: Simulator, evidence: Evidence, rows: Rows, crowd: Crowd, locked: Floats) -> Plan:
    """Several options for each row by the policy that the evidence recommends, beside those that people have fixed.

    Args:
        simulator: with all its members.
        evidence: which policy.
        rows: N rows.
        crowd: the same, as models read them.
        locked: [N, K] options that people have fixed, all NaN where a row is free.
    """
    scenario, name, fixed = simulator.scenario, evidence.recommended, fixed_rows(locked)
    if name == "current":
        now = np.where(np.isnan(scenario.space.current), rows.settings, scenario.space.current)
        rest = np.full((len(rows), scenario.slots - 1), np.nan)
        slots = np.where(fixed[:, None], locked, np.column_stack([now, rest]))
        if np.isnan(slots).all(1).any():
            rule = "Here the recommendation is to keep the current option, so each row must say what it is"
            lever = next(iter(scenario.levers))
            raise DataError(Fault(lever, "a row has no current option", rule, "Fill in the lever's column"))
        return Plan(slots[:, :1], "the current options are kept", slots=slots)
    unit = np.zeros(len(rows), dtype=np.int64)
    if name in {"single", "do_nothing"}:
        nothing = scenario.space.do_nothing
        one = np.array(evidence.slots) if nothing is None or name == "single" else np.repeat(nothing, scenario.slots)
        slots = np.where(fixed[:, None], locked, one)
        if name == "do_nothing" or holds_together(simulator, crowd, slots):
            return Plan(slots[:, :1], f"{NAMES[name]} for every row, by doubly robust value", slots=slots)
    else:
        unit = decisions(scenario, rows.frame)
    plan = fill(simulator, crowd, unit, locked=locked)
    return plan if fixed.any() else refereed(simulator, crowd, unit, plan)  # people answer for what they have fixed


def words(scenario: Scenario, slots: Floats) -> list[str]:
    """For each row its options in words: `shown crime_00, poetry_03`; `shown none` where all slots stay empty."""
    lever, nothing = next(iter(scenario.levers)), scenario.space.do_nothing
    options = next(iter(scenario.options.values()))
    empty = np.nan if nothing is None else nothing[0]
    known: dict[tuple[float, ...], str] = {}
    out = []
    for row in map(tuple, slots.tolist()):
        if row not in known:
            named = [options[int(code)] for code in row if not np.isnan(code) and code != empty]
            known[row] = f"{lever} {', '.join(named) or 'none'}"
        out.append(known[row])
    return out


def corrected(scenario: Scenario, evidence: Evidence, rows: int) -> tuple[Estimate, Estimate | None]:
    """What observed rows add to the models' view of the total of so many rows, and of the gain over doing nothing.

    Both are judged slot by slot: each slot is taken to be off by what the data's one slot shows.
    """
    slots, own = 1 if evidence.recommended == "current" else scenario.slots, evidence.chosen.correction
    if scenario.space.do_nothing is None:
        return Estimate(rows * slots * own.value, rows * slots * own.error), None
    if evidence.recommended == "do_nothing":
        return Estimate(rows * own.value, rows * own.error), Estimate(0.0, 0.0)
    if "do_nothing" not in evidence.gain_corrections:
        return Estimate(rows * own.value, rows * slots * own.error), None
    gain, base = evidence.gain_corrections["do_nothing"], evidence.policy("do_nothing").correction
    value = base.value + slots * scenario.objective.sign * gain.value
    whole = Estimate(rows * value, rows * float(np.hypot(base.error, slots * gain.error)))
    return whole, Estimate(rows * slots * gain.value, rows * slots * gain.error)
