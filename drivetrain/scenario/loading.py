"""A scenario file → a `Scenario`, or every fault in it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, Final, Optional

from pydantic import BaseModel, ValidationError, create_model
from pydantic_core import ErrorDetails

from drivetrain.errors import Fault, FormulaError, Place, ScenarioError, nearest
from drivetrain.scenario import check
from drivetrain.scenario.declaration import Declaration, Flaw, Flaws, Path, show
from drivetrain.scenario.declarations import (
    Assignment,
    Constraint,
    Data,
    Decide,
    Input,
    Model,
    Objective,
    Outcome,
    Parameter,
    Split,
)
from drivetrain.scenario.levers import Categorical, Continuous, Integer, YesNo
from drivetrain.scenario.reading import Document, decode, dotted, read
from drivetrain.scenario.root import Scenario

SCHEMA_PATH: Final = FilePath(__file__).with_name("schema.json")
"""The JSON Schema of scenario files, as shipped; editors read it from a file's first line."""

_LEVERS: Final[Mapping[str, type[Declaration]]] = {
    "continuous": Continuous,
    "integer": Integer,
    "categorical": Categorical,
    "yes_no": YesNo,
}
_MODELS: Final[Mapping[str, type[Declaration]]] = {
    "objective": Objective,
    "parameters": Parameter,
    "inputs": Input,
    "outcomes": Outcome,
    "data": Data,
    "assignment": Assignment,
    "decide": Decide,
    "constraints": Constraint,
    "model": Model,
}
_TYPES: Final = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "bool_type": "yes or no",
    "tuple_type": "a list",
    "dict_type": "a mapping of names",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "finite_number": "a finite number",
}
_PATTERNS: Final = {
    r"^[a-z][a-z0-9_]*$": "It must be made of small letters, digits and underscores, and start with a letter",
    r"^[A-Za-z][A-Za-z0-9_]*$": "A name must be made of letters, digits and underscores, and start with a letter",
    r"^[\w.-]+/[\w.-]+$": "It must be collection/name, as in causaldata/thornton_hiv",
}
_Draft: Final[type[BaseModel]] = create_model(
    "_Draft",
    __base__=Declaration,
    **{  # type: ignore[call-overload]  (fields made by loop are beyond its overloads)
        name: (Optional[each.rebuild_annotation()], None if each.is_required() else each)
        for name, each in Scenario.model_fields.items()
    },
)
"""A scenario of which any part may be missing: what remains to be checked when parts are faulty."""


def load(path: str | FilePath) -> Scenario:
    """Read and check a scenario file.

    Raises:
        ScenarioError: with every fault of the file, each at its line, column and key.
    """
    file = FilePath(path)
    try:
        raw = file.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        siblings = sorted(each.name for each in file.parent.glob("*.y*ml")) if file.parent.is_dir() else []
        fault = Fault(str(path), f"it cannot be read: {reason}", "", nearest(file.name, siblings))
        raise ScenarioError(fault) from None
    scenario = parse(decode(raw, str(path)), str(path))
    scenario._path = file
    return scenario


def parse(text: str, name: str = "<text>") -> Scenario:
    """Read and check a scenario from text; `name` stands for the file in faults.

    Raises:
        ScenarioError: with every fault.
    """
    document = read(text, name)
    scenario = _build(document)
    scenario._text = text
    return scenario


def build(values: Mapping[str, Any]) -> Scenario:
    """A scenario from plain Python values, shaped as the file would be.

    Raises:
        ScenarioError: with every fault, without places.
    """
    return _build(Document("", "", dict(values)))


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of scenario files."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Drivetrain scenario, version 1"}
    return head | {key: value for key, value in Scenario.model_json_schema().items() if key != "title"}


def _build(document: Document) -> Scenario:
    if not document.faults:
        try:
            return Scenario.model_validate(document.value)
        except ValidationError:
            pass  # said below, with all that can be said
    faults = document.faults + [_fault(flaw, document) for flaw in _all_flaws(document.value)]
    raise ScenarioError(*sorted(set(faults), key=lambda fault: (fault.place or Place(""), fault.thing)))


def _all_flaws(values: dict[str, Any]) -> Iterator[Flaw]:
    """Flaws of the parts, then of how the sound parts fit together."""
    required = [name for name, each in Scenario.model_fields.items() if each.is_required()]
    unknown = [key for key in values if key not in Scenario.model_fields]
    for key in required:
        if key not in values and not any(nearest(word, [key]).startswith("Did") for word in unknown):
            yield Flaw((key,), "the key is missing", "A scenario must have it")
    rest, faulty, places = deepcopy(values), set[str](), list(range(1000))
    while rest:
        try:
            draft = _Draft.model_validate(rest)
        except ValidationError as error:
            errors = error.errors()
            yield from _flaws(errors, rest, places)
            _prune(errors, rest, faulty, places)
        else:
            break
    else:
        return
    parts = {name: getattr(draft, name) for name in Scenario.model_fields}
    parts["levers"] = parts["levers"] or {}
    for flaw in check.flaws(Scenario.model_construct(**parts), frozenset(faulty)):
        yield _replaced(flaw, places)


def _flaws(errors: list[ErrorDetails], values: dict[str, Any], places: list[int]) -> Iterator[Flaw]:
    """Pydantic's errors, in our words; several about one value (a union's) become one."""
    unknown = {_resolve(each["loc"], values) for each in errors if each["type"] == "extra_forbidden"}
    merged: dict[Path, Flaw] = {}
    for error in errors:
        for flaw in _translate(error, values):
            parent, key = flaw.path[:-1], str(flaw.path[-1]) if flaw.path else ""
            siblings = [str(path[-1]) for path in unknown if path[:-1] == parent]
            if error["type"] == "missing" and any(nearest(word, [key]).startswith("Did") for word in siblings):
                continue  # the unknown key beside it is this one, misspelt
            same = merged.get(flaw.path)
            if same and same.found == flaw.found and flaw.rule.startswith("It must be "):
                rule = same.rule + " or " + flaw.rule.removeprefix("It must be ")
                flaw = Flaw(flaw.path, same.found, rule, same.cure or flaw.cure)
            merged[
                flaw.path
                if not isinstance(error.get("ctx", {}).get("error"), Flaws | FormulaError)
                else (*flaw.path, flaw.found)
            ] = flaw
    yield from (_replaced(flaw, places) for flaw in merged.values())


def _translate(error: ErrorDetails, values: dict[str, Any]) -> Iterator[Flaw]:
    kind, context = error["type"], error.get("ctx", {})
    path, at_key = _resolve(error["loc"], values), error["loc"][-1:] == ("[key]",)
    reason = context.get("error")
    if isinstance(reason, Flaws):
        for flaw in reason.flaws:
            yield Flaw(path + flaw.path, flaw.found, flaw.rule, flaw.cure, flaw.at_key)
    elif isinstance(reason, FormulaError):
        for fault in reason.faults:
            yield Flaw(path, fault.found, fault.rule, fault.cure, column=fault.place.column if fault.place else None)
    elif kind == "missing":
        yield Flaw(path, "the key is missing", "It must be given")
    elif kind == "extra_forbidden":
        cure = nearest(str(path[-1]), _keys(path[:-1], values))
        yield Flaw(path, "found an unknown key", "Only known keys are allowed", cure, True)
    elif kind == "union_tag_not_found":
        yield Flaw((*path, "kind"), "the key is missing", "It must be one of " + ", ".join(_LEVERS))
    elif kind in {"union_tag_invalid", "literal_error"}:
        yield _choice(path, str(context.get("expected_tags") or context["expected"]), error["input"], kind)
    else:
        found = show(path[-1] if at_key else error["input"])
        yield Flaw(path, f"found {found}", *_rule(kind, error, context), at_key)


def _choice(path: Path, expected: str, found: Any, kind: str) -> Flaw:
    if kind == "union_tag_invalid":
        path, found = (*path, "kind"), found["kind"]
    choices = re.findall(r"'([^']*)'", expected)
    cure = nearest(found, choices) if isinstance(found, str) and len(choices) > 1 else ""
    return Flaw(path, f"found {show(found)}", f"It must be {'one of ' if ',' in expected else ''}{expected}", cure)


def _rule(kind: str, error: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    if kind in _TYPES:
        quote = kind == "string_type" and isinstance(error["input"], int | float)
        return f"It must be {_TYPES[kind]}", "Put it in quotes." if quote else ""
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]], ""
    return error["msg"].replace("Input should", "It must"), ""


def _resolve(loc: tuple[int | str, ...], values: Any) -> Path:
    """The path in the file: pydantic's, without the names of unions and validators in it."""
    path: list[int | str] = []
    for place, part in enumerate(loc):
        inside = (
            part in values
            if isinstance(values, dict)
            else (isinstance(values, list | tuple) and isinstance(part, int) and part < len(values))
        )
        if inside:
            path.append(part)
            values = values[part]
        elif place == len(loc) - 1 and isinstance(values, dict) and part != "[key]" and part not in _LEVERS:
            path.append(part)
    return tuple(path)


def _keys(path: Path, values: Mapping[str, Any]) -> list[str]:
    """The keys that the mapping at a path may have."""
    if not path:
        return list(Scenario.model_fields)
    levers = values.get("levers", {})
    model = _LEVERS[levers[path[1]]["kind"]] if path[0] == "levers" else _MODELS[str(path[0])]
    return list(Split.model_fields if path[1:] == ("split",) else model.model_fields)


def _prune(errors: list[ErrorDetails], values: dict[str, Any], faulty: set[str], places: list[int]) -> None:
    """Take the faulty parts out: an unknown key alone, else the whole declaration that it stands in."""
    doomed: set[Path] = set()
    for error in errors:
        path = _resolve(error["loc"], values)
        if error["type"] == "extra_forbidden":
            doomed.add(path)
        elif path[0] in check.GROUPS and len(path) > 1:
            faulty.add(str(path[1]))
            doomed.add(path[:2])
        else:
            doomed.add(path[: 2 if path[0] == "constraints" else 1])
    for path in sorted(doomed, key=lambda path: (len(path), str(path)), reverse=True):
        if path[0] == "constraints" and len(path) == 2:
            places.pop(int(path[1]))
        _remove(path, values)
    if not values.get("levers", True):
        del values["levers"]


def _remove(path: Path, values: Any) -> None:
    for part in path[:-1]:
        values = values[part]
    del values[path[-1]]


def _replaced(flaw: Flaw, places: list[int]) -> Flaw:
    """The flaw at its constraint's place in the file, not among the sound ones."""
    if flaw.path[:1] == ("constraints",) and len(flaw.path) > 1:
        return replace(flaw, path=("constraints", places[int(flaw.path[1])], *flaw.path[2:]))
    return flaw


def _inside(place: Place, flaw: Flaw, document: Document) -> Place:
    """The place inside a formula, where the formula stands on one line."""
    value: Any = document.value
    for part in flaw.path:
        value = value[part]
    line = document.text.splitlines()[(place.line or 1) - 1]
    start = line.find(str(value).strip(), (place.column or 1) - 1)
    return place if start < 0 else Place(place.file, place.line, start + (flaw.column or 1))


def _fault(flaw: Flaw, document: Document) -> Fault:
    place = document.place(flaw.path, flaw.at_key) if document.values else None
    if place and flaw.column:
        place = _inside(place, flaw, document)
    return Fault(dotted(flaw.path), flaw.found, flaw.rule, flaw.cure, place)
