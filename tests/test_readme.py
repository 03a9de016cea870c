"""The README's code is run, its scenario is the shipped one, and its figures are those of the run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import drivetrain as dt
from drivetrain.cli.commands import app
from drivetrain.scenario import parse

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
WAITS = {"dashboard", "serve"}
"""Commands that run until they are stopped; tests/app starts the dashboard."""


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, or of none."""
    return [
        text
        for named, text in re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
        if named == language
    ]


def bare(values: Any) -> Any:
    """Declarations without their prose."""
    if isinstance(values, dict):
        return {k: bare(v) for k, v in values.items() if k not in {"description", "title", "lesson"}}
    return values


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    people = pd.DataFrame({"distvct": [0.5, 1.5, 4.0], "age": [20, 41, None], "villnum": [1, 57, 999]})
    people.to_csv(folder / "people.csv", index=False)
    sales = pd.DataFrame({"price": [5.5, 6.25, 7.0, 8.5], "age": [31, 40, 25, 61], "bought": [1, 1, 0, 0]})
    sales.to_csv(folder / "sales.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def run(place: Path) -> dt.Run:
    (code,) = blocks("python")
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - the README's own code
    found: dt.Run = names["run"]
    return found


def test_the_scenario_shown_is_the_one_shipped() -> None:
    (shown,) = blocks("yaml")
    shipped = dt.scenario.load(ROOT / "scenarios/cash_incentive.yaml")
    assert bare(parse(shown).model_dump(mode="json")) == bare(shipped.model_dump(mode="json"))


def test_the_mistake_shown_is_the_message_given() -> None:
    (shown,) = blocks("yaml")
    with pytest.raises(dt.ScenarioError) as told:
        parse(shown.replace("* collected", "* colected"), "scenario.yaml")
    assert str(told.value) in TEXT


def test_the_python_shown_runs(run: dt.Run) -> None:
    assert len(run.recommend(pd.DataFrame({"distvct": [1.0], "age": [30.0], "villnum": ["57"]}))) == 1


def test_the_commands_shown_run(run: dt.Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    monkeypatch.chdir(place)
    lines = [line for block in blocks("") for line in block.splitlines() if line.startswith("drivetrain ")]
    called = [shlex.split(line, comments=True)[1:] for line in lines]
    assert len(called) > 5
    for words in called:
        if words[0] in WAITS | {"run"}:  # the Python above has made this run already
            continue
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, (words, done.output, done.exception)
    assert len(pd.read_csv(place / "actions.csv")) == 3


def test_the_result_shown_is_what_the_command_prints(run: dt.Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The same words; the same figures but for the last digit, which another processor may round otherwise."""
    from drivetrain.cli import telling

    telling.finished(run)
    (shown,) = blocks("text")
    printed = capsys.readouterr().out
    assert _words(shown) == _words(printed)
    assert _figures(shown) == pytest.approx(_figures(printed), rel=0.03, abs=0.003)


NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")


def _words(text: str) -> list[str]:
    return NUMBER.sub("#", text).split()


def _figures(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]
