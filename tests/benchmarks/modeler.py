"""Held-out loss of our networks beside stock fastai, gradient boosting and LightGBM, on the same folds of five tables.

    python -m tests.benchmarks.modeler [--quick]

Needs the `bench` extra. The last line is one JSON object of figures and targets.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from fastai.tabular.all import (
    Categorify,
    CategoryBlock,
    FillMissing,
    Normalize,
    RegressionBlock,
    TabularPandas,
    tabular_learner,
)

from drivetrain import data, modeler
from drivetrain.assembly import steady
from drivetrain.data import Table
from drivetrain.modeler import Link, scores
from drivetrain.scenario import Scenario
from tests.benchmarks import tables

CASES: dict[str, Callable[[Path], Scenario]] = {
    "cash incentive": tables.cash_incentive,
    "concrete": tables.concrete,
    "catsup": tables.catsup,
    "insurance 20k": lambda folder: tables.insurance(folder, 20_000),
    "insurance 200k": lambda folder: tables.insurance(folder, 200_000),
}
QUICK = ("cash incentive", "concrete", "catsup")


def measure(scenario: Scenario) -> dict[str, float]:
    """Every competitor's held-out loss, averaged over the same folds, and the seconds that ours took."""
    table = data.load(scenario).training
    (outcome,) = scenario.outcomes
    link = Link(kind=scenario.outcomes[outcome].kind)
    started = time.perf_counter()
    contest = modeler.fit(scenario, table).contest[outcome]
    out = {"seconds": time.perf_counter() - started}
    out |= {line["name"]: line["loss"] for line in contest["entries"]}
    out["ours"] = out[contest["chosen"]]
    for name, peer in (("lightgbm", _lightgbm), ("stock fastai", _fastai)):
        predicted = _by_fold(peer, scenario, table, outcome)
        out[name] = scores.entry(name, link, _observed(table, outcome), predicted, table.fold)["loss"]
    return out


def _by_fold(peer: Callable[..., np.ndarray], scenario: Scenario, table: Table, outcome: str) -> np.ndarray:
    frame = _frame(scenario, table)
    out = np.zeros(len(table))
    for fold in np.unique(table.fold):
        seen, held = table.fold != fold, table.fold == fold
        out[held] = peer(frame[seen], frame[held], outcome, scenario.outcomes[outcome].kind == "binary")
    return out


def _frame(scenario: Scenario, table: Table) -> pd.DataFrame:
    levers = pd.DataFrame(table.settings, columns=list(scenario.levers))
    frame = pd.concat([table.frame[list(scenario.inputs)], levers], axis=1)
    texts = [name for name in frame if frame[name].dtype == object]
    return frame.astype(dict.fromkeys(texts, "category")).assign(**{n: table.frame[n] for n in scenario.outcomes})


def _observed(table: Table, outcome: str) -> np.ndarray:
    return table.frame[outcome].to_numpy(dtype=np.float64)


def _lightgbm(seen: pd.DataFrame, held: pd.DataFrame, outcome: str, binary: bool) -> np.ndarray:
    model = (lightgbm.LGBMClassifier if binary else lightgbm.LGBMRegressor)(verbosity=-1, n_jobs=1, random_state=0)
    model.fit(seen.drop(columns=outcome), seen[outcome])
    asked = held.drop(columns=outcome)
    return np.asarray(model.predict_proba(asked)[:, 1] if binary else model.predict(asked))


def _fastai(seen: pd.DataFrame, held: pd.DataFrame, outcome: str, binary: bool) -> np.ndarray:
    """`tabular_learner` as its tutorial has it: its own processing, layers 200 and 100, five epochs of one cycle."""
    names = [name for name in seen if name != outcome]
    texts = [name for name in names if seen[name].dtype == "category"]
    both = pd.concat([seen, held], ignore_index=True)
    both[texts] = both[texts].astype(object).fillna("missing")
    numbers = [name for name in names if name not in texts]
    both[numbers] = both[numbers].fillna(seen[numbers].median())
    if binary:
        both[outcome] = both[outcome].astype(int).astype(str)
    parts = list(range(len(seen))), list(range(len(seen), len(both)))
    block = CategoryBlock() if binary else RegressionBlock()
    processed = TabularPandas(both, [Categorify, FillMissing, Normalize], texts, numbers, outcome, block, splits=parts)
    loaders = processed.dataloaders(bs=64)
    learner = tabular_learner(loaders)
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(5)
        predicted = learner.get_preds(dl=loaders.valid)[0].numpy()
    return predicted[:, 1] if binary else predicted[:, 0]


def _targets(found: dict[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    peers = ("boosting", "lightgbm", "stock fastai")
    beats = sum(case["ours"] < case["stock fastai"] for case in found.values())
    good = sum(case["ours"] <= 1.01 * min(case[peer] for peer in peers) for case in found.values())
    worst = max(case["ours"] / min(case["linear"], case["boosting"]) for name, case in found.items() if "cash" in name)
    return {
        "tables on which stock fastai is beaten": {"value": beats, "target": len(found), "met": beats == len(found)},
        "tables within 1 % of the best peer": {
            "value": good,
            "target": min(4, len(found)),
            "met": good >= min(4, len(found)),
        },
        "cash incentive: loss over the better baseline": {"value": worst, "target": 1.01, "met": worst <= 1.01},
    }


def main() -> None:
    """Run the cases, print the table and the closing JSON line."""
    steady()
    names = QUICK if "--quick" in sys.argv else tuple(CASES)
    columns = ("ours", "two_tower", "joint", "common", "linear", "boosting", "lightgbm", "stock fastai", "seconds")
    print(f"{'held-out loss':16}" + "".join(f"{name:>14}" for name in columns))
    found = {}
    with TemporaryDirectory() as folder:
        for name in names:
            found[name] = measure(CASES[name](Path(folder)))
            print(
                f"{name:16}" + "".join(f"{found[name].get(each, float('nan')):14.4f}" for each in columns), flush=True
            )
    print(json.dumps({"figures": found, "targets": _targets(found)}))


if __name__ == "__main__":
    main()
