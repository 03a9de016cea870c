"""The commands that examine a run, as a person meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import drivetrain as dt
from drivetrain.cli.commands import app
from drivetrain.decisions import verify
from drivetrain.errors import DrivetrainError


@pytest.fixture
def copied(small_run: dt.Run, tmp_path: Path) -> Path:
    assert small_run.folder is not None
    return Path(shutil.copytree(small_run.folder, tmp_path / "copy"))


def call(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, DrivetrainError):
        raise done.exception
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.stdout


def test_the_sealed_test_is_opened_by_name_only(copied: Path) -> None:
    (copied / "report.html").write_text("old", encoding="utf-8")
    from drivetrain.decisions import seal

    seal(copied)
    with pytest.raises(dt.RefusedError, match="--open-test"):
        call("evaluate", copied)
    shown = call("evaluate", copied, "--open-test")
    assert (copied / "report.html").read_text(encoding="utf-8") != "old"
    verify(copied)
    assert "On 60 sealed rows, which no model had seen," in shown
    assert "Opened once" in shown
    told = json.loads(call("evaluate", copied, "--open-test", "--json"))
    assert told["test_openings"] == len(told["opened"]) == 2
    assert told["judged"]["rows"] == 60
    assert set(told["losses"]) == {"bought"}


def test_surprises_are_shown_and_written(copied: Path, tmp_path: Path) -> None:
    shown = call("surprises", copied, "--top", 3)
    assert [word for word in ("row", "predicted", "observed", "setting", "unusual") if word not in shown] == []
    assert "bought" in shown
    assert "3 lines written" in call("surprises", copied, "--top", 3, "--out", tmp_path / "rows.csv")
    written = pd.read_csv(tmp_path / "rows.csv")
    assert list(written)[:5] == ["row", "action", "column", "value", "note"]
    told = json.loads(call("surprises", copied, "--top", 3, "--json"))
    assert [line["row"] for line in told] == written["row"].tolist()
    with pytest.raises(dt.UsageError, match=r"rows.docx"):
        call("surprises", copied, "--out", tmp_path / "rows.docx")


def test_two_runs_are_compared(copied: Path, small_run: dt.Run) -> None:
    shown = call("compare", small_run.folder, copied)
    assert "on the same 538 rows (0 others left out)" in shown
    assert "within chance" in shown
    (told,) = json.loads(call("compare", small_run.folder, copied, "--json"))
    assert told["better"]["value"] == 0
    assert told["rows"] == 538


def test_models_go_to_fastai(copied: Path, tmp_path: Path) -> None:
    shown = call("export", copied, "--fastai", tmp_path / "export.pkl", "--out", tmp_path / "all.csv")
    assert (tmp_path / "export.pkl").stat().st_size > 1000
    assert "recommendations written" in shown
    assert "loading such a file runs code from it" in shown
    with pytest.raises(dt.UsageError, match="Give --out FILE, or --fastai FILE"):
        call("export", copied)


def test_each_row_has_bounds(copied: Path, tmp_path: Path, small_run: dt.Run) -> None:
    call("simulate", copied, "--set", "price=8", "--out", tmp_path / "rows.csv", "--share", "0.8")
    told = pd.read_csv(tmp_path / "rows.csv")
    assert list(told) == ["row", "price set", "objective", "objective low", "objective high", "bought"]
    assert len(told) == len(small_run.table)
    assert set(told["objective low"]) | set(told["objective high"]) <= {0.0, 4.0}  # a ticket for 8 is sold or not
    assert told["bought"].mean() == pytest.approx(small_run.simulate(price=8).estimates["bought"].value, abs=1e-5)
    with pytest.raises(dt.UsageError, match="--out: found it beside 2 settings"):
        call("simulate", copied, "--set", "price=8,9", "--out", tmp_path / "rows.csv")
    again = small_run.predict({"price": 8}, share=0.8)
    pd.testing.assert_frame_equal(again, told, check_dtype=False, atol=1e-6)
    with pytest.raises(dt.UsageError, match=r"share: found 1\.5"):
        small_run.predict({"price": 8}, share=1.5)


def test_neighbours_are_listed_with_what_they_say(copied: Path) -> None:
    shown = call("neighbours", copied, 8, "--top", 3)
    assert shown.startswith("Of the 200 rows most like it")
    assert len(json.loads(call("neighbours", copied, 8, "--top", 3, "--json"))["rows"]) == 3


def test_explain_says_what_models_rely_on(small_run: dt.Run) -> None:
    said = call("explain", small_run.folder)
    assert "log-loss of bought rises by" in said
    assert "price (lever)" in said
    assert "bought observed, and held most probable" in said
    told = json.loads(call("explain", small_run.folder, "--json"))
    assert {each["name"] for each in told["outcomes"]["bought"]["by"]} == {"price", "income", "region"}
    assert told["interplay"] == []


def test_one_row_is_explained(copied: Path, small_run: dt.Run) -> None:
    shown = call("explain", copied, "--row", 2, "--set", "price=9")
    assert "row 2 under price 9.00 EUR" in shown
    told = json.loads(call("explain", copied, "--row", 2, "--set", "price=9", "--json"))
    expected = small_run.simulate(small_run.table.subset(small_run.table.row == 1), price=9).estimates["bought"].value
    assert told["end"]["bought"] == pytest.approx(expected, abs=1e-4)
    parts = sum(each["change"]["value"] for each in told["parts"]["bought"])
    assert told["start"]["bought"] + parts == pytest.approx(told["end"]["bought"], abs=1e-4)
    with pytest.raises(dt.UsageError, match="Add --row"):
        call("explain", copied, "--set", "price=9")
