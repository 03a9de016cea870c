"""Scenario files: a first draft from a file of rows, whether one is sound, and what may be said in one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json
from drivetrain.errors import DrivetrainError, Fault, UsageError

Columns = Annotated[list[str] | None, typer.Option(help="A column that is one; again for more.", show_default=False)]


def init(
    file: Annotated[Path, typer.Argument(help="Rows: CSV, Parquet or Excel.", show_default=False)],
    *,
    out: Annotated[
        Path | None, typer.Option(help="The scenario file to write. [default: NAME.yaml here]", show_default=False)
    ] = None,
    lever: Columns = None,
    outcome: Columns = None,
    leave_out: Columns = None,
    objective: Annotated[str, typer.Option(help="The formula of what is wanted.", show_default=False)] = "",
    minimise: Annotated[bool, typer.Option("--minimise", help="Less of it is better.")] = False,
    unit: Annotated[str, typer.Option(help="The unit of the objective, for one row.", show_default=False)] = "",
    randomised: Annotated[bool, typer.Option("--randomised", help="The settings were drawn at random.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take every guess.")] = False,
) -> None:
    """Draft a scenario from a file of rows: guesses which column is what, and asks what no file can say."""
    from drivetrain.data import drafting

    target = out or Path(f"{drafting.scenario_name(file.stem)}.yaml")
    if target.exists():
        raise UsageError(Fault(str(target), "it exists already", "Nothing is written over", "Name another: --out FILE"))
    named: dict[drafting.Part, list[str]] = {
        "lever": lever or [],
        "outcome": outcome or [],
        "leave out": leave_out or [],
    }
    found = drafting.assigned(drafting.guess(file), {name: part for part, names in named.items() for name in names})
    answers = drafting.Answers("", objective, minimise, unit, "randomised" if randomised else "observational")
    if not yes and sys.stdin.isatty():
        found, answers = _asked(found, answers)
    text = drafting.draft(file, found, answers, relative_to=target.parent)
    target.write_text(text, encoding="utf-8")
    screen.table(["column", "is", "because"], [[each.label, each.part, each.why] for each in found])
    screen.say()
    screen.say(f"{target} written. Read it, then: drivetrain check {target}")


def _asked(found: tuple[Any, ...], answers: Any) -> tuple[tuple[Any, ...], Any]:
    """The questions, each with what was guessed as its answer; a formula is asked until it can be read."""
    from dataclasses import replace

    from drivetrain import formula
    from drivetrain.data import drafting

    questions: dict[drafting.Part, str] = {
        "lever": "can you set",
        "outcome": "happens afterwards",
        "leave out": "does not matter",
    }
    for part, words in questions.items():
        guessed = ", ".join(each.label for each in found if each.part == part)
        said = typer.prompt(f"Which columns: what {words}?", default=guessed or "none")
        chosen = [word.strip() for word in said.split(",") if word.strip() and word.strip() != "none"]
        parts: dict[str, drafting.Part] = {each.label: "input" for each in found if each.part == part}
        found = drafting.assigned(found, {**parts, **dict.fromkeys(chosen, part)})
    guess, bad = drafting.objective(found)
    while True:
        text = typer.prompt("What do you want, as a formula of these names?", default=answers.objective or guess)
        try:
            formula.parse(text)
        except DrivetrainError as error:
            screen.note(str(error))
            continue
        break
    less = typer.confirm("Is less of it better?", default=answers.minimise or bad)
    unit = typer.prompt("Its unit, for one row (such as EUR per visitor)?", default=answers.unit, show_default=False)
    drawn = typer.confirm("Were the settings in the rows drawn at random, as in an experiment?", default=False)
    design = "randomised" if drawn else answers.design
    return found, replace(answers, objective=text, minimise=less, unit=unit, design=design)


def check(
    files: Annotated[list[Path], typer.Argument(help="Scenario files.", show_default=False)],
    *,
    data: Annotated[bool, typer.Option(help="Look at the data as well.")] = True,
    json: Json = False,
) -> None:
    """Check scenario files, and their data, without training anything."""
    from drivetrain import data as rows, scenario as scenarios

    told: list[tuple[Path, Any, Any]] = []
    faults: list[Fault] = []
    worst = 0
    for file in files:
        try:
            scenario = scenarios.load(file)
            table = rows.load(scenario) if data else None
            told.append((file, scenario, table))
        except DrivetrainError as error:
            faults += error.faults
            worst = max(worst, error.exit_code)
    for file, scenario, table in told if not json else ():
        screen.say(f"{file}: sound. {scenario!r}")
        for note in [] if table is None else [repr(table)[1:-1], *map(str, (*table.dropped, *table.flags))]:
            screen.say(f"  {note}")
    if faults:
        raise _with_code(DrivetrainError(*faults), worst)
    if json:
        screen.data([{"file": str(f), "scenario": s.name, "rows": None if t is None else len(t)} for f, s, t in told])


def _with_code(error: DrivetrainError, code: int) -> DrivetrainError:
    from drivetrain.errors import DataError, ScenarioError

    return (DataError if code == DataError.exit_code else ScenarioError)(*error.faults)


def schema() -> None:
    """Print the JSON Schema of scenario files."""
    from drivetrain.scenario import json_schema

    screen.data(json_schema())
