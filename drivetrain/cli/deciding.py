"""Commands that decide: for rows never seen, or once more for a run's own; and everyone's best few options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, RunFolder
from drivetrain.errors import Fault, UsageError


def recommend(
    run: RunFolder,
    rows: Annotated[
        Path | None, typer.Argument(help="New rows: CSV or Parquet. [default: the run's own]", show_default=False)
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="The file to write: .csv, .parquet, .json or .xlsx.", show_default=False)],
    lock: Annotated[
        Path | None, typer.Option(help="Decisions that people have fixed: a file with row and levers.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes; more than one reads the rows in parts.", min=1)] = 1,
    json: Json = False,
) -> None:
    """Decide for rows that the run has never seen, or again for its own; one line a row, in order."""
    from drivetrain import assembly, cluster, decisions
    from drivetrain.cli import telling

    opened = assembly.open_run(run)
    remarks: Mapping[str, int] = {}
    if workers > 1:
        if rows is None or lock is not None:
            cure = "Leave out --workers, so that all rows are decided together"
            raise UsageError(Fault("--workers", "found it without ROWS, or with --lock", "Parts need a file", cure))
        promise = cluster.recommend(run, rows, out, workers=workers)
    else:
        made = opened.recommend(rows, locked=lock)
        decisions.write(made.frame, out)
        promise, remarks = made.promise, made.remarks
    if json:
        screen.data({"out": str(out), "promise": assembly.promise(promise), "remarks": dict(remarks)})
    else:
        telling.promised(opened, promise, remarks, out)


def rank(
    run: RunFolder,
    rows: Annotated[Path, typer.Argument(help="Rows to rank options for: CSV or Parquet.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="The file to write: .csv, .parquet, .json or .xlsx.", show_default=False)],
    top: Annotated[
        int | None, typer.Option(help="How many options for each row; as the scenario's choose says, else 10.", min=1)
    ] = None,
    seen: Annotated[bool, typer.Option("--seen/--unseen", help="List what somebody has had already, too.")] = False,
    unsupported: Annotated[bool, typer.Option("--unsupported", help="List options with hardly a row, too.")] = False,
) -> None:
    """The best few options of a lever for each row, best first."""
    from drivetrain import assembly, decisions

    made = assembly.open_run(run).rank(rows, top, exclude_seen=not seen, unsupported=unsupported)
    decisions.write(made, out)
    screen.say(f"{len(made):,} lines for {made['row'].nunique():,} rows written to {out}")
