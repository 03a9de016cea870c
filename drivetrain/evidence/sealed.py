"""The sealed test: policies that are already chosen, valued once more on rows that nothing and nobody has seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.data.splits import SEALED
from drivetrain.evidence.propensity import Propensity, propensity
from drivetrain.evidence.sample import Z95, Estimate
from drivetrain.evidence.slots import mixture
from drivetrain.evidence.trust import drawn_as_declared
from drivetrain.evidence.value import Judge, Scores
from drivetrain.evidence.worth import Evidence
from drivetrain.simulator import Crowd, Simulator, Support

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Opened:
    """One policy's worth on the sealed rows, for one row, beside what was said before they were opened."""

    name: str
    """A key of `NAMES`."""
    estimate: Estimate
    promised: Estimate
    effective: float
    """Effective number of sealed rows that speak for it."""

    @property
    def differs(self) -> int:
        """1 where its value is above what was said, −1 where below, 0 where the difference is within chance (95%)."""
        return _beyond_chance(self.estimate, self.promised)


@dataclass(frozen=True)
class SealedTest:
    """What the sealed rows say; amounts are in the objective's unit, for one row."""

    rows: int
    recommended: str
    policies: tuple[Opened, ...]
    gains: dict[str, Estimate]
    """Policy → how much more the recommended one is worth, paired row by row, in the objective's direction."""
    promised_gains: dict[str, Estimate]
    """The same, as it was said before."""

    @property
    def chosen(self) -> Opened:
        """The recommended policy."""
        return next(opened for opened in self.policies if opened.name == self.recommended)


@dataclass(frozen=True)
class _Last(Judge):
    """Judges sealed rows: no member has seen any of them, so all members judge all."""

    @cached_property
    def folds(self) -> list[tuple[NDArray[np.int64], Simulator, Crowd]]:
        return [(np.arange(len(self.table)), self.simulator, self.simulator.crowd(self.table.frame))]


@dataclass(frozen=True)
class _Part:
    """The propensity of some rows of a table, learned from the whole of it."""

    whole: Propensity
    logged: Floats
    rows: NDArray[np.bool_]

    @property
    def learned(self) -> bool:
        """As of `Propensity`."""
        return self.whole.learned

    def moments(self, settings: Floats, support: Support) -> Floats:
        """[n, Q], as of `Propensity`."""
        everyone = self.logged.copy()
        everyone[self.rows] = settings
        return np.asarray(self.whole.moments(everyone, support)[self.rows])


def judge_sealed(simulator: Simulator, table: Table, evidence: Evidence, settings: Floats) -> SealedTest:
    """Value doing nothing, the current policy, the best single setting and the recommended policy on sealed rows.

    Args:
        simulator: all members; none has seen a sealed row.
        table: all rows, at least two of them sealed.
        evidence: what was said of the policies before.
        settings: [n, L] what is recommended for each sealed row; of several options [n, K].
    """
    scenario = simulator.scenario
    checks = () if evidence.trust is None else evidence.trust.checks
    drawn, wide = drawn_as_declared(scenario, checks), 1.0 if evidence.trust is None else evidence.trust.width
    court = _Last(simulator, table.test, _propensity(simulator, table, drawn=drawn), widths=wide)
    wanted = [judged.name for judged in evidence.policies if judged.name in {"current", "do_nothing", "single"}]
    scores = {name: _scores(court, evidence, name, settings) for name in dict.fromkeys([*wanted, evidence.recommended])}
    best, others = scores[evidence.recommended].total, {n: s for n, s in scores.items() if n != evidence.recommended}
    return SealedTest(
        rows=len(court.table),
        recommended=evidence.recommended,
        policies=tuple(
            Opened(name, court.estimate(each.total), evidence.policy(name).estimate, each.effective)
            for name, each in scores.items()
        ),
        gains={name: court.estimate(scenario.objective.sign * (best - each.total)) for name, each in others.items()},
        promised_gains={name: evidence.gains[name] for name in others},
    )


def _propensity(simulator: Simulator, table: Table, *, drawn: bool) -> Propensity:
    design, sealed = simulator.scenario.assignment, table.fold == SEALED
    asked = table.test if table.propensity is not None else table
    whole = propensity(
        asked,
        simulator.support,
        simulator.models.inputs,
        randomised=drawn,
        within=design.within,
        seed=simulator.scenario.seed,
    )
    return whole if table.propensity is not None else _Part(whole, table.settings, sealed)


def _scores(court: Judge, evidence: Evidence, name: str, settings: Floats) -> Scores:
    space = court.simulator.scenario.space
    if name == "current" and np.isnan(space.current).all():
        return court.logged()
    if name == evidence.recommended:
        return court.scores(settings) if not evidence.slots else Scores.of(mixture(court, settings))
    if name == "single" and evidence.slots:
        return Scores.of(mixture(court, np.tile(evidence.slots, (len(court.table), 1))))
    fixed = {"current": space.current, "do_nothing": space.do_nothing, "single": np.array(evidence.single)}[name]
    return court.scores(np.tile(np.asarray(fixed, dtype=np.float64), (len(court.table), 1)))


def _beyond_chance(one: Estimate, other: Estimate) -> int:
    difference = one.value - other.value
    return int(np.sign(difference)) if abs(difference) > Z95 * float(np.hypot(one.error, other.error)) else 0
