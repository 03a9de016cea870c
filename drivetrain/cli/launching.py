"""Starting the dashboard, with defaults that are safe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from drivetrain.errors import Fault, UsageError

FLAGS = (
    ("server.address", "127.0.0.1"),
    ("server.allowedHosts", "127.0.0.1"),
    ("server.allowedHosts", "localhost"),
    ("server.allowedHosts", "::1"),
    ("server.fileWatcherType", "none"),
    ("server.showEmailPrompt", "false"),
    ("browser.gatherUsageStats", "false"),
    ("client.showErrorDetails", "none"),
    ("client.toolbarMode", "viewer"),
)
"""Options of `streamlit run`; a list is given by naming its option again."""


def dashboard(target: Path | None, *, port: int, headless: bool) -> int:
    """Run Streamlit on the pages of `app/` until it is stopped; its exit code.

    Args:
        target: a run folder or a scenario file to open first.
        port: where it listens, on this machine only.
        headless: whether to leave the browser alone.

    Raises:
        UsageError: there is no such target, or the pages are not where they belong.
    """
    if target is not None and not target.exists():
        raise UsageError(
            Fault(str(target), "it does not exist", "The dashboard opens a run folder or a scenario", "Name one")
        )
    flags = (*FLAGS, ("server.port", str(port)), ("server.headless", str(headless).lower()))
    command = [sys.executable, "-m", "streamlit", "run", str(_pages())]
    command += [part for name, value in flags for part in (f"--{name}", value)]
    command += ["--", *([str(target)] if target else [])]
    environment = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"} | dict(os.environ)
    try:
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - our own words
    except KeyboardInterrupt:
        return 0


def _pages() -> Path:
    """`app/server.py`: inside an installed package, or beside the package in a checkout."""
    package = Path(__file__).parent.parent
    for place in (package / "_app", package.parent / "app"):
        if (place / "server.py").is_file():
            return place / "server.py"
    raise UsageError(Fault("app/server.py", "it is missing", "", "Install Drivetrain again"))
