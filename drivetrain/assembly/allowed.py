"""What a scenario allows in single rows: conditions, a row's own bounds, and constraints that hold for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivetrain.assembly.answers import Asked
from drivetrain.assembly.result import Run, of_run
from drivetrain.assembly.settings import Settings, settle
from drivetrain.data import Rows
from drivetrain.decisions.bounded import never, unlike
from drivetrain.decisions.rounding import number
from drivetrain.optimizer import crowded, used_together
from drivetrain.optimizer.bounds import broken, told, used
from drivetrain.scenario import Scenario
from drivetrain.scenario.lowering import rule_of
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]

MOST_ROWS = 1_000


def obeyed(simulator: Simulator, crowd: Crowd, settings: Floats) -> Floats:
    """The same settings [N, L], levers whose condition (`when`) a row does not meet put back to doing nothing there."""
    space, out = simulator.scenario.space, settings
    levers = [(place, name, space.levers[name]) for place, name in enumerate(space.names)]
    conditional = [(place, name, lever) for place, name, lever in levers if lever.when is not None]
    for _ in conditional:  # a condition may hang on a lever that itself was put back
        outlook, before = simulator.paired(crowd, out), out
        out = out.copy()
        for place, name, lever in conditional:
            barred = outlook.mean(outlook.bounded[f"{name}_when"])[:, 0].numpy() > 0
            out[barred, place] = space.parse({name: lever.settled})[place]
        if np.array_equal(out, before):
            break
    return out


@of_run
def breaches(run: Run, settings: Settings = None, rows: Asked = None) -> dict[str, float]:
    """Which rules for single rows a what-if would break: the rule in words → the share of rows that break it.

    Args:
        run: any run.
        settings: as for `Run.what_if`.
        rows: whom to ask about; the run's own where left out. Of many, a thousand stand for all.

    Raises:
        UsageError: as of `Run.what_if`.
    """
    known = run.whom(rows)
    if not rules(run.scenario) or not len(known):
        return {}
    at, few = settle(run, known, settings)[1], np.linspace(0, len(known) - 1, min(MOST_ROWS, len(known))).round()
    each = np.broadcast_to(at, (len(known), at.shape[1]))[few.astype(np.int64)]
    found = _broken(run, known.subset(few.astype(np.int64)), each)
    return {words: share for words, each in found.items() if (share := float(each.mean())) > 0}


def _broken(run: Run, asked: Rows, at: Floats) -> dict[str, NDArray[np.bool_]]:
    """Rule in words → [N] the rows that break it with these settings [N, L], or options [N, K]."""
    scenario, crowd = run.scenario, run.simulator.crowd(asked.frame)
    found = {rule: np.zeros(len(asked), dtype=np.bool_) for rule in rules(scenario)}
    for setting in _settings(scenario, at):
        known = np.isfinite(setting).all(1)
        outlook = run.simulator.paired(crowd, np.nan_to_num(setting))
        for each in scenario.constraints:
            if each.over == "each":
                over = broken(each, outlook.mean(outlook.bounded[each.name]))[:, 0].numpy() & known
                found[_rule(scenario, each.name)] |= over
    if scenario.slots > 1:
        for rule in _diversity(scenario):
            found[rule] |= crowded(scenario, at)
    return found


def _settings(scenario: Scenario, at: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """[N, L] each: rows' settings; or, where rows get several options, those of one slot after the other."""
    return [at] if scenario.slots == 1 else [at[:, [place]] for place in range(at.shape[1])]


def rules(scenario: Scenario) -> list[str]:
    """What the scenario asks of every single row, in words."""
    own = [_rule(scenario, each.name) for each in scenario.constraints if each.over == "each"]
    return [*own, *_diversity(scenario)]


def _diversity(scenario: Scenario) -> list[str]:
    """How unlike each other the options of a row must be, in words."""
    return [f"{name}: {told}" for name, lever in scenario.levers.items() if (told := unlike(lever))]


def _rule(scenario: Scenario, constraint: str) -> str:
    """What holds for each row, in words: `reminder only when channel != 'none'`."""
    if (came := rule_of(scenario, constraint)) is None:
        declared = next(each for each in scenario.constraints if each.name == constraint)
        if never(declared):
            return f"{constraint}: never {declared.text}"
        ends = [
            f"{key.replace('_', ' ')} {bound:g}"
            for key in ("at_least", "at_most")
            if (bound := declared.bound(key)) is not None
        ]
        kept = f", expectations keeping {number(declared.reserve)} in reserve" if declared.reserve else ""
        return f"{constraint}: {declared.text} {' and '.join(ends)}{kept}"
    lever, key = came
    word = {"when": "only when", "at_most": "at most", "at_least": "at least", "excluded": "none of"}[key]
    return f"{lever} {word} {getattr(scenario.levers[lever], key)}"


@of_run
def usage(run: Run) -> dict[str, float]:
    """What the recommended settings use of every constraint over rows together, as models expect and bounds count it.

    Args:
        run: any run.

    Returns:
        `budget`, or for groups `budget (north)` → a total, a mean or a ratio; empty where nothing is bounded so.
    """
    made, scenario = run.recommendations, run.simulator.scenario
    together = [each for each in scenario.constraints if each.over != "each"]
    if made is None or len(made) != len(run.table) or not together:
        return {}
    parts, labels = [], []
    for part, crowd in run.simulator.crowds(run.table.frame):
        if made.plan.slots is None:
            parts.append(used(run.simulator, crowd, made.plan.settings[part]))
        else:
            parts.append(used_together(run.simulator, crowd, made.plan.slots[part])[0])
        labels.append(crowd.labels)
    uses = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return told(scenario, uses, {key: np.concatenate([each[key] for each in labels]) for key in labels[0]})
