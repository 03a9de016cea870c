"""What a run found, in plain words: the sentences that the report, the dashboard and the command line share.

Numbers are rounded to what their intervals bear, at most three significant digits; a flat top is called flat, and an
interval that does not clear the comparison says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from drivetrain.decisions.promise import Promise
from drivetrain.decisions.rounding import interval, number, roughly, setting, span, summed, sure, with_unit
from drivetrain.evidence import KEPT, NAMES, Evidence, Judged
from drivetrain.optimizer import Certificate, Guard
from drivetrain.scenario import Scenario

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


UNSEEN_ALONE = (
    "The data speaks for no settings that differ in one of these alone, only for some of their combinations. What "
    "models expect of it stands on the Levers page, or is asked with drivetrain simulate."
)
"""Why a lever has no curve of honest values."""


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


def one(scenario: Scenario) -> str:
    """What values are told of: `one row`; where rows get several options, `one slot`."""
    return "one slot" if scenario.slots > 1 else "one row"


def amount(scenario: Scenario, what: str) -> str:
    """The label of an amount for one row: `Value` where the unit says of what each is, else `Value of one row`."""
    alone = scenario.slots == 1 and " per " in scenario.objective.unit
    return what if alone else f"{what} of {one(scenario)}"


def reference(evidence: Evidence) -> str | None:
    """The policy that a recommendation is compared with: doing nothing, else the current one."""
    known = {*evidence.gains, evidence.recommended}
    return next((name for name in ("do_nothing", "current") if name in known), None)


def _also_kept(scenario: Scenario, evidence: Evidence) -> list[str]:
    """What else one could leave as it is, beside the policy of comparison; not an experiment that was."""
    beside, drawn = reference(evidence), scenario.assignment.design == "randomised" and _logged(scenario)
    return [name for name in KEPT if name in evidence.gains and name != beside and not (name == "current" and drawn)]


def kept_rivals(scenario: Scenario, evidence: Evidence) -> list[str]:
    """What else could be left as it is and is not clearly worse than the recommendation, a sentence each."""
    unit, told = scenario.objective.unit, list[str]()
    for name in () if evidence.grade == "unsupported" else _also_kept(scenario, evidence):
        gain = evidence.gains[name]
        if gain.low <= 0:
            how = "looks better" if gain.value < 0 else "is not clearly worse"
            worth = span(evidence.policy(name).estimate, unit)
            value, low, high = interval(gain)
            told.append(
                f"{policy(scenario, name).capitalize()} {how}, at {worth}: against it the gain is "
                f"{with_unit(value, unit)} ({low} to {high})."
            )
    return told


def action(scenario: Scenario, evidence: Evidence) -> str:
    """What is recommended, as a clause: `Set incentive to 0.09 USD for everyone`."""
    name = evidence.recommended
    if name == "do_nothing":
        return f"Leave things alone ({everything(scenario, nothing(scenario))})"
    if name == "current":
        return "Keep the current policy"
    if scenario.slots > 1:
        return _several(scenario, evidence)
    levers = listed(list(scenario.levers))
    if name == "single":
        return "Set " + everything(scenario, evidence.single, " to ") + " for everyone"
    if name == "tree" and evidence.tree is not None:
        return f"Set {levers} for each of {len(evidence.tree.leaves)} groups"
    if name == "smoothed":
        return f"Set {levers} for each row, smoothed over rows that are alike"
    shared = listed(list(scenario.decide.shared)) if scenario.decide.shared else ""
    own = listed([each for each in scenario.levers if each not in scenario.decide.shared])
    whom = f"each {' and '.join(scenario.decide.sharing)} alike" if scenario.decide.sharing else "everyone alike"
    alike = f"{shared} for {whom}, and " if shared else ""
    return f"Set {alike}{own} for each {'row' if name == 'row' else ' and '.join(scenario.decide.by)} on its own"


def _several(scenario: Scenario, evidence: Evidence) -> str:
    """The same where rows get several options."""
    lever, options = next(iter(scenario.levers)), next(iter(scenario.options.values()))
    if evidence.recommended == "single":
        idle = nothing(scenario)
        named = [options[int(code)] for code in evidence.slots if code not in idle]
        return f"Choose {listed(named) if named else 'none'} as {lever} for all"
    whom = "row" if evidence.recommended == "row" else " and ".join(scenario.decide.by)
    return f"Choose up to {scenario.slots} options of {lever} for each {whom} on its own"


def headline(scenario: Scenario, evidence: Evidence, promise: Promise | None = None) -> str:
    """The recommendation in a sentence or two: what, its gain with interval, and whether it is flat.

    Args:
        scenario: what was asked.
        evidence: what policies are worth.
        promise: what the recommended settings are worth for some rows together; left out where not known.
    """
    return " ".join(advice(scenario, evidence, promise))


def advice(scenario: Scenario, evidence: Evidence, promise: Promise | None = None) -> tuple[str, str]:
    """The headline's two halves: what to do, and what that is worth."""
    kept, beside, what = evidence.recommended in KEPT, reference(evidence), action(scenario, evidence)
    if not kept and beside is not None and evidence.gains[beside].value <= 0:
        what = f"Only as a test: {what[:1].lower()}{what[1:]}"
    parts = [_worth(scenario, evidence)]
    kept |= evidence.grade == "unsupported"
    if not kept and promise is not None and promise.gain is not None and promise.gain.error > 0:
        value, low, high = interval(promise.gain)
        total = with_unit(value, summed(scenario.objective.unit))
        parts.append(f"Summed over the {promise.rows:,} rows that is {total} ({low} to {high}).")
    return f"{what}{_how_flat(scenario, evidence)}.", " ".join(parts)


def stance(scenario: Scenario, evidence: Evidence) -> Stance:
    """Whether to act, to test first, or to leave things as they are."""
    beside = reference(evidence)
    if evidence.recommended in KEPT:
        return Stance("leave", "Change nothing", f"Nothing else {_that_may(scenario, evidence)}is clearly better.")
    if beside is None:
        return Stance("test", "Test first", "There is no policy to compare with: declare do_nothing in the scenario.")
    than = policy(scenario, beside)
    if evidence.grade == "unsupported":
        return Stance("test", "Test first", "Hardly a row shows what is recommended: its worth is the models' opinion.")
    if evidence.chosen.thin:
        return Stance("test", "Test first", f"Too few events to rank policies by: {events(evidence.chosen)}.")
    if evidence.gains[beside].value <= 0:
        reason = f"Rows that the models had not seen show no gain over {than}; a randomised test would settle it."
        return Stance("test", "Test first", reason)
    if unclear := [name for name in (beside, *_also_kept(scenario, evidence)) if evidence.gains[name].low <= 0]:
        than = policy(scenario, unclear[0])
        return Stance("test", "Test first", f"The interval of the gain does not clear {than}.")
    if evidence.grade != "randomised":
        return Stance("test", "Test first", "The gain looks clear, but the data was not randomised.")
    return Stance("act", "Act on it", f"The whole interval of the gain lies above {than}, on randomised data.")


def certified(scenario: Scenario, certificate: Certificate | None) -> str:
    """How much better any other single setting could be, as the models see it; empty where that is not known.

    Args:
        scenario: what was asked.
        certificate: of the plan; a gap of half of the value or more says nothing, and is not told.
    """
    if certificate is None or certificate.gap >= 0.5 * abs(certificate.value):
        return ""
    share = 100 * certificate.gap / abs(certificate.value)
    most = with_unit(number(certificate.gap, 2), scenario.objective.unit)
    percent = "0.1" if share < 0.1 else f"{ceil(10 * share) / 10:g}"
    return f"No setting can be more than {percent}% better ({most}), as the models see it: that is proved."


def guarded(scenario: Scenario, guard: Guard | None) -> str:
    """What the guard of support costs, as a sentence; empty where it costs next to nothing, or that was not asked."""
    if guard is None or guard.price < 0.001 * abs(guard.kept):
        return ""
    what = with_unit(number(guard.price, 2), scenario.objective.unit)
    return (
        f"Settings that the data cannot speak for are refused. Models would expect {what} more of them "
        f"({guard.beyond:.0%} of rows would get one), and nothing confirms that: an experiment there would tell."
    )


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
    ('the best of the settings tried', 'at most 0.00032% below the best choice among the settings tried')
    """
    if gap == 0:
        return "the best of the settings tried"
    return f"at most {100 * gap:.2g}% below the best choice among the settings tried"


def inflation(scenario: Scenario, evidence: Evidence) -> str:
    """The models' own promise of the recommended policy beside its honest value, as a sentence."""
    chosen, unit = evidence.chosen, scenario.objective.unit
    if evidence.recommended == "current":
        return ""
    promised, worth = (
        f"The models themselves promise {with_unit(number(chosen.naive), unit)} of it",
        span(chosen.estimate),
    )
    if chosen.scored is None or number(chosen.scored.value) == number(chosen.estimate.value):
        return f"{promised}; on rows that they had not seen it is worth {worth}."
    return (
        f"{promised}; on rows that they had not seen its scores come to {number(chosen.scored.value)}; without the "
        f"luck of having been chosen it is worth {worth}."
    )


def _worth(scenario: Scenario, evidence: Evidence) -> str:
    """The gain over the reference, or that there is none to speak of."""
    beside, unit, sign = reference(evidence), scenario.objective.unit, scenario.objective.sign
    if scenario.slots > 1:
        unit = f"{unit} per slot".strip()
    if evidence.recommended in KEPT:
        other = f"No other policy {_that_may(scenario, evidence)}is clearly better"
        return f"{other} than {span(evidence.chosen.estimate, unit)}."
    if beside is None:
        return f"It is worth {span(evidence.chosen.estimate, unit)}."
    gain, than = evidence.gains[beside], policy(scenario, beside)
    if evidence.grade == "unsupported":
        expected, seen = (number(evidence.policy(name).estimate.value) for name in (evidence.recommended, beside))
        return (
            f"Models expect {with_unit(expected, unit)} of it, and {seen} was seen so far; the data cannot confirm it."
        )
    if gain.value <= 0:
        told = span(gain, unit)
        hoped = sign * (evidence.chosen.naive - evidence.policy(beside).naive)
        if hoped <= (gain.high - gain.value) / 100:  # less than its last digit
            return f"Nothing shows that it is better than {than}: the gain is {told}."
        return (
            f"Models expect it to be better than {than} by {with_unit(number(hoped, 2), unit)}, but rows that they had "
            f"not seen do not bear that out: there the gain is {told}."
        )
    if gain.low <= 0:
        value = interval(gain)[0]
        unsure = f"the 95% interval, {interval(gain)[1]} to {interval(gain)[2]}, does not clear 0"
        return f"That is better than {than} by {with_unit(value, unit)}, but {unsure}."
    more = "more" if sign > 0 else "less"
    return f"Expected: {with_unit(interval(gain)[0], unit)} {more} than {than} ({sure(gain)})."


def passed_over(scenario: Scenario, evidence: Evidence) -> list[Judged]:
    """Policies that look better than the recommended one and may not be recommended; not an experiment that was."""
    if evidence.grade == "unsupported":
        return []
    best, sign = evidence.chosen.estimate.value, scenario.objective.sign
    barred = [each for each in evidence.policies if not each.eligible and each.name not in KEPT]
    return [each for each in barred if sign * (each.estimate.value - best) > 0]


def events(judged: Judged) -> str:
    """How many events speak for a policy for which they are few, as a clause."""
    return f"only about {judged.events or 0:.0f} of the rows that speak for it have the rarer result"


def _that_may(scenario: Scenario, evidence: Evidence) -> str:
    return "that may be recommended " if passed_over(scenario, evidence) else ""


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
    return f" ({listed(told)})" if told else ""


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


def everything(scenario: Scenario, at: tuple[float, ...], between: str = " ") -> str:
    """Each lever with its setting, as a list in words."""
    words = [f"{n}{between}{setting(lever, v)}" for (n, lever), v in zip(scenario.levers.items(), at, strict=True)]
    return listed(words)


def nothing(scenario: Scenario) -> tuple[float, ...]:
    """The setting of each lever that leaves things alone; empty where there is none."""
    settled = scenario.space.do_nothing
    return () if settled is None else tuple(settled.tolist())


def _logged(scenario: Scenario) -> bool:
    return any(lever.current == "data" for lever in scenario.levers.values())


def listed(words: list[str]) -> str:
    """Words as a list: `a, b and c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
