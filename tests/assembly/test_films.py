"""The films: thousands of options, from the check to lists and their export, end to end."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import drivetrain as dt

SCENARIO = Path(__file__).parents[2] / "scenarios" / "films.yaml"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dt.Run:
    folder = tmp_path_factory.mktemp("films") / "run"
    dt.run(SCENARIO, folder)
    return dt.open_run(folder)


def test_the_model_beats_biases_alone(films: dt.Run) -> None:
    contest = films.record["contest"]["rating"]
    loss = {entry["name"]: entry["loss"] for entry in contest["entries"]}
    assert loss["dot"] < 0.865 < loss["bias"]


def test_the_evidence_says_that_it_cannot_judge(films: dt.Run) -> None:
    assert films.judged.grade == "unsupported"
    assert dt.words.stance(films.scenario, films.judged).word == "test"
    assert "cannot confirm" in dt.words.headline(films.scenario, films.judged)


def test_everyone_gets_a_film_that_is_new_to_them(films: dt.Run) -> None:
    made = films.recommendations
    assert made is not None
    assert made.frame["supported"].all()
    had = set(zip(films.table.frame["userId"], films.table.frame["movieId"], strict=True))
    people = films.table.frame["userId"].drop_duplicates()
    assert len(made) == len(people) == 671
    lists = films.rank(pd.DataFrame({"userId": [*people[:50], "nobody"]}), top=10)
    assert len(lists) == 510
    assert not had & set(zip(lists["userId"], lists["movieId"], strict=True))
    assert lists.groupby("row")["objective"].apply(lambda each: each.is_monotonic_decreasing).all()
