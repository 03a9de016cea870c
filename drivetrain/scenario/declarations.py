"""What a scenario may declare, apart from its levers: the words of DESIGN.md, as frozen, strict values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from drivetrain.formula import Formula
from drivetrain.scenario.declaration import (
    Column,
    Declaration,
    Flaw,
    FormulaText,
    Many,
    Name,
    Text,
    exactly_one,
    repeated,
)


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
        """In words: `the members' 10 % quantile`."""
        if self.quantile is not None:
            return f"the members' {100 * self.quantile:.3g} % quantile"
        if self.spread is not None:
            return f"the members' mean less {self.spread:.3g} standard errors"
        return f"the mean of the members' worst {100 * (self.cvar or 0):.3g} %"


class Beside(Declaration):
    """A further objective: what there is to choose between it and the first is told, and left to people."""

    name: Name
    """What fronts and reports call it."""
    maximise: FormulaText | None = None
    """The formula to maximise."""
    minimise: FormulaText | None = None
    """The formula to minimise; exactly one of the two."""
    unit: Text = ""
    """The unit of the formula's value, for one row."""

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

    def flaws(self) -> Iterator[Flaw]:
        """Exactly one direction."""
        yield from exactly_one(self, ("maximise", "minimise"))


class Objective(Declaration):
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
    def formula(self) -> Formula:
        """The formula, whichever the direction."""
        formula = self.maximise or self.minimise
        assert formula is not None  # noqa: S101  (one is given: see flaws)
        return formula

    @property
    def sign(self) -> Literal[1, -1]:
        """1 where more is better, −1 where less is."""
        return 1 if self.maximise else -1

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
    """What its values are."""
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
