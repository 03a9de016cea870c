"""What is spent on each lever, what that brings, and how much for each unit spent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.assembly import shapley
from drivetrain.assembly.allowed import obeyed
from drivetrain.assembly.result import Run, of_run
from drivetrain.assembly.settings import current
from drivetrain.data import Rows
from drivetrain.decisions.rounding import interval, number, summed
from drivetrain.errors import one_of
from drivetrain.evidence import Estimate
from drivetrain.formula import Formula, parse, total
from drivetrain.scenario import Constraint, Continuous, Integer, Scenario
from drivetrain.scenario.levers import costs
from drivetrain.simulator import Crowd, Simulator, jackknife

Floats = NDArray[np.float64]
Of = Literal["recommended", "current"]

MOST_ROWS = 2_000
HEADER = ("lever", "spent on it", "share of spend", "brings", "share of effect", "for each unit spent (ROI)")


@dataclass(frozen=True)
class Spent:
    """One lever; amounts in the objective's unit, for one row."""

    lever: str
    spend: float
    """What its settings cost, as models expect."""
    effect: Estimate
    """What they bring before that cost, against not spending on it: its mean part over the orders in which levers can
    be added (Shapley 1953), with the models' spread."""
    spend_share: float
    """Of all that is spent."""
    effect_share: float
    """Of all that spending brings; below 0 for a lever that takes away."""
    roi: Estimate | None
    """The effect for each unit spent; None where nothing is spent."""


@dataclass(frozen=True)
class Spending:
    """Every lever that costs something."""

    of: str
    """`recommended`, or `current`."""
    each: tuple[Spent, ...]
    rows: int
    """How many rows were asked about."""


@of_run
def spending(run: Run, of: Of = "recommended") -> Spending | None:
    """Share of spend beside share of effect, as models expect.

    Levers that cost something declare a `cost`, or are money themselves: what they are set to is taken off the
    objective one for one. Spending nothing is their `do_nothing`, or a lowest setting of 0; other levers stay as set.

    Args:
        run: a whole run.
        of: the settings that are recommended, or those in use.

    Returns:
        None where no lever costs anything that can be left unspent, or where such settings are not known.

    Raises:
        UsageError: the run was only trained, or `of` names no settings.
    """
    one_of("of", of, get_args(Of))
    scenario = run.scenario
    found = None if scenario.slots > 1 else _settings(run, of)
    if found is None:
        return None
    rows, after = found
    crowd = run.simulator.crowd(rows.frame)
    wanted = {place: told for place, told in _spends(run.simulator, crowd, after) if _idle(scenario, place) is not None}
    if not wanted:
        return None
    extra = tuple(Constraint(name=f"spend_{place}", mean=told, at_most=0.0) for place, told in wanted.items())
    asked = scenario.model_copy(update={"constraints": (*run.simulator.scenario.constraints, *extra)})
    simulator = replace(run.simulator, scenario=asked)
    spent = simulator.paired(crowd, after).bounded
    spends = {place: spent[f"spend_{place}"].double().mean((1, 2)) for place in wanted}
    return Spending(of, tuple(_shared(simulator, spends, _effects(simulator, crowd, after, list(wanted)))), len(rows))


def lines(scenario: Scenario, told: Spending) -> list[list[str]]:
    """A line for each lever, under `HEADER`."""
    unit = scenario.objective.unit
    out = []
    for each in told.each:
        roi = "–" if each.roi is None else _between(each.roi)
        brings = f"{_between(each.effect)} {unit}".strip()
        spend = f"{number(each.spend)} {unit}".strip()
        out.append([each.lever, spend, f"{each.spend_share:.0%}", brings, f"{each.effect_share:.0%}", roi])
    return out


def note(scenario: Scenario) -> str:
    """How to read them."""
    money = summed(scenario.objective.unit) or "unit"
    return (
        "What a lever brings is what models expect of it before its cost, against spending nothing on it, with their "
        f"spread. An ROI above 1: each {money} spent on average brought more than it cost; whether the next one would "
        "is told by what one more unit brings."
    )


def _between(estimate: Estimate) -> str:
    value, low, high = interval(estimate)
    return f"{value} ({low} to {high})"


def _settings(run: Run, of: Of) -> tuple[Rows, Floats] | None:
    made = run.recommendations
    at = np.linspace(0, len(run.table) - 1, min(MOST_ROWS, len(run.table))).round().astype(np.int64)
    rows = run.table.subset(at)
    if of == "current":
        now = current(run.scenario, rows)
        return None if np.isnan(now).any() else (rows, now)
    _ = run.judged
    return None if made is None or len(made) != len(run.table) else (rows, made.plan.settings[at])


def _spends(simulator: Simulator, crowd: Crowd, settings: Floats) -> Iterator[tuple[int, Formula]]:
    """The place of each lever that costs something, and the formula of what it costs."""
    for place, (name, lever) in enumerate(simulator.scenario.declared.levers.items()):
        if parts := list(costs(name, lever)):
            yield place, total(parts)
        elif isinstance(lever, Continuous | Integer) and _is_money(simulator, crowd, settings, place):
            yield place, parse(name)


def _is_money(simulator: Simulator, crowd: Crowd, settings: Floats, place: int) -> bool:
    """Whether one more of the lever, were nobody to react, takes one off the objective, whatever the row."""
    moved = settings.copy()
    step = 0.1 * float(np.ptp(simulator.scenario.space.grid(simulator.scenario.space.names[place], 2)))
    moved[:, place] += step
    look = simulator.carried(crowd, settings, np.stack([settings, moved], axis=1)).objective.double()
    change = simulator.scenario.objective.sign * (look[..., 1] - look[..., 0])
    size = max(step, 1e-3 * float(look.abs().max()))
    return bool(((change + step).abs() <= 1e-2 * size).all())


def _idle(scenario: Scenario, place: int) -> float | None:
    """The setting that spends nothing on a lever."""
    lever = scenario.levers[scenario.space.names[place]]
    if lever.settled is not None:
        return float(scenario.space.parse({scenario.space.names[place]: lever.settled})[place])
    return 0.0 if isinstance(lever, Continuous | Integer) and lever.min == 0 else None


def _effects(simulator: Simulator, crowd: Crowd, after: Floats, players: list[int]) -> dict[int, Tensor]:
    """Lever → [M] what it brings before costs, as each member expects."""
    nothing = after.copy()
    for place in players:
        nothing[:, place] = _idle(simulator.scenario, place)
    asked, worth = shapley.orders(players), dict[shapley.Coalition, Tensor]()
    for chosen in shapley.coalitions(asked):
        settings = nothing.copy()
        settings[:, list(chosen)] = after[:, list(chosen)]
        look = simulator.paired(crowd, obeyed(simulator, crowd, settings))
        gross = simulator.scenario.objective.sign * look.objective.double()
        for place in players:
            gross = gross + look.bounded[f"spend_{place}"].double()
        worth[chosen] = gross.mean((1, 2))
    return shapley.parts(asked, worth)


def _shared(simulator: Simulator, spends: dict[int, Tensor], effects: dict[int, Tensor]) -> Iterator[Spent]:
    spent = sum(float(each.mean()) for each in spends.values())
    brought = sum(float(each.mean()) for each in effects.values())
    for place, spend in spends.items():
        effect, much = effects[place], float(spend.mean())
        some = much > 1e-9 * max(1.0, abs(spent))
        yield Spent(
            lever=simulator.scenario.space.names[place],
            spend=much,
            effect=_told(simulator, effect),
            spend_share=much / spent if spent else 0.0,
            effect_share=float(effect.mean()) / brought if brought else 0.0,
            roi=_told(simulator, effect / spend) if some else None,
        )


def _told(simulator: Simulator, each: Tensor) -> Estimate:
    return Estimate(float(each.mean()), float(jackknife(each, simulator.folds)))
