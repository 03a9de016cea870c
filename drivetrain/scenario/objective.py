"""What a decision is made by: the objective, those beside it, and how much it fears that models are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from drivetrain.formula import Formula
from drivetrain.scenario.declaration import Declaration, Flaw, FormulaText, Many, Name, Text, exactly_one


class Risk(Declaration):
    """How much a decision fears that its models are wrong: what is chosen by, in place of their mean.

    It is taken over what the members say of the decision (of the mean over its rows), their differences from the mean
    stretched so that they are as large as the jackknife's standard error. The luck of single rows is not part of it.
    """

    quantile: Annotated[float, Field(gt=0, le=0.5)] | None = None
    """By the value that only this share of the members' say lies below (above, where less is better)."""
    spread: Annotated[float, Field(gt=0, le=100)] | None = None
    """By the mean less so many standard errors."""
    cvar: Annotated[float, Field(gt=0, lt=1)] | None = None
    """By the mean of this worst share of the members' say (conditional value at risk)."""

    def flaws(self) -> Iterator[Flaw]:
        """Exactly one of them."""
        yield from exactly_one(self, ("quantile", "spread", "cvar"))

    def __str__(self) -> str:
        """In words: `the members' 10% quantile`."""
        if self.quantile is not None:
            return f"the members' {100 * self.quantile:.3g}% quantile"
        if self.spread is not None:
            return f"the members' mean less {self.spread:.3g} standard errors"
        return f"the mean of the members' worst {100 * (self.cvar or 0):.3g}%"


class _Directed:
    """What is made high, or low; whose fields say which, in the order that they are read in."""

    if TYPE_CHECKING:
        maximise: Formula | None
        minimise: Formula | None

    @property
    def formula(self) -> Formula:
        """The formula, whichever the direction."""
        formula = self.maximise or self.minimise
        assert formula is not None  # noqa: S101  (one is given: see flaws)
        return formula

    @property
    def sign(self) -> Literal[1, -1]:
        """1 where more is better, −1 where less is."""
        return 1 if self.maximise else -1


class Beside(_Directed, Declaration):
    """A further objective: what there is to choose between it and the first is told, and left to people."""

    name: Name
    """What fronts and reports call it."""
    maximise: FormulaText | None = None
    """The formula to maximise."""
    minimise: FormulaText | None = None
    """The formula to minimise; exactly one of the two."""
    unit: Text = ""
    """The unit of the formula's value, for one row."""

    def flaws(self) -> Iterator[Flaw]:
        """Exactly one direction."""
        yield from exactly_one(self, ("maximise", "minimise"))


class Objective(_Directed, Declaration):
    """What to make as high, or as low, as possible."""

    maximise: FormulaText | None = None
    """The formula to maximise, over levers, inputs, outcomes, parameters and cost."""
    minimise: FormulaText | None = None
    """The formula to minimise; exactly one of the two."""
    unit: Text = ""
    """The unit of the formula's value, for one row."""
    risk: Risk | None = None
    """How much decisions fear that models are wrong; they are chosen by the members' mean where left out."""
    change: FormulaText | None = None
    """What it costs to change a row's setting from its current one, in the objective's unit: taken off (added, where
    less is better) wherever some lever is set to anything else. Over levers, inputs, parameters, and `current_price`
    for the current setting of the lever `price`: its `current`, or what the row's own column tells."""
    beside: Many[Beside] = ()
    """Further objectives; `drivetrain pareto` shows what each costs in terms of the others."""

    @property
    def text(self) -> str:
        """The formula as written."""
        return self.formula.text

    def flaws(self) -> Iterator[Flaw]:
        """Exactly one direction; further objectives have names of their own."""
        yield from exactly_one(self, ("maximise", "minimise"))
        seen = {"objective", "low", "high", "at_risk"}
        for place, each in enumerate(self.beside):
            if each.name in seen:
                rule = "Objectives have names of their own, and 'objective', 'low', 'high' and 'at_risk' are taken"
                yield Flaw(("beside", place, "name"), f"found {each.name!r}", rule, "Rename it.")
            seen.add(each.name)
