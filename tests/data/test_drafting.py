"""Drafts of scenarios: guesses that can be corrected, and a file that can be read whatever the columns are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from drivetrain import scenario as scenarios
from drivetrain.data import drafting, load
from drivetrain.data.sources import from_file
from drivetrain.errors import DataError, ScenarioError, UsageError
from drivetrain.scenario import YES_NO


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "Customer ID": [f"c{i}" for i in range(200)],
            "price": draw.uniform(5, 15, 200).round(2),
            "channel": draw.choice(["sms", "email", "no"], 200),
            "age of customer": draw.integers(18, 80, 200),
            "country": "NL",
            "bought": draw.integers(0, 2, 200),
        }
    )
    path = tmp_path / "Sales 2026.csv"
    frame.to_csv(path, index=False)
    return path


def test_parts_are_guessed_from_names_and_values(sales: Path) -> None:
    found = {each.column: each.part for each in drafting.guess(sales)}
    assert found == {
        "Customer ID": "leave out",
        "price": "lever",
        "channel": "lever",
        "age of customer": "input",
        "country": "leave out",
        "bought": "outcome",
    }


def test_the_draft_is_a_sound_scenario(sales: Path) -> None:
    text = drafting.draft(sales, drafting.guess(sales), drafting.Answers(unit="EUR"), relative_to=sales.parent)
    told = scenarios.parse(text, path=sales.parent / "draft.yaml")
    assert told.objective.text == "price * bought"
    assert told.levers["channel"].options == ("email", "no", "sms")
    assert told.inputs["age_of_customer"].column == "age of customer"
    assert told.data.csv == "Sales 2026.csv"


def test_what_somebody_says_counts_more(sales: Path) -> None:
    found = drafting.assigned(drafting.guess(sales), {"price": "input", "bought": "leave out"})
    with pytest.raises(ScenarioError, match="unknown name 'bought'"):
        drafting.draft(sales, found, drafting.Answers(objective="bought"))
    with pytest.raises(UsageError, match="Did you mean 'price'"):
        drafting.assigned(found, {"prise": "lever"})
    nothing = drafting.assigned(found, {"channel": "input"})
    with pytest.raises(UsageError, match="A decision needs something that can be set"):
        drafting.draft(sales, nothing, drafting.Answers())


def test_what_numbers_the_rows_is_left_out(sales: Path) -> None:
    pd.read_csv(sales).assign(customer=np.arange(200, 0, -1)).to_csv(sales, index=False)
    assert next(each for each in drafting.guess(sales) if each.name == "customer").part == "leave out"


def test_less_of_something_bad_is_better(sales: Path) -> None:
    frame = pd.read_csv(sales).rename(columns={"bought": "churned"})
    frame.to_csv(sales, index=False)
    found = drafting.guess(sales)
    assert drafting.objective(found) == ("churned", True)


@pytest.mark.parametrize("content", ["", "a,b\n", "a;b\n"])
def test_files_that_are_none_are_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(DataError):
        drafting.guess(path)


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(names=st.lists(words.filter(lambda w: w.strip() == w), min_size=3, max_size=6, unique=True))
def test_any_names_make_a_readable_draft(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    path = tmp_path_factory.mktemp("any") / "rows.parquet"
    values = [[0, 1, 0, 1], ["a", "b", "a", "c"], [1.5, 2.5, 3.5, 9.0]]
    pd.DataFrame({name: values[i % 3] for i, name in enumerate(names)}).to_parquet(path)
    found = drafting.assigned(drafting.guess(path), {names[0]: "lever", names[2]: "outcome"})
    told = scenarios.parse(drafting.draft(path, found, drafting.Answers()))
    assert {*told.columns.values()} <= set(names)


def test_a_few_dirty_cells_do_not_make_a_text_of_numbers(tmp_path: Path) -> None:
    lines = [f"{100 + i},5;{'ja' if i % 2 else 'nein'};{i % 7},5" for i in range(400)]
    lines[10], lines[50], lines[40] = "k.A.;ja;1,5", "1.250,00;ja;2,5", "99,5;vielleicht;3,5"
    (tmp_path / "hotel.csv").write_text("Preis;gebucht;Kosten\n" + "\n".join(lines), encoding="utf-8-sig")
    found = drafting.guess(tmp_path / "hotel.csv")
    assert [(e.kind, e.part) for e in found] == [("numeric", "lever"), ("yes_no", "outcome"), ("numeric", "input")]
    assert found[0].strays == ("row 51 (line 52) holds '1.250,00'",)
    assert found[1].strays == ("row 41 (line 42) holds 'vielleicht'",)
    assert found[0].missing_as == ("k.A.",)
    both = drafting.chosen(found, "outcome", ["gebucht", "Kosten"])
    assert drafting.objective(both) == ("Preis * gebucht", False)


@pytest.mark.parametrize(("yes", "no"), YES_NO)
def test_every_pair_of_words_is_yes_and_no(tmp_path: Path, yes: str, no: str) -> None:
    path = tmp_path / "rows.csv"
    answers = [yes if i % 3 else no.capitalize() for i in range(60)]
    pd.DataFrame({"price": np.arange(60) % 7 + 0.5, "bought": answers}).to_csv(path, index=False)
    bought = drafting.guess(path)[1]
    assert (bought.kind, bought.part, bought.distinct, bought.strays) == ("yes_no", "outcome", 2, ())
    values = from_file(path, {"bought"}).column("bought", "yes_no", "bought").values
    assert values.tolist() == [float(i % 3 > 0) for i in range(60)]


def test_what_costs_only_is_made_as_small_as_possible(tmp_path: Path) -> None:
    """The one outcome that is named is a cost, whatever it is called in: never to be maximised."""
    draw = np.random.default_rng(0)
    for name in ("repair_cost", "Kosten", "delay_minutes"):
        path = tmp_path / f"{name}.csv"
        frame = pd.DataFrame({"setting": draw.choice(["low", "high"], 90), name: draw.uniform(1, 9, 90).round(2)})
        frame.to_csv(path, index=False)
        found = drafting.chosen(drafting.guess(path), "outcome", [name])
        told = scenarios.parse(drafting.draft(path, found, drafting.Answers()))
        assert (told.objective.text, told.objective.sign) == (found[1].name, -1)


@pytest.mark.parametrize(("ending", "mark"), [("tsv", "\t"), ("txt", "\t"), ("txt", ";"), ("csv", "|")])
def test_columns_may_be_separated_by_other_marks(tmp_path: Path, ending: str, mark: str) -> None:
    path = tmp_path / f"rows.{ending}"
    lines = [mark.join(("price, EUR" if ending == "tsv" else "price", "channel", "bought"))]
    lines += [mark.join((str(i % 7 + 5), "sms" if i % 2 else "mail", "yes" if i % 3 else "no")) for i in range(90)]
    path.write_text("\n".join(lines), encoding="utf-8")
    text = drafting.draft(path, drafting.guess(path), drafting.Answers(unit="EUR"), relative_to=tmp_path)
    told = load(scenarios.parse(text, path=tmp_path / "rows.yaml"))
    assert (len(told), sorted(set(told.frame["bought"]))) == (90, [0.0, 1.0])


def test_one_column_is_told_as_a_question_of_what_separates(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("price bought\n5 yes\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"found one column, 'price bought'\. A comma, a semicolon, a tab"):
        drafting.guess(tmp_path / "rows.txt")


def test_what_an_experiment_wrote_is_drafted_as_drawn(tmp_path: Path) -> None:
    path, draw = tmp_path / "next.csv", np.random.default_rng(0)
    price = draw.choice([7.0, 9.0], 200, p=[0.3, 0.7])
    chance = np.where(price == 7, 0.3, 0.7)
    frame = pd.DataFrame({"row": np.arange(1, 201), "price": price, "propensity": chance})
    frame.assign(bought=draw.integers(0, 2, 200)).to_csv(path, index=False)
    text = drafting.draft(path, drafting.guess(path), drafting.Answers(unit="EUR"), relative_to=tmp_path)
    told = scenarios.parse(text, path=tmp_path / "next.yaml")
    assert (told.assignment.design, told.assignment.propensity, list(told.inputs)) == ("randomised", "propensity", [])
    table = load(told)
    assert table.propensity is not None
    assert set(table.propensity) == {0.3, 0.7}
