"""The errors that members make on the outcome's scale in rows they have not seen, and what these do to their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from drivetrain.modeler import scales
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.examples import Examples

Errors = tuple[np.ndarray, np.ndarray]
"""Observed minus predicted on the outcome's scale, and how much each counts: [n]."""


def errors(members: Sequence[Member], examples: Examples, fold: np.ndarray) -> dict[int, Errors]:
    """Fold → the errors in it of each member that has not seen it: [n · repeats].

    Args:
        members: of one outcome; numeric.
        examples: N rows.
        fold: [N] their folds.
    """
    out: dict[int, list[Errors]] = {}
    for member in members:
        rows, link = examples.take(np.flatnonzero(fold == member.fold)), member.link
        linear = member.network.paired(member.network.context(rows.rows), rows.features)[:, 0].double().numpy()
        seen = scales.there(link.curve, link.knee, rows.observed)
        weight = np.ones(len(seen)) if rows.weight is None else rows.weight
        out.setdefault(member.fold, []).append((seen - (linear * link.scale + link.centre), weight))
    return {each: _together(parts) for each, parts in out.items()}


def smeared(members: Sequence[Member], found: Mapping[int, Errors]) -> tuple[Member, ...]:
    """Members whose means take the scale's errors into account; of each, those in rows of other folds than its own.

    A member is the judge of its fold's rows, so these must not have a say in what it expects of them.

    Args:
        members: of one outcome.
        found: what `errors` returned.
    """
    out = []
    for member in members:
        others = [each for fold, each in found.items() if fold != member.fold] or list(found.values())
        smear = scales.smear(member.link.curve, *_together(others))
        out.append(replace(member, link=member.link.model_copy(update={"smear": smear})))
    return tuple(out)


def spread(found: Mapping[int, Errors]) -> float:
    """The standard deviation of the errors on the scale."""
    each, weight = _together(list(found.values()))
    return float(np.sqrt(np.average(each**2, weights=weight)))


def _together(parts: Sequence[Errors]) -> Errors:
    return np.concatenate([each for each, _ in parts]), np.concatenate([weight for _, weight in parts])
