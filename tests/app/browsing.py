"""The dashboard as a process of its own, and a browser in front of it whose console must stay silent."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WAIT = 90_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(folder: Path, target: str, port: int = 0, **environment: str) -> Iterator[str]:
    """The address of a dashboard that works in a folder, started as people start it."""
    port = port or free_port()
    command = [sys.executable, "-m", "drivetrain.cli", "dashboard", target, "--port", str(port), "--headless"]
    ours = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=os.environ | ours | environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield answering(f"http://127.0.0.1:{port}", server, folder / "log")
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # Streamlit is its child
            server.wait(20)


def answering(address: str, server: subprocess.Popen[bytes], log: Path) -> str:
    """The address, once what was started answers there; a failure with its log where it ends first."""
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            with urlopen(f"{address}/_stcore/health", timeout=2):  # noqa: S310 - our own address
                return address
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the dashboard did not start:\n{log.read_text()}")


def ours(url: str) -> bool:
    """Whether an address leads to this machine."""
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


@contextmanager
def reading(
    browser: Browser, address: str, allowed: Callable[[str], bool] = ours, **options: Mapping[str, Any] | Any
) -> Iterator[Page]:
    """A page whose console must stay silent, and which must ask nothing of any other machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, **options)
    page, noise, strangers, missing = context.new_page(), [], [], []
    page.on("console", lambda message: noise.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("request", lambda asked: strangers.append(asked.url) if not allowed(asked.url) else None)
    page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
    page.goto(address)
    yield page
    # Opened at a page's own address (/levers), Streamlit's own script first looks for its server beside that page, in
    # case it stands behind a proxy's path, and then at the root: two answers of 404, each a line in the console. Both
    # are Streamlit's own; to tell the script where its server is would break dashboards behind such a path.
    probes = [url for url in missing if url.endswith(("/_stcore/health", "/_stcore/host-config"))]
    assert missing == probes
    assert len(noise) == len(probes), noise
    assert strangers == []
    context.close()


def settle(page: Page) -> None:
    """Wait until Streamlit has nothing left to run: a press on a button that is being drawn again is lost."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible(timeout=WAIT)
