"""What a run's models rely on, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, RunFolder
from drivetrain.cli.simulating import Words, pairs
from drivetrain.errors import Fault, UsageError

if TYPE_CHECKING:
    from drivetrain.assembly import Run


def explain(
    run: RunFolder,
    *,
    row: Annotated[
        int | None, typer.Option(help="Split what is expected of this row among its inputs.", min=1, show_default=False)
    ] = None,
    rows: Annotated[Path | None, typer.Option(help="Where the row is (CSV, Parquet). [default: the run's own]")] = None,
    settings: Annotated[
        Words, typer.Option("--set", help="LEVER=VALUE for every lever. [default: what is recommended for the row]")
    ] = None,
    json: Json = False,
) -> None:
    """What models rely on, what they take for what, and which levers act on each other; or why of one row."""
    from drivetrain import assembly
    from drivetrain.decisions.rounding import number, with_unit

    if row is None and (settings or rows is not None):
        given = "--set" if settings else "--rows"
        raise UsageError(Fault(given, "found it without --row", "It says how one row is explained", "Add --row NUMBER"))
    opened = assembly.open_run(run)
    if row is not None:
        _row(opened, row, rows, pairs("--set", settings or []), json=json)
        return
    told = opened.explain()
    if json:
        screen.data(told)
        return
    for outcome, each in told["outcomes"].items():
        header = [f"without it, {each['loss_name']} of {outcome} rises by", "", "95% interval"]
        screen.table(header, [*_relied(each)])
        screen.say()
        if "confusion" in each:
            names = each["confusion"]["options"]
            lines = [[name, *map(str, line)] for name, line in zip(names, each["confusion"]["rows"], strict=True)]
            screen.table([f"{outcome} observed, and held most probable:", *names], lines)
            screen.say()
    if told["interplay"]:
        unit = opened.scenario.objective.unit
        lines = [[" × ".join(e["levers"]), number(e["size"], 3), f"{e['share']:.0%}"] for e in told["interplay"]]
        screen.table(["levers together", with_unit("beyond their sum", unit), "of their joint effect"], lines)


def _row(run: Run, row: int, rows: Path | None, setting: dict[str, str], *, json: bool) -> None:
    from dataclasses import asdict

    from drivetrain import assembly, data
    from drivetrain.decisions.rounding import interval, number

    asked = None if rows is None else data.read_rows(run.scenario, rows)
    told = assembly.contributions(run, row, asked, **setting)
    if json:
        screen.data(asdict(told))
        return
    screen.say(f"row {told.row} under {told.setting}, as models expect (with their spread)")
    for of, parts in told.parts.items():
        screen.say()
        lines = [["everyone", number(told.start[of]), ""]]
        for each in parts:
            value, low, high = interval(each.change)
            lines.append([f"{each.input} {each.value}", value, f"{low} to {high}"])
        screen.table([of, "adds", ""], [*lines, [f"row {told.row}", number(told.end[of]), ""]])


def _relied(told: Mapping[str, Any]) -> Iterator[list[str]]:
    from drivetrain.evidence import Estimate

    for each in sorted(told["by"], key=lambda each: -each["loss"]):
        reach = Estimate(each["loss"], each["error"])
        yield [f"{each['name']} ({each['is']})", f"{reach.value:.4g}", f"{reach.low:.4g} to {reach.high:.4g}"]
