"""Factors of users and items: parity with fastai, one matrix product, values that training has not seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fastai.collab import EmbeddingDotBias

from drivetrain.modeler.contract import Shape
from drivetrain.modeler.encoder import EncodedRows
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.factors import Dot, Neural
from drivetrain.modeler.links import Link
from drivetrain.modeler.training import train
from drivetrain.scenario import Model

SHAPE = Shape((7,), 0, 1, 1, (8,), 5, 0.1, coded=((0, 9),))


def rows(codes: torch.Tensor) -> EncodedRows:
    return EncodedRows(codes[:, None], torch.zeros(len(codes), 0), {})


def test_a_dot_of_one_input_and_one_lever_is_fastais() -> None:
    ours, theirs = Dot(SHAPE, torch.tensor([0.5])).eval(), EmbeddingDotBias(5, 7, 9)
    with torch.no_grad():
        for side, weight, bias in (
            (ours.rows, theirs.u_weight, theirs.u_bias),
            (ours.options, theirs.i_weight, theirs.i_bias),
        ):
            both = side.tables[0].weight + side.line.bias
            weight.weight.copy_(both[:, :5])
            bias.weight.copy_(both[:, 5:])
        users, items = torch.arange(7).repeat_interleave(9), torch.arange(9).repeat(7)
        want = theirs(torch.stack([users, items], 1)) + 0.5
        got = ours(users[:, None], torch.zeros(63, 0), items[:, None].float())[:, 0]
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("kind", [Dot, Neural])
@pytest.mark.parametrize("width", [1, 3])
def test_the_grid_is_every_pair(kind: type[Dot] | type[Neural], width: int) -> None:
    shape = Shape((7,), 0, 3, width, (8,), 5, 0.1, coded=((1, 9),))
    network = kind(shape, torch.zeros(width)).eval().requires_grad_(False)
    options = torch.stack([torch.randn(9), torch.arange(9.0), torch.randn(9)], 1)
    users = rows(torch.arange(7))
    grid = network.grid(network.context(users), options)
    for user in range(7):
        alone = network.context(rows(torch.full((9,), user)))
        torch.testing.assert_close(grid[user], network.paired(alone, options), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["dot", "neural"])
def test_what_training_has_not_seen_gets_nothing_of_its_own(kind: str) -> None:
    random = np.random.default_rng(0)
    users, items = random.integers(1, 6, 400), random.integers(0, 8, 400)  # user 6 and item 8 never
    liked = (users % 2 == items % 2).astype(float)
    examples = Examples(rows(torch.from_numpy(users)), torch.from_numpy(items)[:, None].float(), liked)
    link = Link(kind="binary")
    settings = Model(kinds=(kind,), epochs=40, batch=64, learning_rate=0.03, weight_decay=0.01, dropout=0.0)
    trained = train(kind, examples, [np.arange(400)] * 2, [link, link], SHAPE, settings, 1)
    for network in trained:
        for name, seen in network.looked_up(torch.tensor([[6]]), torch.tensor([[8.0]])):
            assert (network.get_parameter(name)[seen[0]] == 0).all()
        told = link.mean(network.paired(network.context(examples.rows), examples.features)).numpy()
        assert ((told > 0.5) == liked).mean() > 0.95
