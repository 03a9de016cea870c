"""A made world: how people are drawn, what was done to them, what came of it, and what anything would be worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.scenario import Categorical, Continuous, Integer, Scenario, YesNo, build

Floats = NDArray[np.float64]
Draw = np.random.Generator

FINEST = 201
SEVERAL = 81


@dataclass(frozen=True)
class World:
    """A data-generating process with known truth."""

    name: str
    """Its name in `data: {generator: NAME}`."""
    title: str
    """The question, in one line."""
    declares: Mapping[str, Any]
    """The scenario's keys, as a file would have them, but for version, name, title, data and seed; empty where a
    shipped scenario declares them."""
    people: Callable[[int, Draw], pd.DataFrame]
    """Rows → inputs."""
    habit: Callable[[pd.DataFrame, Draw], pd.DataFrame]
    """Inputs → the levers as they were set in the past."""
    outcomes: Callable[[pd.DataFrame, pd.DataFrame, Draw], pd.DataFrame]
    """Inputs and levers → what happened, drawn."""
    worth: Callable[[pd.DataFrame, pd.DataFrame], Floats]
    """Inputs and levers → the objective's true expectation for each row; the truth that no run ever sees."""
    expects: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame] | None = None
    """Inputs and levers → the true expectation of outcomes that constraints are about."""
    allowance: tuple[str, float] | None = None
    """Where acting is bounded: the input that says what acting costs, and how much it may cost on average."""

    def frame(self, rows: int, seed: int) -> pd.DataFrame:
        """What a file of this world would hold: inputs, levers, outcomes; the same for the same rows and seed.

        Args:
            rows: how many.
            seed: of the draw.
        """
        draw = np.random.default_rng([seed, rows])
        people = self.people(rows, draw)
        levers = self.habit(people, draw)
        return pd.concat([people, levers, self.outcomes(people, levers, draw)], axis=1)

    def scenario(self, rows: int, seed: int = 0, **changes: Any) -> Scenario:
        """The scenario that asks this world's question.

        Args:
            rows: how many rows to draw.
            seed: of the draw, and of the run.
            **changes: keys that replace declared ones.
        """
        head = {"version": 1, "name": self.name, "title": self.title, "seed": seed}
        data = {"generator": self.name, "rows": rows, "seed": seed, "split": {"test": 0.0}}
        return build({**head, **self.declares, "data": data, **changes})


def best(world: World, people: pd.DataFrame) -> tuple[pd.DataFrame, Floats]:
    """The oracle: for each row the setting of the highest true worth, and that worth.

    A continuous lever alone is tried at 201 values, several at 81 each. Where the world has a bound on what acting
    costs, it goes to the highest true gain for its cost first: the knapsack's optimum but for one row.

    Args:
        world: who knows.
        people: inputs.
    """
    levers = world.scenario(len(people)).levers
    values = [_values(lever, len(levers)) for lever in levers.values()]
    tried = pd.DataFrame(list(product(*values)), columns=list(levers))
    worth = np.column_stack(
        [world.worth(people, pd.DataFrame({n: [tried[n][i]] * len(people) for n in levers})) for i in range(len(tried))]
    )
    picked = worth.argmax(1)
    if world.allowance is not None:
        picked = _within(worth, people[world.allowance[0]].to_numpy(), world.allowance[1])
    return tried.iloc[picked].reset_index(drop=True), worth[np.arange(len(people)), picked]


def _values(lever: Any, many: int) -> list[Any]:
    if isinstance(lever, Categorical):
        return list(lever.options)
    if isinstance(lever, YesNo):
        return [0, 1]
    assert isinstance(lever, Continuous | Integer)  # noqa: S101  (there is no other kind)
    if isinstance(lever, Integer):
        return list(range(lever.min, lever.max + 1, lever.step))
    return list(np.linspace(lever.min, lever.max, FINEST if many == 1 else SEVERAL))


def _within(worth: Floats, cost: Floats, allowance: float) -> NDArray[np.int64]:
    gain = worth[:, 1] - worth[:, 0]
    order = np.argsort(-gain / cost)
    given = (np.cumsum(cost[order]) <= allowance * len(cost)) & (gain[order] > 0)
    picked = np.zeros(len(cost), dtype=np.int64)
    picked[order[given]] = 1
    return picked
