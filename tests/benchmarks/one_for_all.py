"""One setting for all, of many levers: ours beside Optuna (TPE), scipy's differential evolution and BoTorch.

    python -m tests.benchmarks.one_for_all [--quick]

Fifty seeded problems: functions of `botorch.test_functions` whose best is known, used as outcome models in boxes of
which a seed cuts off a part on each side (so that the best lies nowhere special), and trained networks. Each peer has
a budget of settings to ask about, and ours has the same; a setting with its gradient counts twice. That is the strict
way to count, and hard on whoever asks in batches, since a model answers about a hundred settings in the time of a few.
So the budget that `optimise` has (2,000 a lever, 20,000 at most) is tried too, beside differential evolution that asks
about a whole generation at once. Ours are told as finely as settings are recommended, a thousandth of a lever's range;
peers' need not be. Worse means by more than 0.1 % of the way from what a random setting is worth to the best that one
found. For networks of five levers or fewer the best setting is certified: nothing is better by more than the gap. Needs
the `bench` extra. The last line is one JSON object of figures and targets.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import optuna
import pandas as pd
import torch
from botorch import test_functions
from scipy.optimize import differential_evolution

from drivetrain import data, modeler
from drivetrain.assembly import steady
from drivetrain.optimizer import candidates, certify, optimise
from drivetrain.optimizer.aims import Aim
from drivetrain.optimizer.landscape import Landscape
from drivetrain.optimizer.multistart import BUDGET, Climber
from drivetrain.optimizer.once import FOR_EACH
from drivetrain.scenario import build
from drivetrain.simulator import Simulator, Support
from tests.stand_ins import anywhere, declare, stand_in

Floats = np.ndarray
FUNCTIONS = {
    "Ackley": 10, "Rastrigin": 10, "Rosenbrock": 10, "Griewank": 10, "Levy": 10, "Hartmann": 6, "Michalewicz": 5,
    "StyblinskiTang": 8, "Shekel": 4, "EggHolder": 2, "DixonPrice": 8, "Branin": 2, "DropWave": 2, "Powell": 8,
}  # fmt: skip
TOLERANCE = 0.001
CERTIFIED = 5
BUDGETS = {"optuna": 300, "scipy": 1000, "batched": 0, "botorch": 60}
"""Settings to ask about; 0 stands for as many as `optimise` asks about."""


@dataclass
class Problem:
    """Something to minimise."""

    name: str
    simulator: Simulator
    asked: int = 0
    """Settings asked about, a gradient counted as one more; reckoned here, by nobody who competes."""

    @property
    def bounds(self) -> Floats:
        return np.array([(lever.min, lever.max) for lever in self.simulator.scenario.levers.values()])

    def __call__(self, settings: Floats) -> Floats:
        crowd = self.simulator.crowd(NOBODY)
        sign = self.simulator.scenario.objective.sign
        return -sign * self.simulator.grid(crowd, np.atleast_2d(settings)).mean()[0].double().numpy()


NOBODY = pd.DataFrame(index=range(1))


def known(name: str, seed: int) -> Problem:
    """A function of BoTorch's in a box around its best that a seed has cut."""
    draw, kind = np.random.default_rng(seed), getattr(test_functions, name)
    try:
        function = kind(dim=FUNCTIONS[name])
    except TypeError:
        function = kind()
    low, high = np.array(function._bounds).T
    best = np.array(function._optimizers[0]) if function._optimizers else None
    if best is not None:
        low = low + 0.6 * draw.random(len(low)) * (best - low)
        high = high - 0.6 * draw.random(len(high)) * (high - best)
    levers = "".join(
        f"  v{i}: {{kind: continuous, min: {a:.9f}, max: {b:.9f}}}\n"
        for i, (a, b) in enumerate(zip(low, high, strict=True))
    )
    text = f"objective: {{minimise: y}}\nlevers:\n{levers}outcomes: {{y: {{kind: numeric}}}}\ndecide: {{unit: once}}\n"
    scenario = declare(text, folds=2)
    edges = torch.tensor(np.array(function._bounds))

    def response(_: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        inside = torch.minimum(torch.maximum(at, edges[:, 0]), edges[:, 1])
        return function(inside.reshape(-1, at.shape[-1])).reshape(at.shape[:-1])

    return Problem(f"{name} {seed}", stand_in(scenario, {"y": response}, anywhere(scenario.space)))


def trained(levers: int, kind: str, seed: int, folder: Path) -> Problem:
    """Networks of ours that learned a bumpy function from 1,500 rows."""
    draw = np.random.default_rng(seed)
    at = draw.uniform(0, 1, (1500, levers))
    peaks, heights = draw.uniform(0, 1, (6, levers)), draw.uniform(1, 3, 6)
    bumps = (heights * np.exp(-4 * ((at[:, None] - peaks) ** 2).mean(2) * levers**0.5)).sum(1)
    frame = pd.DataFrame(at.round(4), columns=[f"v{i}" for i in range(levers)]).assign(
        y=bumps + draw.normal(0, 0.1, 1500)
    )
    path = folder / f"{kind}_{levers}_{seed}.parquet"
    frame.to_parquet(path)
    scenario = build(
        {
            "version": 1,
            "name": "made",
            "title": "made",
            "objective": {"maximise": "y"},
            "levers": {f"v{i}": {"kind": "continuous", "min": 0, "max": 1} for i in range(levers)},
            "outcomes": {"y": {"kind": "numeric"}},
            "data": {"parquet": str(path), "split": {"by": "random", "folds": 3, "test": 0.0}},
            "decide": {"unit": "once"},
            "model": {
                "kinds": [kind],
                "layers": [32, 16],
                "dropout": 0.0,
                "weight_decay": 0.01,
                "epochs": 12,
                "repeats": 1,
            },
            "seed": seed,
        }
    )
    table = data.load(scenario)
    fitted = modeler.fit(scenario, table, lambda _: None)
    support: Support = anywhere(scenario.space)  # peers know no support
    return Problem(f"{kind} of {levers} levers", Simulator(scenario, fitted.models, support))


def ours(problem: Problem, budget: int, seed: int) -> float:
    del seed  # the search draws the same each time
    simulator = problem.simulator
    climber = Climber(Landscape.of(simulator, simulator.crowd(NOBODY)), Aim((1.0,), (-np.inf,)), budget)
    best = climber.seek(candidates(simulator.scenario.space, simulator.support))
    return float(problem(best)[0])


def certified(problem: Problem) -> float:
    """By what share of its value any setting could be better than ours, surely; NaN where nothing is known."""
    simulator = problem.simulator
    crowd = simulator.crowd(NOBODY)
    plan = optimise(simulator, crowd, np.zeros(len(crowd), dtype=np.int64))
    found = certify(simulator, crowd, plan.settings[0])
    return float("nan") if found is None else found.gap / abs(found.value)


def tpe(problem: Problem, budget: int, seed: int) -> float:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    box = problem.bounds

    def ask(trial: optuna.Trial) -> float:
        return float(problem(np.array([trial.suggest_float(str(i), a, b) for i, (a, b) in enumerate(box)]))[0])

    study.optimize(ask, n_trials=budget)
    return float(study.best_value)


def evolution(problem: Problem, budget: int, seed: int) -> float:
    box, seen = problem.bounds, []

    def ask(x: Floats) -> float:
        value = float(problem(x)[0])
        if len(seen) < budget:
            seen.append(value)
        return value

    many = max(5, min(15, budget // (20 * len(box))))
    rounds = max(1, budget // (many * len(box)) - 1)
    differential_evolution(ask, box, seed=seed, popsize=many, maxiter=rounds, polish=False, tol=0)
    return min(seen)


def batched(problem: Problem, budget: int, seed: int) -> float:
    """Differential evolution that asks about a generation at once, as models can be."""
    box, seen = problem.bounds, [np.inf]

    def ask(x: Floats) -> Floats:
        values = problem(x.T)
        seen.append(float(values.min()))
        return values

    rounds = max(1, budget // (15 * len(box)) - 1)
    more = {"vectorized": True, "updating": "deferred"}
    differential_evolution(ask, box, seed=seed, popsize=15, maxiter=rounds, polish=False, tol=0, **more)
    return min(seen)


def bayes(problem: Problem, budget: int, seed: int) -> float:
    from botorch.acquisition import LogExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Standardize
    from botorch.optim import optimize_acqf
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.manual_seed(seed)
    box = torch.tensor(problem.bounds)
    width, unit = box[:, 1] - box[:, 0], torch.stack([torch.zeros(len(box)), torch.ones(len(box))]).double()
    x = torch.quasirandom.SobolEngine(len(box), scramble=True, seed=seed).draw(min(budget, 2 * len(box) + 2)).double()
    y = -torch.tensor(problem((box[:, 0] + x * width).numpy()))[:, None]
    while len(x) < budget:
        model = SingleTaskGP(x, y, outcome_transform=Standardize(1))
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        best = LogExpectedImprovement(model, best_f=y.max())
        more, _ = optimize_acqf(best, unit, q=1, num_restarts=4, raw_samples=64, options={"maxiter": 50})
        x = torch.cat([x, more.detach()])
        y = torch.cat([y, -torch.tensor(problem((box[:, 0] + more[0].detach() * width).numpy()))[:, None]])
    return -float(y.max())


PEERS: dict[str, Callable[[Problem, int, int], float]] = {
    "optuna": tpe,
    "scipy": evolution,
    "batched": batched,
    "botorch": bayes,
}


def problems(quick: bool, folder: Path) -> list[Problem]:
    """Fifty, or seven."""
    if quick:
        return [known(name, 0) for name in ("Ackley", "Rastrigin", "Hartmann", "Branin", "Rosenbrock")] + [
            trained(3, "joint", 1, folder),
            trained(8, "two_tower", 2, folder),
        ]
    made = [known(name, seed) for name in FUNCTIONS for seed in range(3)][:40]
    nets = [(levers, kind) for kind in ("joint", "two_tower") for levers in (2, 3, 5, 8, 10)]
    return made + [trained(levers, kind, 10 + i, folder) for i, (levers, kind) in enumerate(nets)]


def main() -> None:
    """Print the table and the figures."""
    warnings.filterwarnings("ignore")
    steady()
    quick = "--quick" in sys.argv
    figures: dict[str, object] = {}
    worse: dict[str, list[str]] = {name: [] for name in PEERS}
    count = dict.fromkeys(PEERS, 0)
    seconds = dict.fromkeys([*PEERS, "ours"], 0.0)
    gaps: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        listed = problems(quick, Path(folder))
        print(
            f"{'problem':<24}"
            + "".join(
                f"{'ours at ' + str(b or 'full'):>16}{name + ' ' + str(b or ''):>16}" for name, b in BUDGETS.items()
            )
        )
        for place, problem in enumerate(listed):
            random = float(
                problem(candidates(problem.simulator.scenario.space, problem.simulator.support)[:512]).mean()
            )
            told = []
            found: dict[str, tuple[float, float]] = {}
            for name, peer in PEERS.items():
                if name == "botorch" and place % 7 and not quick:  # a minute each: every seventh problem
                    told.append(f"{'':>32}")
                    continue
                budget = BUDGETS[name] or min(BUDGET, FOR_EACH * len(problem.bounds))
                begun = time.process_time()
                own = ours(problem, budget, place)
                between = time.process_time()
                theirs = peer(problem, budget, place)
                seconds["ours"] += between - begun
                seconds[name] += time.process_time() - between
                found[name] = (own, theirs)
                told.append(f"{own:>16.5g}{theirs:>16.5g}")
            best = min(min(pair) for pair in found.values())
            for name, (own, theirs) in found.items():
                count[name] += 1
                if own > theirs + TOLERANCE * max(random - best, 1e-9):
                    worse[name].append(problem.name)
            print(f"{problem.name:<24}" + "".join(told), flush=True)
            if " of " in problem.name and len(problem.bounds) <= CERTIFIED:
                gaps[problem.name] = certified(problem)
                print(f"    certified: nothing is better by more than {gaps[problem.name]:.3%}", flush=True)
    for name in PEERS:
        print(f"worse than {name} in {len(worse[name])} of {count[name]}: {', '.join(worse[name]) or 'none'}")
        figures[f"worse_than_{name}"] = worse[name]
        figures[f"compared_with_{name}"] = count[name]
    figures["cpu_seconds"] = {name: round(value, 1) for name, value in seconds.items()}
    targets = {
        f"never worse than {name}": {"value": len(each), "target": 0, "met": not each} for name, each in worse.items()
    }
    figures["certified gaps"] = gaps
    widest = max(gaps.values(), default=float("nan"))
    targets["five levers or fewer: certified gap"] = {"value": widest, "target": 0.01, "met": widest <= 0.01}
    print(json.dumps({"figures": figures, "targets": targets}))


if __name__ == "__main__":
    main()
