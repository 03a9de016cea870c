"""What the value of a recommendation rests on, in plain words that report, dashboard and terminal share."""

from __future__ import annotations

from collections.abc import Iterator

from drivetrain.decisions.rounding import interval, number, with_unit
from drivetrain.evidence import ESTIMATORS, Estimate, Evidence, Trust
from drivetrain.evidence.balance import Check
from drivetrain.evidence.estimators import Witness
from drivetrain.scenario import Scenario

HEADER = ("estimator", "value (95%)", "gain (95%)", "against the doubly robust one")
FEW = 1e-3
_PLAIN = {
    "balance": "Inputs foretell {share:.1%} of {lever} on rows held out (chance alone: so or more in {chance}){draw}.",
    "propensity": "Settings are as common among all kinds of rows as their declared chances say (chance alone: so or "
    "more in {chance}).",
    "negative_control": "{about}, which {lever} cannot have changed, does not go along with it (chance alone: so or "
    "more in {chance}).",
    "placebo_outcome": "{lever} is not tied to what inputs alone foretell of the objective (chance alone: so or more "
    "in {chance}).",
    "placebo_lever": "A shuffled {lever} seems to matter in {value:.1%} of 200 trials; 5% are to be expected.",
    "random_cause": "One more input, of noise, moves the effect of {lever} by {value:.2f} standard errors.",
    "orthogonal": "Outcome models and the orthogonal learner agree on how levers act (chance alone: so or more in "
    "{chance}).",
}
_ALARMS = {
    "balance": "Declared as drawn at random, but inputs foretell {share:.1%} of {lever} on rows held out, {about} most "
    "(chance alone: {chance}): it is treated as chosen by people.",
    "propensity": "Settings are not as common as their declared chances say{most} (chance alone: {chance}).",
    "negative_control": "{about}, which {lever} cannot have changed, goes along with it all the same (chance alone: "
    "{chance}): something that the inputs do not hold moves both.",
    "placebo_outcome": "What inputs alone foretell of the objective is tied to {lever}, even to what they leave of it "
    "(chance alone: {chance}): its effect may be overstated or understated by that.",
    "placebo_lever": "A shuffled {lever} seems to matter in {value:.1%} of trials: intervals are too narrow here.",
    "random_cause": "One more input, of noise, moves the effect of {lever} by {value:.1f} standard errors.",
    "orthogonal": "The orthogonal learner reads the levers' effect otherwise than the outcome models (chance alone: "
    "{chance}): {so}.",
    "direction": "By the outcome models the best {lever} gains, by the orthogonal learner it loses (chance alone: "
    "{chance}): which way is better hangs on how rows came to their settings.",
}
SERIOUS = frozenset({"balance", "propensity", "negative_control", "direction"})
"""Alarms that lower the grade."""


def alarms(scenario: Scenario, evidence: Evidence) -> list[str]:
    """What speaks gravely against the value, a sentence a line; nothing where nothing does."""
    if evidence.trust is None:
        return []
    told = [_told(scenario, check) for check in evidence.trust.checks if check.alarm and check.kind in SERIOUS]
    return [*told, *_fragile(evidence.trust)]


def sentences(scenario: Scenario, evidence: Evidence) -> list[str]:
    """All that stands behind the value of the recommended policy, a sentence a line."""
    trust = evidence.trust
    if trust is None:
        return []
    return [
        *_design(scenario, trust),
        *_estimators(trust),
        *_overlap(scenario, trust),
        *_sensitivity(scenario, trust),
        *_second(scenario, trust),
        *first(scenario, evidence),
    ]


def lines(evidence: Evidence) -> list[list[str]]:
    """The table under `HEADER`: what every estimator says of the recommended policy."""
    out = []
    for each in evidence.trust.beside.witnesses if evidence.trust else ():
        name, gain = ESTIMATORS[each.name], "–" if each.gain is None else _between(each.gain)
        out.append([name[:1].upper() + name[1:], _between(each.value), gain, _against(each)])
    return out


def _between(estimate: Estimate) -> str:
    value, low, high = interval(estimate)
    return f"{value} ({low} to {high})"


def _against(witness: Witness) -> str:
    if witness.name == "dr":
        return "–"
    if witness.smoothed:
        return "rough: takes settings near for it"
    return "disagrees" if witness.disagrees else "agrees"


def _design(scenario: Scenario, trust: Trust) -> Iterator[str]:
    """Where propensities came from, and what the tests of the design say."""
    if trust.clusters is not None:
        yield f"Intervals count {trust.clusters:,} people or places, to which the {trust.rows:,} rows belong."
    told = {
        "declared": "The chance of each row's setting was declared.",
        "strata": "Chances are the shares of settings among all rows, or within the strata of the draw.",
        "learned": f"Chances were learned from the inputs: {_pooled(trust)}, as each foretold rows held out.",
    }
    yield told[trust.source]
    if trust.foretold:
        which = ", ".join(trust.foretold)
        yield (
            f"Outcome models were told what inputs foretell of {which}, so that they need not take a setting for what "
            "led to it. Assumed all the same: the inputs hold everything that moved both."
        )
    yield from (line for check in trust.checks if (line := _told(scenario, check)))


def _pooled(trust: Trust) -> str:
    kept = sorted(trust.laws.items(), key=lambda each: -each[1])
    return ", ".join(f"{share:.0%} {name}" for name, share in kept if share >= 0.005)


def _told(scenario: Scenario, check: Check) -> str:
    """One check as a sentence."""
    words = (_ALARMS if check.alarm else _PLAIN).get(check.kind, "")
    drawn = scenario.assignment.design == "randomised"
    return words.format(
        lever=check.lever,
        about=check.about,
        value=check.value,
        share=max(0.0, check.value),
        chance=_often(check.chance),
        most=f", most by {check.about}" if check.about else "",
        draw=", as befits a draw" if drawn else "",
        so="the models miss some of it" if drawn else "they may mistake who got a setting for what it does",
    )


def _often(chance: float | None) -> str:
    if chance is None:
        return ""
    return f"fewer than {FEW:.1%} of cases" if chance < FEW else f"{chance:.1%} of cases"


def _estimators(trust: Trust) -> Iterator[str]:
    others = [each for each in trust.beside.witnesses if each.name not in {"dr", "direct"} and not each.smoothed]
    against = [each for each in others if each.disagrees]
    dr = next(each for each in trust.beside.witnesses if each.name == "dr")
    if against:
        named = ", ".join(f"{ESTIMATORS[each.name]} ({number(each.value.value)})" for each in against)
        yield f"Estimators disagree: against the doubly robust {number(dr.value.value)} stand {named}."
    else:
        low, high = (f(each.value.value for each in others) for f in (min, max))
        yield f"Estimators agree: {number(low)} to {number(high)}, against the doubly robust {number(dr.value.value)}."
    models = next(each for each in trust.beside.witnesses if each.name == "direct")
    if models.disagrees:
        more = "more" if models.difference.value > 0 else "less"
        by = number(abs(models.difference.value))
        yield f"Models alone would say {by} {more} than what was observed bears out, beyond chance."


def _overlap(scenario: Scenario, trust: Trust) -> Iterator[str]:
    over, unit = trust.overlap, scenario.objective.unit
    loudest = f"the loudest has {over.largest:.1%} of the say"
    yield f"About {number(over.effective)} rows speak for the recommended policy; {loudest}."
    if over.unlikely >= 0.01:
        yield f"For {over.unlikely:.0%} of rows the recommended setting was unlikely, given their inputs."
    if over.clipped:
        cost = with_unit(number(over.clipping.value), unit)
        yield f"The chances of {over.clipped:.1%} of them were raised to 1%, which changes the value by {cost}."
    if trust.width != 1.0:
        yield f"Rows count for settings {trust.width:g} times as far from theirs as usual: wider kernels say otherwise."


def _sensitivity(scenario: Scenario, trust: Trust) -> Iterator[str]:
    told = trust.beside.sensitivity
    if told is None or all(grade == "randomised" for grade in trust.grades.values()):
        return
    yield (
        f"To bring the gain to nothing, something unrecorded would have to explain {told.robustness:.1%} of what is "
        f"left unexplained of both objective and settings ({told.robustness_interval:.1%} to leave it in doubt)."
    )
    if told.times is not None and told.strongest:
        unit = scenario.objective.unit
        most = "any amount" if told.bias is None else f"at most {with_unit(number(told.bias), unit)}"
        yield (
            f"That is {number(told.times, 2)} times as strong as {told.strongest}, the strongest of the inputs; one as "
            f"strong as that could shift the gain by {most}."
        )


def _fragile(trust: Trust) -> Iterator[str]:
    told = trust.beside.sensitivity
    drawn = all(grade == "randomised" for grade in trust.grades.values())
    if drawn or told is None or told.times is None or told.times >= 1:
        return
    yield f"An influence that nobody recorded, as strong as {told.strongest}, could bring the gain to nothing."


def _second(scenario: Scenario, trust: Trust) -> Iterator[str]:
    beside, unit = trust.beside, scenario.objective.unit
    if beside.relative is not None:
        value, low, high = (_percent(at) for at in (beside.relative.value, beside.relative.low, beside.relative.high))
        yield f"The gain is {value} of what the policy of comparison is worth (95% interval {low} to {high})."
    for what, (least, most) in beside.bootstrap.items():
        yield f"By the bootstrap the {what} lies between {number(least)} and {with_unit(number(most), unit)} (95%)."


def first(scenario: Scenario, evidence: Evidence) -> Iterator[str]:
    """Whether it matters who comes first, and how much."""
    told, unit = evidence.uplift, scenario.objective.unit
    if told is None:
        return
    if told.qini.low <= 0:
        yield "Whom to act on first cannot be told: rows that models put in front gained no more than others."
        return
    half, whole = with_unit(number(told.half.value), unit), number(told.whole.value)
    yield (
        f"Whom to act on first matters: the better half of rows brings {half} of the {whole} that all bring together "
        f"(area under the curve, AUUC, {_between(told.area)}; Qini coefficient {_between(told.qini)})."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
