"""Measures of rankings with known answers; implicit feedback and cold starts, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score

from drivetrain import data, modeler
from drivetrain.modeler.retrieval import measures
from drivetrain.scenario import build


def test_a_ranking_worked_by_hand() -> None:
    had = np.array([[True, False, False, False, False]])
    wanted = np.array([[False, True, False, False, True]])
    scores = np.array([[9.0, 4.0, 3.0, 2.0, 1.0]])
    recall, ndcg, auc = measures(scores, had, wanted, top=2)[0]
    assert recall == 0.5
    assert ndcg == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert auc == 0.5


def test_measures_agree_with_scikit_learns() -> None:
    random = np.random.default_rng(0)
    scores, wanted = random.normal(size=(20, 30)), random.random((20, 30)) < 0.2
    wanted[:, 0], wanted[:, 1] = True, False
    found = measures(scores, np.zeros_like(wanted), wanted)
    for place in range(20):
        assert found[place, 1] == pytest.approx(ndcg_score(wanted[[place]].astype(float), scores[[place]], k=10))
        assert found[place, 2] == pytest.approx(roc_auc_score(wanted[place], scores[place]))


def test_who_wants_nothing_is_not_counted() -> None:
    assert np.isnan(measures(np.ones((1, 3)), np.zeros((1, 3), bool), np.zeros((1, 3), bool))).all()


MODEL = {"kinds": ["dot"], "interactions": 8, "epochs": 15, "batch": 256, "learning_rate": 0.05, "repeats": 1,
         "dropout": 0.1, "weight_decay": 0.1}  # fmt: skip


def made(folder: Path, frame: pd.DataFrame, outcomes: Any, split: Any) -> tuple[Any, Any]:
    frame.to_csv(folder / "shop.csv", index=False)
    features = {"style": {"kind": "categorical"}, "size": {"kind": "numeric"}}
    declared = build(
        {
            "version": 1,
            "name": "shop",
            "title": "What next?",
            "objective": {"maximise": next(iter(outcomes))},
            "levers": {"article": {"kind": "categorical", "options": "data", "features": features}},
            "inputs": {"person": {"kind": "categorical"}, "taste": {"kind": "categorical"}},
            "outcomes": outcomes,
            "decide": {"unit": "segment", "by": ["person", "taste"]},
            "model": MODEL,
            "data": {"csv": "shop.csv", "split": {"folds": 2, "test": 0, **split}},
            "seed": 4,
        }
    )
    declared._path = folder / "shop.yaml"
    table = data.load(declared)
    return declared.resolved(table.options), table


def world(rows: int) -> pd.DataFrame:
    """150 people of three tastes and 90 articles of three styles; who likes what, beside each one's own mean."""
    random = np.random.default_rng(1)
    person, article = random.integers(0, 150, rows), random.integers(0, 90, rows)
    meets = person % 3 == article % 3
    stars = 3 + 1.5 * meets + 0.3 * random.normal(size=150)[person] + 0.3 * random.normal(size=rows)
    return pd.DataFrame(
        {
            "person": [f"p{i}" for i in person],
            "taste": [f"t{i % 3}" for i in person],
            "article": article,
            "style": [f"s{i % 3}" for i in article],
            "size": article // 3,
            "stars": stars,
            "meets": meets,
        }
    )


def test_held_out_purchases_are_found_better_than_by_popularity(tmp_path: Path) -> None:
    frame = world(6_000).query("meets").drop_duplicates(["person", "article"])
    declared, table = made(tmp_path, frame, {"bought": {"kind": "binary", "negatives": 4}}, {"by": "random"})
    told = modeler.fit(declared, table).contest["bought"]["retrieval"]
    assert told["options"] == 90
    assert told["chosen"]["auc"] > 0.85 > 0.6 > told["popularity"]["auc"]
    assert told["chosen"]["recall@10"] > 2 * told["popularity"]["recall@10"]
    assert told["chosen"]["ndcg@10"] > 2 * told["popularity"]["ndcg@10"]


@pytest.mark.parametrize("new", ["article", "person"])
def test_cold_starts_know_what_is_known_of_them(new: str, tmp_path: Path) -> None:
    """Articles, or people, that no member has seen: their features place them, which biases alone cannot."""
    split = {"by": "group", "column": new}
    declared, table = made(tmp_path, world(4_000), {"stars": {"kind": "numeric"}}, split)
    loss = {line["name"]: line["loss"] for line in modeler.fit(declared, table).contest["stars"]["entries"]}
    assert loss["dot"] < 0.75 * min(loss["bias"], loss["constant"])
