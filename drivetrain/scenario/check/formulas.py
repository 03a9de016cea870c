"""Whether formulas mean something: known names, options that exist, numbers as numbers, rates as shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from drivetrain.errors import nearest
from drivetrain.formula import Formula
from drivetrain.scenario.declaration import Flaw, Path

if TYPE_CHECKING:
    from drivetrain.scenario.root import Scenario

COST = "cost"


def flaws(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """What does not fit; arguments as of `check.flaws`."""
    for path, formula in formulas(scenario):
        yield from _formula(scenario, faulty, path, formula)
    yield from _effects(scenario, faulty)
    yield from _change(scenario)


def formulas(scenario: Scenario) -> Iterator[tuple[Path, Formula]]:
    """Every formula of a scenario and its path."""
    if scenario.objective:
        key = "maximise" if scenario.objective.sign > 0 else "minimise"
        yield ("objective", key), scenario.objective.formula
        if scenario.objective.change is not None:
            yield ("objective", "change"), scenario.objective.change
        for place, beside in enumerate(scenario.objective.beside):
            key = "maximise" if beside.sign > 0 else "minimise"
            yield ("objective", "beside", place, key), beside.formula
    for name, lever in scenario.levers.items():
        if isinstance(lever.cost, dict):
            yield from ((("levers", name, COST, option), cost) for option, cost in lever.cost.items())
        elif lever.cost:
            yield ("levers", name, COST), lever.cost
        for key in ("when", "at_most", "at_least"):
            if (formula := getattr(lever, key, None)) is not None:
                yield ("levers", name, key), formula
    yield from _bounds_of(scenario)


def _bounds_of(scenario: Scenario) -> Iterator[tuple[Path, Formula]]:
    """The formulas that are bounded."""
    for place, constraint in enumerate(scenario.constraints):
        if constraint.ratio:
            yield ("constraints", place, "ratio", "of"), constraint.ratio.of
            yield ("constraints", place, "ratio", "to"), constraint.ratio.to
        else:
            yield ("constraints", place, constraint.over), constraint.formula
    for place, fair in enumerate(scenario.fairness):
        if fair.of is not None:
            yield ("fairness", place, "of"), fair.of


def _formula(scenario: Scenario, faulty: frozenset[str], path: Path, formula: Formula) -> Iterator[Flaw]:
    own_cost = path[0] == "levers"
    known = scenario.names | faulty | ({COST} if scenario.cost and not own_cost else set())
    known |= set(_remembered(scenario)) if path == ("objective", "change") else set()
    for name in sorted(formula.names - known):
        rule = "A formula uses declared levers, inputs, outcomes, parameters"
        cure = nearest(name, sorted(known))
        if name == COST:
            cure = "Write out the other lever's cost." if own_cost else "Give some lever a cost."
        yield Flaw(path, f"found the unknown name {name!r}", rule, cure, column=formula.column(name))
    for name in sorted(formula.numeric & _categories(scenario)):
        rule = "A category is no number"
        yield Flaw(path, f"found {name!r} as a number", rule, f"Write {name} == 'option'.", column=formula.column(name))
    for name, texts in sorted(formula.compared.items()):
        for text in sorted(texts):
            yield from _comparison(scenario, faulty, path, formula, name, text)
    yield from _rates(scenario, path, formula)


def _rates(scenario: Scenario, path: Path, formula: Formula) -> Iterator[Flaw]:
    """Rates of interest and chances of renewal are shares: 0.07, not 7."""
    calls = [("rate", each[1]) for each in formula.arguments("annuity")]
    calls += [("renewal", each[2]) for each in formula.arguments("annuity") if len(each) > 2]
    calls += [("rate", each[2]) for each in formula.arguments("present_value")]
    for what, text in calls:
        named = scenario.parameters.get(text)
        value = named.value if named is not None else _number(text)
        if value is None or (-0.5 < value < 1 if what == "rate" else 0 <= value <= 1):
            continue
        rule = "A rate of interest is a share a period" if what == "rate" else "A chance of renewal lies from 0 to 1"
        found = f"found a {what} of {value:g}" + (f", the parameter {text!r}" if named is not None else "")
        yield Flaw(path, found, rule, f"Write {value / 100:g} for {value:g}%.", column=formula.column(text))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _comparison(
    scenario: Scenario, faulty: frozenset[str], path: Path, formula: Formula, name: str, text: str
) -> Iterator[Flaw]:
    column = formula.column(name)
    options = scenario.options.get(_remembered(scenario).get(name, name))
    if options is not None and text not in options:
        rule = f"It must be an option of {name!r}"
        yield Flaw(path, f"found the unknown option {text!r}", rule, nearest(text, options), column=column)
    elif name in scenario.names - faulty and name not in _categories(scenario):
        found = f"found {name!r} compared with the text {text!r}"
        yield Flaw(path, found, "Only categories compare with texts", "Compare it with a number.", column=column)


def _categories(scenario: Scenario) -> frozenset[str]:
    declared = {**scenario.levers, **scenario.inputs, **scenario.outcomes}
    known = {**declared, **{name: scenario.levers[lever] for name, lever in _remembered(scenario).items()}}
    return frozenset(name for name, each in known.items() if each.kind == "categorical")


def _remembered(scenario: Scenario) -> Mapping[str, str]:
    """As of `Scenario.remembered`, where the objective may be faulty."""
    return scenario.remembered if scenario.objective else {}


def _change(scenario: Scenario) -> Iterator[Flaw]:
    """What a change costs is known when it is made, and of settings that are known."""
    if not scenario.objective or scenario.objective.change is None:
        return
    path: Path = ("objective", "change")
    for name in sorted(scenario.expand(scenario.objective.change).names & scenario.outcomes.keys()):
        rule = "What a change costs is known when it is made: it hangs on levers, inputs and parameters"
        yield Flaw(path, f"found the outcome {name!r} in it", rule, column=scenario.objective.change.column(name))
    for name in sorted(scenario.remembered.keys() & scenario.names):
        rule = f"It is what the current setting of {scenario.remembered[name]} is called"
        yield Flaw(path, f"found {name!r} declared beside it", rule, f"Rename {name}.", True)
    if scenario.slots > 1:
        rule = "Of several options it is not known which take the place of the current one"
        yield Flaw(path, "found it beside choose", rule, "Remove one of the two.", True)


def _effects(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """The objective and every constraint must hang on a lever or an outcome."""
    for path, formula in formulas(scenario):
        names = scenario.expand(formula).names
        if path[-2:] == ("ratio", "to") or path == ("objective", "change"):  # such as the rows' size, or a fee
            continue
        if path[0] == "levers" or names & (scenario.levers.keys() | scenario.outcomes.keys() | faulty):
            continue
        if names <= scenario.names:
            yield Flaw(path, "found no lever and no outcome in it", "No setting could change its value")
