"""What all declarations share: strict, frozen, complete, and able to say every flaw at its own key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from drivetrain.formula import Formula, parse as parse_formula

Path = tuple[str | int, ...]
"""Keys and places that lead to a part of a scenario file: `("levers", "price", "max")`."""


@dataclass(frozen=True)
class Flaw:
    """One fault, at a path relative to the declaration that found it."""

    path: Path
    found: str
    rule: str = ""
    cure: str = ""
    at_key: bool = False
    """Whether the key itself is wrong, and not the value under it."""
    column: int | None = None
    """Column inside the formula at the path, from 1."""


class Flaws(ValueError):  # noqa: N818
    """Raised inside pydantic, which hands it on; never reaches a user."""

    def __init__(self, flaws: list[Flaw]) -> None:
        """Args: flaws: at least one."""
        super().__init__("; ".join(f"{'.'.join(map(str, flaw.path))}: {flaw.found}. {flaw.rule}" for flaw in flaws))
        self.flaws = flaws


class Declaration(BaseModel):
    """A part of a scenario: strict types, no unknown keys, never changed after it is built."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def flaws(self) -> Iterator[Flaw]:
        """What the types alone cannot say is wrong."""
        yield from ()

    @model_validator(mode="after")
    def _sound(self) -> Declaration:
        if flaws := list(self.flaws()):
            raise Flaws(flaws)
        return self


T = TypeVar("T")

Many = Annotated[tuple[T, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]
"""A list in the file, a tuple in Python."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""What formulas can call a thing."""

Column = Annotated[str, Field(min_length=1, max_length=256)]
"""A column of the data."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
"""Prose."""


def _formula(value: object) -> Formula:
    if isinstance(value, Formula):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return parse_formula(repr(value))
    if not isinstance(value, str):
        raise Flaws([Flaw((), f"found {show(value)}", "It must be a formula: text, or a number")])
    return parse_formula(value)


FormulaText = Annotated[
    Formula,
    PlainValidator(_formula),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["string", "number"], "maxLength": 1000, "description": "A formula."}),
]


def show(value: object) -> str:
    """A value as a person would name it, shortened."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else str(value)
    return (text if len(text) <= 60 else text[:59] + "…").replace("True", "true").replace("False", "false")


def option_text(value: Any) -> Any:
    """Options must be text: 1, true and 2024-01-01 look like text in a file, and are not."""
    if value is None or isinstance(value, str | Mapping | list | tuple):
        return value
    raise Flaws([Flaw((), f"found {show(value)}", "An option must be text", f'Put it in quotes: "{_plain(value)}".')])


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


Option = Annotated[str, BeforeValidator(option_text), Field(min_length=1, max_length=200)]
"""One value of a category."""


def repeated(key: str, words: tuple[str, ...]) -> Iterator[Flaw]:
    """Flaws of words that stand twice in a list."""
    for place, word in enumerate(words):
        if word in words[:place]:
            yield Flaw((key, place), f"found {word!r} twice", "Each may stand there once", "Remove one.")


def exactly_one(declaration: Declaration, keys: tuple[str, ...]) -> Iterator[Flaw]:
    """Flaws of none, or several, of some keys being given."""
    given = [key for key in keys if getattr(declaration, key) is not None]
    rule = "Exactly one of " + ", ".join(keys) + " must be given"
    if not given:
        yield Flaw((), "found none of them", rule)
    for extra in given[1:]:
        yield Flaw((extra,), f"found it beside {given[0]}", rule, f"Remove {extra} or {given[0]}.", True)
