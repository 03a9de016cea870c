"""The errors that members make on the outcome's scale in rows they have not seen, and what these do to their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from drivetrain.modeler import scales
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.training import Examples


def errors(members: Sequence[Member], examples: Examples, fold: np.ndarray) -> dict[int, np.ndarray]:
    """Fold → observed minus predicted, on the outcome's scale, by each member that has not seen it: [n · repeats].

    Args:
        members: of one outcome; numeric.
        examples: N rows.
        fold: [N] their folds.
    """
    out: dict[int, list[np.ndarray]] = {}
    for member in members:
        rows, link = examples.take(np.flatnonzero(fold == member.fold)), member.link
        linear = member.network.paired(member.network.context(rows.rows), rows.features)[:, 0].double().numpy()
        seen = scales.there(link.curve, link.knee, rows.observed)
        out.setdefault(member.fold, []).append(seen - (linear * link.scale + link.centre))
    return {each: np.concatenate(parts) for each, parts in out.items()}


def smeared(members: Sequence[Member], found: Mapping[int, np.ndarray]) -> tuple[Member, ...]:
    """Members whose means take the scale's errors into account; of each, those in rows of other folds than its own.

    A member is the judge of its fold's rows, so these must not have a say in what it expects of them.

    Args:
        members: of one outcome.
        found: what `errors` returned.
    """
    out = []
    for member in members:
        others = [each for fold, each in found.items() if fold != member.fold] or list(found.values())
        smear = scales.smear(member.link.curve, np.concatenate(others))
        out.append(replace(member, link=member.link.model_copy(update={"smear": smear})))
    return tuple(out)


def spread(found: Mapping[int, np.ndarray]) -> float:
    """The standard deviation of the errors on the scale."""
    return float(np.sqrt(np.mean(np.concatenate(list(found.values())) ** 2)))
