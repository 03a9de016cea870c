"""What formulas may hold, checked on Python's own syntax tree; everything else is refused, all at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from drivetrain.errors import Fault, FormulaError, Place, nearest

MAX_LENGTH: Final = 1000
MAX_NODES: Final = 500
MAX_DEPTH: Final = 100
MAX_EXPONENT: Final = 10

FUNCTIONS: Final[Mapping[str, tuple[int, int]]] = {
    "min": (2, MAX_NODES),
    "max": (2, MAX_NODES),
    "abs": (1, 1),
    "exp": (1, 1),
    "log": (1, 1),
    "log1p": (1, 1),
    "sqrt": (1, 1),
    "clip": (3, 3),
    "round": (1, 1),
    "floor": (1, 1),
    "ceil": (1, 1),
    "where": (3, 3),
    "sigmoid": (1, 1),
    "annuity": (2, 3),
    "present_value": (3, 3),
}
"""Function name → fewest and most arguments. `clip(x, low, high)`; `where(condition, then, otherwise)`;
`annuity(periods, rate, renewal)`: what 1 at the start of each of so many periods is worth today, at a rate of interest
a period, if it goes on to the next one with this probability (1 where left out); `present_value(amount, periods,
rate)`: what an amount so many periods from now is worth today."""

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UAdd, ast.USub, ast.Not)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
RULE = "A formula holds only numbers, names, + - * / **, comparisons, and/or/not, if-else and known functions"
_CURES: Final[Mapping[type[ast.AST], tuple[str, str]]] = {
    ast.BitXor: ("the operator ^", "Write ** for a power."),
    ast.BitAnd: ("the operator &", "Write 'and'."),
    ast.BitOr: ("the operator |", "Write 'or'."),
    ast.Mod: ("the operator %", "Write a share as a number: 0.05 for 5%."),
    ast.FloorDiv: ("the operator //", "Write floor(a / b)."),
    ast.In: ("the operator 'in'", "Write name == 'a' or name == 'b'."),
    ast.Attribute: ("a dot after a name", "Use plain names, as the scenario declares them."),
    ast.Tuple: ("a comma", "Write decimals with a point: 0.5."),
}


@dataclass(frozen=True)
class _Problem:
    node: Any  # an ast.expr, or anything with a col_offset
    found: str
    cure: str = ""
    rule: str = RULE


@dataclass(frozen=True)
class _At:
    col_offset: int


def read(text: str) -> ast.expr:
    """The syntax tree of a formula.

    Raises:
        FormulaError: with a fault for each part that is not allowed.
    """
    if not text:
        raise FormulaError(fault(text, "found nothing", "A formula must not be empty"))
    if len(text) > MAX_LENGTH:
        raise FormulaError(fault(text, f"found {len(text)} characters", f"At most {MAX_LENGTH} are allowed"))
    for mark, cure in (("\\", ""), ("\0", ""), ("&&", "Write 'and'."), ("||", "Write 'or'.")):
        if mark in text:
            at = _At(len(text[: text.index(mark)].encode(errors="replace")))
            raise FormulaError(fault(text, f"found {mark!r}", RULE, cure, at))
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise FormulaError(_unreadable(text, error)) from None
    comment = text.encode().find(b"#", tree.end_col_offset or 0)
    if comment >= 0:
        raise FormulaError(fault(text, "found a comment", "A formula holds no comment", "", _At(comment)))
    _limit(text, tree)
    if problems := sorted(_problems(tree, text), key=lambda problem: problem.node.col_offset):
        raise FormulaError(*(fault(text, each.found, each.rule, each.cure, each.node) for each in problems))
    return tree


def _unreadable(text: str, error: BaseException) -> Fault:
    offset = getattr(error, "offset", None) or 1
    before = text[: max(offset - 1, 0)].encode(errors="replace")
    reason = str(getattr(error, "msg", "") or "nested too deeply, or not text")
    single = re.search(r"(?<![=<>!])=(?!=)", text)
    cure = "Write == to compare." if single else "Check brackets, and that an operator stands between values."
    if "never closed" in reason and not single:
        cure = 'Close it; inside { } a comma ends a formula that is not in quotes: "f(a, b)".'
    if left := re.search(r"([-+*/(,<>=]|\b(?:and|or|not|if|else))\s*$", text):
        reason, before = f"it ends with '{left[1]}'", text[: left.start()].encode(errors="replace")
        cure = "Write the value that must follow, or remove it."
    return fault(text, "it cannot be read: " + reason.split(".")[0], RULE, cure, _At(len(before)))


def _limit(text: str, tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    count = depth = 0
    while level:
        count, depth = count + len(level), depth + 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if count > MAX_NODES or depth > MAX_DEPTH:
        found = f"found {count} parts nested {depth} deep"
        rule = f"At most {MAX_NODES} parts, nested {MAX_DEPTH} deep, are allowed"
        raise FormulaError(fault(text, found, rule, "Move parts of it into parameters or lever costs."))


def fault(text: str, found: str, rule: str, cure: str = "", node: Any = None) -> Fault:
    """A fault of a formula, at the column of a syntax node or of anything with a `col_offset` in bytes."""
    column = None if node is None else len(text.encode(errors="replace")[: node.col_offset].decode(errors="ignore")) + 1
    short = text if len(text) <= 60 else text[:59] + "…"
    where = "" if column is None else f" at column {column} of the formula"
    place = None if column is None else Place("formula", 1, column)
    return Fault(f"formula {short!r}", found + where, rule, cure, place)


def _problems(node: ast.expr, text: str) -> Iterator[_Problem]:
    """Everything under `node` that the whitelist does not allow."""
    match node:
        case ast.Constant(value):
            yield from _constant_problems(node, value)
        case ast.Name():
            yield from _name_problems(node, text)
        case ast.Call():
            yield from _call_problems(node, text)
        case ast.BinOp(_, ast.Pow(), right) if (exponent := number(right)) is None or abs(exponent) > MAX_EXPONENT:
            rule = f"An exponent must be a number from -{MAX_EXPONENT} to {MAX_EXPONENT}"
            yield _Problem(right, "found a power whose exponent is not allowed", "", rule)
            yield from _problems(node.left, text)
        case ast.Compare() if pair := option(node):
            yield from _problems(pair[0], text)
        case _ if _allowed(node):
            parts = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
            yield from (problem for part in parts for problem in _problems(part, text))
        case _:
            yield _forbidden(node)


def _allowed(node: ast.expr) -> bool:
    match node:
        case ast.UnaryOp(operator) | ast.BinOp(_, operator):
            return isinstance(operator, _OPERATORS)
        case ast.Compare(_, operators):
            return all(isinstance(each, _COMPARISONS) for each in operators)
    return isinstance(node, ast.BoolOp | ast.IfExp)


def _constant_problems(node: ast.Constant, value: object) -> Iterator[_Problem]:
    if isinstance(value, str):
        yield _Problem(node, f"found the text {value!r}", "", "A text may only stand in name == 'option' or !=")
    elif isinstance(value, bool):
        yield _Problem(node, f"found {value}", f"Write {int(value)}.")
    elif not isinstance(value, int | float):
        yield _Problem(node, f"found {str(value)[:20]}")
    elif not (abs(value) < 1e300 and isfinite(value)):
        yield _Problem(node, "found a number that is too large", "", "Numbers must be below 1e300")


def _name_problems(node: ast.Name, text: str) -> Iterator[_Problem]:
    written = text.encode()[node.col_offset : node.end_col_offset].decode()
    if written != node.id or not node.id.isascii() or node.id.startswith("_"):
        rule = "Names are made of the letters a to z, digits and underscores, and start with a letter"
        yield _Problem(node, f"found the name {written!r}", "", rule)
    elif node.id in FUNCTIONS:
        yield _Problem(node, f"found the function {node.id} without arguments", f"Write {node.id}(…).")


def _call_problems(node: ast.Call, text: str) -> Iterator[_Problem]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS:
        found = f"found the unknown function {name!r}" if name else "found a call"
        cure = nearest(name, FUNCTIONS) if name else "If a product is meant, write *."
        yield _Problem(node, found, cure)
    elif node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        yield _Problem(node, f"found {name} with named or starred arguments", f"Write {name}(…) with plain values.")
    else:
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            rule = f"{name} takes {fewest}" + (
                " or more" if most == MAX_NODES else f" or {most}" if most > fewest else ""
            )
            yield _Problem(node, f"found {name} with {len(node.args)} arguments", "", rule)
        yield from (problem for argument in node.args for problem in _problems(argument, text))


def _forbidden(node: ast.expr) -> _Problem:
    operators = [*getattr(node, "ops", [])] or [getattr(node, "op", None)]
    for kind in (node, *operators):
        if type(kind) in _CURES:
            found, cure = _CURES[type(kind)]
            return _Problem(node, f"found {found}", cure)
    return _Problem(node, f"found Python's {type(node).__name__}")


def number(node: ast.expr) -> float | None:
    """The number that a node is, sign included."""
    match node:
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(ast.USub(), operand) if (positive := number(operand)) is not None:
            return -positive
    return None


def option(node: ast.Compare) -> tuple[ast.Name, str] | None:
    """The name and the text of a comparison `name == 'option'`."""
    match node:
        case ast.Compare(ast.Name() as name, [ast.Eq() | ast.NotEq()], [ast.Constant(str(option))]):
            return name, option
        case ast.Compare(ast.Constant(str(option)), [ast.Eq() | ast.NotEq()], [ast.Name() as name]):
            return name, option
    return None
