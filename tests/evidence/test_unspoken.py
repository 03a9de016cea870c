"""Many levers: hardly a row has settings like the best, so their worth is the models' opinion and is called that."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.decisions import reasons, words
from drivetrain.evidence import judge
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

LEVERS = "".join(f"  v{i}: {{kind: continuous, min: 0, max: 1}}\n" for i in range(7))


def test_the_best_of_seven_levers_is_told_as_an_opinion() -> None:
    head = "objective: {maximise: y, unit: kg}\noutcomes: {y: {kind: numeric}}\ndecide: {unit: once}\n"
    scenario = declare(head + "levers:\n" + LEVERS)
    draw = np.random.default_rng(0)
    logged = draw.uniform(0, 1, (600, 7)).round(3)

    def response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return 10 - ((at - 0.6) ** 2).sum(-1)

    seen = response(torch.zeros(1), torch.from_numpy(logged)).numpy() + draw.normal(0, 0.1, 600)
    support = Support.fit(scenario.space, logged)
    simulator = stand_in(scenario, {"y": response}, support)
    evidence = judge(simulator, as_table(scenario, pd.DataFrame({"y": seen}), logged))
    assert evidence.grade == "unsupported"
    assert evidence.recommended == "single"
    assert evidence.opinion("single")
    assert evidence.single == pytest.approx([0.6] * 7, abs=0.03)
    assert evidence.chosen.estimate.value == pytest.approx(10, abs=0.01)
    assert evidence.policy("current").estimate.value == pytest.approx(seen.mean())
    assert "the data cannot confirm it" in words.headline(scenario, evidence)
    assert words.stance(scenario, evidence).word == "test"
    assert not any("speak for" in line for line in reasons.sentences(scenario, evidence))
