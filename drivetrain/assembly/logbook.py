"""A run and the decision log: sign its recommendation, let its actions leave the house, tell what came of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from drivetrain import data
from drivetrain.assembly.result import Run
from drivetrain.decisions import slots, words
from drivetrain.decisions.entries import Entry, Logged, Review
from drivetrain.decisions.export import rendered, replacing
from drivetrain.decisions.log import DecisionLog
from drivetrain.decisions.recommend import Recommendations
from drivetrain.decisions.slots import require_one
from drivetrain.errors import DataError, Fault, UsageError, path_of


@dataclass(frozen=True)
class Logbook:
    """What the decision log holds of one run, and the ways to add to it; `Run.logbook` gives it."""

    run: Run
    log: DecisionLog

    @property
    def key(self) -> str:
        """The run's key in the log: the same for the same run folder, another for every other run."""
        record = self.run.record
        told = [record["scenario_sha256"], record["data"]["fingerprint"], record["seed"], record["made"]]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]

    @property
    def now(self) -> Logged:
        """The run's entry as it stands; it is entered, open, when it is first looked at."""
        run, made = self.run, self._made
        entry = Entry(
            self.key,
            run.scenario.name,
            run.scenario.title,
            words.action(run.scenario, run.judged),
            run.scenario.objective.unit,
            made.policy,
            len(made),
            made.promise.total,
            float(made.frame["objective"].sum()),
            "" if run.folder is None else str(run.folder.resolve()),
        )
        return self.log.enter(entry)

    def approve(self, by: str, reason: str) -> Logged:
        """Approve the recommendation; the last word on it counts.

        Args:
            by: who says so.
            reason: why.

        Raises:
            UsageError: no name, or no reason.
        """
        return self.log.sign(self.now.entry.key, "approved", by, reason)

    def reject(self, by: str, reason: str) -> Logged:
        """Reject the recommendation; the last word on it counts.

        Args:
            by: who says so.
            reason: why.

        Raises:
            UsageError: no name, or no reason.
        """
        return self.log.sign(self.now.entry.key, "rejected", by, reason)

    def export(self, path: str | Path) -> Logged:
        """Write the approved actions to a file, and note in the log what went out.

        The file is there once the log has it: a recommendation that is rejected meanwhile does not leave the house.

        Args:
            path: .csv, .parquet, .json or .xlsx.

        Raises:
            RefusedError: nobody has approved them.
            UsageError: the file cannot be written.
        """
        key, frame = self.now.entry.key, self._made.frame
        self.log.require_approved(key)
        target = path_of("path", path)
        content = rendered(frame, target)
        actions = list(zip(frame["row"].tolist(), self._chosen, frame["objective"].tolist(), strict=True))
        with replacing(target) as temporary:
            temporary.write_bytes(content)
            mark = hashlib.sha256(content).hexdigest()
            return self.log.exported(key, str(target.resolve()), mark, actions)

    def feed(self, rows: str | Path | pd.DataFrame) -> Logged:
        """Note what came of exported actions.

        Args:
            rows: a CSV or Parquet file or a frame with a column `row`, the outcomes, and the levers as they were set;
                levers that are left out count as set as recommended.

        Raises:
            DataError: a column is missing or holds what it must not.
            UsageError: a row was never exported, or has an outcome already.
        """
        key, told = self.now.entry.key, data.read_results(self.run.scenario, rows)
        place = {int(row): at for at, row in enumerate(self._made.frame["row"])}
        number = (told.row + 1).tolist()
        if unknown := [row for row in number if row not in place]:
            found = f"{len(unknown):,} rows are not among the recommendations, first {unknown[0]:,}"
            raise UsageError(Fault("outcomes", found, "", "Keep the column row from the exported file"))
        recommended = self._made.plan.settings[[place[row] for row in number]]
        done = np.where(np.isnan(told.settings), recommended, told.settings)
        known, scenario = self.log.settings(key), self.run.scenario
        if np.isfinite(told.settings).any() or scenario.expand(scenario.objective.formula).names & set(scenario.levers):
            require_one(scenario, "outcomes by setting")
        said = self._described(done) if scenario.slots == 1 else [known.get(row, "") for row in number]
        followed = [words == known.get(row) for row, words in zip(number, said, strict=True)]
        frame = told.frame
        if scenario.remembered:  # what was current before: in the results it is what was done
            before = self.run.table.frame[list(scenario.levers)].iloc[[place[row] for row in number]]
            frame = frame.assign(**{name: before[name].to_numpy() for name in scenario.levers})
        earned = self.run.simulator.observed(frame, done)
        if len(lost := np.flatnonzero(~np.isfinite(earned))):
            found = f"the objective cannot be computed in {len(lost):,} rows, first row {number[lost[0]]:,}"
            raise DataError(Fault("outcomes", found, "Its formula needs its inputs and outcomes", "Fill them in"))
        return self.log.feed(key, number, followed, earned)

    def review(self) -> Review:
        """Promise against what happened. Raises: UsageError: fewer than two rows to compare."""
        cluster, rows = self.run.table.cluster, (self.run.table.row + 1).tolist()
        whose = None if cluster is None else dict(zip(rows, cluster.tolist(), strict=True))
        return self.log.review(self.now.entry.key, whose)

    @property
    def _made(self) -> Recommendations:
        if self.run.recommendations is None:
            raise UsageError(
                Fault("the run", "it was only trained", "Only decisions are logged", "Use: drivetrain run")
            )
        return self.run.recommendations

    @property
    def _chosen(self) -> list[str]:
        """What each row gets, in words."""
        plan = self._made.plan
        return self._described(plan.settings) if plan.slots is None else slots.words(self.run.scenario, plan.slots)

    def _described(self, settings: np.ndarray) -> list[str]:
        distinct, back = np.unique(settings, axis=0, return_inverse=True)
        told = [self.run.scenario.space.describe(setting) for setting in distinct]
        return [told[at] for at in back.ravel()]


def logbook(run: Run) -> Logbook:
    """The decision log of a run: the database that `DRIVETRAIN_LOG` names, else `decisions.sqlite` beside its folder.

    Raises:
        UsageError: the run has no folder, and the environment names no database.
        DataError: the database cannot be opened.
    """
    return Logbook(run, DecisionLog(None if run.folder is None else run.folder.resolve().parent))
