"""The next randomised test on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, RunFolder


def experiment(
    run: RunFolder,
    *,
    rows: Annotated[Path, typer.Option(help="Who takes part: CSV or Parquet.", show_default=False)],
    max_loss: Annotated[
        float, typer.Option(help="What may be given up for learning, in total, in the objective's unit.", min=0)
    ],
    out: Annotated[Path, typer.Option(help="The assignment: .csv, .parquet, .json or .xlsx.", show_default=False)],
    mode: Annotated[
        Literal["decide", "thompson", "top_two"],
        typer.Option(help="Settle the recommended policy against another, or explore by the models' disagreement."),
    ] = "decide",
    against: Annotated[
        str | None, typer.Option(help="With decide: do_nothing, current or single.", show_default=False)
    ] = None,
    size: Annotated[int | None, typer.Option(help="At most so many rows are left to chance.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.", min=0)] = 0,
    json: Json = False,
) -> None:
    """Design the next randomised test: who gets what, drawn with which chance, at what expected loss."""
    from dataclasses import asdict

    from drivetrain import assembly, decisions

    opened = assembly.open_run(run)
    made = opened.experiment(rows, max_loss, mode=mode, against=against, size=size, seed=seed)
    decisions.write(made.frame, out)
    if json:
        power = None if made.power is None else asdict(made.power)
        told = {"mode": made.mode, "against": made.against, "tested": made.tested, "rows": len(made.frame)}
        screen.data({**told, "loss": made.loss, "max_loss": made.max_loss, "power": power, "file": str(out)})
        return
    screen.say(f"{len(made.frame):,} rows with their settings and chances written to {out}")
    for line in made.sentences(opened.scenario.objective.unit):
        screen.say(line)
    screen.say("With what came of it in the outcomes' columns it is data: assignment: {propensity: propensity}")
