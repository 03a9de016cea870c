"""What a run found, in plain words: the sentences that the report, the dashboard and the command line share.

Numbers are rounded to what their intervals bear, at most three significant digits; a flat top is called flat, and an
interval that does not clear the comparison says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from drivetrain.decisions.grounds import alarms
from drivetrain.decisions.recommend import Promise
from drivetrain.decisions.rounding import interval, number, roughly, setting, span, with_unit
from drivetrain.evidence import NAMES, Evidence
from drivetrain.optimizer import Certificate
from drivetrain.scenario import Scenario

FINE = ("tree", "segment", "smoothed", "row")
"""Policies that do not give everyone the same."""
FEW_ROWS = 50
"""Fewer effective rows than this are called few."""

_GROUNDS = {
    "randomised": (
        "Randomised",
        "The settings in the data were drawn at random, so rows that got one setting can be compared with rows that "
        "got another. Assumed: the draw was as declared, one row does not affect another, and the rows to decide for "
        "are like those in the data.",
    ),
    "adjusted": (
        "Adjusted",
        "The settings in the data were not drawn at random. Assumed: the inputs hold everything that influenced both "
        "the setting and what came of it. The data cannot show whether that is so; where it is not, these values are "
        "wrong by more than their intervals say. A small randomised test would settle it.",
    ),
    "associational": (
        "Associational",
        "The settings in the data were not drawn at random, and nothing shows that the inputs make up for it. What is "
        "shown is what went together, not what a setting brings about. Test before acting on it.",
    ),
    "unsupported": (
        "Unsupported",
        "There are so many options, or levers, that hardly a row shows the setting that is recommended. Values are "
        "what models expect, from what came of other settings; how good the models are on rows that they had not seen "
        "is shown, but no policy's worth can be told from this data. Try it in some places first, drawn at random, and "
        "compare.",
    ),
}


@dataclass(frozen=True)
class Stance:
    """What to do about a recommendation."""

    word: Literal["act", "test", "leave"]
    title: str
    """Two or three words, such as `Act on it`."""
    reason: str
    """Why, as a sentence."""


def policy(scenario: Scenario, name: str, evidence: Evidence | None = None) -> str:
    """A policy's name in words; a current policy that was an experiment is called that, and groups are counted."""
    if name == "current" and scenario.assignment.design == "randomised" and _logged(scenario):
        return "the experiment as it was drawn"
    if name == "segment":
        return f"one setting for each {' and '.join(scenario.decide.by)}"
    if name == "tree" and evidence is not None and evidence.tree is not None:
        return f"one setting for each of {len(evidence.tree.leaves)} groups"
    return NAMES[name]


def reference(evidence: Evidence) -> str | None:
    """The policy that a recommendation is compared with: doing nothing, else the current one."""
    known = {*evidence.gains, evidence.recommended}
    return next((name for name in ("do_nothing", "current") if name in known), None)


def action(scenario: Scenario, evidence: Evidence) -> str:
    """What is recommended, as a clause: `Set incentive to 0.09 USD for everyone`."""
    name = evidence.recommended
    if name == "do_nothing":
        return f"Leave things alone ({_everything(scenario, _nothing(scenario))})"
    if name == "current":
        return "Keep the current policy"
    levers = _listed(list(scenario.levers))
    if name == "single":
        return "Set " + _everything(scenario, evidence.single, " to ") + " for everyone"
    if name == "tree" and evidence.tree is not None:
        return f"Set {levers} for each of {len(evidence.tree.leaves)} groups"
    if name == "smoothed":
        return f"Set {levers} for each row, smoothed over rows that are alike"
    shared = _listed(list(scenario.decide.shared)) if scenario.decide.shared else ""
    own = _listed([each for each in scenario.levers if each not in scenario.decide.shared])
    whom = f"each {' and '.join(scenario.decide.sharing)} alike" if scenario.decide.sharing else "everyone alike"
    alike = f"{shared} for {whom}, and " if shared else ""
    return f"Set {alike}{own} for each {'row' if name == 'row' else ' and '.join(scenario.decide.by)} on its own"


def headline(scenario: Scenario, evidence: Evidence, promise: Promise | None = None) -> str:
    """The recommendation in a sentence or two: what, its gain with interval, and whether it is flat.

    Args:
        scenario: what was asked.
        evidence: what policies are worth.
        promise: what the recommended settings are worth for some rows together; left out where not known.
    """
    parts = [f"{action(scenario, evidence)}{_how_flat(scenario, evidence)}. {_worth(scenario, evidence)}"]
    kept = evidence.recommended in {"do_nothing", "current"} or evidence.grade == "unsupported"
    if not kept and promise is not None and promise.gain is not None and promise.gain.error > 0:
        value, low, high = interval(promise.gain)
        parts.append(f"Summed over the {promise.rows:,} rows that is {value} ({low} to {high}).")
    return " ".join(parts)


def stance(scenario: Scenario, evidence: Evidence) -> Stance:
    """Whether to act, to test first, or to leave things as they are."""
    beside = reference(evidence)
    if evidence.recommended in {"do_nothing", "current"}:
        return Stance("leave", "Change nothing", "Nothing else is clearly better.")
    if beside is None:
        return Stance("test", "Test first", "There is no policy to compare with: declare do_nothing in the scenario.")
    than = policy(scenario, beside)
    if evidence.grade == "unsupported":
        return Stance("test", "Test first", "Hardly a row shows what is recommended: its worth is the models' opinion.")
    if evidence.gains[beside].low <= 0:
        return Stance("test", "Test first", f"The interval of the gain does not clear {than}.")
    if evidence.grade != "randomised":
        return Stance("test", "Test first", "The gain looks clear, but the data was not randomised.")
    return Stance("act", "Act on it", f"The whole interval of the gain lies above {than}, on randomised data.")


def verdict(scenario: Scenario, evidence: Evidence) -> list[str]:
    """What to do, how sure that is, and what it rests on, a sentence a line."""
    what = stance(scenario, evidence)
    return [f"{what.title}: {_lower(what.reason)}", *reasons(scenario, evidence)]


def reasons(scenario: Scenario, evidence: Evidence) -> list[str]:
    """How sure the recommendation is, and what it rests on, a sentence a line."""
    lines = [
        _personal(scenario, evidence),
        _unjudged(scenario, evidence),
        _feared(scenario, evidence),
        *(top(scenario, evidence, name) for name in scenario.levers),
    ]
    few = evidence.chosen.effective
    if few < FEW_ROWS and evidence.grade != "unsupported":
        lines.append(f"Only about {few:.0f} rows speak for the recommended policy: treat its value with care.")
    lines += alarms(scenario, evidence)
    lines.append(f"Evidence: {grounds(evidence)[0].lower()}, judged on {evidence.rows:,} rows.")
    return [line for line in lines if line]


def certified(scenario: Scenario, certificate: Certificate | None) -> str:
    """How much better any other single setting could be, as the models see it; empty where that is not known.

    Args:
        scenario: what was asked.
        certificate: of the plan; a gap wider than half of the value says nothing, and is not told.
    """
    if certificate is None or certificate.gap > 0.5 * abs(certificate.value):
        return ""
    share = 100 * certificate.gap / abs(certificate.value)
    most = with_unit(number(certificate.gap, 2), scenario.objective.unit)
    percent = "0.1" if share < 0.1 else f"{ceil(10 * share) / 10:g}"
    return f"No setting can be more than {percent} % better ({most}), as the models see it: that is proved."


def top(scenario: Scenario, evidence: Evidence, lever: str) -> str:
    """How sharply one lever's best setting stands out, or that it lies at the edge of what the data has seen."""
    declared = scenario.levers[lever]
    if lever not in evidence.near:
        return ""
    low, high, flat = evidence.near[lever]
    least, most = roughly(declared, low, high)
    if flat:
        return f"Along {lever} the value is flat as far as the data can tell: {least} to {most} is about as good."
    if edge := _edge(scenario, evidence, lever):
        return edge
    if setting(declared, low) == setting(declared, high):
        return f"Along {lever} the best single setting, {setting(declared, high)}, stands out from those around it."
    return f"Along {lever} anything from {least} to {most} is about as good as the best."


def grounds(evidence: Evidence) -> tuple[str, str]:
    """The evidence's grade: its name, and what it means and assumes."""
    return _GROUNDS[evidence.grade]


def certificate(gap: float) -> str:
    """How far from the best a choice can be, as the optimizer proved it.

    >>> certificate(0.0), certificate(3.2e-06)
    ('the best of the settings tried', 'at most 0.00032 % below the best choice among the settings tried')
    """
    if gap == 0:
        return "the best of the settings tried"
    return f"at most {100 * gap:.2g} % below the best choice among the settings tried"


def inflation(scenario: Scenario, evidence: Evidence) -> str:
    """The models' own promise of the recommended policy beside its honest value, as a sentence."""
    chosen, unit = evidence.chosen, scenario.objective.unit
    if evidence.recommended == "current":
        return ""
    return (
        f"The models themselves promise {with_unit(number(chosen.naive), unit)} of it; on rows that they had not seen "
        f"it is worth {span(chosen.estimate)}."
    )


def _worth(scenario: Scenario, evidence: Evidence) -> str:
    """The gain over the reference, or that there is none to speak of."""
    beside, unit, sign = reference(evidence), scenario.objective.unit, scenario.objective.sign
    if evidence.recommended in {"do_nothing", "current"}:
        return f"No other policy is clearly better than {span(evidence.chosen.estimate, unit)}."
    if beside is None:
        return f"It is worth {span(evidence.chosen.estimate, unit)}."
    gain, than = evidence.gains[beside], policy(scenario, beside)
    if evidence.grade == "unsupported":
        expected, seen = (number(evidence.policy(name).estimate.value) for name in (evidence.recommended, beside))
        return (
            f"Models expect {with_unit(expected, unit)} of it, and {seen} was seen so far; the data cannot confirm it."
        )
    if gain.low <= 0:
        value = interval(gain)[0]
        sure = f"the 95 % interval, {interval(gain)[1]} to {interval(gain)[2]}, does not clear 0"
        return f"That is better than {than} by {with_unit(value, unit)}, but {sure}."
    value, low, high = interval(gain)
    more = "more" if sign > 0 else "less"
    return f"Expected: {with_unit(value, unit)} {more} than {than} (95 % interval {low} to {high})."


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
    if fine not in evidence.gains:
        return ""
    unit, name = scenario.objective.unit, policy(scenario, fine, evidence).capitalize()
    if evidence.gains[fine].low > 0:
        return f"{name} is worse, by {span(evidence.gains[fine], unit)}: there is too little data to tell rows apart."
    value, low, high = interval(evidence.gains[fine], -scenario.objective.sign)
    told = f"{with_unit(value, unit)} ({low} to {high})"
    return f"{name} is not worth it: it would change the value by {told}."


def _unjudged(scenario: Scenario, evidence: Evidence) -> str:
    """Doing nothing, where it was declared and the data cannot speak for it."""
    nothing = _nothing(scenario)
    if not nothing or any(each.name == "do_nothing" for each in evidence.policies):
        return ""
    return (
        f"Doing nothing ({_everything(scenario, nothing)}) is not judged: too few rows of the data have such a setting."
    )


def _feared(scenario: Scenario, evidence: Evidence) -> str:
    """By what settings are chosen, where that is not the mean; values are told as they are all the same."""
    risk = scenario.objective.risk
    if risk is None or evidence.recommended in {"current", "do_nothing"}:
        return ""
    return (
        f"Settings are chosen by {risk}, in case the models are wrong; what they are worth is told without that fear."
    )


def _how_flat(scenario: Scenario, evidence: Evidence) -> str:
    """For one setting for all: the range that is about as good, where it is wide."""
    if evidence.recommended != "single":
        return ""
    told = []
    for name, (low, high, flat) in evidence.near.items():
        if flat:
            lever = scenario.levers[name]
            what = f"any {name}" if len(scenario.levers) > 1 else "anything"
            told.append(f"{what} from {' to '.join(roughly(lever, low, high))} is about as good")
    return f" ({_listed(told)})" if told else ""


def _edge(scenario: Scenario, evidence: Evidence, lever: str) -> str:
    """A best setting at the edge of what the data supports, short of the lever's own bound."""
    declared = scenario.levers[lever]
    if declared.kind == "categorical" or declared.kind == "yes_no":
        return ""
    best = evidence.single[list(scenario.levers).index(lever)]
    seen = [each.setting for each in evidence.curve if each.lever == lever and each.setting != declared.do_nothing]
    if len(seen) < 2 or best in (declared.min, declared.max) or best not in (min(seen), max(seen)):
        return ""
    most, more = ("lowest", "lower") if best == min(seen) else ("highest", "higher")
    return f"It is the {most} {lever} that the data can speak for; whether a {more} one would be better is not known."


def _everything(scenario: Scenario, at: tuple[float, ...], between: str = " ") -> str:
    words = [f"{n}{between}{setting(lever, v)}" for (n, lever), v in zip(scenario.levers.items(), at, strict=True)]
    return _listed(words)


def _nothing(scenario: Scenario) -> tuple[float, ...]:
    nothing = scenario.space.do_nothing
    return () if nothing is None else tuple(nothing.tolist())


def _logged(scenario: Scenario) -> bool:
    return any(lever.current == "data" for lever in scenario.levers.values())


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
