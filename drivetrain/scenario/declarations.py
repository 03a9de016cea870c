"""What a scenario may declare, apart from levers and objective: the words of DESIGN.md, as frozen, strict values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from drivetrain.scenario.declaration import (
    Column,
    Declaration,
    Flaw,
    FormulaText,
    Many,
    Name,
    Text,
    repeated,
)


class Parameter(Declaration):
    """A number with a name."""

    value: float
    """Its value."""
    unit: Text = ""
    """Its unit."""
    description: Text = ""
    """What it means."""


def _as_parameter(value: Any) -> Any:
    return {"value": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


ParameterOrNumber = Annotated[Parameter, BeforeValidator(_as_parameter, json_schema_input_type=float | Parameter)]


DatePart = Literal["year", "month", "weekday", "days"]


class Input(Declaration):
    """Something known of a row when its decision is made, and not ours to set."""

    kind: Literal["numeric", "categorical", "yes_no"]
    """What its values are. Words of yes/no, in any case: yes/no, y/n, true/false, t/f, ja/nein, wahr/falsch, oui/non,
    sí/no, si/no or 1/0."""
    column: Column | None = None
    """Its column in the data; its own name where left out."""
    unit: Text = ""
    """The unit of its values."""
    description: Text = ""
    """What it means."""
    adstock: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Makes it what earlier periods left behind: its column's value in each, times this share for every period since.
    The column may be a lever's; needs a split by time. Rows to decide for later bring it under the input's own name."""
    of_date: DatePart | None = None
    """Makes it a part of the dates or times in its column (ISO 8601; those with a zone in UTC): `month` and `weekday`,
    by their English names, are categorical; `year`, and `days` since 1970-01-01, are numeric. Several inputs may share
    a column."""
    bins: Annotated[Many[float], Field(max_length=100)] = ()
    """Ascending numbers that cut a numeric one into groups, where `by` makes segments or groups of it."""
    known_before: bool = False
    """Vouches that it is known before the decision, although it matches a lever or an outcome as only a leak would."""

    def flaws(self) -> Iterator[Flaw]:
        """Only numbers carry over, and only they are cut, in order; a part of a date has its kind."""
        kind = "categorical" if self.of_date in {"month", "weekday"} else "numeric"
        if self.of_date and self.kind != kind:
            found, cure = f"found {self.kind} for the {self.of_date} of a date", f"Write kind: {kind}."
            yield Flaw(("kind",), found, f"It is {kind}", cure)
        if self.of_date and self.adstock is not None:
            yield Flaw(("adstock",), "found adstock of a date", "A date leaves nothing behind", "Remove it.", True)
        if self.adstock is not None and self.kind != "numeric":
            rule = "Only a numeric input carries over"
            yield Flaw(("adstock",), f"found adstock of a {self.kind} input", rule, "Remove it.", True)
        if self.bins and self.kind != "numeric":
            yield Flaw(("bins",), f"found them of a {self.kind} input", "Only numbers are cut", "Remove them.", True)
        for place, (low, high) in enumerate(pairwise(self.bins)):
            if high <= low:
                yield Flaw(("bins", place + 1), f"found {high:g} after {low:g}", "Bins ascend")


class Assignment(Declaration):
    """How the settings that the data shows came about."""

    design: Literal["randomised", "observational"] = "observational"
    """Drawn at random, or chosen by people or rules."""
    within: Many[Name] = ()
    """Inputs within whose values the draw was made with the same chances (randomised only)."""
    propensity: Column | None = None
    """The column with the probability of each row's own setting; a range was drawn from a dozen settings at most."""
    negative_controls: Many[Name] = ()
    """Inputs or outcomes that no lever can have changed: where one goes along with a lever, given the other inputs,
    something unseen moves both."""

    def flaws(self) -> Iterator[Flaw]:
        """Strata belong to a randomised design."""
        if self.within and self.design != "randomised":
            cure = "Say design: randomised, or remove it."
            yield Flaw(("within",), "found strata of an observational design", "Only a draw has strata", cure, True)
        yield from repeated("within", self.within)
        yield from repeated("negative_controls", self.negative_controls)


Shared = Annotated[
    Many[Name],
    BeforeValidator(
        lambda value: () if value == "once" else value, json_schema_input_type=list[Name] | Literal["once"]
    ),
]


class Decide(Declaration):
    """What gets one setting."""

    unit: Literal["row", "segment", "once"] = "row"
    """Each row, each segment, or everything at once."""
    by: Many[Name] = ()
    """The inputs whose values make a segment."""
    tree: Annotated[int, Field(ge=2, le=32)] | None = None
    """Instead of `by`: segments are found, at most so many, by a tree of questions that people can read."""
    shared: dict[Name, Shared] = Field(default_factory=dict)
    """Levers that many rows or segments share: lever → `once`, one setting for everyone; or inputs, one for each of
    their values. The other levers are decided for each `unit`."""
    keep_within: Annotated[float, Field(ge=0, le=10)] | None = None
    """A row (a segment) keeps its current setting unless the gain of another is above so many standard errors, as
    models disagree about it: 1 holds back what may be noise. Every change that is expected to gain is made where left
    out, which is worth more on average."""
    support: Literal["everyone", "alike"] = "everyone"
    """Whose settings must have been near a row's own, for it to be recommended: those of enough rows anywhere; or of
    enough among the rows most like it, as the models see them. The second is safer, and gives up more."""

    @property
    def sharing(self) -> tuple[str, ...]:
        """The inputs whose values share the shared levers; none where everyone does."""
        return next(iter(self.shared.values()), ())

    def flaws(self) -> Iterator[Flaw]:
        """Segments need inputs, and only they."""
        yield from self._strange_sharing()
        if self.unit == "segment" and not self.by and self.tree is None:
            cure = "Add by: [input], or tree: 8."
            yield Flaw(("by",), "the key is missing", "Segments need the inputs that make them", cure)
        if self.tree is not None and (self.unit != "segment" or self.by):
            found = "found it beside by" if self.by else f"found it beside unit: {self.unit}"
            yield Flaw(("tree",), found, "A tree finds the segments where nothing else makes them", "Remove it.", True)
        if self.support == "alike" and self.unit != "row":
            rule = "Rows most like a row speak for what that row gets by itself"
            yield Flaw(("support",), f"found alike beside unit: {self.unit}", rule, "Say unit: row, or everyone.")
        if self.unit != "segment" and self.by:
            yield Flaw(("by",), f"found it beside unit: {self.unit}", "Only segments have it", "Remove it.", True)
        yield from repeated("by", self.by)

    def _strange_sharing(self) -> Iterator[Flaw]:
        """What is shared must be shared more widely than the rest, and all of it alike."""
        for name, by in self.shared.items():
            path = ("shared", name)
            if self.unit == "once" or self.tree is not None:
                where = "beside a tree" if self.tree is not None else "beside unit: once"
                yield Flaw(
                    path, f"found it {where}", "Levers are shared by rows, or by segments of inputs", "Remove it."
                )
            elif by != self.sharing:
                yield Flaw(
                    path, f"found {', '.join(by) or 'once'}", "All shared levers are shared alike", "Agree them."
                )
            elif self.unit == "segment" and not set(by) <= set(self.by):
                yield Flaw(path, f"found {', '.join(by)}", "Segments must lie within what shares", "Add them to by.")


class Fairness(Declaration):
    """Groups of people between which actions, and what comes of them, are compared; and how far they may be apart."""

    by: Name
    """The input that makes the groups: categorical, yes/no, or a number with `bins`."""
    of: FormulaText | None = None
    """What may not differ by much: a formula over levers and outcomes, such as `price`, by its groups' means."""
    at_most: Annotated[float, Field(ge=0)] | None = None
    """How far apart the means of any two groups may be, as the models expect."""

    def flaws(self) -> Iterator[Flaw]:
        """A bound needs what it bounds."""
        if (self.of is None) != (self.at_most is None):
            key = "of" if self.of is None else "at_most"
            rule = "A bound on a gap needs both `of`, what is compared, and `at_most`, how far it may differ"
            yield Flaw((key,), "the key is missing", rule, "Add it; or leave both out, to be told gaps and no more.")
