"""Do 90% intervals of single rows hold 90% of what happens, at every link of a chain whose errors go along?

    python -m tests.benchmarks.calibration [--quick]

100 seeds (quick: 10): 600 rows of a made world, small models, then 300 new rows under a setting drawn anew, for which
`Run.predict`'s machinery gives bounds. Each figure is the share of what happened that lay within, averaged over seeds.
`apart` is the same with errors of different rows for different outcomes, as if they did not go along. The last line is
one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from drivetrain import data, modeler
from drivetrain.assembly import steady
from drivetrain.scenario import Scenario, build
from drivetrain.simulator import Errors, Foresight, Simulator, Support, span

ROWS, NEW, SEEDS, SHARE = 600, 300, 100, 0.9
NAMES = ("demand", "effort", "returns", "objective")
DECLARED: dict[str, Any] = {
    "version": 1,
    "name": "calibration",
    "title": "What price?",
    "objective": {"maximise": "price * demand - effort - 3 * returns"},
    "levers": {"price": {"kind": "continuous", "min": 1, "max": 10}},
    "inputs": {"size": {"kind": "numeric"}, "age": {"kind": "numeric"}, "town": {"kind": "categorical"}},
    "outcomes": {
        "demand": {"kind": "numeric"},
        "effort": {"kind": "numeric", "uses": ["demand"]},
        "returns": {"kind": "count", "uses": ["demand"]},
    },
    "model": {
        "kinds": ["two_tower", "boosting"], "layers": [16], "epochs": 20, "dropout": 0.1, "weight_decay": 0.1,
        "repeats": 1, "boosting": {"leaves": 6, "least": 15, "rate": 0.1},
    },
}  # fmt: skip


def world(draw: np.random.Generator, rows: int) -> pd.DataFrame:
    """Demand falls with the price; effort follows demand, and their errors go along; returns are counted."""
    price, size, age = draw.uniform(1, 10, rows), draw.normal(size=rows), draw.uniform(18, 80, rows)
    town = draw.choice(list("abc"), rows)
    errors = draw.multivariate_normal([0, 0], [[4, 3.2], [3.2, 4]], rows)
    demand = 30 - 2 * price + 4 * size * (town == "a") + 0.1 * age + errors[:, 0]
    effort = 5 + 1.5 * demand + 2 * np.maximum(size, 0) + errors[:, 1]
    returns = draw.poisson(np.exp(0.05 * demand) * draw.gamma(4, 0.25, rows))
    return pd.DataFrame(
        {"price": price, "size": size, "age": age, "town": town, "demand": demand, "effort": effort, "returns": returns}
    )


def learned(seed: int, folder: Path) -> tuple[Scenario, data.Table, Simulator]:
    """Models of one made table."""
    world(np.random.default_rng(seed), ROWS).to_csv(folder / f"{seed}.csv", index=False)
    source = {"csv": str(folder / f"{seed}.csv"), "split": {"folds": 5, "test": 0.0}}
    scenario = build({**DECLARED, "data": source, "seed": seed})
    table = data.load(scenario)
    support = Support.fit(scenario.space, table.settings, seed)
    return scenario, table, Simulator(scenario, modeler.fit(scenario, table).models, support)


def covered(simulator: Simulator, errors: Errors, new: pd.DataFrame) -> dict[str, float]:
    """The share of new rows within their bounds, and how wide these are, by name."""
    settings = new[["price"]].to_numpy(dtype=np.float64)
    parts = [draws for _, draws in Foresight(simulator, errors).draws(simulator.crowd(new), settings)]
    out = {}
    for name in NAMES:
        low, high = span(np.concatenate([draws[name] for draws in parts]), SHARE, narrow=name == "returns")
        out[name] = float(np.mean((new[name] >= low) & (new[name] <= high)))
    return out


def measure(seed: int, folder: Path) -> dict[str, float]:
    """One seed's shares."""
    _, table, simulator = learned(seed, folder)
    new = world(np.random.default_rng([seed, 1]), NEW)
    new["objective"] = new["price"] * new["demand"] - new["effort"] - 3 * new["returns"]
    errors = Errors.drawn(simulator, table, 400, seed)
    draw = np.random.default_rng(seed)
    places = [np.flatnonzero(errors.fold == fold) for fold in np.unique(errors.fold)]
    mixed = {}
    for name, each in errors.of.items():
        mixed[name] = each.copy()
        for place in places:
            mixed[name][place] = draw.permutation(each[place])
    apart = covered(simulator, replace(errors, of=mixed), new)
    return covered(simulator, errors, new) | {f"{name} apart": share for name, share in apart.items()}


def main() -> None:
    """Run the seeds, print the table and the closing JSON line."""
    steady()
    seeds, started = (10 if "--quick" in sys.argv else SEEDS), time.process_time()
    with TemporaryDirectory() as folder:
        lines = pd.DataFrame([measure(seed, Path(folder)) for seed in range(1, seeds + 1)])
    print(f"{'90% intervals hold':20}{'share':>8}{'apart':>8}{'worst seed':>12}{'best seed':>11}")
    for name in NAMES:
        figures = lines[name].mean(), lines[f"{name} apart"].mean(), lines[name].min(), lines[name].max()
        print(f"{name:20}{figures[0]:8.3f}{figures[1]:8.3f}{figures[2]:12.3f}{figures[3]:11.3f}")
    means = {name: float(lines[name].mean()) for name in lines}
    targets = {
        f"coverage of {name}": {"value": means[name], "target": [0.87, 0.93], "met": 0.87 <= means[name] <= 0.93}
        for name in NAMES
    }
    print(
        json.dumps({"figures": means | {"seeds": seeds, "seconds": time.process_time() - started}, "targets": targets})
    )


if __name__ == "__main__":
    main()
