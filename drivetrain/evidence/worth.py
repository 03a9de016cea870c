"""What policies are worth: all that the judgement finds, as values that a record can hold."""

from __future__ import annotations

from dataclasses import dataclass

from drivetrain.evidence.backing import FEWEST
from drivetrain.evidence.curve import Point
from drivetrain.evidence.effects import Effect
from drivetrain.evidence.fairness import Gap
from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.smoothed import Smoothed
from drivetrain.evidence.tree import Tree
from drivetrain.evidence.trust import Trust
from drivetrain.evidence.uplift import Uplift

NAMES = {
    "current": "the current policy",
    "do_nothing": "doing nothing",
    "single": "the best single setting",
    "tree": "one setting for each of a few groups",
    "segment": "one setting for each segment",
    "smoothed": "a smoothed setting for each row",
    "row": "a setting for each row",
}
"""Every policy that can be valued, simplest first, in words."""
KEPT = ("current", "do_nothing")
"""Policies that leave things as they are."""


@dataclass(frozen=True)
class Judged:
    """One policy's worth, for one row."""

    name: str
    """A key of `NAMES`."""
    estimate: Estimate
    """Its value on rows that its models have not seen; of the recommended one less the luck of being chosen."""
    naive: float
    """What the models that chose the policy promise of it, optimistic by nature; kept for comparison."""
    correction: Estimate
    """The part of the estimate that observed rows add to what blind models expect."""
    effective: float
    """Effective number of rows that speak for it."""
    eligible: bool
    """Whether it may be recommended: a current policy that was only an experiment, one that breaks a constraint, or
    one for which hardly a row speaks, may not."""
    scored: Estimate | None = None
    """What its own scores say, before the luck of being chosen is taken off; None of one that is not recommended."""
    shrunk: float | None = None
    """Its value as the choice among policies sees it: the simplest one's, and what of its gain over that is credible;
    None of one that may not be recommended."""
    events: float | None = None
    """Effective number of its rows with the rarer result of a yes/no outcome; None where no outcome is yes/no."""

    @property
    def thin(self) -> bool:
        """Whether too few events speak for it to be ranked by its value."""
        return self.events is not None and self.events < FEWEST


@dataclass(frozen=True)
class Evidence:
    """All that is known of what policies are worth; amounts are in the objective's unit, for one row.

    What is told of the recommended policy, its estimate and its gains, is without the luck of having been chosen: see
    `choosing`.
    """

    grade: str
    """How the settings came about: `randomised`, `adjusted` or `associational`; or `unsupported`, where options or
    levers are so many that the data cannot judge a choice among them."""
    policies: tuple[Judged, ...]
    recommended: str
    """The simplest eligible policy, or the simplest of those that clearly beat it and that none beats."""
    gains: dict[str, Estimate]
    """Policy → how much more the recommended one is worth, paired row by row, in the objective's direction."""
    gain_corrections: dict[str, Estimate]
    """The part of each gain that observed rows add to what blind models expect."""
    single: tuple[float, ...]
    """[L] the best single setting."""
    curve: tuple[Point, ...]
    near: dict[str, tuple[float, float, bool]]
    """Numeric lever → lowest and highest setting about as good as the best, and whether that is wide enough to call it
    flat."""
    effects: tuple[Effect, ...]
    rows: int
    """Rows that judged."""
    trust: Trust | None = None
    """What the recommended policy's value rests on; None where that was not examined, or the grade is `unsupported`."""
    tree: Tree | None = None
    """The groups of the policy `tree`; None where one group does as well."""
    smoothed: Smoothed | None = None
    """The policy `smoothed`, where it is recommended."""
    slots: tuple[float, ...] = ()
    """Where rows get several options: those that are best for everyone; what policies are worth is told for one slot,
    filled with one of its options drawn evenly, as the data has one a row."""
    fairness: tuple[Gap, ...] = ()
    """How far groups are apart under the recommended policy, for every `fairness` that is declared."""
    uplift: Uplift | None = None
    """What the recommended policy brings as more rows get it; None where all gain alike, or nothing changes."""

    def policy(self, name: str) -> Judged:
        """A policy by its key in `NAMES`."""
        return next(judged for judged in self.policies if judged.name == name)

    @property
    def chosen(self) -> Judged:
        """The recommended policy."""
        return self.policy(self.recommended)

    def opinion(self, name: str) -> bool:
        """Whether a policy's value is only what models expect, since hardly a row shows it; it has no interval."""
        return self.grade == "unsupported" and name == self.recommended
