"""What a table must be to learn from: faults of its values, faults of its rows, and remarks on both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.columns import Remark, others
from drivetrain.data.roles import Role
from drivetrain.data.splits import SEALED, Folds
from drivetrain.errors import Fault, nearest
from drivetrain.scenario import LeverSpace, Outcome, Scenario, labelled
from drivetrain.scenario.constraints import KEYS

MOST_DRAWN = 12
"""Settings of a range that declared chances may belong to."""
MISSING = "missing"
FEWEST = 10
"""Fewest rows in a fold, in the test part, and under an outcome's condition: below, nothing can be judged."""


def of_values(scenario: Scenario, role: Role, values: NDArray[np.float64] | NDArray[np.object_]) -> Iterator[Fault]:
    """Faults of one outcome's values that their type alone does not show: counts and declared options.

    Args:
        scenario: what is declared.
        role: the column's part.
        values: [rows] canonical values, NaN or None where missing.
    """
    if role.part == "outcome" and scenario.outcomes[role.name].kind == "count":
        bad = np.flatnonzero((values < 0) | (np.asarray(values, dtype=float) % 1 > 0))
        if len(bad):
            found = f"row {bad[0] + 1:,} holds {values[bad[0]]:g}{others(len(bad) - 1)}"
            yield Fault(role.thing, found, "A count is a whole number from 0", "Declare the kind numeric")
    if role.part == "outcome" and role.options:
        strange = sorted({value for value in values if value is not None} - set(role.options))
        if strange:
            found = f"'{strange[0]}' is not one of the declared options"
            more = f" (nor are {len(strange) - 1} others)" if len(strange) > 1 else ""
            yield Fault(role.thing, found + more, "", f"{nearest(strange[0], role.options)} Or add it to options")


def of_propensity(column: str, values: NDArray[np.float64]) -> Iterator[Fault]:
    """Faults of a column of probabilities.

    Args:
        column: its name in the source.
        values: [rows] NaN where missing.
    """
    bad = np.flatnonzero((values <= 0) | (values > 1))
    if len(bad):
        found = f"row {bad[0] + 1:,} holds {values[bad[0]]:g}{others(len(bad) - 1)}"
        rule = "The probability of the setting that was chosen is above 0 and at most 1"
        yield Fault(
            f"column '{column}' (propensity)", found, rule, "Correct the column, or leave assignment.propensity out"
        )


def of_weights(column: str, values: NDArray[np.float64]) -> Iterator[Fault]:
    """Faults of a column that says how much models learn from each row.

    Args:
        column: its name in the source.
        values: [rows] NaN where missing.
    """
    thing, rule = f"column '{column}' (data.weight)", "Every row has a weight of 0 or more"
    missing, bad = np.flatnonzero(np.isnan(values)), np.flatnonzero(values < 0)
    if len(missing):
        found = f"row {missing[0] + 1:,} is missing{others(len(missing) - 1)}"
        yield Fault(thing, found, rule, "Fill it in: from a row of 0 models learn nothing")
    if len(bad):
        found = f"row {bad[0] + 1:,} holds {values[bad[0]]:g}{others(len(bad) - 1)}"
        yield Fault(thing, found, rule, "Correct the column, or leave data.weight out")


def _too_fine(scenario: Scenario, settings: NDArray[np.float64]) -> Iterator[Fault]:
    """A chance belongs to one setting: in a range, too, only few may have been drawn from."""
    for position, (name, lever) in enumerate(scenario.levers.items()):
        many = len(np.unique(settings[:, position]))
        if scenario.assignment.propensity and lever.kind == "continuous" and many > MOST_DRAWN:
            found = f"{many:,} different settings, and a chance for each row's own"
            rule = f"Declared chances need a lever that was drawn from at most {MOST_DRAWN} settings"
            yield Fault(f"lever '{name}'", found, rule, "Leave assignment.propensity out, and say how it was drawn")


def of_rows(
    scenario: Scenario,
    frame: pd.DataFrame,
    settings: NDArray[np.float64],
    fold: Folds,
    weight: NDArray[np.float64] | None = None,
) -> Iterator[Fault]:
    """Faults of the used rows as a whole: too few, or nothing that varies.

    Args:
        scenario: what is declared.
        frame: [rows] the used rows.
        settings: [rows, levers] their settings.
        fold: [rows] their folds.
        weight: [rows] how much each counts; None where all count the same.
    """
    yield from _too_few(scenario, fold)
    if weight is not None and any(not weight[fold == part].any() for part in np.unique(fold)):
        found = "every weight is 0" if not weight.any() else "every weight of some fold, or of the test part, is 0"
        yield Fault(f"column '{scenario.data.weight}' (data.weight)", found, "Some rows of each part must count")
    if not len(frame):
        return
    yield from _unknown_groups(scenario, frame)
    yield from _too_fine(scenario, settings)
    for position, (name, lever) in enumerate(scenario.levers.items()):
        if alike := _alike(pd.Series(settings[:, position]), fold):
            only = LeverSpace({name: lever}).describe(np.array([alike[1]]))
            found, rule = f"{alike[0]} have {only}", "Its effect shows only where it varies"
            yield Fault(f"lever '{name}'", found, rule, "Find rows with other settings, or leave the lever out")
    for name in scenario.outcomes:
        exists = existing(scenario, frame, name)
        yield from _off_scale(scenario.outcomes[name], name, frame[name][exists])
        yield from _flat(name, scenario.outcomes[name], frame[name][exists], fold[exists])


def _alike(values: pd.Series[Any], fold: Folds, where: str = "") -> tuple[str, Any] | None:
    """Which rows, all of them or those to learn from, hold one value, and that value; None where they differ."""
    learned = values[fold != SEALED]
    for words, some in (("usable rows" + where, values), (f"rows{where} outside the test part", learned)):
        if some.nunique() == 1:
            return f"all {len(some):,} {words}", some.iloc[0]
    return None


def _unknown_groups(scenario: Scenario, frame: pd.DataFrame) -> Iterator[Fault]:
    """Bounds for a value of an input that no row has."""
    known = {name: sorted(set(each)) for name, each in labelled(scenario, frame).items()}
    for constraint in scenario.constraints:
        for key in KEYS:
            bounds = getattr(constraint, key)
            for group in bounds if isinstance(bounds, dict) else ():
                if group not in known[constraint.by[0]]:
                    rule = "A bound for a group needs rows in it"
                    cure = nearest(group, known[constraint.by[0]])
                    thing = f"constraints.{constraint.name}.{key}"
                    yield Fault(thing, f"no row has {constraint.by[0]} '{group}'", rule, cure)


def existing(scenario: Scenario, frame: pd.DataFrame, outcome: str) -> NDArray[np.bool_]:
    """[rows] where an outcome exists: everywhere, or where the outcome named by its `when` is yes.

    Args:
        scenario: what is declared.
        frame: canonical columns.
        outcome: its name.
    """
    when = scenario.outcomes[outcome].when
    if when is None:
        return np.ones(len(frame), dtype=bool)
    happened: NDArray[np.bool_] = frame[when].to_numpy() == 1
    return existing(scenario, frame, when) & happened


def names_rows(values: pd.Series[Any]) -> bool:
    """Whether a column holds texts that hardly another row holds, as names and identifiers are."""
    return values.dtype == object and values.nunique() > max(FEWEST, len(values) / 2)


def remarks(frame: pd.DataFrame, things: Mapping[str, str]) -> Iterator[Remark]:
    """Counts what is unusual and allowed: missing inputs, constant columns, texts that tell each row, repeated rows.

    Args:
        frame: [rows] the used rows.
        things: how to name each column to look at, the inputs' first.
    """
    for name, thing in things.items():
        missing, different = int(frame[name].isna().sum()), frame[name].nunique()
        if missing:
            yield Remark(thing, MISSING, missing)
        elif len(frame) > 1 and different == 1:
            yield Remark(thing, "every row holds the same value", len(frame))
        if names_rows(frame[name]):
            yield Remark(
                thing, "a text that hardly another row holds, as names are: nothing is learned of it", different
            )
        yield from (_lookalikes if frame[name].dtype == object else _far_off)(thing, frame[name])
    if repeated := int(frame.duplicated().sum()):
        yield Remark("rows", "the same as an earlier row in every column that is used", repeated)


def _lookalikes(thing: str, values: pd.Series[Any]) -> Iterator[Remark]:
    """Texts that are the same but for capitals and spaces."""
    counts = values.value_counts()
    plain = [" ".join(str(text).casefold().split()) for text in counts.index]
    groups = pd.Series(counts.index, index=plain).groupby(level=0).agg(list)
    alike = [texts for texts in groups if len(texts) > 1]
    if alike:
        rare = sum(int(counts[texts[1:]].sum()) for texts in alike)
        one, other = alike[0][:2]
        yield Remark(thing, f"texts that differ in capitals or spaces only, such as {one!r} and {other!r}", rare)


def _far_off(thing: str, values: pd.Series[Any]) -> Iterator[Remark]:
    """A number at an end, held by several rows, further from all others than these are from each other: -999."""
    distinct = np.unique(values.dropna().to_numpy())
    if len(distinct) <= FEWEST:
        return
    for end, near, far in ((distinct[0], distinct[1], distinct[-1]), (distinct[-1], distinct[-2], distinct[0])):
        if abs(end - near) > abs(near - far) and (count := int((values == end).sum())) > 1:
            cure = f"if it stands for a missing value, say data: {{missing: [{end:.12g}]}}"
            yield Remark(thing, f"{end:.12g} lies far from all other values; {cure}", count)


def _too_few(scenario: Scenario, fold: Folds) -> Iterator[Fault]:
    split = scenario.data.split
    sizes = np.bincount(fold[fold != SEALED], minlength=split.folds)
    sealed = int((fold == SEALED).sum())
    smallest = min(int(sizes.min()), sealed) if split.test else int(sizes.min())
    if smallest < FEWEST:
        found = f"{len(fold):,} usable rows leave {smallest:,} in the smallest of {split.folds} folds and the test part"
        fewer = len(fold) // FEWEST
        cure = "Use more rows, fewer folds, or groups and times that divide more evenly"
        if split.by in {"random", "stratified"} and 2 < fewer <= split.folds + bool(split.test):
            cure = f"Use more rows, or say data: {{split: {{folds: {min(fewer, split.folds)}, test: 0}}}}"
        yield Fault("data.split", found, f"Each needs {FEWEST} rows", cure)


def _off_scale(declared: Outcome, name: str, values: pd.Series[float]) -> Iterator[Fault]:
    """An outcome's existing values that its declared scale or range has no place for."""
    if declared.scale == "log" and (bad := values[values <= 0]).size:
        found = f"{len(bad):,} rows hold {bad.iloc[0]:g} or other values that are not above 0"
        cure = "Say scale: asinh, or let it exist only when a binary outcome with above: 0 on its column is yes"
        yield Fault(f"outcome '{name}'", found, "A logarithm is of a number above 0", cure)
    if declared.min is not None and declared.max is not None:
        bad = values[(values < declared.min) | (values > declared.max)]
        if bad.size:
            found = f"{len(bad):,} rows hold {bad.iloc[0]:g} or other values outside the range"
            rule = f"A rating lies between min {declared.min:g} and max {declared.max:g}"
            yield Fault(f"outcome '{name}'", found, rule, "Widen the range, or declare the kind numeric")


def _flat(name: str, declared: Outcome, values: pd.Series[float], fold: Folds) -> Iterator[Fault]:
    condition = f" where '{declared.when}' is yes" if declared.when else ""
    if len(values) < FEWEST and declared.when:
        found = f"{len(values):,} rows{condition}"
        yield Fault(f"outcome '{name}'", found, f"It needs {FEWEST} rows where it exists", "Use more rows")
    elif alike := _alike(values, fold, condition):
        only = _shown(alike[1]) if declared.kind != "binary" else "yes" if alike[1] else "no"
        found = f"{alike[0]} hold {only}"
        yield Fault(f"outcome '{name}'", found, "A model needs an outcome that varies", "Find rows with other outcomes")


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else f"'{value}'"
