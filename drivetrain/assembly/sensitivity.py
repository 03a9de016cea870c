"""What the answer is sensitive to: parameters, inputs and what models do not know, each moved on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivetrain.assembly.response import respond
from drivetrain.assembly.result import Run, of_run
from drivetrain.assembly.waterfall import sides
from drivetrain.data import Table
from drivetrain.decisions.rounding import plainly, setting, with_unit
from drivetrain.scenario import Input, Scenario
from drivetrain.simulator import Simulator, looked

Floats = NDArray[np.float64]

Gain = Callable[[Simulator, Table], float]

MOST_ROWS = 1_000
SHARE = 0.2
"""Parameters are moved by a fifth, up and down."""


@dataclass(frozen=True)
class Swing:
    """One thing moved down and up, all else equal; gains in the objective's unit for one row, better when higher."""

    name: str
    what: str
    """How far it was moved: `0.8 USD to 1.2 USD`."""
    low: float
    """The gain over the policy of comparison where the thing is low."""
    high: float
    """The gain where it is high."""
    best: tuple[str, str]
    """The best single setting of the first lever that is not frozen then, in words, by models alone; or empty."""

    @property
    def width(self) -> float:
        """How far the gain moves."""
        return abs(self.high - self.low)


@dataclass(frozen=True)
class Swings:
    """Every swing, the widest first."""

    against: str
    base: float
    """The gain as models expect it, nothing moved."""
    each: tuple[Swing, ...]
    rows: int


@of_run
def swings(run: Run) -> Swings | None:
    """Move every parameter by a fifth and every input over most of its range, and see what becomes of the gain.

    Numeric inputs move by one standard deviation for all rows, yes/no inputs become no or yes for all; the models'
    own uncertainty, and that of the evidence, stand beside them. The recommended settings stay as they are.

    Args:
        run: a whole run.

    Returns:
        None where nothing is changed, or there is nothing to compare with.

    Raises:
        UsageError: the run was only trained.
    """
    if (found := sides(run, MOST_ROWS)) is None:
        return None
    against, rows, before, after = found.against, found.rows, found.before, found.after

    def gain(simulator: Simulator, asked: Table) -> float:
        crowd = simulator.crowd(asked.frame)
        change = looked(simulator, crowd, after).objective - looked(simulator, crowd, before).objective
        return run.scenario.objective.sign * float(change.mean())

    each = [*_parameters(run, rows, gain), *_inputs(run, rows, gain), *_unknown(run, against)]
    return Swings(against, gain(run.simulator, rows), tuple(sorted(each, key=lambda s: -s.width)), len(rows))


def _parameters(run: Run, rows: Table, gain: Gain) -> Iterator[Swing]:
    for name, parameter in run.scenario.parameters.items():
        if not parameter.value:
            continue
        ends = sorted((parameter.value * (1 - SHARE), parameter.value * (1 + SHARE)))
        changed = [_with_parameter(run.simulator, name, value) for value in ends]
        low, high = (gain(simulator, rows) for simulator in changed)
        first, last = (_best(run, simulator, rows) for simulator in changed)
        what = " to ".join(with_unit(plainly(end), parameter.unit) for end in ends)
        yield Swing(name, what, low, high, (first, last))


def _with_parameter(simulator: Simulator, name: str, value: float) -> Simulator:
    scenario = simulator.scenario
    parameters = {**scenario.parameters, name: scenario.parameters[name].model_copy(update={"value": value})}
    return replace(simulator, scenario=scenario.model_copy(update={"parameters": parameters}))


def _best(run: Run, simulator: Simulator, rows: Table) -> str:
    """The best single setting of the first lever that can be set, the others at the best single one, by models alone.

    Only settings that the data supports, and that the scenario's rules allow in every row asked about, are looked at.
    """
    if (name := first_open(run.scenario)) is None:
        return ""
    values, place = run.scenario.space.grid(name, 41), run.scenario.space.names.index(name)
    line = np.tile(run.judged.single, (len(values), 1))
    line[:, place] = values
    answer = respond(simulator, simulator.crowd(rows.frame), line, place)
    worth = np.array([run.scenario.objective.sign * each.value for each in answer.estimates["objective"]])
    known = answer.supported & (answer.allowed == 1)
    if not known.any():
        return ""
    return setting(run.scenario.levers[name], float(values[np.where(known, worth, -np.inf).argmax()]))


def first_open(scenario: Scenario) -> str | None:
    """The first lever that can be set; None where all are frozen."""
    return next((name for name, lever in scenario.levers.items() if not lever.frozen), None)


def _inputs(run: Run, rows: Table, gain: Gain) -> Iterator[Swing]:
    for name, declared in run.scenario.inputs.items():
        if declared.kind == "categorical":
            continue
        column = rows.frame[name]
        if column.notna().sum() < 2 or column.nunique() < 2:
            continue
        ends, what = _ends(declared, column.to_numpy())
        low, high = (gain(run.simulator, replace(rows, frame=rows.frame.assign(**{name: end}))) for end in ends)
        yield Swing(name, what, low, high, ("", ""))


def _ends(declared: Input, values: Floats) -> tuple[tuple[Floats, Floats], str]:
    """The column lower and higher, and how far that is in words."""
    if declared.kind == "yes_no":
        return (np.zeros(len(values)), np.ones(len(values))), "no to yes, for everyone"
    by = float(np.nanstd(values))
    lowest, highest = np.nanmin(values), np.nanmax(values)
    ends = (np.clip(values - by, lowest, highest), np.clip(values + by, lowest, highest))
    told = with_unit(plainly(float(f"{by:.2g}")), declared.unit)
    return ends, f"{told} less to {told} more"


def _unknown(run: Run, against: str) -> Iterator[Swing]:
    if (honest := run.judged.gains.get(against)) is not None:
        slots = run.scenario.slots  # evidence tells of one of them
        low, high = slots * honest.low, slots * honest.high
        yield Swing("chance in the data", "the 95% interval of the gain", low, high, ("", ""))
