"""Recommendations: what each line says, re-told from the simulator."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from drivetrain.data import Rows
from drivetrain.decisions import locks, read_locks, recommend, write
from drivetrain.decisions.table import COLUMNS, column_of
from drivetrain.errors import DataError, UsageError
from drivetrain.evidence import Estimate, Evidence
from drivetrain.evidence.worth import Judged
from tests.stand_ins import anywhere, declare, stand_in

TEXT = """\
objective: {maximise: 10 * y - gain - reason, unit: EUR}
levers:
  gain: {kind: integer, min: 0, max: 4, do_nothing: 0}
  reason: {kind: yes_no, do_nothing: no}
  medium: {kind: categorical, options: [post, mail], do_nothing: post}
inputs: {x: {kind: numeric}}
outcomes: {y: {kind: numeric}}
"""


def response(x, at):
    return 0.1 * x[..., 0] * at[..., 0] + 0.3 * at[..., 1] + 0.2 * at[..., 2]


def evidence(recommended: str = "row", correction: float = 0.0, error: float = 0.0) -> Evidence:
    fix = Estimate(correction, error)
    judged = Judged(recommended, fix, 0.0, fix, 100.0, True)
    corrections = {name: fix for name in ("do_nothing", "current") if name != recommended}
    return Evidence("randomised", (judged,), recommended, {}, corrections, (1.0, 1.0, 1.0), (), {}, (), 100)


def made(text: str = TEXT):
    scenario = declare(text)
    return stand_in(scenario, {"y": response}, anywhere(scenario.space))


def rows(*x: float) -> Rows:
    many = len(x)
    return Rows(pd.DataFrame({"x": x}), np.full((many, 3), np.nan), np.arange(many) + 7, (), "", "made")


def test_levers_named_like_other_columns_keep_their_settings_and_the_columns_theirs():
    told = recommend(made(), evidence(), rows(0.0, 5.0))
    assert column_of("gain") == "gain_setting"
    assert column_of("medium") == "medium"
    assert told.frame["gain_setting"].tolist() == [0, 4]
    assert told.frame["reason_setting"].tolist() == [True, True]
    assert told.frame["medium"].tolist() == ["mail", "mail"]
    assert told.frame["row"].tolist() == [8, 9]
    assert told.frame["gain"].to_numpy() == pytest.approx([4, 20])
    assert told.frame["objective"].to_numpy() == pytest.approx([4, 20])
    assert set(told.frame.columns) >= COLUMNS
    assert told.frame["reason"][1] == "gain 4, reason yes, medium mail; y 0 → 2.50; +20.0 EUR"


def test_the_promise_adds_up_the_lines_and_what_blind_models_got_wrong():
    told = recommend(made(), evidence(correction=-0.5, error=0.1), rows(0.0, 5.0, 5.0))
    assert told.promise.total.value == pytest.approx(told.frame["objective"].sum() - 1.5)
    assert told.promise.total.error == pytest.approx(0.3)
    assert told.promise.gain is not None
    assert told.promise.gain.value == pytest.approx(told.frame["gain"].sum() - 1.5)
    assert "3 rows by a setting for each row" in repr(told)


def test_minimised_gains_count_in_the_objectives_direction():
    told = recommend(
        made(TEXT.replace("maximise: 10 * y - gain - reason", "minimise: gain + reason - 10 * y")),
        evidence(),
        rows(5.0),
    )
    assert told.frame["objective"][0] == pytest.approx(-20)
    assert told.frame["gain"][0] == pytest.approx(20)
    assert told.promise.gain is not None
    assert told.promise.gain.value == pytest.approx(20)


def test_doing_nothing_is_compared_with_itself():
    told = recommend(made(), evidence("do_nothing"), rows(1.0, 2.0))
    assert told.promise.gain == Estimate(0.0, 0.0)
    assert told.frame["gain"].tolist() == [0, 0]
    assert set(told.frame["medium"]) == {"post"}


def test_without_doing_nothing_the_rows_own_settings_are_the_comparison():
    text = TEXT.replace(", do_nothing: 0", "").replace(", do_nothing: no", "").replace(", do_nothing: post", "")
    blind = recommend(made(text), evidence(), rows(5.0))
    assert blind.promise.gain is None
    assert "gain_low" not in blind.frame
    known = replace(rows(5.0), settings=np.array([[2.0, 0.0, 0.0]]))
    told = recommend(made(text), evidence(), known)
    assert told.promise.against == "current"
    assert told.frame["gain"][0] == pytest.approx(20 - 8)


def test_rows_without_a_current_setting_are_counted_where_it_is_kept():
    text = TEXT.replace(", do_nothing: 0", "")
    some = replace(rows(5.0, 6.0, 7.0), settings=np.array([[2.0, 0, 0], [np.nan, 0, 0], [np.nan, 1, 0]]))
    with pytest.raises(DataError) as caught:
        recommend(made(text), evidence("current"), some)
    said = "columns gain: 2 of 3 rows have no current setting: row 9, 10. "  # the first row here is the source's 8th
    assert str(caught.value).startswith(said)


def test_a_single_setting_that_breaks_a_bound_for_these_rows_gives_way_to_one_that_does_not():
    text = TEXT + "constraints: [{name: cap, total: gain, at_most: 2}]"
    few, many = rows(5.0, 5.0), rows(5.0, 5.0, 5.0)
    assert set(recommend(made(text), evidence("single"), few).frame["gain_setting"]) == {1}
    assert set(recommend(made(text), evidence("single"), many).frame["gain_setting"]) == {0}


def test_segments_are_decided_together():
    text = TEXT.replace("inputs: {x: {kind: numeric}}", "inputs: {x: {kind: numeric}, s: {kind: numeric, bins: [0]}}")
    simulator = made(text + "decide: {unit: segment, by: [s]}")
    frame = pd.DataFrame({"x": [5.0, -1.0, -5.0, -5.0], "s": [1.0, 1.0, np.nan, np.nan]})
    told = recommend(simulator, evidence("segment"), replace(rows(1, 2, 3, 4), frame=frame))
    assert told.frame["gain_setting"].tolist() == [4, 4, 0, 0]


LOCKABLE = TEXT + "constraints: [{name: cap, total: gain, at_most: 10}]"


def test_what_people_fix_stays_and_counts_in_every_total():
    simulator, known = made(LOCKABLE), rows(5.0, 5.0, 5.0)
    given = locks(simulator.scenario, known, {9: {"gain": 4, "reason": "no", "medium": "mail"}})
    told = recommend(simulator, evidence(), known, locked=given)
    assert told.frame["gain_setting"].tolist()[1] == 4
    assert told.frame["gain_setting"].sum() <= 10
    assert told.frame["remarks"].tolist() == ["", "fixed by a person", ""]
    assert told.remarks["fixed by a person"] == 1
    assert "1 of 3 rows fixed by people" in told.plan.method
    kept = recommend(simulator, evidence("do_nothing"), known, locked=given)
    assert kept.frame["gain_setting"].tolist() == [0, 4, 0]
    assert kept.promise.gain is not None
    assert kept.promise.gain.value == pytest.approx(kept.frame["gain"].sum(), rel=1e-4)


def test_locks_that_are_none_are_all_told_at_once():
    simulator, known = made(), rows(5.0, 5.0)
    wrong = {1: {"gain": 1}, 8: {"gain": 99, "reason": "no", "medium": "mail"}, 9: {"gain": 1, "medium": "post"}}
    with pytest.raises(UsageError) as caught:
        locks(simulator.scenario, known, wrong)
    said = str(caught.value)
    assert "found row 1, which is not among the 2 rows" in said
    assert "row 8: gain: found 99" in said
    assert "row 9: found no setting of reason" in said


def test_locks_are_read_from_the_files_that_recommendations_are_written_to(tmp_path: Path):
    simulator, known = made(LOCKABLE), rows(5.0, 5.0, 5.0)
    first = recommend(simulator, evidence(), known)
    for kind in ("csv", "parquet", "json"):
        write(first.frame.iloc[1:], tmp_path / f"kept.{kind}")
        given = locks(simulator.scenario, known, read_locks(simulator.scenario, tmp_path / f"kept.{kind}"))
        assert np.isnan(given[0]).all()
        assert (given[1:] == first.plan.settings[1:]).all()
    first.frame.drop(columns="row").to_csv(tmp_path / "lost.csv")
    with pytest.raises(DataError, match="found no column row"):
        read_locks(simulator.scenario, tmp_path / "lost.csv")
    first.frame.iloc[[0, 1, 1]].to_csv(tmp_path / "twice.csv")
    with pytest.raises(DataError, match="row 9 stands twice"):
        read_locks(simulator.scenario, tmp_path / "twice.csv")
    write(first.frame.assign(row=first.frame["row"] + 0.5), tmp_path / "half.parquet")
    with pytest.raises(DataError, match="cannot be read"):
        read_locks(simulator.scenario, tmp_path / "half.parquet")
    with pytest.raises(DataError, match="cannot be read"):
        read_locks(simulator.scenario, tmp_path / "none.csv")
    with pytest.raises(DataError, match="files are not read"):
        read_locks(simulator.scenario, tmp_path / "none.txt")


OPTION = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=6).map(str.strip)
AWKWARD = st.sampled_from(
    ["-5%", "'-5%", "''=x", "+5%", "=1+1", "@home", "007", "7", "1.0", "NA", "nan", "none", "True"]
)


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(options=st.lists(AWKWARD | OPTION.filter(bool), min_size=2, max_size=5, unique=True))
@example(options=["-5%", "0%", "+5%"])
@example(options=["007", "012", "'-5%", "-5%"])
@example(options=["NA", "EU", "US"])
def test_every_option_comes_back_from_the_file_that_it_was_written_to(tmp_path: Path, kind: str, options: list[str]):
    listed = ", ".join(json.dumps(option, ensure_ascii=False) for option in options)
    scenario = declare(
        f"objective: {{maximise: y}}\nlevers: {{t: {{kind: categorical, options: [{listed}]}}}}\n"
        "outcomes: {y: {kind: numeric}}\nassignment: {design: randomised}\n"
    )
    write(pd.DataFrame({"row": np.arange(len(options)) + 1, "t": options}), tmp_path / f"kept.{kind}")
    told = read_locks(scenario, tmp_path / f"kept.{kind}")
    assert told == {place: {"t": option} for place, option in enumerate(options, 1)}
    assert [scenario.space.parse(told[place])[0] for place in told] == list(range(len(options)))


def test_many_rows_are_decided_in_runs_with_the_same_lines_and_the_same_promise(monkeypatch: pytest.MonkeyPatch):
    simulator, asked = made(), rows(*np.linspace(-5, 5, 11))
    whole = recommend(simulator, evidence(error=0.1), asked)
    monkeypatch.setattr(import_module("drivetrain.decisions.recommend"), "ROWS_AT_ONCE", 4)
    parts = recommend(simulator, evidence(error=0.1), asked)
    pd.testing.assert_frame_equal(parts.frame, whole.frame, rtol=1e-5)
    assert np.array_equal(parts.plan.settings, whole.plan.settings)
    assert parts.plan.gap == whole.plan.gap == 0
    assert parts.promise.total.value == pytest.approx(whole.promise.total.value)
    assert parts.promise.total.error == pytest.approx(whole.promise.total.error)
    assert parts.promise.gain is not None
    assert whole.promise.gain is not None
    assert parts.promise.gain.value == pytest.approx(whole.promise.gain.value)
