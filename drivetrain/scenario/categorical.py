"""Levers with options: their features and costs, and how many of them are chosen at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
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
from drivetrain.formula import Formula
from drivetrain.scenario.declaration import Column, Declaration, Flaw, FormulaText, Many, Name, Option, Text
from drivetrain.scenario.lever import Pulled

MOST_LISTED = 10_000

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


class Feature(Declaration):
    """Something known of each option of a lever, the same wherever the option stands."""

    kind: Literal["numeric", "categorical", "tags"]
    """A number; a category; or several words with | between them."""
    column: Column | None = None
    """Its column in the data; its own name where left out."""
    description: Text = ""
    """What it means."""


class Diverse(Declaration):
    """How unlike each other the options that one row gets must be."""

    by: Annotated[
        Annotated[Name, Tag("feature")] | Annotated[dict[str, Many[Option]], Tag("groups")],
        Discriminator(lambda value: "groups" if isinstance(value, Mapping) else "feature"),
    ]
    """What makes options alike: one of the lever's `features`; or groups, as name → options."""
    most: Annotated[int, Field(ge=1)]
    """How many of one group a row gets at most; options in no group are not bounded."""

    def flaws(self) -> Iterator[Flaw]:
        """An option is in one group at most."""
        seen: dict[str, str] = {}
        for name, options in self.by.items() if isinstance(self.by, dict) else ():
            for place, option in enumerate(options):
                if option in seen:
                    found = f"found {option!r}, which is also in {seen[option]!r}"
                    yield Flaw(("by", name, place), found, "An option is in one group", "Remove it from one.")
                seen[option] = name


class Categorical(Pulled):
    """A lever set to one of several options, or to several of them at once."""

    kind: Literal["categorical"]
    options: Options
    """What it can be set to: unique texts; or the word `data`, for every value that the data holds."""
    features: dict[Name, Feature] = Field(default_factory=dict)
    """What is known of each option, so that options with few rows can learn from others like them."""
    choose: Annotated[int, Field(ge=2, le=100)] | None = None
    """How many different options a row gets, such as the slots of a page; one where left out. In the data each row has
    one. What several are worth together is taken to be the sum of what each adds by itself: to `do_nothing`, with which
    slots may also stay empty; to nothing where that is not declared."""
    diverse: Diverse | None = None
    """How many of these may be alike."""
    excluded: Column | None = None
    """The column of options that a row must not get, such as what it has bought: several with | between them, blank
    where there are none. Rows to decide for bring it too; it may be an input's column as well."""
    cost: OptionCost | None = None
    """What the setting costs: one formula, or a formula for each option (0 where an option is left out)."""
    current: Option = "data"
    """The option in use now; `data` where each row's own column tells."""
    do_nothing: Option | None = None
    """The option that means leaving things alone; `current` where left out and that is an option."""

    _open: bool = PrivateAttr(default=False)
    _alike: tuple[str | None, ...] = PrivateAttr(default=())

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

    def listed(self, text: str) -> tuple[list[int], list[str]]:
        """The codes of the options that a text names, with | between them, and what else it names."""
        named = [word for each in text.split("|") if (word := each.strip())]
        return [self.places[word] for word in named if word in self.places], [w for w in named if w not in self.places]

    @property
    def alike(self) -> tuple[str | None, ...]:
        """The group of each option by which choices are diverse, None of one in no group; empty where none are."""
        if self.diverse is None or not isinstance(self.diverse.by, dict):
            return self._alike
        known = {option: name for name, options in self.diverse.by.items() for option in options}
        return tuple(known.get(option) for option in self.options)

    def resolved(self, options: tuple[str, ...], alike: tuple[str | None, ...] = ()) -> Self:
        """The same lever with the options that the data holds, and the group of each where a feature makes them."""
        copy = self.model_copy(update={"options": options})
        copy.__dict__.pop("places", None)
        copy._alike = alike
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
            yield from strange_costs(self.cost, self.options)
        yield from self._strange_choice()
        yield from super().flaws()

    def _strange_choice(self) -> Iterator[Flaw]:
        """There must be more options than are chosen, and groups must be of options or by a feature."""
        if self.choose is not None and self.options and self.choose >= len(self.options):
            rule = f"It must be below the number of options, which is {len(self.options)}"
            yield Flaw(("choose",), f"found {self.choose}", rule)
        if self.diverse is None:
            return
        if self.choose is None:
            rule = "Only where several options are chosen may some be alike"
            yield Flaw(("diverse",), "found it without choose", rule, "Add choose: 3, say.", True)
        if not isinstance(self.diverse.by, dict):
            if self.diverse.by not in self.features:
                cure = nearest(self.diverse.by, self.features)
                yield Flaw(("diverse", "by"), f"found {self.diverse.by!r}", "It must be a feature of the options", cure)
            elif self.features[self.diverse.by].kind == "tags":
                rule = "Options with several words are in several groups"
                yield Flaw(("diverse", "by"), f"found the tags {self.diverse.by!r}", rule, "Name a category.")
            return
        for name, options in self.diverse.by.items() if self.options else ():
            for place, option in enumerate(options):
                if option not in self.places:
                    cure = nearest(option, self.options)
                    at = ("diverse", "by", name, place)
                    yield Flaw(at, f"found the unknown option {option!r}", "Groups are of the lever's options", cure)


def strange_costs(cost: Mapping[str, Formula], options: tuple[str, ...]) -> Iterator[Flaw]:
    """Costs of options that the lever does not have."""
    for option in cost:
        if option not in options:
            rule = "Costs must be given for options of the lever"
            yield Flaw(("cost", option), f"found the unknown option {option!r}", rule, nearest(option, options), True)
