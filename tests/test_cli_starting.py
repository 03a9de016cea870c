"""`drivetrain init`: a scenario from a file of rows, without and with questions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.testing import CliRunner

from drivetrain.cli import drafting
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


Say = Callable[..., list[str]]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Sits at the terminal: gives these answers in turn, None for Enter, and returns the questions that were asked."""

    def sit(*answers: str | None, drawn: bool = False) -> list[str]:
        given, asked = iter(answers), list[str]()

        def prompt(words: str, *, default: str | None = None, **_more: object) -> str | None:
            asked.append(words)
            word = next(given)
            return default if word is None else word

        def confirm(words: str, *, default: bool = False) -> bool:
            return drawn if words == drafting.DRAWN else default

        monkeypatch.setattr(drafting.sys, "stdin", SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr(drafting.typer, "prompt", prompt)
        monkeypatch.setattr(drafting.typer, "confirm", confirm)
        return asked

    return sit


def test_questions_have_the_guesses_as_answers(small_scenario: Path, tmp_path: Path, say: Say) -> None:
    say(None, None, None, "price *", "(price - 4) * bought", "EUR", drawn=True)
    out = tmp_path / "asked.yaml"
    drafting.init(small_scenario.parent / "visitors.csv", out=out, objective="", unit="")
    made = load(out)
    assert made.objective.text == "(price - 4) * bought"
    assert list(made.inputs) == ["income", "region"]
    assert made.assignment.design == "randomised"


def test_a_question_is_asked_again_until_its_answer_can_be_used(
    small_scenario: Path, tmp_path: Path, say: Say, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = say("none", "prise", "price", "bougt", "bought", None, "price * bougt", None, None)
    drafting.init(small_scenario.parent / "visitors.csv", out=tmp_path / "asked.yaml", objective="", unit="")
    told = capfd.readouterr().err
    for part in ("name a column", "Did you mean 'price'?", "Did you mean 'bought'?", "unknown name 'bougt'"):
        assert part in told
    assert len(asked) == 9
    assert load(tmp_path / "asked.yaml").objective.text == "price * bought"


def test_answers_are_kept_where_nothing_can_be_made_of_them(
    tmp_path: Path, say: Say, capfd: pytest.CaptureFixture[str]
) -> None:
    """A lever of numbers and many texts: found when the file is to be written, after all the questions."""
    rows = tmp_path / "rows.csv"
    texts = [f"{i}.5" if i % 2 else f"about {i}" for i in range(80)]
    drawn = ["sms" if i % 3 else "mail" for i in range(80)]
    pd.DataFrame({"price": texts, "channel": drawn, "bought": [i % 2 for i in range(80)]}).to_csv(rows, index=False)
    say("price", "bought", "none", "2 * bought", "EUR", "channel", None, None, None, None, drawn=True)
    drafting.init(rows, out=tmp_path / "asked.yaml", objective="", unit="")
    assert "Your answers are kept" in capfd.readouterr().err
    made = load(tmp_path / "asked.yaml")
    assert (list(made.levers), made.objective.text, made.objective.unit) == (["channel"], "2 * bought", "EUR")
    assert made.assignment.design == "randomised"


def test_without_a_terminal_it_is_said_that_every_guess_is_taken(small_scenario: Path, tmp_path: Path) -> None:
    asked = ["init", str(small_scenario.parent / "visitors.csv"), "--out"]
    told = CliRunner().invoke(app, [*asked, str(tmp_path / "a.yaml")])
    assert "Nobody can be asked without a terminal: every guess is taken" in told.stderr
    assert "Nobody" not in CliRunner().invoke(app, [*asked, str(tmp_path / "b.yaml"), "--yes"]).output


def test_where_nothing_can_be_written_is_said_before_anything_is_asked(
    small_scenario: Path, tmp_path: Path, say: Say
) -> None:
    asked = say()
    with pytest.raises(UsageError, match="its folder does not exist"):
        drafting.init(small_scenario.parent / "visitors.csv", out=tmp_path / "no" / "a.yaml")
    assert not asked
