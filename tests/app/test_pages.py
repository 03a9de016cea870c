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

from drivetrain.decisions import fairness, words
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
def paged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_run: Run) -> Page:
    """Shows one page of a run alone, with a link's parameters, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(MAIN.parent))
    monkeypatch.setattr("sys.argv", ["main.py"])

    def page(name: str, folder: str) -> None:
        from importlib import import_module
        from pathlib import Path

        import target

        import_module(name).show(target.opened(Path(folder)))

    def paged_(name: str, run: Run = small_run, **query: str) -> AppTest:
        test = AppTest.from_function(page, default_timeout=60, args=(name, str(run.folder)))
        test.query_params.update(query)
        test.run()
        assert not test.exception
        return test

    return paged_


def _all(test: AppTest) -> str:
    parts = [*test.title, *test.header, *test.markdown, *test.caption, *test.text, *test.error, *test.info]
    parts += [*test.success, *test.warning]
    return "\n".join(part.value for part in parts).replace("\\", "")


def _marks(test: AppTest) -> list[str]:
    """What the figures' annotations say."""
    specs = [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]
    return [note["text"] for spec in specs for note in spec["layout"].get("annotations", [])]


def _button(test: AppTest, label: str):
    return next(button for button in test.button if button.label == label)


def _edit(test: AppTest, place: int, edits: dict[int, dict[str, object]]) -> None:
    """Edit cells of a table, as its reader would; the harness has no word for it."""
    told = json.dumps({"edited_rows": edits, "added_rows": [], "deleted_rows": []})
    states = test._tree.get_widget_states()
    states.widgets.add(id=test.dataframe[place].proto.id, string_value=told)
    test._run(states)
    assert not test.exception


def test_decision_says_the_recommendation(opened: Open, small_run: Run) -> None:
    test = opened()
    assert small_run.recommendations is not None
    text = _all(test)
    told = words.advice(small_run.scenario, small_run.judged, small_run.recommendations.promise)
    assert all(half in text for half in told)
    assert words.grounds(small_run.judged)[1] in text
    assert test.metric[0].value == interval(small_run.judged.chosen.estimate)[0]
    assert len(test.get("plotly_chart")) == 2


def test_a_signature_is_kept_with_name_and_reason(
    paged: Page, small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIVETRAIN_LOG", f"sqlite:///{tmp_path}/log.sqlite")
    test = paged("decision")
    assert "Nobody has signed" in _all(test)
    _button(test, "Approve").click().run()
    assert "Whoever signs says who they are" in test.error[0].value
    test.text_input(key="signer").set_value("Ada")
    test.text_input(key="signing_reason").set_value("clear enough")
    _button(test, "Reject").click().run()
    assert "rejected by Ada" in _all(test)
    assert small_run.logbook().now.signatures[-1].reason == "clear enough"


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
    _button(test, "Back to the best single setting").click().run()
    assert test.slider(key="set_price").value == best


def test_levers_of_one_row_and_those_like_it(paged: Page, small_run: Run) -> None:
    test = paged("levers", whom="one row", row="10", set_price="9.0")
    place = list(small_run.table.row).index(9)
    told = small_run.simulate(small_run.table.subset(np.array([place])), price=9.0).estimates
    assert test.metric[1].value == interval(told["bought"])[0]
    assert len(test.table[-1].value) == 10
    test.number_input(key="row").set_value(6).run()
    assert "Row 6 was left out" in test.warning[0].value


def test_levers_of_a_segment_and_of_another_world(paged: Page, small_run: Run) -> None:
    test = paged("levers", whom="a segment", by="region", in_region="north", set_price="9.0", move_income="10.0")
    rows = small_run.table.among(region=["north"]).shifted(income=10.0)
    told = small_run.simulate(rows, price=9.0).estimates
    assert test.metric[1].value == interval(told["bought"])[0]


def test_levers_show_single_rows_behind_their_mean(paged: Page, small_run: Run) -> None:
    test = paged("levers", each="true")
    spec = json.loads(test.get("plotly_chart")[0].proto.spec)
    assert "24 single rows" in [trace.get("name") for trace in spec["data"]]


def test_levers_tell_which_rule_a_what_if_breaks(paged: Page, campaign_run: Run) -> None:
    fine = paged("levers", campaign_run, set_channel="email", set_reminder="true")
    assert "Rule: reminder only when channel != 'none'" in _all(fine)
    assert "Against the scenario's rules" not in _all(fine)
    broken = paged("levers", campaign_run, set_channel="none", set_reminder="true")
    assert "reminder only when channel != 'none' (100% of rows)" in _all(broken)


def test_levers_set_several_options_at_once(paged: Page, shelf_run: Run) -> None:
    test = paged("levers", shelf_run)
    best = [shelf_run.scenario.options["shown"][int(code)] for code in shelf_run.judged.slots]
    assert test.multiselect(key="set_shown").value == [each for each in best if each != "none"]
    test.multiselect(key="set_shown").set_value(["b", "e"]).run()
    told = shelf_run.what_if({"shown": ["b", "e"]}, rows=shelf_run.table.evenly(1000)).estimates
    assert [metric.value for metric in test.metric[:2]] == [interval(told[name])[0] for name in ("objective", "novels")]
    assert _marks(test).count("◂ what if") == 2
    test.multiselect(key="set_shown").set_value(["a", "e"]).run()
    assert "grown_ups: never" in _all(test)
    _button(test, "Back to the best options for all").click().run()
    assert test.multiselect(key="set_shown").value == [each for each in best if each != "none"]


def test_two_levers_at_once(paged: Page, campaign_run: Run) -> None:
    test = paged("levers", campaign_run, across="channel", upwards="reminder")
    spec = json.loads(test.get("plotly_chart")[1].proto.spec)
    heat = next(trace for trace in spec["data"] if trace["type"] == "heatmap")
    assert heat["x"] == ["none", "email", "letter"]
    assert heat["y"] == ["no", "yes"]


def test_a_kept_what_if_is_compared_and_can_be_removed(paged: Page, small_run: Run, tmp_path: Path) -> None:
    import drivetrain as dt

    folder = Path(shutil.copytree(str(small_run.folder), tmp_path / "runs" / "small"))
    copy = dt.open_run(folder)
    test = paged("levers", copy, set_price="12.0")
    next(box for box in test.text_input if box.label == "A name for it").set_value("dear")
    _button(test, "Keep it").click().run()
    kept = dt.what_ifs.kept(folder.parent)
    assert [each.name for each in kept] == ["dear"]
    assert kept[0].estimate("objective").value == pytest.approx(copy.simulate(price=12.0).estimates["objective"].value)

    def page() -> None:
        import compare

        compare.show(None)

    told = AppTest.from_function(page, default_timeout=60).run()
    assert not told.exception
    assert "price 12.00 EUR" in str(told.dataframe[-1].value.to_numpy())
    _button(told, "Remove it").click().run()
    assert dt.what_ifs.kept(folder.parent) == []


def test_at_first_runs_of_one_unit_stand_beside_each_other(
    opened: Open, small_run: Run, campaign_run: Run, tmp_path: Path
) -> None:
    for name, run in (("a", small_run), ("b", campaign_run), ("c", small_run)):
        shutil.copytree(str(run.folder), tmp_path / "runs" / name)

    def page() -> None:
        import compare

        compare.show(None)

    told = AppTest.from_function(page, default_timeout=60).run()
    assert not told.exception
    assert told.multiselect(key="runs").value == ["runs/a", "runs/c"]


def test_actions_are_the_recommendations_page_by_page(paged: Page, small_run: Run) -> None:
    test = paged("actions")
    assert small_run.recommendations is not None
    frame = small_run.recommendations.frame
    shown = test.dataframe[0].value
    pd.testing.assert_frame_equal(shown.drop(columns="lock"), frame.head(100), check_dtype=False)
    test.number_input(key="page").set_value(2).run()
    assert list(test.dataframe[0].value["row"]) == list(frame["row"][100:200])
    test.selectbox(key="only").set_value("with remarks").run()
    assert list(test.dataframe[0].value["row"]) == list(frame.loc[frame["remarks"] != "", "row"])
    test.text_input(key="find").set_value("nowhere to be found").run()
    assert "No row is left" in _all(test)


def test_actions_are_sorted_and_filtered_by_setting(paged: Page, campaign_run: Run) -> None:
    assert campaign_run.recommendations is not None
    frame = campaign_run.recommendations.frame
    test = paged("actions", campaign_run, sort="gain", down="true", only_channel="letter")
    wanted = frame[frame["channel"] == "letter"].sort_values("gain", ascending=False, kind="stable")
    assert list(test.dataframe[0].value["row"]) == list(wanted["row"][:100])


def test_a_locked_row_stays_and_the_others_are_chosen_again(paged: Page, campaign_run: Run) -> None:
    from drivetrain.optimizer import used

    test = paged("actions", campaign_run)
    _edit(test, 0, {0: {"channel": "none", "reminder": False}, 1: {"lock": True}})
    assert "2 rows are locked" in _all(test)
    _button(test, "Choose the others again").click().run()
    assert not test.exception
    record = campaign_run.record
    key = f"chosen again {campaign_run.folder} {record['made']} {record['scenario_sha256']}"
    again = test.session_state[key]
    assert again.frame["channel"][0] == "none"
    assert again.frame["remarks"][:2].str.contains("fixed by a person").all()
    crowd = campaign_run.simulator.crowd(campaign_run.table.frame)
    spent = used(campaign_run.simulator, crowd, again.plan.settings)["budget"].sum()
    assert spent <= campaign_run.scenario.constraints[0].at_most * (1 + 1e-4)
    assert test.dataframe[0].value["channel"][0] == "none"
    _button(test, "Unlock all").click().run()
    assert "No row is locked" in _all(test)


def test_the_options_of_a_row_are_locked_and_the_others_chosen_again(paged: Page, shelf_run: Run) -> None:
    assert shelf_run.recommendations is not None
    before = shelf_run.recommendations.frame
    test = paged("actions", shelf_run)
    _edit(test, 0, {0: {"shown_1": "f", "shown_2": "g"}, 1: {"lock": True}})
    assert "2 rows are locked" in _all(test)
    _button(test, "Choose the others again").click().run()
    assert not test.exception
    shown = test.dataframe[0].value
    assert list(shown.loc[0, ["shown_1", "shown_2"]]) == ["f", "g"]
    assert list(shown.loc[1, ["shown_1", "shown_2"]]) == list(before.loc[1, ["shown_1", "shown_2"]])
    assert shown["remarks"][:2].str.contains("fixed by a person").all()
    _edit(test, 0, {2: {"shown_1": "a", "shown_2": "a"}})
    _button(test, "Choose the others again").click().run()
    assert "in two slots" in _all(test)


def test_why_takes_slates_apart(paged: Page, shelf_run: Run) -> None:
    import drivetrain as dt

    told = dt.bridge(shelf_run)
    assert told is not None
    for split, steps in (("by option", told.levers), ("by slot", told.stages)):
        spec = json.loads(paged("why", shelf_run, split=split).get("plotly_chart")[0].proto.spec)
        assert spec["data"][0]["y"][1 : 1 + len(steps)] == [step.name for step in steps]
        assert sum(step.change.value for step in steps) == pytest.approx(told.end - told.start, abs=1e-4)


def test_slots_are_limited(paged: Page, shelf_run: Run) -> None:
    import drivetrain as dt

    test = paged("tradeoffs", shelf_run)
    limit = "limit_slots filled by shown_most"
    test.slider(key=limit).set_value(1.0).run()
    found = dt.Limits.of(shelf_run, "slots filled by shown").at(test.slider(key=limit).value)
    assert found.used <= 1 + 1e-6
    assert test.metric[0].value == interval(found.value)[0]


def test_why_adds_up(paged: Page, campaign_run: Run) -> None:
    import drivetrain as dt

    told = dt.bridge(campaign_run)
    assert told is not None
    test = paged("why", campaign_run)
    spec = json.loads(test.get("plotly_chart")[0].proto.spec)
    bars = spec["data"][0]
    assert bars["type"] == "waterfall"
    assert told.start + sum(step.change.value for step in told.levers) == pytest.approx(told.end, abs=1e-4)
    assert any(words in _all(test) for words in ("None of these alone", "would be gone", "Chance alone"))


def test_why_splits_what_is_expected_of_a_row(paged: Page, small_run: Run) -> None:
    test = paged("why", row="10", split_of="bought")
    specs = [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]
    falls = [spec["data"][0] for spec in specs if spec["data"][0]["type"] == "waterfall"]
    (told,) = [fall for fall in falls if fall.get("base")]
    (ends,) = [spec["data"][1] for spec in specs if spec["data"][0] is told]
    assert small_run.recommendations is not None
    frame = small_run.recommendations.frame
    expected = frame.loc[frame["row"] == 10, "expected_bought"].iloc[0]
    assert told["base"] + sum(told["x"]) == pytest.approx(expected, abs=1e-3)
    assert ends["x"] == pytest.approx([told["base"], expected], abs=1e-3)
    assert ends["y"] == ["everyone", "row 10"]


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("decision", "judged for one slot"),
        ("why", "by itself"),
        ("levers", "Predictions only"),
        ("tradeoffs", "Between the objectives"),
        ("tradeoffs", "What it takes to get there"),
        ("actions", "rows, by"),
        ("rows", "Which column is what"),
        ("trust", "What other estimators say"),
    ],
)
def test_pages_of_rows_that_get_several_options(paged: Page, shelf_run: Run, page: str, says: str) -> None:
    test = paged(page, shelf_run)
    assert says in _all(test)
    assert all("of one row" not in metric.label for metric in test.metric)


def test_levers_show_what_models_make_of_an_input(paged: Page, small_run: Run) -> None:
    import drivetrain as dt

    test = paged("levers", along="income", set_price="9.0")
    spec = json.loads(test.get("plotly_chart")[0].proto.spec)
    told = dt.dependence(small_run, "income", {"price": 9.0})
    line = next(each for each in spec["data"] if each["mode"] == "lines" and not each.get("fill"))
    assert line["y"] == pytest.approx([each.value for each in told.estimates["objective"]], abs=1e-4)


def test_why_sets_spend_beside_effect(paged: Page, campaign_run: Run) -> None:
    import drivetrain as dt

    told = dt.spending(campaign_run)
    assert told is not None
    test = paged("why", campaign_run)
    assert "What is spent, and what it brings" in _all(test)
    specs = [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]
    shares = [trace["x"] for spec in specs for trace in spec["data"] if trace.get("name") == "share of spend"]
    assert shares == [pytest.approx([each.spend_share for each in told.each])]
    assert sum(shares[0]) == pytest.approx(1)


def test_trade_offs_tell_what_a_target_takes(paged: Page, campaign_run: Run) -> None:
    import drivetrain as dt

    test = paged("tradeoffs", campaign_run)
    target = test.slider(key="target_objective_budget")
    target.set_value(target.max).run()
    ready = dt.reaching(campaign_run)
    found = ready.limits.at(test.slider(key="target_objective_budget").value, upper=False)
    card = next(metric for metric in test.metric if metric.label == "Least budget, EUR")
    assert card.value == interval(found.value)[0]
    assert "The better half" in _all(test) or "Whom to act on first" in _all(test)


def test_trade_offs_tell_fairness_against_profit(paged: Page, campaign_run: Run) -> None:
    text = _all(paged("tradeoffs", campaign_run))
    assert "Fairness against profit" in text
    assert fairness.sentences(campaign_run.scenario, campaign_run.judged)[0] in text


def test_trade_offs_move_a_limit(paged: Page, campaign_run: Run) -> None:
    import drivetrain as dt

    test = paged("tradeoffs", campaign_run)
    assert test.slider[0].value == pytest.approx(525, rel=0.02)
    test.slider[0].set_value(test.slider[0].min).run()
    found = dt.Limits.of(campaign_run, "budget").at(test.slider[0].value)
    assert test.metric[0].value == interval(found.value)[0]


def test_data_saves_a_cleaning_file(paged: Page, small_run: Run, tmp_path: Path) -> None:
    test = paged("rows")
    text = _all(test)
    assert "598 rows of visitors.csv were used, 60 of them sealed" in text
    worst = small_run.surprises(20)
    place = len(test.dataframe) - 1
    _edit(test, place, {0: {"action": "drop"}, 1: {"action": "correct", "column": "bought", "value": "1"}})
    _button(test, "Save the cleaning file").click().run()
    saved = pd.read_csv(tmp_path / "small_price_cleaning.csv", dtype=str).set_index("row")
    assert saved.loc[str(worst["row"][0]), "action"] == "drop"
    assert saved.loc[str(worst["row"][1]), "value"] == "1"


def test_trust_tells_models_rows_and_evidence(paged: Page, small_run: Run) -> None:
    text = _all(paged("trust"))
    assert words.inflation(small_run.scenario, small_run.judged) in text
    assert "60 rows are sealed, and were never opened" in text
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


def test_a_scenario_is_changed_in_the_form_and_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_scenario: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(MAIN.parent))
    monkeypatch.setattr("sys.argv", ["main.py"])
    file = tmp_path / "scenarios" / "small_price.yaml"
    file.parent.mkdir()
    file.write_text(small_scenario.read_text() + "# a comment that stays\n")

    def page(file: str) -> None:
        from pathlib import Path

        import scenario

        scenario.show(Path(file))

    test = AppTest.from_function(page, default_timeout=60, args=("scenarios/small_price.yaml",)).run()
    assert "The scenario is sound" in _all(test)
    next(box for box in test.text_input if box.label == "The question").set_value("What now?")
    _button(test, "Take over into the file").click().run()
    assert "What should a ticket cost?" in file.read_text()
    _button(test, "Save").click().run()
    assert not test.exception
    assert "title: What now?" in file.read_text()
    assert "# a comment that stays" in file.read_text()
    test.text_area[0].set_value(file.read_text().replace("levers:", "lever:")).run()
    assert "Did you mean 'levers'?" in _all(test)
    assert _button(test, "Save and run").disabled


def test_nothing_to_look_at(opened: Open) -> None:
    assert "Nothing to look at yet" in _all(opened(None))


@pytest.fixture
def hosted() -> None:
    """The server listens to all machines; `on_this_machine` puts it back."""
    from streamlit import config

    config.set_option("server.address", "0.0.0.0")  # noqa: S104 - nothing listens here


def test_a_host_shows_all_and_changes_nothing_for_who_did_not_sign_in(
    hosted: None, opened: Open, paged: Page, small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRIVETRAIN_OPEN", raising=False)
    monkeypatch.setenv("DRIVETRAIN_LOG", f"sqlite:///{tmp_path}/log.sqlite")

    def page(folder: str) -> None:
        from pathlib import Path

        import scenario

        scenario.show(Path(folder))

    test = AppTest.from_function(page, default_timeout=60, args=(str(small_run.folder),)).run()
    assert not test.exception
    assert "Writing and running scenarios is closed here" in _all(test)
    assert test.code[0].value == small_run.scenario.text.strip()
    assert not [*test.button, *test.text_area, *test.text_input]
    closed = {"decision": ("Signing", "Approve"), "levers": ("Keeping what-ifs", "Keep it")}
    for name, (what, label) in (closed | {"rows": ("Saving a cleaning file", "Save the cleaning file")}).items():
        shown = paged(name)
        assert f"{what} is closed here" in _all(shown)
        assert label not in [button.label for button in shown.button]
    assert list(tmp_path.glob("*")) == [tmp_path / "log.sqlite"]
    monkeypatch.setenv("DRIVETRAIN_OPEN", "yes")
    assert "Approve" in [button.label for button in paged("decision").button]


@pytest.mark.parametrize("source", ["csv: /etc/secret.csv", "{sql: SELECT 1 ORDER BY 1, database: '${env:HOME}'}"])
def test_from_other_machines_only_files_of_the_folder_are_named(
    source: str, hosted: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_scenario: Path
) -> None:
    monkeypatch.setenv("DRIVETRAIN_OPEN", "yes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(MAIN.parent))
    file = tmp_path / "scenarios" / "small_price.yaml"
    file.parent.mkdir()
    file.write_text(small_scenario.read_text())

    def page(file: str) -> None:
        from pathlib import Path

        import scenario

        scenario.show(Path(file))

    test = AppTest.from_function(page, default_timeout=60, args=("scenarios/small_price.yaml",)).run()
    assert "Run" in [button.label for button in test.button]
    other = source if source[0] == "{" else f"{{{source}}}"
    draft = file.read_text().replace("csv: visitors.csv", "@").split("data:")[0] + f"data: {other}\n"
    test.text_area[0].set_value(draft).run()
    assert "From other machines only files in the scenario's folder can be named" in _all(test)
    assert not {"Save", "Check the data", "Run", "Save and run"} & {button.label for button in test.button}
    file.write_text(draft)  # whoever keeps the place may
    test = AppTest.from_function(page, default_timeout=60, args=("scenarios/small_price.yaml",)).run()
    assert "Run" in [button.label for button in test.button]


def test_a_run_that_was_only_trained(opened: Open, small_scenario: Path, tmp_path: Path) -> None:
    import drivetrain as dt

    dt.train(small_scenario, tmp_path / "runs" / "trained")
    assert "was only trained" in _all(opened("runs/trained"))


def test_a_scenario_that_was_not_run(opened: Open, small_scenario: Path) -> None:
    assert "It has not been run yet" in _all(opened(str(small_scenario)))


def test_a_scenario_that_is_being_run_or_was_run_before_says_so(
    opened: Open, small_scenario: Path, small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import drivetrain as dt

    out = Path("runs", small_run.scenario.name)
    job = dt.background.Job(out, "running", "reading the data", 3.0, ("starting",))
    with monkeypatch.context() as working:
        working.setattr(dt.background, "jobs", lambda _folder: [job])
        text = _all(opened(str(small_scenario)))
    assert "It is being run." in text
    assert "1 step done, 3 s" in text
    shutil.copytree(str(small_run.folder), tmp_path / out)
    test = opened(str(small_scenario))
    assert "It has been run." in _all(test)
    _button(test, "Look at it").click().run()
    assert words.action(small_run.scenario, small_run.judged) in _all(test)


def test_a_broken_scenario_shows_its_faults(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("version: 1\nlever: 3\n", encoding="utf-8")
    text = _all(opened(str(path)))
    assert "things need mending" in text
    assert "Did you mean 'levers'?" in text
    assert "It cannot be run before that" in text


def test_a_changed_run_folder_is_told_and_not_opened(opened: Open, small_run: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(str(small_run.folder), tmp_path / "copy"))
    (folder / "record.json").write_text("{}", encoding="utf-8")
    text = _all(opened(str(folder)))
    assert "needs mending" in text or "need mending" in text


def test_the_next_test_is_designed_and_taken_away(paged: Page):
    page = paged("trial")
    page.selectbox[0].select("try the two likeliest to be best")
    page.number_input[1].set_value(100)
    _button(page, "Design it").click().run()
    assert not page.exception
    assert "100 of 598 rows are left to chance" in _all(page)
    assert "propensity: propensity" in _all(page)
    assert page.get("download_button")


def test_what_is_brought_is_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_this_machine: None
) -> None:
    """Another content of the same name and size is another file, and nothing is written over."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(MAIN.parent))
    import newcomer

    first = newcomer._kept("Sales.csv", b"a\n1\n")
    second = newcomer._kept("Sales.csv", b"a\n2\n")
    longer = newcomer._kept("Sales.csv", b"a\n10\n")
    assert len({first, second, longer}) == 3
    assert [each.read_bytes() for each in (first, second, longer)] == [b"a\n1\n", b"a\n2\n", b"a\n10\n"]
    assert newcomer._kept("Sales.csv", b"a\n2\n") == second
    assert not list(Path("scenarios").glob(".*"))


def test_a_newcomer_is_told_of_stray_cells_and_nothing_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_this_machine: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(MAIN.parent))
    monkeypatch.setattr("sys.argv", ["main.py"])
    rows = tmp_path / "scenarios" / "hotel.tsv"
    rows.parent.mkdir()
    lines = [f"{100 + i}\t{i % 7}\t{'yes' if i % 3 else 'no'}" for i in range(200)]
    lines[50] = "1.250,00\t3\tyes"
    rows.write_text("price\tnights\tbooked\n" + "\n".join(lines), encoding="utf-8")

    def page() -> None:
        import newcomer

        newcomer.show(opened=True)

    for name in ("hotel", "hotel_2"):
        test = AppTest.from_function(page, default_timeout=60).run()
        test.selectbox(key="rows_file").select(str(Path("scenarios/hotel.tsv"))).run()
        assert not test.exception
        assert "1 of its cells is no number with a decimal point: row 51 (line 52) holds '1.250,00'" in _all(test)
        next(box for box in test.text_input if box.label == "A formula of these names").set_value("price * booked")
        _button(test, "Write the scenario").click().run()
        assert not test.exception
        assert "maximise: price * booked" in (rows.parent / f"{name}.yaml").read_text(encoding="utf-8")
