"""Models that answer by a formula instead of by training, so that tests know the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from drivetrain import scenario as scenarios
from drivetrain.data import Table
from drivetrain.modeler import Models
from drivetrain.modeler.links import Link
from drivetrain.modeler.nodes import Nodes
from drivetrain.scenario import LeverSpace, Scenario
from drivetrain.simulator import Simulator, Support
from drivetrain.simulator.reach import Reach

Response = Callable[[Tensor, Tensor], Tensor]
"""Inputs [..., D] and settings [..., L] → the expected outcome [...]."""

HEAD = """\
version: 1
name: made
title: A made problem
data: {csv: none.csv, split: {by: random, folds: FOLDS, test: 0}}
"""


def declare(text: str, folds: int = 3) -> Scenario:
    """A scenario from its declarations, without the lines that all share."""
    return scenarios.parse(HEAD.replace("FOLDS", str(folds)) + text)


@dataclass(frozen=True)
class Encoded:
    codes: Tensor
    numbers: Tensor
    remarks: dict[str, np.ndarray]


@dataclass(frozen=True)
class Inputs:
    """Inputs as they are, one number each; texts are told apart by their order."""

    columns: tuple[str, ...]

    @property
    def vocabularies(self) -> dict[str, tuple[str, ...]]:
        return {}

    @property
    def bare(self) -> Inputs:
        return self

    @property
    def foretold(self) -> tuple[()]:
        return ()

    @property
    def sizes(self) -> list[int]:
        return []

    def encode(self, frame: pd.DataFrame) -> Encoded:
        numbers = [frame[name].to_numpy(dtype=np.float64) for name in self.columns]
        table = torch.tensor(np.column_stack(numbers) if numbers else np.zeros((len(frame), 0)))
        return Encoded(torch.zeros((len(frame), 0), dtype=torch.int64), table, {})


@dataclass(frozen=True)
class Member:
    response: Response
    fold: int


@dataclass(frozen=True)
class Known:
    """An outcome model whose members answer by their response."""

    outcome: str
    kind: str
    members: tuple[Member, ...]
    nodes: Nodes

    @property
    def link(self) -> Link:
        return self.nodes.link

    def without(self, fold: int) -> Known:
        return replace(self, members=tuple(member for member in self.members if member.fold == fold))

    def context(self, rows: Encoded) -> list[Tensor]:
        return [rows.numbers for _ in self.members]

    def ready(self, context: Sequence[Tensor]) -> Sequence[Tensor]:
        return context

    def grid(self, context: Sequence[Tensor], settings: Tensor) -> Tensor:
        return self._stack(context, lambda x: (x[:, None, :], settings[None].double()))

    def prepare(self, settings: Tensor) -> Tensor:
        return settings

    def products(self, settings: Tensor) -> None:
        """Nothing is known of a formula between settings."""

    def expected(self, context: Sequence[Tensor], prepared: Tensor) -> Tensor:
        return self.grid(context, prepared).mean(0)

    def paired(self, context: Sequence[Tensor], settings: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        return self._stack(context, lambda x: (x, settings.double())).to(dtype)

    def _stack(self, context: Sequence[Tensor], shapes: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Tensor:
        asked = zip(self.members, context, strict=True)
        return torch.stack([member.response(*shapes(x)).float() for member, x in asked])


def stand_in(scenario: Scenario, responses: dict[str, Sequence[Response] | Response], support: Support) -> Simulator:
    """A simulator that knows: outcome → one response for all folds, or one for each."""
    outcomes = {}
    for name, given in responses.items():
        folds = range(scenario.data.split.folds)
        each = given if isinstance(given, Sequence) else [given] * len(folds)
        link = Link(kind=scenario.outcomes[name].kind)
        nodes = Nodes.fit(link, np.array([0.0, 1.0]), 1.0)
        members = tuple(Member(response, fold) for fold, response in zip(folds, each, strict=True))
        outcomes[name] = Known(name, "two_tower", members, nodes)
    models = Models(cast(Any, Inputs(tuple(scenario.inputs))), cast(Any, outcomes))
    return Simulator(scenario, models, support)


class Anywhere(Support):
    """Support for every setting of the levers' ranges."""

    def holds(self, settings: np.ndarray) -> np.ndarray:
        return np.ones(len(settings), dtype=np.bool_)

    def alone(self, lever: int) -> None:
        """Every value has others near it."""

    @property
    def limited(self) -> bool:
        return False

    def nowhere(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.zeros(np.broadcast(low, high).shape[0], dtype=np.bool_)


def anywhere(space: LeverSpace) -> Anywhere:
    ends = [space.grid(name, 2) for name in space.names]
    reach = tuple(Reach(width=0.0, low=float(each[0]), high=float(each[-1])) for each in ends)
    return Anywhere(reach=reach, seen=(tuple(float(each[0]) for each in ends),), counts=(1.0,))


def as_table(
    scenario: Scenario, frame: pd.DataFrame, settings: np.ndarray, propensity: np.ndarray | None = None
) -> Table:
    """Rows for all folds in turn."""
    many = len(frame)
    fold = np.arange(many) % scenario.data.split.folds
    settings = np.asarray(settings, dtype=np.float64).reshape(many, -1)
    return Table(frame, settings, np.arange(many), (), "", "made", fold, (), propensity)
