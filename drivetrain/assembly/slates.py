"""Options asked about where rows get several: one slate for all, a policy by its name, or a slate for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import Rows
from drivetrain.decisions import columns_of
from drivetrain.decisions.slots import read, slate, words
from drivetrain.errors import Fault, UsageError
from drivetrain.evidence import NAMES
from drivetrain.scenario import Scenario

if TYPE_CHECKING:
    from drivetrain.assembly.answers import Answers

Floats = NDArray[np.float64]


def slates(run: Answers, rows: Rows, asked: Mapping[str, Any] | pd.DataFrame | None) -> tuple[str, Floats]:
    """Words, and options [1, K] or [N, K], NaN where a slot stays empty; what rows have now where nothing is asked.

    Raises:
        UsageError: an unknown lever or option, one that stands twice, or more of them than there are slots.
    """
    scenario = run.scenario
    if isinstance(asked, pd.DataFrame):
        columns = columns_of(scenario, next(iter(scenario.levers)))
        if len(asked) != len(rows) or not set(columns) <= set(asked):
            found = f"found {len(asked):,} lines with {', '.join(map(str, asked.columns[:6]))} for {len(rows):,} rows"
            rule = f"Each row needs one, in the rows' order, with {', '.join(columns)}"
            raise UsageError(Fault("settings", found, rule, "Leave an empty slot blank"))
        return "options for each row", read(scenario, asked, columns[0].removesuffix("_1"))
    if not asked:
        return "options as they are", known(run, rows)
    one = slate(scenario, asked)[None]
    return words(scenario, one)[0], one


def described(scenario: Scenario, at: Floats) -> str:
    """A setting [L] in words; where rows get several options these, [K]."""
    return words(scenario, at[None])[0] if scenario.slots > 1 else scenario.space.describe(at)


def policy(run: Answers, rows: Rows, name: str) -> tuple[str, Floats]:
    """The same for one of `settings.POLICIES`."""
    scenario, nothing = run.scenario, run.scenario.space.do_nothing
    if name == "recommended":
        made = run.recommendations
        own = made is not None and rows is run.table and len(made) == len(rows)
        plan = made.plan if made is not None and own else run.recommend(rows).plan
        return f"what is recommended ({NAMES[run.judged.recommended]})", plan.given
    if name == "current":
        return "options as they are", known(run, rows)
    if name == "do_nothing":
        if nothing is None:
            rule, cure = "The lever needs an option that does nothing", "Declare do_nothing for it"
            raise UsageError(Fault("do_nothing", "it is not declared", rule, cure))
        return f"{NAMES[name]} ({scenario.space.describe(nothing)})", nothing[None]
    one = np.array([run.judged.slots or run.judged.single], dtype=np.float64)
    return f"{NAMES[name]} ({words(scenario, one)[0]})", one


def known(run: Answers, rows: Rows) -> Floats:
    """The option that each row has now, [N, 1]. Raises: UsageError: some have none that is known."""
    settings = np.where(np.isnan(run.scenario.space.current), rows.settings, run.scenario.space.current)
    if np.isnan(settings).any():
        lever = next(iter(run.scenario.levers))
        cure = f"Give --set {lever}_1=OPTION, or --policy"
        raise UsageError(
            Fault("what-if", f"found rows without {lever}", "Rows without a current option need one", cure)
        )
    return settings
