"""Commands that examine a finished run: its sealed test, its hardest rows, and how it compares with another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli import screen

RunFolder = Annotated[Path, typer.Argument(help="A run folder, as drivetrain run wrote it.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.")]


def evaluate(
    run: RunFolder,
    *,
    open_test: Annotated[bool, typer.Option("--open-test", help="Yes, open it: every opening is counted.")] = False,
    json: Json = False,
) -> None:
    """Open the sealed test: what the recommendation is worth on rows that nobody has seen."""
    from drivetrain import assembly, report
    from drivetrain.decisions import last_test

    def again(opened: assembly.Run, folder: Path) -> None:
        if (folder / "report.html").exists():
            report.write(opened, folder)

    told = assembly.evaluate(run, open_test=open_test, finish=again)
    if json:
        screen.data({**told.record["sealed_test"], "test_openings": told.record["test_openings"]})
        return
    screen.table(last_test.HEADER, last_test.lines(told.scenario, told.record))
    screen.say()
    for line in last_test.sentences(told.scenario, told.record):
        screen.say(line)
