"""`drivetrain init`: a first draft of a scenario from a file of rows, in a few questions."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.errors import DrivetrainError, Fault, ScenarioError, UsageError, nearest

DRAWN = "Were the settings in the rows drawn at random, as in an experiment?"


def _columns(words: str) -> Any:
    return typer.Option(help=f"{words}; again for more.", show_default=False)


def init(
    file: Annotated[Path, typer.Argument(help="Rows: CSV (.csv, .tsv, .txt), Parquet or Excel.", show_default=False)],
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

    target = _free(out or Path(f"{drafting.scenario_name(file.stem)}.yaml"))
    found = drafting.assigned(drafting.guess(file), dict.fromkeys(leave_out or [], "leave out"))
    named: dict[drafting.Part, list[str]] = {"outcome": outcome or [], "lever": lever or []}
    for part, columns in named.items():
        found = drafting.chosen(found, part, columns) if columns else found
    answers = drafting.Answers("", objective, minimise, unit, "randomised" if randomised else "observational")
    write = partial(drafting.written, file, relative_to=target.parent)
    if not yes and sys.stdin.isatty():
        _tell(found)
        found, text = _asked_until_written(found, answers, write)
    else:
        if not yes:
            screen.note("Nobody can be asked without a terminal: every guess is taken, as with --yes.")
        text = write(found, answers)
    target.write_text(text, encoding="utf-8")
    try:
        scenario.parse(text, str(target))
    except DrivetrainError as error:
        kept = Fault(str(target), "the draft is kept there", "", f"Mend it, then: drivetrain check {target}")
        raise ScenarioError(*error.faults, kept) from error
    _tell(found)
    screen.say()
    screen.say(f"{target} written. Read it, then: drivetrain check {target}")


def _free(target: Path) -> Path:
    """Where the scenario will be written; where it cannot be, that is said before anything is asked."""
    if target.exists():
        raise UsageError(Fault(str(target), "it exists already", "Nothing is written over", "Name another: --out FILE"))
    if not target.parent.is_dir():
        raise UsageError(Fault(str(target), "its folder does not exist", "", f"Make {target.parent}, or name another"))
    return target


def _tell(found: tuple[Any, ...]) -> None:
    """The columns, part by part, and the cells that are not of their column's kind."""
    from drivetrain.data import drafting

    ordered = sorted(found, key=lambda each: drafting.PARTS.index(each.part))
    screen.table(["part", "column", "because"], [[each.part, each.label, each.why] for each in ordered], texts=3)
    for each in found:
        if each.strays and each.part != "leave out":
            screen.say(f"  {drafting.strange_cells(each)}")
    if found[0].missing_as:
        screen.say(f"  read as missing: {', '.join(map(repr, found[0].missing_as))}")


def _asked_until_written(found: tuple[Any, ...], answers: Any, write: Any) -> tuple[tuple[Any, ...], str]:
    """The questions, and what they make; asked again, with the answers that were given, where nothing can be made."""
    while True:
        found, answers = _asked(found, answers)
        try:
            return found, write(found, answers)
        except UsageError as error:
            screen.note(f"{error} Your answers are kept: press Enter where they stay.")


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
    drawn = typer.confirm(DRAWN, default=answers.design == "randomised")
    design = "randomised" if drawn else "observational"
    return found, replace(answers, objective=text, minimise=less, unit=unit, design=design)


def _asked_columns(found: tuple[Any, ...], part: Any, words: str) -> tuple[Any, ...]:
    from drivetrain.data import drafting

    guessed = ", ".join(each.label for each in found if each.part == part)
    while True:
        said = typer.prompt(f"Which columns: what {words}?", default=guessed or "none")
        columns = [word.strip() for word in said.split(",") if word.strip() and word.strip() != "none"]
        if part == "lever" and not columns:
            screen.note("A decision needs something that can be set: name a column.")
            continue
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
