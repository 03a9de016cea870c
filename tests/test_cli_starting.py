"""`drivetrain init`: a scenario from a file of rows, without and with questions."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from drivetrain.cli import starting
from drivetrain.cli.commands import app
from drivetrain.errors import UsageError
from drivetrain.scenario import load


def test_a_draft_can_be_checked_at_once(small_scenario: Path, tmp_path: Path) -> None:
    rows, out = small_scenario.parent / "visitors.csv", tmp_path / "draft.yaml"
    told = CliRunner().invoke(app, ["init", str(rows), "--out", str(out), "--unit", "EUR", "--randomised", "--yes"])
    assert told.exit_code == 0, told.output
    made = load(out)
    assert (made.objective.text, made.objective.unit) == ("price * bought", "EUR")
    assert made.assignment.design == "randomised"
    checked = CliRunner().invoke(app, ["check", str(out)])
    assert "sound" in checked.output
    with pytest.raises(UsageError, match="Nothing is written over"):
        CliRunner().invoke(app, ["init", str(rows), "--out", str(out)], catch_exceptions=False)


def test_questions_have_the_guesses_as_answers(
    small_scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["price", "bought", "none", "price *", "(price - 4) * bought", "EUR"])
    monkeypatch.setattr(starting.sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(starting.typer, "prompt", lambda *_args, **_more: next(answers))
    monkeypatch.setattr(starting.typer, "confirm", lambda words, **_more: "drawn at random" in words)
    out = tmp_path / "asked.yaml"
    starting.init(small_scenario.parent / "visitors.csv", out=out, objective="", unit="")
    made = load(out)
    assert made.objective.text == "(price - 4) * bought"
    assert list(made.inputs) == ["income", "region"]
    assert made.assignment.design == "randomised"
