"""The scenario: all declarations together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path as FilePath
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr

from drivetrain.formula import Formula, total, weighted, where_changed
from drivetrain.scenario import check
from drivetrain.scenario.constraints import Constraint
from drivetrain.scenario.declaration import Declaration, Flaw, Many, Name, Text
from drivetrain.scenario.declarations import (
    Assignment,
    Decide,
    Fairness,
    Input,
    ParameterOrNumber,
)
from drivetrain.scenario.levers import Categorical, Feature, Lever, costs
from drivetrain.scenario.models import Model
from drivetrain.scenario.objective import Objective
from drivetrain.scenario.outcomes import Outcome
from drivetrain.scenario.sources import Data
from drivetrain.scenario.space import LeverSpace


class Scenario(Declaration):
    """Everything that a decision problem declares; `load` reads one from a file."""

    version: Literal[1]
    """The version of the scenario language."""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    """A short name for files and folders: small letters, digits and underscores."""
    title: Annotated[str, Field(min_length=1, max_length=200)]
    """The question, in one line."""
    description: Text = ""
    """What it is about, and where the data came from."""
    lesson: Text = ""
    """What others can learn from it; report and gallery tell it."""
    objective: Objective
    """What to make as high, or as low, as possible."""
    parameters: dict[Name, ParameterOrNumber] = Field(default_factory=dict)
    """Numbers that formulas may use by name."""
    levers: Annotated[dict[Name, Lever], Field(min_length=1)]
    """What can be set."""
    inputs: dict[Name, Input] = Field(default_factory=dict)
    """What is known of a row when its decision is made."""
    outcomes: dict[Name, Outcome] = Field(default_factory=dict)
    """What happens afterwards, in the order in which it happens."""
    data: Data
    """Where the rows come from."""
    assignment: Assignment = Assignment()
    """How the settings that the data shows came about."""
    decide: Decide = Decide()
    """What gets one setting."""
    constraints: Annotated[Many[Constraint], Field(max_length=1000)] = ()
    """What must hold."""
    fairness: Annotated[Many[Fairness], Field(max_length=20)] = ()
    """Groups of people between which actions and what comes of them are compared, and how far they may be apart."""
    model: Model = Model()
    """How the networks are built and trained."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """The seed of every random draw."""

    _path: FilePath | None = PrivateAttr(default=None)
    _text: str = PrivateAttr(default="")
    _declared: Scenario | None = PrivateAttr(default=None)

    @property
    def path(self) -> FilePath | None:
        """The file it was read from."""
        return self._path

    @property
    def text(self) -> str:
        """The file's text as read; empty where it was built in Python."""
        return self._text

    @property
    def declared(self) -> Scenario:
        """The scenario as it was written: with its frozen levers, and without the constraints that levers imply."""
        if self._declared is None:
            return self
        kept = self.model_fields_set - {"levers", "inputs", "constraints"}
        return self._declared.model_copy(update={key: getattr(self, key) for key in kept})

    @property
    def folder(self) -> FilePath:
        """The folder that relative paths in it start from."""
        return self._path.parent if self._path else FilePath()

    @property
    def names(self) -> frozenset[str]:
        """The names of its levers, inputs, outcomes and parameters."""
        return frozenset(self.parameters) | frozenset(self.levers) | frozenset(self.inputs) | frozenset(self.outcomes)

    @property
    def options(self) -> Mapping[str, tuple[str, ...]]:
        """Name → declared options, for categorical levers and outcomes, in code order."""
        known = {name: lever for name, lever in self.levers.items() if isinstance(lever, Categorical)}
        levers = {name: lever.options for name, lever in known.items() if lever.options}
        return levers | {name: outcome.options for name, outcome in self.outcomes.items() if outcome.options}

    @property
    def columns(self) -> Mapping[str, str]:
        """Name of a lever, input or outcome → its column in the data."""
        declared = {**self.levers, **self.inputs, **self.outcomes}
        return {name: each.column or name for name, each in declared.items()}

    @property
    def open(self) -> tuple[str, ...]:
        """Levers whose options the data says."""
        return tuple(name for name, each in self.levers.items() if isinstance(each, Categorical) and each.open)

    @property
    def slots(self) -> int:
        """How many options a row gets; 1 where no lever says `choose`."""
        return max((each.choose or 1 for each in self.levers.values() if isinstance(each, Categorical)), default=1)

    def resolved(
        self,
        options: Mapping[str, tuple[str, ...]],
        alike: Mapping[str, tuple[str | None, ...]] | None = None,
    ) -> Self:
        """The same scenario, its open levers with the options that the data holds.

        Args:
            options: open lever → its options; others are left as they are.
            alike: lever whose choices are diverse by a feature → that feature's value of each of its options.
        """
        if not self.open and not alike:
            return self
        groups = alike or {}
        levers = {
            name: lever.resolved(options.get(name, lever.options), groups.get(name, lever.alike))
            if isinstance(lever, Categorical) and name in {*options, *groups}
            else lever
            for name, lever in self.levers.items()
        }
        copy = self.model_copy(update={"levers": levers})
        copy.__dict__.pop("space", None)  # cached for the levers as they were
        return copy

    @property
    def implicit(self) -> str | None:
        """The outcome whose no's are drawn; None where all were seen."""
        return next((name for name, each in self.outcomes.items() if each.negatives is not None), None)

    @property
    def bounded_fairness(self) -> tuple[Fairness, ...]:
        """Comparisons between groups that bound how far they may be apart."""
        return tuple(each for each in self.fairness if each.at_most is not None)

    def fair(self, centres: Sequence[float], gaps: Sequence[float | None] = ()) -> Self:
        """The same scenario, its bounded gaps as constraints on each group's mean around a centre.

        Args:
            centres: of the first bounded gaps, in order; the others stay unbounded.
            gaps: how wide they are; as declared where left out or None.
        """
        added = []
        for place, (each, centre) in enumerate(zip(self.bounded_fairness, centres, strict=False)):
            gap = gaps[place] if place < len(gaps) else None
            half = (each.at_most or 0.0 if gap is None else gap) / 2
            name, least, most = f"fair_{each.by}_{place + 1}", centre - half, centre + half
            added.append(Constraint(name=name, mean=each.of, by=(each.by,), at_least=least, at_most=most))
        return self.model_copy(update={"constraints": (*self.constraints, *added)}) if added else self

    def reserved(self, reserves: Mapping[str, float]) -> Self:
        """The same scenario, some constraints with a reserve: constraint → how much, in its formula's unit."""
        if not reserves:
            return self
        kept = tuple(each.reserved(reserves[each.name]) if each.name in reserves else each for each in self.constraints)
        return self.model_copy(update={"constraints": kept})

    @property
    def features(self) -> Mapping[str, tuple[str, Feature]]:
        """Feature of a lever's options → that lever, and what is declared."""
        known = ((name, each) for name, each in self.levers.items() if isinstance(each, Categorical))
        return {feature: (name, declared) for name, each in known for feature, declared in each.features.items()}

    @cached_property
    def space(self) -> LeverSpace:
        """The levers as rows of numbers."""
        return LeverSpace(self.levers)

    @cached_property
    def cost(self) -> Formula | None:
        """The sum of the levers' costs, frozen ones included; None where none declares one."""
        parts = [part for name, lever in self.declared.levers.items() for part in costs(name, lever)]
        return total(parts) if parts else None

    @property
    def remembered(self) -> Mapping[str, str]:
        """What formulas call a lever's current setting → the lever, where changes from it cost something."""
        return {f"current_{name}": name for name in self.levers} if self.objective.change is not None else {}

    @property
    def excluded(self) -> Mapping[str, str]:
        """What formulas call the options that a row must not get → the lever, where a column tells them."""
        known = ((name, each) for name, each in self.levers.items() if isinstance(each, Categorical))
        return {f"{name}_excluded": name for name, each in known if each.excluded is not None}

    @property
    def valued(self) -> Formula:
        """What is made high, or low: the objective's formula with all costs in it, those of changes too."""
        plain = self.expand(self.objective.formula)
        if self.objective.change is None:
            return plain
        pairs = [(lever, name) for name, lever in self.remembered.items()]
        change = where_changed(pairs, self.expand(self.objective.change))
        return weighted([(1.0, plain), (-float(self.objective.sign), change)])

    def expand(self, formula: Formula) -> Formula:
        """The formula with the levers' costs put in for the name `cost`."""
        return formula.replace("cost", self.cost) if self.cost else formula

    def flaws(self) -> Iterator[Flaw]:
        """What does not fit together."""
        yield from check.flaws(self)

    def __repr__(self) -> str:
        """One line: what is set, for what."""
        direction = "maximise" if self.objective.sign > 0 else "minimise"
        return f"Scenario({self.name}: set {', '.join(self.levers)} to {direction} {self.objective.text})"

    def __str__(self) -> str:
        """The same line."""
        return repr(self)
