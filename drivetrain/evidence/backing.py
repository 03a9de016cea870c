"""Backing: how many rows speak for a policy, and of a rare yes/no outcome how many events; and when that is too few.

Of an outcome that is nearly always no, a thousand rows say little: its yeses do. From a handful of them the usual error
is too small, most of all where by luck there were none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence.value import Judge

Floats = NDArray[np.float64]

FEWEST = 10
"""Where fewer effective rows, or events, speak for a policy, its interval means little and it is not recommended."""
MORE_EVENTS = 2.0
"""So many events that nobody saw are counted into errors (Agresti & Coull 1998, The American Statistician 52:119)."""


def effective(weight: Floats) -> Floats:
    """Effective number of rows (Σw)²/Σw², over the first axis of weights [N] or [N, P]."""
    squares = (weight**2).sum(0)
    return np.asarray(np.divide(weight.sum(0) ** 2, squares, out=np.zeros_like(squares), where=squares > 0))


def events(court: Judge, weight: Floats) -> Floats | None:
    """Effective number of rows with the rarer result, of the yes/no outcome that has the fewest.

    Args:
        court: knows the rows.
        weight: [N] or [N, P] how much each row speaks for a policy, or for each of P.

    Returns:
        One number, or [P]; None where no outcome is yes/no.
    """
    told = [effective(weight[seen == result]) for _, seen in _yes_no(court) for result in (0, 1)]
    return np.asarray(np.min(told, axis=0)) if told else None


def spoken(court: Judge, weight: Floats) -> NDArray[np.bool_]:
    """[P] for which policies enough rows and events speak; where that is none, those with enough rows, or else all.

    Args:
        court: knows the rows.
        weight: [N, P] how much each row speaks for each policy; a row of 0 has no say.
    """
    rows, seen = effective(weight) >= FEWEST, events(court, weight)
    enough = rows if seen is None else rows & (seen >= FEWEST)
    return next((each for each in (enough, rows) if each.any()), np.ones(weight.shape[1], dtype=np.bool_))


def unseen_events(court: Judge, settings: Floats, weight: Floats) -> float:
    """The standard error that two more events add to a policy's value; next to nothing where many were seen.

    An event moves the mean by its row's weight times what it is worth, over the number of rows. With two more of them,
    the interval of a share of which x events were seen is x ± 1.96 √(x + 2), which holds what it promises at any x, as
    x ± 1.96 √x does not.

    Args:
        court: knows the rows.
        settings: [N, L] what the policy does.
        weight: [N] how much each row speaks for it.
    """
    frame, speaks, added = court.table.frame, weight != 0, 0.0
    if not speaks.any() or court.outcome is not None:
        return 0.0
    for name, seen in _yes_no(court):
        known = np.isfinite(seen)
        no, yes = (
            court.simulator.observed(frame.assign(**{name: np.where(known, result, np.nan)}), settings)
            for result in (0.0, 1.0)
        )
        moved = (weight * (yes - no))[speaks & known]
        moved = moved[np.isfinite(moved)]
        added += MORE_EVENTS * float((moved**2).mean()) if len(moved) else 0.0
    return float(np.sqrt(added)) / len(frame)


def _yes_no(court: Judge) -> Iterator[tuple[str, Floats]]:
    """Each yes/no outcome, and what it was in each row [N]: 0, 1, or NaN where that is not known."""
    for name, declared in court.simulator.scenario.outcomes.items():
        if declared.kind == "binary" and name in court.simulator.models.outcomes:
            yield name, court.simulator.models.outcomes[name].link.observed(court.table.frame[name])
