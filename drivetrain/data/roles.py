"""Which column plays which part in a scenario, and what it must become for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from drivetrain.data.cells import Decimals
from drivetrain.data.columns import Column, Kind, convert
from drivetrain.data.dates import part_of
from drivetrain.scenario import DatePart, Scenario

Part = Literal["input", "lever", "outcome", "feature", "excluded"]

_KINDS: dict[str, Kind] = {
    "continuous": "numeric",
    "integer": "numeric",
    "numeric": "numeric",
    "count": "numeric",
    "rating": "numeric",
    "yes_no": "yes_no",
    "binary": "yes_no",
    "categorical": "categorical",
    "tags": "categorical",
}


@dataclass(frozen=True)
class Role:
    """One named part of a scenario and the column that holds it."""

    part: Part
    """What it is in the scenario."""
    name: str
    """Its name in the scenario, and in the table."""
    column: str
    """Its column in the source."""
    kind: Kind
    """What its values become."""
    options: tuple[str, ...] = ()
    """The declared options of a categorical one; empty where the data says which there are."""

    above: float | None = None
    """A binary outcome that is yes where the column holds more than this; else None."""
    of_date: DatePart | None = None
    """The part that it is of its column's dates; None where the column holds the values themselves."""

    @property
    def thing(self) -> str:
        """How faults and remarks name it: `column 'tinc' (lever 'incentive')`."""
        whose = self.part if self.name == self.column else f"{self.part} '{self.name}'"
        whose = self.name if self.part == "excluded" else whose
        return f"column '{self.column}' ({whose})"

    def read(self, series: pd.Series[Any], *, typed: bool = True, decimal: Decimals = ".") -> Column:
        """The column in its canonical form.

        Args:
            series: as the source gave it.
            typed: whether the source has types, so that a number written as text is worth a remark.
            decimal: what stands before the decimals of numbers that are text.
        """
        if self.of_date is not None:
            return part_of(series, self.of_date, self.thing)
        return convert(series, self.kind, self.thing, options=self.options, typed=typed, decimal=decimal)


def roles(scenario: Scenario) -> tuple[Role, ...]:
    """Inputs, levers, outcomes, features of options and excluded ones, in that order, each in the order of declaration.

    Args:
        scenario: what is declared.
    """
    parts: tuple[Part, ...] = ("input", "lever", "outcome", "feature", "excluded")
    return tuple(role for part in parts for role in _roles(scenario, part))


def _roles(scenario: Scenario, part: Part) -> Iterator[Role]:
    parts: dict[Part, Mapping[str, Any]] = {
        "input": scenario.inputs,
        "lever": scenario.levers,
        "outcome": scenario.outcomes,
        "feature": {name: declared for name, (_, declared) in scenario.features.items()},
    }
    if part == "excluded":
        for name, lever in scenario.excluded.items():
            yield Role(part, name, getattr(scenario.levers[lever], "excluded", name), "categorical")
        return
    for name, value in parts[part].items():
        options = getattr(value, "options", None) or ()
        above = getattr(value, "above", None)
        kind = _KINDS[value.kind] if above is None else "numeric"
        carried = getattr(value, "adstock", None) is not None  # stands in a column that is made for it
        column = name if carried else value.column or name
        yield Role(part, name, column, kind, tuple(options), above, getattr(value, "of_date", None))
