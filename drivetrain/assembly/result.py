"""A finished run: ask it what would happen, and what to do with rows it has never seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import pandas as pd

from drivetrain.assembly.answers import Answers, Asked
from drivetrain.data import Rows
from drivetrain.decisions import listed
from drivetrain.decisions.export import replacing
from drivetrain.errors import Fault, UsageError, integer, nearest, path_of
from drivetrain.modeler import hand_over
from drivetrain.optimizer import Front, Frontier, decisions, front, frontier

if TYPE_CHECKING:
    from drivetrain.assembly.experiment import Experiment
    from drivetrain.assembly.logbook import Logbook
    from drivetrain.evidence.experiments import Mode


MOST_DECIDED = 20_000
"""Of more rows so many stand for all, where a front is asked for."""

P = ParamSpec("P")
T = TypeVar("T")


def of_run(ask: Callable[Concatenate[Run, P], T]) -> Callable[Concatenate[Run, P], T]:
    """Refuses what is no run, such as a folder's name, before anything is asked of it."""

    @wraps(ask)
    def asked(run: Run, *args: P.args, **kwargs: P.kwargs) -> T:
        return ask(finished(run), *args, **kwargs)

    return asked  # type: ignore[return-value]  # its first argument may be named too


def finished(run: object) -> Run:
    """The same run. Raises: UsageError: it is none."""
    if not isinstance(run, Run):
        cure = "Open its folder first: drivetrain.open_run(FOLDER)"
        raise UsageError(Fault("run", f"found {run!r}", "It is a finished run", cure))
    return run


@dataclass(frozen=True, repr=False)
class Run(Answers):
    """A finished run, in memory or read from its folder."""

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
            `objective` with `objective_low` and `objective_high` (95%, by the members' disagreement), `supported`.

        Raises:
            DataError: a column is missing or holds what it must not.
            InfeasibleError: for some row no option is left.
            UsageError: the scenario has several levers, or one that is no category; or `top` is no number of options.
        """
        known = self.whom(rows)
        many = self.scenario.slots if self.scenario.slots > 1 else 10
        return listed(
            self.simulator,
            known,
            many if top is None else integer("top", top),
            self.table if exclude_seen else None,
            unsupported=unsupported,
        )

    def pareto(self, points: int = 21, rows: Asked = None) -> Front:
        """The choices between the objectives that waste nothing, as models expect; see `optimizer.front`.

        Args:
            points: how many to look for.
            rows: whom to decide for; the run's own where left out. Of many rows, 20,000 stand for all.

        Raises:
            UsageError: the scenario has one objective, or `points` is no number of choices.
            InfeasibleError: no settings meet the constraints.
        """
        known, many = self.whom(rows), integer("points", points)
        asked, share = known.evenly(MOST_DECIDED), min(1.0, MOST_DECIDED / len(known))
        crowd = self.simulator.crowd(asked.frame)
        return front(self.simulator, crowd, decisions(self.scenario, asked.frame), many, share=share)

    def frontier(self, constraint: str, points: int = 15, rows: Asked = None) -> Frontier:
        """The best value of the objective against a constraint's bound, as models expect; see `optimizer.frontier`.

        Args:
            constraint: its name; it must bound a total or a mean over rows.
            points: how many bounds to try, beside the scenario's own.
            rows: whom to decide for; the run's own where left out. Of many rows, 20,000 stand for all.

        Raises:
            UsageError: no such constraint, one that holds for each row, or `points` is no number of bounds.
            InfeasibleError: no settings meet the constraints.
        """
        known, many = self.whom(rows), integer("points", points)
        asked, share = known.evenly(MOST_DECIDED), min(1.0, MOST_DECIDED / len(known))
        crowd = self.simulator.crowd(asked.frame)
        return frontier(self.simulator, crowd, decisions(self.scenario, asked.frame), constraint, many, share=share)

    def evaluate(self, *, open_test: bool = False) -> Run:
        """Value the recommended policy and its simpler rivals on the sealed rows; the opening is noted in the record.

        Args:
            open_test: must be True: each look at sealed rows makes them less of a test.

        Raises:
            RefusedError: `open_test` was not asked for.
            UsageError: the run was only trained, or sealed no rows.
            DataError: the run's folder was changed.
        """
        from drivetrain.assembly.opening import evaluate

        return evaluate(self, open_test=open_test)

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
        """Design the next randomised test. Where rows get several options each it is of one slot.

        Args:
            rows: who takes part: a CSV or Parquet file or a frame with the inputs' columns, or rows that were read.
            max_loss: what may be given up for learning, in expectation, summed over the rows, in the objective's unit.
            mode: `decide`, `thompson` or `top_two`: see `drivetrain.evidence.experiments`.
            against: in the mode `decide`, the policy to test against: `do_nothing`, `current` or `single`; what the
                recommendation is compared with where left out.
            size: at most so many rows are left to chance, drawn at random; the others get what is recommended.
            seed: of the draw.

        Raises:
            DataError: a column is missing or holds what it must not.
            UsageError: a loss below 0, an unknown mode, a size or seed that is none, or a policy that cannot be tested
                against.
            RefusedError: a bound over all rows stands against a free draw, the two policies do not differ, models agree
                on the best setting of every row, so that nothing would be left to chance, or rows get several of
                hundreds of options.
        """
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
        with replacing(path_of("path", path)) as temporary:
            hand_over(self.scenario, self.simulator.models, chosen, temporary)

    def __repr__(self) -> str:
        """One line: which scenario, and what is recommended."""
        inner = repr(self.recommendations)[1:-1] if self.recommendations is not None else "trained only"
        return f"<Run of {self.scenario.name}: {inner}>"

    def _repr_html_(self) -> str:
        table = self.recommendations._repr_html_() if self.recommendations is not None else ""
        return f"<h4>{self.scenario.title}</h4>{table}"
