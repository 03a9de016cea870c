"""What does refusing settings cost that the data cannot speak for, at large and row by row, and what does it spare?

    python -m tests.benchmarks.support [--quick]

Models are trained on made worlds, where prices were drawn, set by people who looked at what inputs tell, or by a rule
that left little to chance. Then 5,000 new people are decided for without a guard, with support by enough rows anywhere
(the default), and by enough rows among those most alike. Stated, by the world's truth: what the settings earn, as a
share of the best possible; by how much of that best the models' own promise exceeds it; and the share of people whose
setting hardly a row like them had.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from drivetrain.assembly import Run, train
from drivetrain.data.generators import WORLDS, World, best
from drivetrain.optimizer import optimise
from drivetrain.scenario import build
from drivetrain.simulator import Kin

MODEL = {"kinds": ["two_tower"], "layers": [64, 32], "epochs": 8, "dropout": 0.1, "weight_decay": 0.1, "repeats": 2}
PEOPLE = 5_000
DRAWS = 20
"""Of so many prices that people might have set, a rule sets the mean."""
TOLERATED = 0.03
"""The share of the best possible that the default guard may cost."""


def _narrow(made: World) -> World:
    """A world in which people alike were asked nearly the same."""

    def habit(people: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
        return sum((made.habit(people, draw) for _ in range(DRAWS - 1)), made.habit(people, draw)) / DRAWS

    return replace(made, habit=habit)


CASES = {
    "drawn": WORLDS["randomised_pricing"],
    "set by people": WORLDS["confounded_pricing"],
    "set by a rule": _narrow(WORLDS["confounded_pricing"]),
}


def _trained(made: World, rows: int, seed: int) -> Run:
    with TemporaryDirectory() as place:
        path = Path(place) / "seen.parquet"
        made.frame(rows, seed).to_parquet(path)
        head = {"version": 1, "name": made.name, "title": made.title, "seed": seed, "model": MODEL}
        source = {"parquet": str(path), "split": {"test": 0.0}}
        asked = {"data": source, "decide": {"unit": "row", "support": "alike"}}
        return train(build({**made.declares, **head, **asked}))


def measure(case: str, rows: int, seed: int) -> list[dict[str, Any]]:
    """A line for each guard."""
    made = CASES[case]
    run = _trained(made, rows, seed)
    people = made.people(PEOPLE, np.random.default_rng([seed, 1]))
    crowd, unit, top = run.simulator.crowd(people), np.arange(PEOPLE, dtype=np.int64), best(made, people)[1].mean()
    kin = run.simulator.kin
    assert isinstance(kin, Kin)
    guards = {
        "none": replace(run.simulator, support=run.simulator.support.lifted, kin=None),
        "everyone": replace(run.simulator, kin=None),
        "alike": run.simulator,
    }
    lines = []
    for name, simulator in guards.items():
        settings = optimise(simulator, crowd, unit).settings
        worth = made.worth(people, run.scenario.space.decode(settings)).mean()
        promise = float(simulator.paired(crowd, settings).mean().double().mean())
        off = 1 - kin.holds(run.simulator, crowd, settings).mean()
        told = {"earned": worth / top, "inflation": (promise - worth) / top, "unlike": off}
        lines.append({"world": case, "rows": rows, "guard": name, **told})
    return lines


def main() -> None:
    """Print the table, and one JSON line."""
    quick = "--quick" in sys.argv
    seeds, sizes = (range(1), (2_000,)) if quick else (range(3), (2_000, 10_000))
    worlds = tuple(CASES)
    lines = [each for world in worlds for rows in sizes for seed in seeds for each in measure(world, rows, seed)]
    figures: dict[str, dict[str, float]] = {}
    print(f"{'world':20} {'rows':>7} {'guard':>9} {'earned':>8} {'promise above':>14} {'unlike rows':>12}")
    for key in dict.fromkeys((each["world"], each["rows"], each["guard"]) for each in lines):
        same = [each for each in lines if (each["world"], each["rows"], each["guard"]) == key]
        mean = {name: float(np.mean([each[name] for each in same])) for name in ("earned", "inflation", "unlike")}
        figures[" ".join(map(str, key))] = mean
        told = f"{mean['earned']:8.1%} {mean['inflation']:14.1%} {mean['unlike']:12.1%}"
        print(f"{key[0]:20} {key[1]:7,} {key[2]:>9} {told}")
    costs = [figures[f"{w} {n} none"]["earned"] - figures[f"{w} {n} everyone"]["earned"] for w in worlds for n in sizes]
    target = {"value": max(costs), "target": TOLERATED, "met": max(costs) <= TOLERATED}
    print(json.dumps({"figures": figures, "targets": {"cost of the default guard": target}}))


if __name__ == "__main__":
    main()
