"""Probabilities that are too sure, too timid, or off on average, put right by rows that no member had seen.

The linear predictor times a slope, plus a shift for each option: Platt's scaling of a binary outcome (Platt 1999), the
temperature of Guo et al. 2017 ("On Calibration of Modern Neural Networks") with shifted priors of a categorical one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from drivetrain.modeler import scores
from drivetrain.modeler.cross_fitting import Task, linear_of_fold, out_of_fold
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.links import Link

WORTH = 1e-3
"""Least part of the held-out loss that must be gained."""
STEPS = 60
Scored = tuple[Tensor, Tensor, Tensor]
"""Linear predictors [n, C], targets [n], weights [n]."""


def calibrated(members: Sequence[Member], task: Task) -> tuple[tuple[Member, ...], dict[str, Any] | None]:
    """Members with slope and shift, where that lowers the held-out loss, and these for the record; else as they are.

    A member is the judge of its fold's rows, so these have no say in its own.

    Args:
        members: of one outcome.
        task: its examples.
    """
    plain = tuple(members)
    if task.link.kind not in {"binary", "categorical"}:
        return plain, None
    scored = {fold: _scored(fold, plain, task) for fold in sorted({member.fold for member in plain})}
    if len(scored) < 2:
        return plain, None
    found = {fold: _fit(task.link, [each for other, each in scored.items() if other != fold]) for fold in scored}
    changed = tuple(replace(member, link=_told(member.link, found[member.fold])) for member in plain)
    before, after = (_loss(out_of_fold(each, task), task) for each in (plain, changed))
    if after > before * (1 - WORTH):
        return plain, None
    slopes = [float(slope) for slope, _ in found.values()]
    return changed, {"slopes": slopes, "shifts": [shift.tolist() for _, shift in found.values()], "loss_before": before}


def _scored(fold: int, members: Sequence[Member], task: Task) -> Scored:
    held = task.examples.take(np.flatnonzero(task.fold == fold))
    weight = torch.ones(len(held)) if held.weight is None else torch.from_numpy(held.weight).float()
    return linear_of_fold(fold, members, held), task.link.target(held.observed), weight


def _fit(link: Link, scored: Sequence[Scored]) -> tuple[Tensor, Tensor]:
    """The slope, above 0, and shift [C] with the lowest loss."""
    linear, target, weight = (torch.cat(parts) for parts in zip(*scored, strict=True))
    log, shift = torch.zeros((), requires_grad=True), torch.zeros(linear.shape[1], requires_grad=True)
    search = torch.optim.LBFGS([log, shift], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        search.zero_grad()
        loss = link.loss(linear * log.exp() + shift, target, weight)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    search.step(closure)  # type: ignore[no-untyped-call]
    return log.detach().exp(), (shift - shift.mean() * (len(shift) > 1)).detach()


def _told(link: Link, found: tuple[Tensor, Tensor]) -> Link:
    slope, shift = found
    return link.model_copy(update={"slope": float(slope), "shift": tuple(shift.tolist())})


def _loss(predicted: np.ndarray, task: Task) -> float:
    entry: Mapping[str, Any] = scores.entry(
        "", task.link, task.examples.observed, predicted, task.fold, task.examples.weight
    )
    return float(entry["loss"])
