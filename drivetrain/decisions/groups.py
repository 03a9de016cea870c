"""The groups that a tree found, in words: who belongs to each, what it gets, and how many it holds."""

from __future__ import annotations

from dataclasses import dataclass

from drivetrain.decisions.rounding import plainly, setting, with_unit
from drivetrain.evidence import Condition, Evidence, Tree
from drivetrain.scenario import Scenario

MOST_NAMED = 5
"""Of a longer list of categories these are named and the others counted."""


@dataclass(frozen=True)
class Group:
    """One group of a tree."""

    who: str
    """Its conditions: `age at most 40 years and village 3 or 7`."""
    gets: str
    """Its settings: `incentive 0.50 USD`."""
    share: float
    """Of the rows that the tree was grown on."""
    setting: tuple[float, ...]
    """[L]."""


def groups(scenario: Scenario, evidence: Evidence) -> list[Group]:
    """The groups of the judged tree, in the order of its questions; none where one group does as well."""
    if (tree := evidence.tree) is None:
        return []
    out = []
    for leaf in tree.leaves:
        node = tree.nodes[leaf]
        who = " and ".join(_words(scenario, each) for each in tree.conditions(leaf))
        levers = zip(scenario.levers.items(), node.setting, strict=True)
        gets = ", ".join(f"{name} {setting(lever, value)}" for (name, lever), value in levers)
        out.append(Group(who, gets, node.share, node.setting))
    return out


def sentences(scenario: Scenario, evidence: Evidence) -> list[str]:
    """A line for each group: who it is, what it gets, its share of rows."""
    return [f"{each.who}: {each.gets} ({each.share:.0%} of rows)" for each in groups(scenario, evidence)]


def question(scenario: Scenario, tree: Tree, node: int) -> str:
    """What a node of the tree asks: `age at most 40 years?`."""
    asked = tree.nodes[node]
    told = Condition(asked.input, None, asked.at_most, asked.among, missing=asked.missing)
    return f"{_words(scenario, told)}?"


def _words(scenario: Scenario, told: Condition) -> str:
    unit = scenario.inputs[told.input].unit
    parts = _answer(told) if scenario.inputs[told.input].kind == "yes_no" else _parts(told, unit)
    open_ended = told.at_most is None and not told.among  # above a number that all have, or other than some
    return f"{told.input} {' and '.join(parts)}" + (" (or not known)" if told.missing and not open_ended else "")


def _answer(told: Condition) -> list[str]:
    return ["no" if told.at_most is not None else "yes"]


def _parts(told: Condition, unit: str) -> list[str]:
    parts = [f"above {with_unit(plainly(told.above), unit)}"] if told.above is not None else []
    parts += [f"at most {with_unit(plainly(told.at_most), unit)}"] if told.at_most is not None else []
    parts += [_listed(told.among)] if told.among else []
    return [*parts, f"other than {_listed(told.others)}"] if told.others else parts


def _listed(values: tuple[str, ...]) -> str:
    named = ", ".join(values[:MOST_NAMED])
    return named if len(values) <= MOST_NAMED else f"{named} or {len(values) - MOST_NAMED} others"
