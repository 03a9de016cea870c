"""The report: one HTML file that says in plain words what was asked, what is recommended and how sure that is.

It asks nothing of the network: figures, their library and the style are all inside. Every text of a scenario or of
data is escaped.
"""

from __future__ import annotations

from pathlib import Path

from drivetrain.assembly import Run
from drivetrain.decisions.export import replacing
from drivetrain.report.card import card
from drivetrain.report.gallery import gallery
from drivetrain.report.page import page
from drivetrain.report.printing import pdf
from drivetrain.report.sections import sections

NAME = "report.html"


def write(run: Run, folder: str | Path) -> None:
    """Write `report.html` into a folder that exists, whole or not at all.

    Raises:
        UsageError: the folder cannot be written.
    """
    text = html(run)
    with replacing(Path(folder) / NAME) as path:
        path.write_text(text, encoding="utf-8")


def html(run: Run) -> str:
    """The report of a run as one self-contained HTML page; of a run only trained, what there is."""
    return page(run.scenario.title, sections(run))


__all__ = ["card", "gallery", "html", "pdf", "write"]
