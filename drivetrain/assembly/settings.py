"""Settings asked about: one for all, a policy by its name or as a function, or a setting for each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly import slates
from drivetrain.data import Rows
from drivetrain.decisions import column_of
from drivetrain.decisions.slots import slate
from drivetrain.errors import Fault, UsageError, nearest
from drivetrain.evidence import NAMES
from drivetrain.scenario import Scenario

if TYPE_CHECKING:
    from drivetrain.assembly.answers import Answers

Floats = NDArray[np.float64]
Policy = Callable[[pd.DataFrame], Mapping[str, Any] | pd.DataFrame]
Settings = Mapping[str, Any] | str | pd.DataFrame | Policy | None
"""Lever → value; the name of a policy; a line a row with levers as columns; a function from rows to either; or None for
the settings that rows have."""
POLICIES = ("recommended", "do_nothing", "single", "current")


def settle(run: Answers, rows: Rows, asked: Settings) -> tuple[str, Floats]:
    """Words, and settings [1, L] or [N, L]; where rows get several options, these, [1, K] or [N, K].

    Raises:
        UsageError: an unknown lever or policy, a value that a lever does not allow, or rows without a setting.
        DataError: a setting of a row that its lever does not allow.
    """
    scenario = run.scenario
    if callable(asked):
        asked = asked(pd.concat([rows.frame[list(scenario.inputs)], scenario.space.decode(rows.settings)], axis=1))
    if isinstance(asked, str):
        return _policy(run, rows, asked)
    if asked is not None and not isinstance(asked, Mapping | pd.DataFrame):
        rule = "It is lever → value, the name of a policy, a frame with a line a row, or a function that gives these"
        raise UsageError(Fault("settings", f"found {asked!r}", rule, "Write {'LEVER': VALUE}"))
    if scenario.slots > 1:
        return slates.slates(run, rows, asked)
    if asked is None or (isinstance(asked, Mapping) and all(np.isscalar(value) for value in asked.values())):
        given = scenario.space.parse(dict(asked or {}))
        words = scenario.space.describe(given) if asked and not np.isnan(given).any() else _partly(asked)
        at = given[None] if not np.isnan(given).any() else np.where(np.isnan(given), rows.settings, given)
    else:
        words, at = "a setting for each row", _own(scenario, rows, asked)
    if np.isnan(at).any():
        raise UsageError(open_levers(scenario, at))
    return words, at


def whole(scenario: Scenario, given: Mapping[str, Any]) -> Floats:
    """One setting [L], no lever left out; where rows get several options these, [K], NaN where a slot is empty.

    Raises:
        UsageError: an unknown lever, a value that it does not allow, or a lever left out.
    """
    if scenario.slots > 1:
        return slate(scenario, given)
    at = scenario.space.parse(given)
    if np.isnan(at).any():
        raise UsageError(open_levers(scenario, at[None]))
    return at


def _partly(asked: Mapping[str, Any] | None) -> str:
    told = ", ".join(f"{name} {value}" for name, value in (asked or {}).items())
    return f"{told}, the rest as it is" if told else "settings as they are"


def current(scenario: Scenario, rows: Rows) -> Floats:
    """[N, L] what is in use: the scenario's current setting; where only the data tells, what rows have."""
    return np.where(np.isnan(scenario.space.current), rows.settings, scenario.space.current)


def _own(scenario: Scenario, rows: Rows, asked: Mapping[str, Any] | pd.DataFrame) -> Floats:
    """A setting for each row, from columns; levers without one stay as they are."""
    columns = {column_of(name): name for name in scenario.levers}
    each = [asked] if isinstance(asked, pd.DataFrame) else [values for values in asked.values() if np.ndim(values)]
    if wrong := [len(values) for values in each if len(values) != len(rows)]:
        found = f"found {wrong[0]:,} settings for {len(rows):,} rows"
        raise UsageError(Fault("settings", found, "Each row needs one, in the rows' order", "Give a line for each row"))
    unknown = sorted(set(asked) - set(scenario.levers)) if not isinstance(asked, pd.DataFrame) else []
    if unknown:
        cure = nearest(unknown[0], scenario.levers)
        raise UsageError(Fault(unknown[0], "found an unknown lever", "Settings are given to levers", cure))
    given = asked if isinstance(asked, pd.DataFrame) else pd.DataFrame(dict(asked), index=range(len(rows)))
    given = given.rename(columns={old: new for old, new in columns.items() if new not in given})
    as_is = scenario.space.decode(rows.settings)
    return scenario.space.encode(as_is.assign(**{n: given[n].to_numpy() for n in scenario.levers if n in given}))


def _policy(run: Answers, rows: Rows, name: str) -> tuple[str, Floats]:
    if name not in POLICIES:
        cure = nearest(name, POLICIES)
        raise UsageError(Fault("policy", f"found {name!r}", "A policy is known by its name", cure))
    if run.scenario.slots > 1:
        return slates.policy(run, rows, name)
    space = run.scenario.space
    if name == "recommended":
        made = run.recommendations
        own = made is not None and rows is run.table and len(made) == len(rows)
        plan = made.plan if made is not None and own else run.recommend(rows).plan
        return f"what is recommended ({NAMES[run.judged.recommended]})", plan.settings
    if name == "current":
        at = current(run.scenario, rows)
        if np.isnan(at).any():
            raise UsageError(open_levers(run.scenario, at))
        return "settings as they are", at
    one = space.do_nothing if name == "do_nothing" else np.array(run.judged.single)
    if one is None:
        rule, cure = "Every lever needs a setting that does nothing", "Declare do_nothing for every lever"
        raise UsageError(Fault("do_nothing", "it is not declared", rule, cure))
    return f"{NAMES[name]} ({space.describe(one)})", one[None]


def open_levers(scenario: Scenario, settings: Floats) -> Fault:
    """Levers that have no setting in some row."""
    names = [name for i, name in enumerate(scenario.levers) if np.isnan(settings[:, i]).any()]
    cure = "Give " + " ".join(f"--set {name}=VALUE" for name in names)
    return Fault("what-if", f"found no setting of {', '.join(names)}", "Rows without a current setting need one", cure)
