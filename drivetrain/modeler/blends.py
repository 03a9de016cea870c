"""A network and boosted trees averaged on the linear predictor, by shares that held-out rows chose."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from drivetrain.modeler.cross_fitting import Task, linear_of_fold
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.kinds import Blend

STEPS = 20
"""Shares that are tried: 0, 1/20, 2/20 ... 1."""


def blend(first: tuple[Member, ...], second: tuple[Member, ...], task: Task) -> tuple[tuple[Member, ...], float]:
    """Members that are averages of two kinds' members, and the share of the second kind, averaged over folds.

    A member is the judge of its fold's rows, so these have no say in its share: it is the one with which the others'
    training loss, held out, is lowest.

    Args:
        first: members of one kind.
        second: those of another, in the same order of folds.
        task: the outcome's examples.
    """
    losses = {fold: _losses(fold, first, second, task) for fold in sorted({member.fold for member in first})}
    rows = {fold: int((task.fold == fold).sum()) for fold in losses}
    shares = {fold: _share(losses, rows, fold) for fold in losses}
    both = tuple(
        Member(Blend([one.network, other.network], torch.tensor([1 - share, share])).eval(), one.link, one.fold)
        for one, other in zip(first, second, strict=True)
        for share in [shares[one.fold]]
    )
    return both, float(np.mean(list(shares.values())))


def _share(losses: Mapping[int, np.ndarray], rows: Mapping[int, int], fold: int) -> float:
    others = [each for each in losses if each != fold]
    return float(np.argmin(sum(rows[each] * losses[each] for each in others)) / STEPS)


def _losses(fold: int, first: tuple[Member, ...], second: tuple[Member, ...], task: Task) -> np.ndarray:
    """[STEPS + 1] the mean loss in a fold's rows of its own members' averages, for each share."""
    held = task.examples.take(np.flatnonzero(task.fold == fold))
    link = next(member.link for member in first if member.fold == fold)
    target = link.target(held.observed)
    one, other = (linear_of_fold(fold, members, held) for members in (first, second))
    weight = [] if held.weight is None else [torch.from_numpy(held.weight).float()]
    shares = np.linspace(0, 1, STEPS + 1)
    return np.array([float(link.loss((1 - share) * one + share * other, target, *weight)) for share in shares])
