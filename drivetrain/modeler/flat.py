"""A function of tensors as one flat list of torch's operations, without modules, autograd or vmap around them.

A step of a small network is mostly overhead: Python's, the tape's, the batching rules'. So the function is traced once
(torch.fx) with its gradients in it, what it writes in place is made pure, and then whatever changes nothing, was
computed before, or does not depend on the arguments is taken out of the list. The sums stay the same; random numbers
stay random.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.func import functionalize
from torch.fx import Graph, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

Function = Callable[..., tuple[Tensor, ...]]

_aten = torch.ops.aten
_TURNS = {_aten.transpose.int, _aten.t.default}
_VIEWS = {_aten.view.default, _aten._unsafe_view.default, _aten.expand.default, _aten.permute.default, *_TURNS}
_VIEWS |= {_aten.slice.Tensor, _aten.detach.default, _aten.alias.default, _aten.clone.default}
_FILLED = {_aten.ones_like.default: 1.0, _aten.zeros_like.default: 0.0}


def flatten(function: Function, *example: Tensor) -> Function:
    """The same function for arguments of the same shapes, in half the time and less where they are small.

    Args:
        function: tensors → a tuple of tensors; which operations it runs depends on shapes alone.
        *example: arguments to trace it with.
    """
    with torch.random.fork_rng(devices=()):  # tracing runs the function once
        traced = make_fx(functionalize(function, remove="mutations"))(*example)
    _shorten(traced.graph)
    known = _known(traced.graph, traced)
    return _written(traced.graph, known)


def _random(node: Node) -> bool:
    return torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())


def _shorten(graph: Graph) -> None:
    """Take out views that show what they look at, and operations that repeat an earlier one."""
    earlier: dict[str, Node] = {}
    for node in list(graph.nodes):
        if node.op != "call_function" or _random(node):
            continue
        same = _same_as(node) or earlier.setdefault(f"{node.target}{node.args}{node.kwargs}", node)
        if same is not node:
            node.replace_all_uses_with(same)
            graph.erase_node(node)
    graph.eliminate_dead_code()


def _same_as(node: Node) -> Node | None:
    """The tensor that an operation leaves as it is, such as a view that shows all of it; None where it does not."""
    source: Any = node.args[0] if node.args else None
    if node.target is _aten.mul.Scalar and node.args[1] == 1:
        return source  # type: ignore[no-any-return]
    if node.target not in _VIEWS:
        return None
    there, here = source.meta["val"], node.meta["val"]
    if there.shape == here.shape and there.stride() == here.stride():
        return source  # type: ignore[no-any-return]
    back = node.target in _TURNS and source.target is node.target and source.args[1:] == node.args[1:]
    return source.args[0] if back else None


def _known(graph: Graph, traced: torch.fx.GraphModule) -> dict[Node, Any]:
    """What does not depend on the arguments, computed once."""
    known: dict[Node, Any] = {node: getattr(traced, str(node.target)) for node in graph.nodes if node.op == "get_attr"}
    for node in graph.nodes:
        if node.target in _FILLED:
            known[node] = torch.full_like(torch.empty_strided(*_layout(node)), _FILLED[node.target])
        elif node.op == "call_function" and not _random(node) and all(each in known for each in node.all_input_nodes):
            args, kwargs = map_arg((node.args, node.kwargs), known.__getitem__)
            known[node] = node.target(*args, **kwargs)
    return known


def _layout(node: Node) -> tuple[torch.Size, tuple[int, ...]]:
    return node.meta["val"].shape, node.meta["val"].stride()


def _scattered(gradient: Tensor, at: Tensor, rows: int, padding: int, by_frequency: bool) -> Tensor:
    """`embedding_dense_backward` in half the time where the table is small: [rows, W] sums of what rows were given."""
    if padding >= 0 or by_frequency:
        return _aten.embedding_dense_backward(gradient, at, rows, padding, by_frequency)  # type: ignore[no-any-return]
    width = gradient.shape[-1]
    return gradient.new_zeros(rows, width).index_add_(0, at.reshape(-1), gradient.reshape(-1, width))


_FASTER = {_aten.embedding_dense_backward.default: _scattered}


def _written(graph: Graph, known: dict[Node, Any]) -> Function:
    """The list as Python: a line an operation, called without the wrapper around it; what is done with is let go."""
    names: dict[str, Any] = {node.name: value for node, value in known.items()}
    last = {source: node for node in graph.nodes for source in node.all_input_nodes}
    lines = []
    for node in graph.nodes:
        if node.op == "output":
            lines.append(f" return {_argument(node.args[0], names)}")
        elif node.op == "call_function" and node not in known:
            names[f"{node.name}_"] = _FASTER.get(node.target, getattr(node.target, "_op", node.target))
            keys = (f"{key}={_argument(value, names)}" for key, value in node.kwargs.items())
            arguments = ", ".join(chain((_argument(value, names) for value in node.args), keys))
            lines.append(f" {node.name} = {node.name}_({arguments})")
            done = [each.name for each in node.all_input_nodes if last[each] is node and each not in known]
            lines += [f" del {', '.join(done)}"] if done else []
    given = ", ".join(node.name for node in graph.nodes if node.op == "placeholder")
    exec("\n".join((f"def moved({given}):", *lines)), names)  # noqa: S102 - written here, from torch's own names
    moved: Function = names["moved"]
    return moved


def _argument(value: Any, names: dict[str, Any]) -> str:
    """An argument as Python; what has no plain writing gets a name."""
    if isinstance(value, Node):
        return value.name
    if isinstance(value, tuple | list):
        return f"[{', '.join(_argument(each, names) for each in value)}]"
    if value is None or isinstance(value, bool | int):
        return repr(value)
    names[name := f"given_{len(names)}"] = value
    return name
