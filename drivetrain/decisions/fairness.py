"""Differences between groups of people, in words: what they are set, what comes of it, and what closing a gap costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivetrain.decisions.rounding import interval, number, with_unit
from drivetrain.evidence import Evidence, Gap
from drivetrain.scenario import Scenario

HEADER = ["what", "highest", "lowest", "gap", "95% interval"]
NOTE = (
    "Means under the recommended policy. Outcomes are judged on rows that the models have not seen; intervals hold "
    "for all pairs of groups at once. Not every difference is unfair, and no number here says which is."
)


def lines(scenario: Scenario, evidence: Evidence) -> list[list[str]]:
    """A line of a table for every gap: what, the two groups with their means, the gap with its interval."""
    out = []
    for each in evidence.fairness:
        high, low = each.groups[0], each.groups[-1]
        value, least, most = interval(each.gap)
        ends = [f"{end.group} {number(end.estimate.value)}" for end in (high, low)]
        out.append([_what(scenario, each), *ends, value, f"{least} to {most}"])
    return out


def sentences(scenario: Scenario, evidence: Evidence) -> list[str]:
    """The gaps that are clearly more than chance, a sentence each; one sentence where there is none."""
    if not evidence.fairness:
        return []
    told = []
    for each in evidence.fairness:
        if each.gap.low > 0:
            high, low, gap = each.groups[0], each.groups[-1], number(each.gap.value)
            told.append(
                f"Between {each.by} {high.group} and {each.by} {low.group} {_what(scenario, each)} differs by {gap}: "
                f"{number(high.estimate.value)} and {number(low.estimate.value)}."
            )
    groups = ", ".join(dict.fromkeys(each.by for each in evidence.fairness))
    return told or [f"Between groups by {groups} no difference is clearly more than chance."]


def prices(scenario: Scenario, record: Mapping[str, Any]) -> list[str]:
    """What bounds on gaps cost, as the models expect, a sentence each."""
    out = []
    for each in (record.get("fairness") or {}).get("prices", []):
        worth = with_unit(number(each["objective"], 4), scenario.objective.unit)
        out.append(f"With a gap of at most {number(each['gap'])} in {each['of']} by {each['by']}: {worth}.")
    return out


def _what(scenario: Scenario, gap: Gap) -> str:
    of = scenario.objective.unit if gap.of == "objective" and scenario.objective.unit else gap.of
    return f"the share of {of} {gap.option}" if gap.option else of
