"""A third case for the pages: rows that get several options at once, out of more than stand beside each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

SHELF = """\
version: 1
name: shelf
title: Which two books should the page show?
objective: {maximise: sales, unit: EUR per visit, beside: [{name: novels, minimise: shown == 'e' or shown == 'b'}]}
levers:
  shown: {kind: categorical, options: [none, a, b, c, d, e, f, g], choose: 2, do_nothing: none}
inputs:
  taste: {kind: categorical}
  age: {kind: numeric, unit: years}
outcomes:
  sales: {kind: numeric, unit: EUR}
data: {csv: visits.csv, split: {by: random, folds: 2, test: 0.1}}
assignment: {design: randomised}
constraints: [{name: grown_ups, each: shown == 'a' and age < 18, at_most: 0}]
model: {kinds: [two_tower], epochs: 6, batch: 32, repeats: 1, layers: [16], dropout: 0.1, weight_decay: 0.05}
seed: 5
"""


def write(folder: Path, rows: int = 1200) -> Path:
    """The scenario file and its visits."""
    draw = np.random.default_rng(5)
    options = np.array(["none", "a", "b", "c", "d", "e", "f", "g"])
    shown, taste = draw.choice(options, rows), draw.choice(["crime", "travel"], rows)
    age = draw.integers(14, 80, rows)
    worth = {"none": 0.0, "a": 3.0, "b": 2.0, "c": 1.0, "d": 0.5, "e": 4.0, "f": 0.0, "g": 1.5}
    fits = (np.isin(shown, ["a", "b", "c"]) == (taste == "crime")) & (shown != "none")
    sales = (5 + np.vectorize(worth.get)(shown) * (0.5 + fits) + draw.normal(0, 2, rows)).clip(0).round(2)
    frame = pd.DataFrame({"taste": taste, "age": age, "shown": shown, "sales": sales})
    frame.to_csv(folder / "visits.csv", index=False)
    path = folder / "shelf.yaml"
    path.write_text(SHELF, encoding="utf-8")
    return path
