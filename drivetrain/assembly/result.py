"""A finished run: ask it what would happen, and what to do with rows it has never seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter

from drivetrain import data
from drivetrain.assembly.neighbours import Neighbours, neighbours
from drivetrain.assembly.prediction import predict
from drivetrain.assembly.response import Response, respond
from drivetrain.assembly.settings import Settings, open_levers
from drivetrain.assembly.what_if import MOST_KEPT, WhatIf, what_if
from drivetrain.data import Rows, Table
from drivetrain.decisions import Locks, Recommendations, listed, locks, read_locks, recommend
from drivetrain.decisions.export import replacing
from drivetrain.errors import Fault, UsageError, nearest
from drivetrain.evidence import Evidence, SealedTest
from drivetrain.modeler import hand_over
from drivetrain.optimizer import Front, Frontier, Guard, decisions, front, frontier
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Simulator

if TYPE_CHECKING:
    from drivetrain.assembly.experiment import Experiment
    from drivetrain.assembly.logbook import Logbook
    from drivetrain.evidence.experiments import Mode


@dataclass(frozen=True, repr=False)
class Run:
    """A finished run, in memory or read from its folder."""

    scenario: Scenario
    table: Table
    """The rows that were used, sealed ones included."""
    simulator: Simulator
    record: Mapping[str, Any]
    """Seed, versions, data fingerprint, the contest of models and timing: what `record.json` holds."""
    evidence: Evidence | None = None
    """What policies are worth; None after `train`."""
    recommendations: Recommendations | None = None
    """A line for each row; None after `train`."""
    folder: Path | None = None
    """Where it is kept."""
    _read: list[tuple[pd.DataFrame, list[tuple[slice, Crowd]]]] = field(default_factory=list, compare=False)

    @property
    def judged(self) -> Evidence:
        """The evidence. Raises: UsageError: the run was only trained."""
        if self.evidence is None:
            raise UsageError(
                Fault("the run", "it was only trained", "Recommendations need evidence", "Use: drivetrain run SCENARIO")
            )
        return self.evidence

    def recommend(
        self, rows: str | Path | pd.DataFrame | Rows | None = None, *, locked: Locks | str | Path | None = None
    ) -> Recommendations:
        """Decide for rows that the run has never seen, or once more for its own.

        Args:
            rows: a CSV or Parquet file or a frame with the data's columns, or rows that `data.read_rows` read; the
                run's own rows where left out.
            locked: decisions that people have fixed, as row number (from 1) → lever → setting, or a file with a column
                `row` and one for each lever. They stay, count in every total, and the rest is decided without them.

        Raises:
            DataError: a column is missing or holds what it must not.
            InfeasibleError: no settings meet the constraints for these rows.
            UsageError: the run was only trained, or a fixed row or setting is not one.
        """
        known = self.table if rows is None else rows if isinstance(rows, Rows) else data.read_rows(self.scenario, rows)
        given = read_locks(self.scenario, locked) if isinstance(locked, str | Path) else locked
        settings = None if given is None else locks(self.scenario, known, given)
        return recommend(self.simulator, self.judged, known, self.table, settings)

    def rank(
        self,
        rows: str | Path | pd.DataFrame | Rows,
        top: int | None = None,
        *,
        exclude_seen: bool = True,
        unsupported: bool = False,
    ) -> pd.DataFrame:
        """The best few options of a lever for each row, best first, a line for each; meant for levers with thousands.

        No more of them are alike than the lever's `diverse` says; bounds over rows together are kept by `recommend`.

        Args:
            rows: a CSV or Parquet file or a frame with the inputs' columns, or rows that `data.read_rows` read.
            top: how many options for each row; where left out those that the lever's `choose` says, else 10.
            exclude_seen: whether options that the run's data shows somebody to have had are left out for them.
            unsupported: whether options with fewer than ten rows may be listed; they are marked all the same.

        Returns:
            A line for each row and place: `row` (number in the source, from 1), the inputs, `place` from 1, the lever,
            `objective` with `objective_low` and `objective_high` (95 %, by the members' disagreement), `supported`.

        Raises:
            DataError: a column is missing or holds what it must not.
            InfeasibleError: for some row no option is left.
            UsageError: the scenario has several levers, or one that is no category.
        """
        known = rows if isinstance(rows, Rows) else data.read_rows(self.scenario, rows)
        many = self.scenario.slots if self.scenario.slots > 1 else 10
        return listed(
            self.simulator,
            known,
            many if top is None else top,
            self.table if exclude_seen else None,
            unsupported=unsupported,
        )

    def simulate(self, rows: Rows | None = None, **setting: Any) -> WhatIf:
        """What would happen if everyone got one setting: `what_if` with levers as arguments.

        Args:
            rows: whom to ask about; the run's own rows where left out.
            **setting: lever → value; a lever left out stays in each row as it is now.

        Raises:
            UsageError: an unknown lever, a value that it does not allow, or a lever left out that rows do not have.
        """
        return self.what_if(setting, rows=rows)

    def what_if(
        self,
        settings: Settings = None,
        *,
        rows: str | Path | pd.DataFrame | Rows | None = None,
        inputs: Mapping[str, Any] | None = None,
        against: Settings | bool = True,
    ) -> WhatIf:
        """What would happen to rows under other settings, other inputs, or both.

        Args:
            settings: lever → value, the same for all, or a value for each row; or `recommended`, `do_nothing`, `single`
                or `current`; or a frame with a line a row; or a policy: a function from a frame of inputs and current
                settings to any of these. Levers left out stay in each row as they are. Where rows get several options
                (`choose`), `{"shown_1": …, "shown_2": …}` or `{"shown": [...]}`; slots left out stay empty.
            rows: whom to ask about, as for `recommend`; the run's own rows where left out.
            inputs: input → a value, a change such as `*0.9`, or a formula over inputs: see `changes.changed`.
            against: settings to compare with, as above. Where left out: with `inputs` the same settings under inputs as
                they are; else doing nothing, or what rows have now. False: nothing.

        Raises:
            UsageError: an unknown lever, input or policy, a value that it does not allow, or rows without a setting.
            DataError: rows or their settings hold what they must not.
        """
        known = self.table if rows is None else rows
        asked = known if isinstance(known, Rows) else data.read_rows(self.scenario, known)
        return what_if(self, settings, asked, inputs, against)

    def crowds(self, frame: pd.DataFrame) -> Iterator[tuple[slice, Crowd]]:
        """Rows as models read them, run by run; the last frame's are kept, unless it is very long."""
        if len(frame) > MOST_KEPT:
            return self.simulator.crowds(frame)
        if not any(each is frame for each, _ in self._read):
            self._read[:] = [(each, kept) for each, kept in self._read if each is self.table.frame]
            self._read.append((frame, list(self.simulator.crowds(frame))))
        return next(iter(kept) for each, kept in self._read if each is frame)

    def predict(
        self,
        settings: Settings = None,
        *,
        rows: str | Path | pd.DataFrame | Rows | None = None,
        inputs: Mapping[str, Any] | None = None,
        share: float = 0.9,
    ) -> pd.DataFrame:
        """What is expected of each row, and within which bounds what happens there will lie.

        Bounds are of single rows, where `what_if` tells of means and sums over rows: see `simulator.foresight`.

        Args:
            settings: as for `what_if`.
            rows: likewise.
            inputs: likewise.
            share: of what may happen, the part that lies between low and high; above 0 and below 1.

        Returns:
            A line for each row: `row` (number in the source, from 1), `LEVER set`, `objective`, `objective low`,
            `objective high`, and for each outcome its mean (`NAME`; of a categorical one each option's probability,
            `NAME: option`), with `NAME low` and `NAME high` where it is a number.

        Raises:
            UsageError: as of `what_if`, or a share that is none.
            DataError: rows or their settings hold what they must not.
        """
        if not 0 < share < 1:
            raise UsageError(Fault("share", f"found {share:g}", "It lies between 0 and 1", "Write 0.9, say"))
        known = self.table if rows is None else rows
        asked = known if isinstance(known, Rows) else data.read_rows(self.scenario, known)
        return predict(self, settings, asked, inputs, share)

    def respond(self, lever: str, rows: Rows | None = None, /, **setting: Any) -> Response:
        """What would happen to outcomes and objective as one lever moves, the same for all rows.

        Args:
            lever: the lever that moves, over its whole range.
            rows: whom to ask about; the run's own rows where left out.
            **setting: where the other levers stand; where left out, at the best single setting.

        Raises:
            UsageError: an unknown lever, a value that it does not allow, or a lever left out of a run only trained.
        """
        space = self.scenario.space
        if lever not in space.names:
            raise UsageError(
                Fault(lever, "found an unknown lever", "A curve follows one lever", nearest(lever, space.names))
            )
        place = space.names.index(lever)
        given = space.parse(setting)
        others = given if self.evidence is None else np.where(np.isnan(given), self.evidence.single, given)
        line = np.tile(others, (len(values := _along(self, lever, place)), 1))
        line[:, place] = values
        if np.isnan(line).any():
            raise UsageError(open_levers(self.scenario, line))
        asked = self.table if rows is None else rows
        return respond(self.simulator, self.simulator.crowd(asked.frame), line, place)

    def pareto(self, points: int = 21, rows: Rows | None = None) -> Front:
        """The choices between the objectives that waste nothing, as models expect; see `optimizer.front`.

        Args:
            points: how many to look for.
            rows: whom to decide for; the run's own where left out. Of many rows, 20,000 stand for all.

        Raises:
            UsageError: the scenario has one objective.
            InfeasibleError: no settings meet the constraints.
        """
        asked, share = _some(self.table if rows is None else rows)
        crowd = self.simulator.crowd(asked.frame)
        return front(self.simulator, crowd, decisions(self.scenario, asked.frame), points, share=share)

    def frontier(self, constraint: str, points: int = 15, rows: Rows | None = None) -> Frontier:
        """The best value of the objective against a constraint's bound, as models expect; see `optimizer.frontier`.

        Args:
            constraint: its name; it must bound a total or a mean over rows.
            points: how many bounds to try, beside the scenario's own.
            rows: whom to decide for; the run's own where left out. Of many rows, 20,000 stand for all.

        Raises:
            UsageError: no such constraint, or one that holds for each row.
            InfeasibleError: no settings meet the constraints.
        """
        asked, share = _some(self.table if rows is None else rows)
        crowd = self.simulator.crowd(asked.frame)
        return frontier(self.simulator, crowd, decisions(self.scenario, asked.frame), constraint, points, share=share)

    def evaluate(self, *, open_test: bool = False) -> Run:
        """Open the sealed test: see `drivetrain.assembly.evaluate`, which also says the errors.

        Args:
            open_test: must be True: each look at sealed rows makes them less of a test.
        """
        from drivetrain.assembly.opening import evaluate

        return evaluate(self, open_test=open_test)

    def neighbours(self, row: int, top: int = 10, *, rows: Rows | None = None, **setting: Any) -> Neighbours:
        """The rows of the data most like one row, and how many of them speak for a setting.

        Rows are alike where the models expect the same of them under every setting, however their inputs differ.

        Args:
            row: its number in the source, from 1, as recommendations have it.
            top: how many to list.
            rows: where the row is; the run's own rows where left out.
            **setting: every lever's value; what is recommended for the row where left out.

        Raises:
            UsageError: no such row, an unknown lever or a value that it does not allow, or a lever left out.
        """
        given = self.scenario.space.parse(setting)
        if setting and np.isnan(given).any():
            raise UsageError(open_levers(self.scenario, given[None]))
        return neighbours(self, row, top, rows, given if setting else None)

    def surprises(self, top: int = 50) -> pd.DataFrame:
        """The rows that models which had not seen them get most wrong, and why: see `drivetrain.assembly.surprises`.

        Args:
            top: how many lines.
        """
        from drivetrain.assembly.surprises import surprises

        return surprises(self, top)

    def explain(self) -> Mapping[str, Any]:
        """What models rely on, what they take for what, and which levers act on each other.

        Returns:
            `outcomes`: outcome → `importance` by input and lever, and `confusion` where it has classes (see
            `modeler.importance`); `interplay` of pairs of levers (see `simulator.interplay`). Figures draw them.
        """
        told: Mapping[str, Any] = self.record.get("explanation") or {"outcomes": {}, "interplay": []}
        return told

    def logbook(self) -> Logbook:
        """The decision log of this run: approve, reject, export, feed outcomes back, review.

        Kept in the database that `DRIVETRAIN_LOG` names, else in `decisions.sqlite` beside the run's folder.

        Raises:
            UsageError: the run has no folder, and the environment names no database.
            DataError: the database cannot be opened.
        """
        from drivetrain.assembly.logbook import logbook

        return logbook(self)

    def experiment(
        self,
        rows: str | Path | pd.DataFrame | Rows,
        max_loss: float,
        *,
        mode: Mode = "decide",
        against: str | None = None,
        size: int | None = None,
        seed: int = 0,
    ) -> Experiment:
        """Design the next randomised test: see `drivetrain.assembly.experiment`, which says arguments and errors."""
        from drivetrain.assembly.experiment import experiment

        return experiment(self, rows, max_loss, mode=mode, against=against, size=size, seed=seed)

    def to_fastai(self, path: str | Path, outcome: str | None = None) -> None:
        """Write an outcome's models as a fastai `Learner` in an `export.pkl`; loading one runs code from the file.

        Args:
            path: the file.
            outcome: which one; may be left out where there is only one.

        Raises:
            UsageError: an unknown outcome, or several and none named.
        """
        names = list(self.simulator.models.outcomes)
        chosen = names[0] if outcome is None and len(names) == 1 else outcome
        if chosen not in names:
            found = f"found '{chosen}'" if chosen else f"found {len(names)} outcomes and none named"
            cure = nearest(chosen or "", names)
            raise UsageError(Fault("outcome", found, "A Learner predicts one learned outcome", cure))
        with replacing(Path(path)) as temporary:
            hand_over(self.scenario, self.simulator.models, chosen, Path(temporary))

    @property
    def guard(self) -> Guard | None:
        """What refusing settings that the data cannot speak for costs, at most; None where that was not asked."""
        told = self.record.get("guard")
        return None if told is None else TypeAdapter(Guard).validate_python(told)

    @property
    def sealed_test(self) -> SealedTest | None:
        """What the sealed rows said when they were last opened; None where they are still closed."""
        told = self.record.get("sealed_test")
        return None if told is None else TypeAdapter(SealedTest).validate_python(told["judged"])

    def __repr__(self) -> str:
        """One line: which scenario, and what is recommended."""
        inner = repr(self.recommendations)[1:-1] if self.recommendations is not None else "trained only"
        return f"<Run of {self.scenario.name}: {inner}>"

    def _repr_html_(self) -> str:
        table = self.recommendations._repr_html_() if self.recommendations is not None else ""
        return f"<h4>{self.scenario.title}</h4>{table}"


def _some(rows: Rows, most: int = 20_000) -> tuple[Rows, float]:
    """Rows evenly taken where there are too many, and the share of all that they are."""
    if len(rows) <= most:
        return rows, 1.0
    return rows.subset(np.linspace(0, len(rows) - 1, most).round().astype(np.int64)), most / len(rows)


def _along(run: Run, lever: str, place: int, points: int = 41) -> NDArray[np.float64]:
    """[G] settings to draw a curve by: the range of one lever, with the best single one and doing nothing in it."""
    space, nothing = run.scenario.space, run.scenario.levers[lever].settled
    extra = [] if nothing is None else [space.parse({lever: nothing})[place]]
    extra += [] if run.evidence is None else [run.evidence.single[place]]
    return np.unique([*space.grid(lever, points), *extra])
