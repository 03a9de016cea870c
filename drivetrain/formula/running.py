"""A checked formula's tree, walked over tensors; imported on a formula's first call, since it loads torch."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import torch
from torch import Tensor

from drivetrain.formula.whitelist import number, option

COMPARE: Final[Mapping[type[ast.cmpop], Callable[[Tensor, Tensor], Tensor]]] = {
    ast.Eq: torch.eq,
    ast.NotEq: torch.ne,
    ast.Lt: torch.lt,
    ast.LtE: torch.le,
    ast.Gt: torch.gt,
    ast.GtE: torch.ge,
}
ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[Tensor, Tensor], Tensor]]] = {
    ast.Add: torch.add,
    ast.Sub: torch.sub,
    ast.Mult: torch.mul,
    ast.Div: torch.div,
}
TINY: Final = 1e-30
SAME: Final = 1e-6
"""A period that is worth the one before but for so little is worth the same."""
RISKY: Final = frozenset({"exp", "log", "log1p", "sqrt"})
"""Functions whose value or gradient can be infinite or NaN."""


def run(tree: ast.expr, values: Mapping[str, Tensor], options: Mapping[str, Sequence[str]]) -> Tensor:
    """The value of a checked tree, in the widest floating dtype of its values (torch's default where none floats)."""
    tensors = {n: value if hasattr(value, "dtype") else torch.as_tensor(value) for n, value in values.items()}
    floating = [tensor.dtype for tensor in tensors.values() if tensor.dtype.is_floating_point]
    dtype = reduce(torch.promote_types, floating) if floating else torch.get_default_dtype()
    tensors = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    return _Run(tensors, options, next(iter(tensors.values()), torch.zeros((), dtype=dtype)))(tree)


@dataclass(frozen=True)
class _Run:
    """One evaluation, node by node; all tensors share the dtype and device of `like`."""

    values: Mapping[str, Tensor]
    options: Mapping[str, Sequence[str]]
    like: Tensor

    def __call__(self, node: ast.expr, live: Tensor | None = None) -> Tensor:
        """The node's value; `live` marks where the enclosing conditions chose this branch."""
        match node:
            case ast.Constant(int() | float() as value):
                return self.constant(value)
            case ast.Name(name):
                return self.values[name]
            case ast.UnaryOp(operator, operand):
                return self.unary(operator, self(operand, live))
            case ast.BinOp():
                return self.binary(node, live)
            case ast.Compare(one, [ast.In()], [ast.Name(listed)]):
                return self.among(self(one, live), self.values[listed])
            case ast.Compare():
                return self.compare(node, live)
            case ast.BoolOp(operator, parts):
                pick = torch.minimum if isinstance(operator, ast.And) else torch.maximum
                return reduce(pick, [_truth(self(part, live)) for part in parts])
            case ast.IfExp(test, then, otherwise) | ast.Call(ast.Name("where"), [test, then, otherwise]):
                return self.choose(test, then, otherwise, live)
            case ast.Call(ast.Name(name), arguments):
                return self.call(name, [self(argument, live) for argument in arguments], live)
        raise AssertionError(ast.dump(node))  # the whitelist lets nothing else through

    def constant(self, value: float) -> Tensor:
        return torch.full((), value, dtype=self.like.dtype, device=self.like.device)

    def tame(self, value: Tensor, live: Tensor | None) -> Tensor:
        """1 where the branch was not chosen, so that no infinity or NaN there spoils the gradient."""
        return value if live is None else torch.where(live, value, self.constant(1))

    def unary(self, operator: ast.unaryop, value: Tensor) -> Tensor:
        if isinstance(operator, ast.Not):
            return 1 - _truth(value)
        return -value if isinstance(operator, ast.USub) else value

    def binary(self, node: ast.BinOp, live: Tensor | None) -> Tensor:
        left = self(node.left, live)
        if isinstance(node.op, ast.Pow):
            return torch.pow(self.tame(left, live), float(number(node.right) or 0))
        right = self(node.right, live)
        return ARITHMETIC[type(node.op)](left, self.tame(right, live) if isinstance(node.op, ast.Div) else right)

    def compare(self, node: ast.Compare, live: Tensor | None) -> Tensor:
        if pair := option(node):
            code = self.options[pair[0].id].index(pair[1])
            return self.flag(node.ops[0], self.values[pair[0].id], self.constant(code))
        sides = [self(side, live) for side in (node.left, *node.comparators)]
        flags = [self.flag(*each) for each in zip(node.ops, sides, sides[1:], strict=False)]
        return reduce(torch.mul, flags)

    def flag(self, operator: ast.cmpop, left: Tensor, right: Tensor) -> Tensor:
        """1 or 0; NaN where a side is."""
        flag = COMPARE[type(operator)](left, right).to(self.like.dtype)
        return torch.where(left.isnan() | right.isnan(), torch.nan, flag)

    def among(self, one: Tensor, listed: Tensor) -> Tensor:
        """1 where a value is one of the last dimension's, else 0."""
        found = torch.zeros_like(one)
        for place in range(listed.shape[-1]):
            found = torch.maximum(found, self.flag(ast.Eq(), one, listed[..., place : place + 1]))
        return found

    def choose(self, test: ast.expr, then: ast.expr, otherwise: ast.expr, live: Tensor | None) -> Tensor:
        condition = self(test, live)
        yes, no = condition != 0, condition == 0
        if live is not None:
            yes, no = yes & live, no & live
        chosen = torch.where(condition != 0, self(then, yes), self(otherwise, no))
        return torch.where(condition.isnan(), torch.nan, chosen)

    def call(self, name: str, arguments: list[Tensor], live: Tensor | None) -> Tensor:
        first = arguments[0]
        if name in {"min", "max"}:
            return reduce(torch.minimum if name == "min" else torch.maximum, arguments)
        if name == "annuity":
            return _annuity(first, arguments[1], arguments[2] if len(arguments) > 2 else self.constant(1))
        if name == "present_value":
            return first * torch.exp(-arguments[1] * torch.log1p(self.tame(arguments[2], live)))
        if name == "clip":
            return torch.minimum(torch.maximum(first, arguments[1]), arguments[2])
        result: Tensor = getattr(torch, name)(self.tame(first, live) if name in RISKY else first)
        return result


def _annuity(periods: Tensor, rate: Tensor, renewal: Tensor) -> Tensor:
    """Σ (renewal / (1 + rate))^t over t = 0, 1, …, periods − 1, and smoothly between whole numbers of periods."""
    step = torch.log(renewal.clamp(min=TINY)) - torch.log1p(rate)
    flat = step.abs() < SAME
    safe = torch.where(flat, torch.ones_like(step), step)
    worth = (1 - torch.exp(periods * safe)) / (1 - torch.exp(safe))
    if flat.numel() == 1:
        return periods if bool(flat) else worth
    return torch.where(flat, periods, worth)


def _truth(value: Tensor) -> Tensor:
    """1 or 0; NaN where the value is; a step, so that no infinite slope passes through it."""
    return torch.where(value.isnan(), torch.nan, (value != 0).to(value.dtype))
