"""The chain of outcomes, walked branch by branch down to the formulas.

An outcome of which a mean is enough is carried as its mean. Any other is carried as a few values with probabilities:
one that a later outcome depends on, one that a formula bends or branches in, and every categorical one. Given the row,
the setting and what a model `uses`, outcomes are taken to be independent of one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor

from drivetrain.errors import Fault, RefusedError
from drivetrain.formula import Formula
from drivetrain.modeler import Models, OutcomeModel
from drivetrain.scenario import Scenario

MOST_BRANCHES = 1_000

Ask = Callable[[OutcomeModel, Sequence[float]], Tensor]
"""A model and the values of the earlier outcomes that it uses → its mean [M, N, G], or probabilities [M, N, G, C]."""

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Branch:
    """One value that an outcome may take."""

    value: Tensor
    """What formulas see: [] or [M, N, G]."""
    node: float | None
    """What later models see; None of an outcome that none of them uses."""
    share: Tensor | None = None
    """Its probability [M, N, G]; None where it is certain."""


@dataclass(frozen=True)
class Chain:
    """A scenario's outcomes and formulas, with the models that predict the former."""

    scenario: Scenario
    models: Models

    def check(self) -> None:
        """Raises: RefusedError: there are more branches than can be enumerated."""
        branches = prod(self.models.outcomes[name].nodes.many(later=name in self.needed) for name in self.branching)
        if branches > MOST_BRANCHES:
            raise RefusedError(_too_long(branches))

    @cached_property
    def options(self) -> dict[str, tuple[str, ...]]:
        """Name → options in code order, for formulas."""
        links = {name: link.options for name, link in self.models.links.items() if link.options}
        levers = self.scenario.options
        current = {name: levers[lever] for name, lever in self.scenario.remembered.items() if lever in levers}
        return {**self.models.inputs.vocabularies, **levers, **current, **links}

    @cached_property
    def objective(self) -> Formula:
        """The scenario's, with costs put in."""
        return self.scenario.valued

    @cached_property
    def bounds(self) -> dict[str, Formula]:
        """Constraint → its formula, with costs put in; of a ratio also `name: to` → what it is divided by."""
        formulas = (pair for each in self.scenario.constraints for pair in each.formulas.items())
        return {name: self.scenario.expand(formula) for name, formula in formulas}

    @cached_property
    def beside(self) -> dict[str, Formula]:
        """Further objective → its formula, with costs put in."""
        return {each.name: self.scenario.expand(each.formula) for each in self.scenario.objective.beside}

    @cached_property
    def branching(self) -> frozenset[str]:
        """Outcomes of which a mean is not enough."""
        outcomes = self.scenario.outcomes
        formulas = (self.objective, *self.bounds.values(), *self.beside.values())
        bent = {name for name in outcomes if not all(formula.affine_in(name) for formula in formulas)}
        categorical = {name for name, each in outcomes.items() if each.kind == "categorical"}
        return frozenset(self.needed | bent | categorical)

    @cached_property
    def affine(self) -> bool:
        """Whether the mean over members of each outcome gives the mean over members of every formula."""
        formulas = (self.objective, *self.bounds.values())
        return not self.branching and all(formula.affine_in(*self.scenario.outcomes) for formula in formulas)

    @cached_property
    def needed(self) -> frozenset[str]:
        """Outcomes that later ones depend on."""
        declared = self.scenario.outcomes.values()
        return frozenset(use for each in declared for use in (*each.uses, *filter(None, [each.when])))

    def run(self, formula: Formula, values: Mapping[str, Tensor]) -> Tensor:
        """A formula's value, in the dtype of the values; parameters are put in."""
        dtype = next((value.dtype for value in values.values()), torch.float64)
        constants = {
            name: torch.tensor(each.value, dtype=dtype)
            for name, each in self.scenario.parameters.items()
            if name in formula.names
        }
        return formula({**constants, **values}, self.options)

    def walk(
        self, ask: Ask, values: Mapping[str, Tensor], shape: Shape
    ) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
        """The expectation over all branches.

        Args:
            ask: predicts an outcome.
            values: inputs and levers, float32, to be broadcast to [M, N, G].
            shape: M, N, G.

        Returns:
            Each float32 [M, N, G]: the objective; outcome (or `outcome: option`) → its mean (or probability);
            constraint → its formula; and further objective → its own.
        """
        walk = _Walk(self, ask, shape, {}, {}, {}, {})
        walk.down(list(self.scenario.outcomes), dict(values), {}, None)
        told = {key: walk.told[key] for name in self.scenario.outcomes for key in self.keys(name)}
        return walk.objective[""], told, walk.bounded, walk.beside

    def keys(self, name: str) -> list[str]:
        """What an outcome is called in an outlook: its name, or `name: option` for each option."""
        options = self.models.outcomes[name].link.options
        return [f"{name}: {option}" for option in options] or [name]


@dataclass(frozen=True)
class _Walk:
    """One walk; what has been added up so far."""

    chain: Chain
    ask: Ask
    shape: Shape
    objective: dict[str, Tensor]
    """Under the empty key."""
    bounded: dict[str, Tensor]
    beside: dict[str, Tensor]
    told: dict[str, Tensor]

    def down(self, names: list[str], values: dict[str, Tensor], nodes: dict[str, float], weight: Tensor | None) -> None:
        """Walks the outcomes that are left, in a branch of probability `weight` (None: certain)."""
        if not names:
            self._add(self.objective, "", self.chain.run(self.chain.objective, values), weight)
            for sums, formulas in ((self.bounded, self.chain.bounds), (self.beside, self.chain.beside)):
                for key, formula in formulas.items():
                    self._add(sums, key, self.chain.run(formula, values), weight)
            return
        name, *rest = names
        for branch in self._branches(name, nodes, weight):
            seen = nodes if branch.node is None else {**nodes, name: branch.node}
            self.down(rest, {**values, name: branch.value}, seen, _both(weight, branch.share))

    def _branches(self, name: str, nodes: Mapping[str, float], weight: Tensor | None) -> Iterator[Branch]:
        declared, model = self.chain.scenario.outcomes[name], self.chain.models.outcomes[name]
        if declared.when and nodes[declared.when] != 1:
            nothing = model.link.nothing
            yield Branch(torch.tensor(nothing), nothing if name in self.chain.branching else None)
            return
        mean = self.ask(model, [nodes[use] for use in declared.uses])
        each = mean.unbind(-1) if model.link.options else [mean]
        for key, value in zip(self.chain.keys(name), each, strict=True):
            self._add(self.told, key, value, weight)
        if name not in self.chain.branching:
            yield Branch(mean, None)
            return
        for node, share, inside in model.nodes.parts(mean, later=name in self.chain.needed):
            yield Branch(inside, node, share)

    def _add(self, sums: dict[str, Tensor], key: str, value: Tensor, weight: Tensor | None) -> None:
        part = value if weight is None else weight * value
        sums[key] = sums[key] + part if key in sums else part.broadcast_to(self.shape)


def _both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return first if second is None else second if first is None else first * second


def _too_long(branches: int) -> Fault:
    return Fault(
        "outcomes",
        f"found a chain with {branches:,} branches",
        f"At most {MOST_BRANCHES:,} can be told apart",
        "Let fewer outcomes depend on earlier ones, or give categorical ones fewer options",
    )
