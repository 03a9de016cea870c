"""What is guessed of a file's columns, and what people make of it: other parts, in place of what was guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from drivetrain.data.cells import Decimals
from drivetrain.errors import Fault, UsageError, nearest
from drivetrain.scenario import DatePart

Part = Literal["lever", "input", "outcome", "leave out"]
PARTS: tuple[Part, ...] = ("lever", "input", "outcome", "leave out")
BY_NAME = "its name sounds like something that happens afterwards"
"""Why a column was guessed to be an outcome: not known when the decision is made, whatever else it may be."""


@dataclass(frozen=True)
class Guess:
    """One column of a file, and what part it may play."""

    column: str
    name: str
    """Its name in formulas."""
    part: Part
    why: str
    """Why this part, as a clause."""
    kind: Literal["numeric", "yes_no", "categorical", "unreadable"]
    distinct: int
    missing: int
    """How many rows have no value."""
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    """Whether all its numbers are whole."""
    options: tuple[str, ...] = ()
    """The values of a text column; empty where there are too many."""
    of_date: DatePart | None = None
    """The part that it is of the column's dates."""
    decimal: Decimals = "."
    """What stands before the decimals of the file's numbers."""
    missing_as: tuple[str, ...] = ()
    """Texts of the file that stand for a missing value."""
    strays: tuple[str, ...] = ()
    """The first cells that are not of its kind, each text once: `row 51 (line 52) holds '1.250,00'`."""
    stray_rows: int = 0
    """How many such rows there are."""

    @property
    def label(self) -> str:
        """How people tell it apart: `order_date (month)`; else the column."""
        return f"{self.column} ({self.of_date})" if self.of_date else self.column


def assigned(guesses: Sequence[Guess], parts: Mapping[str, Part]) -> tuple[Guess, ...]:
    """The guesses with parts that somebody chose.

    Args:
        guesses: from `guess`.
        parts: column, or label of what is a part of its dates → its part in the scenario.

    Raises:
        UsageError: a column that the file does not have, or dates as lever or outcome.
    """
    known = {word for each in guesses for word in (each.column, each.label)}
    for column in parts:
        if column not in known:
            raise UsageError(Fault(column, "the file has no such column", "", nearest(column, known)))
    said = [parts.get(each.label, parts.get(each.column)) for each in guesses]
    for each, part in zip(guesses, said, strict=True):
        if each.of_date and part in {"lever", "outcome"}:
            found, cure = f"its dates cannot be the {part}", "Name it an input, or leave it out"
            raise UsageError(Fault(each.column, found, "", cure))
    return tuple(
        each if part is None else replace(each, part=part, why="you said so")
        for each, part in zip(guesses, said, strict=True)
    )


def chosen(guesses: Sequence[Guess], part: Part, columns: Sequence[str]) -> tuple[Guess, ...]:
    """The guesses, with what somebody named as a part in place of all that was guessed for it.

    What sounded like an outcome is left out then, since it must not be known when the decision is made; what was
    guessed for another reason becomes an input.

    Args:
        guesses: from `guess`.
        part: which part.
        columns: as keys of `assigned`; none for a part that nothing plays.

    Raises:
        UsageError: as of `assigned`.
    """
    named = assigned(guesses, dict.fromkeys(columns, part))
    why = f"other columns were named as {part}" if columns else f"no {part} was wanted"
    return tuple(
        each
        if each.part != part or {each.column, each.label} & set(columns)
        else replace(each, part="leave out" if part == "outcome" and each.why == BY_NAME else "input", why=why)
        for each in named
    )


def strange_cells(each: Guess) -> Fault:
    """What is to be said of a column some of whose cells are not of its kind."""
    one, mark = each.stray_rows == 1, "comma" if each.decimal == "," else "point"
    kind = f"{'no number' if one else 'not numbers'} with a decimal {mark}"
    kind = "not yes or no" if each.kind == "yes_no" else kind
    more = "" if each.stray_rows <= len(each.strays) else ", …"
    found = f"{each.stray_rows:,} of its cells {'is' if one else 'are'} {kind}: {', '.join(each.strays)}{more}"
    rule = "" if each.kind == "yes_no" else "A number has no thousands separator and no unit"
    cure = "Correct them, or say data: {missing: [TEXT]} where such a text stands for a missing value"
    return Fault(f"column '{each.column}'", found, rule, cure)
