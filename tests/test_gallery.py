"""The gallery: what runs say, in Markdown between two marks, with pictures that need nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from drivetrain import report
from drivetrain.assembly import Run
from drivetrain.decisions import words
from drivetrain.decisions.rounding import number
from drivetrain.errors import UsageError
from drivetrain.report.gallery import BEGIN, END, plain
from drivetrain.scenario import Scenario


def changed(run: Run, **changes: object) -> Run:
    scenario: Scenario = run.scenario.model_copy(update=changes)
    return replace(run, scenario=scenario)


def test_a_picture_shows_every_policy_where_it_belongs(small_run: Run):
    told = report.card(small_run)
    root = ET.fromstring(told)  # noqa: S314  (our own text)
    texts = [each.text for each in root.iter() if each.tag.endswith("text")]
    circles = [float(each.attrib["cx"]) for each in root.iter() if each.tag.endswith("circle")]
    shown = [each for name in words.NAMES for each in small_run.judged.policies if each.name == name]
    for each in shown:
        assert words.policy(small_run.scenario, each.name, small_run.judged) in texts
        assert number(each.estimate.value) in texts
    values = [each.estimate.value for each in shown]
    assert sorted(range(len(values)), key=values.__getitem__) == sorted(range(len(circles)), key=circles.__getitem__)
    assert not re.search(r"(href|src|url\()", told)
    assert told == report.card(small_run)


def test_no_text_is_taken_for_markup(small_run: Run):
    odd = changed(small_run, title="<script>alert(1)</script> & *all* [of](it)")
    ET.fromstring(report.card(odd))  # noqa: S314  (our own text)
    assert plain(odd.scenario.title) == "\\<script\\>alert(1)\\</script\\> & \\*all\\* \\[of\\](it)"


def test_a_page_keeps_what_is_around_its_gallery(small_run: Run, tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    taught = changed(small_run, lesson="Look before\nyou leap.")
    for _ in range(2):
        report.gallery([taught], page)
    told = page.read_text()
    assert told.startswith("before\n")
    assert told.endswith("\nafter\n")
    assert "old" not in told
    assert told.count("### [") == 1
    made = small_run.recommendations
    assert made is not None
    assert plain(words.headline(small_run.scenario, small_run.judged, made.promise)) in told
    assert "*Lesson.* Look before you leap." in told
    assert (tmp_path / "gallery" / f"{small_run.scenario.name}.svg").read_text() == report.card(taught)


def test_a_page_without_a_place_for_it_is_left_alone(small_run: Run, tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("mine\n")
    with pytest.raises(UsageError, match="no place for the gallery"):
        report.gallery([small_run], page)
    assert page.read_text() == "mine\n"
    assert not (tmp_path / "gallery").exists()


def test_a_run_that_was_only_trained_has_no_picture(small_run: Run):
    with pytest.raises(UsageError, match="only trained"):
        report.card(replace(small_run, evidence=None))
