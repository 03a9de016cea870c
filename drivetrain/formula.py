"""Arithmetic written in scenario files: checked once against a short whitelist, then run on tensors, differentiably.

Allowed are numbers, names, `+ - * /`, `**` with a constant exponent up to 10, comparisons (worth 1 or 0), `and or not`,
`a if condition else b`, the functions in `FUNCTIONS`, and `name == 'option'` or `name != 'option'` for categories.

Missing values stay missing: NaN in any operand, also of a comparison or condition, gives NaN. The branch that a
condition did not choose contributes neither value nor gradient, so `log(x) if x > 0 else 0` is finite at zero.
Comparisons and `round`, `floor`, `ceil` are steps: their gradient is 0.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial, reduce
from math import isfinite, nan
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any, Final

from drivetrain.errors import Fault, FormulaError, Place, nearest

if TYPE_CHECKING:
    import torch

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
}
"""Function name → fewest and most arguments. `clip(x, low, high)`; `where(condition, then, otherwise)`."""

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UAdd, ast.USub, ast.Not)
_COMPARE: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: eq,
    ast.NotEq: ne,
    ast.Lt: lt,
    ast.LtE: le,
    ast.Gt: gt,
    ast.GtE: ge,
}
_RISKY = frozenset({"exp", "log", "log1p", "sqrt"})
_RULE = "A formula holds only numbers, names, + - * / **, comparisons, and/or/not, if-else and known functions"
_CURES: Final[Mapping[type[ast.AST], tuple[str, str]]] = {
    ast.BitXor: ("the operator ^", "Write ** for a power."),
    ast.BitAnd: ("the operator &", "Write 'and'."),
    ast.BitOr: ("the operator |", "Write 'or'."),
    ast.Mod: ("the operator %", "Write a share as a number: 0.05 for 5 %."),
    ast.FloorDiv: ("the operator //", "Write floor(a / b)."),
    ast.In: ("the operator 'in'", "Write name == 'a' or name == 'b'."),
    ast.Attribute: ("a dot after a name", "Use plain names, as the scenario declares them."),
    ast.Tuple: ("a comma", "Write decimals with a point: 0.5."),
}


@dataclass(frozen=True)
class Formula:
    """A checked formula; call it with tensors to get its value."""

    text: str
    """The formula as written."""
    tree: ast.expr = field(repr=False, compare=False)
    names: frozenset[str] = field(repr=False, compare=False)
    """Every name it uses."""
    numeric: frozenset[str] = field(repr=False, compare=False)
    """The names it uses as numbers."""
    compared: Mapping[str, frozenset[str]] = field(repr=False, compare=False)
    """Name → the options it is compared with."""

    def __str__(self) -> str:
        """The formula as written."""
        return self.text

    def __call__(
        self, values: Mapping[str, torch.Tensor], options: Mapping[str, Sequence[str]] | None = None
    ) -> torch.Tensor:
        """The value, broadcast over the values' shapes; a 0-dim tensor where the formula has no names.

        Args:
            values: name → tensor. A category's tensor holds option codes: places in `options[name]`, −1 for unknown
                (equal to no option).
            options: name → its options in code order, for each name compared with a text.

        Raises:
            FormulaError: a name has no value, or is compared with an option that it does not have.
        """
        import torch

        if faults := [*_missing(self, values), *_strange(self, options or {})]:
            raise FormulaError(*faults)
        tensors = {name: torch.as_tensor(values[name]) for name in self.names}
        floating = [tensor.dtype for tensor in tensors.values() if tensor.dtype.is_floating_point]
        dtype = reduce(torch.promote_types, floating) if floating else torch.get_default_dtype()
        tensors = {name: tensor.to(dtype) for name, tensor in tensors.items()}
        like = next(iter(tensors.values()), torch.zeros((), dtype=dtype))
        return _Run(torch, tensors, options or {}, like)(self.tree)

    def affine_in(self, name: str) -> bool:
        """Whether the value is surely `a + b · name`, with a and b free of `name`; False where not sure.

        Where it is, putting a mean in for `name` gives the mean of the formula.

        >>> parse("(worth - price) * sold").affine_in("sold"), parse("sold ** 2").affine_in("sold")
        (True, False)
        """
        return _degree(self.tree, name) < 2

    def replace(self, name: str, other: Formula) -> Formula:
        """The formula with `other` put in wherever `name` stands.

        >>> parse("gain - cost").replace("cost", parse("2 * calls")).text
        'gain - 2 * calls'
        """
        if name not in self.names:
            return self
        tree: ast.expr = _Replace(name, other.tree).visit(deepcopy(self.tree))
        return _formula(ast.unparse(tree), tree)


def parse(text: str) -> Formula:
    """Check a formula and make it ready to run.

    Args:
        text: the formula; line breaks count as spaces.

    Raises:
        FormulaError: with one fault for each part that is not allowed, its place's column counted in `text` from 1.
    """
    line = " ".join(text.split("\n")).replace("\t", " ").replace("\r", " ")
    body = line.strip(" ")
    tree = _tree(body)
    faults = [
        _fault(body, problem.found, problem.rule, problem.cure, problem.node)
        for problem in sorted(_problems(tree, body), key=lambda problem: problem.node.col_offset)
    ]
    if faults:
        raise FormulaError(*faults)
    return _formula(body, tree)


def total(formulas: Sequence[Formula]) -> Formula:
    """The sum of formulas, nested no deeper than it must be; 0 where there are none."""
    trees = [formula.tree for formula in formulas] or [ast.Constant(0)]
    while len(trees) > 1:
        pairs = [ast.BinOp(a, ast.Add(), b) for a, b in zip(trees[::2], trees[1::2], strict=False)]
        trees = [*pairs, *trees[2 * len(pairs) :]]
    return _formula(ast.unparse(trees[0]), trees[0])


def _formula(text: str, tree: ast.expr) -> Formula:
    compared: dict[str, set[str]] = {}
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and (pair := _option(node)):
            compared.setdefault(pair[0].id, set()).add(pair[1])
            inside.add(id(pair[0]))
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions]
    numeric = frozenset(node.id for node in used if id(node) not in inside)
    options = {name: frozenset(texts) for name, texts in compared.items()}
    return Formula(text, tree, frozenset(node.id for node in used), numeric, options)


def _option(node: ast.Compare) -> tuple[ast.Name, str] | None:
    match node:
        case ast.Compare(ast.Name() as name, [ast.Eq() | ast.NotEq()], [ast.Constant(str(option))]):
            return name, option
        case ast.Compare(ast.Constant(str(option)), [ast.Eq() | ast.NotEq()], [ast.Name() as name]):
            return name, option
    return None


# Checking ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Problem:
    node: Any  # an ast.expr, or anything with a col_offset
    found: str
    cure: str = ""
    rule: str = _RULE


@dataclass(frozen=True)
class _At:
    col_offset: int


def _tree(text: str) -> ast.expr:
    if not text:
        raise FormulaError(_fault(text, "found nothing", "A formula must not be empty"))
    if len(text) > MAX_LENGTH:
        raise FormulaError(_fault(text, f"found {len(text)} characters", f"At most {MAX_LENGTH} are allowed"))
    for mark, cure in (("\\", ""), ("\0", ""), ("&&", "Write 'and'."), ("||", "Write 'or'.")):
        if mark in text:
            at = _At(len(text[: text.index(mark)].encode(errors="replace")))
            raise FormulaError(_fault(text, f"found {mark!r}", _RULE, cure, at))
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise FormulaError(_unreadable(text, error)) from None
    comment = text.encode().find(b"#", tree.end_col_offset or 0)
    if comment >= 0:
        raise FormulaError(_fault(text, "found a comment", "A formula holds no comment", "", _At(comment)))
    _limit(text, tree)
    return tree


def _unreadable(text: str, error: BaseException) -> Fault:
    offset = getattr(error, "offset", None) or 1
    before = text[: max(offset - 1, 0)].encode(errors="replace")
    reason = str(getattr(error, "msg", "") or "nested too deeply, or not text")
    single = "=" in reason and "==" in reason
    cure = "Write == to compare." if single else "Check brackets, and that an operator stands between values."
    return _fault(text, "it cannot be read: " + reason.split(".")[0], _RULE, cure, _At(len(before)))


def _limit(text: str, tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    count = depth = 0
    while level:
        count, depth = count + len(level), depth + 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if count > MAX_NODES or depth > MAX_DEPTH:
        found = f"found {count} parts nested {depth} deep"
        rule = f"At most {MAX_NODES} parts, nested {MAX_DEPTH} deep, are allowed"
        raise FormulaError(_fault(text, found, rule, "Move parts of it into parameters or lever costs."))


def _fault(text: str, found: str, rule: str, cure: str = "", node: Any = None) -> Fault:
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
        case ast.BinOp(_, ast.Pow(), right) if (exponent := _number(right)) is None or abs(exponent) > MAX_EXPONENT:
            rule = f"An exponent must be a number from -{MAX_EXPONENT} to {MAX_EXPONENT}"
            yield _Problem(right, "found a power whose exponent is not allowed", "", rule)
            yield from _problems(node.left, text)
        case ast.Compare() if pair := _option(node):
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
            return all(type(each) in _COMPARE for each in operators)
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
            rule = f"{name} takes {fewest}" + (" or more" if most > fewest else "")
            yield _Problem(node, f"found {name} with {len(node.args)} arguments", "", rule)
        yield from (problem for argument in node.args for problem in _problems(argument, text))


def _forbidden(node: ast.expr) -> _Problem:
    operators = [*getattr(node, "ops", [])] or [getattr(node, "op", None)]
    for kind in (node, *operators):
        if type(kind) in _CURES:
            found, cure = _CURES[type(kind)]
            return _Problem(node, f"found {found}", cure)
    return _Problem(node, f"found Python's {type(node).__name__}")


def _number(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value) if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        case ast.UnaryOp(ast.USub(), operand) if (value := _number(operand)) is not None:
            return -value
    return None


def _missing(formula: Formula, values: Mapping[str, Any]) -> Iterator[Fault]:
    for name in sorted(formula.names - values.keys()):
        yield _fault(formula.text, f"no value was given for {name!r}", "Each name needs one", nearest(name, values))


def _strange(formula: Formula, options: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    for name, texts in sorted(formula.compared.items()):
        for text in sorted(texts - set(options.get(name, ()))):
            rule = f"It must be an option of {name!r}"
            yield _fault(formula.text, f"found the unknown option {text!r}", rule, nearest(text, options.get(name, ())))


# Running -------------------------------------------------------------------------------------------------------------


class _Replace(ast.NodeTransformer):
    def __init__(self, name: str, tree: ast.expr) -> None:
        self.name, self.tree = name, tree

    def visit(self, node: ast.AST) -> Any:
        """The node with the tree put in; ast calls this for every node."""
        return self.tree if isinstance(node, ast.Name) and node.id == self.name else self.generic_visit(node)


def _degree(node: ast.expr, name: str) -> int:
    """0: free of `name`; 1: affine in it; 2: anything else."""
    degree = partial(_degree, name=name)
    match node:
        case ast.Name(found):
            return int(found == name)
        case ast.UnaryOp(ast.UAdd() | ast.USub(), operand):
            return degree(operand)
        case ast.BinOp(left, ast.Add() | ast.Sub(), right):
            return max(degree(left), degree(right))
        case ast.BinOp(left, ast.Mult(), right):
            return min(2, degree(left) + degree(right))
        case ast.BinOp(left, ast.Div(), right) if not degree(right):
            return degree(left)
        case ast.BinOp(left, ast.Pow(), right) if _number(right) == 1:
            return degree(left)
        case ast.IfExp(test, then, otherwise) | ast.Call(ast.Name("where"), [test, then, otherwise]) if not degree(
            test
        ):
            return max(degree(then), degree(otherwise))
    return 2 * any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))


@dataclass(frozen=True)
class _Run:
    """One evaluation: tensors of one dtype and device, walked node by node; `lib` is torch, loaded late."""

    lib: Any
    values: Mapping[str, torch.Tensor]
    options: Mapping[str, Sequence[str]]
    like: torch.Tensor

    def __call__(self, node: ast.expr, live: torch.Tensor | None = None) -> torch.Tensor:
        """The node's value; `live` marks where the enclosing conditions chose this branch."""
        match node:
            case ast.Constant(int() | float() as value):
                return self._constant(value)
            case ast.Name(name):
                return self.values[name]
            case ast.UnaryOp(operator, operand):
                return self._unary(operator, self(operand, live))
            case ast.BinOp(left, ast.Pow(), right):
                power: torch.Tensor = self._tame(self(left, live), live) ** float(_number(right) or 0)
                return power
            case ast.BinOp(left, operator, right):
                return self._arithmetic(operator, self(left, live), self(right, live), live)
            case ast.Compare():
                return self._compare(node, live)
            case ast.BoolOp(operator, parts):
                pick = self.lib.minimum if isinstance(operator, ast.And) else self.lib.maximum
                truth: torch.Tensor = reduce(pick, [self._truth(self(part, live)) for part in parts])
                return truth
            case ast.IfExp(test, then, otherwise) | ast.Call(ast.Name("where"), [test, then, otherwise]):
                return self._choose(test, then, otherwise, live)
            case ast.Call(ast.Name(name), arguments):
                return self._call(name, [self(argument, live) for argument in arguments], live)
        raise FormulaError(Fault("formula", f"found {type(node).__name__}", _RULE))  # parse() lets none through

    def _constant(self, value: float) -> torch.Tensor:
        constant: torch.Tensor = self.lib.full((), value, dtype=self.like.dtype, device=self.like.device)
        return constant

    def _tame(self, value: torch.Tensor, live: torch.Tensor | None) -> torch.Tensor:
        """1 where the branch was not chosen, so that no infinity or NaN there spoils the gradient."""
        return value if live is None else self.lib.where(live, value, self._constant(1))

    def _truth(self, value: torch.Tensor) -> torch.Tensor:
        """1 or 0, NaN where the value is."""
        return self.lib.where(value.isnan(), value, (value != 0).to(value.dtype))

    def _unary(self, operator: ast.unaryop, value: torch.Tensor) -> torch.Tensor:
        if isinstance(operator, ast.Not):
            return 1 - self._truth(value)
        return -value if isinstance(operator, ast.USub) else value

    def _arithmetic(
        self, operator: ast.operator, left: torch.Tensor, right: torch.Tensor, live: torch.Tensor | None
    ) -> torch.Tensor:
        match operator:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
        return left / self._tame(right, live)

    def _compare(self, node: ast.Compare, live: torch.Tensor | None) -> torch.Tensor:
        if pair := _option(node):
            code = self.options[pair[0].id].index(pair[1])
            return self._flag(node.ops[0], self.values[pair[0].id], self._constant(code))
        sides = [self(side, live) for side in (node.left, *node.comparators)]
        flags = [self._flag(*each) for each in zip(node.ops, sides, sides[1:], strict=False)]
        return reduce(lambda a, b: a * b, flags)

    def _flag(self, operator: ast.cmpop, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        flag = _COMPARE[type(operator)](left, right).to(self.like.dtype)
        return self.lib.where(left.isnan() | right.isnan(), self._constant(nan), flag)

    def _choose(self, test: ast.expr, then: ast.expr, otherwise: ast.expr, live: torch.Tensor | None) -> torch.Tensor:
        condition = self(test, live)
        yes, no = condition != 0, condition == 0
        if live is not None:
            yes, no = yes & live, no & live
        chosen = self.lib.where(condition != 0, self(then, yes), self(otherwise, no))
        return self.lib.where(condition.isnan(), condition, chosen)

    def _call(self, name: str, arguments: list[torch.Tensor], live: torch.Tensor | None) -> torch.Tensor:
        torch, first = self.lib, arguments[0]
        result: torch.Tensor
        if name in {"min", "max"}:
            result = reduce(torch.minimum if name == "min" else torch.maximum, arguments)
        elif name == "clip":
            result = torch.minimum(torch.maximum(first, arguments[1]), arguments[2])
        else:
            result = getattr(torch, name)(self._tame(first, live) if name in _RISKY else first)
        return result
