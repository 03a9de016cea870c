"""What must hold: for each decision, over all rows, or over each group of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from drivetrain.formula import Formula
from drivetrain.scenario.declaration import Declaration, Flaw, FormulaText, Many, Name, Text, exactly_one, repeated

Over = Literal["each", "total", "mean", "ratio"]
Key = Literal["at_most", "at_least"]
Bound = Annotated[
    Annotated[float, Tag("one")] | Annotated[dict[str, float], Tag("each")],
    Discriminator(lambda value: "each" if isinstance(value, Mapping) else "one"),
]
KEYS: tuple[Key, ...] = ("at_most", "at_least")


class Ratio(Declaration):
    """The total of one formula for each unit of the total of another."""

    of: FormulaText
    """What is divided: its total over the rows."""
    to: FormulaText
    """What it is divided by: its total over the rows, which must be above 0."""


class Constraint(Declaration):
    """What must hold: for each decision, in total, on average, or as a ratio of totals."""

    name: Name
    """What reports call it."""
    each: FormulaText | None = None
    """A formula bounded for every row."""
    total: FormulaText | None = None
    """A formula whose sum over all rows is bounded."""
    mean: FormulaText | None = None
    """A formula whose mean over all rows is bounded."""
    ratio: Ratio | None = None
    """Two formulas, the ratio of whose totals is bounded; exactly one of the four."""
    by: Annotated[Many[Name], Field(max_length=8)] = ()
    """Inputs whose values make groups; a total, a mean or a ratio is then bounded within each group by itself."""
    at_most: Bound | None = None
    """The upper bound: one number; or, for groups by one input, a number for each value (others have none)."""
    at_least: Bound | None = None
    """The lower bound, likewise; at least one of the two."""
    unit: Text = ""
    """The unit of the formula's value."""

    @property
    def over(self) -> Over:
        """What is bounded."""
        return "each" if self.each else "total" if self.total else "mean" if self.mean else "ratio"

    @property
    def formula(self) -> Formula:
        """The bounded formula; of a ratio the one that is divided."""
        formula = self.each or self.total or self.mean or (self.ratio.of if self.ratio else None)
        assert formula is not None  # noqa: S101  (one is given: see flaws)
        return formula

    @property
    def formulas(self) -> dict[str, Formula]:
        """What is asked of every row: the constraint's name → its formula; of a ratio also `name: to` → the other."""
        return {self.name: self.formula} | ({self.divisor: self.ratio.to} if self.ratio else {})

    @property
    def divisor(self) -> str:
        """What `formulas` calls that by which a ratio divides."""
        return f"{self.name}: to"

    @property
    def text(self) -> str:
        """The formula as written; of a ratio both."""
        return f"({self.ratio.of}) / ({self.ratio.to})" if self.ratio else self.formula.text

    def bound(self, key: Key, group: str = "") -> float | None:
        """The number that bounds a group (all rows where they make none); None where there is none."""
        given: float | dict[str, float] | None = getattr(self, key)
        return given.get(group) if isinstance(given, dict) else given

    def flaws(self) -> Iterator[Flaw]:
        """One formula, and bounds that leave room."""
        yield from exactly_one(self, ("each", "total", "mean", "ratio"))
        yield from repeated("by", self.by)
        if self.by and self.each:
            yield Flaw(("by",), "found groups beside each", "What holds for each row has none", "Remove by.", True)
        if self.at_most is None and self.at_least is None:
            yield Flaw((), "found no bound", "A constraint needs at_most or at_least")
        for key in KEYS:
            if isinstance(getattr(self, key), dict) and len(self.by) != 1:
                rule = "Bounds for each value need the one input whose values they are"
                yield Flaw((key,), "found a number for each value", rule, "Add by: [input].")
        yield from self._crossed()

    def _crossed(self) -> Iterator[Flaw]:
        """A lower bound above the upper one, for any group."""
        for group in _groups(self.at_most) | _groups(self.at_least) | {""}:
            most, least = self.bound("at_most", group), self.bound("at_least", group)
            if most is not None and least is not None and least > most:
                path = ("at_least", group) if isinstance(self.at_least, dict) else ("at_least",)
                yield Flaw(path, f"found {least:g}", f"It must not exceed at_most, which is {most:g}")


def _groups(bound: float | dict[str, float] | None) -> frozenset[str]:
    return frozenset(bound) if isinstance(bound, dict) else frozenset()
