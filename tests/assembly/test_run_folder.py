"""Run folders: whole or not at all, the same when read back, and refused when they were changed."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import drivetrain as dt
from drivetrain import scenario as scenarios
from drivetrain.assembly.folder import _yaml
from drivetrain.data.generators import WORLDS
from drivetrain.decisions import seal


@pytest.fixture
def copied(small_run: dt.Run, tmp_path: Path) -> Path:
    assert small_run.folder is not None
    return Path(shutil.copytree(small_run.folder, tmp_path / "copy"))


def test_a_run_reads_back_equal(small_run: dt.Run) -> None:
    assert small_run.folder is not None
    opened = dt.open_run(small_run.folder)
    assert opened.evidence == small_run.evidence
    assert opened.record == json.loads(json.dumps(small_run.record))
    assert opened.scenario.model_dump_json() == small_run.scenario.model_dump_json()
    assert opened.simulator.support == small_run.simulator.support
    pd.testing.assert_frame_equal(opened.table.frame, small_run.table.frame)
    for name in ("settings", "row", "fold"):
        np.testing.assert_array_equal(getattr(opened.table, name), getattr(small_run.table, name))
    assert opened.table.dropped == small_run.table.dropped
    assert opened.table.flags == small_run.table.flags
    one, other = opened.recommendations, small_run.recommendations
    assert one is not None
    assert other is not None
    pd.testing.assert_frame_equal(one.frame, other.frame)
    np.testing.assert_array_equal(one.plan.settings, other.plan.settings)
    assert (one.promise, one.policy, dict(one.remarks)) == (other.promise, other.policy, dict(other.remarks))
    asked = opened.simulate(price=9), small_run.simulate(price=9)
    assert asked[0].estimates["objective"].value == pytest.approx(asked[1].estimates["objective"].value, abs=1e-6)


def test_one_seed_gives_the_same_bytes(small_run: dt.Run, small_scenario: Path, tmp_path: Path) -> None:
    again = dt.run(small_scenario, tmp_path / "again")
    assert small_run.folder is not None
    for kind in ("csv", "parquet", "json", "xlsx"):
        name = f"recommendations.{kind}"
        assert (tmp_path / "again" / name).read_bytes() == (small_run.folder / name).read_bytes()
    assert again.evidence == small_run.evidence


def test_another_seed_gives_other_models(small_run: dt.Run) -> None:
    other = dt.train(small_run.scenario.model_copy(update={"seed": 8}))
    loss = [run.record["contest"]["bought"]["entries"][0]["loss"] for run in (small_run, other)]
    assert loss[0] != loss[1]


@pytest.mark.parametrize(
    "name", ["record.json", "scenario.yaml", "rows.parquet", "recommendations.parquet", "support.json"]
)
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_a_changed_file_is_told(copied: Path, name: str, how: str) -> None:
    path, content = copied / name, (copied / name).read_bytes()
    if how == "gone":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes(content[:middle] + (bytes([content[middle] ^ 1]) + content[middle + 1 :]) * (how == "flipped"))
    with pytest.raises(dt.DataError) as caught:
        dt.open_run(copied)
    assert caught.value.exit_code == 3
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("record.json", "{}"),
        ("record.json", "[]"),
        ("record.json", "{"),
        ("record.json", '{"format": 99}'),
        ("record.json", '{"format": 1, "data": 3}'),
        ("support.json", "{}"),
        ("rows.parquet", "PAR1"),
        ("recommendations.parquet", ""),
    ],
)
def test_a_folder_sealed_with_nonsense_is_told(copied: Path, name: str, content: str) -> None:
    (copied / name).write_text(content)
    seal(copied)
    with pytest.raises(dt.DataError, match="no readable run"):
        dt.open_run(copied)


def test_a_failing_finish_leaves_nothing_or_what_was_there(small_run: dt.Run, tmp_path: Path) -> None:
    from drivetrain.assembly import folder

    def fail(_run: dt.Run, where: Path) -> None:
        (where / "report.html").write_text("half")
        raise RuntimeError("no report")

    with pytest.raises(RuntimeError):
        folder.keep(small_run, tmp_path / "new", lambda _: None, fail)
    assert list(tmp_path.iterdir()) == []
    assert small_run.folder is not None
    old = Path(shutil.copytree(small_run.folder, tmp_path / "old"))
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    with pytest.raises(RuntimeError):
        folder.keep(small_run, old, lambda _: None, fail)
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert dt.open_run(old).evidence == small_run.evidence


def test_a_scenario_changed_in_python_is_kept_as_changed(small_run: dt.Run, tmp_path: Path) -> None:
    changed = small_run.scenario.model_copy(update={"seed": 9, "title": "Another question: what then?"})
    run = dt.train(changed, tmp_path / "trained")
    opened = dt.open_run(tmp_path / "trained")
    assert (opened.scenario.seed, opened.scenario.title) == (9, "Another question: what then?")
    assert opened.scenario.levers == run.scenario.levers
    assert opened.evidence is None
    with pytest.raises(dt.UsageError, match="only trained"):
        opened.recommend(run.table)


def test_what_if_needs_every_lever_and_says_what_it_lacks(small_run: dt.Run, tmp_path: Path) -> None:
    with pytest.raises(dt.UsageError, match="Did you mean 'price'"):
        small_run.simulate(prise=3)
    new = tmp_path / "new.csv"
    new.write_text("income,region\n40,north\n,west\n")
    rows = dt.read_rows(small_run.scenario, new)
    with pytest.raises(dt.UsageError, match="--set price=VALUE"):
        small_run.simulate(rows)
    assert small_run.simulate(rows, price=8).supported
    assert np.isfinite(small_run.simulate(rows, price=15).estimates["objective"].value)
    assert len(small_run.simulate(rows, price=8).frame) == 2


def test_new_rows_without_lever_columns_get_one_line_each_in_order(small_run: dt.Run, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text("income,region\n40,north\n,west\n55,south\n")
    told = small_run.recommend(new)
    assert told.frame["row"].tolist() == [1, 2, 3]
    assert told.promise.rows == 3
    assert told.promise.against == "do_nothing"
    assert told.frame.loc[1, "remarks"] != ""
    assert told.frame.loc[0, "remarks"] == ""
    assert sum(told.remarks.values()) == 2
    new.write_text("region\nnorth\n")
    with pytest.raises(dt.DataError, match="income"):
        small_run.recommend(new)


def test_a_folder_that_cannot_be_replaced_is_told_before_anything_is_learned(
    small_scenario: Path, tmp_path: Path
) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    told: list[str] = []
    for go in (dt.run, dt.train):
        with pytest.raises(dt.UsageError, match="is not a run folder"):
            go(small_scenario, tmp_path, progress=told.append)
    assert told == []


def test_levers_that_the_data_cannot_speak_for_are_told_before_anything_is_learned(
    small_scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivetrain.simulator.support.FEWEST", 10_000)
    monkeypatch.setattr("drivetrain.modeler.fit", lambda *_: pytest.fail("it learned"))
    with pytest.raises(dt.RefusedError, match="no support for any"):
        dt.run(small_scenario)


def test_a_scenario_made_in_python_keeps_the_order_of_its_levers() -> None:
    """Settings are columns in that order: read back in another, a run would take one lever's settings for another's."""
    made = WORLDS["three_levers"].scenario(100)
    back = scenarios.parse(_yaml(made))
    assert list(back.levers) == list(made.levers) != sorted(made.levers)
    assert list(back.inputs) == list(made.inputs)


def test_a_run_leaves_threads_and_seeds_as_it_found_them(small_scenario: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    try:
        dt.train(small_scenario)
        assert torch.get_num_threads() == 2
        assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    finally:
        torch.set_num_threads(threads)


def test_actions_rejected_while_they_are_written_do_not_leave_the_house(
    small_run: dt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIVETRAIN_LOG", f"sqlite:///{tmp_path}/log.sqlite")
    book, asked = small_run.logbook(), dt.DecisionLog.require_approved
    book.approve("Ada", "clear")

    def then_rejected(log: dt.DecisionLog, key: str) -> None:
        asked(log, key)
        log.sign(key, "rejected", "the board", "not yet")

    monkeypatch.setattr(dt.DecisionLog, "require_approved", then_rejected)
    with pytest.raises(dt.RefusedError, match="it was rejected"):
        book.export(tmp_path / "actions.csv")
    assert [each.name for each in tmp_path.glob("*actions*")] == []
    assert book.now.exported == 0
