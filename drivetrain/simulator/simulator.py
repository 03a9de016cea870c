"""What would happen to these rows under those settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.errors import Fault, RefusedError
from drivetrain.formula import Formula
from drivetrain.modeler import Models, OutcomeModel
from drivetrain.scenario import Scenario
from drivetrain.simulator.support import Support

Floats = NDArray[np.float64]
CELLS_AT_ONCE = 8_000_000
MOST_BRANCHES = 1_000


@dataclass(frozen=True)
class Crowd:
    """N rows, read once: what formulas see of them and what of each model does not depend on the setting."""

    values: Mapping[str, Tensor]
    """Input → float32 [N, 1], categories as codes."""
    contexts: Mapping[str, list[object]]
    """Outcome → a context for each member."""
    remarks: Mapping[str, NDArray[np.bool_]]
    """What was not plain in the inputs, and in which rows [N]."""
    size: int

    def __len__(self) -> int:
        """N."""
        return self.size

    def take(self, part: slice | Tensor) -> Crowd:
        """Some of the rows: a slice, or positions int64 [n]."""
        contexts = {name: [each[part] for each in members] for name, members in self.contexts.items()}  # type: ignore[index]
        values = {name: value[part] for name, value in self.values.items()}
        size = len(range(*part.indices(self.size))) if isinstance(part, slice) else len(part)
        return Crowd(values, contexts, {}, size)


@dataclass(frozen=True)
class Outlook:
    """What the members expect: each tensor float32 [M, N, G]."""

    objective: Tensor
    """The scenario's formula, in its unit and direction."""
    outcomes: Mapping[str, Tensor]
    """Expected outcomes; of a categorical one the probability of each option, as `name: option`."""
    bounded: Mapping[str, Tensor]
    """The formula of each constraint, by the constraint's name."""
    folds: Tensor = field(repr=False)
    """int64 [M]: the fold that each member has not seen."""

    def mean(self, values: Tensor | None = None) -> Tensor:
        """The mean over members, [N, G]; of the objective where no values are given."""
        return (self.objective if values is None else values).mean(0)

    def spread(self, values: Tensor | None = None) -> Tensor:
        """The standard error over members; of the objective where no values are given. See `jackknife`."""
        return jackknife(self.objective if values is None else values, self.folds)


def jackknife(values: Tensor, folds: Tensor) -> Tensor:
    """Standard error of the mean over members [M, ...] → [...].

    Each fold's members were trained without that fold, so they are a delete-a-group jackknife (Shao & Tu 1995, "The
    Jackknife and Bootstrap", 2.3): √((K−1)/K Σ_k (θ_k − θ̄)²). With one fold there is nothing to compare: 0.
    """
    each = torch.stack([values[folds == fold].mean(0) for fold in torch.unique(folds)])
    many = len(each)
    return torch.sqrt((many - 1) / many * ((each - each.mean(0)) ** 2).sum(0))


@dataclass(frozen=True)
class Simulator:
    """Asks the models; knows formulas, chains and support."""

    scenario: Scenario
    models: Models
    support: Support

    def __post_init__(self) -> None:
        """Raises: RefusedError: the chain has more branches than can be enumerated."""
        branches = prod(len(self.models.outcomes[name].nodes.values) for name in self._enumerated)
        if branches > MOST_BRANCHES:
            raise RefusedError(_too_long(branches))

    def without(self, fold: int) -> Simulator:
        """The simulator whose members have never seen rows of this fold."""
        return replace(self, models=self.models.without(fold))

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """Name → options in code order, for formulas."""
        links = {name: model.link.options for name, model in self.models.outcomes.items()}
        return {**self.models.inputs.vocabularies, **self.scenario.options, **{n: o for n, o in links.items() if o}}

    def crowd(self, frame: pd.DataFrame) -> Crowd:
        """Read rows with the scenario's inputs as columns; do it once, and ask about many settings."""
        rows = self.models.inputs.encode(frame)
        values = {name: torch.from_numpy(self._input(frame, name)).unsqueeze(1) for name in self.scenario.inputs}
        contexts = {name: model.context(rows) for name, model in self.models.outcomes.items()}
        return Crowd(values, contexts, rows.remarks, len(frame))

    def grid(self, crowd: Crowd, settings: Floats) -> Outlook:
        """Every row under each of G settings [G, L]: tensors [M, N, G]. Use `chunks` where that is too large."""
        at = torch.tensor(settings, dtype=torch.float32)

        def ask(model: OutcomeModel, earlier: Sequence[float]) -> Tensor:
            return model.grid(crowd.contexts[model.outcome], _beside(at, earlier))

        return self._walk(ask, crowd, at.T.unsqueeze(1))

    def paired(self, crowd: Crowd, settings: Floats) -> Outlook:
        """Every row under its own setting [N, L]: tensors [M, N, 1]."""
        at = torch.tensor(settings, dtype=torch.float32)

        def ask(model: OutcomeModel, earlier: Sequence[float]) -> Tensor:
            return model.paired(crowd.contexts[model.outcome], _beside(at, earlier)).unsqueeze(2)

        return self._walk(ask, crowd, at.T.unsqueeze(2))

    def chunks(self, crowd: Crowd, settings: Floats) -> Iterator[tuple[slice, Outlook]]:
        """`grid` over runs of rows, so that memory stays flat."""
        members = max(1, len(self.folds))
        step = max(1, CELLS_AT_ONCE // (members * max(1, len(settings))))
        for start in range(0, len(crowd), step):
            part = slice(start, min(start + step, len(crowd)))
            yield part, self.grid(crowd.take(part), settings)

    def observed(self, frame: pd.DataFrame, settings: Floats, formula: Formula | None = None) -> Floats:
        """What the data shows the objective (or another formula) to have been, [N]; NaN where an outcome is missing.

        Args:
            frame: rows with inputs and outcomes.
            settings: [N, L] what was done.
            formula: over levers, inputs and outcomes; the objective where left out.
        """
        values = {name: torch.from_numpy(self._input(frame, name)) for name in self.scenario.inputs}
        values |= {name: torch.tensor(settings[:, i]) for i, name in enumerate(self.scenario.levers)}
        for name, declared in self.scenario.outcomes.items():
            seen = self.models.outcomes[name].link.observed(frame[name])
            if declared.when:
                seen = np.where(frame[declared.when] == 0, 0.0, seen)
            values[name] = torch.tensor(seen)
        value = self._run(formula or self.scenario.objective.formula, values)
        return np.broadcast_to(value.double().numpy(), len(frame)).copy()

    @property
    def folds(self) -> Tensor:
        """int64 [M]; one member where nothing is learned and all is formula."""
        return self.models.folds if self.models.outcomes else torch.zeros(1, dtype=torch.int64)

    @property
    def _enumerated(self) -> list[str]:
        """Outcomes of which a mean is not enough: later ones depend on them, or a formula bends or branches in them."""
        outcomes = self.scenario.outcomes
        needed = {use for each in outcomes.values() for use in (*each.uses, *([each.when] if each.when else []))}
        formulas = [self.scenario.expand(formula) for formula in self._formulas.values()]
        bent = {name for name in outcomes if not all(formula.affine_in(name) for formula in formulas)}
        options = {name for name, each in outcomes.items() if each.kind == "categorical"}
        return [name for name in outcomes if name in needed | bent | options]

    @property
    def _formulas(self) -> dict[str | None, Formula]:
        bounds = {constraint.name: constraint.formula for constraint in self.scenario.constraints}
        return {None: self.scenario.objective.formula, **bounds}

    def _input(self, frame: pd.DataFrame, name: str) -> NDArray[np.float32]:
        vocabulary = self.models.inputs.vocabularies.get(name)
        if vocabulary is None:
            return frame[name].to_numpy(dtype=np.float32)
        return pd.Index(vocabulary).get_indexer(frame[name].astype(object)).astype(np.float32)

    def _run(self, formula: Formula, values: Mapping[str, Tensor]) -> Tensor:
        constants = {name: torch.tensor(each.value) for name, each in self.scenario.parameters.items()}
        return self.scenario.expand(formula)({**constants, **values}, self.options)

    def _walk(self, ask: Callable[[OutcomeModel, Sequence[float]], Tensor], crowd: Crowd, levers: Tensor) -> Outlook:
        """Go down the chain, branch by branch; levers [L, 1 or N, G]."""
        values = {**crowd.values, **dict(zip(self.scenario.levers, levers, strict=True))}
        shape = (len(self.folds), len(crowd), levers.shape[-1])
        sums: dict[str, Tensor] = {}

        def add(key: str, value: Tensor, weight: Tensor | float) -> None:
            sums[key] = sums.get(key, torch.zeros(shape)) + weight * value

        def down(names: list[str], values: dict[str, Tensor], nodes: dict[str, float], weight: Tensor | float) -> None:
            if not names:
                for key, formula in self._formulas.items():
                    add(f"formula {key}", self._run(formula, values), weight)
                return
            name, *rest = names
            for value, node, share in self._branches(name, ask, nodes):
                shares = weight * share
                for key, part in self._told(name, value, node):
                    add(key, part, shares)
                down(rest, {**values, name: value}, nodes if node is None else {**nodes, name: node}, shares)

        down(list(self.scenario.outcomes), values, {}, 1.0)
        return Outlook(
            sums.pop("formula None"),
            {key: value for key, value in sums.items() if not key.startswith("formula ")},
            {each.name: sums[f"formula {each.name}"] for each in self.scenario.constraints},
            self.folds,
        )

    def _branches(
        self, name: str, ask: Callable[[OutcomeModel, Sequence[float]], Tensor], nodes: Mapping[str, float]
    ) -> Iterator[tuple[Tensor, float | None, Tensor | float]]:
        """The values that an outcome may take here: (value, node or None for a mean, probability)."""
        declared, model = self.scenario.outcomes[name], self.models.outcomes[name]
        enumerated = name in self._enumerated
        if declared.when and nodes[declared.when] == 0:
            yield torch.zeros(()), 0.0 if enumerated else None, 1.0
            return
        mean = ask(model, [nodes[use] for use in declared.uses])
        if not enumerated:
            yield mean, None, 1.0
            return
        for node, share in zip(model.nodes.values, model.nodes.weights(mean), strict=True):
            yield torch.tensor(node), node, share

    def _told(self, name: str, value: Tensor, node: float | None) -> Iterator[tuple[str, Tensor]]:
        """What the outlook says of an outcome in one branch."""
        options = self.models.outcomes[name].link.options
        if not options:
            yield name, value
            return
        for code, option in enumerate(options):
            yield f"{name}: {option}", torch.tensor(float(node == code))


def _beside(settings: Tensor, earlier: Sequence[float]) -> Tensor:
    return torch.cat([settings, *(torch.full((len(settings), 1), value) for value in earlier)], dim=1)


def _too_long(branches: int) -> Fault:
    return Fault(
        "outcomes",
        f"found a chain with {branches:,} branches",
        f"At most {MOST_BRANCHES:,} can be told apart",
        "Let fewer outcomes depend on earlier ones, or give categorical ones fewer options",
    )
