"""Is the promised value the value they get? Small worlds with known truth, models that overfit, hundreds of runs.

    python -m tests.benchmarks.honesty [--quick | --runs N] [CASE ...]

In each run rows are drawn, ridge regressions are fitted to each fold's complement, policies are made and judged as the
product does it, and the recommended policy, made by all members together, is applied to 20,000 new rows of which the
truth is known. Stated: how often the 95 % interval of the value, and of the gain over doing nothing, holds that truth;
how far the mean promise is off, as a share of the mean true gain; the same of the models' own promise; the interval's
mean error, the spread that it should have, and how often everyone gets an own setting.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from drivetrain.data import Rows, Table
from drivetrain.decisions import recommend
from drivetrain.evidence import Estimate, Evidence, judge
from drivetrain.scenario import Scenario
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

INPUTS, FOLDS, PENALTY, NEW = 6, 5, 5.0, 20_000
LEVERS = {
    "discrete": "levers: {offer: {kind: integer, min: 0, max: 3, do_nothing: 0}}",
    "continuous": "levers: {offer: {kind: continuous, min: 0, max: 3, do_nothing: 0.5}}",
}
RUNS = {"": 300, "--quick": 60}


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


@dataclass(frozen=True)
class Told:
    """One run: what was promised of the recommended policy, and what is true of it."""

    evidence: Evidence
    value: float
    gain: float

    @property
    def promised_gain(self) -> Estimate | None:
        return self.evidence.gains.get("do_nothing")


def run(case: Case, seed: int, population: tuple[pd.DataFrame, np.ndarray]) -> Told:
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
    return Told(evidence, value, value - float((truth(x, np.full(len(x), nothing)) - 0.1 * nothing).mean()))


def summary(told: list[Told]) -> dict[str, float]:
    """The figures of one case."""
    values = np.array([each.value for each in told])
    promised = np.array([each.evidence.chosen.estimate.value for each in told])
    errors = np.array([each.evidence.chosen.estimate.error for each in told])
    naive = np.array([each.evidence.chosen.naive for each in told])
    gains = [(each.promised_gain, each.gain) for each in told if each.promised_gain is not None]
    true_gain = float(np.mean([each.gain for each in told]))
    return {
        "runs": len(told),
        "covered": float((np.abs(promised - values) <= 1.959964 * errors).mean()),
        "gain covered": float(np.mean([g.low <= true <= g.high for g, true in gains])) if gains else 1.0,
        "bias / gain": float((promised - values).mean() / true_gain),
        "naive bias / gain": float((naive - values).mean() / true_gain),
        "true gain": true_gain,
        "error": float(errors.mean()),
        "spread": float((promised - values).std()),
        "personal": float(np.mean([each.evidence.recommended == "row" for each in told])),
    }


def main() -> None:
    """Run the cases named, or all."""
    torch.set_num_threads(1)
    wanted = [word for word in sys.argv[1:] if word in CASES]
    runs, figures, targets = RUNS["--quick" if "--quick" in sys.argv else ""], {}, {}
    if "--runs" in sys.argv:
        runs = int(sys.argv[sys.argv.index("--runs") + 1])
    x = np.random.default_rng(12345).normal(size=(NEW, INPUTS))
    population = (pd.DataFrame(x, columns=[f"x{i}" for i in range(INPUTS)]), x)
    print(
        f"{'case':38}{'covered':>9}{'gain cov.':>10}{'bias/gain':>11}{'naive':>9}{'gain':>8}"
        f"{'error':>8}{'spread':>8}{'own':>6}"
    )
    for name in wanted or CASES:
        started = time.process_time()
        found = summary([run(CASES[name], seed, population) for seed in range(runs)])
        figures[name] = found
        print(
            f"{name:38}{found['covered']:9.1%}{found['gain covered']:10.1%}{found['bias / gain']:+11.1%}"
            f"{found['naive bias / gain']:+9.1%}{found['true gain']:8.3f}{found['error']:8.4f}{found['spread']:8.4f}"
            f"{found['personal']:6.0%}   {time.process_time() - started:.0f} s",
            flush=True,
        )
        targets[f"{name}: covered"] = {
            "value": found["covered"],
            "target": "0.93 to 0.97",
            "met": 0.93 <= found["covered"] <= 0.97,
        }
        targets[f"{name}: bias"] = {
            "value": found["bias / gain"],
            "target": "0.1",
            "met": abs(found["bias / gain"]) <= 0.1,
        }
    print(json.dumps({"figures": figures, "targets": targets}))


if __name__ == "__main__":
    main()
