"""The report: one file that needs nothing else, says what the record says, and believes no text."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivetrain import report
from drivetrain.decisions import reasons, words
from drivetrain.decisions.rounding import interval, number
from drivetrain.errors import UsageError
from drivetrain.report.page import table
from drivetrain.report.printing import BROWSERS

if TYPE_CHECKING:
    from drivetrain import Run


@pytest.fixture(scope="module")
def page(small_run: Run) -> str:
    return report.html(small_run)


def _text(page: str) -> str:
    """What a reader sees, figures apart."""
    plain = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", plain)))


def test_nothing_is_fetched(page: str) -> None:
    markup = re.sub(r"<script\b[^>]*>.*?</script>", "<script></script>", page, flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href|action)\s*=\s*(?!["']?data:)""", markup)
    assert "@import" not in markup
    assert "url(" not in markup
    assert not re.findall(r"<script[^>]+src", page)


def test_plotly_stands_in_it_once(page: str) -> None:
    assert page.count("plotly.js v") == 1
    assert len(page) < 6_000_000


def test_it_says_the_recommendation(page: str, small_run: Run) -> None:
    text, evidence = _text(page), small_run.judged
    assert small_run.recommendations is not None
    assert words.headline(small_run.scenario, evidence, small_run.recommendations.promise) in text
    for line in reasons.sentences(small_run.scenario, evidence):
        assert line in text


def test_numbers_are_the_records(page: str, small_run: Run) -> None:
    text = _text(page)
    for judged in small_run.record["evidence"]["policies"]:
        estimate = small_run.judged.policy(judged["name"]).estimate
        value, low, high = interval(estimate)
        assert estimate.value == judged["estimate"]["value"]
        assert f"{value} {low} to {high}" in text
        assert judged["name"] == "current" or number(judged["naive"]) in text
    for entry in small_run.record["contest"]["bought"]["entries"]:
        assert f"{entry['loss']:.4f}" in text
    record = small_run.record
    told = [record["data"]["fingerprint"], record["scenario_sha256"], record["versions"]["torch"], record["made"]]
    assert all(fact in text for fact in told)
    assert "Left out: 2 rows, because outcome 'bought' is missing." in text
    assert "60 of them are sealed for a last test, never opened" in text


def test_texts_of_scenarios_are_escaped(small_run: Run) -> None:
    evil = "<script>alert('x')</script><img src=http://example.org/x>"
    objective = small_run.scenario.objective.model_copy(update={"unit": evil})
    lever = small_run.scenario.levers["price"].model_copy(update={"unit": evil, "description": evil})
    changes = {"title": evil, "description": evil, "objective": objective, "levers": {"price": lever}}
    page = report.html(replace(small_run, scenario=small_run.scenario.model_copy(update=changes)))
    assert "<script>alert" not in page
    assert "<img" not in re.sub(r"<script\b[^>]*>.*?</script>", "", page, flags=re.DOTALL)


def test_the_lesson_is_told(small_run: Run) -> None:
    taught = small_run.scenario.model_copy(update={"lesson": "The rich mind it less."})
    assert "The rich mind it less." in report.html(replace(small_run, scenario=taught))


def test_constraints_and_shadow_prices_are_told(small_run: Run) -> None:
    from drivetrain.scenario import parse

    text = (
        small_run.scenario.text + "constraints:\n  - {name: takings, total: price * bought, at_least: 12, unit: EUR}\n"
    )
    record = {**small_run.record, "shadow_prices": {"takings": 0.25}}
    told = _text(report.html(replace(small_run, scenario=parse(text), record=record)))
    assert "takings total: price * bought at least 12 EUR – 0.25" in told.replace("12.0", "12").replace("0.250", "0.25")


def test_a_run_only_trained_says_so(small_run: Run) -> None:
    page = report.html(replace(small_run, evidence=None, recommendations=None))
    assert "only trained" in page
    assert "Models" in page


def test_it_is_written_whole(small_run: Run, tmp_path: Path) -> None:
    report.write(small_run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == report.html(small_run)


def test_it_tells_why(page: str, small_run: Run) -> None:
    import drivetrain as dt

    told = dt.bridge(small_run)
    assert told is not None
    text = _text(page)
    for move in told.moves:
        assert f"{move.what} {move.said(move.before)} {move.said(move.after)}" in text
    assert "chance in the data" in text


def test_words_in_tables_stand_to_the_left_and_numbers_to_the_right() -> None:
    told = table(["group", "gets", "rows"], [["young", "place 1.15", "17%"], ["old", "–", "3%"]])
    assert told.count('<td class="words">place 1.15</td>') == 1
    assert "<td>17%</td>" in told


def test_a_browser_prints_it(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not any(map(shutil.which, BROWSERS)):
        pytest.skip("no browser of Chromium's family is on the path")
    report.pdf(page, tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    monkeypatch.setenv("DRIVETRAIN_BROWSER", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="found no browser"):
        report.pdf(page, tmp_path / "again.pdf")
