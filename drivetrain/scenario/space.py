"""Lever settings as rows of numbers; which number a value is, and why a bad one is refused, is told in `codes`.

A setting is a float64 row with one place a lever, in natural units: numbers as they are, options as their place in
`options`, yes and no as 1 and 0, missing as NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, log10
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.errors import DataError, Fault, UsageError, nearest
from drivetrain.scenario.codes import breach, code, coded, named, refused
from drivetrain.scenario.levers import Categorical, Continuous, Integer, Lever, YesNo

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LeverSpace:
    """All settings that the levers allow."""

    levers: Mapping[str, Lever]
    """Name → lever, in the order of a setting's places."""

    @property
    def names(self) -> tuple[str, ...]:
        """The levers' names, in order."""
        return tuple(self.levers)

    def __len__(self) -> int:
        """Number of levers, L."""
        return len(self.levers)

    def encode(self, frame: pd.DataFrame) -> Floats:
        """Logged settings [N, L] of a frame that has the levers' names as columns; missing values become NaN.

        Raises:
            DataError: a column is missing, or holds what its lever does not allow; all columns are told at once.
        """
        faults: list[Fault] = []
        columns = [self._encode(name, frame, faults) for name in self.levers]
        if faults:
            raise DataError(*faults)
        return np.column_stack(columns)

    def decode(self, settings: Floats) -> pd.DataFrame:
        """Settings [N, L] as people read them: numbers, whole numbers, options, True and False; NaN becomes None."""
        values = np.atleast_2d(np.asarray(settings, dtype=np.float64))
        return pd.DataFrame(
            {name: _natural(lever, values[:, i]) for i, (name, lever) in enumerate(self.levers.items())}
        )

    def parse(self, words: Mapping[str, Any]) -> Floats:
        """One setting [L] from words or values, such as `{"price": "9.5", "channel": "sms"}`; NaN where none is given.

        Raises:
            UsageError: an unknown lever, or a value that its lever does not allow.
        """
        setting = np.full(len(self), np.nan)
        faults = []
        for name, word in words.items():
            if name not in self.levers:
                faults.append(
                    Fault(name, "found an unknown lever", "Settings are given to levers", nearest(name, self.names))
                )
                continue
            lever = self.levers[name]
            place, rule = code(lever, word)
            if rule:
                faults.append(refused(name, lever, word, rule))
            setting[self.names.index(name)] = place
        if faults:
            raise UsageError(*faults)
        return setting

    def grid(self, lever: str, count: int) -> Floats:
        """Candidate values of one lever, ascending: all there are if no more than `count`, else evenly spread."""
        declared = self.levers[lever]
        if isinstance(declared, Categorical | YesNo):
            return np.arange(len(declared.options) if isinstance(declared, Categorical) else 2, dtype=np.float64)
        if not declared.step:
            return np.linspace(declared.min, declared.max, max(count, 2))
        steps = round((declared.max - declared.min) / declared.step)
        places = np.arange(steps + 1) if steps < count else np.unique(np.linspace(0, steps, max(count, 2)).round())
        return stepped(declared, np.asarray(declared.min + places * declared.step, dtype=np.float64))

    def rounded(self, name: str, values: Floats, how: Callable[[Floats], Floats] = np.round) -> Floats:
        """Settings of one lever at the fineness that is recommended and said; see `places`.

        Args:
            name: the lever.
            values: in natural units.
            how: `np.round`, or `np.ceil` and `np.floor` to stay above or below a bound.
        """
        lever = self.levers[name]
        if not isinstance(lever, Continuous) or lever.step:
            return values
        scale = 10.0 ** places(lever)
        return np.clip(np.round(how(np.round(values * scale, 6)) / scale, 12), lever.min, lever.max)

    def describe(self, setting: Floats) -> str:
        """One setting [L] in words: `incentive 0.50 USD, channel sms`."""
        parts = []
        for (name, lever), value in zip(self.levers.items(), np.asarray(setting, dtype=np.float64), strict=True):
            parts.append(f"{name} {with_unit(_words(lever, float(value)), lever.unit)}")
        return ", ".join(parts)

    @property
    def do_nothing(self) -> Floats | None:
        """The setting [L] that leaves things alone; None where some lever has none."""
        values = [code(lever, lever.settled)[0] for lever in self.levers.values()]
        return None if any(lever.settled is None for lever in self.levers.values()) else np.array(values)

    @property
    def current(self) -> Floats:
        """The setting [L] in use now, NaN where only the data tells."""
        pairs = [(lever, lever.current) for lever in self.levers.values()]
        return np.array([np.nan if now == "data" else code(lever, now)[0] for lever, now in pairs])

    def _encode(self, name: str, frame: pd.DataFrame, faults: list[Fault]) -> Floats:
        lever = self.levers[name]
        if name not in frame:
            cure = nearest(name, map(str, frame.columns))
            faults.append(Fault(named(name, lever), "the column is missing", "Each lever needs one", cure))
            return np.full(len(frame), np.nan)
        codes = coded(lever, frame[name])
        faults += breach(name, lever, frame[name], codes)
        return codes


def stepped(lever: Continuous | Integer, values: Floats) -> Floats:
    """The steps of a lever nearest to values, inside its range to the last bit: 0.8 + 8 · 0.05 is above 1.2."""
    step = lever.step or 0.0
    near = lever.min + np.round((values - lever.min) / step) * step if step else values
    return np.asarray(np.clip(np.round(near, 12), lever.min, lever.max), dtype=np.float64)


def _natural(lever: Lever, values: Floats) -> Any:
    """A lever's numbers as people read them."""
    if isinstance(lever, Continuous):
        return values
    if isinstance(lever, Categorical):
        names = np.array([*lever.options, None], dtype=object)
        texts = names[np.where(np.isnan(values), len(lever.options), values).astype(np.int64)]
        return texts.tolist() if not np.isnan(values).any() else pd.Series(texts, dtype=object)
    known = [None if np.isnan(value) else _value(lever, value) for value in values]
    return known if None not in known else pd.Series(known, dtype=object)


def _value(lever: Lever, value: float) -> bool | int:
    return bool(value) if isinstance(lever, YesNo) else int(value)


def places(lever: Continuous | Integer) -> int:
    """The decimal places of a setting: those of a thousandth of the range, or of the step; below 0 for tens and more.

    Nobody sets a price to the millionth of a cent, and what is said must be what is recommended.
    """
    if isinstance(lever, Integer):
        return 0
    if lever.step:
        return max(0, *(-int(Decimal(str(each)).normalize().as_tuple().exponent) for each in (lever.step, lever.min)))
    return ceil(-log10((lever.max - lever.min) / 1000) - 1e-9)


def spoken(lever: Continuous | Integer, value: float) -> str:
    """A setting as people write it: `0.095`, `0.10`, `12.50`, `1,200`, `0`."""
    decimals = places(lever)
    if not (rounded := round(value, decimals)):
        return "0"
    text = f"{rounded:,.{max(0, decimals)}f}"
    whole, point, part = text.partition(".")
    part = part[:2] + part[2:].rstrip("0")
    return whole + point + part


def with_unit(value: str, unit: str) -> str:
    """A number in words with its unit, if it has one.

    >>> with_unit("5", "EUR"), with_unit("5", "%"), with_unit("5", "")
    ('5 EUR', '5%', '5')
    """
    return f"{value}{'' if unit == '%' else ' '}{unit}" if unit else value


def _words(lever: Lever, value: float) -> str:
    if np.isnan(value):
        return "unknown"
    if isinstance(lever, Categorical):
        return lever.options[int(value)]
    if isinstance(lever, YesNo):
        return "yes" if value else "no"
    return spoken(lever, value)
