"""Scenario files: a first draft from a file of rows, whether one is sound, and what may be said in one."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json
from drivetrain.errors import DrivetrainError, Fault, Place, ScenarioError, UsageError, nearest


def _columns(words: str) -> Any:
    return typer.Option(help=f"{words}; again for more.", show_default=False)


def init(
    file: Annotated[Path, typer.Argument(help="Rows: CSV, Parquet or Excel.", show_default=False)],
    *,
    out: Annotated[
        Path | None, typer.Option(help="The scenario file to write. [default: NAME.yaml here]", show_default=False)
    ] = None,
    lever: Annotated[list[str] | None, _columns("A column that can be set, in place of the guesses")] = None,
    outcome: Annotated[
        list[str] | None, _columns("A column of what happens afterwards, in place of the guesses")
    ] = None,
    leave_out: Annotated[list[str] | None, _columns("A column that the scenario does without")] = None,
    objective: Annotated[str, typer.Option(help="The formula of what is wanted.", show_default=False)] = "",
    minimise: Annotated[bool, typer.Option("--minimise", help="Less of it is better.")] = False,
    unit: Annotated[str, typer.Option(help="The unit of the objective, for one row.", show_default=False)] = "",
    randomised: Annotated[bool, typer.Option("--randomised", help="The settings were drawn at random.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take every guess.")] = False,
) -> None:
    """Draft a scenario from a file of rows: guesses which column is what, and asks what no file can say."""
    from drivetrain import scenario
    from drivetrain.data import drafting

    target = out or Path(f"{drafting.scenario_name(file.stem)}.yaml")
    if target.exists():
        raise UsageError(Fault(str(target), "it exists already", "Nothing is written over", "Name another: --out FILE"))
    found = drafting.assigned(drafting.guess(file), dict.fromkeys(leave_out or [], "leave out"))
    named: dict[drafting.Part, list[str]] = {"outcome": outcome or [], "lever": lever or []}
    for part, columns in named.items():
        found = drafting.chosen(found, part, columns) if columns else found
    answers = drafting.Answers("", objective, minimise, unit, "randomised" if randomised else "observational")
    if not yes and sys.stdin.isatty():
        _tell(found)
        found, answers = _asked(found, answers)
    elif not yes:
        screen.note("Nobody can be asked without a terminal: every guess is taken, as with --yes.")
    text = drafting.written(file, found, answers, relative_to=target.parent)
    target.write_text(text, encoding="utf-8")
    try:
        scenario.parse(text, str(target))
    except DrivetrainError as error:
        kept = Fault(str(target), "the draft is kept there", "", f"Mend it, then: drivetrain check {target}")
        raise ScenarioError(*error.faults, kept) from error
    _tell(found)
    screen.say()
    screen.say(f"{target} written. Read it, then: drivetrain check {target}")


def _tell(found: tuple[Any, ...]) -> None:
    """The columns with their parts, and the cells that are not of their column's kind."""
    from drivetrain.data import drafting

    screen.table(["column", "is", "because"], [[each.label, each.part, each.why] for each in found])
    for each in found:
        if each.strays and each.part != "leave out":
            screen.say(f"  {drafting.strange_cells(each)}")
    if found[0].missing_as:
        screen.say(f"  read as missing: {', '.join(map(repr, found[0].missing_as))}")


def _asked(found: tuple[Any, ...], answers: Any) -> tuple[tuple[Any, ...], Any]:
    """The questions, each with what was guessed as its answer, and asked again until it can be used."""
    from drivetrain.data import drafting

    questions: dict[drafting.Part, str] = {
        "lever": "can you set",
        "outcome": "happens afterwards",
        "leave out": "does not matter",
    }
    for part, words in questions.items():
        found = _asked_columns(found, part, words)
    guess, bad = drafting.objective(found)
    text = _asked_formula(found, answers.objective or guess)
    less = typer.confirm("Is less of it better?", default=answers.minimise or (bad and text == guess))
    unit = typer.prompt("Its unit, for one row (such as EUR per visitor)?", default=answers.unit, show_default=False)
    drawn = typer.confirm("Were the settings in the rows drawn at random, as in an experiment?", default=False)
    design = "randomised" if drawn else answers.design
    return found, replace(answers, objective=text, minimise=less, unit=unit, design=design)


def _asked_columns(found: tuple[Any, ...], part: Any, words: str) -> tuple[Any, ...]:
    from drivetrain.data import drafting

    guessed = ", ".join(each.label for each in found if each.part == part)
    while True:
        said = typer.prompt(f"Which columns: what {words}?", default=guessed or "none")
        columns = [word.strip() for word in said.split(",") if word.strip() and word.strip() != "none"]
        try:
            return drafting.chosen(found, part, columns)
        except UsageError as error:
            screen.note(str(error))


def _asked_formula(found: tuple[Any, ...], guess: str) -> str:
    """A formula that can be read and names nothing but what the scenario has."""
    from drivetrain import formula

    known = [each.name for each in found if each.part != "leave out"]
    while True:
        text: str = typer.prompt(f"What do you want, as a formula of {', '.join(known)}?", default=guess or None)
        try:
            strange = sorted(formula.parse(text).names - set(known))
        except DrivetrainError as error:
            screen.note(str(error))
            continue
        if not strange:
            return text
        for name in strange:
            screen.note(str(Fault("objective", f"unknown name '{name}'", "", nearest(name, known))))


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
            here = Place(str(file)) if len(files) > 1 else None
            faults += [replace(fault, place=fault.place or here) for fault in error.faults]
            worst = max(worst, error.exit_code)
    for file, scenario, table in told if not json else ():
        _sound(file, scenario, table)
    if len(told) == len(files) == 1 and not json:
        screen.say()
        screen.say(f"Next: drivetrain run {files[0]} --out runs/{told[0][1].name}")
    if faults:
        raise _with_code(DrivetrainError(*faults), worst)
    if json:
        screen.data([{"file": str(f), "scenario": s.name, "rows": None if t is None else len(t)} for f, s, t in told])


def _sound(file: Path, scenario: Any, table: Any) -> None:
    """What a sound scenario says and what its data holds."""
    from drivetrain.scenario import in_words, remarks

    screen.say(f"{file}: sound")
    told = in_words(scenario if table is None else scenario.resolved(table.options))
    told = told if table is None else told | {"data": table.summary}
    for part, said in told.items():
        screen.say(f"  {part:<12} {said}")
    for note in (*remarks(scenario), *(() if table is None else table.notes)):
        screen.say(f"    {note}")


def _with_code(error: DrivetrainError, code: int) -> DrivetrainError:
    from drivetrain.errors import DataError

    return (DataError if code == DataError.exit_code else ScenarioError)(*error.faults)


def schema() -> None:
    """Print the JSON Schema of scenario files."""
    from drivetrain.scenario import json_schema

    screen.data(json_schema())
