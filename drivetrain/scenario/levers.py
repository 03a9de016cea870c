"""The levers: what can be set, to what, at what cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import isclose
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    Tag,
    field_serializer,
)

from drivetrain.errors import nearest
from drivetrain.formula import Formula, only_where
from drivetrain.scenario.declaration import Column, Declaration, Flaw, FormulaText, Name, Option, Text, show

MOST_LISTED = 10_000


def _as_bool(value: Any) -> Any:
    words = {"yes": True, "no": False, 1: True, 0: False}
    return words.get(value, value) if isinstance(value, str | int) and not isinstance(value, bool) else value


Yes = Annotated[bool, BeforeValidator(_as_bool, json_schema_input_type=bool | Literal["yes", "no", 0, 1])]
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
Options = Annotated[
    tuple[Option, ...],
    BeforeValidator(
        lambda value: () if value == "data" else tuple(value) if isinstance(value, list) else value,
        json_schema_input_type=Annotated[list[Option], Field(min_length=2, max_length=10_000)] | Literal["data"],
    ),
]
OptionCost = Annotated[
    Annotated[FormulaText, Tag("one")] | Annotated[dict[str, FormulaText], Tag("each")],
    Discriminator(lambda value: "each" if isinstance(value, Mapping) else "one"),
]


class _Lever(Declaration):
    column: Column | None = None
    """Its column in the data; its own name where left out."""
    unit: Text = ""
    """The unit of its values."""
    description: Text = ""
    """What pulling it means."""
    frozen: Yes = False
    """Whether it stays as it is: at `current`, or in each row as its column tells; it is then known, not decided."""
    when: FormulaText | None = None
    """A condition over inputs and other levers: where it does not hold, the lever stays at `do_nothing`."""

    @property
    def settled(self) -> Any:
        """The setting that means doing nothing: `do_nothing`, else a `current` that is a value, else None."""
        do_nothing, current = getattr(self, "do_nothing", None), getattr(self, "current", "data")
        return do_nothing if do_nothing is not None else None if current == "data" else current

    def admits(self, value: Any) -> str:
        """Why a setting is not allowed, as a sentence; empty where it is."""
        raise NotImplementedError

    def flaws(self) -> Iterator[Flaw]:
        """`current` and `do_nothing` must be settings."""
        for key in ("current", "do_nothing"):
            value = getattr(self, key)
            if value is not None and value != "data" and (rule := self.admits(value)):
                yield Flaw((key,), f"found {show(value)}", rule)
        for key in ("when", "at_most", "at_least", "do_nothing", "features") if self.frozen else ():
            if getattr(self, key, None):
                yield Flaw((key,), "found it beside frozen", "What is frozen is not decided", f"Remove {key}.", True)
        if self.when and self.settled is None and not self.frozen:
            rule = "Where the condition does not hold the lever stays at do_nothing"
            yield Flaw(("when",), "found a condition without do_nothing", rule, "Add do_nothing.", True)


class _Range(_Lever):
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


class Feature(Declaration):
    """Something known of each option of a lever, the same wherever the option stands."""

    kind: Literal["numeric", "categorical", "tags"]
    """A number; a category; or several words with | between them."""
    column: Column | None = None
    """Its column in the data; its own name where left out."""
    description: Text = ""
    """What it means."""


class Categorical(_Lever):
    """A lever set to one of several options."""

    kind: Literal["categorical"]
    options: Options
    """What it can be set to: unique texts; or the word `data`, for every value that the data holds."""
    features: dict[Name, Feature] = Field(default_factory=dict)
    """What is known of each option, so that options with few rows can learn from others like them."""
    cost: OptionCost | None = None
    """What the setting costs: one formula, or a formula for each option (0 where an option is left out)."""
    current: Option = "data"
    """The option in use now; `data` where each row's own column tells."""
    do_nothing: Option | None = None
    """The option that means leaving things alone; `current` where left out and that is an option."""

    _open: bool = PrivateAttr(default=False)

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002
        """Remembers that the options were left to the data."""
        self._open = not self.options

    @property
    def open(self) -> bool:
        """Whether the data says which options there are."""
        return self._open

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Option → its code."""
        return {option: place for place, option in enumerate(self.options)}

    def resolved(self, options: tuple[str, ...]) -> Self:
        """The same lever with the options that the data holds."""
        copy = self.model_copy(update={"options": options})
        copy.__dict__.pop("places", None)
        return copy

    @field_serializer("options", mode="wrap")
    def _written(self, value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:  # noqa: ARG002
        return "data" if self._open else handler(value)

    def admits(self, value: Any) -> str:
        """One of the options."""
        if not self.options:
            return ""
        return "" if value in self.places else "It must be one of the options: " + ", ".join(self.options[:12])

    def flaws(self) -> Iterator[Flaw]:
        """Options must be unique, and costs must be theirs."""
        if not self.open and len(self.options) < 2:
            yield Flaw(("options",), f"found {len(self.options)}", "A lever has at least 2 options")
        if len(self.options) > MOST_LISTED and not self.open:
            rule = f"At most {MOST_LISTED:,} options are listed"
            yield Flaw(("options",), f"found {len(self.options):,}", rule, "Write options: data.")
        seen = set[str]()
        for place, option in enumerate(self.options):
            if option in seen:
                yield Flaw(("options", place), f"found {option!r} twice", "Options must be unique", "Remove one.")
            seen.add(option)
            if option == "data":
                rule = "'data' is the word for what the data shows"
                yield Flaw(("options", place), "found the option 'data'", rule, "Rename the option.")
        if isinstance(self.cost, dict) and self.options:
            yield from _strange_costs(self.cost, self.options)
        yield from super().flaws()


class YesNo(_Lever):
    """A lever that is pulled or not."""

    kind: Literal["yes_no"]
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
            yield from _strange_costs(self.cost, ("yes", "no"))
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


def _strange_costs(cost: Mapping[str, Formula], options: tuple[str, ...]) -> Iterator[Flaw]:
    for option in cost:
        if option not in options:
            rule = "Costs must be given for options of the lever"
            yield Flaw(("cost", option), f"found the unknown option {option!r}", rule, nearest(option, options), True)


def _on_step(distance: float, step: float) -> bool:
    return isclose(distance / step, round(distance / step), abs_tol=1e-6)
