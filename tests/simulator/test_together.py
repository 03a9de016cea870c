"""Sums over rows, against what whole tensors say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.modeler import Link
from drivetrain.simulator import Asked, Simulator, jackknife, tally

from .conftest import known

FRAME = pd.DataFrame({"x": np.linspace(-1, 1, 11), "region": pd.Series(["north"] * 11, dtype=object)})
ONE = np.array([[4.0, 1.0]])
OTHER = np.column_stack([np.linspace(0, 10, 11), np.arange(11) % 2])


@pytest.fixture
def shop(simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch) -> Simulator:
    monkeypatch.setattr("drivetrain.simulator.simulator.ROWS_AT_ONCE", 4)
    monkeypatch.setattr("drivetrain.simulator.together.CELLS_IN_CACHE", 6)
    model = known("bought", Link(kind="binary"), lambda f, x, p, c: 0.3 + 0.1 * f * x - 0.02 * p + 0.1 * c)
    return simulate("price * bought + x", {"bought": {"kind": "binary"}}, [model])


def test_sums_in_parts_are_sums_of_the_whole(shop: Simulator) -> None:
    crowd = shop.crowd(FRAME)
    found = tally(shop, Asked(shop.crowds(FRAME), ONE), 11, Asked(shop.crowds(FRAME), OTHER))
    here, there = shop.grid(crowd, ONE), shop.paired(crowd, OTHER)
    assert found.rows == 11
    for name, values in {"objective": here.objective, **here.outcomes}.items():
        total = values.double().sum((1, 2))
        assert found.total(name) == pytest.approx((float(total.mean()), float(jackknife(total, shop.folds))), rel=1e-5)
    gain = (here.objective - there.objective).double()
    assert found.gain == pytest.approx((float(gain.sum((1, 2)).mean()), float(jackknife(gain.sum((1, 2)), shop.folds))))
    chance = torch.special.ndtr(-gain.mean(0) / jackknife(gain, shop.folds).clamp(min=1e-30))
    assert found.worse == pytest.approx(float(chance.sum()), rel=1e-4)
    assert found.quantile(0.5) == pytest.approx([float(here.mean().median())])


def test_a_number_may_be_what_rows_are_compared_with(shop: Simulator) -> None:
    found = tally(shop, Asked(shop.crowds(FRAME), ONE), 11, 0.5)
    assert found.gain is not None
    assert found.gain[0] == pytest.approx(found.total("objective")[0] - 11 * 0.5)
    assert tally(shop, Asked(shop.crowds(FRAME), ONE), 11).gain is None


def test_rows_that_stay_as_they_are_are_not_worse_off(shop: Simulator) -> None:
    """Half of them were said to be, as a coin that members toss; on two ways of reckoning the toss was uneven too."""
    crowds, stay = lambda: shop.crowds(FRAME), np.tile(ONE, (11, 1))
    assert tally(shop, Asked(crowds(), ONE), 11, Asked(crowds(), ONE)).worse == 0
    unmoved = tally(shop, Asked(crowds(), stay), 11, Asked(crowds(), ONE))
    assert (unmoved.worse, unmoved.gain) == (0, (0, 0))
    some = np.where(np.arange(11)[:, None] < 4, [[9.0, 1.0]], ONE)
    alone = tally(shop, Asked(shop.crowds(FRAME.iloc[:4]), some[:4]), 4, Asked(shop.crowds(FRAME.iloc[:4]), ONE)).worse
    assert tally(shop, Asked(crowds(), some), 11, Asked(crowds(), ONE)).worse == pytest.approx(alone)


def test_errors_that_all_rows_share_do_not_average_out(simulate: Callable[..., Simulator]) -> None:
    model = known("bought", Link(kind="binary"), lambda f, x, p, c: 0.3 + 0.1 * f + 0 * x * p * c)
    shop = simulate("bought", {"bought": {"kind": "binary"}}, [model])
    many = pd.concat([FRAME] * 10, ignore_index=True)
    few, all_ = (tally(shop, Asked(shop.crowds(rows), ONE), len(rows)).total("objective")[1] for rows in (FRAME, many))
    assert all_ == pytest.approx(10 * few)


def test_quantiles_come_from_rows_evenly_taken(shop: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivetrain.simulator.together.MOST_SAMPLED", 5)
    found = tally(shop, Asked(shop.crowds(FRAME), ONE), 11)
    whole = shop.grid(shop.crowd(FRAME), ONE).mean()[:, 0].double().numpy()
    assert np.concatenate(found.sampled) == pytest.approx(whole[::2])
