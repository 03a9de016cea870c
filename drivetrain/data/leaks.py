"""Inputs that give the answer away: twins of a lever, and what is known only after an outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from drivetrain.data.checks import existing
from drivetrain.data.columns import Remark
from drivetrain.data.roles import Role
from drivetrain.errors import Fault
from drivetrain.scenario import Scenario

Values = NDArray[Any]

ALIKE = 0.999
"""Above this rank correlation, or area under the ROC curve, one column is the other."""
ROUGHLY = 0.99
"""The same, asked first of a sample."""
SAMPLE = 10_000
FEWEST = 20
"""With fewer rows that know both columns, nothing can be told."""
CHANCE = 1e-6
"""How improbable an exact pattern must be among columns that have nothing to do with each other."""
REPEATS = 10
"""Rows a value needs on average, so that an exact pattern means something: numbers that are all different fit any."""


def twins(scenario: Scenario, frame: pd.DataFrame, parts: Sequence[Role]) -> Iterator[Fault]:
    """Inputs that match a lever or an outcome too well to be what is known before the decision.

    Args:
        scenario: what is declared; inputs that say `known_before` are trusted.
        frame: [rows] canonical columns of the used rows.
        parts: how to name each column.
    """
    known, inputs = frame.drop_duplicates(ignore_index=True), [role for role in parts if role.part == "input"]
    for given in inputs:
        if scenario.inputs[given.name].known_before:
            continue
        for target in parts:
            if target.part not in {"input", "excluded"} and (found := _found(scenario, known, given, target)):
                yield Fault(given.thing, f"{found} {target.part} '{target.name}'", *_advice(given, target))


def consequences(scenario: Scenario, frame: pd.DataFrame, parts: Sequence[Role]) -> Iterator[Remark]:
    """Counts inputs that merely repeat a part of what a lever says, such as whether its setting is above 0.

    Args:
        scenario: what is declared.
        frame: [rows] canonical columns of the used rows.
        parts: how to name each column.
    """
    known = frame.drop_duplicates(ignore_index=True)
    few = [name for name in scenario.levers if known[name].nunique() * REPEATS <= len(known)]
    for given in (role for role in parts if role.part == "input" and known[role.name].nunique() > 1):
        for lever in few:
            both = known[[given.name, lever]].dropna()
            if len(both) >= FEWEST and all(_follows(each) for each in (both.iloc[_sample(len(both))], both)):
                yield Remark(given.thing, f"follows from lever '{lever}', one value for each setting", len(both))


def _advice(given: Role, target: Role) -> tuple[str, str]:
    trust = f"if it is known before, say known_before: true under inputs.{given.name}"
    if target.part == "lever":
        return "A model cannot tell such an input from the lever", f"Leave the input out; or, {trust}"
    return "An input is known before the decision, and an outcome only after it", f"Leave the input out; or, {trust}"


def _found(scenario: Scenario, frame: pd.DataFrame, given: Role, target: Role) -> str:
    """What gives an input away, as a clause that ends before the target's name; empty where nothing does."""
    after = target.part == "outcome"
    exists = frame[target.name].notna().to_numpy()
    if after:
        exists = exists & existing(scenario, frame, target.name)
    x, y = frame[given.name][exists], frame[target.name][exists]
    if len(x) > 2 * SAMPLE:
        few = _sample(len(x))
        if y.iloc[few].nunique() > 1 and not _clause(x.iloc[few], y.iloc[few], after=after, alike=ROUGHLY):
            return ""
    return _clause(x, y, after=after, alike=ALIKE)


def _sample(rows: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).choice(rows, min(rows, SAMPLE), replace=False)


def _clause(x: pd.Series[Any], y: pd.Series[Any], *, after: bool, alike: float) -> str:
    known = x.notna()
    if after and len(x) >= FEWEST and known.nunique() > 1 and _one_to_one(known, y):
        return "it is missing exactly as told by"
    x, y = x[known], y[known]
    a, b = x.to_numpy(), y.to_numpy()
    if len(x) < FEWEST or x.nunique() < 2 or y.nunique() < 2:
        return ""
    if a.dtype == b.dtype and bool((a == b).all()):
        return "it equals"
    if _one_to_one(x, y):
        return "it goes one-to-one with"
    if after and _fixes(_codes(x), _codes(y)):
        return "each of its values goes with only one value of"
    if after and _fixes(_codes(y), _codes(x)):
        return "it follows from"
    if a.dtype == object or b.dtype == object:
        return ""
    return _ranked(a, b, after=after, alike=alike)


def _ranked(a: Values, b: Values, *, after: bool, alike: float) -> str:
    ranks, values = rankdata(a), np.unique(b)
    if len(values) > 2:
        correlation = float(np.corrcoef(ranks, rankdata(b))[0, 1])
        return f"it ranks rows (rank correlation {correlation:.4f}) like" if abs(correlation) > alike else ""
    if not after:
        return ""
    high = b == values[1]
    many, rest = int(high.sum()), int((~high).sum())
    area = (float(ranks[high].sum()) - many * (many + 1) / 2) / (many * rest)
    return f"alone (AUC {max(area, 1 - area):.4f}) it tells" if max(area, 1 - area) > alike else ""


def _one_to_one(x: pd.Series[Any], y: pd.Series[Any]) -> bool:
    a, b = _codes(x), _codes(y)
    return int(a.max()) == int(b.max()) and _fixes(a, b) and _fixes(b, a)


def _follows(both: pd.DataFrame) -> bool:
    """Whether the first column follows from the second."""
    return _fixes(_codes(both.iloc[:, 1]), _codes(both.iloc[:, 0]))


def _codes(values: pd.Series[Any]) -> NDArray[np.intp]:
    return pd.factorize(values)[0]


def _fixes(a: NDArray[np.intp], b: NDArray[np.intp]) -> bool:
    """Whether each value of `a` goes with one value of `b`, more often than chance would have it.

    Were they independent, m rows of one value would agree with probability Σ p^m over the shares p of `b`'s values.
    """
    sizes = np.bincount(a)
    if len(sizes) * REPEATS > len(a):
        return False
    one = np.zeros(len(sizes), dtype=np.intp)
    one[a] = b
    if not bool((one[a] == b).all()):
        return False
    shares = np.bincount(b) / len(b)
    distinct, counts = np.unique(sizes, return_counts=True)
    chance = sum(many * np.log((shares**size).sum()) for size, many in zip(distinct, counts, strict=True))
    return bool(chance < np.log(CHANCE))
