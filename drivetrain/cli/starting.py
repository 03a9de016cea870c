"""Scenario files: whether one is sound, and what may be said in one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json
from drivetrain.errors import DrivetrainError, Fault, Place, ScenarioError


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
