"""The Optimizer and the Simulator beside their peers, in one run, on networks as they are born.

    python -m tests.benchmarks.optimizer [--quick] [--rows N] [one-lever] [three-levers] [totals] [what-if] [memory]

Times are CPU seconds of one thread, so that a busy machine does not change them; peers are asked about a part of the
rows, and rates are compared. Peers: the joint network of the same size asked about the whole grid, or by nine coarse
settings, five fine ones and a parabola; scipy's `minimize_scalar` and `differential_evolution` on it, row by row; HiGHS
(`scipy.optimize.milp`) for totals.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from scipy.optimize import differential_evolution, minimize_scalar

from drivetrain.assembly import Run, result, steady
from drivetrain.data import Rows
from drivetrain.optimizer import Plan, candidates, optimise
from drivetrain.simulator import Crowd, Simulator
from tests.benchmarks import untrained
from tests.benchmarks.measuring import QUICK, Figures, cpu, less, more
from tests.benchmarks.totals import many_totals

ROWS = 50_000 if QUICK else 1_000_000
if "--rows" in sys.argv:
    ROWS = int(sys.argv[sys.argv.index("--rows") + 1])
PEER_ROWS, HEURISTIC_ROWS, SCIPY_ROWS = (200, 5_000, 10) if QUICK else (500, 20_000, 40)


def streamed(simulator: Simulator, frame: pd.DataFrame) -> Plan:
    """Decisions run by run, as `recommend` makes them."""
    plans = [optimise(simulator, crowd, np.arange(len(crowd))) for _, crowd in simulator.crowds(frame)]
    return Plan(np.concatenate([plan.settings for plan in plans]), plans[0].method)


class Joint:
    """The joint network's members, asked as fast as batches go: 4,096 pairs at once."""

    def __init__(self, simulator: Simulator, many: int) -> None:
        self.simulator, self.model = simulator, simulator.models.outcomes["accepted"]
        self.crowd = simulator.crowd(untrained.rows(many))

    def value(self, crowd: Crowd, settings: np.ndarray) -> np.ndarray:
        """[N] the objective's mean over members, each row under its own setting."""
        parts = []
        for start in range(0, len(crowd), 4096):
            part = slice(start, start + 4096)
            parts.append(self.simulator.expected_paired(crowd.take(part), settings[part]).objective[:, 0].numpy())
        return np.concatenate(parts)

    def grid(self, settings: np.ndarray) -> np.ndarray:
        """Every row's best of a grid, by batched forward passes of all pairs."""
        many, step, best = len(settings), max(1, 4096 // len(settings)), []
        for start in range(0, len(self.crowd), step):
            rows = torch.arange(start, min(start + step, len(self.crowd)))
            pairs = self.crowd.take(rows.repeat_interleave(many))
            told = self.simulator.expected_paired(pairs, np.tile(settings, (len(rows), 1))).objective
            best.append(told.reshape(-1, many).argmax(1).numpy())
        return settings[np.concatenate(best)]

    def heuristic(self, low: float, high: float) -> np.ndarray:
        """Nine coarse settings, five fine ones around the best, and the top of the parabola through the last three."""
        rows = np.arange(len(self.crowd))

        def tried(at: np.ndarray) -> np.ndarray:
            return np.column_stack([self.value(self.crowd, each[:, None]) for each in at.T])

        coarse = np.tile(np.linspace(low, high, 9), (len(rows), 1))
        best = coarse[rows, tried(coarse).argmax(1)]
        step = (high - low) / 8
        fine = np.clip(best[:, None] + step * np.linspace(-0.67, 0.67, 5), low, high)
        height = tried(fine)
        place = height.argmax(1).clip(1, 3)
        a, b, c = (height[rows, place + k] for k in (-1, 0, 1))
        bend = a - 2 * b + c
        shift = np.where(bend < 0, 0.5 * (a - c) / np.where(bend == 0, 1, bend), 0).clip(-1, 1)
        return fine[rows, place] + shift * step * 0.335


def one_lever() -> tuple[Figures, dict[str, Any]]:
    """Best setting per row of one lever, five members, the objective's formula included."""
    figures: Figures = {}
    frame = untrained.rows(ROWS)
    joint = Joint(untrained.simulator(untrained.declared(*untrained.ONE), "joint"), HEURISTIC_ROWS)
    few = Joint(joint.simulator, PEER_ROWS)
    for many, step in ((200, 0.5), (50, 2.0), (0, None)):
        ours = untrained.simulator(untrained.declared(*untrained.ONE, step))
        streamed(ours, frame.iloc[:5_000])  # nothing is done for the first time below
        seconds, plan = cpu(lambda: streamed(ours, frame))  # noqa: B023
        crowds = list(ours.crowds(frame))
        known, _ = cpu(lambda: [optimise(ours, crowd, np.arange(len(crowd))) for _, crowd in crowds])  # noqa: B023
        line = {"rows_per_s": ROWS / seconds, "with_contexts_rows_per_s": ROWS / known, "method": plan.method}
        if many:
            settings = candidates(ours.scenario.space, ours.support)
            line["joint_grid_rows_per_s"] = PEER_ROWS / cpu(lambda: few.grid(settings))[0]  # noqa: B023
        figures[f"{many} settings" if many else "continuous, refined"] = line
    figures["joint heuristic rows_per_s"] = HEURISTIC_ROWS / cpu(lambda: joint.heuristic(60, 160))[0]
    seconds, _ = cpu(lambda: [_scalar(joint, row) for row in range(SCIPY_ROWS)])
    figures["minimize_scalar rows_per_s"] = SCIPY_ROWS / seconds
    figures["where time goes"] = _shares(frame)
    fast, slow, best = figures["200 settings"], figures["50 settings"], figures["joint heuristic rows_per_s"]
    return figures, {
        "200 settings: times the joint grid": more(fast["rows_per_s"] / fast["joint_grid_rows_per_s"], 100),
        "50 settings: times the joint grid": more(slow["rows_per_s"] / slow["joint_grid_rows_per_s"], 30),
        "200 settings: times the heuristic": more(fast["rows_per_s"] / best, 10),
        "continuous: times the heuristic": more(figures["continuous, refined"]["rows_per_s"] / best, 10),
        "200 settings: times minimize_scalar": more(fast["rows_per_s"] / figures["minimize_scalar rows_per_s"], 300),
        "contexts known, 200 settings: times the joint grid": more(
            fast["with_contexts_rows_per_s"] / fast["joint_grid_rows_per_s"], 1000
        ),
    }


def _scalar(joint: Joint, row: int) -> float:
    one = joint.crowd.take(slice(row, row + 1))
    found = minimize_scalar(lambda at: -joint.value(one, np.array([[at]]))[0], bounds=(60, 160), method="bounded")
    return float(found.x)


def _shares(frame: Any) -> Figures:
    """Microseconds a row of each stage of 200 settings under five members, and the rates of what they are made of."""
    ours = untrained.simulator(untrained.declared(*untrained.ONE, 0.5))
    part, model = frame.iloc[:50_000], ours.models.outcomes["accepted"]
    many, scale = len(part), 1e6 / len(part)
    encode, rows = cpu(lambda: ours.models.inputs.encode(part))
    context, known = cpu(lambda: model.context(rows))
    grid, _ = cpu(lambda: [each.objective.argmax(1) for _, each in ours.expected(_crowd(ours, part), _settings(ours))])
    read, _ = cpu(lambda: _crowd(ours, part))
    prepared = model.prepare(torch.tensor(_settings(ours)))
    out = torch.empty(2600, prepared[0].shape[1])
    product, _ = cpu(lambda: [torch.mm(known[0][:2600], prepared[0], out=out) for _ in range(200)])
    sigmoid, _ = cpu(lambda: [torch.sigmoid_(out) for _ in range(200)])
    square = torch.randn(1500, 1500)
    rate, _ = cpu(lambda: [square @ square for _ in range(5)])
    cells = 200 * out.numel()
    return {
        "encode_us": encode * scale,
        "contexts_us": context * scale,
        "scoring_us": (grid - read) * scale,
        "matrix_product_ns_per_cell": product / cells * 1e9,
        "sigmoid_ns_per_cell": sigmoid / cells * 1e9,
        "square_product_gflops": 5 * 2 * 1500**3 / rate / 1e9,
        "rows": many,
    }


def _crowd(simulator: Simulator, frame: Any) -> Crowd:
    return simulator.crowd(frame)


def _settings(simulator: Simulator) -> np.ndarray:
    return candidates(simulator.scenario.space, simulator.support)


def three_levers() -> tuple[Figures, dict[str, Any]]:
    """Twelve options, fifty steps and a yes/no: 1,200 settings a row."""
    declared = untrained.declared(*untrained.THREE)
    ours, frame = untrained.simulator(declared), untrained.rows(ROWS // 5)
    seconds, plan = cpu(lambda: streamed(ours, frame))
    settings = ours.scenario.space
    every = np.array(
        [[a, b, c] for a in settings.grid("channel", 12) for b in settings.grid("price", 50) for c in (0, 1)]
    )
    few = ours.crowd(frame.iloc[:2000])
    best = torch.cat([each.objective.max(1)[0] for _, each in ours.expected(few, every)]).double().numpy()
    got = ours.expected_paired(few, plan.settings[:2000]).objective[:, 0].double().numpy()
    joint = Joint(untrained.simulator(declared, "joint"), HEURISTIC_ROWS // 10)
    heuristic, _ = cpu(lambda: _coordinates(joint, settings))
    evolution, _ = cpu(lambda: [_evolved(joint, row) for row in range(1 if QUICK else 3)])
    figures = {
        "rows_per_s": len(frame) / seconds,
        "settings": len(every),
        "method": plan.method,
        "lost_of_exhaustive": float(1 - got.sum() / best.sum()),
        "joint heuristic rows_per_s": len(joint.crowd) / heuristic,
        "differential_evolution rows_per_s": (1 if QUICK else 3) / evolution,
    }
    return figures, {
        "three levers: lost of exhaustive search": less(figures["lost_of_exhaustive"], 1e-3),
        "three levers: times the heuristic": more(figures["rows_per_s"] / figures["joint heuristic rows_per_s"], 5),
    }


def _coordinates(joint: Joint, space: Any) -> np.ndarray:
    """Two rounds of one lever after the other: options, nine coarse and five fine prices, the gift."""
    rows = np.arange(len(joint.crowd))
    best = np.tile(np.array([0.0, 108.0, 0.0]), (len(rows), 1))
    for _ in range(2):
        for place, values in ((0, np.arange(12.0)), (1, np.linspace(60, 158, 9)), (1, None), (2, np.arange(2.0))):
            offers = best[:, place, None] + np.linspace(-8, 8, 5) if values is None else np.tile(values, (len(rows), 1))
            heights = []
            for at in np.clip(
                np.round(offers / 2) * 2 if place == 1 else offers, *((60, 158) if place == 1 else (0, 11))
            ).T:
                moved = best.copy()
                moved[:, place] = at
                heights.append((joint.value(joint.crowd, moved), moved))
            top = np.argmax([height for height, _ in heights], axis=0)
            best = np.array([heights[top[row]][1][row] for row in rows])
    return best


def _evolved(joint: Joint, row: int) -> float:
    one = joint.crowd.take(slice(row, row + 1))

    def lost(at: np.ndarray) -> float:
        return -float(joint.value(one, np.array([[np.floor(at[0]), at[1], np.round(at[2])]]))[0])

    return float(differential_evolution(lost, [(0, 11.99), (60, 158), (0, 1)], maxiter=30, seed=1).fun)


def what_ifs() -> tuple[Figures, dict[str, Any]]:
    """One setting for every row against another, once rows are read; and beside a pass of the joint network."""
    ours = untrained.simulator(untrained.declared(*untrained.ONE))
    frame = untrained.rows(ROWS)
    settings = np.random.default_rng(0).uniform(60, 160, (ROWS, 1))
    run = Run(ours.scenario, Rows(frame, settings, np.arange(ROWS), (), "", "untrained"), ours, {})  # type: ignore[arg-type]
    first, _ = cpu(lambda: run.what_if({"price": 99.0}))
    one, _ = cpu(lambda: run.what_if({"price": 100.0}, against={"price": 110.0}))
    own, _ = cpu(lambda: run.what_if(None, against={"price": 110.0}))
    inputs, _ = cpu(lambda: run.what_if({"price": 100.0}, inputs={"x0": "*0.9"}))
    joint = Joint(untrained.simulator(untrained.declared(*untrained.ONE), "joint"), HEURISTIC_ROWS)
    passes, _ = cpu(lambda: joint.value(joint.crowd, np.full((HEURISTIC_ROWS, 1), 100.0)))
    per_million = 1_000_000 / ROWS
    figures = {
        "first_s": first * per_million,
        "warm_s": one * per_million,
        "own_settings_s": own * per_million,
        "other_inputs_s": inputs * per_million,
        "joint_two_passes_s": 2 * passes * 1_000_000 / HEURISTIC_ROWS,
    }
    return figures, {"what-if on 1,000,000 rows, warm: CPU seconds": less(figures["warm_s"], 1.0)}


def memory() -> tuple[Figures, dict[str, Any]]:
    """How much memory decisions take beside the rows and the answers, as rows grow tenfold."""
    ours = untrained.simulator(untrained.declared(*untrained.ONE, 2.0))
    many = max(ROWS, 200_000)  # more than one run of rows
    few, figures = untrained.rows(many), Figures()
    for times in (1, 10):
        frame = few.iloc[np.tile(np.arange(many), times)] if times > 1 else few
        _reset_peak()
        before = _resident("VmRSS")
        plan = streamed(ours, frame)
        peak = _resident("VmHWM") - before
        figures[f"{times * many:,} rows"] = {"extra_mb": peak, "answers_mb": plan.settings.nbytes / 2**20}
    small, large = (line["extra_mb"] - 2 * line["answers_mb"] for line in figures.values())
    asked = [_what_if_memory(ours, few, times) for times in (1, 10)]
    figures["what-if, streamed, extra MB"] = dict(zip((f"{many:,} rows", f"{10 * many:,} rows"), asked, strict=True))
    return figures, {
        "memory beside rows and answers, ten times the rows: times": less(large / max(small, 1.0), 1.5),
        "memory of a streamed what-if, ten times the rows: times": less(asked[1] / max(asked[0], 1.0), 1.5),
    }


def _what_if_memory(ours: Simulator, few: pd.DataFrame, times: int) -> float:
    """MB beside the rows that a what-if takes, its reference included, when no run of rows is kept."""
    frame = few.iloc[np.tile(np.arange(len(few)), times)] if times > 1 else few
    rows = Rows(frame, np.full((len(frame), 1), 110.0), np.arange(len(frame)), (), "", "untrained")
    run = Run(ours.scenario, rows, ours, {})  # type: ignore[arg-type]
    with patch.object(result, "MOST_KEPT", 0):
        _reset_peak()
        before = _resident("VmRSS")
        run.what_if({"price": 100.0}, against={"price": 110.0})
        return _resident("VmHWM") - before


def _reset_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")


def _resident(key: str) -> float:
    with open("/proc/self/status") as file:  # noqa: PTH123
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(key))


PARTS = {
    "one lever": one_lever,
    "three levers": three_levers,
    "totals": many_totals,
    "what-if": what_ifs,
    "memory": memory,
}


def main() -> None:
    """Every part (or those named), its figures, then the targets, then one JSON line."""
    steady()
    named = [name for name in PARTS if name.replace(" ", "-") in sys.argv] or list(PARTS)
    figures, targets = {}, {}
    for name in named:
        figures[name], found = PARTS[name]()
        targets |= found
        print(f"{name}:", json.dumps(figures[name], indent=1, default=str), flush=True)
    for name, line in targets.items():
        print(f"{name:60}{line['value']:14.4g}  target {line['target']:g}  {'met' if line['met'] else 'MISSED'}")
    print(json.dumps({"figures": figures, "targets": targets}))


if __name__ == "__main__":
    main()
