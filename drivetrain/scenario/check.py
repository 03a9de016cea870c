"""Whether the parts of a scenario fit together: names, formulas, columns, the order of outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from keyword import iskeyword
from typing import TYPE_CHECKING

from drivetrain.errors import nearest
from drivetrain.formula import FUNCTIONS, Formula
from drivetrain.scenario import pulling
from drivetrain.scenario.constraints import KEYS, Constraint, Key
from drivetrain.scenario.declaration import Flaw, Path
from drivetrain.scenario.groups import MISSING, bands
from drivetrain.scenario.levers import Continuous, Integer

if TYPE_CHECKING:
    from drivetrain.scenario.root import Scenario

GROUPS = ("parameters", "levers", "inputs", "outcomes")
COST = "cost"


def flaws(scenario: Scenario, faulty: frozenset[str] = frozenset()) -> Iterator[Flaw]:
    """Everything that does not fit.

    Args:
        scenario: the scenario; parts that are faulty in themselves may be left out of it.
        faulty: names whose declarations are faulty, so that using them is no second fault.
    """
    yield from _names(scenario)
    for path, formula in formulas(scenario):
        yield from _formula(scenario, faulty, path, formula)
    yield from _effects(scenario, faulty)
    yield from _change(scenario)
    yield from pulling.flaws(scenario, faulty)
    yield from _outcomes(scenario, faulty)
    yield from _implicit(scenario)
    yield from _inputs(scenario, faulty)
    yield from _columns(scenario)
    yield from _constraints(scenario)
    yield from _split(scenario, faulty)


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


def _names(scenario: Scenario) -> Iterator[Flaw]:
    seen: dict[str, str] = {}
    for group in GROUPS:
        for name in getattr(scenario, group):
            if name in seen:
                rule = "Levers, inputs, outcomes and parameters share one set of names"
                yield Flaw((group, name), f"found the name {name!r}, also in {seen[name]}", rule, "Rename one.", True)
            seen[name] = group
            if iskeyword(name) or name in FUNCTIONS or name == COST:
                rule = "Python's words, formula functions and 'cost' are taken"
                yield Flaw((group, name), f"found the name {name!r}", rule, f"Write {name}_1, say.", True)
    for place, beside in enumerate(scenario.objective.beside if scenario.objective else ()):
        if beside.name in seen:
            path: Path = ("objective", "beside", place, "name")
            yield Flaw(
                path, f"found the name {beside.name!r}, also in {seen[beside.name]}", "Names are unique", "Rename one."
            )


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
        yield Flaw(path, found, rule, f"Write {value / 100:g} for {value:g} %.", column=formula.column(text))


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


def _outcomes(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    earlier: list[str] = []
    for name, outcome in scenario.outcomes.items():
        for place, used in enumerate(outcome.uses):
            yield from _earlier(scenario, faulty, ("outcomes", name, "uses", place), used, earlier)
        if outcome.when is not None:
            path: Path = ("outcomes", name, "when")
            yield from _earlier(scenario, faulty, path, outcome.when, earlier)
            if outcome.when in earlier and scenario.outcomes[outcome.when].kind != "binary":
                yield Flaw(path, f"found {outcome.when!r}", "It must be a binary outcome")
        earlier.append(name)


def _implicit(scenario: Scenario) -> Iterator[Flaw]:
    """No's are drawn among the options of one lever, and what else comes of a decision hangs on the yes."""
    if (name := scenario.implicit) is None:
        return
    path: Path = ("outcomes", name, "negatives")
    if list(scenario.open) != list(scenario.levers) or len(scenario.levers) != 1:
        rule = "No's are drawn among the options that the data shows of the only lever"
        yield Flaw(path, f"found the levers {', '.join(scenario.levers)}", rule, "Give it alone, with options: data.")
    if not scenario.inputs:
        yield Flaw(path, "found no inputs", "They tell who has had what", "Declare who decides as an input.")
    for other, each in scenario.outcomes.items():
        if other != name and (each.when != name or each.negatives is not None):
            rule = f"Of what is drawn nothing else is known, so it must exist only where {name} is yes"
            yield Flaw(("outcomes", other, "when"), f"found {each.when!r}", rule, f"Write when: {name}.")


def _earlier(scenario: Scenario, faulty: frozenset[str], path: Path, used: str, earlier: list[str]) -> Iterator[Flaw]:
    if used in earlier or used in faulty:
        return
    if used in scenario.outcomes:
        rule = "Outcomes follow one another in the order of their declaration"
        yield Flaw(path, f"found {used!r}, which is not earlier", rule, f"Declare {used} before it.")
    else:
        yield Flaw(path, f"found the unknown outcome {used!r}", "It must be an earlier outcome", nearest(used, earlier))


def _inputs(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    timed = scenario.data and scenario.data.split.by == "time"
    for name, declared in scenario.inputs.items():
        if declared.adstock is not None and not timed:
            rule = "What earlier periods left behind needs the order of rows"
            yield Flaw(
                ("inputs", name, "adstock"), "found it without a split by time", rule, "Say split: {by: time}.", True
            )
    words = {("assignment", "within"): scenario.assignment.within, ("decide", "by"): scenario.decide.by}
    for path, names in words.items():
        for place, name in enumerate(names):
            if name not in scenario.inputs.keys() | faulty:
                yield Flaw((*path, place), f"found {name!r}", "It must be an input", nearest(name, scenario.inputs))
    known = scenario.inputs.keys() | scenario.outcomes.keys()
    for place, name in enumerate(scenario.assignment.negative_controls):
        if name not in known | faulty:
            at: Path = ("assignment", "negative_controls", place)
            yield Flaw(at, f"found {name!r}", "It must be an input or an outcome", nearest(name, sorted(known)))
    yield from _grouping(scenario, faulty)


def _grouping(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """What makes segments and groups must be inputs of few values, and bounds must be of such values."""
    words: list[tuple[Path, tuple[str, ...]]] = [(("decide", "by"), scenario.decide.by)]
    words += [(("decide", "shared", lever), by) for lever, by in scenario.decide.shared.items()]
    words += [(("constraints", place, "by"), each.by) for place, each in enumerate(scenario.constraints)]
    words += [(("fairness", place, "by"), (each.by,)) for place, each in enumerate(scenario.fairness)]
    for path, names in words:
        for place, name in enumerate(names):
            declared = scenario.inputs.get(name)
            at: Path = path if path[0] == "fairness" else (*path, place)
            if declared is None and name not in faulty and path != ("decide", "by"):
                yield Flaw(at, f"found {name!r}", "It must be an input", nearest(name, scenario.inputs))
            if declared is not None and declared.kind == "numeric" and not declared.bins:
                rule = "A number has too many values to make groups"
                cure = f"Cut it, with bins: [NUMBER, ...] in inputs.{name}; or declare it categorical."
                yield Flaw(at, f"found the numeric input {name!r}", rule, cure)
    for name in scenario.decide.shared:
        if name not in scenario.levers.keys() | faulty:
            cure = nearest(name, scenario.levers)
            yield Flaw(("decide", "shared", name), f"found {name!r}", "It must be a lever", cure, True)
    if scenario.levers and scenario.decide.shared.keys() >= scenario.levers.keys():
        rule = "Some lever must be left to each row or segment"
        yield Flaw(("decide", "shared"), "found all levers", rule, "Use unit instead.", True)
    for place, each in enumerate(scenario.constraints):
        yield from _bound_groups(scenario, ("constraints", place), each)


def _bound_groups(scenario: Scenario, path: Path, constraint: Constraint) -> Iterator[Flaw]:
    """Bounds for values that an input surely does not have."""
    declared = scenario.inputs.get(constraint.by[0]) if len(constraint.by) == 1 else None
    known = () if declared is None else ("yes", "no") if declared.kind == "yes_no" else bands(declared)
    for key in KEYS:
        bound = getattr(constraint, key)
        for group in bound if isinstance(bound, dict) and known else ():
            if group not in (*known, MISSING):
                rule = f"It must be one of the groups of {constraint.by[0]}"
                yield Flaw((*path, key, group), f"found {group!r}", rule, nearest(group, known), True)


def _columns(scenario: Scenario) -> Iterator[Flaw]:
    """No column plays two roles: an input that is an outcome would leak it into its own prediction."""
    owners: dict[str, str] = {}
    dated: set[str] = set()
    measured = {each.column or name for name, each in scenario.outcomes.items() if each.above is not None}
    for group in ("levers", "outcomes", "inputs"):
        for name, each in getattr(scenario, group).items():
            if getattr(each, "adstock", None) is not None:
                continue  # the past of a column, which is not the column
            column = each.column or name
            two_sides = column in measured and group == "outcomes" and owners.get(column, "").startswith("outcome")
            if getattr(each, "of_date", None) is not None:  # several may be parts of one column's dates
                two_sides = column in dated
                dated.add(column)
            if column in owners and not two_sides:
                path = (group, name, "column") if each.column else (group, name)
                found = f"found the column {column!r}, which is also that of {owners[column]}"
                yield Flaw(path, found, "A column has one role", "Remove one of the two.", not each.column)
            owners.setdefault(column, f"{group[:-1]} {name!r}")
    if (propensity := scenario.assignment.propensity) in owners:
        found = f"found the column {propensity!r}, which is also that of {owners[str(propensity)]}"
        yield Flaw(("assignment", "propensity"), found, "A column has one role", "Name the column of probabilities.")
    if scenario.data and (weight := scenario.data.weight) in owners:
        found = f"found the column {weight!r}, which is also that of {owners[str(weight)]}"
        yield Flaw(("data", "weight"), found, "A column has one role", "Name the column that says how much rows count.")


def _split(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    split = scenario.data.split if scenario.data else None
    if split and split.by == "stratified" and split.column is None and not scenario.outcomes and not faulty:
        rule = "A stratified split needs an outcome, or the column to mix evenly"
        yield Flaw(("data", "split", "by"), "found no outcome to stratify by", rule, "Add column, or say by: random.")


def _constraints(scenario: Scenario) -> Iterator[Flaw]:
    names: list[str] = []
    for place, constraint in enumerate(scenario.constraints):
        if constraint.name in names:
            yield Flaw(("constraints", place, "name"), f"found {constraint.name!r} twice", "Constraints have own names")
        names.append(constraint.name)
        lever = scenario.levers.get(constraint.formula.text)
        if constraint.over in {"each", "mean"} and isinstance(lever, Continuous | Integer):
            yield from _bounds(("constraints", place), lever, constraint)


def _bounds(path: Path, lever: Continuous | Integer, constraint: Constraint) -> Iterator[Flaw]:
    for at, most in _each_bound(constraint, "at_most"):
        if most < lever.min:
            yield Flaw((*path, *at), f"found {most:g}", f"The lever's lowest setting is {lever.min:g}")
    for at, least in _each_bound(constraint, "at_least"):
        if least > lever.max:
            yield Flaw((*path, *at), f"found {least:g}", f"The lever's highest setting is {lever.max:g}")


def _each_bound(constraint: Constraint, key: Key) -> Iterator[tuple[Path, float]]:
    bound = getattr(constraint, key)
    if isinstance(bound, dict):
        yield from (((key, group), value) for group, value in bound.items())
    elif bound is not None:
        yield (key,), bound
