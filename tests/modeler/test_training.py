"""Training: the same seed gives the same weights, bit by bit; what cannot be trained is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from drivetrain.errors import RefusedError
from drivetrain.modeler import EncodedRows, Link
from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.examples import Batches, Examples
from drivetrain.modeler.networks import KINDS
from drivetrain.modeler.training import train
from drivetrain.scenario import Model

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


def fit(kind: str, known: Examples, seed: int, many: int = 2, rows: int | None = None) -> list[Network]:
    """`many` networks, each without a third of the rows of its own."""
    all_rows = np.arange(rows or len(known))
    subsets = [all_rows[all_rows % 3 != m % 3] if rows is None else all_rows for m in range(many)]
    return train(kind, known, subsets, [LINK] * many, SHAPE, SETTINGS, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_one_ensemble(kind: str) -> None:
    first, again, other = ([w for n in fit(kind, examples(70), seed) for w in weights(n)] for seed in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_members_differ() -> None:
    one, two = fit("two_tower", examples(70), 5)
    assert not all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))


def test_a_trained_network_is_frozen_and_has_no_dropout() -> None:
    for network in fit("joint", examples(70), 0):
        assert not any(part.training for part in network.modules())
        assert not any(weight.requires_grad for weight in network.parameters())


def test_many_steps_are_flattened_and_learn_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [w for n in fit("joint", examples(70), 5) for w in weights(n)]
    monkeypatch.setattr("drivetrain.modeler.training.MANY_STEPS", 1)
    flat = [w for n in fit("joint", examples(70), 5) for w in weights(n)]
    torch.testing.assert_close(flat, plain, rtol=1e-3, atol=1e-4)


def test_a_member_is_trained_by_its_own_rows_alone() -> None:
    """Its weights do not change when the rows that it does not see do."""
    known = examples(60)
    seen, unseen = np.arange(40), np.arange(40, 60)
    changed = known.observed.copy()
    changed[unseen] = 1 - changed[unseen]
    other = Examples(known.rows, known.features, changed)
    first, again = (train("two_tower", each, [seen], [LINK], SHAPE, SETTINGS, 3)[0] for each in (known, other))
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))


def test_patience_keeps_the_pass_that_was_best_in_rows_not_learned_from() -> None:
    """Outcomes are noise: every pass after the first few learns them by heart."""
    known, learned, told = examples(120), np.arange(60), np.arange(60, 120)
    settings = Model(epochs=60, batch=16, learning_rate=0.05, weight_decay=0.0)
    shape = Shape((3,), 2, 1, 1, (32,), 2, 0.0)

    def loss(model: Model) -> tuple[float, int]:
        (network,) = train("joint", known, [learned], [LINK], shape, model, 3, [told])
        held = known.take(told)
        linear = network.paired(network.context(held.rows), held.features)
        return float(LINK.loss(linear, LINK.target(held.observed))), network.passes

    patient, passes = loss(settings.model_copy(update={"patience": 4}))
    whole, none = loss(settings)
    assert 1 <= passes < 60
    assert none == 0
    assert patient < whole
    longer, again = loss(settings.model_copy(update={"patience": 60}))
    assert again >= passes
    assert longer <= patient


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"found 19 rows to train on.*at least 20 rows"):
        fit("joint", examples(19), 0, rows=19)


def test_divergence_is_refused() -> None:
    whole = examples(70)
    lost = Examples(whole.rows, torch.full_like(whole.features, torch.nan), whole.observed)
    with pytest.raises(RefusedError, match="training diverged"):
        fit("joint", lost, 0)


def test_each_member_sees_each_of_its_rows_in_every_epoch() -> None:
    rows = torch.arange(20)
    subsets = [torch.arange(0, 20, 2), torch.arange(5)]
    batches = Batches((rows,), torch.stack([rows, rows + 100]), subsets, 5, 0)
    epochs = [[torch.cat(parts, dim=1) for parts in zip(*batches, strict=True)] for _ in range(2)]
    assert len(batches) == 2
    for inputs, targets in epochs:
        assert sorted(inputs[0].tolist()) == list(range(0, 20, 2))
        assert sorted(inputs[1].tolist()) == sorted([*range(5), *range(5)])
        assert torch.equal(targets, inputs + torch.tensor([[0], [100]]))
    assert not torch.equal(epochs[0][0], epochs[1][0])
