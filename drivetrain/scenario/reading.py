"""YAML text → plain values, and the line and column of every key and value; odd YAML is refused, not guessed at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from drivetrain.errors import Fault, Place, ScenarioError
from drivetrain.scenario.declaration import Path

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 20
MAX_PARTS: Final = 50_000


@dataclass
class Document:
    """A file's values and where each stands."""

    name: str
    """What faults call the file."""
    text: str
    value: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    """Path → place of its key."""
    values: dict[Path, Place] = field(default_factory=dict)
    """Path → place of its value."""
    faults: list[Fault] = field(default_factory=list)
    constructor: Any = field(default_factory=lambda: YAML(typ="safe", pure=True).constructor, repr=False)

    def place(self, path: Path, at_key: bool = False) -> Place:
        """Where a path stands, or the nearest part above it that exists; its key, where the value starts below it."""
        for length in range(len(path), -1, -1):
            key, value = self.keys.get(path[:length]), self.values.get(path[:length])
            if key and (at_key or length < len(path) or value is None or key.line != value.line):
                return key
            if value:
                return value
        return Place(self.name, 1, 1)


def read(text: str, name: str) -> Document:
    """Read one YAML document.

    Raises:
        ScenarioError: it is not YAML, or uses what scenario files may not: aliases, anchors, tags, several documents,
            deep nesting; duplicate keys are left in `faults`, to be told together with others.
    """
    document = Document(name, text)
    try:
        faults = list(_odd(text, name))
        if faults:
            raise ScenarioError(*faults)
        root = YAML(typ="safe", pure=True).compose(text)
        document.value = _value(root, (), document) if root else None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ScenarioError(_unreadable(error.problem or error.context or "", name, mark, text)) from None
    except YAMLError as error:
        raise ScenarioError(_unreadable(str(error).splitlines()[0], name, None)) from None
    if not isinstance(document.value, dict):
        rule = "A scenario file is a mapping of keys to values"
        raise ScenarioError(Fault("scenario", "found no keys", rule, "Start with version: 1.", Place(name, 1, 1)))
    return document


def decode(raw: bytes, name: str) -> str:
    """Bytes → text.

    Raises:
        ScenarioError: too many bytes, or not UTF-8.
    """
    if len(raw) > MAX_BYTES:
        raise ScenarioError(Fault(name, f"found {len(raw):,} bytes", f"At most {MAX_BYTES:,} are allowed"))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(name, raw[: error.start].count(b"\n") + 1)
        fault = Fault(
            "scenario",
            f"found the byte 0x{raw[error.start]:02x}",
            "A scenario file is UTF-8 text",
            "Save it as UTF-8.",
            place,
        )
        raise ScenarioError(fault) from None


def _odd(text: str, name: str) -> Iterator[Fault]:
    """What YAML allows and scenario files do not."""
    depth = documents = 0
    for count, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
        place = _place(name, event.start_mark)
        if count > MAX_PARTS:
            yield Fault(
                "scenario", f"found more than {MAX_PARTS:,} keys and values", "No scenario needs that", "", place
            )
            return
        if isinstance(event, AliasEvent):
            yield Fault(
                "scenario", f"found the alias *{event.anchor}", "Aliases are not allowed", "Write it out.", place
            )
        elif isinstance(event, NodeEvent) and event.anchor:
            yield Fault("scenario", f"found the anchor &{event.anchor}", "Anchors are not allowed", "Remove it.", place)
        if getattr(event, "tag", None) and not isinstance(event, DocumentStartEvent):
            yield Fault("scenario", f"found the tag {event.tag}", "Tags are not allowed", "Remove it.", place)
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents == 2:
                yield Fault("scenario", "found a second document", "One file holds one scenario", "Remove ---.", place)
                return
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            yield Fault("scenario", f"found nesting more than {MAX_DEPTH} deep", "No key needs that", "", place)
            return


def _value(node: Node, path: Path, document: Document) -> Any:
    document.values[path] = _place(document.name, node.start_mark)
    if isinstance(node, MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, SequenceNode):
        return [_value(item, (*path, place), document) for place, item in enumerate(node.value)]
    return _scalar(node, path, document)


def _mapping(node: MappingNode, path: Path, document: Document) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, place = str(key_node.value), _place(document.name, key_node.start_mark)
        if not isinstance(key_node, ScalarNode):
            document.faults.append(Fault(dotted(path), "found a key that is not a word", "Keys are words", "", place))
        elif key in mapping:
            first = document.keys[(*path, key)].line
            cure = f"It first stands on line {first}: remove one."
            document.faults.append(Fault(dotted((*path, key)), "found the key twice", "Keys are unique", cure, place))
        else:
            document.keys[(*path, key)] = place
            mapping[key] = _value(value_node, (*path, key), document)
            if mapping[key] is None:
                cure = "Give it a value, or remove the key."
                fault = Fault(dotted((*path, key)), "found no value", "A key has a value", cure, place)
                document.faults.append(fault)
    return mapping


def _scalar(node: Node, path: Path, document: Document) -> Any:
    try:
        return document.constructor.construct_object(node)
    except (YAMLError, ValueError, OverflowError):
        place = document.values[path]
        document.faults.append(Fault(dotted(path), f"found {node.value!r}", "It cannot be read", "Quote it.", place))
        return None


def dotted(path: Path) -> str:
    """A path as people write it: `levers.price.options[2]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "scenario"


def _place(name: str, mark: StringMark) -> Place:
    return Place(name, mark.line + 1, mark.column + 1)


def _unreadable(problem: str, name: str, mark: StringMark | None, text: str = "") -> Fault:
    place = _place(name, mark) if mark else Place(name)
    rule = "A scenario file is YAML 1.2"
    cure = "Look for a missing colon, quote or bracket, a tab, or wrong indentation at or above that line."
    if mark and (told := _indented(problem, text.splitlines(), mark.line)):
        problem, rule, cure = told
    return Fault("scenario", f"it is not YAML: {problem}", rule, cure, place)


def _indented(problem: str, lines: list[str], at: int) -> tuple[str, str, str] | None:
    """What is wrong with how a line begins, the rule and the cure; None where nothing is."""
    if at >= len(lines):
        return None
    if "\t" in lines[at][: _indent(lines[at])]:
        return f"line {at + 1} begins with a tab", "Lines are indented by spaces", "A tab: use spaces."
    above = next((n for n in range(at - 1, -1, -1) if lines[n].strip() and not lines[n].strip().startswith("#")), None)
    if above is None or not ("expected <block end>" in problem or "mapping values" in problem):
        return None
    here, there = _indent(lines[at]), _indent(lines[above])
    opens = lines[above].partition(" #")[0].rstrip().endswith((":", "|", ">", ",", "{", "["))
    if here == there or ("mapping values" in problem and (here < there or opens)):
        return None
    found = f"line {at + 1} begins with {_spaces(here)}, line {above + 1} with {there or 'none'}"
    return found, "Keys of one mapping begin in the same column", "Indent the two lines alike, or one level apart."


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _spaces(count: int) -> str:
    return f"{count or 'no'} space{'' if count == 1 else 's'}"
