"""Random scenarios against brute force: every constraint kept, the best found, and what cannot be kept named so.

`python -m tests.benchmarks.random_scenarios [--quick]`: 1,000 scenarios (quick: 100) of one to three levers with steps
or options, some with a condition, with bounds of their own in each row, or frozen; decided by row, by segment or once,
or one lever once and the others by row; under up to three constraints on each row, totals, means and ratios, over all
rows or within groups; some rows fixed by people. Brute force lists every setting of every decision and solves it
all as one mixed-integer programme.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from drivetrain.errors import InfeasibleError
from drivetrain.optimizer import decisions, optimise
from drivetrain.scenario import Scenario, build
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, stand_in

Floats = np.ndarray[Any, np.dtype[np.float64]]
Rule = Callable[[Floats, Floats], Floats]
"""Inputs x [N, 1] and settings [G, L] → [N, G]."""

TIGHT = 1e-6
TARGETS = {"violated": 0, "worse than 1%": 0, "feasible ones refused": 0, "infeasible ones answered": 0}
VALUES: dict[str, list[float]] = {
    "calls": [0, 1, 2, 3, 4],
    "price": [0, 0.5, 1, 1.5, 2],
    "channel": [0, 1, 2],
    "gift": [0, 1],
}
DECLARED: dict[str, dict[str, Any]] = {
    "calls": {"kind": "integer", "min": 0, "max": 4, "do_nothing": 0},
    "price": {"kind": "continuous", "min": 0, "max": 2, "step": 0.5, "do_nothing": 0},
    "channel": {"kind": "categorical", "options": ["post", "mail", "phone"], "do_nothing": "post"},
    "gift": {"kind": "yes_no", "do_nothing": False},
}
WORDS = {"channel": "((channel == 'mail') + 2 * (channel == 'phone'))"}


@dataclass(frozen=True)
class Limit:
    """One bound: Σ over rows `of` − bound · Σ `to` ≤ 0 for an upper one; `to` is 1 in one row for a total."""

    of: Floats
    """[N, G]"""
    to: Floats
    """[N, G]"""
    bound: float
    sign: int
    rows: Floats
    """[N] which rows it bounds."""


@dataclass(frozen=True)
class Problem:
    """A random scenario, with its truth in numpy."""

    scenario: Scenario
    frame: pd.DataFrame
    grid: Floats
    """[G, L] every setting."""
    value: Floats
    """[N, G]"""
    allowed: np.ndarray[Any, np.dtype[np.bool_]]
    """[N, G]"""
    limits: list[Limit]
    unit: np.ndarray[Any, np.dtype[np.int64]]
    locked: Floats
    """[N, L] NaN where free."""
    coefficients: Floats
    shares: bool
    """Whether all free rows share the first lever."""

    def simulator(self) -> Simulator:
        """One whose models know the truth."""
        linear, mixed = torch.tensor(self.coefficients)

        def response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
            return (linear * at + mixed * x[..., :1] * at).sum(-1)

        return stand_in(self.scenario, {"y": response}, anywhere(self.scenario.space))


def eighths(draw: np.random.Generator, low: int, high: int, size: Any = None) -> Any:
    """Multiples of 1/8, which 32-bit numbers add up without an error."""
    return draw.integers(8 * low, 8 * high + 1, size) / 8


def problem(seed: int) -> Problem:
    """A random one."""
    draw = np.random.default_rng(seed)
    names = [str(name) for name in draw.permutation(list(VALUES))[: draw.integers(1, 4)]]
    many = int(draw.integers(2, 9))
    x, group = eighths(draw, -2, 2, many), draw.integers(0, 3, many)
    grid = np.array(list(product(*(VALUES[name] for name in names))), dtype=float)
    levers, allowed = _levers(draw, names, x[:, None], grid)
    coefficients = eighths(draw, -2, 2, (2, len(names)))
    y = (coefficients[0] * grid).sum(1) + x[:, None] * (coefficients[1] * grid).sum(1)
    sign = int(draw.choice([1, -1]))
    value = sign * (2 * y - 0.25 * grid[:, 0])
    constraints, limits, allowed = _constraints(draw, names, x, group, grid, y, allowed)
    unit = str(draw.choice(["row", "row", "segment", "once"]))
    shares = unit == "row" and len(names) > 1 and draw.random() < 0.3
    scenario = build(
        {
            "version": 1,
            "name": "made",
            "title": "A made problem",
            "objective": {"maximise" if sign > 0 else "minimise": f"2 * y - 0.25 * {_word(names[0])}"},
            "levers": levers,
            "inputs": {"x": {"kind": "numeric"}, "g": {"kind": "numeric", "bins": [0.5, 1.5]}},
            "outcomes": {"y": {"kind": "numeric"}},
            "constraints": constraints,
            "decide": {"unit": unit}
            | ({"by": ["g"]} if unit == "segment" else {})
            | ({"shared": {names[0]: "once"}} if shares else {}),
            "data": {"csv": "none.csv", "split": {"folds": 2, "test": 0}},
        }
    )
    frame = pd.DataFrame({"x": x, "g": group.astype(float)})
    fixed = (draw.random(many) < 0.3) & (draw.random() < 0.3) & allowed.any(1)
    locked = np.full((many, len(names)), np.nan)
    for row in np.flatnonzero(fixed):
        place = draw.choice(np.flatnonzero(allowed[row]))
        locked[row] = grid[place]
        allowed[row] = np.arange(len(grid)) == place
    return Problem(
        scenario, frame, grid, value, allowed, limits, decisions(scenario, frame), locked, coefficients, shares
    )


def _word(lever: str) -> str:
    return WORDS.get(lever, lever)


def _levers(
    draw: np.random.Generator, names: list[str], x: Floats, grid: Floats
) -> tuple[dict[str, Any], np.ndarray[Any, np.dtype[np.bool_]]]:
    levers, allowed = {name: dict(DECLARED[name]) for name in names}, np.ones((len(x), len(grid)), dtype=bool)
    for i, name in enumerate(names):
        chance = draw.random()
        if i and chance < 0.3:
            levers[name]["when"] = f"{_word(names[0])} > 0 and x > -1"
            allowed &= (grid[:, i] == 0) | ((grid[:, 0] > 0) & (x > -1))
        elif name in {"calls", "price"} and chance < 0.6:
            levers[name]["at_most"] = "x + 1.5"
            allowed &= grid[:, i] <= x + 1.5
        elif i and chance > 0.9:
            levers[name] = {key: each for key, each in levers[name].items() if key != "do_nothing"}
            levers[name] |= {"current": "mail" if name == "channel" else True if name == "gift" else 1, "frozen": True}
            allowed &= grid[:, i] == 1
    return levers, allowed


def _constraints(
    draw: np.random.Generator,
    names: list[str],
    x: Floats,
    group: Any,
    grid: Floats,
    y: Floats,
    allowed: np.ndarray[Any, np.dtype[np.bool_]],
) -> tuple[list[dict[str, Any]], list[Limit], np.ndarray[Any, np.dtype[np.bool_]]]:
    out, limits, one = [], list[Limit](), np.ones((len(x), len(grid)))
    size = (2 + np.abs(x))[:, None] * one
    uses = {
        f"{_word(names[0])} + x * 0": grid[:, 0] * one,
        f"y + {_word(names[-1])}": y + grid[:, -1],
        f"{_word(names[0])} * (2 + abs(x))": grid[:, 0] * size,
    }
    for place in range(int(draw.integers(0, 4))):
        over, key = str(draw.choice(["each", "total", "mean", "ratio"])), str(draw.choice(["at_most", "at_least"]))
        text, use = list(uses.items())[int(draw.integers(0, 3))]
        sign, by = 1 if key == "at_most" else -1, over != "each" and draw.random() < 0.4
        low, high = (use.min(1), use.max(1)) if over != "each" else (use.min(1).max(), use.max(1).min())
        at = float(np.mean(low + (high - low) * draw.uniform(-0.15, 1.1)))
        bound = round(at * len(x) / (3 if by else 1) if over == "total" else at / 3 if over == "ratio" else at, 2)
        rule: dict[str, Any] = {"name": f"c{place}", key: bound} | ({"by": ["g"]} if by else {})
        out.append(rule | {over: {"of": text, "to": "2 + abs(x)"} if over == "ratio" else text})
        if over == "each":
            allowed = allowed & (sign * (use - bound) <= TIGHT * max(1, abs(bound)))
        for inside in [group == g for g in np.unique(group)] if by else [np.ones(len(x), dtype=bool)]:
            to = {"total": one / inside.sum(), "mean": one, "ratio": size}.get(over)
            limits += [] if to is None else [Limit(use, to, bound, sign, inside.astype(float))]
    return out, limits, allowed


def brute(made: Problem, slack: float = 0.0) -> float | None:
    """The best total value of any choice of whole settings for whole decisions; None where there is none."""
    if not made.shares:
        return _brute(made, slack)
    fixed, found = np.isfinite(made.locked).all(1), list[float]()
    for value in np.unique(made.grid[:, 0]):
        allowed = made.allowed & (fixed[:, None] | (made.grid[:, 0] == value))
        best = _brute(replace(made, allowed=allowed), slack) if allowed.any(1).all() else None
        found += [] if best is None else [best]
    return max(found, default=None)


def _brute(made: Problem, slack: float) -> float | None:
    units, many = int(made.unit.max()) + 1, len(made.grid)
    free = np.isnan(made.locked[:, 0])
    cells = [(u, g, made.unit == u) for u in range(units) for g in range(many)]
    fixed = [(int(row), int(np.flatnonzero(made.allowed[row])[0])) for row in np.flatnonzero(~free)]
    kept = [(u, g, rows & free) for u, g, rows in cells if made.allowed[rows & free, g].all() and (rows & free).any()]
    owners = sorted({int(u) for u in made.unit[free]})
    if owners and not kept:
        return None
    base = sum(float(made.value[row, g]) for row, g in fixed)
    uses, rooms = [], []
    for limit in made.limits:
        use = limit.sign * limit.rows[:, None] * (limit.of - limit.bound * limit.to)
        uses.append([float(use[rows, g].sum()) for _, g, rows in kept])
        size = max(1.0, abs(limit.bound)) * float((limit.rows[:, None] * limit.to)[:, 0].sum())
        rooms.append(slack * size - sum(float(use[row, g]) for row, g in fixed) + 1e-9)
    if not owners:
        return base if all(room >= 0 for room in rooms) else None
    one = coo_array(
        (np.ones(len(kept)), ([owners.index(u) for u, _, _ in kept], range(len(kept)))), (len(owners), len(kept))
    )
    answer = milp(
        [-float(made.value[rows, g].sum()) for _, g, rows in kept],
        constraints=[
            LinearConstraint(one.tocsr(), 1, 1),
            *([LinearConstraint(np.array(uses), -np.inf, rooms)] if uses else []),
        ],
        integrality=np.ones(len(kept)),
        bounds=Bounds(0, 1),
    )
    return None if answer.x is None else base - float(answer.fun)


def worst(made: Problem, settings: Floats) -> float:
    """The worst violation of any rule, relative to its bound; reckoned from the settings alone."""
    place = np.array([int(np.flatnonzero((made.grid == setting).all(1))[0]) for setting in settings])
    rows = np.arange(len(place))
    free = np.isnan(made.locked).any(1)
    alike = not made.shares or len(np.unique(settings[free, 0])) <= 1
    out = 0.0 if made.allowed[rows, place].all() and alike else np.inf
    for limit in made.limits:
        of, to = (float((limit.rows * each[rows, place]).sum()) for each in (limit.of, limit.to))
        out = max(out, limit.sign * (of / to - limit.bound) / max(1.0, abs(limit.bound)))
    return max(out, 0.0)


def examine(seed: int) -> tuple[str, float, float]:
    """What became of one scenario, its worst violation, and how much worse than brute force it is (a share)."""
    made = problem(seed)
    simulator = made.simulator()
    best = brute(made)
    try:
        plan = optimise(simulator, simulator.crowd(made.frame), made.unit, locked=made.locked)
    except InfeasibleError:
        return ("infeasible, named so" if best is None else "feasible, refused"), 0.0, 0.0
    if best is None and brute(made, TIGHT) is None:
        return "infeasible, answered", worst(made, plan.settings), 0.0
    best = brute(made, TIGHT) if best is None else best
    assert best is not None
    place = [int(np.flatnonzero((made.grid == setting).all(1))[0]) for setting in plan.settings]
    got = float(made.value[np.arange(len(place)), place].sum())
    return "feasible, answered", worst(made, plan.settings), max(0.0, best - got) / max(abs(best), 1e-9)


def main(quick: bool) -> dict[str, Any]:
    """Examine them all."""
    many, started = 100 if quick else 1000, time.process_time()
    told = [examine(seed) for seed in range(many)]
    kinds = Counter(kind for kind, _, _ in told)
    violated = sum(violation > TIGHT for _, violation, _ in told)
    worse = sum(loss > 0.01 for _, _, loss in told)
    counts = {
        "violated": violated,
        "worse than 1%": worse,
        "feasible ones refused": kinds["feasible, refused"],
        "infeasible ones answered": kinds["infeasible, answered"],
    }
    for kind, count in sorted(kinds.items()):
        print(f"{kind:24} {count:6,}")
    print(f"{'worst violation':24} {max(violation for _, violation, _ in told):6.1e}")
    print(f"{'worst loss':24} {max(loss for _, _, loss in told):6.1e}")
    print(f"{'CPU seconds':24} {time.process_time() - started:6.0f}")
    bad = [
        seed for seed, (kind, v, loss) in enumerate(told) if v > TIGHT or loss > 0.01 or kind in {"feasible, refused"}
    ]
    print(f"seeds to look at: {bad}" if bad else "no scenario to look at")
    figures = {
        "scenarios": many,
        **kinds,
        "worst violation": max(v for _, v, _ in told),
        "worst loss": max(loss for *_, loss in told),
    }
    targets = {
        name: {"value": counts[name], "target": most, "met": counts[name] <= most} for name, most in TARGETS.items()
    }
    return {"figures": figures, "targets": targets}


if __name__ == "__main__":
    print(json.dumps(main("--quick" in sys.argv)))
