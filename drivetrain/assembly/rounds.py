"""Rounds of decide → observe → learn on a made world, scored by its truth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly.line import train
from drivetrain.data.generators import WORLDS, World, best
from drivetrain.errors import Fault, RefusedError, UsageError, integer, nearest, one_of
from drivetrain.evidence import experiments
from drivetrain.modeler import Progress
from drivetrain.scenario import Scenario, build

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Way = Literal["thompson", "top_two", "greedy", "uniform"]

SETTINGS = 21
"""Values of a range that the loop tries."""
FRESH = 5_000
"""People on whom the policy of each round is scored."""
MODEL = {"kinds": ["boosting"]}


@dataclass(frozen=True)
class Loop:
    """What the rounds brought."""

    rounds: pd.DataFrame
    """A line for each: `round` from 1, `rows`, `earned` and `best` (true expectation for one row, of what was done and
    of the best possible), `regret` (cumulative, summed over rows), `uniform` (the same had settings been drawn
    uniformly), `policy` (what the policy learned so far is truly worth, as a share of the best, on fresh people)."""

    @property
    def share(self) -> float:
        """What the last round's policy is truly worth, as a share of the best possible."""
        return float(self.rounds["policy"].iloc[-1])

    @property
    def regret(self) -> float:
        """The cumulative regret as a share of uniform exploration's."""
        return float(self.rounds["regret"].iloc[-1] / self.rounds["uniform"].iloc[-1])


def loop(
    world: str,
    *,
    rounds: int = 10,
    rows: int = 1_000,
    way: Way = "thompson",
    seed: int = 0,
    model: dict[str, Any] | None = None,
    progress: Progress = lambda _: None,
) -> Loop:
    """Play rounds: the first draws settings uniformly; each later one learns from all before, and explores.

    Args:
        world: a made world without bounds over all rows: see `drivetrain.data.generators`.
        rounds: how many.
        rows: new people in each round.
        way: `thompson` or `top_two` sampling by the members' votes, `greedy` (always the best), or `uniform`.
        seed: of people, draws and models.
        model: the scenario's `model`; boosting where left out, which is quick to learn anew.
        progress: told, in words, what is being done.

    Raises:
        UsageError: an unknown world or way, or numbers of rounds or rows below 1.
        RefusedError: a world with a bound over all rows, or one that does not ask its question itself.
    """
    if world not in WORLDS:
        raise UsageError(Fault(str(world), "found an unknown world", "", nearest(world, WORLDS)))
    one_of("way", way, get_args(Way))
    rounds, rows = integer("rounds", rounds), integer("rows", rows)
    made = WORLDS[world]
    if not made.declares:
        alone = ", ".join(sorted(name for name, each in WORLDS.items() if each.declares and each.allowance is None))
        raise RefusedError(
            Fault(world, "its question is asked by a shipped scenario", "Rounds need one", f"Play {alone}")
        )
    if made.allowance is not None:
        raise RefusedError(Fault(world, "it has a bound over all rows", "Rounds draw each row's setting on its own"))
    play, lines = _Play(made, seed, model or MODEL), list[dict[str, float]]()
    for number in range(1, rounds + 1):
        progress(f"round {number}: {len(play.seen):,} rows known")
        lines.append({"round": number, **play.round(number, rows, way)})
    told = pd.DataFrame(lines)
    return Loop(told.assign(regret=told["regret"].cumsum(), uniform=told["uniform"].cumsum()))


class _Play:
    """What is known so far."""

    def __init__(self, world: World, seed: int, model: dict[str, Any]) -> None:
        self.world, self.seed, self.model = world, seed, model
        self.declared = world.scenario(100, seed)
        self.seen = pd.DataFrame()
        self.settings = _settings(self.declared)
        fresh = world.frame(FRESH, 1_000_000 + seed)
        self.fresh = fresh[list(self.declared.inputs)]
        self.top = float(best(world, self.fresh)[1].mean())

    def round(self, number: int, rows: int, way: Way) -> dict[str, float]:
        """Decide for new people, observe, learn; what that earned, and what the policy is worth now."""
        people = self.world.people(rows, np.random.default_rng([self.seed, number]))
        draw = np.random.default_rng([self.seed, number, 1])
        chance = np.full((rows, len(self.settings)), 1 / len(self.settings))
        if len(self.seen) and way != "uniform":
            chance = _chances(self._asked(people), way)
        picked = experiments.drawn(chance, int(draw.integers(2**32)))
        levers = self._natural(picked)
        worth = np.column_stack(
            [self.world.worth(people, self._everyone(place, rows)) for place in range(len(self.settings))]
        )
        top = best(self.world, people)[1]
        happened = self.world.outcomes(people, levers, draw)
        self.seen = pd.concat([self.seen, pd.concat([people, levers, happened], axis=1)], ignore_index=True)
        earned = worth[np.arange(rows), picked]
        return {
            "rows": float(rows),
            "earned": float(earned.mean()),
            "best": float(top.mean()),
            "regret": float((top - earned).sum()),
            "uniform": float((top - worth.mean(1)).sum()),
            "policy": self._learn(),
        }

    def _learn(self) -> float:
        """Learn from all that was seen; the true share of the best that the greedy policy earns of fresh people."""
        with TemporaryDirectory() as place:
            path = Path(place) / "seen.parquet"
            self.seen.to_parquet(path)
            told = {k: v for k, v in self.world.declares.items() if k != "assignment"}
            head = {"version": 1, "name": self.world.name, "title": self.world.title, "seed": self.seed}
            source = {"parquet": str(path), "split": {"test": 0.0}}
            assignment = {"design": "randomised"}  # given the inputs; models alone are asked, and nothing is judged
            self.trained = train(build({**head, **told, "data": source, "assignment": assignment, "model": self.model}))
        picked = self._asked(self.fresh).mean(0).argmax(1)
        return float(self.world.worth(self.fresh, self._natural(picked)).mean() / self.top)

    def _asked(self, people: pd.DataFrame) -> Floats:
        """[M, N, A] what each member expects of each setting; more is better."""
        simulator, sign = self.trained.simulator, self.declared.objective.sign
        parts = [
            sign * look.objective.double().numpy()
            for _, look in simulator.chunks(simulator.crowd(people), self.settings)
        ]
        return np.concatenate(parts, axis=1)

    def _natural(self, picked: Ints) -> pd.DataFrame:
        return self.declared.space.decode(self.settings[picked]).reset_index(drop=True)

    def _everyone(self, place: int, rows: int) -> pd.DataFrame:
        return self._natural(np.full(rows, place))


def _chances(asked: Floats, way: Way) -> Floats:
    votes = experiments.beliefs(asked)
    if way == "greedy":
        return np.asarray(np.eye(asked.shape[2])[asked.mean(0).argmax(1)])
    return experiments.top_two(votes) if way == "top_two" else votes


def _settings(declared: Scenario) -> Floats:
    """[A, L] the settings that are tried: all options, and a few values of each range."""
    space = declared.space
    few = SETTINGS if len(space) == 1 else 5
    return np.array(list(product(*(space.grid(name, few) for name in space.names))), dtype=np.float64)
