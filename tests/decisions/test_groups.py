"""The groups of a tree in words, in a figure and for new rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from drivetrain import figures
from drivetrain.decisions import groups, reasons, recommend, words
from drivetrain.evidence import Tree, judge
from drivetrain.evidence.tree import Node
from tests.evidence.test_judgement import TEXT, world
from tests.stand_ins import declare

SEGMENTS = TEXT + "decide: {unit: segment, tree: 4}\n"


def test_segments_are_found_and_told():
    simulator, table = world(SEGMENTS)
    scenario, evidence = simulator.scenario, judge(simulator, table)
    assert [each.name for each in evidence.policies] == ["current", "do_nothing", "single", "tree"]
    assert evidence.recommended == "tree"
    assert words.headline(scenario, evidence).startswith("Set price for each of 2 groups. Expected: ")
    assert "gains" in " ".join(reasons.sentences(scenario, evidence))
    low, high = groups.groups(scenario, evidence)
    assert (low.gets, high.gets) == ("price 1", "price 3")
    assert low.who.startswith("x at most ")
    assert high.who.startswith("x above ")
    assert groups.sentences(scenario, evidence)[0].endswith("% of rows)")

    drawn = figures.tree(scenario, evidence)
    assert drawn is not None
    told = " ".join(note.text.replace("<br>", " ") for note in drawn.layout.annotations)
    assert "price 1, " in told
    assert "?" in told

    new = replace(table, frame=pd.DataFrame({"x": [-1.0, 1.0], "region": [0.0, np.nan]}), settings=table.settings[:2])
    new = replace(new, row=np.arange(2), fold=table.fold[:2])
    assert recommend(simulator, evidence, new).frame["price"].tolist() == [1, 3]


def test_no_groups_no_tree():
    evidence = judge(*world(SEGMENTS, response=lambda x, at: 1 - 0.2 * (at[..., 0] - 2) ** 2 + 0 * x[..., 0]))
    assert evidence.recommended == "single"
    assert evidence.tree is None
    assert groups.groups(world()[0].scenario, evidence) == []
    assert figures.tree(world()[0].scenario, evidence) is None


def test_a_budget_is_kept_by_groups():
    """Prices may average 1.5: the optimizer settles what the groups of the tree get."""
    text = SEGMENTS + "constraints: [{name: spend, mean: price, at_most: 1.5}]\n"
    simulator, table = world(text)
    evidence = judge(simulator, table)
    assert evidence.recommended in {"tree", "single"}
    decided = recommend(simulator, evidence, table)
    assert decided.plan.settings.mean() <= 1.5 + 1e-6
    assert evidence.policy("tree").eligible


def test_who_belongs_to_a_group_is_told_with_rows_of_which_it_is_not_known():
    """Rows without a region go where the first answer is no, and there where the second is yes."""
    nodes = (
        Node((1.0,), 1.0, "region", among=("a", "b"), yes=1, no=2),
        Node((1.0,), 0.5),
        Node((2.0,), 0.5, "region", among=("c",), missing=True, yes=3, no=4),
        Node((2.0,), 0.2),
        Node((3.0,), 0.3),
    )
    scenario = declare(
        SEGMENTS.replace("region: {kind: numeric, bins: [0.5, 1.5, 2.5]}", "region: {kind: categorical}")
    )
    told = groups.groups(scenario, replace(judge(*world(SEGMENTS)), tree=Tree(nodes)))
    assert [each.who for each in told] == ["region a, b", "region c (or not known)", "region other than a, b, c"]


def test_a_later_question_about_values_that_went_elsewhere_does_not_bring_them_back():
    nodes = (
        Node((1.0,), 1.0, "region", among=("a", "b"), yes=1, no=2),
        Node((1.0,), 0.5, "region", among=("a", "z"), yes=3, no=4),
        Node((2.0,), 0.5, "region", among=("c", "a"), yes=5, no=6),
        *(Node((float(place),), 0.2) for place in range(4)),
    )
    told = [Tree(nodes).conditions(leaf) for leaf in Tree(nodes).leaves]
    assert [each.among for (each,) in told] == [("a",), ("b",), ("c",), ()]
    assert told[3][0].others == ("a", "b", "c")
