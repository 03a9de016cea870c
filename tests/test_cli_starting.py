"""`drivetrain init`: a scenario from a file of rows, without and with questions."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from drivetrain.cli import starting
from drivetrain.cli.commands import app
from drivetrain.errors import ScenarioError, UsageError
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


def test_check_speaks_as_people_do(small_scenario: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["check", str(small_scenario)])
    lines = [line.split(maxsplit=1) for line in told.output.splitlines()]
    said = {line[0]: line[1] for line in lines if len(line) == 2}
    assert said["levers"] == "price (5 to 15 EUR), for each row"
    assert said["outcomes"] == "bought (yes or no)"
    assert said["data"].endswith("sealed for a last test")
    assert said["Next:"].startswith(f"drivetrain run {small_scenario} --out runs/")
    assert not {"Scenario(", "Table:", "objective: it has no unit"} & set(told.output.split(" "))


def test_an_objective_without_a_unit_is_remarked(small_scenario: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    text = small_scenario.read_text(encoding="utf-8")
    assert ", unit: EUR per visitor" in text
    bare.write_text(text.replace(", unit: EUR per visitor", ""), encoding="utf-8")
    asked = ["check", "--no-data", str(bare)]
    assert "objective: it has no unit" in CliRunner().invoke(app, asked).output
    assert "no unit" not in CliRunner().invoke(app, ["check", "--no-data", str(small_scenario)]).output


def test_rows_given_to_check_are_told_to_draft_a_scenario(small_scenario: Path) -> None:
    rows = small_scenario.parent / "visitors.csv"
    with pytest.raises(ScenarioError, match=f"this is a file of rows.*drivetrain init {rows}"):
        CliRunner().invoke(app, ["check", str(rows)], catch_exceptions=False)


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
