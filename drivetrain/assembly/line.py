"""The line itself, from scenario to recommendations."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from drivetrain import data, modeler, scenario as scenarios
from drivetrain.assembly.explaining import explained
from drivetrain.assembly.folder import keep
from drivetrain.assembly.record import record
from drivetrain.assembly.result import Run
from drivetrain.data import Table
from drivetrain.decisions import recommend
from drivetrain.decisions.folder import refuse_to_replace
from drivetrain.errors import integer
from drivetrain.evidence import Evidence, judge, judge_slots
from drivetrain.modeler import Progress
from drivetrain.optimizer import candidates, centred, deciders, decisions, price, ranked
from drivetrain.scenario import Scenario
from drivetrain.simulator import Kin, Simulator, Support, reserves

GUARDED = 2_000
"""So many rows tell what the guard of support costs."""
Finish = Callable[[Run, Path], None]


@contextmanager
def _left_as_found() -> Iterator[None]:
    """Works with our threads and seeds; the caller's are as before when the work is done."""
    flags = torch.backends.cudnn
    threads, fast, same = torch.get_num_threads(), flags.benchmark, flags.deterministic
    ours, numpys = random.getstate(), np.random.get_state()
    torchs = torch.get_rng_state()
    steady()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        flags.benchmark, flags.deterministic = fast, same
        random.setstate(ours)
        np.random.set_state(numpys)
        torch.set_rng_state(torchs)


@_left_as_found()
def run(
    scenario: Scenario | str | Path,
    out: str | Path | None = None,
    *,
    progress: Progress = lambda _: None,
    finish: Finish = lambda _run, _folder: None,
) -> Run:
    """Go down the whole line.

    Args:
        scenario: the scenario or its file.
        out: the run folder to write, all at once at the end; nothing is written where it is left out.
        progress: told, in words, what is being done.
        finish: adds files, such as a report, to the folder before it is sealed.

    Raises:
        ScenarioError, DataError, InfeasibleError, RefusedError: as their names say.
        UsageError: `out` is not a folder that a run may replace; told before anything is learned.
    """
    started = _clock()
    trained = _learn(scenario, out, progress)
    several = trained.scenario.slots > 1 and not ranked(trained.scenario)
    evidence = (judge_slots if several else judge)(trained.simulator, trained.table, progress)
    progress("choosing a setting for every row")
    recommendations = recommend(trained.simulator, evidence, _to_decide(trained), trained.table)
    trained = replace(trained, record={**trained.record, "guard": _guard(trained, evidence)})
    done = Run(
        trained.scenario,
        trained.table,
        trained.simulator,
        record(trained, evidence, recommendations, _since(started)),
        evidence,
        recommendations,
    )
    return keep(done, out, progress, finish)


def _guard(trained: Run, evidence: Evidence) -> dict[str, Any] | None:
    """What the guard of support costs what is recommended, as the models see it; None where nothing is searched for."""
    scenario, rows = trained.scenario, trained.table.evenly(GUARDED)
    if ranked(scenario) or scenario.slots > 1 or scenario.decide.shared or not scenario.outcomes:
        return None
    once = evidence.recommended == "single" or scenario.decide.unit == "once"
    unit = np.zeros(len(rows), dtype=np.int64) if once else decisions(scenario, rows.frame)
    found = price(trained.simulator, trained.simulator.crowd(rows.frame), unit, share=len(rows) / len(trained.table))
    return None if found is None else asdict(found)


def _to_decide(trained: Run) -> Table:
    """The run's own rows; where options are ranked, one for each who decides: all their rows get the same."""
    if not ranked(trained.scenario):
        return trained.table
    return trained.table.subset(np.unique(deciders(trained.scenario, trained.table.frame), return_index=True)[1])


@_left_as_found()
def train(
    scenario: Scenario | str | Path, out: str | Path | None = None, *, progress: Progress = lambda _: None
) -> Run:
    """Learn the models and stop: nothing is judged, and nothing recommended.

    Args:
        scenario: the scenario or its file.
        out: the run folder to write; nothing is written where it is left out.
        progress: told, in words, what is being done.

    Raises:
        ScenarioError, DataError, InfeasibleError, RefusedError, UsageError: as of `run`.
    """
    started = _clock()
    trained = _learn(scenario, out, progress)
    told = record(trained, None, None, _since(started))
    return keep(Run(trained.scenario, trained.table, trained.simulator, told), out, progress)


def _clock() -> dict[str, float]:
    return {"seconds": time.monotonic(), "cpu_seconds": time.process_time()}


def _since(started: dict[str, float]) -> dict[str, float]:
    """Seconds by the clock on the wall, and of this process's work."""
    return {name: now - started[name] for name, now in _clock().items()}


def steady() -> None:
    """Set torch's threads: `DRIVETRAIN_THREADS`, else one, which on a busy machine is many times faster than two.

    Raises:
        UsageError: the variable holds no number of threads.
    """
    asked = os.environ.get("DRIVETRAIN_THREADS", "1")
    torch.set_num_threads(integer("DRIVETRAIN_THREADS", int(asked) if asked.isdecimal() else asked, such=1))


def _learn(scenario: Scenario | str | Path, out: str | Path | None, progress: Progress) -> Run:
    """Nothing is learned that could not be kept, or of which no setting could be recommended."""
    if out is not None:
        refuse_to_replace(out)
    declared = scenario if isinstance(scenario, Scenario) else scenarios.load(scenario)
    progress("reading the data")
    table = data.load(declared)
    declared = declared.resolved(table.options)
    declared = declared.resolved({}, data.alike(declared, table.frame))
    support = Support.fit(declared.space, data.had(declared, table.training).settings, declared.seed)
    if not ranked(declared):
        candidates(declared.space, support)
    fitted = modeler.fit(declared, table, progress)
    seen = data.had(declared, table.training)
    simulator = Simulator(declared, fitted.models, support, Kin.of(declared, seen.frame, seen.settings))
    progress("asking the models what they rely on")
    told = {"contest": fitted.contest, "explanation": explained(simulator, table.training)}
    if kept := reserves(simulator, table.training):
        told["reserves"] = kept
        declared = declared.reserved(kept)
        simulator = replace(simulator, scenario=declared)
    if declared.bounded_fairness:
        progress("finding what groups may have in common")
        simulator, centres, prices = centred(simulator, table.training.frame)
        told["fairness"] = {"centres": list(centres), "prices": [asdict(each) for each in prices]}
    return Run(declared, table, simulator, told)
