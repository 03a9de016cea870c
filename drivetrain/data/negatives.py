"""Implicit feedback: rows that say only what was seen or bought, and the no's that are drawn beside them.

Each row brings some options that the same one who decides has had in no row, drawn evenly, as rows with the outcome
no (negative sampling, as Rendle et al. 2009 and He et al. 2017 train rankings). They are no evidence: nobody was
asked. So they teach models what to rank low, and nothing that has been judged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.columns import Remark
from drivetrain.data.sources import Source
from drivetrain.data.table import Table
from drivetrain.scenario import Scenario

ROUNDS = 30
"""How often what somebody has had already is drawn again, before it is left out."""


def with_drawn(scenario: Scenario, source: Source) -> tuple[Source, NDArray[np.intp], tuple[Remark, ...]]:
    """The source with the drawn rows at its end, the rows that they follow, and how many there are.

    A drawn row is a copy of its row, with the option, and what is known of it, from a row of that option.

    Args:
        scenario: what is declared; without an outcome with `negatives` nothing is drawn.
        source: rows as they stand; an outcome column that is not there is yes in all of them.
    """
    none = np.zeros(0, dtype=np.intp)
    if scenario.implicit is None:
        return source, none, ()
    lever, outcome = next(iter(scenario.levers)), scenario.implicit
    columns = scenario.columns
    if columns[lever] not in source.columns or (by := _who(scenario, source)) is None:
        return source, none, ()  # what is missing is told by those who need it
    told = _happened(source, columns[outcome])
    item, names = pd.factorize(source.column(columns[lever], "categorical", lever).values)
    yes = np.flatnonzero(told & (item >= 0))
    many = scenario.outcomes[outcome].negatives or 0
    parents, drawn = _draw(by, item, yes, len(names), many, scenario.seed)
    first = np.zeros(len(names), dtype=np.intp)
    first[item[yes][::-1]] = yes[::-1]
    about = {columns[lever], *(each.column or name for name, (_, each) in scenario.features.items())}
    frame = source.frame.assign(**({} if columns[outcome] in source.columns else {columns[outcome]: "1"}))
    more = frame.iloc[parents].reset_index(drop=True)
    more = more.assign(**{name: frame[name].iloc[first[drawn]].array for name in frame if name in about})
    more = more.assign(**{columns[name]: _nothing(frame[columns[name]], name == outcome) for name in scenario.outcomes
                          if columns[name] in frame})  # fmt: skip
    whole = pd.concat([frame, more], ignore_index=True)
    remark = Remark(f"outcome '{outcome}'", "no's, drawn among the options that each had not had", len(more))
    return replace(source, frame=whole, columns=tuple({*source.columns, columns[outcome]})), parents, (remark,)


def had(scenario: Scenario, table: Table) -> Table:
    """The rows that tell what somebody has had: all, but for those that were drawn as no's."""
    name = scenario.implicit
    return table if name is None else table.subset(table.frame[name].to_numpy() == 1)


def _who(scenario: Scenario, source: Source) -> NDArray[np.int64] | None:
    """[rows] who decides, numbered; None where a column that tells it is not there."""
    names = [scenario.columns[name] for name in scenario.decide.by or scenario.inputs]
    if not names or not set(names) <= set(source.columns):
        return None
    return source.frame.groupby(names, sort=False, dropna=False).ngroup().to_numpy().astype(np.int64)


def _happened(source: Source, column: str) -> NDArray[np.bool_]:
    if column not in source.columns:
        return np.ones(len(source.frame), dtype=bool)
    yes: NDArray[np.bool_] = source.column(column, "yes_no", column).values == 1
    return yes


def _draw(
    who: NDArray[np.int64], item: NDArray[np.intp], yes: NDArray[np.intp], options: int, many: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Rows, and for each an option that who decides in it has had in no row."""
    random = np.random.default_rng(seed)
    pairs = np.unique(who[yes] * options + item[yes])
    rows = np.repeat(yes, many)
    drawn = random.integers(options, size=len(rows))
    taken = np.isin(who[rows] * options + drawn, pairs)
    for _ in range(ROUNDS):
        drawn[taken] = random.integers(options, size=int(taken.sum()))
        taken = np.isin(who[rows] * options + drawn, pairs)
    return rows[~taken], drawn[~taken]


def _nothing(column: pd.Series[Any], asked: bool) -> Any:
    """What a drawn row says of an outcome: no of the one that is asked for, and nothing of others."""
    if not asked:
        return None
    return False if column.dtype == bool else "0" if isinstance(column.dtype, pd.StringDtype) else 0
