"""A world in which outcomes follow one another: accepted → claimed → renewed, and a premium moves all three."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.generators.world import Draw, World

Floats = NDArray[np.float64]

LOW, HIGH = 50.0, 150.0


def _sigmoid(linear: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-linear)))


def _people(rows: int, draw: Draw) -> pd.DataFrame:
    age = draw.uniform(18, 80, rows)
    return pd.DataFrame(
        {
            "age": age,
            "rival": np.clip(draw.normal(95, 12, rows), 60, 130),
            "damage": draw.gamma(5, 60, rows) + 100,
            "years": draw.poisson(5, rows).astype(float),
            "region": draw.choice(list("abcdef"), rows),
        }
    )


def _accepts(people: pd.DataFrame, premium: Floats) -> Floats:
    mind = 0.05 + 0.04 * (people["years"].to_numpy() < 4)
    return _sigmoid(0.6 + 0.1 * people["years"].to_numpy() - mind * (premium - people["rival"].to_numpy()))


def _claims(people: pd.DataFrame) -> Floats:
    young, far = people["age"].to_numpy() < 28, np.isin(people["region"], ["b", "e"])
    return _sigmoid(-2.0 + 0.9 * young + 0.4 * far)


def _renews(people: pd.DataFrame, premium: Floats, claimed: Floats) -> Floats:
    return _sigmoid(0.8 + 0.12 * people["years"].to_numpy() - 0.04 * (premium - 80) - 1.0 * claimed)


def _outcomes(people: pd.DataFrame, levers: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    premium, many = levers["premium"].to_numpy(dtype=np.float64), len(people)
    accepted = draw.random(many) < _accepts(people, premium)
    claimed = draw.random(many) < _claims(people)
    renewed = draw.random(many) < _renews(people, premium, claimed.astype(float))
    later = {"claimed": claimed, "renewed": renewed}
    return pd.DataFrame(
        {"accepted": accepted.astype(int), **{name: np.where(accepted, each, np.nan) for name, each in later.items()}}
    )


def _worth(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    premium, claims = levers["premium"].to_numpy(dtype=np.float64), _claims(people)
    renews = sum(
        chance * _renews(people, premium, np.full(len(people), claimed))
        for chance, claimed in ((1 - claims, 0.0), (claims, 1.0))
    )
    inside = premium - claims * people["damage"].to_numpy() + 60 * renews
    return np.asarray(_accepts(people, premium) * inside)


RENEWAL = World(
    name="renewal_chain",
    title="What premium, now that next year counts as well?",
    declares={
        "objective": {
            "maximise": "premium * accepted - damage * claimed + next_year * renewed",
            "unit": "EUR per customer",
        },
        "parameters": {"next_year": {"value": 60, "unit": "EUR", "description": "What a renewal is worth"}},
        "levers": {"premium": {"kind": "continuous", "min": LOW, "max": HIGH, "unit": "EUR"}},
        "inputs": {
            **{name: {"kind": "numeric"} for name in ("age", "rival", "damage", "years")},
            "region": {"kind": "categorical"},
        },
        "outcomes": {
            "accepted": {"kind": "binary"},
            "claimed": {"kind": "binary", "when": "accepted"},
            "renewed": {"kind": "binary", "when": "accepted", "uses": ["claimed"]},
        },
        "assignment": {"design": "randomised"},
        "decide": {"unit": "row"},
    },
    people=_people,
    habit=lambda people, draw: pd.DataFrame({"premium": draw.uniform(LOW, HIGH, len(people))}),
    outcomes=_outcomes,
    worth=_worth,
)
