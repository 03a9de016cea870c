"""One setting for all, of many levers: ours beside Optuna (TPE), scipy's differential evolution and BoTorch.

    python -m tests.benchmarks.one_for_all [--quick] [optuna] [scipy] [batched] [botorch]

Fifty seeded problems: functions of `botorch.test_functions` whose best is known, used as outcome models in boxes of
which a seed cuts off a part on each side (so that the best lies nowhere special), and trained networks.

How it is counted. Each peer asks about as many settings as is usual for it, and takes the CPU seconds that this takes.
Ours may take no more CPU seconds than that on the same problem: its budget is halved from the one that `optimise` has
(2,000 settings a lever, 20,000 at most) until it is within. This is the headline, since seconds are what a user pays:
models answer hundreds of settings in the time of a few, and their gradient with them. Beside it stands the strict
figure: ours with no more settings than the peer, a gradient counted as one more.

`scipy` and `optuna` ask about one setting after the other; `batched` is differential evolution that asks about a whole
generation at once, with as many settings as `optimise` has. Ours are told as finely as settings are recommended, a
thousandth of a lever's range; peers' need not be. Worse means by more than 0.1% of the way from what a random setting
is worth to the best that one found. For networks of five levers or fewer the best setting is certified: nothing is
better by more than the gap. Needs the `bench` extra. The last line is one JSON object of figures and targets.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
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


def ours(problem: Problem, budget: int) -> float:
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


@dataclass
class Tale:
    """What came of one peer, over all problems."""

    worse: list[str] = field(default_factory=list)
    """Where ours is worse at no more CPU seconds."""
    strict: list[str] = field(default_factory=list)
    """Where ours is worse with no more settings."""
    dearer: list[str] = field(default_factory=list)
    """Where even the peer's number of settings cost ours more seconds."""
    compared: int = 0
    ours_s: float = 0.0
    theirs_s: float = 0.0


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """What came of it, and CPU seconds."""
    begun = time.process_time()
    value = work()
    return value, time.process_time() - begun


def within(problem: Problem, seconds: float, least: int) -> tuple[float, float]:
    """Ours at the largest budget, of `optimise`'s own halved again and again, that takes no more CPU seconds."""
    budget = most(problem)
    value, taken = timed(lambda: ours(problem, budget))
    while taken > seconds and budget > least:
        budget = max(least, int(budget * min(0.5, 0.8 * seconds / taken)))
        value, taken = timed(lambda: ours(problem, budget))  # noqa: B023
    return value, taken


def most(problem: Problem) -> int:
    """Settings that `optimise` may ask about."""
    return min(BUDGET, FOR_EACH * len(problem.bounds))


def compare(problem: Problem, name: str, place: int, random: float, tale: Tale) -> str:
    """One peer on one problem, told in columns: ours in its seconds, ours with its settings, the peer."""
    budget = BUDGETS[name] or most(problem)
    theirs, seconds = timed(lambda: PEERS[name](problem, budget, place))
    own, taken = within(problem, seconds, budget)
    few = own if not BUDGETS[name] else ours(problem, budget)
    tale.compared += 1
    tale.ours_s, tale.theirs_s = tale.ours_s + taken, tale.theirs_s + seconds
    slack = TOLERANCE * max(random - min(own, few, theirs), 1e-9)
    for found, worse in ((own, tale.worse), (few, tale.strict)):
        if found > theirs + slack:
            worse.append(problem.name)
    if taken > seconds:
        tale.dearer.append(problem.name)
    return f"{own:>13.5g}{few:>13.5g}{theirs:>13.5g}"


def told(tales: dict[str, Tale], gaps: dict[str, float]) -> tuple[dict[str, object], dict[str, object]]:
    """Figures and targets."""
    figures: dict[str, object] = {}
    targets: dict[str, object] = {}
    for name, tale in tales.items():
        print(f"worse than {name} in {len(tale.worse)} of {tale.compared}: {', '.join(tale.worse) or 'none'}")
        print(f"    with no more settings, in {len(tale.strict)}: {', '.join(tale.strict) or 'none'}")
        figures[name] = vars(tale)
        targets[f"in no more CPU seconds never worse than {name}"] = _none(tale.worse)
        figures[f"with no more settings worse than {name}"] = len(tale.strict)
    if gaps:
        widest = max(gaps.values())
        targets["five levers or fewer: certified gap"] = {"value": widest, "target": 0.01, "met": widest <= 0.01}
    return {**figures, "certified gaps": gaps}, targets


def _none(names: list[str]) -> dict[str, object]:
    return {"value": len(names), "target": 0, "met": not names}


def main() -> None:
    """Print the table and the figures."""
    warnings.filterwarnings("ignore")
    steady()
    quick, named = "--quick" in sys.argv, [name for name in PEERS if name in sys.argv]
    tales = {name: Tale() for name in named or PEERS}
    gaps: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        print(f"{'problem':<24}" + "".join(f"{'ours in time':>13}{'ours strict':>13}{name:>13}" for name in tales))
        for place, problem in enumerate(problems(quick, Path(folder))):
            space, support = problem.simulator.scenario.space, problem.simulator.support
            random = float(problem(candidates(space, support)[:512]).mean())
            line = [
                # a minute each: every seventh problem
                f"{'':>39}"
                if name == "botorch" and place % 7 and not quick
                else compare(problem, name, place, random, t)
                for name, t in tales.items()
            ]
            print(f"{problem.name:<24}" + "".join(line), flush=True)
            if not named and " of " in problem.name and len(problem.bounds) <= CERTIFIED:
                gaps[problem.name] = certified(problem)
                print(f"    certified: nothing is better by more than {gaps[problem.name]:.3%}", flush=True)
    figures, targets = told(tales, gaps)
    print(json.dumps({"figures": figures, "targets": targets}))


if __name__ == "__main__":
    main()
