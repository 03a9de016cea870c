"""Constraints in words."""

from __future__ import annotations

from drivetrain.decisions.bounded import lines
from tests.stand_ins import declare

TEXT = """\
objective: {maximise: y - price}
levers:
  price: {kind: continuous, min: 0, max: 10, do_nothing: 0, at_most: 2 * x, when: x > 1}
  size: {kind: integer, min: 0, max: 4, frozen: true}
inputs: {x: {kind: numeric, bins: [2]}}
outcomes: {y: {kind: numeric}}
constraints:
  - {name: quota, total: price, by: [x], at_most: {below 2: 5, 2 and above: 7}, unit: EUR}
  - {name: load, ratio: {of: price, to: y}, at_most: 0.5}
"""


def test_groups_ratios_and_what_levers_say_of_rows() -> None:
    scenario = declare(TEXT)
    told = lines(scenario, {"quota (below 2)": 0.25, "quota (2 and above)": 0.0, "load": 3.0}, {"quota (below 2)": 4.5})
    assert told == [
        ["quota (below 2)", "total: price for each x", "at most 5 EUR", "4.5 EUR", "0.250 for 1 EUR"],
        ["quota (2 and above)", "total: price for each x", "at most 7 EUR", "–", "0"],
        ["load", "ratio: (price) / (y)", "at most 0.5", "–", "0.0300 for 0.01"],
        ["price", "its setting in each row", "at most 2 * x", "–", "–"],
        ["price", "its setting in each row", "only when x > 1", "–", "–"],
        ["size", "its setting in each row", "stays as it is", "–", "–"],
    ]
    unsolved = lines(scenario, {})
    assert unsolved[0] == ["quota", "total: price for each x", "at most 5 in below 2, 7 in 2 and above", "–", "–"]
