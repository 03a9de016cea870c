"""Figures: they show what the run says, in the reader's theme, and load plotly only when one is drawn."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivetrain import figures

if TYPE_CHECKING:
    from drivetrain import Run


def _trace(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def test_policies_show_every_value_and_promise(small_run: Run) -> None:
    evidence = small_run.judged
    figure = figures.policies(small_run.scenario, evidence)
    values = sorted(trace.x[0] for trace in figure.data if trace.error_x.array is not None)
    assert values == sorted(each.estimate.value for each in evidence.policies)
    reach = {trace.x[0]: trace.error_x.array[0] for trace in figure.data if trace.error_x.array is not None}
    assert reach[evidence.chosen.estimate.value] == pytest.approx(1.959964 * evidence.chosen.estimate.error)
    promised = _trace(figure, "what the models promise").x
    assert set(promised) == {each.naive for each in evidence.policies if each.name != "current"}
    assert figure.layout.xaxis.title.text == "value of one row (EUR per visitor)"


def test_value_curve_is_the_evidence(small_run: Run) -> None:
    figure = figures.value_curve(small_run, "price")
    assert figure is not None
    assert figures.value_curve(replace(small_run, evidence=replace(small_run.judged, curve=())), "price") is None
    points = small_run.judged.curve
    assert list(_trace(figure, "what the models expect").y) == [point.modelled for point in points]
    honest = next(t for t in figure.data if t.name == "honest value, 95% interval" and t.fill is None)
    assert list(honest.y) == [point.estimate.value for point in points]
    assert figure.layout.xaxis.title.text == "price (EUR)"
    assert sum(_trace(figure, "rows in the data").customdata) == len(small_run.table)


def test_response_marks_what_lies_beyond_the_data(small_run: Run) -> None:
    answer = small_run.respond("price")
    assert not answer.supported.all()
    figure = figures.response(small_run, answer, "bought", at={"what if": 9.0})
    known = next(t for t in figure.data if t.name == "expected, with the models' spread" and t.fill is None)
    assert len(known.x) == answer.supported.sum()
    assert len(_trace(figure, "beyond the data").x) == len(answer.settings)
    assert figure.layout.yaxis.title.text == "bought (probability)"
    assert any("what if 9.00 EUR" in note.text for note in figure.layout.annotations)


def test_response_agrees_with_a_what_if(small_run: Run) -> None:
    answer = small_run.respond("price")
    for place in (0, 17, -1):
        told = small_run.simulate(price=float(answer.settings[place])).estimates
        for name, estimate in told.items():
            assert answer.estimates[name][place].value == pytest.approx(estimate.value, abs=1e-5)
            assert answer.estimates[name][place].error == pytest.approx(estimate.error, abs=1e-5)


def test_response_refuses_unknown_levers(small_run: Run) -> None:
    with pytest.raises(ValueError, match="Did you mean 'price'"):
        small_run.respond("prise")


def test_the_contest_says_who_could_not_take_part() -> None:
    told = {"rows": 1200, "effects": {"price": "decreasing_convex"}, "without": {"joint": "cannot"}}
    assert figures.judged(told) == (
        "Judged on 1,200 rows, each by models that had not seen it. Effects held as declared: that of price is "
        "decreasing and convex. The joint network cannot hold them, and did not compete."
    )
    assert figures.judged({"rows": 9}) == "Judged on 9 rows, each by models that had not seen it."


def test_contest_and_calibration_are_the_record(small_run: Run) -> None:
    told = small_run.record["contest"]["bought"]
    contest = figures.contest("bought", told)
    assert sorted(_trace(contest, "all folds").x) == sorted(entry["loss"] for entry in told["entries"])
    calibration = figures.calibration("bought", told, "share")
    assert list(_trace(calibration, "bought, 95% interval").y) == [group["observed"] for group in told["calibration"]]


def test_settings_and_gains_count_every_row(small_run: Run) -> None:
    assert small_run.recommendations is not None
    assert sum(figures.settings(small_run, "price").data[0].y) == len(small_run.recommendations)
    gains = figures.gains(small_run)
    assert gains is not None
    assert sum(gains.data[0].y) == len(small_run.recommendations)


@pytest.mark.parametrize("look", [figures.LIGHT, figures.DARK])
def test_backgrounds_are_clear_and_text_can_be_read(small_run: Run, look: figures.Look) -> None:
    layout = figures.policies(small_run.scenario, small_run.judged, look).layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    for colour in (look.ink, look.quiet, look.strong, look.other, look.model):
        assert _contrast(colour, look.paper) >= 4.5, colour


def test_texts_of_scenarios_are_not_read_as_html(small_run: Run) -> None:
    told = {**small_run.record["contest"]["bought"]}
    assert "<script>" not in figures.calibration("<script>alert(1)</script>", told).to_json().replace("\\u003c", "<")


def test_importing_figures_loads_no_plotly() -> None:
    code = "import sys, drivetrain.figures; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0


def _contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_what_models_rely_on_is_drawn_as_the_record_says(small_run: Run) -> None:
    told = small_run.explain()["outcomes"]["bought"]
    figure = figures.importance("bought", told)
    assert sorted(figure.data[0].x) == sorted(each["loss"] for each in told["by"])
    assert {"price (lever)", "income (input)", "region (input)"} == set(figure.data[0].y)
    assert max(told["by"], key=lambda each: each["loss"])["name"] == "price"


def test_a_confusion_counts_every_judged_row(small_run: Run) -> None:
    told = small_run.explain()["outcomes"]["bought"]["confusion"]
    assert sum(map(sum, told["rows"])) == len(small_run.table.training)
    figure = figures.confusion("bought", told)
    assert figure.data[0].text[0][0] == f"{told['rows'][0][0]:,}"
    assert sum(figure.data[0].z[0]) == pytest.approx(1)


def test_levers_that_act_on_each_other_stand_in_order() -> None:
    pairs = [{"levers": ["a", "b"], "share": 0.5, "size": 2.0}, {"levers": ["a", "c<"], "share": 0.1, "size": 1.0}]
    figure = figures.interplay(pairs, "EUR")
    assert list(figure.data[0].y) == ["a × c&lt;", "a × b"]
    assert figure.layout.xaxis.title.text == "what both do beyond their sum (EUR)"


def test_what_the_evidence_rests_on_is_drawn(small_run: Run) -> None:
    evidence = small_run.judged
    assert evidence.trust is not None
    curves = figures.learners(small_run.scenario, evidence, "price")
    assert curves is not None
    points = [each for each in evidence.trust.curves if each.lever == "price"]
    assert list(curves.data[-1].y) == [each.modelled for each in points]
    assert list(curves.data[1].y) == [each.orthogonal.value for each in points]
    bars = figures.chances(evidence)
    assert bars is not None
    assert sum(bars.data[0].y) == evidence.rows
    inputs = figures.balance(evidence)
    assert inputs is not None
    assert set(inputs.data[0].y) == {"income", "region"}
    assert all(each.after < 0.35 for each in evidence.trust.overlap.balance)
    bare = replace(evidence, trust=None)
    assert figures.learners(small_run.scenario, bare, "price") is None
    assert figures.chances(bare) is None
    assert figures.balance(bare) is None


def test_fairness_is_drawn_against_profit(small_run: Run) -> None:
    told = [{"by": "region", "of": "price", "gap": gap, "objective": value} for gap, value in ((2, 1.5), (0, 1.2))]
    (figure,) = figures.fairness(replace(small_run, record={**small_run.record, "fairness": {"prices": told}}))
    assert (list(figure.data[0].x), list(figure.data[0].y)) == ([0, 2], [1.2, 1.5])
    assert figures.fairness(small_run) == []


def test_returns_of_levers_of_one_unit_are_beside_each_other(small_run: Run) -> None:
    from drivetrain.assembly import Return, Returns
    from drivetrain.evidence import Estimate

    def line(name: str, unit: str) -> Return:
        return Return(name, unit, 0.0, 1.0, None, Estimate(0.5, 0.1), Estimate(0.1, 0.1))

    figure = figures.returns(small_run, Returns("do_nothing", (line("tv", "EUR"), line("web", "EUR")), 10))
    assert figure is not None
    assert list(_trace(figure, "as recommended").x) == [0.1, 0.1]
    assert list(_trace(figure, "doing nothing").y) == ["tv", "web"]
    assert figures.returns(small_run, Returns("do_nothing", (line("tv", "EUR"), line("age", "days")), 10)) is None


def test_of_thousands_of_options_the_highest_are_shown() -> None:
    from drivetrain.evidence import Estimate
    from drivetrain.figures.options import MOST, Options

    names = {float(code): f"film {code}" for code in range(3000)}
    board = Options.named(names, {code: code % 100 for code in names}, ("film", "stars"), figures.LIGHT)
    board.intervals({code: Estimate(code % 100, 1.0) for code in names}, "honest value")
    board.mark(0.0, "what if", figures.LIGHT.strong)  # has no room
    board.mark(2999.0, "what if", figures.LIGHT.strong)
    assert board.lying
    assert len(board.out.data[0].x) == MOST
    assert min(board.out.data[0].x) == 99
    assert [note.y for note in board.out.layout.annotations] == ["film 2999"]
    assert board.out.layout.xaxis.title.text == "stars, the 24 highest of 3,000"
    assert board.out.layout.height < 900


def test_long_axis_titles_are_folded() -> None:
    from drivetrain.figures.look import figure

    title = figure(figures.LIGHT, x="share of rows that get what is recommended, those first that gain most").layout
    assert title.xaxis.title.text == "share of rows that get what is recommended,<br>those first that gain most"
