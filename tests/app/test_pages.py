"""Every page, run by Streamlit's own test harness: what it says is what the run found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from drivetrain.decisions import words
from drivetrain.decisions.rounding import interval

if TYPE_CHECKING:
    from drivetrain import Run

MAIN = Path(__file__).parents[2] / "app" / "main.py"
Open = Callable[..., AppTest]
Page = Callable[..., AppTest]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_run: Run) -> Open:
    """Opens the dashboard as `drivetrain dashboard TARGET` does, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(MAIN.parent))

    def open_(target: str | None = str(small_run.folder)) -> AppTest:
        monkeypatch.setattr("sys.argv", ["main.py", *([target] if target else [])])
        test = AppTest.from_file(str(MAIN), default_timeout=60).run()
        assert not test.exception
        return test

    return open_


@pytest.fixture
def paged(monkeypatch: pytest.MonkeyPatch, small_run: Run) -> Page:
    """Shows one page alone, with a link's parameters."""
    monkeypatch.syspath_prepend(str(MAIN.parent))

    def page(name: str, folder: str) -> None:
        from importlib import import_module

        import drivetrain as dt

        import_module(name).show(dt.open_run(folder))

    def paged_(name: str, **query: str) -> AppTest:
        test = AppTest.from_function(page, default_timeout=60, args=(name, str(small_run.folder)))
        test.query_params.update(query)
        test.run()
        assert not test.exception
        return test

    return paged_


def _all(test: AppTest) -> str:
    parts = [*test.title, *test.subheader, *test.markdown, *test.caption, *test.text, *test.error, *test.info]
    return "\n".join(part.value for part in parts).replace("\\", "")


def _marks(test: AppTest) -> list[str]:
    """What the figures' annotations say."""
    specs = [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]
    return [note["text"] for spec in specs for note in spec["layout"].get("annotations", [])]


def test_decision_says_the_recommendation(opened: Open, small_run: Run) -> None:
    test = opened()
    assert small_run.recommendations is not None
    text = _all(test)
    assert words.headline(small_run.scenario, small_run.judged, small_run.recommendations.promise) in text
    assert words.grounds(small_run.judged)[1] in text
    assert test.metric[0].value == interval(small_run.judged.chosen.estimate)[0]
    assert len(test.get("plotly_chart")) == 2


def test_levers_answer_as_the_run_does(paged: Page, small_run: Run) -> None:
    test = paged("levers")
    test.slider(key="set_price").set_value(12.0).run()
    told = small_run.simulate(price=12.0).estimates
    assert [metric.value for metric in test.metric] == [interval(told[name])[0] for name in ("objective", "bought")]
    assert "what if 12.00 EUR" in _marks(test)
    assert not test.warning


def test_levers_warn_beyond_the_data(paged: Page) -> None:
    test = paged("levers")
    test.slider(key="set_price").set_value(5.0).run()
    assert "extrapolation" in test.warning[0].value


def test_levers_begin_and_go_back_to_the_best_single_setting(paged: Page, small_run: Run) -> None:
    test = paged("levers")
    best = test.slider(key="set_price").value
    assert best == pytest.approx(small_run.judged.single[0], abs=0.06)
    test.slider(key="set_price").set_value(12.0).run()
    test.button[0].click().run()
    assert test.slider(key="set_price").value == best


def test_levers_of_one_row(paged: Page, small_run: Run) -> None:
    test = paged("levers", whom="one row", row="10", set_price="9.0")
    place = list(small_run.table.row).index(9)
    told = small_run.simulate(small_run.table.subset(np.array([place])), price=9.0).estimates
    assert test.metric[1].value == interval(told["bought"])[0]
    test.number_input(key="row").set_value(6).run()
    assert "Row 6 was left out" in test.warning[0].value


def test_actions_are_the_recommendations(paged: Page, small_run: Run) -> None:
    test = paged("actions")
    assert small_run.recommendations is not None
    shown = test.dataframe[0].value
    pd.testing.assert_frame_equal(shown, small_run.recommendations.frame, check_dtype=False)
    test.selectbox(key="only").set_value("with remarks").run()
    remarked = shown[shown["remarks"] != ""]
    assert 4 in remarked["row"].to_numpy()
    assert list(test.dataframe[0].value["row"]) == list(remarked["row"])
    test.text_input(key="find").set_value("nowhere to be found").run()
    assert "No row is left" in test.info[0].value


def test_trust_tells_models_rows_and_evidence(paged: Page, small_run: Run) -> None:
    text = _all(paged("trust"))
    assert words.inflation(small_run.scenario, small_run.judged) in text
    assert "598 rows of visitors.csv were used; 60 of them are sealed" in text
    assert small_run.record["data"]["fingerprint"] in text


@pytest.mark.usefixtures("opened")
def test_trust_tells_an_opened_test(small_run: Run, tmp_path: Path) -> None:
    import drivetrain as dt

    folder = Path(shutil.copytree(str(small_run.folder), tmp_path / "copy"))

    def page(folder: str) -> None:
        import trust

        import drivetrain as dt

        trust.show(dt.open_run(folder))

    closed = AppTest.from_function(page, default_timeout=60, args=(str(folder),)).run()
    assert "sealed rows, which no model had seen" not in _all(closed)
    dt.evaluate(folder, open_test=True)
    told = AppTest.from_function(page, default_timeout=60, args=(str(folder),)).run()
    assert not told.exception
    assert "On 60 sealed rows, which no model had seen," in _all(told)
    assert "Opened once" in _all(told)


def test_nothing_to_look_at_is_said(opened: Open) -> None:
    assert "Nothing to look at yet" in _all(opened(None))


def test_a_broken_scenario_shows_its_faults(opened: Open, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 1\nname: Broken\nlevers: {}\n", encoding="utf-8")
    text = _all(opened(str(broken)))
    assert "things need mending" in text
    assert "broken.yaml:2:7" in text


def test_a_damaged_run_shows_its_message(opened: Open, small_run: Run, tmp_path: Path) -> None:
    assert small_run.folder is not None
    damaged = tmp_path / "damaged"
    shutil.copytree(small_run.folder, damaged)
    (damaged / "record.json").write_text("{}", encoding="utf-8")
    assert "record.json" in _all(opened(str(damaged)))


def test_a_scenario_runs_on_a_button(opened: Open, small_scenario: Path, tmp_path: Path) -> None:
    test = opened(str(small_scenario))
    assert "What should a ticket cost?" in _all(test)
    test.button[0].click().run(timeout=120)
    assert not test.exception
    assert (tmp_path / "runs" / "small_price" / "report.html").is_file()
    assert "Set price to" in _all(test)


def test_a_scenario_that_cannot_run_says_why(opened: Open, small_scenario: Path, tmp_path: Path) -> None:
    path = tmp_path / "lost.yaml"
    path.write_text(small_scenario.read_text().replace("visitors.csv", "lost.csv"), encoding="utf-8")
    test = opened(str(path))
    test.button[0].click().run()
    assert not test.exception
    assert "lost.csv" in _all(test)
