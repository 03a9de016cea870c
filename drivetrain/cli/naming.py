"""What Python code may use: every public name with a line each, by room; or all that is to be known of one."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from textwrap import dedent, indent
from typing import Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json
from drivetrain.errors import Fault, UsageError, nearest


@dataclass(frozen=True)
class Entry:
    """One name."""

    name: str
    """As it is written: `compare`, `Run.what_if`."""
    room: str
    call: str
    """With its arguments, where it is called."""
    line: str
    """What it is, in a line."""


def reference(
    name: Annotated[str, typer.Argument(help="One of them: compare, Run, Run.what_if.", show_default=False)] = "",
    *,
    as_json: Json = False,
) -> None:
    """Tell the public names of the Python package, a line each, or all about one."""
    if name and not as_json:
        screen.say(told(name))
        return
    entries = list(members(name, found(name)) if name else public())
    if as_json:
        screen.data([vars(each) for each in entries])
        return
    for room in dict.fromkeys(each.room for each in entries):
        screen.say(f"{room}: {_line(import_module(f'drivetrain.{room}'))}")
        for each in entries:
            if room == each.room != each.name:
                screen.say(_row(each))
        screen.say()
    screen.say("All about one of them: drivetrain reference NAME")


def public() -> Iterator[Entry]:
    """Every public name, room by room, in the order of `drivetrain/__init__.pyi`."""
    stub = ast.parse(files("drivetrain").joinpath("__init__.pyi").read_text(encoding="utf-8"))
    for home in stub.body:
        for each in home.names if isinstance(home, ast.ImportFrom) else ():
            room = getattr(home, "module", None) or each.name
            yield _entry(each.name, room, found(each.name))


def found(name: str) -> Any:
    """What a name stands for. Raises: UsageError: there is none of this name."""
    value: Any = import_module("drivetrain")
    for part in name.split("."):
        known = [each for each in dir(value) if not each.startswith("_")]
        if part not in known:
            close = f"Did you mean 'Run.{part}'?" if name == part and hasattr(value.Run, part) else nearest(part, known)
            raise UsageError(Fault(name, "found no such public name", "", close))
        value = getattr(value, part)
    return value


def told(name: str) -> str:
    """All about one name: how it is called, what it is, what it holds."""
    value = found(name)
    parts = [_call(name, value), indent(_meaning(value), "    ")]
    if isinstance(value, type):
        parts += [f"{field}\n{indent(meaning, '    ')}".rstrip() for field, meaning in fields(value)]
    parts += [_row(each) for each in members(name, value)]
    return "\n\n".join(part for part in parts if part.strip())


def members(name: str, value: Any) -> Iterator[Entry]:
    """The public methods and properties of a class, or the functions and classes of a module."""
    if isinstance(value, type):
        for key in dict.fromkeys(key for kind in value.__mro__ for key in vars(kind)):
            each = inspect.getattr_static(value, key)
            if not key.startswith("_") and isinstance(each, property | classmethod) | inspect.isfunction(each):
                yield _entry(f"{name}.{key}", name, each if isinstance(each, property) else getattr(value, key))
    elif inspect.ismodule(value):
        for key in getattr(value, "__all__", vars(value)):
            each = getattr(value, key)
            if not key.startswith("_") and str(getattr(each, "__module__", "")).startswith(value.__name__):
                yield _entry(f"{name}.{key}", name, each)


def fields(kind: type) -> Iterator[tuple[str, str]]:
    """What a class holds: `name: type`, and what is written under it."""
    for base in kind.__bases__:
        yield from fields(base)
    if not kind.__module__.startswith("drivetrain."):
        return
    (body,) = (node.body for node in ast.parse(dedent(inspect.getsource(kind))).body if isinstance(node, ast.ClassDef))
    for field, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and not (said := ast.unparse(field)).startswith("_"):
            words = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            yield said, inspect.cleandoc(str(words))


def _entry(name: str, room: str, value: Any) -> Entry:
    return Entry(name, room, _call(name, value), _line(value))


def _row(each: Entry) -> str:
    return f"  {each.call}\n      {each.line}"


def _call(name: str, value: Any) -> str:
    """`compare(first, second)`; of what is not called the name alone."""
    if not inspect.isroutine(value):
        return name
    given = inspect.signature(value).parameters.values()
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in given if each.name != "self"]
    return re.sub(r"=<.*? at 0x\w+>", "=…", f"{name}{inspect.Signature(plain)}")


def _meaning(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {words}" for key, words in value.items())
    return inspect.getdoc(value) or ""


def _line(value: Any) -> str:
    """The first sentence."""
    if isinstance(value, Mapping):
        return ", ".join(map(str, value))
    return " ".join(_meaning(value).split("\n\n")[0].split())
