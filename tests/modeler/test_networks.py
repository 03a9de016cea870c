"""Networks: one answer, whichever way they are asked."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, strategies as st

from drivetrain.modeler import EncodedRows
from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.networks import KINDS, PAIRS_AT_ONCE

shapes = st.builds(
    Shape,
    st.lists(st.integers(2, 9), max_size=3).map(tuple),
    st.integers(0, 4),
    st.integers(1, 5),
    st.integers(1, 3),
    st.lists(st.integers(1, 8), min_size=1, max_size=2).map(tuple),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.5]),
)


def built(kind: str, shape: Shape) -> Network:
    """A network with weights far from their start, so that every part speaks."""
    torch.manual_seed(0)
    network = KINDS[kind](shape, torch.arange(float(shape.width))).eval().requires_grad_(False)
    for weight in network.parameters():
        weight += 0.5 * torch.randn_like(weight)
    return network


def rows_of(shape: Shape, many: int) -> EncodedRows:
    codes = [torch.randint(0, size, (many,)) for size in shape.sizes]
    return EncodedRows(
        torch.stack(codes, 1) if codes else torch.zeros(many, 0, dtype=torch.int64),
        torch.randn(many, shape.numbers),
        {},
    )


@pytest.mark.parametrize("kind", KINDS)
@given(shape=shapes, rows=st.integers(0, 5), settings=st.integers(1, 4))
def test_grid_paired_and_forward_agree(kind: str, shape: Shape, rows: int, settings: int) -> None:
    network, asked = built(kind, shape), rows_of(shape, rows)
    features = torch.randn(settings, shape.features)
    context = network.context(asked)
    grid = network.grid(context, features)
    assert grid.shape == (rows, settings, shape.width)
    assert torch.equal(network.against(context, network.prepare(features)), grid)
    for g in range(settings):
        own = features[g].expand(rows, -1)
        assert torch.allclose(network.paired(context, own), grid[:, g], atol=1e-4)
        assert torch.allclose(network(asked.codes, asked.numbers, own), grid[:, g], atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_the_rows_gets_the_same_answers(kind: str) -> None:
    shape = Shape((4,), 2, 3, 2, (8,), 3, 0.1)
    network, features = built(kind, shape), torch.randn(5, 3)
    context = network.context(rows_of(shape, 12))
    whole = network.grid(context, features)
    assert torch.allclose(network.grid(context[3:7], features), whole[3:7], atol=1e-5)
    some = torch.tensor([9, 0, 4])
    assert torch.allclose(network.grid(context[some], features), whole[some], atol=1e-5)


def test_the_joint_network_works_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape((4,), 2, 3, 1, (8,), 3, 0.1)
    network, rows, features = built("joint", shape), rows_of(shape, 10), torch.randn(4, 3)
    whole = network.grid(rows, features)
    assert PAIRS_AT_ONCE > 40
    monkeypatch.setattr("drivetrain.modeler.networks.PAIRS_AT_ONCE", 9)
    monkeypatch.setattr("drivetrain.modeler.networks.ROWS_AT_ONCE", 7)
    assert torch.allclose(network.grid(rows, features), whole, atol=1e-5)


def test_two_towers_ask_each_side_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape((4,), 2, 3, 1, (8,), 3, 0.1)
    network = built("two_tower", shape)
    context = network.context(rows_of(shape, 100))
    monkeypatch.setattr(type(network), "tower", lambda *_: pytest.fail("rows were read again"))
    asked: list[int] = []
    settings = type(network).settings
    monkeypatch.setattr(type(network), "settings", lambda self, f: asked.append(len(f)) or settings(self, f))
    network.grid(context, torch.randn(7, 3))
    assert asked == [7]


def test_a_common_response_is_the_same_for_all_rows() -> None:
    shape = Shape((4,), 2, 3, 2, (8,), 3, 0.1)
    network, features = built("common", shape), torch.randn(6, 3)
    grid = network.grid(network.context(rows_of(shape, 9)), features)
    steps = grid - grid[:, :1]
    assert torch.allclose(steps, steps[:1].expand_as(steps), atol=1e-4)
    assert steps.abs().max() > 0.1
    assert grid[:, 0].std() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_network_starts_near_the_average(kind: str) -> None:
    shape = Shape((4,), 2, 3, 3, (8,), 3, 0.1)
    start = torch.tensor([1.0, -2.0, 0.5])
    network = KINDS[kind](shape, start).eval().requires_grad_(False)
    rows = rows_of(shape, 50)
    assert (network.grid(network.context(rows), torch.randn(5, 3)) - start).abs().max() < 0.5
