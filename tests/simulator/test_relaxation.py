"""Bounds hold for every setting in a box, and close in as boxes shrink: functions, formulas, networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from drivetrain.formula import parse
from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.factors import Dot
from drivetrain.modeler.networks import Common, Joint, TwoTower
from drivetrain.simulator import Relaxed, Unbounded

FORMULAS = [
    "a * b - 3 * a / 2 + 1",
    "a ** 2 - b ** 3",
    "exp(a / 2) + sigmoid(2 * b) - log(a + 4)",
    "min(a, b) + max(a, 2 * b) + abs(a - b)",
    "clip(a, 0 - 1, 1) * b",
    "a * b if a > b else b - a",
    "where(a >= 0, sqrt(a + 4), 2) + round(b) - floor(a) + ceil(b)",
    "(a > 0) * b + (b <= 1) * a",
    "a / (b + 5) + 1 / (b + 4)",
    "log1p(a + 3.5) + (a == 2) + (b != 1)",
    "(a + 5) ** 0.5 - (b + 5) ** -1",
]


def drawn(seed: int, width: float, many: int = 6) -> tuple[Tensor, Tensor]:
    draw = np.random.default_rng(seed)
    low = torch.from_numpy(draw.uniform(-3, 3 - width, (many, 2)))
    return low, low + width


def held(of: Callable[[Relaxed | Tensor], Relaxed | Tensor], low: Tensor, high: Tensor, seed: int) -> float:
    """Checks drawn settings against planes and numbers; how far the planes are apart in the middle."""
    box = of(Relaxed.boxes(low, high))
    assert isinstance(box, Relaxed)
    draw = np.random.default_rng(seed)
    for _ in range(40):
        t = torch.from_numpy(draw.choice([-1.0, 1.0, 0.0, draw.uniform(-1, 1)], low.shape))
        value = of((low + high) / 2 + t * (high - low) / 2)
        assert isinstance(value, Tensor)
        value = value.double()
        plane = torch.cat([torch.ones(1, len(t), dtype=torch.float64), t.T])
        plane = (
            plane.reshape(len(plane), *[1] * (value.dim() - 1), -1)
            if value.shape[-1:] == (len(t),)
            else plane[:, :, None]
        )
        room = 1e-5 * (1 + value.abs())
        assert ((box.low * plane).sum(0) <= value + room).all()
        assert ((box.high * plane).sum(0) >= value - room).all()
        assert (box.least <= value + room).all()
        assert (box.most >= value - room).all()
    return float((box.high[0] - box.low[0]).mean())


@pytest.mark.parametrize("text", FORMULAS)
@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), width=st.sampled_from([1.5, 0.3, 0.0]))
def test_formulas(text: str, seed: int, width: float) -> None:
    formula = parse(text)
    low, high = drawn(seed, width)
    held(lambda at: formula({"a": at[:, 0], "b": at[:, 1]}), low, high, seed)


@pytest.mark.filterwarnings("error")
def test_a_product_with_a_matrix_or_a_vector() -> None:
    """Reversing a vector's shape is what torch will soon refuse."""
    low, high = drawn(3, 0.5)
    for shape in ((2, 3), (2,)):
        held(
            lambda at, shape=shape: at @ torch.linspace(-1, 2, int(np.prod(shape))).double().reshape(shape),
            low,
            high,
            3,
        )


@pytest.mark.parametrize("text", FORMULAS[:3])
def test_smooth_formulas_are_bounded_ever_closer_by_the_square(text: str) -> None:
    formula = parse(text)

    def apart(width: float) -> float:
        return held(lambda at: formula({"a": at[:, 0], "b": at[:, 1]}), *drawn(1, width), 1)

    assert apart(0.01) < apart(0.1) / 50 + 1e-12


@pytest.mark.parametrize(
    ("kind", "effect"),
    [(TwoTower, ()), (Common, ()), (Joint, ()), (TwoTower, ((0, 1),)), (Common, ((0, 1),))],
)
def test_networks_as_they_are(kind: type[Network], effect: tuple[tuple[int, int], ...]) -> None:
    torch.manual_seed(3)
    shape = Shape((), 3, 2, 1, (16, 8), 4, 0.3, effect)
    network = kind(shape, torch.zeros(1)).eval()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    from drivetrain.modeler import EncodedRows

    rows = EncodedRows(torch.zeros((4, 0), dtype=torch.int64), torch.randn(4, 3), {})
    with torch.no_grad():
        context = network.context(rows)

        def ask(at: Relaxed | Tensor) -> Relaxed | Tensor:
            told = network.grid(context, at if isinstance(at, Relaxed) else at.float())  # type: ignore[arg-type]
            return torch.sigmoid(told[..., 0])

        wide, near = (held(ask, *drawn(2, width), 2) for width in (0.5, 0.01))
    assert near < wide / 20


def test_what_has_no_bound_says_so() -> None:
    low, high = torch.tensor([[-1.0, 0.0]]).double(), torch.tensor([[1.0, 1.0]]).double()
    box = Relaxed.boxes(low, high)
    for text in ("log(a)", "1 / a", "sqrt(a)"):
        with pytest.raises(Unbounded):
            parse(text)({"a": box[:, 0]})  # type: ignore[dict-item]
    network = Dot(Shape((), 1, 1, 1, (), 2, 0.0, (), ((0, 5),)), torch.zeros(1)).eval()
    with pytest.raises((Unbounded, AttributeError, TypeError, RuntimeError)):
        network.settings(box)  # type: ignore[arg-type]
