"""Risk against numbers that can be written down."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from drivetrain.scenario import Risk
from drivetrain.simulator import averse, jackknife

SAY = torch.tensor([4.0, 1.0, 3.0, 2.0, 5.0], dtype=torch.float64)
OWN = SAY.std(correction=0)


def worth(risk: Risk | None, stretch: float = 1.0) -> float:
    return float(averse(SAY[:, None], stretch * OWN[None], risk)[0])


def test_a_quantile_a_spread_and_a_tail_of_five_members() -> None:
    assert worth(None) == 3
    assert worth(Risk(quantile=0.25)) == pytest.approx(2)
    assert worth(Risk(quantile=0.125)) == pytest.approx(1.5)
    assert worth(Risk(cvar=0.2)) == pytest.approx(1)
    assert worth(Risk(cvar=0.3)) == pytest.approx((1 + 0.5 * 2) / 1.5)
    assert worth(Risk(cvar=0.999999)) == pytest.approx(3, abs=1e-5)
    assert worth(Risk(spread=2)) == pytest.approx(3 - 2 * float(OWN))


def test_differences_are_stretched_to_the_standard_error() -> None:
    assert worth(Risk(quantile=0.25), stretch=2) == pytest.approx(1)
    assert worth(Risk(cvar=0.2), stretch=2) == pytest.approx(-1)
    assert worth(Risk(cvar=0.2), stretch=0) == pytest.approx(1)  # unknown: the members' own differences


def test_members_that_agree_leave_nothing_to_fear() -> None:
    for risk in (Risk(quantile=0.1), Risk(cvar=0.1), Risk(spread=3)):
        assert averse(torch.full((4, 2), 7.0), torch.zeros(2), risk).tolist() == [7, 7]


@given(st.integers(0, 10**6), st.sampled_from([Risk(quantile=0.1), Risk(cvar=0.3), Risk(spread=0.5)]))
def test_fear_never_adds_and_keeps_order_and_scale(seed: int, risk: Risk) -> None:
    values = torch.from_numpy(np.random.default_rng(seed).normal(size=(6, 3)))
    error = jackknife(values, torch.arange(6) // 2)
    told = averse(values, error, risk)
    assert (told <= values.mean(0) + 1e-12).all() or risk.quantile is not None
    assert torch.allclose(averse(3 * values + 2, 3 * error, risk), 3 * told + 2)
