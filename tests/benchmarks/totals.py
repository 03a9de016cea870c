"""Three totals over every row: ours, HiGHS being the referee; `python -m tests.benchmarks.optimizer totals` runs it."""

from __future__ import annotations

import resource
import time
from multiprocessing import get_context
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from drivetrain.optimizer.allotment import solve
from drivetrain.optimizer.totals import Total, bounded, worth
from tests.benchmarks.measuring import QUICK, Figures, cpu, less


def problem(units: int, many: int, limits: int, seed: int = 0) -> tuple[np.ndarray, list[Total]]:
    """Decisions of uneven worth, dearer options worth more and using more; doing nothing costs nothing."""
    draw = np.random.default_rng(seed)
    size = draw.gamma(2, size=(units, 1)).astype(np.float32)
    values = size * draw.random((units, many), dtype=np.float32) * np.linspace(0.2, 2, many, dtype=np.float32)
    values[:, 0] = 0
    totals = []
    for place in range(limits):
        used = draw.random((units, many), dtype=np.float32) * np.linspace(0, 20, many, dtype=np.float32)
        free = float(used[np.arange(units), values.argmax(1)].sum(dtype=np.float64))
        totals.append(Total(f"t{place}", used, free * (0.4 + 0.1 * place), 1, 1.0))
    return values, totals


def many_totals() -> tuple[Figures, dict[str, Any]]:
    """Three totals over every row, and HiGHS as the referee where it finishes."""
    units = 50_000 if QUICK else 1_000_000
    values, totals = problem(units, 20, 3)
    wall = time.monotonic()
    seconds, answer = cpu(lambda: solve(values, totals))
    wall = time.monotonic() - wall
    assert answer is not None
    picked, prices = answer
    bound, got = bounded(values, totals, prices), worth(values, picked)
    over = max(max(0.0, total.spent(picked) - total.limit) / total.limit for total in totals)
    figures: Figures = {
        "rows": units,
        "cpu_s": seconds,
        "wall_s": wall,
        "gap": (bound - got) / bound,
        "violation": over,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "referee": [_refereed(size, 20.0 if QUICK else 60.0) for size in REFEREED[: 2 if QUICK else None]],
    }
    figures["HiGHS no longer finishes at"] = [line["rows"] for line in figures["referee"] if not line["HiGHS finished"]]
    finished = [line for line in figures["referee"] if line["HiGHS finished"]]
    worst = max((line["ours below HiGHS"] - line["HiGHS gap"] for line in finished), default=0.0)
    relaxed = [line["ours below the relaxation"] for line in figures["referee"] if line["rows"] >= 2_000]
    return figures, {
        "totals: CPU seconds": less(seconds, 30),
        "totals: duality gap": less(figures["gap"], 1e-5),
        "totals: worst violation": less(over, 1e-6),
        "totals: below HiGHS, beyond its gap": less(worst, 1e-5),
        "totals: below HiGHS's bound without whole choices, 2,000 to 20,000 rows": less(
            max(relaxed, default=float("nan")), 1e-4
        ),
        "totals: MB": less(figures["peak_mb"], 4096),
    }


REFEREED = (500, 2_000, 5_000, 20_000)


def _refereed(units: int, limit_s: float) -> Figures:
    """The same problem by HiGHS: whole, and relaxed (choices in parts), which nothing whole can be better than."""
    values, totals = problem(units, 20, 3, seed=1)
    seconds, answer = cpu(lambda: solve(values, totals))
    assert answer is not None
    got = worth(values, answer[0])
    best, gap, finished, whole = _highs(units, limit_s, relaxed=False)
    bound, _, bounded_at_all, relaxed = _highs(units, 2 * limit_s, relaxed=True)
    return {
        "rows": units,
        "ours_cpu_s": seconds,
        "HiGHS_wall_s": whole,
        "HiGHS finished": finished,
        "HiGHS gap": gap,
        "ours below HiGHS": float("nan") if best is None else (best - got) / best,
        "relaxation_wall_s": relaxed,
        "ours below the relaxation": (bound - got) / bound if bound and bounded_at_all else float("nan"),
    }


def _highs(units: int, limit_s: float, relaxed: bool) -> tuple[float | None, float, bool, float]:
    """What it found, its gap, whether it finished, wall seconds; in a process of its own: its limit may not stop it."""
    context = get_context("spawn")
    told = context.SimpleQueue()
    process = context.Process(target=_asked, args=(units, limit_s, relaxed, told), daemon=True)
    start = time.monotonic()
    process.start()
    process.join(3 * limit_s)
    found = (None, float("inf"), False) if process.is_alive() else told.get()
    process.kill()
    return *found, time.monotonic() - start


def _asked(units: int, limit_s: float, relaxed: bool, told: Any) -> None:
    values, totals = problem(units, 20, 3, seed=1)
    cells = np.arange(values.size)
    one = csr_array((np.ones(values.size), (cells // 20, cells)), shape=(units, values.size))
    uses = np.stack([total.used.ravel().astype(np.float64) for total in totals])
    found = milp(
        -values.ravel().astype(np.float64),
        constraints=[LinearConstraint(one, 1, 1), LinearConstraint(uses, -np.inf, [each.limit for each in totals])],
        integrality=np.zeros(values.size) if relaxed else np.ones(values.size),
        bounds=Bounds(0, 1),
        options={"time_limit": limit_s, "mip_rel_gap": 1e-6},
    )
    gap = 0.0 if relaxed else found.mip_gap
    told.put((None, float("inf"), False) if found.x is None else (-float(found.fun), gap, found.status == 0))
