"""Returns of levers in words: what a unit brings on average, and what the next one would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivetrain.decisions.rounding import interval, number, with_unit
from drivetrain.evidence import Estimate
from drivetrain.scenario import Scenario

if TYPE_CHECKING:
    from drivetrain.assembly import Returns


def header(before: str) -> list[str]:
    """Of `lines`.

    Args:
        before: the policy of comparison, in words.
    """
    return ["lever", before, "recommended", "a unit brings, on average", f"the next would: {before}", "as recommended"]


def lines(told: Returns) -> list[list[str]]:
    """A line for each numeric lever: its mean settings, its average return, and its marginal ones with their spread."""
    return [
        [
            f"{each.lever} ({each.unit})" if each.unit else each.lever,
            number(each.before),
            number(each.after),
            "–" if each.average is None else _said(each.average),
            _said(each.at_first),
            _said(each.at_last),
        ]
        for each in told.each
    ]


def note(scenario: Scenario) -> str:
    """How to read them."""
    unit = with_unit("Returns are", f"in {scenario.objective.unit}") if scenario.objective.unit else "Returns are"
    return (
        f"{unit} for one more of the lever's unit, as models expect, with their spread. Near 0 as recommended: more "
        "would not pay. Far from 0: a limit, the lever's range or the edge of the data holds it there."
    )


def _said(estimate: Estimate) -> str:
    value, low, high = interval(estimate)
    return f"{value} ({low} to {high})"
