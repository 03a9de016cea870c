"""Implicit feedback: no's are drawn among what each has not had, and are known as drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drivetrain import data
from drivetrain.errors import ScenarioError
from drivetrain.scenario import Scenario, build

SHOP: dict[str, Any] = {
    "version": 1,
    "name": "shop",
    "title": "What next?",
    "objective": {"maximise": "bought"},
    "levers": {"article": {"kind": "categorical", "options": "data", "features": {"colour": {"kind": "categorical"}}}},
    "inputs": {"person": {"kind": "categorical"}, "age": {"kind": "numeric"}},
    "outcomes": {"bought": {"kind": "binary", "negatives": 3}},
    "decide": {"unit": "segment", "by": ["person"]},
    "model": {"kinds": ["dot"]},
    "data": {"csv": "shop.csv", "split": {"folds": 2, "test": 0.2}},
}


def purchases(people: int = 40, articles: int = 12) -> pd.DataFrame:
    random = np.random.default_rng(0)
    pairs = [(p, a) for p in range(people) for a in random.permutation(articles)[: random.integers(2, 6)]]
    person, article = map(np.array, zip(*pairs, strict=True))
    colour = np.array(["red", "blue", "green"])[article % 3]
    return pd.DataFrame({"person": [f"p{i}" for i in person], "age": 20 + person, "article": article, "colour": colour})


def shop(folder: Path, frame: pd.DataFrame, **changes: Any) -> Scenario:
    frame.to_csv(folder / "shop.csv", index=False)
    declared = build(SHOP | changes)
    declared._path = folder / "shop.yaml"
    return declared


def test_what_is_drawn_nobody_has_had(tmp_path: Path) -> None:
    frame = purchases()
    table = data.load(shop(tmp_path, frame))
    drawn = table.frame[table.frame.bought == 0]
    assert len(table) == 4 * len(frame)
    assert len(drawn) == 3 * len(frame)
    bought = set(zip(frame.person, frame.article.astype(str), strict=True))
    assert not bought & set(zip(drawn.person, drawn.article, strict=True))
    assert (drawn.groupby("person").size() == 3 * frame.groupby("person").size()).all()
    assert set(drawn.article) == set(frame.article.astype(str))
    note = next(flag for flag in table.flags if "drawn" in flag.found)
    assert note.count == len(drawn)


def test_a_drawn_row_is_its_own_person_and_the_options_own_features(tmp_path: Path) -> None:
    frame = purchases()
    table = data.load(shop(tmp_path, frame)).frame
    assert (table.age == 20 + table.person.str[1:].astype(int)).all()
    colours = dict(zip(frame.article.astype(str), frame.colour, strict=True))
    assert (table.colour == table.article.map(colours)).all()


def test_what_was_had_is_told_from_what_was_drawn(tmp_path: Path) -> None:
    frame, declared = purchases(), shop(tmp_path, purchases())
    table = data.load(declared)
    assert len(data.had(declared.resolved(table.options), table)) == len(frame)


def test_one_seed_one_draw(tmp_path: Path) -> None:
    first, again = (data.load(shop(tmp_path, purchases())) for _ in range(2))
    other = data.load(shop(tmp_path, purchases(), seed=9))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_rows_that_say_no_stay_what_they_are_and_get_no_nos_of_their_own(tmp_path: Path) -> None:
    frame = purchases().assign(bought=lambda f: np.where(f.index % 5, "yes", "no"))
    table = data.load(shop(tmp_path, frame))
    yes = int((frame.bought == "yes").sum())
    assert int((table.frame.bought == 1).sum()) == yes
    assert len(table) == len(frame) + 3 * yes


def test_who_has_had_everything_has_no_nos(tmp_path: Path) -> None:
    every = pd.DataFrame({"person": "all", "age": 60, "article": range(12), "colour": ["red", "blue", "green"] * 4})
    table = data.load(shop(tmp_path, pd.concat([purchases(), every])))
    assert (table.frame[table.frame.person == "all"].bought == 1).all()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"outcomes": {"bought": {"kind": "numeric", "negatives": 3}}}, "negatives of a numeric outcome"),
        ({"levers": {"price": {"kind": "continuous", "min": 0, "max": 1}}}, "found the levers price"),
        (
            {"outcomes": {"bought": {"kind": "binary", "negatives": 3}, "stars": {"kind": "numeric"}}},
            "it must exist only where bought is yes",
        ),
    ],
)
def test_no_nos_where_they_make_no_sense(changes: dict[str, Any], found: str) -> None:
    with pytest.raises(ScenarioError, match=found):
        build(SHOP | changes)
