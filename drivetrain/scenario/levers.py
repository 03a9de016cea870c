"""The levers: what can be set, to what, at what cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from drivetrain.formula import Formula, only_where
from drivetrain.scenario.categorical import Categorical, Feature, OptionCost, strange_costs
from drivetrain.scenario.declaration import Flaw, FormulaText
from drivetrain.scenario.lever import Pulled, Yes

__all__ = [
    "Categorical",
    "Continuous",
    "Feature",
    "Integer",
    "Lever",
    "YesNo",
    "costs",
    "effect_on",
]

Effect = Literal[
    "increasing",
    "decreasing",
    "concave",
    "convex",
    "increasing_concave",
    "increasing_convex",
    "decreasing_concave",
    "decreasing_convex",
]
Effects = Annotated[
    Annotated[Effect, Tag("one")] | Annotated[dict[str, Effect], Tag("each")],
    Discriminator(lambda value: "each" if isinstance(value, Mapping) else "one"),
]


class _Range(Pulled):
    min: float
    max: float
    step: float | None = None
    effect: Effects | None = None
    at_most: FormulaText | None = None
    """The highest setting of each row, as a formula over inputs, inside min and max: `1.2 * current_price`."""
    at_least: FormulaText | None = None
    """The lowest setting of each row, likewise."""

    def admits(self, value: Any) -> str:
        """Inside the range and on a step."""
        if not self.min <= value <= self.max:
            return f"It must lie between {self.min:g} and {self.max:g}"
        if self.step and not _on_step(value - self.min, self.step):
            return f"It must be {self.min:g} plus a whole number of steps of {self.step:g}"
        return ""

    def flaws(self) -> Iterator[Flaw]:
        """A range must be one, and steps must fit into it."""
        if not self.min < self.max:
            yield Flaw(("max",), f"found {self.max:g}", f"It must be above min, which is {self.min:g}")
            return
        if self.step is not None and not _on_step(self.max - self.min, self.step):
            rule = f"A whole number of steps must lead from min {self.min:g} to max {self.max:g}"
            yield Flaw(("step",), f"found {self.step:g}", rule, "Change step or max.")
            return
        yield from super().flaws()


class Continuous(_Range):
    """A lever set to any number in a range."""

    kind: Literal["continuous"]
    min: float
    """The lowest setting."""
    max: float
    """The highest setting."""
    step: Annotated[float, Field(gt=0)] | None = None
    """Settings are min, min + step, and so on; any number where left out."""
    cost: FormulaText | None = None
    """What the setting costs, as a formula."""
    current: float | Literal["data"] = "data"
    """The setting in use now; `data` where each row's own column tells."""
    do_nothing: float | None = None
    """The setting that means leaving things alone; `current` where left out and that is a value."""
    effect: Effects | None = None
    """The shape that its effect is known to have, all else equal: one word for every outcome, or one for each outcome
    named. It holds for given earlier outcomes, and for the outcome itself where that is numeric on a linear scale, else
    for its log-odds, logarithm or asinh; what rises or falls there does so everywhere."""


class Integer(_Range):
    """A lever set to a whole number in a range."""

    kind: Literal["integer"]
    min: int
    """The lowest setting."""
    max: int
    """The highest setting."""
    step: Annotated[int, Field(gt=0)] = 1
    """Settings are min, min + step, and so on."""
    cost: FormulaText | None = None
    """What the setting costs, as a formula."""
    current: int | Literal["data"] = "data"
    """The setting in use now; `data` where each row's own column tells."""
    do_nothing: int | None = None
    """The setting that means leaving things alone; `current` where left out and that is a value."""
    effect: Effects | None = None
    """The shape that its effect is known to have, all else equal: one word for every outcome, or one for each outcome
    named. It holds for given earlier outcomes, and for the outcome itself where that is numeric on a linear scale, else
    for its log-odds, logarithm or asinh; what rises or falls there does so everywhere."""


class YesNo(Pulled):
    """A lever that is pulled or not."""

    kind: Literal["yes_no"]
    """Words of its column, in any case: yes/no, y/n, true/false, t/f, ja/nein, wahr/falsch, oui/non, sí/no, si/no or
    1/0."""
    cost: OptionCost | None = None
    """What the setting costs: one formula (the lever is worth 1 or 0 in it), or a formula for each of yes and no."""
    current: Yes | Literal["data"] = "data"
    """The setting in use now; `data` where each row's own column tells."""
    do_nothing: Yes | None = None
    """The setting that means leaving things alone; `current` where left out and that is a value."""

    def admits(self, value: Any) -> str:
        """Either of the two."""
        return "" if isinstance(value, bool) else "It must be yes or no"

    def flaws(self) -> Iterator[Flaw]:
        """Costs must be those of yes and no."""
        if isinstance(self.cost, dict):
            yield from strange_costs(self.cost, ("yes", "no"))
        yield from super().flaws()


Lever = Annotated[Continuous | Integer | Categorical | YesNo, Field(discriminator="kind")]


def costs(name: str, lever: Lever) -> Iterator[Formula]:
    """The parts of a lever's cost, over the lever's own name and others; their sum is its cost."""
    if isinstance(lever.cost, Formula):
        yield lever.cost
    elif lever.cost is not None:
        for option, cost in lever.cost.items():
            yield only_where(name, option if isinstance(lever, Categorical) else int(option == "yes"), cost)


def effect_on(lever: Lever, outcome: str) -> str:
    """The declared shape of a lever's effect on an outcome; empty where none is declared."""
    effect = lever.effect if isinstance(lever, _Range) else None
    return effect.get(outcome, "") if isinstance(effect, dict) else effect or ""


def _on_step(distance: float, step: float) -> bool:
    return isclose(distance / step, round(distance / step), abs_tol=1e-6)
