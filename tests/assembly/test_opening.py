"""Opening the sealed test: refused unless asked for, counted, written whole, and told everywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import drivetrain as dt
from drivetrain.decisions import last_test, verify
from drivetrain.modeler import held_out


@pytest.fixture
def copied(small_run: dt.Run, tmp_path: Path) -> Path:
    assert small_run.folder is not None
    return Path(shutil.copytree(small_run.folder, tmp_path / "copy"))


def test_it_stays_closed_unless_asked_for(copied: Path) -> None:
    before = (copied / "record.json").read_bytes()
    with pytest.raises(dt.RefusedError, match=r"its 60 rows are closed, never opened. .* --open-test") as caught:
        dt.evaluate(copied)
    assert caught.value.exit_code == 5
    with pytest.raises(dt.RefusedError):
        dt.open_run(copied).evaluate()
    assert (copied / "record.json").read_bytes() == before


def test_each_opening_is_counted_and_the_folder_stays_sound(copied: Path) -> None:
    told = dt.evaluate(copied, open_test=True)
    verify(copied)
    assert told.record["test_openings"] == 1
    assert dt.open_run(copied).record == json.loads(json.dumps(told.record))
    assert last_test.openings(told.record).startswith("Opened once, 20")
    again = dt.open_run(copied).evaluate(open_test=True)
    assert again.record["test_openings"] == 2
    assert len(again.record["sealed_test"]["opened"]) == 2
    assert "Opened 2 times" in last_test.sentences(again.scenario, again.record)[-1]
    assert "no longer a first look" in last_test.sentences(again.scenario, again.record)[-1]
    with pytest.raises(dt.RefusedError, match="closed, opened 2 times"):
        dt.evaluate(copied)
    reopened = dt.open_run(copied)
    assert reopened.sealed_test == told.sealed_test
    assert reopened.evidence == told.evidence


def test_a_run_in_memory_is_counted_too(small_run: dt.Run) -> None:
    loose = dt.Run(*(getattr(small_run, n) for n in ("scenario", "table", "simulator", "record", "evidence")),
                   recommendations=small_run.recommendations)  # fmt: skip
    told = loose.evaluate(open_test=True).evaluate(open_test=True)
    assert told.record["test_openings"] == 2
    assert loose.record["test_openings"] == 0
    assert loose.sealed_test is None
    assert told.sealed_test is not None
    assert told.sealed_test.rows == 60


def test_the_models_are_told_by_their_loss_on_sealed_rows(small_run: dt.Run, copied: Path) -> None:
    loss = dt.evaluate(copied, open_test=True).record["sealed_test"]["losses"]["bought"]
    test = small_run.table.test
    outlook = small_run.simulator.paired(small_run.simulator.crowd(test.frame), test.settings)
    chance = outlook.outcomes["bought"].mean(0)[:, 0].numpy()
    seen = test.frame["bought"].to_numpy()
    expected = -np.log(np.where(seen == 1, chance, 1 - chance)).mean()
    assert loss["loss"] == pytest.approx(expected, abs=1e-6)
    assert loss["rows"] == 60
    entries = small_run.record["contest"]["bought"]["entries"]
    assert loss["promised"] in [entry["loss"] for entry in entries]


def test_rows_of_a_fold_are_judged_by_members_that_have_not_seen_them(small_run: dt.Run) -> None:
    training = small_run.table.training
    (found,) = held_out(small_run.scenario, small_run.simulator.models, training).values()
    told = small_run.record["contest"]["bought"]
    entry = next(each for each in told["entries"] if each["name"] == told["chosen"])
    for fold, loss in enumerate(entry["loss_by_fold"]):
        assert found.loss(training.fold[found.at] == fold) == pytest.approx(loss, abs=1e-6)
        assert found.losses[training.fold[found.at] == fold].mean() == pytest.approx(loss, abs=1e-6)


def test_a_run_without_sealed_rows_or_decisions_is_told_so(small_run: dt.Run) -> None:
    whole = dt.Run(small_run.scenario, small_run.table.training, small_run.simulator, small_run.record,
                   small_run.evidence, small_run.recommendations)  # fmt: skip
    with pytest.raises(dt.UsageError, match=r"it sealed no rows. .* Write data.split.test: 0.2"):
        whole.evaluate(open_test=True)
    trained = dt.Run(small_run.scenario, small_run.table, small_run.simulator, small_run.record)
    with pytest.raises(dt.UsageError, match="only trained"):
        trained.evaluate(open_test=True)


def test_a_changed_folder_is_not_sealed_anew(copied: Path) -> None:
    run = dt.open_run(copied)
    (copied / "rows.parquet").write_bytes(b"other rows")
    with pytest.raises(dt.DataError, match=r"rows.parquet"):
        run.evaluate(open_test=True)


def test_the_report_tells_it_once_it_was_opened(copied: Path, small_run: dt.Run) -> None:
    assert "The sealed test" not in dt.report.html(small_run)
    page = dt.report.html(dt.evaluate(copied, open_test=True))
    assert "<h2>The sealed test</h2>" in page
    assert "On 60 sealed rows, which no model had seen," in page
    assert "opened 1 time:" in page
