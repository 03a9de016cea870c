"""Dropout by bytes is dropout."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from drivetrain.modeler.dropping import SIDES, Drop, cheaper


@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_the_mean_stays_and_the_share_is_left_out(share: float) -> None:
    torch.manual_seed(0)
    out = Drop(share)(torch.ones(400, 1001))
    assert out.mean().item() == pytest.approx(1, abs=0.05)
    assert (out == 0).float().mean().item() == pytest.approx(round(share * SIDES) / SIDES, abs=0.005)
    assert len(out.unique()) == 2


def test_nothing_is_left_out_where_nothing_should_be() -> None:
    values = torch.randn(3, 5)
    assert torch.equal(Drop(0.0)(values), values)
    assert torch.equal(Drop(0.9).eval()(values), values)
    assert not torch.equal(Drop(0.0001)(torch.ones(9999)), torch.ones(9999))  # never rounded to none


def test_gradients_pass_where_values_do() -> None:
    values = torch.ones(64, requires_grad=True)
    out = Drop(0.5)(values)
    out.sum().backward()
    assert torch.equal(values.grad, out.detach())


def test_it_takes_the_place_of_torchs_own_everywhere() -> None:
    whole = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.3), nn.ReLU()), nn.Dropout(0.1))
    cheaper(whole)
    assert [part.out for part in whole.modules() if isinstance(part, Drop)] == [77, 26]
    assert not any(type(part) is nn.Dropout for part in whole.modules())
