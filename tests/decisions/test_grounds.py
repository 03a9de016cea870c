"""What a value rests on, in words: alarms are told first, and every kind of check has its sentence."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from drivetrain.decisions import grounds, reasons
from drivetrain.evidence import Evidence, judge
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

TEXT = """\
objective: {maximise: 10 * y - price, unit: EUR}
levers: {price: {kind: continuous, min: 0, max: 4, do_nothing: 1}}
inputs: {x: {kind: numeric}, z: {kind: numeric}}
outcomes: {y: {kind: numeric}}
assignment: {design: DESIGN}
"""


def bends(x, at):
    return 1 - 0.2 * (at[..., 0] - 2.5) ** 2 + 0.3 * x[..., 0]


def evidence(design: str, *, leans: float = 0.0, hidden: float = 0.0) -> tuple[object, Evidence]:
    """Prices that lean on x, and on something hidden of which z is a trace that no price can have changed."""
    scenario, draw = declare(TEXT.replace("DESIGN", design)), np.random.default_rng(5)
    x, unseen = draw.normal(size=900), draw.normal(size=900)
    price = np.clip(2 + leans * x + hidden * unseen + draw.normal(size=900), 0, 4)
    frame = pd.DataFrame({"x": x, "z": unseen + draw.normal(size=900)})
    frame["y"] = 1 - 0.2 * (price - 2.5) ** 2 + 0.3 * x + hidden * unseen + 0.5 * draw.normal(size=900)
    table = as_table(scenario, frame, price)
    return scenario, judge(stand_in(scenario, {"y": bends}, Support.fit(scenario.space, table.settings)), table)


def test_a_draw_that_was_one_raises_no_alarm_and_is_told_in_full() -> None:
    scenario, told = evidence("randomised")
    assert told.grade == "randomised"
    assert grounds.alarms(scenario, told) == []
    text = " ".join(grounds.sentences(scenario, told))
    for part in ("as befits a draw", "Estimators agree", "rows speak", "bootstrap", "shuffled price", "of noise"):
        assert part in text
    assert len(grounds.lines(told)) == 7
    assert grounds.lines(told)[3][3] == "–"
    assert not re.search(r"nan|inf\b|\{|\}", text)


def test_noise_has_no_chance_to_tell_and_moves_no_effect_by_an_error() -> None:
    _, told = evidence("randomised")
    assert told.trust is not None
    (noise,) = (check for check in told.trust.checks if check.kind == "random_cause")
    assert noise.chance is None
    assert not noise.alarm
    others = [check.chance for check in told.trust.checks if check is not noise]
    assert all(chance is not None and 0 <= chance <= 1 for chance in others)


def test_a_draw_that_was_none_is_called_out() -> None:
    scenario, told = evidence("randomised", leans=0.6)
    assert told.grade == "adjusted"
    alarm = grounds.alarms(scenario, told)[0]
    assert alarm.startswith("Declared as drawn at random, but inputs foretell")
    assert "x most" in alarm
    assert alarm in reasons.verdict(scenario, told)
    assert told.trust is not None
    assert told.trust.source == "learned"


def test_a_negative_control_that_goes_along_lowers_the_grade() -> None:
    scenario, told = evidence("observational, negative_controls: [z]", leans=0.6, hidden=0.6)
    assert told.grade == "associational"
    assert any("z, which price cannot have changed, goes along" in line for line in grounds.alarms(scenario, told))
    _, fine = evidence("observational, negative_controls: [z]", leans=0.6)
    assert fine.grade == "adjusted"


def test_an_unseen_influence_is_measured_by_the_strongest_input() -> None:
    scenario, told = evidence("observational", leans=0.6)
    assert told.trust is not None
    unseen = told.trust.beside.sensitivity
    assert unseen is not None
    assert unseen.strongest == "x"
    text = " ".join(grounds.sentences(scenario, told))
    assert "times as strong as x" in text
    assert "something unrecorded would have to explain" in text
