"""Whether outcomes follow one another, and what is drawn for those that data shows only where they are yes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from drivetrain.errors import nearest
from drivetrain.scenario.declaration import Flaw, Path

if TYPE_CHECKING:
    from drivetrain.scenario.root import Scenario


def flaws(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """What does not fit; arguments as of `check.flaws`."""
    yield from _order(scenario, faulty)
    yield from _implicit(scenario)


def _order(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
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


def _earlier(scenario: Scenario, faulty: frozenset[str], path: Path, used: str, earlier: list[str]) -> Iterator[Flaw]:
    if used in earlier or used in faulty:
        return
    if used in scenario.outcomes:
        rule = "Outcomes follow one another in the order of their declaration"
        yield Flaw(path, f"found {used!r}, which is not earlier", rule, f"Declare {used} before it.")
    else:
        yield Flaw(path, f"found the unknown outcome {used!r}", "It must be an earlier outcome", nearest(used, earlier))


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
