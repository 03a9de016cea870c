"""Training: the same seed gives the same weights, bit by bit; what cannot be trained is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from drivetrain.errors import RefusedError
from drivetrain.modeler import EncodedRows, Link
from drivetrain.modeler.networks import KINDS, Network, Shape
from drivetrain.modeler.training import Batches, Examples, train
from drivetrain.scenario.declarations import Model

SHAPE = Shape((3,), 2, 1, 1, (8,), 2, 0.3)
SETTINGS = Model(epochs=2, batch=16)
LINK = Link(kind="binary")


def examples(rows: int) -> Examples:
    draw = np.random.default_rng(0)
    codes = torch.from_numpy(draw.integers(0, 3, (rows, 1)))
    numbers = torch.from_numpy(draw.normal(size=(rows, 2)).astype(np.float32))
    features = torch.from_numpy(draw.normal(size=(rows, 1)).astype(np.float32))
    return Examples(EncodedRows(codes, numbers, {}), features, draw.integers(0, 2, rows).astype(float))


def weights(network: Network) -> list[torch.Tensor]:
    return [network.state_dict()[key] for key in sorted(network.state_dict())]


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_one_network(kind: str) -> None:
    first, again, other = (weights(train(kind, examples(70), LINK, SHAPE, SETTINGS, seed)) for seed in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_trained_network_is_frozen_and_has_no_dropout() -> None:
    network = train("joint", examples(70), LINK, SHAPE, SETTINGS, 0)
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"found 19 rows to train on.*at least 20 rows"):
        train("joint", examples(19), LINK, SHAPE, SETTINGS, 0)


def test_divergence_is_refused() -> None:
    whole = examples(70)
    lost = Examples(whole.rows, torch.full_like(whole.features, torch.nan), whole.observed)
    with pytest.raises(RefusedError, match="training diverged"):
        train("joint", lost, LINK, SHAPE, SETTINGS, 0)


def test_every_row_is_in_one_batch_of_each_epoch() -> None:
    batches = Batches((torch.arange(10),), 4, 0)
    epochs = [torch.cat([part for (part,) in batches]).tolist() for _ in range(2)]
    assert len(batches) == 3
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]
