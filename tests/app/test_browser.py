"""Every page in a real browser: a silent console, nothing leaves the machine, links hold, downloads are the run's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

if TYPE_CHECKING:
    from drivetrain import Run

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WAIT = 90_000
SCOPE = """{include: [['body']], exclude: [['[data-testid="stStatusWidget"]']]}"""
SERIOUS = {"serious", "critical"}
AXE = (Path(str(find_spec("axe_playwright_python").origin)).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(small_run: Run, campaign_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard's address; it serves two runs, and a folder with a broken scenario."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "scenarios").mkdir()
    shutil.copytree(str(campaign_run.folder), folder / "runs" / "campaign")
    (folder / "scenarios" / "broken.yaml").write_text("version: 1\nlever: 3\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "server.py")]
    command += ["--server.port", str(port), "--server.headless", "true", "--", str(small_run.folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            yield _answering(f"http://127.0.0.1:{port}", server, folder / "log")
        finally:
            server.terminate()
            server.wait(20)


def _answering(address: str, server: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            with urlopen(f"{address}/_stcore/health", timeout=2):  # noqa: S310 - our own address
                return address
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the dashboard did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@contextmanager
def _reading(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """A page whose console must stay silent, and which must ask nothing of any other machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, **options)
    page, noise, strangers, missing = context.new_page(), [], [], []
    page.on("console", lambda message: noise.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("request", lambda asked: strangers.append(asked.url) if not _ours(asked.url) else None)
    page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
    page.goto(address)
    yield page
    # Opened at a page's own address, Streamlit first looks for its server beside that page, and then at the root.
    probes = [url for url in missing if url.endswith(("/_stcore/health", "/_stcore/host-config"))]
    assert missing == probes
    assert len(noise) == len(probes), noise
    assert strangers == []
    context.close()


def _ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def _settle(page: Page) -> None:
    """Wait until Streamlit has nothing left to run: a press on a button that is being drawn again is lost."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible(timeout=WAIT)


def _figure(page: Page, place: int = 0) -> Any:
    figure = page.locator(".js-plotly-plot").nth(place)
    expect(figure).to_be_visible(timeout=WAIT)
    return figure


def test_decision(site: str, browser: Browser) -> None:
    with _reading(browser, site) as page:
        expect(page.get_by_role("heading", name="What should a ticket cost?")).to_be_visible(timeout=WAIT)
        expect(page.get_by_text("Set price to")).to_be_visible()
        expect(_figure(page, 1)).to_contain_text("price (EUR)")


def test_a_lever_moves_the_figure_and_the_link_brings_it_back(site: str, browser: Browser) -> None:
    with _reading(browser, f"{site}/levers") as page:
        slider = page.get_by_role("slider").first
        expect(_figure(page)).to_contain_text("what if", timeout=WAIT)
        before = _figure(page).inner_text()
        slider.press("End")
        expect(_figure(page)).to_contain_text("what if 15.00 EUR", timeout=WAIT)
        assert _figure(page).inner_text() != before
        expect(page.get_by_text("extrapolation")).to_be_visible()
        page.wait_for_url("**set_price=15*", timeout=WAIT)
        link = page.url
    with _reading(browser, link) as page:
        expect(_figure(page)).to_contain_text("what if 15.00 EUR", timeout=WAIT)
        expect(page.get_by_role("slider").first).to_have_value("15")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_downloads_are_the_runs_own_files(site: str, browser: Browser, small_run: Run, kind: str) -> None:
    assert small_run.folder is not None
    with _reading(browser, f"{site}/actions") as page:
        button = page.get_by_role("button", name=f"Download {kind}")
        expect(button).to_be_visible(timeout=WAIT)
        _settle(page)
        with page.expect_download(timeout=WAIT) as waiting:
            button.click()
        taken = Path(waiting.value.path()).read_bytes()
    assert taken == (small_run.folder / f"recommendations.{kind}").read_bytes()


def test_a_filtered_download_holds_what_is_shown(site: str, browser: Browser, small_run: Run) -> None:
    assert small_run.recommendations is not None
    frame = small_run.recommendations.frame
    with _reading(browser, f"{site}/actions?only=with+remarks") as page:
        button = page.get_by_role("button", name="Download csv")
        expect(button).to_be_visible(timeout=WAIT)
        _settle(page)
        with page.expect_download(timeout=WAIT) as waiting:
            button.click()
        lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    rows = frame.loc[frame["remarks"] != "", "row"]
    assert [line.split(",")[0] for line in lines[1:]] == [str(row) for row in rows]


def test_trust(site: str, browser: Browser) -> None:
    with _reading(browser, f"{site}/trust") as page:
        expect(page.get_by_role("heading", name="Evidence: randomised")).to_be_visible(timeout=WAIT)
        shown = page.locator(".js-plotly-plot").filter(has_text="observed (share)")
        expect(shown.first).to_be_visible(timeout=WAIT)


def test_a_broken_scenario_shows_its_message(site: str, browser: Browser) -> None:
    with _reading(browser, f"{site}?of=scenarios/broken.yaml") as page:
        expect(page.get_by_text("things need mending")).to_be_visible(timeout=WAIT)
        expect(page.get_by_text("Did you mean 'levers'?")).to_be_visible()


def test_the_link_opens_nothing_that_was_not_offered(site: str, browser: Browser) -> None:
    with _reading(browser, f"{site}?of=/etc") as page:
        expect(page.get_by_role("heading", name="What should a ticket cost?")).to_be_visible(timeout=WAIT)


def test_a_limit_is_dragged(site: str, browser: Browser) -> None:
    with _reading(browser, f"{site}/trade-offs?of=runs/campaign") as page:
        expect(_figure(page)).to_contain_text("your limit", timeout=WAIT)
        worth = page.get_by_test_id("stMetricValue").first
        before = worth.inner_text()
        page.get_by_role("slider").first.press("Home")
        expect(worth).not_to_have_text(before, timeout=WAIT)


PAGES = ["Decision", "Why", "Levers", "Trade-offs", "Compare", "Actions", "Data", "Trust", "Scenario"]


@pytest.mark.parametrize(("scheme", "of"), [("light", ""), ("dark", "?of=runs/campaign")])
def test_every_page_is_open_to_all_and_fits_a_phone(site: str, browser: Browser, scheme: Any, of: str) -> None:
    """On both cases, axe-core (deque.com) finds no serious fault, and 390 pixels need no sideways scrolling."""
    with _reading(browser, f"{site}/{of}", color_scheme=scheme) as page:
        page.evaluate(AXE)
        main = page.locator("[data-testid='stMain']")
        for name in PAGES:
            page.set_viewport_size({"width": 1440, "height": 1000})
            page.get_by_role("link", name=name, exact=True).click(timeout=WAIT)
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WAIT)
            _settle(page)
            page.wait_for_timeout(700)  # what is drawn fades in, and is faint until then
            _settle(page)
            # Streamlit's own sign that it is running is not ours, and gone when it is not.
            found = page.evaluate(f"axe.run({SCOPE}, {{resultTypes: ['violations']}})")["violations"]
            bad = [(name, each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS]
            assert bad == []
            page.set_viewport_size({"width": 390, "height": 844})
            page.wait_for_timeout(300)
            assert main.evaluate("element => element.scrollWidth <= element.clientWidth"), name


def test_the_report_asks_for_nothing(browser: Browser, small_run: Run, tmp_path: Path) -> None:
    from drivetrain import report

    report.write(small_run, tmp_path)
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator(".js-plotly-plot").first).to_contain_text("value for one row", timeout=WAIT)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()
