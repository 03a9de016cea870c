"""Fronts between two objectives: ours beside pymoo's NSGA-II, at its budget, on pymoo's own problems.

    python -m tests.benchmarks.pareto [--quick]

ZDT1 to 3 and constrained problems (BNH, SRN, TNK, OSY, C1-DTLZ1 with two objectives) stand in for outcome models:
pymoo's own code predicts, its own derivatives are the gradients. Both may ask about 20,000 settings and show a hundred
points; of ours every gradient of an objective or a constraint counts as one setting more, and settings are told
as finely as they are recommended, a thousandth of a lever's range. The hypervolume is what lies between a front and a
point a tenth of the true front's range beyond its worst, as a share of the true front's own: as written in pymoo, or,
where pymoo would fetch it from the net, made here from the published sets (Tanaka 1995; Osyczka & Kundu 1995, as in Deb
2001). Needs the `bench` extra. The last line is one JSON object of figures and targets.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.gradient.automatic import AutomaticDifferentiation
from pymoo.indicators.hv import HV
from pymoo.optimize import minimize
from pymoo.problems import get_problem
from pymoo.problems.many.cdtlz import C1DTLZ1

from drivetrain.assembly import steady
from drivetrain.optimizer import front
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

Floats = np.ndarray
BUDGET, POINTS = 20_000, 100
LEAST = 0.99


@dataclass
class Functions:
    """A problem of pymoo's as outcomes; what was asked last is kept, since every outcome asks for the same settings."""

    problem: Any
    asked: int = 0
    """Settings; reckoned here, by nobody who competes."""
    gradients: int = 0
    kept: dict[tuple[bytes, bool], Floats] = field(default_factory=dict)
    sloped: set[tuple[bytes, int]] = field(default_factory=set)

    def values(self, at: Floats, slopes: bool = False) -> Floats:
        """[G, K + C] objectives and constraints (kept where at most 0), or their slopes [G, K + C, L]."""
        key = (at.tobytes(), slopes)
        if key not in self.kept:
            self.kept = {old: value for old, value in self.kept.items() if old[0] == key[0]}
            if not slopes:
                self.asked += len(at)
            source = AutomaticDifferentiation(self.problem) if slopes else self.problem
            names = [name for name, many in (("F", self.problem.n_obj), ("G", self.problem.n_ieq_constr)) if many]
            told = [source.evaluate(at, return_values_of=[("d" if slopes else "") + name]) for name in names]
            self.kept[key] = np.concatenate(told, 1)
        return self.kept[key]

    def outcome(self, place: int) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """One of them, with its gradient."""
        told = self

        class One(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, at: torch.Tensor) -> torch.Tensor:
                ctx.save_for_backward(at)
                flat = at.detach().reshape(-1, at.shape[-1]).numpy().copy()
                return torch.from_numpy(told.values(flat)[:, place]).reshape(at.shape[:-1])

            @staticmethod
            def backward(ctx: Any, up: torch.Tensor) -> torch.Tensor:
                (at,) = ctx.saved_tensors
                flat = at.reshape(-1, at.shape[-1]).numpy().copy()
                if (key := (flat.tobytes(), place)) not in told.sloped:  # both members ask for the same one
                    told.sloped.add(key)
                    told.gradients += len(flat)
                slope = torch.from_numpy(np.nan_to_num(told.values(flat, slopes=True)[:, place]))
                return slope.reshape(at.shape) * up.unsqueeze(-1)

        def response(_: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
            return One.apply(at)

        return response


def posed(functions: Functions) -> Simulator:
    """The problem as a scenario for everyone at once."""
    problem = functions.problem
    levers = "".join(
        f"  v{i}: {{kind: continuous, min: {a:.9f}, max: {b:.9f}}}\n"
        for i, (a, b) in enumerate(zip(problem.xl, problem.xu, strict=True))
    )
    names = ["f0", "f1", *(f"g{i}" for i in range(problem.n_ieq_constr))]
    text = f"objective: {{minimise: f0, beside: [{{name: second, minimise: f1}}]}}\nlevers:\n{levers}"
    text += f"outcomes: {{{', '.join(f'{name}: {{kind: numeric}}' for name in names)}}}\ndecide: {{unit: once}}\n"
    if names[2:]:
        text += "constraints:\n" + "".join(f"  - {{name: c{name}, each: {name}, at_most: 0}}\n" for name in names[2:])
    scenario = declare(text, folds=2)
    return stand_in(
        scenario, {name: functions.outcome(place) for place, name in enumerate(names)}, anywhere(scenario.space)
    )


def unbeaten(points: Floats) -> Floats:
    """Those [P, 2] that no other is below."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    ranked = points[order]
    low = np.minimum.accumulate(ranked[:, 1])
    return ranked[np.concatenate([[True], ranked[1:, 1] < low[:-1]])]


def tnk(problem: Any) -> Floats:
    """The edge of what the first constraint allows, seen from 0, where the second does too."""
    angle = np.linspace(1e-6, np.pi / 2 - 1e-6, 200_001)
    radius = np.sqrt(1 + 0.1 * np.cos(16 * (np.pi / 2 - angle)))
    at = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    value, broken = problem.evaluate(at, return_values_of=["F", "G"])
    return unbeaten(value[(broken <= 1e-9).all(1)])


def osy(problem: Any) -> Floats:
    """The five pieces of Deb 2001 (Multi-Objective Optimization Using Evolutionary Algorithms, table 8.10)."""
    t = np.linspace(0, 1, 4001)
    one, nil = np.ones_like(t), np.zeros_like(t)
    third = 4.056 + t * (5 - 4.056)
    pieces = [
        (5 * one, one, 1 + 4 * t, nil, 5 * one, nil),
        (5 * one, one, 1 + 4 * t, nil, one, nil),
        (third, (third - 2) / 3, one, nil, one, nil),
        (nil, 2 * one, 1 + 2.732 * t, nil, one, nil),
        (t, 2 - t, one, nil, one, nil),
    ]
    value, broken = problem.evaluate(
        np.vstack([np.column_stack(piece) for piece in pieces]), return_values_of=["F", "G"]
    )
    return unbeaten(value[(broken <= 1e-9).all(1)])


def problems(quick: bool) -> dict[str, tuple[Any, Floats]]:
    """Each with its true front, finely."""
    found: dict[str, tuple[Any, Floats]] = {}
    for name in ("zdt1", "zdt2", "zdt3"):
        found[name] = (problem := get_problem(name), problem._calc_pareto_front(2_000))
    for name in ("bnh", "srn"):
        found[name] = (problem := get_problem(name), problem._calc_pareto_front(n_points=2_000))
    found["tnk"] = (problem := get_problem("tnk"), tnk(problem))
    found["osy"] = (problem := get_problem("osy"), osy(problem))
    line, cut = np.linspace(0, 0.5, 2_000), C1DTLZ1(n_var=6, n_obj=2)
    draw = np.random.default_rng(1).random((2, 5))  # else its best lies in the very middle, where anybody looks
    cut.xl[1:], cut.xu[1:] = 0.4 * draw[0], 1 - 0.4 * draw[1]
    found["c1dtlz1"] = (cut, np.column_stack([line, 0.5 - line]))
    return {name: found[name] for name in ("zdt3", "osy", "tnk")} if quick else found


def share(points: Floats, true: Floats) -> float:
    """The hypervolume of points, of that of the true front."""
    low, high = true.min(0), true.max(0)
    volume = HV(ref_point=np.array([1.1, 1.1]))
    return float(volume((points - low) / (high - low)) / volume((true - low) / (high - low)))


def ours(problem: Any) -> tuple[Floats, Functions]:
    """Our front, and what was asked for it."""
    functions = Functions(problem)
    simulator = posed(functions)
    crowd = simulator.crowd(pd.DataFrame(index=range(1)))
    found = front(simulator, crowd, np.zeros(1, dtype=np.int64), POINTS)
    at = found.settings[:, 0]
    values = problem.evaluate(at, return_values_of=["F", "G"] if problem.n_ieq_constr else ["F"])
    points, broken = values if problem.n_ieq_constr else (values, np.zeros((len(at), 1)))
    assert (broken <= 1e-5).all(), broken.max()
    return points, functions


def main() -> None:
    """Print the table and the figures."""
    warnings.filterwarnings("ignore")
    steady()
    lines, targets = [], {}
    named = [name for name in sys.argv[1:] if not name.startswith("--")]
    for name, (problem, true) in problems("--quick" in sys.argv).items():
        if named and name not in named:
            continue
        begun = time.process_time()
        points, functions = ours(problem)
        between = time.process_time()
        theirs = minimize(problem, NSGA2(pop_size=POINTS), ("n_eval", BUDGET), seed=1, verbose=False)
        done = time.process_time()
        lines.append(
            {
                "problem": name,
                "ours": share(points, true),
                "NSGA-II": 0.0 if theirs.F is None else share(theirs.F, true),
                "points": len(points),
                "asked": functions.asked,
                "gradients": functions.gradients,
                "ours CPU s": between - begun,
                "NSGA-II CPU s": done - between,
            }
        )
        print(
            {key: round(value, 5) if isinstance(value, float) else value for key, value in lines[-1].items()},
            flush=True,
        )
        asked = functions.asked + functions.gradients
        targets[f"{name}: hypervolume"] = {
            "value": lines[-1]["ours"],
            "target": LEAST,
            "met": lines[-1]["ours"] >= LEAST,
        }
        targets[f"{name}: asked"] = {"value": asked, "target": BUDGET, "met": asked <= BUDGET}
    print(pd.DataFrame(lines).to_string(index=False, float_format=lambda value: f"{value:.5g}"))
    print(json.dumps({"figures": {"problems": lines}, "targets": targets}))


if __name__ == "__main__":
    main()
