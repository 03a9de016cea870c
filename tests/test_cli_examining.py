"""The commands that examine a run, as a person meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

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
