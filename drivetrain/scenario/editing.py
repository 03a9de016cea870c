"""A scenario file's text, changed in a few places and left as it is in all others, comments and all."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from drivetrain.errors import Fault, ScenarioError
from drivetrain.scenario.declaration import Path
from drivetrain.scenario.reading import read


def edited(text: str, changes: Mapping[Path, Any]) -> str:
    """The text with other values at some keys.

    Args:
        text: a scenario file's; it must be YAML, though it need not be sound.
        changes: path → value; None removes the key, and keys on the way that are missing are made.

    Raises:
        ScenarioError: the text is no YAML, or a path leads through something that has no keys.
    """
    if faults := read(text, "the scenario").faults:
        raise ScenarioError(*faults)
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes, yaml.width = True, 120
    try:
        document = yaml.load(text) or CommentedMap()
    except YAMLError as error:
        raise ScenarioError(Fault("the scenario", f"it cannot be read as YAML ({type(error).__name__})")) from error
    for path, value in changes.items():
        _put(document, path, value)
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _put(document: Any, path: Path, value: Any) -> None:
    at = document
    for part in path[:-1]:
        if isinstance(at, dict) and at.get(part) is None:
            if value is None:
                return
            at[part] = CommentedMap()
        at = _inside(at, part, path)
    last = path[-1]
    _inside(at, None, path)
    if value is None:
        at.pop(last, None) if isinstance(at, dict) else at.pop(int(last))
    elif (at.get(last) if isinstance(at, dict) else at[int(last)]) != value:
        at[last] = value


def _inside(at: Any, part: str | int | None, path: Path) -> Any:
    if not isinstance(at, dict | list):
        named = ".".join(map(str, path))
        raise ScenarioError(Fault(named, "what it stands in has no keys", "", "Mend it in the file's text"))
    return at if part is None else at[part] if isinstance(at, dict) else at[int(part)]
