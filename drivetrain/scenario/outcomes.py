"""The outcomes: what happens after the decision, and how its values are to be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivetrain.scenario.declaration import Column, Declaration, Flaw, Many, Name, Option, Text, repeated


class Outcome(Declaration):
    """Something that happens after the decision, and that a model predicts."""

    kind: Literal["binary", "numeric", "count", "rating", "categorical"]
    """What its values are; a rating is a number that never leaves the range from `min` to `max`. Words of a binary one,
    in any case: yes/no, y/n, true/false, t/f, ja/nein, wahr/falsch, oui/non, sí/no, si/no or 1/0."""
    column: Column | None = None
    """Its column in the data; its own name where left out."""
    unit: Text = ""
    """The unit of its values."""
    description: Text = ""
    """What it means."""
    options: Annotated[Many[Option], Field(min_length=2)] | None = None
    """The values of a categorical outcome; those of the data where left out."""
    min: float | None = None
    """The lowest value that a rating can have."""
    max: float | None = None
    """The highest value that a rating can have."""
    scale: Literal["linear", "log", "asinh"] = "linear"
    """The scale on which a numeric outcome is learned: `log` for amounts above 0 with a long tail, `asinh` where they
    may also be 0 or negative. Predictions are means in the outcome's own unit all the same."""
    above: float | None = None
    """A binary outcome may be yes where its column, which can be another outcome's too, holds more than this number:
    whether anything was spent, beside how much."""
    negatives: Annotated[int, Field(ge=1, le=100)] | None = None
    """Of a binary outcome whose rows say only what was seen or bought (implicit feedback): how many options that who
    decides has not had are drawn beside each row, as its no's. Its column may then be left out of the data."""
    uses: Many[Name] = ()
    """Earlier outcomes that this outcome's model sees."""
    when: Name | None = None
    """An earlier binary outcome: this one exists only where that one is yes, and is worth 0 elsewhere."""

    def flaws(self) -> Iterator[Flaw]:
        """Each key with its own kind of outcome; options and uses unique; a range that is one."""
        yield from self._strange("options", "categorical", self.options is not None)
        yield from self._strange("min", "rating", self.min is not None)
        yield from self._strange("max", "rating", self.max is not None)
        yield from self._strange("scale", "numeric", self.scale != "linear")
        yield from self._strange("above", "binary", self.above is not None)
        yield from self._strange("negatives", "binary", self.negatives is not None)
        if self.kind == "rating":
            for key in ("min", "max"):
                if getattr(self, key) is None:
                    yield Flaw((key,), "the key is missing", "A rating needs its range, from min to max")
        if self.min is not None and self.max is not None and not self.min < self.max:
            yield Flaw(("max",), f"found {self.max:g}", f"It must be above min, which is {self.min:g}")
        yield from repeated("options", self.options or ())
        yield from repeated("uses", self.uses)

    def _strange(self, key: str, kind: str, given: bool) -> Iterator[Flaw]:
        if given and self.kind != kind:
            yield Flaw(
                (key,), f"found {key} of a {self.kind} outcome", f"Only a {kind} outcome has {key}", "Remove it.", True
            )
