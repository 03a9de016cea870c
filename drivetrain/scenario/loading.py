"""A scenario file → a `Scenario`, or every fault in it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema

from drivetrain.errors import Fault, Place, ScenarioError, nearest, path_of
from drivetrain.scenario import check, wording
from drivetrain.scenario.declaration import Declaration, Flaw, Path
from drivetrain.scenario.lowering import lowered
from drivetrain.scenario.reading import Document, decode, dotted, read
from drivetrain.scenario.root import Scenario

SCHEMA_PATH: Final = FilePath(__file__).with_name("schema.json")
"""The JSON Schema of scenario files, as shipped; editors read it from a file's first line."""

ROWS: Final = frozenset({".csv", ".tsv", ".txt", ".parquet", ".xlsx"})
"""Endings of files of rows."""

_FIELDS: Final[dict[str, Any]] = {
    name: (each.rebuild_annotation() | None, None if each.is_required() else each)
    for name, each in Scenario.model_fields.items()
}
_Draft: Any = create_model("_Draft", __base__=Declaration, **_FIELDS)
"""A scenario of which any part may be missing: what remains to be checked when parts are faulty."""


class _Schema(GenerateJsonSchema):
    """A key is left out where it has no value: `null` is never offered."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        return {
            key: value for key, value in super().default_schema(schema).items() if (key, value) != ("default", None)
        }


def load(path: str | FilePath) -> Scenario:
    """Read and check a scenario file.

    Raises:
        ScenarioError: with every fault of the file, each at its line, column and key.
    """
    file = path_of("scenario", path)
    if file.suffix.lower() in ROWS:
        found, rule = "this is a file of rows", "A scenario is declared in a file of its own, in YAML"
        raise ScenarioError(Fault(str(path), found, rule, f"Draft one: drivetrain init {path}"))
    try:
        raw = file.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        siblings = sorted(each.name for each in file.parent.glob("*.y*ml")) if file.parent.is_dir() else []
        found = "the file does not exist" if missing else f"it cannot be read: {error.strerror or error}"
        fault = Fault(str(path), found, "", nearest(file.name, siblings))
        raise ScenarioError(fault) from None
    return parse(decode(raw, str(path)), str(path), file)


def parse(text: str, name: str = "<text>", path: FilePath | None = None) -> Scenario:
    """Read and check a scenario from text.

    Args:
        text: what a file would hold.
        name: stands for the file in faults.
        path: the file that it is of, from whose folder relative paths start.

    Raises:
        ScenarioError: with every fault.
    """
    if not isinstance(text, str):
        raise ScenarioError(
            Fault("scenario", f"found {text!r}", "It is text", "Read a file with drivetrain.scenario.load")
        )
    document = read(text, name)
    scenario = _build(document)
    scenario._text, scenario._path = text, path
    return scenario


def build(values: Mapping[str, Any]) -> Scenario:
    """A scenario from plain Python values, shaped as the file would be.

    Raises:
        ScenarioError: with every fault, without places.
    """
    if not isinstance(values, Mapping):
        found = f"found {values!r}"
        raise ScenarioError(Fault("scenario", found, "It is a mapping of keys to values", "Start with {'version': 1}"))
    return _build(Document("", "", dict(values)))


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of scenario files."""
    schema = Scenario.model_json_schema(schema_generator=_Schema)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Drivetrain scenario, version 1"}
    return head | {key: value for key, value in schema.items() if key != "title"}


def _build(document: Document) -> Scenario:
    if not document.faults:
        try:
            return lowered(Scenario.model_validate(document.value))
        except ValidationError:
            pass  # told below, with all else that is wrong
    told = {fault.thing for fault in document.faults}
    faults = [_fault(flaw, document) for flaw in _all_flaws(document.value) if dotted(flaw.path) not in told]
    ordered = sorted({*document.faults, *faults}, key=lambda fault: (fault.place or Place("", 0, 0), fault.thing))
    raise ScenarioError(*ordered)


def _all_flaws(values: dict[str, Any]) -> Iterator[Flaw]:
    """Flaws of the parts, then of how the sound parts fit together."""
    try:
        Scenario.model_validate(values)
    except ValidationError as error:
        ours = [each for each in error.errors() if each["loc"]]  # its own check comes below, on the sound parts
        yield from wording.flaws(ours, values)
    rest = {key: deepcopy(value) for key, value in values.items() if value is not None}
    faulty, listed = set[str](), values.get("constraints")
    places = list(range(len(listed))) if isinstance(listed, list | tuple) else []
    draft: Any = None
    misread = set[Path]()  # declarations with an unknown key: what they seem to lack, it may have meant
    while draft is None:
        try:
            draft = _Draft.model_validate(rest)
        except ValidationError as error:
            flaws = list(wording.flaws(error.errors(), rest))
            yield from (_replaced(flaw, places) for flaw in flaws if flaw.path not in misread)
            misread |= {flaw.path[:-1] for flaw in flaws if flaw.found == wording.UNKNOWN_KEY}
            _prune(error.errors(), rest, faulty, places)
    parts: dict[str, Any] = {**dict(draft), "levers": draft.levers or {}}
    for flaw in check.flaws(Scenario.model_construct(**parts), frozenset(faulty)):
        yield _replaced(flaw, places)


def _prune(errors: list[ErrorDetails], values: dict[str, Any], faulty: set[str], places: list[int]) -> None:
    """Take the faulty parts out: an unknown key alone, else the whole declaration that it stands in."""
    doomed: set[Path] = set()
    for error in errors:
        path = wording.resolve(error["loc"], values)
        if error["type"] == "extra_forbidden":
            doomed.add(path)
        elif path[0] in check.GROUPS and len(path) > 1:
            faulty.add(str(path[1]))
            doomed.add(path[:2])
        else:
            doomed.add(path[: 2 if path[0] == "constraints" else 1])
    for path in sorted(doomed, key=lambda path: (len(path), *(i for i in path if isinstance(i, int))), reverse=True):
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
