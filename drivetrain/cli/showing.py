"""What people and programs look at: the report, the gallery, the dashboard, decisions over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import RunFolder


def report(
    run: RunFolder,
    *,
    out: Annotated[Path, typer.Option(help="The HTML file; named .pdf, a PDF beside it.")] = Path("report.html"),
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF beside it, printed by this machine's browser.")] = False,
) -> None:
    """Write a run's report: one HTML file that needs nothing else."""
    from drivetrain import assembly, report as reports
    from drivetrain.decisions.export import replacing

    pdf = pdf or out.suffix.lower() == ".pdf"
    out = out.with_suffix(".html") if out.suffix.lower() == ".pdf" else out
    page = reports.html(assembly.open_run(run))
    with replacing(out) as path:
        path.write_text(page, encoding="utf-8")
    screen.say(f"report written to {out}")
    if pdf:
        reports.pdf(page, out.with_suffix(".pdf"))
        screen.say(f"and to {out.with_suffix('.pdf')}")


def gallery(
    runs: Annotated[list[Path], typer.Argument(help="Finished run folders.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="The Markdown page; what is around the gallery stays.")] = Path("README.md"),
) -> None:
    """Show finished runs on one page: decision, picture, result, lesson."""
    from drivetrain import assembly, report as reports

    reports.gallery([assembly.open_run(each) for each in runs], out)
    screen.say(f"{len(runs)} runs shown in {out}")


def dashboard(
    target: Annotated[Path | None, typer.Argument(help="A run folder or a scenario file.", show_default=False)] = None,
    *,
    port: Annotated[int, typer.Option(help="Where it listens on this machine.", min=1, max=65535)] = 8501,
    headless: Annotated[bool, typer.Option("--headless", help="Do not open a browser.")] = False,
) -> None:
    """Open the dashboard in a browser."""
    from drivetrain.cli import launching

    sys.exit(launching.dashboard(target, port=port, headless=headless))


def serve(
    run: RunFolder,
    *,
    host: Annotated[str, typer.Option(help="The address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to bind.", min=1, max=65535)] = 8600,
) -> None:
    """Answer POST /recommend with decisions for the rows sent."""
    from drivetrain import serve as serving

    serving.serve(run, host=host, port=port)
