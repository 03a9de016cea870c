"""Whether what levers say of themselves fits the rest of the scenario: effects, conditions, features, slots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from drivetrain.errors import nearest
from drivetrain.scenario.categorical import Categorical
from drivetrain.scenario.declaration import Flaw, Path
from drivetrain.scenario.levers import Continuous, Integer, effect_on

if TYPE_CHECKING:
    from drivetrain.scenario.root import Scenario


def flaws(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """What does not fit; arguments as of `check.flaws`."""
    yield from _shapes(scenario, faulty)
    yield from _own_rules(scenario, faulty)
    yield from _names(scenario)
    yield from _features(scenario)
    yield from _slots(scenario)


def _shapes(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """Declared effects: on outcomes that have an order, and held by some network."""
    ranged = {name: each for name, each in scenario.levers.items() if isinstance(each, Continuous | Integer)}
    for name, lever in ranged.items():
        path: Path = ("levers", name, "effect")
        named = lever.effect if isinstance(lever.effect, dict) else {}
        for outcome in sorted(named.keys() - scenario.outcomes.keys() - faulty):
            cure = nearest(outcome, list(scenario.outcomes))
            yield Flaw((*path, outcome), f"found the unknown outcome {outcome!r}", "It must be an outcome", cure, True)
        for outcome, declared in scenario.outcomes.items():
            if (word := effect_on(lever, outcome)) and declared.kind == "categorical":
                found, rule = (
                    f"found {word}, and {outcome!r} is categorical",
                    "Its options have no order",
                )
                cure = "Remove it." if named else f"Name the outcomes that it is about, as in {{other: {word}}}."
                yield Flaw((*path, outcome) if named else path, found, rule, cure, bool(named))
    if not {"two_tower", "common"} & set(scenario.model.kinds):
        words = {effect_on(lever, outcome) for lever in ranged.values() for outcome in scenario.outcomes} - {""}
        if words and not ("boosting" in scenario.model.kinds and words <= {"increasing", "decreasing"}):
            rule = "two_tower and common hold all effects, boosting only increasing and decreasing ones"
            yield Flaw(
                ("model", "kinds"), "found none that holds the declared effects", rule, "Add two_tower or common."
            )


def _own_rules(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """What levers say of single rows: conditions and bounds over what is known when the lever is set."""
    if scenario.levers and all(lever.frozen for lever in scenario.levers.values()):
        yield Flaw(("levers",), "found only frozen ones", "Something must be left to decide", "Free one.", True)
    inputs = scenario.inputs.keys() | scenario.parameters.keys() | faulty
    frozen = {name for name, lever in scenario.levers.items() if lever.frozen}
    for name, lever in scenario.levers.items():
        for key in ("when", "at_most", "at_least"):
            formula, path = getattr(lever, key, None), ("levers", name, key)
            if formula is None:
                continue
            known = inputs | (scenario.levers.keys() - {name} if key == "when" else frozen)
            for wrong in sorted((formula.names & scenario.names) - known):
                rule = f"It hangs on inputs{' and other levers' if key == 'when' else ''}, known when the lever is set"
                yield Flaw(path, f"found {wrong!r} in it", rule, column=formula.column(wrong))


def _names(scenario: Scenario) -> Iterator[Flaw]:
    """Levers' own rules have names of their own, and what they exclude a column that is known before."""
    taken = {constraint.name for constraint in scenario.constraints}
    after = {scenario.columns[name]: name for name in (*scenario.levers, *scenario.outcomes)}
    for name, lever in scenario.levers.items():
        for key in ("when", "at_most", "at_least", "excluded"):
            own, path = f"{name}_{key}", ("levers", name, key)
            if getattr(lever, key, None) is None:
                continue
            if own in taken:
                rule = f"{own} is what the lever's own rule is called"
                yield Flaw(path, f"found a constraint named {own}", rule, "Rename the constraint.", True)
            if key == "excluded" and own in scenario.names:
                rule = f"{own} is what formulas call what the lever excludes"
                yield Flaw(path, f"found {own!r} declared beside it", rule, f"Rename {own}.", True)
        if (column := getattr(lever, "excluded", None)) in after:
            rule = "What a row must not get is known before the decision"
            yield Flaw(("levers", name, "excluded"), f"found {column!r}, the column of {after[column]!r}", rule)


def _features(scenario: Scenario) -> Iterator[Flaw]:
    """What is known of options has names and columns of its own; options left to the data need a network for them."""
    taken = {column: name for name, column in scenario.columns.items()}
    seen = set(scenario.names)
    for name, (lever, feature) in scenario.features.items():
        path: Path = ("levers", lever, "features", name)
        if name in seen:
            yield Flaw(path, f"found the name {name!r} twice", "Names are unique", "Rename one, and give column.", True)
        if (column := feature.column or name) in taken:
            yield Flaw(path, f"found the column {column!r}, which is also that of {taken[column]!r}", "It has one role")
        seen.add(name)
    if scenario.open and scenario.outcomes and not {"dot", "neural"} & set(scenario.model.kinds):
        rule = f"The many options of {scenario.open[0]!r} need a network with factors for each"
        yield Flaw(("levers", scenario.open[0], "options"), "found data", rule, "Write model: {kinds: [dot]}.")


def _slots(scenario: Scenario) -> Iterator[Flaw]:
    """What is chosen several at a time is the only thing decided, for rows or segments of inputs."""
    for name, lever in scenario.levers.items():
        if not isinstance(lever, Categorical) or lever.choose is None:
            continue
        path: Path = ("levers", name, "choose")
        if others := [other for other, each in scenario.levers.items() if other != name and not each.frozen]:
            rule = "A lever of which several options are chosen is decided alone"
            yield Flaw(path, f"found it beside {', '.join(others)}", rule, "Freeze the others, or leave choose out.")
        if lever.frozen:
            yield Flaw(path, "found it beside frozen", "What is frozen is not decided", "Remove choose.", True)
        if scenario.decide.tree is not None:
            rule = "A tree gives each group one option"
            yield Flaw(path, "found it beside decide.tree", rule, "Say decide: {unit: segment, by: [...]}.")
        if scenario.objective and scenario.objective.risk is not None:
            rule = "Fears do not add up over slots"
            yield Flaw(path, "found it beside objective.risk", rule, "Remove one of the two.")
