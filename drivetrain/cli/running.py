"""`drivetrain run` and `train`: the assembly line, from a scenario file to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, Quiet

ScenarioFile = Annotated[Path, typer.Argument(help="A scenario file (YAML).", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="Replaces the scenario's seed.", min=0)]
Out = Annotated[Path | None, typer.Option(help="The run folder to write. [default: runs/NAME]", show_default=False)]


def run(
    scenario: ScenarioFile,
    *,
    out: Out = None,
    seed: Seed = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.")] = False,
    tell: Annotated[Path | None, typer.Option(hidden=True, help="Tell what is done in this folder, too.")] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Go all the way: data, models, evidence, recommendations, report."""
    if dry_run:
        _plan(*_declared(scenario, seed, out))
        return
    from drivetrain import background

    with screen.progress(quiet) as shown, background.told(tell, shown) as progress:
        declared, folder = _declared(scenario, seed, out)
        from drivetrain import assembly, report
        from drivetrain.cli import telling

        done = assembly.run(declared, folder, progress=progress, finish=report.write)
    screen.data({**done.record, "folder": str(folder)}) if json else telling.finished(done)


def train(
    scenario: ScenarioFile, *, out: Out = None, seed: Seed = None, quiet: Quiet = False, json: Json = False
) -> None:
    """Learn the models, and stop before any decision."""
    declared, folder = _declared(scenario, seed, out)
    from drivetrain import assembly
    from drivetrain.cli import telling

    with screen.progress(quiet) as progress:
        done = assembly.train(declared, folder, progress=progress)
    screen.data({**done.record, "folder": str(folder)}) if json else telling.trained(done)


def _declared(file: Path, seed: int | None, out: Path | None) -> tuple[Any, Path]:
    from drivetrain import scenario as scenarios

    scenario = scenarios.load(file)
    if seed is not None:
        scenario = scenario.model_copy(update={"seed": seed})
    return scenario, out or Path("runs") / scenario.name


def _plan(scenario: Any, folder: Path) -> None:
    from drivetrain import data

    table = data.load(scenario)
    model = scenario.model
    models = len(scenario.outcomes) * len(model.kinds) * scenario.data.split.folds * model.repeats
    screen.say(f"would read {table.summary}")
    screen.say(f"would train {models} models ({', '.join(model.kinds)}) of {model.epochs} epochs each")
    screen.say(f"would decide for each {scenario.decide.unit} and write {folder}")
