"""Levers that act on each other, where it is known how."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from drivetrain.simulator.interplay import apart, interplay
from tests.stand_ins import anywhere, declare, stand_in

DECLARED = """\
objective: {maximise: sold}
levers:
  a: {kind: continuous, min: 0, max: 1}
  b: {kind: continuous, min: 0, max: 1}
  c: {kind: yes_no}
inputs: {size: {kind: numeric}}
outcomes: {sold: {kind: numeric}}
"""


def test_only_the_product_is_an_interplay() -> None:
    scenario, random = declare(DECLARED), np.random.default_rng(0)

    def sold(x: object, s: object) -> object:
        return x[..., 0] + 2 * s[..., 0] + 4 * s[..., 0] * s[..., 1] + s[..., 2]  # type: ignore[index]

    known = stand_in(scenario, {"sold": sold}, anywhere(scenario.space))
    frame = pd.DataFrame({"size": random.normal(size=400)})
    settings = np.column_stack([random.random((400, 2)), random.integers(0, 2, 400)])
    found = interplay(known, frame, settings, 1)
    assert [each["levers"] for each in found[:1]] == [["a", "b"]]
    assert found[0]["share"] > 0.05
    assert all(each["size"] == pytest.approx(0, abs=1e-5) for each in found[1:])
    a, b = (np.unique(np.quantile(settings[:, k], np.linspace(0.05, 0.95, 5), method="nearest")) for k in (0, 1))
    want = 4 * np.outer(a - a.mean(), b - b.mean())
    assert found[0]["size"] == pytest.approx(np.sqrt(np.mean(want**2)), rel=1e-4)


def test_shares_run_from_sums_to_products() -> None:
    assert apart(np.add.outer(np.arange(4.0), np.arange(3.0)))[1] == pytest.approx(0)
    assert apart(np.array([[1.0, -1.0], [-1.0, 1.0]]))[1] == 1
    assert apart(np.ones((2, 2)))[1] == 0


def test_one_lever_has_nobody_to_act_on() -> None:
    one = declare(DECLARED.replace("  b: {kind: continuous, min: 0, max: 1}\n  c: {kind: yes_no}\n", ""))
    known = stand_in(one, {"sold": lambda x, s: x[..., 0] + s[..., 0]}, anywhere(one.space))
    assert interplay(known, pd.DataFrame({"size": [1.0]}), np.ones((1, 1)), 0) == []
