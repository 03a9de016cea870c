"""Trees of groups and smoothed policies, on worlds whose groups are known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st

from drivetrain.evidence.growing import _plain, columns, grow
from drivetrain.evidence.laws import MOST_VALUES, _hot
from drivetrain.evidence.policies import credible
from drivetrain.evidence.slate import Slate, shrunk
from drivetrain.evidence.smoothed import encoded, settings_of, smooth
from drivetrain.evidence.tree import Node, Tree
from drivetrain.modeler import InputEncoder

KINDS = {"age": "numeric", "town": "categorical", "member": "yes_no"}
OPTIONS = np.array([[0.0], [1.0], [2.0]])


def people(rows: int = 2000, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": draw.uniform(18, 80, rows), "member": draw.integers(0, 2, rows).astype(float)})
    return frame.assign(town=draw.choice(["Ulm", "Bonn", "Köln", "Rom"], rows))


def best(frame: pd.DataFrame) -> np.ndarray:
    """The old of Ulm and Rom need 2, the others of those towns 1, and everyone else 0."""
    near = frame["town"].isin(["Ulm", "Rom"]).to_numpy()
    return np.where(near, np.where(frame["age"] > 50, 2, 1), 0)


def slate_of(frame: pd.DataFrame, noise: float = 0.0, seed: int = 1) -> Slate:
    """A setting earns 1 where it suits and nothing elsewhere; models know half of that, and rows the rest, noisily."""
    truth = (best(frame)[:, None] == np.arange(3)).astype(float)
    direct = truth / 2
    return Slate(OPTIONS, direct, truth - direct + noise * np.random.default_rng(seed).normal(size=truth.shape))


def test_known_groups_are_found():
    frame = people()
    trees = list(grow(slate_of(frame, 0.5), columns(frame, KINDS), np.arange(2000), 8))
    assert [len(tree.leaves) for tree in trees[:3]] == [1, 2, 3]
    three = trees[2]
    new = people(500, 9)
    assert (three.settings(new)[:, 0] == best(new)).mean() > 0.98
    assert {three.nodes[0].input, *(node.input for node in three.nodes if node.input)} == {"town", "age"}
    asked = next(node for node in three.nodes if node.input == "age")
    assert asked.at_most == pytest.approx(50, abs=2.5)
    assert sum(three.nodes[leaf].share for leaf in three.leaves) == pytest.approx(1)


def test_each_tree_divides_one_group_of_the_one_before():
    frame = people(800)
    slate = slate_of(frame, 3.0)
    trees = list(grow(slate, columns(frame, KINDS), np.arange(800), 8))
    assert 3 < len(trees) <= 8
    for before, after in pairwise(trees):
        groups = pd.DataFrame({"before": before.groups(frame), "after": after.groups(frame)})
        assert groups.groupby("after")["before"].nunique().max() == 1
        assert len(after.leaves) == len(before.leaves) + 1
    assert min(groups["after"].value_counts()) >= 50


def test_groups_say_who_is_in_them():
    frame = people()
    frame.loc[:50, "age"] = np.nan
    tree = list(grow(slate_of(frame, 0.3), columns(frame, KINDS), np.arange(2000), 5))[-1]
    at = tree.groups(frame)
    for leaf in tree.leaves:
        inside = np.ones(len(frame), dtype=bool)
        for told in tree.conditions(leaf):
            value = frame[told.input]
            fits = np.ones(len(frame), dtype=bool)
            fits &= value.isin(told.among) if told.among else ~value.isin(told.others)
            if told.above is not None:
                fits &= value > told.above
            if told.at_most is not None:
                fits &= value <= told.at_most
            inside &= np.where(value.isna(), told.missing, fits)
        assert (inside == (at == leaf)).all()


def test_the_unknown_and_the_never_seen_go_somewhere():
    node = Node((0.0,), 1.0, "town", among=("Ulm",), missing=True, yes=1, no=2)
    tree = Tree((node, Node((1.0,), 0.5), Node((2.0,), 0.5)))
    frame = pd.DataFrame({"town": ["Ulm", None, "Paris"]}, dtype=object)
    assert tree.settings(frame)[:, 0].tolist() == [1, 1, 2]


@given(st.floats(-1e6, 1e6, width=32), st.floats(1e-3, 1e3))
def test_a_question_divides_what_it_should(low: float, apart: float):
    high = low + apart
    assert low <= _plain(low, high) < high


@given(st.integers(2, 6), st.integers(3, 40), st.integers(0, 10_000))
def test_groups_are_valued_as_single_settings_are(options: int, rows: int, seed: int):
    draw = np.random.default_rng(seed)
    direct, correction = draw.normal(size=(rows, options)), draw.normal(size=(rows, options))
    slate = Slate(np.arange(options)[:, None].astype(float), direct, correction)
    told = shrunk(slate.sums(np.arange(rows)).sum(0), np.array(rows))
    assert told == pytest.approx(credible(direct + correction, direct), abs=1e-9)


def test_a_network_finds_what_suits_whom_and_smooths_noise_away():
    frame = people(3000)
    x = torch.tensor(
        np.column_stack([(frame["age"] - 49) / 18, frame["town"].isin(["Ulm", "Rom"])]), dtype=torch.float64
    )
    truth = (best(frame)[:, None] == np.arange(3)).astype(float)
    noisy = Slate(OPTIONS, truth + np.random.default_rng(2).normal(size=truth.shape), np.zeros_like(truth))
    raw = truth[np.arange(3000), noisy.direct.argmax(1)].mean()
    net = smooth(noisy, x, np.arange(3000), seed=0)
    chosen = settings_of(net, noisy, x)[:, 0].astype(int)
    assert raw < 0.8 < 0.93 < truth[np.arange(3000), chosen].mean()
    assert (settings_of(smooth(noisy, x, np.arange(3000), seed=0), noisy, x)[:, 0] == chosen).all()


def test_a_category_of_very_many_values_takes_no_more_columns_than_a_few_hundred() -> None:
    """As numbers in full a hundred thousand values of as many rows would be 80 GB."""
    named = pd.DataFrame({"name": [f"{place:05}" for place in range(20_000)] * 6}, dtype=object)
    inputs = InputEncoder.fit(named, {"name": "categorical"})
    told = encoded(inputs, named.iloc[:1000])
    assert told.shape == (1000, MOST_VALUES)
    assert told.sum(1).tolist() == [1.0] * 1000
    assert told.argmax(1)[:300].tolist() == [*range(1, MOST_VALUES), *[0] * (301 - MOST_VALUES)]
    assert _hot(np.arange(120_000)[:, None] % 20_000 + 1).shape == (120_000, MOST_VALUES)
