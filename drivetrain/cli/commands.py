"""The commands, each a few lines around one public function."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from drivetrain.cli import (
    deciding,
    examining,
    experimenting,
    explaining,
    logbook,
    screen,
    simulating,
    starting,
    weighing,
)
from drivetrain.cli.examining import Json, Quiet, RunFolder
from drivetrain.errors import DrivetrainError, Fault

app = typer.Typer(
    name="drivetrain",
    help="Turns predictions into decisions: objective → levers → data → models → recommended actions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(logbook.app)

INTERRUPTED = 130

ScenarioFile = Annotated[Path, typer.Argument(help="A scenario file (YAML).", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="Replaces the scenario's seed.", min=0)]
Out = Annotated[Path | None, typer.Option(help="The run folder to write. [default: runs/NAME]", show_default=False)]


def main() -> None:
    """Run the command line; never shows a traceback, unless DRIVETRAIN_DEBUG is set."""
    as_json = "--json" in sys.argv
    try:
        app()  # ends in SystemExit: 0, or 2 with usage's own message
    except DrivetrainError as error:
        screen.faults(error, as_json=as_json)
        sys.exit(error.exit_code)
    except SystemExit as done:
        if done.code == INTERRUPTED:
            screen.note("interrupted; what was being made was not kept")
        raise
    except Exception as error:  # the last net: people get a sentence, developers the traceback on demand
        screen.faults(_ours(error), as_json=as_json)
        sys.exit(1)


def _ours(error: Exception) -> DrivetrainError:
    if os.environ.get("DRIVETRAIN_DEBUG"):
        traceback.print_exc()
    found = f"an error of our own ({type(error).__name__}: {error})"
    return DrivetrainError(Fault("drivetrain", found, "", "Please report it, with what DRIVETRAIN_DEBUG=1 adds"))


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Scenario files.", show_default=False)],
    *,
    data: Annotated[bool, typer.Option(help="Look at the data as well.")] = True,
    json: Json = False,
) -> None:
    """Check scenario files, and their data, without training anything."""
    from drivetrain import data as rows
    from drivetrain import scenario as scenarios

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


app.command()(starting.init)


@app.command()
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


@app.command()
def train(
    scenario: ScenarioFile, *, out: Out = None, seed: Seed = None, quiet: Quiet = False, json: Json = False
) -> None:
    """Learn the models, and stop before any decision."""
    declared, folder = _declared(scenario, seed, out)
    from drivetrain import assembly
    from drivetrain.cli import telling

    with screen.progress(quiet) as progress:
        done = assembly.train(declared, folder, progress=progress)
    screen.data({**done.record, "folder": str(folder)}) if json else telling.contest(done)


app.command()(simulating.simulate)


app.command()(deciding.recommend)


app.command()(deciding.rank)


app.command()(examining.export)


@app.command()
def report(
    run: RunFolder,
    *,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("report.html"),
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF beside it, printed by this machine's browser.")] = False,
) -> None:
    """Write a run's report: one HTML file that needs nothing else."""
    from drivetrain import assembly
    from drivetrain import report as reports
    from drivetrain.decisions.export import replacing

    page = reports.html(assembly.open_run(run))
    with replacing(out) as path:
        path.write_text(page, encoding="utf-8")
    screen.say(f"report written to {out}")
    if pdf:
        reports.pdf(page, out.with_suffix(".pdf"))
        screen.say(f"and to {out.with_suffix('.pdf')}")


@app.command()
def gallery(
    runs: Annotated[list[Path], typer.Argument(help="Finished run folders.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="The Markdown page; what is around the gallery stays.")] = Path("README.md"),
) -> None:
    """Show finished runs on one page: decision, picture, result, lesson."""
    from drivetrain import assembly
    from drivetrain import report as reports

    reports.gallery([assembly.open_run(each) for each in runs], out)
    screen.say(f"{len(runs)} runs shown in {out}")


@app.command()
def dashboard(
    target: Annotated[Path | None, typer.Argument(help="A run folder or a scenario file.", show_default=False)] = None,
    *,
    port: Annotated[int, typer.Option(help="Where it listens on this machine.", min=1, max=65535)] = 8501,
    headless: Annotated[bool, typer.Option("--headless", help="Do not open a browser.")] = False,
) -> None:
    """Open the dashboard in a browser."""
    from drivetrain.cli import launching

    sys.exit(launching.dashboard(target, port=port, headless=headless))


@app.command()
def serve(
    run: RunFolder,
    *,
    host: Annotated[str, typer.Option(help="The address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to bind.", min=1, max=65535)] = 8600,
) -> None:
    """Answer POST /recommend with decisions for the rows sent."""
    from drivetrain import serve as serving

    serving.serve(run, host=host, port=port)


for command in (
    examining.evaluate,
    examining.neighbours,
    examining.surprises,
    explaining.explain,
    examining.compare,
    weighing.pareto,
    weighing.frontier,
    weighing.reach,
    experimenting.experiment,
    experimenting.loop,
):
    app.command()(command)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    from drivetrain.scenario import json_schema

    screen.data(json_schema())


@app.command(hidden=True)
def version() -> None:
    """Print the version."""
    from importlib.metadata import version

    screen.say(version("drivetrain"))


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
    screen.say(f"would read {repr(table)[1:-1].removeprefix('Table: ')}")
    screen.say(f"would train {models} models ({', '.join(model.kinds)}) of {model.epochs} epochs each")
    screen.say(f"would decide for each {scenario.decide.unit} and write {folder}")
