"""The report as a PDF: printed by a browser that is on the machine, which asks nothing of the network for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from drivetrain.decisions.export import replacing
from drivetrain.errors import Fault, UsageError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
SECONDS = 120


def pdf(page: str, out: str | Path) -> None:
    """Print a page to a PDF file.

    Args:
        page: HTML that needs nothing else.
        out: the file to write, whole or not at all.

    Raises:
        UsageError: there is no browser, it did not print, or the file cannot be written.
    """
    browser = _browser()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "report.html").write_text(page, encoding="utf-8")
        _print(browser, folder)
        made = folder / "report.pdf"
        if not made.is_file() or not made.read_bytes().startswith(b"%PDF"):
            cure = "Open the HTML report and print it from there"
            raise UsageError(Fault(browser, "it printed no PDF", "A browser prints the report", cure))
        with replacing(Path(out)) as temporary:
            temporary.write_bytes(made.read_bytes())


def _browser() -> str:
    """The path of a browser of Chromium's family; `DRIVETRAIN_BROWSER` names another."""
    named = os.environ.get("DRIVETRAIN_BROWSER")
    known = [named] if named else [*BROWSERS, *PLACES]
    found = next((path for word in known if word and (path := shutil.which(word) or _there(word))), None)
    if found is None:
        rule = "A PDF is printed by Chromium, Chrome or Edge"
        cure = "Install one, or name it in DRIVETRAIN_BROWSER; the HTML report needs none"
        raise UsageError(Fault("--pdf", "found no browser on this machine", rule, cure))
    return found


def _there(word: str) -> str | None:
    return word if Path(word).is_file() else None


def _print(browser: str, folder: Path) -> None:
    flags = ["--headless=new", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"]
    flags += ["--virtual-time-budget=8000"]  # figures draw themselves first
    flags += [f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={folder / 'report.pdf'}"]
    flags += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    try:
        subprocess.run(  # noqa: S603 - a browser of this machine on a page of our own
            [browser, *flags, (folder / "report.html").as_uri()], capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        found = f"it cannot be used ({type(error).__name__})"
        raise UsageError(Fault(browser, found, "", "Name another in DRIVETRAIN_BROWSER")) from error
