"""Pydantic's errors, said in our words and at the file's own keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final

from pydantic_core import ErrorDetails

from drivetrain.errors import FormulaError, alike, nearest
from drivetrain.scenario.categorical import Categorical, Diverse, Feature
from drivetrain.scenario.constraints import Constraint, Ratio
from drivetrain.scenario.declaration import Declaration, Flaw, Flaws, Path, show
from drivetrain.scenario.declarations import (
    Assignment,
    Decide,
    Input,
    Parameter,
)
from drivetrain.scenario.levers import Continuous, Integer, YesNo
from drivetrain.scenario.models import Boosting, Model, Search
from drivetrain.scenario.objective import Beside, Objective, Risk
from drivetrain.scenario.outcomes import Outcome
from drivetrain.scenario.root import Scenario
from drivetrain.scenario.sources import Data, Split

NO_KEY: Final = "the key is missing"
UNKNOWN_KEY: Final = "found an unknown key"
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
_INSIDE: Final[Mapping[Path, type[Declaration]]] = {
    ("data", "split"): Split,
    ("objective", "risk"): Risk,
    ("objective", "beside"): Beside,
    ("model", "boosting"): Boosting,
    ("model", "search"): Search,
}
_TYPES: Final = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "bool_type": "yes or no",
    "tuple_type": "a list",
    "dict_type": "a mapping of names: each on its line, with a colon and what it is",
    "model_type": "a mapping of keys, as in {key: value}",
    "model_attributes_type": "a mapping of keys, as in {key: value}",
    "finite_number": "a finite number",
}
_PATTERNS: Final = {
    r"^[a-z][a-z0-9_]*$": "It must be made of small letters, digits and underscores, and start with a letter",
    r"^[A-Za-z][A-Za-z0-9_]*$": "It must be made of letters, digits and underscores, and start with a letter",
    r"^[\w.-]+/[\w.-]+$": "It must be collection/name, as in causaldata/thornton_hiv",
}


def flaws(errors: list[ErrorDetails], values: dict[str, Any]) -> Iterator[Flaw]:
    """Pydantic's errors about some values, in our words; several about one value (a union's) become one."""
    said: dict[tuple[Path, str], Flaw] = {}
    for flaw in (flaw for error in errors for flaw in _translate(error, values)):
        same = said.get((flaw.path, flaw.found))
        if same and same.rule != flaw.rule:
            rule = f"{same.rule} or {flaw.rule.removeprefix('It must be ')}"
            flaw = replace(same, rule=rule, cure=same.cure or flaw.cure)
        said[flaw.path, flaw.found] = flaw
    misspelt = [flaw.path for flaw in said.values() if flaw.found == UNKNOWN_KEY]
    yield from (flaw for flaw in said.values() if flaw.found != NO_KEY or not _like(flaw.path, misspelt))


def _like(missing: Path, unknown: list[Path]) -> bool:
    """Whether an unknown key beside a missing one is that key, misspelt."""
    beside = [str(path[-1]) for path in unknown if path[:-1] == missing[:-1]]
    return bool(get_close_matches(str(missing[-1]), beside, n=1))


def _translate(error: ErrorDetails, values: dict[str, Any]) -> Iterator[Flaw]:
    kind, context = error["type"], error.get("ctx", {})
    path, at_key = resolve(error["loc"], values), error["loc"][-1:] == ("[key]",)
    reason = context.get("error")
    if isinstance(reason, Flaws):
        for flaw in reason.flaws:
            yield Flaw(path + flaw.path, flaw.found, flaw.rule, flaw.cure, flaw.at_key)
    elif isinstance(reason, FormulaError):
        for fault in reason.faults:
            yield Flaw(path, fault.found, fault.rule, fault.cure, column=fault.place.column if fault.place else None)
    elif kind == "missing":
        yield Flaw(path, NO_KEY, "It must be given")
    elif kind == "extra_forbidden":
        cure = nearest(str(path[-1]), _keys(path[:-1], values))
        yield Flaw(path, UNKNOWN_KEY, "Only known keys are allowed", cure, True)
    elif kind == "union_tag_not_found":
        yield Flaw((*path, "kind"), NO_KEY, "It must be one of " + ", ".join(_LEVERS))
    elif kind in {"union_tag_invalid", "literal_error"}:
        yield _choice(path, str(context.get("expected_tags") or context["expected"]), error["input"], kind)
    else:
        found = show(path[-1] if at_key else error["input"])
        yield Flaw(path, f"found {found}", *_rule(kind, error, context), at_key)


def _choice(path: Path, expected: str, found: Any, kind: str) -> Flaw:
    if kind == "union_tag_invalid":
        path, found = (*path, "kind"), found["kind"]
    choices = re.findall(r"'([^']*)'", expected)
    cure = alike(found, choices) if isinstance(found, str) and len(choices) > 1 else ""
    return Flaw(path, f"found {show(found)}", f"It must be {'one of ' if ',' in expected else ''}{expected}", cure)


def _rule(kind: str, error: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    if kind in _TYPES:
        quote = kind == "string_type" and isinstance(error["input"], int | float)
        return f"It must be {_TYPES[kind]}", "Put it in quotes." if quote else ""
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]], ""
    return error["msg"].replace("Input should", "It must"), ""


def resolve(loc: tuple[int | str, ...], values: Any) -> Path:
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
    if path[0] == "levers" and path[2:3] == ("features",):
        model = Feature
    if path[0] == "levers" and path[2:3] == ("diverse",):
        model = Diverse
    if path[0] == "constraints" and path[2:3] == ("ratio",):
        model = Ratio
    model = _INSIDE.get((path[0], path[1]), model) if len(path) > 1 else model
    return list(model.model_fields)
