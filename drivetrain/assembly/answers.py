"""What a run can be asked about rows: what to do with them, what would happen, what models rely on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter

from drivetrain import data
from drivetrain.assembly.neighbours import Neighbours, neighbours
from drivetrain.assembly.prediction import predict
from drivetrain.assembly.response import Response, respond
from drivetrain.assembly.settings import Settings, open_levers, whole
from drivetrain.assembly.what_if import MOST_KEPT, WhatIf, what_if
from drivetrain.data import MISSING, Rows, Table
from drivetrain.decisions import Locks, Recommendations, locks, read_locks, recommend
from drivetrain.errors import Fault, UsageError, integer, nearest
from drivetrain.evidence import Evidence, SealedTest
from drivetrain.optimizer import Guard
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Simulator

Asked = str | Path | pd.DataFrame | Rows | None
"""Whom to ask about, wherever `rows` is an argument: a CSV or Parquet file or a frame with the data's columns, rows
that `data.read_rows` read, or None for the run's own."""


@dataclass(frozen=True, repr=False)
class Answers:
    """Models, the rows they learned from, and what they have to say of settings and rows."""

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

    @property
    def decided(self) -> Recommendations:
        """The recommendations. Raises: UsageError: the run was only trained."""
        if self.recommendations is None:
            fault = Fault("the run", "it was only trained", "It recommends nothing", "Use: drivetrain run SCENARIO")
            raise UsageError(fault)
        return self.recommendations

    def whom(self, rows: Asked = None) -> Rows:
        """The rows that are asked about.

        Args:
            rows: a CSV, Parquet or Excel file or a frame with the data's columns, rows that `data.read_rows` read, or
                None for the run's own.

        Raises:
            DataError: a column is missing or holds what it must not.
            UsageError: these are no rows.
        """
        if rows is None or isinstance(rows, Rows):
            return self.table if rows is None else rows
        if not isinstance(rows, str | Path | pd.DataFrame):
            rule = "Rows are the path of a file, a frame, what `read_rows` gave, or left out for the run's own"
            raise UsageError(Fault("rows", f"found {rows!r}", rule, "Name a file of rows"))
        return data.read_rows(self.scenario, rows)

    def recommend(self, rows: Asked = None, *, locked: Locks | str | Path | None = None) -> Recommendations:
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
        known = self.whom(rows)
        given = read_locks(self.scenario, locked) if isinstance(locked, str | Path) else locked
        settings = None if given is None else locks(self.scenario, known, given)
        made = recommend(self.simulator, self.judged, known, self.table, settings)
        return made if known is self.table else replace(made, remarks={**_noticed(known), **made.remarks})

    def simulate(self, rows: Asked = None, /, **setting: Any) -> WhatIf:
        """What would happen if everyone got one setting: `what_if` with levers as arguments.

        Here and wherever levers are arguments, all others are told by their place, so that a lever may have any name.

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
        rows: Asked = None,
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
        return what_if(self, settings, self.whom(rows), inputs, against)

    def crowds(self, frame: pd.DataFrame) -> Iterator[tuple[slice, Crowd]]:
        """Rows as models read them, run by run; the last frame's are kept, unless it is very long.

        Args:
            frame: canonical columns, as in `Rows.frame`.
        """
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
        rows: Asked = None,
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
        if not isinstance(share, int | float) or not 0 < share < 1:
            raise UsageError(Fault("share", f"found {share!r}", "It lies between 0 and 1", "Write 0.9, say"))
        return predict(self, settings, self.whom(rows), inputs, share)

    def respond(self, lever: str, rows: Asked = None, /, **setting: Any) -> Response:
        """What would happen to outcomes and objective as one lever moves, the same for all rows.

        Args:
            lever: the lever that moves, over its whole range.
            rows: whom to ask about; the run's own rows where left out.
            **setting: where the other levers stand; where left out, at the best single setting.

        Raises:
            UsageError: an unknown lever, a value that it does not allow, or a lever left out of a run only trained.
            DataError: rows hold what they must not.
        """
        space = self.scenario.space
        if lever not in space.names:
            raise UsageError(
                Fault(str(lever), "found an unknown lever", "A curve follows one lever", nearest(lever, space.names))
            )
        place = space.names.index(lever)
        given = space.parse(setting)
        others = given if self.evidence is None else np.where(np.isnan(given), self.evidence.single, given)
        line = np.tile(others, (len(values := _along(self, lever, place)), 1))
        line[:, place] = values
        if np.isnan(line).any():
            raise UsageError(open_levers(self.scenario, line))
        return respond(self.simulator, self.simulator.crowd(self.whom(rows).frame), line, place)

    def neighbours(self, row: int, top: int = 10, rows: Asked = None, /, **setting: Any) -> Neighbours:
        """The rows of the data most like one row, and how many of them speak for a setting.

        Rows are alike where the models expect the same of them under every setting, however their inputs differ.

        Args:
            row: its number in the source, from 1, as recommendations have it.
            top: how many to list.
            rows: where the row is; the run's own rows where left out.
            **setting: every lever's value, or as for `what_if` options where rows get several; what is recommended for
                the row where left out.

        Raises:
            UsageError: no such row, an unknown lever or a value that it does not allow, or a lever left out.
        """
        given = whole(self.scenario, setting) if setting else None
        asked = None if rows is None else self.whom(rows)
        return neighbours(self, row, integer("top", top), asked, given)

    def surprises(self, top: int = 50) -> pd.DataFrame:
        """The rows that models which had not seen them get most wrong, and why: see `drivetrain.assembly.surprises`.

        Args:
            top: how many lines.
        """
        from drivetrain.assembly.surprises import surprises

        return surprises(self, integer("top", top))

    def explain(self) -> Mapping[str, Any]:
        """What models rely on, what they take for what, and which levers act on each other.

        Returns:
            `outcomes`: outcome → `importance` by input and lever, and `confusion` where it has classes (see
            `modeler.importance`); `interplay` of pairs of levers (see `simulator.interplay`). Figures draw them.
        """
        told: Mapping[str, Any] = self.record.get("explanation") or {"outcomes": {}, "interplay": []}
        return told

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


def _along(run: Answers, lever: str, place: int, points: int = 41) -> NDArray[np.float64]:
    """[G] settings to draw a curve by: the range of one lever, with the best single one and doing nothing in it."""
    space, nothing = run.scenario.space, run.scenario.levers[lever].settled
    extra = [] if nothing is None else [space.parse({lever: nothing})[place]]
    extra += [] if run.evidence is None else [run.evidence.single[place]]
    return np.unique([*space.grid(lever, points), *extra])


def _noticed(rows: Rows) -> dict[str, int]:
    """What reading new rows noticed, apart from what models note of each."""
    return {f"{flag.thing}: {flag.found}": flag.count for flag in rows.flags if flag.found != MISSING}
