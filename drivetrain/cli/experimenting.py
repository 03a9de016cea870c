"""The next randomised test on the command line, and what rounds of testing come to in a world whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, Quiet, RunFolder


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


def loop(
    world: Annotated[str, typer.Argument(help="A made world, such as randomised_pricing.", show_default=False)],
    *,
    rounds: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 10,
    rows: Annotated[int, typer.Option(help="New rows in each.", min=200)] = 1_000,
    way: Annotated[
        Literal["thompson", "top_two", "greedy", "uniform"], typer.Option(help="How settings are drawn.")
    ] = "thompson",
    seed: Annotated[int, typer.Option(help="Of rows, draws and models.", min=0)] = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Rounds of decide, observe, learn in a made world: what exploring costs, and what it earns by the truth."""
    from drivetrain import assembly

    with screen.progress(quiet or json) as progress:
        told = assembly.loop(world, rounds=rounds, rows=rows, way=way, seed=seed, progress=progress)
    played = told.rounds.to_dict("records")
    if json:
        screen.data({"world": world, "way": way, "share": told.share, "regret": told.regret, "rounds": played})
        return
    heads = ["round", "rows", "earned a row", "of the best possible", "the policy then, of the best"]
    cells = [
        [f"{each['round']:.0f}", f"{each['rows']:,.0f}", f"{each['earned']:.4g}"]
        + [f"{share:.1%}" for share in (each["earned"] / each["best"], each["policy"])]
        for each in played
    ]
    screen.table(heads, cells)
    screen.say(f"The policy of round {rounds} is truly worth {told.share:.1%} of the best possible one")
    screen.say(f"Learning it cost {told.regret:.0%} of what settings drawn evenly in every round would have cost")
