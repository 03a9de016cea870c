"""What stands in the way: the fewest constraints that conflict, and a loosening that leaves room; both tried out."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings, strategies as st

from drivetrain.errors import Fault, InfeasibleError, ScenarioError
from drivetrain.optimizer import holds, optimise
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

TEXT = """\
objective: {maximise: y - a}
levers:
  a: {kind: integer, min: 0, max: 4}
  b: {kind: yes_no}
inputs: {x: {kind: numeric, bins: [0]}, size: {kind: numeric}}
outcomes: {y: {kind: numeric}}
"""


def simulator(scenario: Scenario) -> Simulator:
    return stand_in(scenario, {"y": lambda x, at: x[..., 0] + at[..., 0] * (1 + at[..., 1])}, anywhere(scenario.space))


def rows(many: int = 10) -> pd.DataFrame:
    x = np.linspace(-1, 1, many)
    return pd.DataFrame({"x": x, "size": 1 + np.abs(x)})


def refused(constraints: str, many: int = 10) -> InfeasibleError:
    known = simulator(declare(f"{TEXT}constraints:\n{constraints}"))
    with pytest.raises(InfeasibleError) as caught:
        optimise(known, known.crowd(rows(many)), np.arange(many))
    assert caught.value.exit_code == 4
    return caught.value


def test_a_bound_out_of_reach_is_named_with_the_nearest() -> None:
    found = refused("  - {name: high, total: a, at_least: 50}\n  - {name: few, total: b, at_most: 9}")
    (fault,) = found.faults
    assert fault.thing == "constraints.high.at_least"
    assert "reach is 40" in fault.rule
    assert "Write at_least: 40" in fault.cure


def test_bounds_that_clash_are_named_without_those_that_do_not() -> None:
    found = refused(
        "  - {name: cost, total: 10 * a, at_most: 100}\n"
        "  - {name: reached, total: a, at_least: 20}\n"
        "  - {name: loose, mean: b, at_most: 0.9}"
    )
    first, second, both = found.faults
    assert (first.thing, second.thing) == ("constraints.cost.at_most", "constraints.reached.at_least")
    assert "reach beside reached.at_least is 200" in first.rule
    assert "reach beside cost.at_most is 10" in second.rule
    assert both.cure == "Write reached.at_least: 10"  # half of itself; the cost would have to double


def test_groups_are_named() -> None:
    found = refused("  - {name: quota, mean: a + 0, by: [x], at_least: {below 0: 5, 0 and above: 1}}")
    assert [fault.thing for fault in found.faults] == ["constraints.quota.at_least (below 0)"]
    assert "reach is 4" in found.faults[0].rule


def test_rows_without_room_are_counted_and_told_what_they_need() -> None:
    found = refused("  - {name: cap, each: a * size, at_least: 6}")
    (fault,) = found.faults
    assert fault.thing == "constraints.cap.at_least"
    assert "no setting meets in 4 of 10 decisions" in fault.found
    assert "Write at_least: 4.44444" in fault.cure


def test_what_holds_for_each_row_can_clash_with_a_sum() -> None:
    found = refused("  - {name: cap, each: a, at_most: 2}\n  - {name: high, mean: a, at_least: 3}")
    assert [fault.thing for fault in found.faults[:2]] == ["constraints.cap.at_most", "constraints.high.at_least"]
    assert "beside high.at_least is 3" in found.faults[0].rule
    assert "beside cap.at_most is 2" in found.faults[1].rule


def test_a_ratio_out_of_reach_is_told_as_a_ratio() -> None:
    found = refused("  - {name: share, ratio: {of: a * size, to: size}, at_least: 4.5}")
    assert "reach is 4" in found.faults[0].rule


def test_whole_settings_that_cannot_meet_a_sum_are_infeasible() -> None:
    found = refused("  - {name: odd, total: 2 * b, at_most: 3.5, at_least: 2.5}", 5)
    assert {fault.thing for fault in found.faults[:2]} == {"constraints.odd.at_most", "constraints.odd.at_least"}


def test_many_decisions_are_diagnosed_too() -> None:
    found = refused("  - {name: cost, total: a, at_most: 1500}\n  - {name: mean, mean: a, at_least: 2}", 1500)
    assert {fault.thing for fault in found.faults[:2]} == {"constraints.cost.at_most", "constraints.mean.at_least"}
    assert "is 3,000" in found.faults[0].rule
    assert "is 1" in found.faults[1].rule
    loose = found.faults[2].cure.removeprefix("Write ").split(": ")
    told = float(loose[1].replace(",", ""))  # one whole decision of room, so that it can be kept
    assert (loose[0] == "mean.at_least" and 0.99 <= told <= 1) or (loose[0] == "cost.at_most" and 3000 <= told <= 3005)


FORMULAS = ["a", "10 * a + b", "y", "a * size", "b * size - a"]


@st.composite
def crowded(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Two to four constraints, most of them too tight together."""
    out: list[dict[str, Any]] = []
    for place in range(draw(st.integers(2, 4))):
        over = draw(st.sampled_from(["each", "total", "mean", "ratio"]))
        formula = draw(st.sampled_from(FORMULAS))
        bound = draw(st.integers(-4, 12)) * (6 if over == "total" else 1)
        key = draw(st.sampled_from(["at_most", "at_least"]))
        by = {"by": ["x"]} if over != "each" and draw(st.booleans()) else {}
        what = {"of": formula, "to": "size"} if over == "ratio" else formula
        out.append({"name": f"c{place}", over: what, key: bound / 2, **by})
    return out


def built(constraints: list[dict[str, Any]]) -> Scenario:

    lines = "".join(f"  - {json.dumps(each)}\n" for each in constraints)
    return declare(TEXT + ("constraints:\n" + lines if lines else ""))


def faults_of(constraints: list[dict[str, Any]]) -> tuple[Fault, ...]:
    """What stands in the way; empty where nothing does, and then all constraints hold."""
    known = simulator(built(constraints))
    crowd = known.crowd(rows(6))
    try:
        plan = optimise(known, crowd, np.arange(6))
    except InfeasibleError as error:
        return error.faults
    assert holds(known, crowd, plan.settings)
    return ()


@given(crowded())
@settings(max_examples=40, deadline=None)
def test_the_conflict_is_irreducible_and_the_loosening_helps(constraints: list[dict[str, Any]]) -> None:
    try:
        faults = faults_of(constraints)
    except ScenarioError:  # a bound that no setting of one lever reaches: refused before anything is asked
        reject()
    if not faults:
        return
    if "whole settings" in faults[0].rule:
        return
    named = {fault.thing.split(".")[1] for fault in faults if fault.thing != "constraints"}
    guilty = [each for each in constraints if each["name"] in named]
    assert faults_of(guilty)
    if not any("by" in each for each in guilty):  # of groups a single one may be guilty
        for fewer in combinations(guilty, len(guilty) - 1):
            assert not faults_of(list(fewer))
    if any("by" in each for each in constraints):
        return
    said = faults[-1].cure if faults[-1].thing == "constraints" else ""
    loose = dict(part.split(": ") for part in said.removeprefix("Write ").split(", ")) if said else {}
    if not loose and len(faults) == 1 and "Write" in faults[0].cure:
        key = faults[0].thing.removeprefix("constraints.")
        loose = {key: faults[0].cure.split(": ")[1].split(", or")[0]}
    changed = [
        each
        | {
            key: float(loose[f"{each['name']}.{key}"])
            for key in ("at_most", "at_least")
            if f"{each['name']}.{key}" in loose
        }
        for each in constraints
    ]
    assert loose
    assert not faults_of(changed)
