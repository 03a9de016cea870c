"""What would happen: under one setting for all, a setting each, a policy, or inputs that are other than they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from drivetrain.assembly.changes import changed, described
from drivetrain.assembly.settings import Settings, current, settle
from drivetrain.data import Rows
from drivetrain.decisions.nearest import nearest
from drivetrain.decisions.slots import supported
from drivetrain.evidence import Estimate
from drivetrain.simulator import Asked, Crowd, Tally, tally

if TYPE_CHECKING:
    from drivetrain.assembly.answers import Answers

Floats = NDArray[np.float64]
Crowds = Iterator[tuple[slice, Crowd]]
QUANTILES = (0.1, 0.5, 0.9)
MOST_KEPT = 2_000_000
"""More rows than this are read anew for each question, so that memory stays flat."""


@dataclass(frozen=True, repr=False)
class WhatIf:
    """The answer to one what-if: what models expect of the rows; not yet judged by any evidence."""

    asked: str
    """What was supposed, in words."""
    rows: int
    estimates: Mapping[str, Estimate]
    """`objective`, those beside it, each outcome: the mean over rows, with the members' standard error."""
    totals: Mapping[str, Estimate]
    """The same summed over the rows. Members are carried jointly: errors that rows share add up, and do not average
    out."""
    quantiles: Mapping[float, float]
    """Share of rows → the objective that so many are expected to stay below."""
    against: str
    """What it is compared with, in words; empty where there is nothing."""
    gain: Estimate | None
    """How much better than that, in the objective's direction, summed over rows; paired, row by row and member by
    member."""
    chance_of_loss: float | None
    """The chance that all rows together are worse off than that (Student's t over the jackknife's folds)."""
    worse: float | None
    """The share of rows that are expected to be worse off, counting for each how far members disagree on it."""
    beyond: float
    """The share of rows whose setting the data cannot speak for."""
    nearest: str = ""
    """Where everyone gets one setting that the data cannot speak for: rows that had the nearest ones, in words."""
    remarks: Mapping[str, int] = field(default_factory=dict)
    """What was not plain in the inputs, and in how many rows."""

    @property
    def supported(self) -> bool:
        """Whether the data has seen enough around every setting."""
        return self.beyond == 0

    @property
    def frame(self) -> pd.DataFrame:
        """Means and totals as a table."""
        lines = [
            {
                "of": name,
                **mean.as_dict(),
                **{f"total_{key}": value for key, value in self.totals[name].as_dict().items()},
            }
            for name, mean in self.estimates.items()
        ]
        return pd.DataFrame(lines).rename(columns={"value": "mean", "total_value": "total"})

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "asked": self.asked,
            "rows": self.rows,
            "estimates": {name: each.as_dict() for name, each in self.estimates.items()},
            "totals": {name: each.as_dict() for name, each in self.totals.items()},
            "quantiles": {f"{level:g}": value for level, value in self.quantiles.items()},
            "against": self.against,
            "gain": None if self.gain is None else self.gain.as_dict(),
            "chance_of_loss": self.chance_of_loss,
            "worse": self.worse,
            "beyond": self.beyond,
            "supported": self.supported,
            "nearest": self.nearest,
            "remarks": dict(self.remarks),
        }

    def __repr__(self) -> str:
        """One line."""
        parts = ", ".join(f"{n} {e.value:.4g} [{e.low:.4g} to {e.high:.4g}]" for n, e in self.estimates.items())
        return f"<WhatIf {self.asked}: {parts}{'' if self.supported else '; beyond what the data has seen'}>"


def what_if(
    run: Answers, settings: Settings, rows: Rows, inputs: Mapping[str, Any] | None, against: Settings | bool
) -> WhatIf:
    """See `Run.what_if`."""
    frame = changed(run.simulator, rows.frame, inputs) if inputs else rows.frame
    words, at = settle(run, rows, settings)
    crowds, copy = _side_by_side(run.crowds(frame))
    beside, told = _reference(run, rows, copy, at, inputs, against)
    if beside is None and run.scenario.objective.sign > 0 and against is not False:
        beside, told = 0.0, "an objective of 0"
    remarks: dict[str, int] = {}
    found = tally(run.simulator, Asked(_noted(crowds, remarks), at), len(rows), beside)
    supposed = f"{words}; {described(inputs)}" if inputs else words
    held = supported(run.simulator, at) if run.scenario.slots > 1 else run.simulator.support.holds(at)
    beyond = float((~held).mean()) if len(at) else 0.0
    answer = _answer(found, supposed, told, beyond, remarks if inputs else {})
    if beyond < 1 or len(at) > 1 or run.scenario.slots > 1:
        return answer
    return replace(answer, nearest=nearest(run.scenario, run.table.training, at[0]))


def _answer(found: Tally, asked: str, against: str, beyond: float, remarks: Mapping[str, int]) -> WhatIf:
    totals = {name: Estimate(*found.total(name)) for name in found.sums}
    many = max(1, found.rows)
    gain = None if found.gain is None else Estimate(*found.gain)
    return WhatIf(
        asked=asked,
        rows=found.rows,
        estimates={name: Estimate(each.value / many, each.error / many) for name, each in totals.items()},
        totals=totals,
        quantiles=dict(zip(QUANTILES, found.quantile(*QUANTILES), strict=True)) if found.rows else {},
        against=against if gain is not None else "",
        gain=gain,
        chance_of_loss=None if gain is None else _chance(gain, len(set(found.folds.tolist()))),
        worse=None if gain is None else found.worse / many,
        beyond=beyond,
        remarks=remarks,
    )


def _chance(gain: Estimate, folds: int) -> float:
    """That a gain is below 0."""
    if gain.error == 0 or folds < 2:
        return float(gain.value < 0)
    return float(student.cdf(-gain.value / gain.error, folds - 1))


def _reference(
    run: Answers, rows: Rows, crowds: Crowds, at: Floats, inputs: Mapping[str, Any] | None, against: Settings | bool
) -> tuple[Asked | float | None, str]:
    """What to compare with: what is named; else the same settings under inputs as they are; else doing nothing, or what
    rows have now.
    """
    if against is False:
        return None, ""
    if against is not True:
        words, settings = settle(run, rows, against)
        return Asked(crowds, settings), words
    if inputs:
        return Asked(run.crowds(rows.frame), at), "the inputs as they are"
    nothing, now = run.scenario.space.do_nothing, current(run.scenario, rows)
    if nothing is not None:
        return Asked(crowds, nothing[None]), "doing nothing"
    return (None, "") if np.isnan(now).any() else (Asked(crowds, now), "settings as they are")


def _side_by_side(crowds: Crowds) -> tuple[Crowds, Crowds]:
    """The same runs of rows twice, each read once: the second walker, if there is one, follows right after the first.

    Only the latest is held; `itertools.tee` holds up to 57.
    """
    latest: deque[tuple[slice, Crowd]] = deque(maxlen=1)

    def first() -> Crowds:
        for each in crowds:
            latest.append(each)
            yield each

    def second() -> Crowds:
        while latest:
            yield latest.popleft()

    return first(), second()


def _noted(crowds: Crowds, remarks: dict[str, int]) -> Crowds:
    """The same, counting on the way what was not plain in the inputs."""
    for part, crowd in crowds:
        for what, mask in crowd.remarks.items():
            remarks[what] = remarks.get(what, 0) + int(mask.sum())
        yield part, crowd
