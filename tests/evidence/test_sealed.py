"""The sealed test values what was chosen before, without bias, on rows that nothing has seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.evidence import Estimate, judge, judge_sealed
from drivetrain.evidence.sealed import Opened
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

TEXT = """\
objective: {maximise: 10 * y - price}
levers: {price: {kind: integer, min: 0, max: 4, do_nothing: 0}}
inputs: {x: {kind: numeric}}
outcomes: {y: {kind: numeric}}
assignment: {design: DESIGN}
"""


def truth(x, at):
    """The best price is 1 where x is below 0 and 3 above: half pays 1, half pays 3, so its value is 10 − 2."""
    return 1 - 0.2 * (at[..., 0] - 2 - torch.sign(x[..., 0])) ** 2


def hopeful(x, at):
    return truth(x, at) + 0.5


def world(seed: int, response=hopeful, rows: int = 900, design: str = "randomised", chances: bool = False):
    draw, scenario = np.random.default_rng(seed), declare(TEXT.replace("DESIGN", design))
    frame = pd.DataFrame({"x": draw.normal(size=rows)})
    price = draw.integers(0, 5, rows).astype(float)
    frame["y"] = truth(torch.tensor(frame[["x"]].to_numpy()), torch.tensor(price[:, None])).numpy()
    frame["y"] += 0.5 * draw.normal(size=rows)
    table = as_table(scenario, frame, price, np.full(rows, 0.2) if chances else None)
    table = replace(table, fold=np.where(np.arange(rows) % 3 == 0, -1, table.fold))
    return stand_in(scenario, {"y": response}, Support.fit(scenario.space, table.training.settings)), table


def best(table):
    return 2 + np.sign(table.test.frame[["x"]].to_numpy())


@pytest.mark.parametrize(("design", "chances"), [("randomised", False), ("randomised", True), ("observational", False)])
def test_a_hopeful_model_is_corrected_by_the_sealed_rows(design: str, chances: bool) -> None:
    found = []
    for seed in range(12):
        response = hopeful if design == "randomised" else truth  # a learned propensity is only nearly right
        simulator, table = world(seed, response, design=design, chances=chances)
        evidence = replace(judge(simulator, table), recommended="row")
        evidence = replace(evidence, gains={name: Estimate(0.0, 1.0) for name in ("current", "do_nothing", "single")})
        test = judge_sealed(simulator, table, evidence, best(table))
        assert test.rows == 300
        assert [each.name for each in test.policies] == ["current", "do_nothing", "single", "row"]
        assert test.policies[0].estimate.value == pytest.approx(
            float((10 * table.test.frame["y"] - table.test.settings[:, 0]).mean())
        )
        found.append(test.chosen.estimate)
    mean = np.mean([each.value for each in found])
    assert mean == pytest.approx(8, abs=3 * np.std([each.value for each in found]) / np.sqrt(12) + 0.05)
    assert sum(each.low <= 8 <= each.high for each in found) >= 9


def test_training_rows_have_no_say_in_outcomes() -> None:
    simulator, table = world(0)
    evidence = judge(simulator, table)
    one = judge_sealed(simulator, table, evidence, best(table))
    frame = table.frame.assign(y=np.where(table.fold == -1, table.frame["y"], 99.0))
    assert judge_sealed(simulator, replace(table, frame=frame), evidence, best(table)) == one


def test_gains_are_paired_and_beside_their_promise() -> None:
    simulator, table = world(1)
    evidence = judge(simulator, table)
    test = judge_sealed(simulator, table, evidence, best(table))
    assert test.recommended == evidence.recommended
    assert set(test.gains) == {each.name for each in test.policies} - {test.recommended}
    for name, gain in test.gains.items():
        other = next(each for each in test.policies if each.name == name)
        assert gain.value == pytest.approx(test.chosen.estimate.value - other.estimate.value, abs=1e-6)
        assert test.promised_gains[name] == evidence.gains[name]
        assert other.promised == evidence.policy(name).estimate


def test_a_difference_is_told_only_beyond_chance() -> None:
    made = [Opened("row", Estimate(value, 3.0), Estimate(10.0, 4.0), 50).differs for value in (0.1, 0.3, 19.7, 19.9)]
    assert made == [-1, 0, 0, 1]  # 1.96 · 5 = 9.8
