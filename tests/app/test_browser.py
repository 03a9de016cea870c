"""Every page in a real browser: a silent console, nothing leaves the machine, links hold, downloads are the run's."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.browsing import WAIT, chromium, reading, serving, settle

if TYPE_CHECKING:
    from drivetrain import Run

SCOPE = """{include: [['body']], exclude: [['[data-testid="stStatusWidget"]']]}"""
SERIOUS = {"serious", "critical"}
AXE = (Path(str(find_spec("axe_playwright_python").origin)).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(small_run: Run, campaign_run: Run, shelf_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard's address; it serves three runs, and a folder with a broken scenario."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "scenarios").mkdir()
    shutil.copytree(str(campaign_run.folder), folder / "runs" / "campaign")
    shutil.copytree(str(shelf_run.folder), folder / "runs" / "shelf")
    (folder / "scenarios" / "broken.yaml").write_text("version: 1\nlever: 3\n", encoding="utf-8")
    with serving(folder, str(small_run.folder)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def _figure(page: Page, place: int = 0) -> Any:
    figure = page.locator(".js-plotly-plot").nth(place)
    expect(figure).to_be_visible(timeout=WAIT)
    return figure


def test_decision(site: str, browser: Browser, small_run: Run) -> None:
    from drivetrain.decisions import words

    with reading(browser, site) as page:
        expect(page.get_by_role("heading", name="What should a ticket cost?")).to_be_visible(timeout=WAIT)
        expect(page.get_by_text(words.action(small_run.scenario, small_run.judged))).to_be_visible()
        expect(_figure(page, 1)).to_contain_text("price (EUR)")


def test_a_lever_moves_the_figure_and_the_link_brings_it_back(site: str, browser: Browser) -> None:
    with reading(browser, f"{site}/levers") as page:
        slider = page.get_by_role("slider").first
        expect(_figure(page)).to_contain_text("what if", timeout=WAIT)
        before = _figure(page).inner_text()
        slider.press("End")
        expect(_figure(page)).to_contain_text("what if 15.00 EUR", timeout=WAIT)
        assert _figure(page).inner_text() != before
        expect(page.get_by_text("extrapolation")).to_be_visible()
        page.wait_for_url("**set_price=15*", timeout=WAIT)
        link = page.url
    with reading(browser, link) as page:
        expect(_figure(page)).to_contain_text("what if 15.00 EUR", timeout=WAIT)
        expect(page.get_by_role("slider").first).to_have_value("15")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_downloads_are_the_runs_own_files(site: str, browser: Browser, small_run: Run, kind: str) -> None:
    assert small_run.folder is not None
    with reading(browser, f"{site}/actions") as page:
        button = page.get_by_role("button", name=f"Download {kind}")
        expect(button).to_be_visible(timeout=WAIT)
        settle(page)
        with page.expect_download(timeout=WAIT) as waiting:
            button.click()
        taken = Path(waiting.value.path()).read_bytes()
    assert taken == (small_run.folder / f"recommendations.{kind}").read_bytes()


def test_a_filtered_download_holds_what_is_shown(site: str, browser: Browser, small_run: Run) -> None:
    assert small_run.recommendations is not None
    frame = small_run.recommendations.frame
    with reading(browser, f"{site}/actions?only=with+remarks") as page:
        button = page.get_by_role("button", name="Download csv")
        expect(button).to_be_visible(timeout=WAIT)
        settle(page)
        with page.expect_download(timeout=WAIT) as waiting:
            button.click()
        lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    rows = frame.loc[frame["remarks"] != "", "row"]
    assert [line.split(",")[0] for line in lines[1:]] == [str(row) for row in rows]


def test_a_locked_row_stays_and_the_file_is_the_table(site: str, browser: Browser) -> None:
    with reading(browser, f"{site}/actions?of=runs/campaign&sort=gain&down=true") as page:
        expect(page.get_by_text("No row is locked.")).to_be_visible(timeout=WAIT)
        settle(page)
        first = _shown(page)[0]
        page.locator('[data-testid="stDataFrame"] .dvn-scroller').first.click(position={"x": 38, "y": 52})  # its box
        expect(page.get_by_text("One row is locked.")).to_be_visible(timeout=WAIT)
        settle(page)
        page.get_by_role("button", name="Choose the others again").click()
        expect(page.get_by_text("Chosen again with these locks")).to_be_visible(timeout=WAIT)
        settle(page)
        with page.expect_download(timeout=WAIT) as waiting:
            page.get_by_role("button", name="Download csv").click()
        lines = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))
        shown = _shown(page)
    locked = next(line for line in lines if line["row"] == first["row"])
    assert "fixed by a person" in locked["remarks"]
    assert float(locked["discount"]) == _as_shown(first["discount, %"])
    assert locked["channel"] == first["channel"]
    assert len(shown) > 5
    for line, row in zip(lines, shown, strict=False):
        assert (line["row"], line["channel"], line["reason"]) == (row["row"], row["channel"], row["reason"])
        assert float(line["gain"]) == _as_shown(row["gain, EUR per customer"])


def test_where_rows_get_several_options_a_link_and_a_file_hold(site: str, browser: Browser, shelf_run: Run) -> None:
    with reading(browser, f"{site}/levers?of=runs/shelf&set_shown=b&set_shown=e") as page:
        expect(_figure(page)).to_contain_text("what if", timeout=WAIT)
        worth = page.get_by_test_id("stMetricValue").first
        before = worth.inner_text()
        page.get_by_role("combobox", name="shown, up to 2").press("Backspace")  # the last one leaves its slot
        expect(worth).not_to_have_text(before, timeout=WAIT)
        one = worth.inner_text()
        page.get_by_role("combobox", name="shown, up to 2").click()
        page.get_by_role("option", name="f", exact=True).click()
        expect(worth).not_to_have_text(one, timeout=WAIT)
        page.wait_for_url("**set_shown=b&set_shown=f*", timeout=WAIT)
        link, after = page.url, worth.inner_text()
    with reading(browser, link) as page:
        expect(page.get_by_test_id("stMetricValue").first).to_have_text(after, timeout=WAIT)
    with reading(browser, f"{site}/actions?of=runs/shelf") as page:
        button = page.get_by_role("button", name="Download csv")
        expect(button).to_be_visible(timeout=WAIT)
        settle(page)
        shown = _shown(page)
        with page.expect_download(timeout=WAIT) as waiting:
            button.click()
        lines = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))
    assert shelf_run.recommendations is not None
    assert len(lines) == len(shelf_run.recommendations)
    for line, row in zip(lines, shown, strict=False):
        assert all(line[name] == row[name] for name in ("row", "shown_1", "shown_2", "reason"))


def _as_shown(told: str) -> Any:
    """A number that is rounded to what stands there."""
    decimals = len(told.partition(".")[2])
    return pytest.approx(float(told), abs=0.5 * 10.0**-decimals + 1e-9)


def _shown(page: Page) -> list[dict[str, str]]:
    """The lines in sight of the table, as readers who do not see it are told."""
    grid = page.locator('[data-testid="stDataFrame"]').first.locator("table")
    expect(grid.locator("tbody tr").first).to_be_attached(timeout=WAIT)
    told = grid.evaluate(
        """table => [...table.querySelectorAll('tr')].map(row => [...row.children].map(cell => cell.innerText))"""
    )
    return [dict(zip(told[0], line, strict=True)) for line in told[1:]]


def test_trust(site: str, browser: Browser) -> None:
    with reading(browser, f"{site}/trust") as page:
        expect(page.get_by_role("heading", name="Evidence: randomised")).to_be_visible(timeout=WAIT)
        shown = page.locator(".js-plotly-plot").filter(has_text="observed (share)")
        expect(shown.first).to_be_visible(timeout=WAIT)


def test_a_broken_scenario_shows_its_message(site: str, browser: Browser) -> None:
    with reading(browser, f"{site}?of=scenarios/broken.yaml") as page:
        expect(page.get_by_text("things need mending")).to_be_visible(timeout=WAIT)
        expect(page.get_by_text("Did you mean 'levers'?")).to_be_visible()


def test_the_link_opens_nothing_that_was_not_offered(site: str, browser: Browser) -> None:
    with reading(browser, f"{site}?of=/etc") as page:
        expect(page.get_by_role("heading", name="What should a ticket cost?")).to_be_visible(timeout=WAIT)


def test_a_limit_is_dragged(site: str, browser: Browser) -> None:
    with reading(browser, f"{site}/trade-offs?of=runs/campaign") as page:
        expect(_figure(page)).to_contain_text("your limit", timeout=WAIT)
        worth = page.get_by_test_id("stMetricValue").first
        before = worth.inner_text()
        page.get_by_role("slider").first.press("Home")
        expect(worth).not_to_have_text(before, timeout=WAIT)


PAGES = ["Decision", "Why", "Levers", "Trade-offs", "Compare", "Actions", "Data", "Trust", "Scenario"]


@pytest.mark.parametrize(("scheme", "of"), [("light", ""), ("dark", "?of=runs/campaign"), ("dark", "?of=runs/shelf")])
def test_every_page_is_open_to_all_and_fits_a_phone(site: str, browser: Browser, scheme: Any, of: str) -> None:
    """On every case, axe-core (deque.com) finds no serious fault, and 390 pixels need no sideways scrolling."""
    with reading(browser, f"{site}/{of}", color_scheme=scheme) as page:
        page.evaluate(AXE)
        main = page.locator("[data-testid='stMain']")
        for name in PAGES:
            page.set_viewport_size({"width": 1440, "height": 1000})
            page.get_by_role("link", name=name, exact=True).click(timeout=WAIT)
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WAIT)
            settle(page)
            page.wait_for_timeout(700)  # what is drawn fades in, and is faint until then
            settle(page)
            if _serious(page):  # on a busy machine something may still be fading in
                page.wait_for_timeout(1500)
                settle(page)
                assert _serious(page) == [], name
            page.set_viewport_size({"width": 390, "height": 844})
            page.wait_for_timeout(300)
            assert main.evaluate("element => element.scrollWidth <= element.clientWidth"), name


def _serious(page: Page) -> list[tuple[str, str]]:
    """What axe-core finds; Streamlit's own sign that it is running is not ours, and gone when it is not."""
    found = page.evaluate(f"axe.run({SCOPE}, {{resultTypes: ['violations']}})")["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS]


def test_the_report_asks_for_nothing(browser: Browser, small_run: Run, tmp_path: Path) -> None:
    from drivetrain import report

    report.write(small_run, tmp_path)
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator(".js-plotly-plot").first).to_contain_text("value of one row", timeout=WAIT)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()
