"""How sure a recommendation is, and what it rests on, in plain words that report, dashboard and terminal share."""

from __future__ import annotations

from drivetrain.decisions.grounds import alarms
from drivetrain.decisions.rounding import interval, number, span, with_unit
from drivetrain.decisions.words import (
    events,
    everything,
    grounds,
    kept_rivals,
    nothing,
    passed_over,
    policy,
    stance,
    top,
)
from drivetrain.evidence import KEPT, Evidence, Judged
from drivetrain.evidence.backing import FEWEST
from drivetrain.scenario import Scenario

FINE = ("tree", "segment", "smoothed", "row")
"""Policies that do not give everyone the same."""
FEW_ROWS = 50
"""Fewer effective rows than this are called few."""


def verdict(scenario: Scenario, evidence: Evidence) -> list[str]:
    """What to do, how sure that is, and what it rests on, a sentence a line."""
    what = stance(scenario, evidence)
    return [f"{what.title}: {_lower(what.reason)}", *sentences(scenario, evidence)]


def sentences(scenario: Scenario, evidence: Evidence) -> list[str]:
    """How sure the recommendation is, and what it rests on, a sentence a line."""
    lines = [
        *kept_rivals(scenario, evidence),
        _personal(scenario, evidence),
        *(_barred(scenario, each) for each in passed_over(scenario, evidence)),
        _unjudged(scenario, evidence),
        _added_up(scenario),
        _feared(scenario, evidence),
        *(top(scenario, evidence, name) for name in scenario.levers),
    ]
    few = evidence.chosen.effective
    if few < FEW_ROWS and evidence.grade != "unsupported":
        lines.append(f"Only about {few:.0f} rows speak for the recommended policy: treat its value with care.")
    if evidence.chosen.thin and evidence.grade != "unsupported":
        lines.append(
            f"Of a rare result little is known: {events(evidence.chosen)}; its interval counts in two more that nobody "
            "saw."
        )
    lines += alarms(scenario, evidence)
    lines.append(f"Evidence: {grounds(evidence)[0].lower()}, judged on {evidence.rows:,} rows.")
    return [line for line in lines if line]


def _personal(scenario: Scenario, evidence: Evidence) -> str:
    """Whether a setting for each row, group or segment is worth its trouble."""
    if scenario.decide.unit == "once":
        return ""
    unit = scenario.objective.unit
    if evidence.recommended in FINE:
        name = policy(scenario, evidence.recommended, evidence).capitalize()
        gained = (
            f"{name} gains {span(evidence.gains['single'], unit)} over one for all."
            if "single" in evidence.gains
            else ""
        )
        finer = _finer(scenario, evidence, "row") if evidence.recommended == "tree" else ""
        return f"{gained} {finer}".strip()
    return _finer(scenario, evidence, "tree" if scenario.decide.tree else scenario.decide.unit)


def _finer(scenario: Scenario, evidence: Evidence, fine: str) -> str:
    """What a finer policy than the recommended one would change."""
    if fine not in evidence.gains or any(each.name == fine and not each.eligible for each in evidence.policies):
        return ""
    unit, name = scenario.objective.unit, policy(scenario, fine, evidence).capitalize()
    if evidence.gains[fine].low > 0:
        return f"{name} is worse, by {span(evidence.gains[fine], unit)}: there is too little data to tell rows apart."
    value, low, high = interval(evidence.gains[fine], -scenario.objective.sign)
    told = f"{with_unit(value, unit)} ({low} to {high})"
    return f"{name} is not worth it: it would change the value by {told}."


def _barred(scenario: Scenario, judged: Judged) -> str:
    """A policy that looks better, and why it may not be recommended all the same."""
    name, told = policy(scenario, judged.name).capitalize(), span(judged.estimate, scenario.objective.unit)
    why = "models expect it to break a constraint"
    if judged.thin:
        why = events(judged)
    if judged.effective < FEWEST:  # so few bear no interval
        told = with_unit(number(judged.estimate.value), scenario.objective.unit)
        why = f"only about {judged.effective:.0f} rows speak for it"
    return f"{name} looks better, at {told}, but may not be recommended: {why}."


def _unjudged(scenario: Scenario, evidence: Evidence) -> str:
    """Doing nothing, where it was declared and the data cannot speak for it."""
    settled = nothing(scenario)
    if not settled or any(each.name == "do_nothing" for each in evidence.policies):
        return ""
    return (
        f"Doing nothing ({everything(scenario, settled)}) is not judged: too few rows of the data have such a setting."
    )


def _added_up(scenario: Scenario) -> str:
    """What is assumed where rows get several options."""
    if scenario.slots == 1:
        return ""
    return (
        "The data shows one option a row, so what policies are worth is judged for one slot, filled with one of the "
        f"{scenario.slots} options. That several are worth the sum of what each adds is an assumption: options that "
        "crowd each other out are worth less."
    )


def _feared(scenario: Scenario, evidence: Evidence) -> str:
    """By what settings are chosen, where that is not the mean; values are told as they are all the same."""
    risk = scenario.objective.risk
    if risk is None or evidence.recommended in KEPT:
        return ""
    return (
        f"Settings are chosen by {risk}, in case the models are wrong; what they are worth is told without that fear."
    )


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
