"""The decision log on the command line: `drivetrain log ...`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, RunFolder

if TYPE_CHECKING:
    from drivetrain.assembly import Logbook
    from drivetrain.decisions import Logged

app = typer.Typer(
    name="log",
    help="The decision log: who approved which recommendation, what was done, what came of it. Kept in the database "
    "that DRIVETRAIN_LOG names, else in decisions.sqlite beside the run folder.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option("--by", help="Who says so.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why.", show_default=False)]


@app.command()
def show(
    place: Annotated[Path, typer.Argument(help="A run folder, or the folder of runs.", show_default=False)],
    *,
    json: Json = False,
) -> None:
    """What the log holds: one run's entry with its signatures, or a line for every recommendation."""
    from drivetrain.decisions import MANIFEST, DecisionLog

    if (place / MANIFEST).is_file():
        _tell(_opened(place).now, json)
        return
    entries = DecisionLog(place).all()
    if json:
        screen.data([_plain(each) for each in entries])
        return
    lines = [
        [each.entry.scenario, each.entry.action, each.state, each.entered, f"{each.exported}", f"{each.outcomes:,}"]
        for each in entries
    ]
    screen.table(["scenario", "recommendation", "state", "entered", "exports", "outcomes"], lines)


@app.command()
def approve(run: RunFolder, *, by: By, reason: Reason, json: Json = False) -> None:
    """Approve a run's recommendation."""
    _tell(_opened(run).approve(by, reason), json)


@app.command()
def reject(run: RunFolder, *, by: By, reason: Reason, json: Json = False) -> None:
    """Reject a run's recommendation."""
    _tell(_opened(run).reject(by, reason), json)


@app.command()
def export(
    run: RunFolder,
    *,
    out: Annotated[Path, typer.Option(help="The file: .csv, .parquet, .json or .xlsx.", show_default=False)],
    json: Json = False,
) -> None:
    """Write approved actions to a file, and note what went out."""
    logged = _opened(run).export(out)
    _tell(logged, json, f"{logged.entry.rows:,} actions written to {out}")


@app.command()
def outcomes(
    run: RunFolder,
    rows: Annotated[Path, typer.Argument(help="CSV or Parquet: row, outcomes, levers as set.", show_default=False)],
    *,
    json: Json = False,
) -> None:
    """Note what came of exported actions."""
    _tell(_opened(run).feed(rows), json)


@app.command()
def review(run: RunFolder, *, json: Json = False) -> None:
    """Promise against what happened, over the rows in which the recommendation was followed."""
    from drivetrain.decisions.rounding import span

    book = _opened(run)
    told, unit = book.review(), book.run.scenario.objective.unit
    if json:
        parts = {name: getattr(told, name).as_dict() for name in ("promised", "happened", "difference")}
        screen.data({"rows": told.rows, "followed": told.followed, "kept": told.kept, **parts})
        return
    screen.say(f"{told.rows:,} rows have outcomes; {told.followed:,} got what was recommended. For one of these:")
    screen.say(f"promised   {span(told.promised, unit)}")
    screen.say(f"happened   {span(told.happened, unit)}")
    verdict = "within chance" if told.kept else "more than chance: find out why before the next decision"
    screen.say(f"difference {span(told.difference, unit)}: {verdict}")


def _opened(run: Path) -> Logbook:
    from drivetrain import assembly

    return assembly.open_run(run).logbook()


def _tell(logged: Logged, json: bool, *lines: str) -> None:
    if json:
        screen.data(_plain(logged))
        return
    for line in lines:
        screen.say(line)
    screen.say(f"{logged.entry.action}: {logged.state}")
    for each in logged.signatures:
        screen.say(f"  {each.at}  {each.verdict} by {each.by}: {each.reason}")
    times = {0: "not exported", 1: "exported once"}.get(logged.exported, f"exported {logged.exported} times")
    screen.say(f"  {times}; outcomes of {logged.outcomes:,} of {logged.entry.rows:,} rows")


def _plain(logged: Logged) -> dict[str, Any]:
    return {**asdict(logged), "state": logged.state}
