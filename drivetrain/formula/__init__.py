"""Arithmetic written in scenario files: checked once against a short whitelist, then run on tensors, differentiably.

Allowed are numbers, names, `+ - * /`, `**` with a constant exponent up to 10, comparisons (worth 1 or 0), `and or not`,
`a if condition else b`, the functions in `FUNCTIONS`, and `name == 'option'` or `name != 'option'` for categories.

Missing values stay missing: NaN in any operand, also of a comparison or condition, gives NaN. The branch that a
condition did not choose contributes neither value nor gradient, so `log(x) if x > 0 else 0` is finite at zero.
Comparisons and `round`, `floor`, `ceil` are steps: their gradient is 0.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from drivetrain.errors import Fault, FormulaError, nearest
from drivetrain.formula.whitelist import FUNCTIONS, fault, number, option, read

if TYPE_CHECKING:
    import torch

__all__ = ["FUNCTIONS", "Formula", "among", "only_where", "parse", "total", "weighted"]


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

        The value of a list that `among` looks into is [..., W]: at most W codes for a row.

        Raises:
            FormulaError: a name has no value, or is compared with an option that it does not have.
        """
        from drivetrain.formula.running import run

        if faults := [*_missing(self, values), *_strange(self, options or {})]:
            raise FormulaError(*faults)
        return run(self.tree, {name: values[name] for name in self.names}, options or {})

    def affine_in(self, *names: str) -> bool:
        """Whether the value is surely `a + Σ b · name`, with a and b free of all `names`; False where not sure.

        Where it is, putting means in for `names` gives the mean of the formula.

        >>> parse("(worth - price) * sold").affine_in("sold"), parse("sold ** 2").affine_in("sold")
        (True, False)
        >>> parse("sold - 3 * returned").affine_in("sold", "returned"), parse("sold * kept").affine_in("sold", "kept")
        (True, False)
        """
        return _degree(self.tree, names) < 2

    def column(self, name: str) -> int | None:
        """The column, from 1, at which a name first stands in the formula as parsed."""
        places = [each.col_offset for each in ast.walk(self.tree) if isinstance(each, ast.Name) and each.id == name]
        return len(self.text.encode()[: min(places)].decode()) + 1 if places else None

    def arguments(self, function: str) -> list[list[str]]:
        """The arguments, as text, of each call of a function.

        >>> parse("profit * annuity(4, interest)").arguments("annuity")
        [['4', 'interest']]
        """
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        return [[ast.unparse(each) for each in n.args] for n in calls if getattr(n.func, "id", "") == function]

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
    return _formula(body, read(body))


def total(formulas: Sequence[Formula]) -> Formula:
    """The sum of formulas, nested no deeper than it must be; 0 where there are none."""
    trees = [formula.tree for formula in formulas] or [ast.Constant(0)]
    while len(trees) > 1:
        pairs = [ast.BinOp(a, ast.Add(), b) for a, b in zip(trees[::2], trees[1::2], strict=False)]
        trees = [*pairs, *trees[2 * len(pairs) :]]
    return _formula(ast.unparse(trees[0]), trees[0])


def weighted(parts: Sequence[tuple[float, Formula]]) -> Formula:
    """The sum of weight times formula.

    >>> weighted([(2.0, parse("gain")), (-0.5, parse("harm + 1"))]).text
    '2.0 * gain + -0.5 * (harm + 1)'
    """
    trees = [ast.BinOp(ast.Constant(weight), ast.Mult(), formula.tree) for weight, formula in parts]
    return total([_formula(ast.unparse(tree), tree) for tree in trees])


def only_where(name: str, value: str | float, formula: Formula) -> Formula:
    """The formula where `name` has a value (for a text: is that option), 0 elsewhere.

    >>> only_where("channel", "sms", parse("2")).text
    "2 if channel == 'sms' else 0"
    """
    test = ast.Compare(ast.Name(name), [ast.Eq()], [ast.Constant(value)])
    tree = ast.IfExp(test, formula.tree, ast.Constant(0))
    return _formula(ast.unparse(tree), tree)


def where_changed(pairs: Sequence[tuple[str, str]], formula: Formula) -> Formula:
    """The formula where the two names of some pair differ, 0 where all agree.

    >>> where_changed([("price", "current_price")], parse("3")).text
    '3 if price != current_price else 0'
    """
    tests: list[ast.expr] = [ast.Compare(ast.Name(one), [ast.NotEq()], [ast.Name(other)]) for one, other in pairs]
    test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
    tree = ast.IfExp(test, formula.tree, ast.Constant(0))
    return _formula(ast.unparse(tree), tree)


def among(name: str, listed: str) -> Formula:
    """1 where the value of `name` is one of those that `listed` holds, else 0; no text of a formula says that.

    >>> among("shown", "bought").text
    'shown in bought'
    """
    tree = ast.Compare(ast.Name(name), [ast.In()], [ast.Name(listed)])
    return _formula(ast.unparse(tree), tree)


def _formula(text: str, tree: ast.expr) -> Formula:
    compared: dict[str, set[str]] = {}
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and (pair := option(node)):
            compared.setdefault(pair[0].id, set()).add(pair[1])
            inside.add(id(pair[0]))
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions]
    numeric = frozenset(node.id for node in used if id(node) not in inside)
    options = {name: frozenset(texts) for name, texts in compared.items()}
    return Formula(text, tree, frozenset(node.id for node in used), numeric, options)


def _missing(formula: Formula, values: Mapping[str, Any]) -> Iterator[Fault]:
    for name in sorted(formula.names - values.keys()):
        yield fault(formula.text, f"no value was given for {name!r}", "Each name needs one", nearest(name, values))


def _strange(formula: Formula, options: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    for name, texts in sorted(formula.compared.items()):
        for text in sorted(texts - set(options.get(name, ()))):
            rule = f"It must be an option of {name!r}"
            yield fault(formula.text, f"found the unknown option {text!r}", rule, nearest(text, options.get(name, ())))


class _Replace(ast.NodeTransformer):
    def __init__(self, name: str, tree: ast.expr) -> None:
        self.name, self.tree = name, tree

    def visit(self, node: ast.AST) -> Any:
        """The node with the tree put in; ast calls this for every node."""
        return self.tree if isinstance(node, ast.Name) and node.id == self.name else self.generic_visit(node)


def _degree(node: ast.expr, names: Collection[str]) -> int:
    """0: free of `names`; 1: affine in them together; 2: anything else."""
    degree = partial(_degree, names=names)
    match node:
        case ast.Name(found):
            return int(found in names)
        case ast.UnaryOp(ast.UAdd() | ast.USub(), operand):
            return degree(operand)
        case ast.BinOp(left, ast.Add() | ast.Sub(), right):
            return max(degree(left), degree(right))
        case ast.BinOp(left, ast.Mult(), right):
            return min(2, degree(left) + degree(right))
        case ast.BinOp(left, ast.Div(), right) if not degree(right):
            return degree(left)
        case ast.BinOp(left, ast.Pow(), right) if number(right) == 1:
            return degree(left)
        case ast.IfExp(test, then, otherwise) | ast.Call(ast.Name("where"), [test, then, otherwise]) if not degree(
            test
        ):
            return max(degree(then), degree(otherwise))
        case ast.Call(ast.Name("present_value"), [amount, periods, rate]) if not degree(periods) + degree(rate):
            return degree(amount)
    return 2 * any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))
