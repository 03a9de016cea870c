"""The next randomised test of a run: an assignment for rows, with the chance of every setting that was drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drivetrain.assembly.result import Run
from drivetrain.data import Rows
from drivetrain.data.dates import written
from drivetrain.decisions import recommend, words
from drivetrain.errors import Fault, RefusedError, UsageError, integer, nearest, one_of
from drivetrain.evidence import Judge, experiments
from drivetrain.evidence.experiments import Draw, Mode, Power
from drivetrain.evidence.propensity import Declared
from drivetrain.evidence.slate import typical
from drivetrain.optimizer import candidates
from drivetrain.optimizer.bounds import broken
from drivetrain.simulator import Crowd

Floats = NDArray[np.float64]

MOST = 12
"""Settings are drawn from at most so many, so that rows that got the same one can be compared."""
MOST_OPTIONS = 200
"""Where levers have nothing but options, from all of these; of more, none would be drawn often enough."""


@dataclass(frozen=True)
class Experiment:
    """A test that is ready to be carried out."""

    frame: pd.DataFrame
    """A line for each row: `row` (from 1), the inputs and levers under their columns' names, and `propensity`. With
    the outcomes' columns added it is data for the next run: `assignment: {propensity: propensity}`."""
    mode: Mode
    against: str | None
    """In the mode `decide`: the policy that the recommended one is tested against, a key of `evidence.NAMES`."""
    tested: int
    """Rows whose setting was left to chance."""
    loss: float
    """What is expected to be given up for learning, summed over the rows."""
    max_loss: float
    power: Power | None
    """In the mode `decide`: how likely the test settles it, if the gain is as the choice among policies believes."""
    slots: int = 1
    """How many options rows get outside the test; in it each gets one, as in the data, and it is about one slot."""

    def sentences(self, unit: str = "") -> list[str]:
        """What the test does and is likely to show, in words."""
        from drivetrain.decisions.rounding import number, summed, with_unit

        lost, most = (with_unit(number(value), summed(unit)) for value in (self.loss, self.max_loss))
        told = [
            f"{self.tested:,} of {len(self.frame):,} rows are left to chance; that is expected to cost {lost} in "
            f"total, of {most} allowed."
        ]
        if self.slots > 1:
            told.append(
                f"Each row gets one option here, as in the data: the test is about one slot, into which a policy puts "
                f"one of its {self.slots} options, each as often."
            )
        if self.power is not None and self.power.gain <= 0:
            told.append("Nothing is left of the gain that models expect once observed rows have corrected it.")
        elif self.power is not None:
            needed, gain = self.power.rows_needed, with_unit(number(self.power.gain, 2), unit)
            rule = f"; {needed:,} rows such as these would make it 80%" if needed and self.power.power < 0.8 else ""
            told.append(
                f"If the recommended policy gains {gain}, which is what of the models' hopes is credible, the test "
                f"shows it with a chance of {self.power.power:.0%}{rule}."
            )
        return told


@dataclass(frozen=True)
class _Arms:
    settings: Floats
    """[A, L]."""
    values: Floats
    """[M, N, A] what each member expects, more is better; −inf where a setting breaks a bound for the row."""
    usual: Floats
    """[N, A] the chances with which each row would get them without a test: 1 for its setting; where it gets several
    options the same for each."""

    @property
    def worth(self) -> Floats:
        """[N, A] the members' mean."""
        return np.asarray(self.values.mean(0))


def experiment(
    run: Run,
    rows: str | Path | pd.DataFrame | Rows,
    max_loss: float,
    *,
    mode: Mode = "decide",
    against: str | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Experiment:
    """See `Run.experiment`."""
    _require(run, max_loss, mode)
    size, seed = size if size is None else integer("size", size), integer("seed", seed, 0)
    known = run.whom(rows)
    arms, many = _arms(run, known), run.scenario.slots
    free = _taking_part(len(known), size, seed)
    if mode == "decide":
        beside = _against(run, against)
        other, share = _other(run, known, arms, beside), _credible(run, beside)
        draw, power = _decide(run, arms, other, free, (max_loss, seed, share))
        told = Experiment(pd.DataFrame(), mode, beside, 0, draw.loss, max_loss, power, many)
        return _made(run, known, arms, draw, told)
    chance = experiments.beliefs(arms.values, many)
    chance = experiments.top_two(chance) if mode == "top_two" else chance
    if not (chance[free].max(1) < 1).any():
        rule = "Exploring draws among settings that some of them hold to be the best"
        cure = "Settle one decision with the mode 'decide', or train more members (model.repeats)"
        raise RefusedError(Fault("the test", "the models agree on the best setting of every row", rule, cure))
    chance[~free] = arms.usual[~free]
    draw = experiments.explore(chance, arms.worth, arms.usual, max_loss, seed)
    return _made(run, known, arms, draw, Experiment(pd.DataFrame(), mode, None, 0, draw.loss, max_loss, None, many))


def _require(run: Run, max_loss: float, mode: str) -> None:
    if not isinstance(max_loss, int | float | np.number) or not max_loss >= 0:
        raise UsageError(Fault("the loss", f"found {max_loss!r}", "What may be given up is a number, 0 or more"))
    one_of("the mode", mode, ("decide", "thompson", "top_two"))
    totals = [each.name for each in run.scenario.constraints if each.over != "each"]
    if totals:
        rule = "A draw for each row cannot keep a bound over all of them"
        raise RefusedError(Fault(f"the constraint {totals[0]}", "it holds over all rows", rule, "Test without it"))


def _arms(run: Run, rows: Rows) -> _Arms:
    """The settings in play with what members expect of them, and which each row would get without a test."""
    simulator, crowd, space = run.simulator, run.simulator.crowd(rows.frame), run.scenario.space
    recommended = recommend(simulator, run.judged, rows).plan.given
    tried = candidates(space, simulator.support)
    fixed = [
        np.array(run.judged.single)[None],
        *([] if space.do_nothing is None else [space.do_nothing[None]]),
    ]
    many, plain = run.scenario.slots, all(each.kind in {"categorical", "yes_no"} for each in space.levers.values())
    if plain and len(tried) <= MOST_OPTIONS:
        own = recommended if many == 1 else recommended[np.isfinite(recommended)][:, None]
        some = [tried, own, *([np.array(run.judged.slots)[:, None]] if many > 1 else [])]
    elif many > 1:
        rule = f"Of more than {MOST_OPTIONS} none would be drawn often enough to be told from another"
        raise RefusedError(Fault("the test", f"found {len(tried):,} options", rule, "Declare fewer, those to test"))
    else:
        spread = tried[np.unique(np.linspace(0, len(tried) - 1, MOST // 2).round().astype(int))]
        some = [typical(space, recommended, MOST // 2 - 2), spread]
    settings = np.unique(np.concatenate([*fixed, *some]), axis=0)
    return _Arms(settings, _values(run, crowd, settings), _chances(run, settings, recommended))


def _values(run: Run, crowd: Crowd, settings: Floats) -> Floats:
    simulator, sign = run.simulator, run.scenario.objective.sign
    out = np.empty((len(simulator.folds), len(crowd), len(settings)))
    for part, outlook in simulator.chunks(crowd, settings):
        told = sign * outlook.objective.double()
        for each in run.scenario.constraints:
            told = torch.where(broken(each, outlook.mean(outlook.bounded[each.name]))[None], -torch.inf, told)
        out[:, part] = told.numpy()
    return out


def _chances(run: Run, settings: Floats, given: Floats) -> Floats:
    """[N, A] of the setting that each row gets, or its options, each as often; those in play that are nearest to them:
    the same options, and the least distance in ranges. NaN of a row that has only options that are not in play.

    Args:
        run: any run.
        settings: [A, L] those in play.
        given: as of `Plan.given`.
    """
    if run.scenario.slots > 1:
        held = (given[:, :, None] == settings[None, None, :, 0]).sum(1)
        whole = held.sum(1, keepdims=True)
        return np.asarray(np.divide(held, whole, out=np.full(held.shape, np.nan), where=whole > 0))
    space, wanted = run.scenario.space, given
    apart = np.zeros((len(wanted), len(settings)))
    for i, lever in enumerate(space.levers.values()):
        gap = np.abs(wanted[:, i, None] - settings[None, :, i])
        ranged = lever.kind in {"continuous", "integer"}
        apart += gap / (np.ptp(settings[:, i]) or 1.0) if ranged else 10.0 * (gap > 0)
    one: Floats = np.eye(len(settings))[apart.argmin(1)]
    return one


def _taking_part(many: int, size: int | None, seed: int) -> NDArray[np.bool_]:
    free = np.ones(many, dtype=np.bool_)
    if size is not None and size < many:
        free[np.random.default_rng([seed, 1]).permutation(many)[size:]] = False
    return free


def _against(run: Run, asked: str | None) -> str:
    known = [name for name in ("do_nothing", "current", "single") if name != run.judged.recommended]
    possible = [name for name in known if any(each.name == name for each in run.judged.policies)]
    beside = asked or words.reference(run.judged) or "single"
    beside = "single" if asked is None and beside == run.judged.recommended else beside
    if beside not in possible:
        found = f"found '{beside}'"
        rule = "The recommended policy is tested against another that was judged"
        raise UsageError(Fault("against", found, rule, nearest(beside, possible)))
    return beside


def _other(run: Run, rows: Rows, arms: _Arms, beside: str) -> Floats:
    """[N, A] as `_Arms.usual`, of the policy that is tested against."""
    evidence = replace(run.judged, recommended=beside)
    return _chances(run, arms.settings, recommend(run.simulator, evidence, rows).plan.given)


def _decide(
    run: Run, arms: _Arms, other: Floats, free: NDArray[np.bool_], asked: tuple[float, int, float]
) -> tuple[Draw, Power]:
    most, seed, credible = asked
    worth, usual = experiments.mean(other, arms.worth), experiments.mean(arms.usual, arms.worth)
    inside = free & (arms.usual != other).any(1) & np.isfinite(worth)
    if not inside.any():
        raise RefusedError(
            Fault("the test", "the two policies give every row the same", "A test needs rows in which they differ")
        )
    gain = (usual - worth)[inside]
    share, chance = experiments.shares(gain, most), arms.usual.copy()
    chance[inside] += share[:, None] * (other[inside] - chance[inside])
    spread = experiments.spread(chance[inside], arms.usual[inside], other[inside])
    power = experiments.power(credible * gain, spread, _noise(run), len(usual))
    return Draw(chance, experiments.drawn(chance, seed), float((share * np.maximum(gain, 0)).sum())), power


def _credible(run: Run, beside: str) -> float:
    """Which share of the gain that models expect is believed: a test planned for all of it would be too small."""
    evidence, sign = run.judged, run.scenario.objective.sign
    one, other = evidence.chosen, evidence.policy(beside)
    hoped = sign * (one.naive - other.naive)
    if evidence.grade == "unsupported" or hoped <= 0:
        return 1.0
    if one.shrunk is not None and other.shrunk is not None:
        return max(0.0, sign * (one.shrunk - other.shrunk) / hoped)
    return max(0.0, sign * (one.estimate.value - other.estimate.value) / hoped)


def _noise(run: Run) -> float:
    """The standard deviation of what rows earned around what models that had not seen them expected of them."""
    table = run.table.training
    shown = Judge(run.simulator, table, Declared(np.ones(len(table)))).shown()
    return float((shown.reward - shown.expected).std())


def _made(run: Run, rows: Rows, arms: _Arms, draw: Draw, told: Experiment) -> Experiment:
    natural = run.scenario.space.decode(arms.settings[draw.drawn])
    columns = run.scenario.columns
    frame = pd.DataFrame({"row": rows.row + 1}).assign(**written(run.scenario, rows.frame))
    frame = frame.assign(**{columns[name]: natural[name].to_numpy() for name in run.scenario.levers})
    tested = int((draw.chance.max(1) < 1).sum())
    return replace(told, frame=frame.assign(propensity=draw.propensity), tested=tested)
