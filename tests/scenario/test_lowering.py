"""What levers say of single rows, in the words that everything else knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.assembly.record import canonical
from drivetrain.errors import ScenarioError
from drivetrain.scenario import Scenario, parse
from drivetrain.scenario.lowering import lowered

from .test_broken import GOOD


def edited(old: str, new: str) -> Scenario:
    assert old in GOOD
    return parse(GOOD.replace(old, new))


def test_a_frozen_lever_that_the_data_tells_is_an_input_and_still_costs() -> None:
    scenario = edited("step: 2, cost", "step: 2, frozen: true, cost")
    assert list(scenario.levers) == ["price", "channel", "gift"]
    assert scenario.inputs["calls"].kind == "numeric"
    assert scenario.columns["calls"] == "calls"
    assert scenario.cost is not None
    assert "calls" in scenario.cost.names
    assert scenario.declared.levers["calls"].frozen
    assert canonical(scenario) == canonical(parse(scenario.text))
    assert '"frozen":true' in canonical(scenario)
    assert scenario.space.names == ("price", "channel", "gift")
    assert lowered(scenario.declared).space.names == ("price", "channel", "gift")
    reseeded = scenario.model_copy(update={"seed": 99})
    assert '"seed":99' in canonical(reseeded)


def test_a_frozen_lever_with_a_setting_stays_a_lever_there() -> None:
    scenario = edited("current: 4", "current: 4, frozen: true")
    assert scenario.levers["price"].frozen
    assert scenario.levers["price"].settled == 4


def test_conditions_and_bounds_hold_for_each_row() -> None:
    scenario = edited("current: no", "current: no, when: calls > 2 and age >= 18")
    rule = scenario.constraints[-1]
    assert (rule.name, rule.over, rule.at_most) == ("gift_when", "each", 0)
    values = {
        "gift": torch.tensor([1.0, 1.0, 0.0]),
        "calls": torch.tensor([4.0, 2.0, 0.0]),
        "age": torch.tensor([30.0, 30.0, 30.0]),
    }
    assert rule.formula(values).tolist() == [0, 1, 0]
    assert len(scenario.declared.constraints) == len(scenario.constraints) - 1
    bounded = edited("current: 4", "at_most: 1.2 * age, at_least: age / 2").constraints[-2:]
    assert [each.name for each in bounded] == ["price_at_most", "price_at_least"]
    told = {"price": torch.tensor([1300.0, 1200.0]), "age": torch.tensor(1000.0)}
    assert bounded[0].formula(told).tolist() == pytest.approx([100 / 1200, 0])


def test_a_condition_on_options_is_read_as_one() -> None:
    text = GOOD.replace("do_nothing: none", "do_nothing: none\n    when: gift")
    assert parse(text).constraints[-1].formula.compared == {"channel": frozenset({"none"})}


def test_something_must_be_left_to_decide() -> None:
    text = GOOD.replace("current: 4", "frozen: true").replace("step: 2,", "frozen: true,")
    text = text.replace("do_nothing: none", "frozen: true").replace("current: no,", "frozen: true,")
    with pytest.raises(ScenarioError, match="found only frozen ones"):
        parse(text)


def test_a_rule_keeps_its_name_for_itself() -> None:
    with pytest.raises(ScenarioError, match="Rename the constraint"):
        parse(GOOD.replace("current: 4", "at_most: age").replace("name: fair", "name: price_at_most"))


def test_a_frozen_lever_is_read_as_an_input(tmp_path) -> None:
    from drivetrain import data
    from drivetrain.scenario import load

    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"a": draw.uniform(0, 9, 100), "b": draw.integers(0, 2, 100), "y": draw.normal(size=100)})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    path = tmp_path / "made.yaml"
    path.write_text(
        "version: 1\nname: made\ntitle: Made\nobjective: {maximise: y - a * b}\nlevers:\n"
        "  a: {kind: continuous, min: 0, max: 10, frozen: true}\n  b: {kind: yes_no, do_nothing: no}\n"
        "outcomes: {y: {kind: numeric}}\ndata: {csv: rows.csv, split: {folds: 2}}\n",
        encoding="utf-8",
    )
    scenario = load(path)
    table = data.load(scenario)
    assert table.settings.shape == (100, 1)
    assert table.frame["a"].tolist() == pytest.approx(frame["a"].tolist())
    assert data.read_rows(scenario, pd.DataFrame({"a": [3.0]})).frame["a"].tolist() == [3]
