"""Is confounding that turns the best direction round caught, and how often is a clean design suspected?

    python -m tests.benchmarks.confounding [--quick] [CASE ...]

A cause c raises both price and demand. Raising the price lowers profit, but whoever compares what went together finds
that it pays. In each run 800 rows are drawn, and the tests that every run makes of its design are made of them.
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

from drivetrain.evidence import judge
from drivetrain.evidence.balance import balance
from drivetrain.evidence.orthogonal import negative_controls
from drivetrain.evidence.propensity import Stratified
from drivetrain.evidence.trust import drawn_as_declared, grades
from drivetrain.evidence.value import Judge
from drivetrain.scenario import Scenario
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

ROWS = 800
SLOPE, PULL = -0.4, 1.5


@dataclass(frozen=True)
class Case:
    """What is declared, and what is true."""

    declared: str
    confounded: bool
    unseen: bool = False
    """Whether the cause is not among the inputs; a trace of it is."""
    fitted: bool = False
    """Whether the whole judgement is made, with an outcome model that overlooks the cause."""
    clean: str = "randomised"
    """The grade of a design with nothing wrong."""


CASES = {
    "declared as drawn, set by an input": Case("randomised", True),
    "unseen cause, a negative control declared": Case(
        "observational, negative_controls: [z]", True, True, clean="adjusted"
    ),
    "recorded cause, overlooked by the outcome models": Case("observational", True, fitted=True, clean="adjusted"),
    "drawn, as declared": Case("randomised, negative_controls: [z]", False),
    "set by an input, as declared": Case("observational, negative_controls: [z]", True, clean="adjusted"),
}


def scenario(case: Case) -> Scenario:
    cause = "" if case.unseen else "c: {kind: numeric}, "
    return declare(
        "objective: {maximise: y}\nlevers: {price: {kind: continuous, min: -4, max: 4, do_nothing: 0}}\n"
        f"inputs: {{{cause}x: {{kind: numeric}}, z: {{kind: numeric}}}}\noutcomes: {{y: {{kind: numeric}}}}\n"
        f"assignment: {{design: {case.declared}}}"
    )


def drawn(case: Case, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    draw = np.random.default_rng(seed)
    cause, x = draw.normal(size=ROWS), draw.normal(size=ROWS)
    price = np.clip(
        case.confounded * (cause + 0.3 * cause**2 - 0.3) + 0.3 * case.confounded * x + draw.normal(size=ROWS), -4, 4
    )
    y = SLOPE * price + PULL * cause + 0.5 * x + draw.normal(size=ROWS)
    trace = cause if case.unseen else draw.normal(size=ROWS)
    frame = pd.DataFrame({"c": cause, "x": x, "z": trace + draw.normal(size=ROWS), "y": y})
    return frame, price


def turned(case: Case, seed: int) -> bool:
    """Whether what went together says that a higher price pays, though it does not."""
    frame, price = drawn(case, seed)
    return bool(np.polyfit(price, frame["y"], 1)[0] > 0)


def suspected(case: Case, seed: int) -> bool:
    """Whether the grade falls short of that of a clean design."""
    frame, price = drawn(case, seed)
    declared = scenario(case)
    table = as_table(declared, frame.drop(columns=["c"] if case.unseen else []), price)
    simulator = stand_in(declared, {"y": _overlooking(frame, price)}, Support.fit(declared.space, table.settings))
    if case.fitted:
        return judge(simulator, table).grade != case.clean
    design = balance(declared, table, simulator.support)
    court = Judge(simulator, table, Stratified(table.settings, np.zeros(ROWS, dtype=np.int64)))
    checks = [*design, *negative_controls(court, drawn=drawn_as_declared(declared, design))]
    return grades(declared, checks)["price"] != case.clean


def _overlooking(frame: pd.DataFrame, price: np.ndarray) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    slope, start = np.polyfit(price, frame["y"], 1)
    return lambda x, at: start + slope * at[..., 0] + 0 * x[..., 0]


def main() -> None:
    """All cases."""
    torch.set_num_threads(1)
    runs, figures, targets = 40 if "--quick" in sys.argv else 200, {}, {}
    wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
    print(f"{'case':52}{'turned round':>14}{'suspected':>11}{'limit':>9}")
    for name in wanted or CASES:
        case, started = CASES[name], time.process_time()
        wrong = float(np.mean([turned(case, seed) for seed in range(runs)]))
        found = float(np.mean([suspected(case, seed) for seed in range(runs)]))
        dirty = "as declared" not in name
        met = found >= 0.95 if dirty else found <= 0.05
        figures[name] = {"runs": runs, "turned": wrong, "suspected": found}
        targets[name] = {"value": found, "target": "at least 0.95" if dirty else "at most 0.05", "met": met}
        limit = "≥ 95%" if dirty else "≤ 5%"
        print(f"{name:52}{wrong:14.1%}{found:11.1%}{limit:>9}   {time.process_time() - started:.0f} s", flush=True)
    print(json.dumps({"figures": figures, "targets": targets}))


if __name__ == "__main__":
    main()
