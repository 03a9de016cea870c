"""What must hold: for each decision, over all rows, or over each group of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, PrivateAttr, Tag

from drivetrain.formula import Formula, parse
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
    confidence: Annotated[float, Field(ge=0.5, lt=1)] | None = None
    """Of what holds for each: in which share of rows it must hold once outcomes have happened, not only in
    expectation. A reserve is kept, as large as what rows that models had not seen fell short of in all but the rest."""

    _reserve: float = PrivateAttr(default=0.0)

    @property
    def reserve(self) -> float:
        """How far within its bound the formula's expectation stays, in the formula's unit; 0 until it is measured."""
        return self._reserve

    def reserved(self, reserve: float) -> Constraint:
        """The same constraint, its formula's expectation kept that far within the bound."""
        copy = self.model_copy()
        copy._reserve = reserve
        return copy

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
        """What is asked of every row: the constraint's name → its formula, with its reserve; of a ratio also
        `name: to` → the other.
        """
        asked = self.formula
        if self._reserve:
            asked = parse(f"({asked}) {'+' if self.at_most is not None else '-'} {self._reserve!r}")
        return {self.name: asked} | ({self.divisor: self.ratio.to} if self.ratio else {})

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
        yield from self._unsure()

    def _unsure(self) -> Iterator[Flaw]:
        """Confidence is told of single rows, on one side."""
        if self.confidence is None:
            return
        if not self.each:
            rule = "Only what holds for each row is asked with confidence"
            yield Flaw(("confidence",), f"found it beside {self.over}", rule, "Remove it, or write each.", True)
        if self.at_most is not None and self.at_least is not None:
            rule = "Confidence has one side"
            yield Flaw(("confidence",), "found at_most and at_least beside it", rule, "Make two constraints of it.")

    def _crossed(self) -> Iterator[Flaw]:
        """A lower bound above the upper one, for any group."""
        for group in _groups(self.at_most) | _groups(self.at_least) | {""}:
            most, least = self.bound("at_most", group), self.bound("at_least", group)
            if most is not None and least is not None and least > most:
                path = ("at_least", group) if isinstance(self.at_least, dict) else ("at_least",)
                yield Flaw(path, f"found {least:g}", f"It must not exceed at_most, which is {most:g}")


def _groups(bound: float | dict[str, float] | None) -> frozenset[str]:
    return frozenset(bound) if isinstance(bound, dict) else frozenset()
