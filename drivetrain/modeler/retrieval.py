"""How well models find, among all options, those that somebody turned out to have had: recall, NDCG and AUC.

Each fold's rows are asked of members that have not seen them; options had in other folds are out of the question, as
they are when lists are made. Beside it stands popularity, which gives everyone the options that most others had.
NDCG is as Järvelin & Kekäläinen (2002) define it, with gains of 1; AUC is the share of pairs (had, never had) in the
right order, averaged over people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from drivetrain.modeler.coded import CodedColumn
from drivetrain.modeler.cross_fitting import Task
from drivetrain.modeler.ensemble import Member

TOP = 10
MOST_PEOPLE = 500
"""People asked in each fold,"""
MOST_PAIRS = 4_000_000
"""and pairs of people and options."""

Floats = NDArray[np.float64]


def retrieval(members: Sequence[Member], task: Task, seed: int) -> dict[str, Any]:
    """Recall and NDCG of the first ten and AUC, of the members and of popularity, averaged over people.

    Args:
        members: of one outcome; each fold is asked of those that have not seen it.
        task: examples with one lever, and a binary outcome that is yes where somebody has had the option.
        seed: of the people who are asked, where there are many.
    """
    option, features = _options(task)
    who = _people(task)
    yes = task.examples.observed == 1
    ours, popular = list[Floats](), list[Floats]()
    random = np.random.default_rng(seed)
    for fold in np.unique(task.fold):
        held, known = yes & (task.fold == fold), yes & (task.fold != fold)
        people, first = np.unique(who[held], return_index=True)
        asked = np.sort(random.permutation(len(people))[: min(MOST_PEOPLE, max(1, MOST_PAIRS // len(features)))])
        people, rows = people[asked], np.flatnonzero(held)[first[asked]]
        had, wanted = (_pairs(who, option, which, people, len(features)) for which in (known, held))
        scores = _asked([member for member in members if member.fold == fold], task, rows, features)
        favourites = np.bincount(option[known], minlength=len(features)).astype(np.float64)
        ours.append(measures(scores, had, wanted & ~had))
        popular.append(measures(np.tile(favourites, (len(people), 1)), had, wanted & ~had))
    names = (f"recall@{TOP}", f"ndcg@{TOP}", "auc")
    told = {who: dict(zip(names, map(float, np.nanmean(np.concatenate(each), axis=0)), strict=True))
            for who, each in (("chosen", ours), ("popularity", popular))}  # fmt: skip
    return {**told, "people": sum(map(len, ours)), "options": len(features)}


def measures(scores: Floats, had: NDArray[np.bool_], wanted: NDArray[np.bool_], top: int = TOP) -> Floats:
    """[P, 3] recall and NDCG of the first `top`, and AUC, of P people; NaN for those who want nothing.

    Args:
        scores: [P, G] of each option; more is better, ties are broken by the options' order.
        had: [P, G] options that are out of the question.
        wanted: [P, G] options that should come first; none of them `had`.
        top: how many count.
    """
    left = np.where(had, -np.inf, scores)
    order = np.argsort(-left, axis=1, kind="stable")
    hit = np.take_along_axis(wanted, order, axis=1)
    many, open_ = wanted.sum(axis=1), (~had).sum(axis=1)
    gain = 1 / np.log2(np.arange(2, min(top, hit.shape[1]) + 2))
    best = np.concatenate([[0], np.cumsum(gain)])[np.minimum(many, len(gain))]
    place = np.arange(hit.shape[1])  # how many come before
    others = open_ - many
    before = (hit * place).sum(axis=1) - many * (many - 1) / 2  # never had, before one that was wanted
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hit[:, :top].sum(axis=1) / np.minimum(many, top)
        auc = 1 - before / (many * others)
        return np.column_stack([recall, (hit[:, :top] * gain).sum(axis=1) / best, auc])


def _options(task: Task) -> tuple[NDArray[np.int64], torch.Tensor]:
    """[N] the option of each example, and all options' features [G, F]."""
    column, features = task.settings.columns[0], task.examples.features
    codes = features[:, 0] if isinstance(column, CodedColumn) else features[:, : column.options].argmax(1)
    return codes.numpy().astype(np.int64), task.settings.encode(torch.arange(column.options).double()[:, None])


def _people(task: Task) -> NDArray[np.int64]:
    """[N] rows with the same inputs are one who decides."""
    inputs = np.column_stack([task.examples.rows.codes.numpy(), task.examples.rows.numbers.numpy()])
    return np.unique(inputs, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _pairs(
    who: NDArray[np.int64], option: NDArray[np.int64], rows: NDArray[np.bool_], people: NDArray[np.int64], options: int
) -> NDArray[np.bool_]:
    """[P, G] which of these people have which option in these rows."""
    out = np.zeros((len(people), options), dtype=bool)
    mine = np.flatnonzero(rows & np.isin(who, people))
    out[np.searchsorted(people, who[mine]), option[mine]] = True
    return out


def _asked(judges: Sequence[Member], task: Task, rows: NDArray[np.intp], features: torch.Tensor) -> Floats:
    """[P, G] what these members expect of each option for whom these rows are."""
    people = task.examples.take(rows).rows
    with torch.no_grad():
        each = [m.link.mean(m.network.grid(m.network.context(people), features)) for m in judges]
    return torch.stack(each).mean(0).double().numpy()
