"""Implicit feedback from a file of purchases to lists for everyone, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain.cli import telling

SCENARIO = """
version: 1
name: next_buy
title: What should everyone be shown next?
objective: {maximise: bought}
levers: {article: {kind: categorical, options: data, features: {style: {kind: categorical}}}}
inputs: {person: {kind: categorical}, taste: {kind: categorical}}
outcomes: {bought: {kind: binary, negatives: 3}}
data: {csv: bought.csv, split: {folds: 2, test: 0}}
decide: {unit: segment, by: [person, taste]}
model:
  {kinds: [dot], interactions: 4, epochs: 8, batch: 128, learning_rate: 0.05, repeats: 1, dropout: 0.1}
seed: 4
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 people of three tastes, who buy articles of three styles, mostly their own: 30 articles, 10 a style."""
    place, random = tmp_path_factory.mktemp("next_buy"), np.random.default_rng(0)
    person = np.repeat(np.arange(60), 12)
    own = random.random(len(person)) < 0.9
    article = np.where(own, 3 * random.integers(0, 10, len(person)) + person % 3, random.integers(0, 30, len(person)))
    bought = pd.DataFrame({"person": person, "taste": person % 3, "article": article, "style": article % 3})
    bought.drop_duplicates().to_csv(place / "bought.csv", index=False)
    (place / "next_buy.yaml").write_text(SCENARIO, encoding="utf-8")
    dt.run(place / "next_buy.yaml", place / "run")
    return place


def test_the_record_says_how_well_purchases_are_found(folder: Path) -> None:
    told = json.loads((folder / "run" / "record.json").read_text())
    found = told["contest"]["bought"]["retrieval"]
    assert found["chosen"]["auc"] > 0.8 > found["popularity"]["auc"]
    assert any("drawn among the options" in flag["found"] for flag in told["data"]["flags"])


def test_drawn_nos_are_no_evidence(folder: Path) -> None:
    run = dt.open_run(folder / "run")
    assert run.judged.grade == "unsupported"
    assert dt.words.stance(run.scenario, run.judged).word == "test"


def test_lists_hold_what_people_like_and_have_not_had(folder: Path) -> None:
    run = dt.open_run(folder / "run")
    bought = pd.read_csv(folder / "bought.csv").astype(str)
    had = set(zip(bought.person, bought.article, strict=True))
    people = bought[["person", "taste"]].drop_duplicates()
    lists = run.rank(people, top=2, unsupported=True)
    assert not had & set(zip(lists.person, lists.article, strict=True))
    assert (lists.article.astype(int) % 3 == lists.taste.astype(int)).mean() > 0.8


def test_a_new_person_gets_what_others_of_the_taste_like(folder: Path) -> None:
    run = dt.open_run(folder / "run")
    lists = run.rank(pd.DataFrame({"person": ["new"] * 3, "taste": ["0", "1", "2"]}), top=3, unsupported=True)
    assert (lists.article.astype(int) % 3 == lists.taste.astype(int)).all()


def test_the_terminal_shows_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    telling.contest(dt.open_run(folder / "run"))
    told = capsys.readouterr().out
    assert "finds held-out options among 30" in told
    assert "what is most popular" in told
