"""The tree of groups and the smoothed policy as contestants: cross-fitted for judging, grown on all rows for use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drivetrain.errors import InfeasibleError
from drivetrain.evidence.growing import columns, grow
from drivetrain.evidence.slate import Slate, unseeing
from drivetrain.evidence.smoothed import Smoothed, encoded, kept, settings_of, smooth
from drivetrain.evidence.tree import Tree
from drivetrain.evidence.value import Judge
from drivetrain.optimizer import optimise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAVES = 8


def groups(court: Judge, slate: Slate, most: int = LEAVES) -> tuple[Floats, Tree] | None:
    """Each row's setting [N, L] by a tree that was grown without its fold, and the tree grown on all.

    It has as few leaves as earn, within one standard error, what the best number of them does (Breiman et al. 1984,
    3.4.3), by scores that observed rows correct as far as that stands out of noise. Where bounds hold over all rows,
    the tree says who belongs together and the optimizer what they get.

    Returns:
        None where a single group does as well, or no settings of groups keep the bounds.
    """
    scenario = court.simulator.scenario
    asked = columns(court.table.frame, {name: each.kind for name, each in scenario.inputs.items()})
    everyone = np.arange(len(court.table))
    if not asked:
        return None
    grown = [
        list(grow(unseeing(court, slate, blind, others := np.setdiff1d(everyone, rows)), asked, others, most))
        for rows, blind, _ in court.folds
    ]
    many = _leaves(court, slate, grown)
    whole = list(grow(slate, asked, everyone, many))[-1]
    if len(whole.leaves) < 2:
        return None
    try:
        return _settled(court, [_cut(trees, many) for trees in grown], whole)
    except InfeasibleError:
        return None


def _leaves(court: Judge, slate: Slate, grown: list[list[Tree]]) -> int:
    place = {tuple(option): at for at, option in enumerate(slate.options.tolist())}
    told = slate.credible()
    most = max(map(len, grown))
    worth = np.empty((len(told), most))
    for (rows, _, _), trees in zip(court.folds, grown, strict=True):
        frame = court.table.frame.iloc[rows]
        for many in range(most):
            tree = _cut(trees, many + 1)
            option = np.array([place[node.setting] for node in tree.nodes])[tree.groups(frame)]
            worth[rows, many] = told[rows, option]
    best = int(worth.mean(0).argmax())
    losses = (court.estimate(worth[:, best] - worth[:, many]) for many in range(best + 1))
    return 1 + next(many for many, loss in enumerate(losses) if many == best or loss.value <= loss.error)


def _cut(trees: list[Tree], leaves: int) -> Tree:
    return trees[min(leaves, len(trees)) - 1]


def _settled(court: Judge, trees: list[Tree], whole: Tree) -> tuple[Floats, Tree]:
    scenario, frame = court.simulator.scenario, court.table.frame
    out = np.empty_like(court.table.settings)
    limited = any(each.over != "each" for each in scenario.constraints)
    for (rows, blind, crowd), tree in zip(court.folds, trees, strict=True):
        out[rows] = tree.settings(frame.iloc[rows])
        if limited:
            unit = np.unique(tree.groups(frame.iloc[rows]), return_inverse=True)[1].ravel()
            out[rows] = optimise(blind, crowd, unit, share=court.part * len(rows) / len(frame)).settings
    if not limited:
        return out, whole
    at = whole.groups(frame)
    unit = np.unique(at, return_inverse=True)[1].ravel()
    told = optimise(court.simulator, court.simulator.crowd(frame), unit, share=court.part).settings
    first = {int(leaf): tuple(told[int((at == leaf).argmax())].tolist()) for leaf in np.unique(at)}
    nodes = (replace(node, setting=first.get(place, node.setting)) for place, node in enumerate(whole.nodes))
    return out, Tree(tuple(nodes))


def smoothed(court: Judge, slate: Slate) -> tuple[Floats, Smoothed]:
    """Each row's setting [N, L] by a network trained without its fold, and the network trained on all."""
    x = encoded(court.simulator.models.inputs, court.table.frame)
    everyone, seed = np.arange(len(court.table)), court.simulator.scenario.seed
    out = np.empty_like(court.table.settings)
    for rows, blind, _ in court.folds:
        others = np.setdiff1d(everyone, rows)
        net = smooth(unseeing(court, slate, blind, others), x, others, seed)
        out[rows] = settings_of(net, slate, x[rows])
    return out, kept(smooth(slate, x, everyone, seed), slate, x.shape[1])
