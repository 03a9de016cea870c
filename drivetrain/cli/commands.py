"""All commands, in the order of the work, and what becomes of an error."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from drivetrain.cli import (
    deciding,
    drafting,
    examining,
    experimenting,
    explaining,
    logbook,
    naming,
    running,
    screen,
    showing,
    simulating,
    starting,
    weighing,
)
from drivetrain.errors import DrivetrainError, Fault

PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Declare": (drafting.init, starting.check, starting.schema, naming.reference),
    "Learn and decide": (running.run, running.train, deciding.recommend, deciding.rank),
    "Ask what would happen": (simulating.simulate, weighing.reach, weighing.frontier, weighing.pareto),
    "See why, and how far to trust it": (
        explaining.explain,
        examining.neighbours,
        examining.surprises,
        examining.compare,
        examining.evaluate,
    ),
    "Show and hand over": (showing.dashboard, showing.report, showing.gallery, examining.export, showing.serve),
    "Act, and learn again": (experimenting.experiment, experimenting.loop),
}
"""What a panel of `--help` is called → its commands."""

INTERRUPTED = 130

app = typer.Typer(
    name="drivetrain",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(logbook.app, rich_help_panel=panel)


def _version(asked: bool) -> None:
    if asked:
        screen.say(f"drivetrain {version('drivetrain')}")
        raise typer.Exit


@app.callback()
def drivetrain(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Turns predictions into decisions: objective → levers → data → models → recommended actions."""


def main() -> None:
    """Run the command line; never shows a traceback, unless DRIVETRAIN_DEBUG is set."""
    as_json = "--json" in sys.argv
    for words in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # as `assembly.steady` does, without loading torch
        os.environ.setdefault(words, os.environ.get("DRIVETRAIN_THREADS", "1"))
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
