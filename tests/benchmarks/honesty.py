"""Is the promised value the value they get? Small worlds with known truth, models that overfit, hundreds of runs.

    python -m tests.benchmarks.honesty [--quick | --runs N] [--keep FILE [--gather]] [CASE ...]

In each run rows are drawn, ridge regressions are fitted to each fold's complement, policies are made and judged as the
product does it, and the recommended policy, made by all members together, is applied to 20,000 new rows of which the
truth is known. Stated: how often the 95% interval of the value, and of the gain over doing nothing, holds that truth;
how far the mean promise is off, as a share of the mean true gain; the same of the models' own promise; the interval's
mean error, the spread that it should have, and how often not everyone gets the same setting. With `--keep` the runs are
made in pieces: see `pieces`; those made so far are in `measured/honesty.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from drivetrain.data import Rows, Table
from drivetrain.decisions import recommend
from drivetrain.evidence import judge
from drivetrain.scenario import Scenario
from drivetrain.simulator import Support
from tests.benchmarks.pieces import Pieces
from tests.stand_ins import as_table, declare, stand_in

INPUTS, FOLDS, PENALTY, NEW = 6, 5, 5.0, 20_000
LEVERS = {
    "discrete": "levers: {offer: {kind: integer, min: 0, max: 3, do_nothing: 0}}",
    "continuous": "levers: {offer: {kind: continuous, min: 0, max: 3, do_nothing: 0.5}}",
}
FINE = ("tree", "smoothed", "row")


@dataclass(frozen=True)
class Case:
    """One kind of world."""

    lever: str
    observed: bool
    """Whether settings hang on inputs, and the propensity must be learned."""
    rows: int
    clusters: int = 0
    """People that rows belong to; 0 where each stands for itself."""


CASES = {
    "options, drawn": Case("discrete", False, 1000),
    "options, chosen by inputs": Case("discrete", True, 1000),
    "a number, drawn": Case("continuous", False, 1000),
    "a number, chosen by inputs": Case("continuous", True, 1000),
    "options, drawn, five rows a person": Case("discrete", False, 1000, 200),
}


def truth(x: np.ndarray, offer: np.ndarray) -> np.ndarray:
    """The mean outcome of rows [N, D] under offers [N]: better up to about 1.5, and more for some than for others."""
    return 1 + 0.5 * x[:, 0] + 0.6 * offer - 0.2 * offer**2 + 0.25 * offer * x[:, 1] + 0.1 * np.sin(2 * x[:, 2]) * offer


def scenario(case: Case) -> Scenario:
    inputs = ", ".join(f"x{i}: {{kind: numeric}}" for i in range(INPUTS))
    design = "observational" if case.observed else "randomised"
    return declare(
        f"objective: {{maximise: y - 0.1 * offer}}\n{LEVERS[case.lever]}\ninputs: {{{inputs}}}\n"
        f"outcomes: {{y: {{kind: numeric}}}}\nassignment: {{design: {design}}}\nmodel: {{kinds: [joint]}}",
        FOLDS,
    )


def drawn(case: Case, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """Rows, their offers, and whose they are."""
    draw = np.random.default_rng(seed)
    x, person = draw.normal(size=(case.rows, INPUTS)), None
    lean = 0.7 * x[:, 0] + 0.4 * x[:, 1] if case.observed else np.zeros(case.rows)
    if case.lever == "discrete":
        logits = lean[:, None] * np.array([-0.6, 0, 0.3, 0.6])
        chance = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        offer = (draw.random(case.rows)[:, None] > chance.cumsum(1)).sum(1).clip(0, 3).astype(float)
    else:
        offer = np.clip(1.5 + 0.5 * lean + 0.8 * draw.normal(size=case.rows), 0, 3).round(4)
    y = truth(x, offer) + draw.normal(size=case.rows)
    if case.clusters:
        person = np.arange(case.rows) % case.clusters
        y += 1.5 * draw.normal(size=case.clusters)[person]
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(INPUTS)]).assign(y=y), offer, person


def everyone() -> tuple[pd.DataFrame, np.ndarray]:
    """New rows, each with its mirror image, so that their means are the world's; else chance would look like bias."""
    half = np.random.default_rng(12345).normal(size=(NEW // 2, INPUTS))
    x = np.concatenate([half, -half])
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(INPUTS)]), x


def fitted(case: Case, table: Table, fold: int) -> Callable[[Tensor, Tensor], Tensor]:
    """A ridge regression on inputs, their squares, and all of that times the setting, that has not seen a fold."""
    seen = table.fold != fold
    x = torch.tensor(table.frame.iloc[seen, :INPUTS].to_numpy())
    design = (_row(x)[:, :, None] * _setting(case, torch.tensor(table.settings[seen, 0]))[:, None, :]).flatten(1)
    target = torch.tensor(table.frame["y"].to_numpy()[seen])
    gram = design.T @ design + PENALTY * torch.eye(design.shape[1])
    weight = torch.linalg.solve(gram, design.T @ target).reshape(_row(x).shape[1], -1)
    return lambda at, setting: ((_row(at.double()) @ weight) * _setting(case, setting[..., 0].double())).sum(-1)


def _row(x: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(x[..., :1]), x, x[..., :3] ** 2], -1)


def _setting(case: Case, at: Tensor) -> Tensor:
    if case.lever == "discrete":
        return torch.stack([(at == k).double() for k in range(4)], -1)
    return torch.stack([torch.ones_like(at), at - 1.5, (at - 1.5) ** 2], -1)


def run(case: Case, seed: int, population: tuple[pd.DataFrame, np.ndarray]) -> dict[str, Any]:
    """What was promised of the recommended policy, and what is true of it."""
    frame, offer, person = drawn(case, seed)
    declared = scenario(case)
    table = as_table(declared, frame, offer)
    if person is not None:
        table = Table(frame, table.settings, table.row, (), "", "made", person % FOLDS, (), None, {}, person)
    members = [fitted(case, table, fold) for fold in range(FOLDS)]
    simulator = stand_in(declared, {"y": members}, Support.fit(declared.space, table.settings))
    evidence = judge(simulator, table, examined=False)
    new, x = population
    rows = Rows(new, np.full((len(new), 1), np.nan), np.arange(len(new)), (), "", "new")
    nothing = declared.space.do_nothing[0]
    if evidence.recommended == "current":  # as the data shows: what all rows got
        settings = drawn(case, seed + 10**6)[1]
        x = drawn(case, seed + 10**6)[0].to_numpy()[:, :INPUTS]
    else:
        settings = recommend(simulator, evidence, rows).plan.settings[:, 0]
    value = float((truth(x, settings) - 0.1 * settings).mean())
    chosen, gain = evidence.chosen, evidence.gains.get("do_nothing")
    return {
        "policy": evidence.recommended,
        "value": value,
        "gain": value - float((truth(x, np.full(len(x), nothing)) - 0.1 * nothing).mean()),
        "promised": chosen.estimate.value,
        "error": chosen.estimate.error,
        "naive": chosen.naive,
        "promised_gain": None if gain is None else [gain.low, gain.high],
    }


def summary(told: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of one case."""
    values, promised, errors, naive, true = (
        np.array([each[key] for each in told]) for key in ("value", "promised", "error", "naive", "gain")
    )
    gains = [(each["promised_gain"], each["gain"]) for each in told if each["promised_gain"] is not None]
    gain = float(true.mean())
    return {
        "runs": len(told),
        "covered": float((np.abs(promised - values) <= 1.959964 * errors).mean()),
        "gain covered": float(np.mean([low <= true <= high for (low, high), true in gains])) if gains else 1.0,
        "bias / gain": float((promised - values).mean() / gain),
        "bias error": float((promised - values).std(ddof=1) / np.sqrt(len(told)) / gain) if len(told) > 1 else np.nan,
        "naive bias / gain": float((naive - values).mean() / gain),
        "true gain": gain,
        "error": float(errors.mean()),
        "spread": float((promised - values).std()),
        "personal": float(np.mean([each["policy"] in FINE for each in told])),
    }


def main() -> None:
    """Run the cases named, or all; a case's runs that a file already has are not run again."""
    asked = argparse.ArgumentParser()
    asked.add_argument("cases", nargs="*", default=list(CASES), metavar="CASE")
    asked.add_argument("--quick", action="store_true", help="60 runs a case")
    asked.add_argument("--runs", type=int, default=300, help="of each case")
    asked.add_argument("--first", type=int, default=0, help="the seed of the first")
    asked.add_argument("--keep", type=Path, help="a JSON-lines file: what it has is not run again, what is, added")
    asked.add_argument("--gather", action="store_true", help="run nothing, tell what the file has")
    given = asked.parse_args()
    torch.set_num_threads(1)
    pieces, figures, targets = Pieces(given.keep), {}, {}
    seeds = range(given.first, given.first + (60 if given.quick else given.runs))
    population = everyone()
    print(
        f"{'case':38}{'runs':>6}{'covered':>9}{'gain cov.':>10}{'bias/gain':>18}{'naive':>9}{'gain':>8}"
        f"{'error':>8}{'spread':>8}{'own':>6}"
    )
    for name in given.cases:
        started = time.process_time()
        told = (
            []
            if given.gather
            else [pieces.measured((name, seed), partial(run, CASES[name], seed, population)) for seed in seeds]
        )
        if given.keep is not None:
            told = [each for (case, _), each in pieces.cases.items() if case == name]
        if not told:
            continue
        figures[name] = found = summary(told)
        print(
            f"{name:38}{found['runs']:6}{found['covered']:9.1%}{found['gain covered']:10.1%}"
            f"{found['bias / gain']:+10.1%} ±{found['bias error']:6.1%}"
            f"{found['naive bias / gain']:+9.1%}{found['true gain']:8.3f}{found['error']:8.4f}{found['spread']:8.4f}"
            f"{found['personal']:6.0%}   {time.process_time() - started:.0f} s",
            flush=True,
        )
        targets |= _targets(name, found)
    print(json.dumps({"figures": figures, "targets": targets}))


def _targets(name: str, found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    covered, bias = found["covered"], found["bias / gain"]
    return {
        f"{name}: covered": {"value": covered, "target": "0.93 to 0.97", "met": 0.93 <= covered <= 0.97},
        f"{name}: bias": {"value": bias, "target": "0.1", "met": abs(bias) <= 0.1},
    }


if __name__ == "__main__":
    main()
