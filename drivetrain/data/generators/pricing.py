"""Two worlds of insurance quotes: who accepts a price hangs on what rivals ask, and on how much that person minds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.generators.world import Draw, World

Floats = NDArray[np.float64]

LOW, HIGH = 60.0, 160.0
REGIONS = list("abcdefgh")
CARS = ["family", "small", "sport", "van"]

DECLARES: dict[str, Any] = {
    "objective": {"maximise": "(price - claims) * accepted", "unit": "EUR per quote"},
    "levers": {"price": {"kind": "continuous", "min": LOW, "max": HIGH, "unit": "EUR"}},
    "inputs": {
        "rival": {"kind": "numeric", "unit": "EUR", "description": "What the cheapest rival asks"},
        "claims": {"kind": "numeric", "unit": "EUR", "description": "Expected claims of such a driver"},
        "income": {"kind": "numeric", "unit": "kEUR per year"},
        "age": {"kind": "numeric", "unit": "years"},
        "region": {"kind": "categorical"},
        "car": {"kind": "categorical"},
    },
    "outcomes": {"accepted": {"kind": "binary"}},
    "decide": {"unit": "row"},
}


def _people(rows: int, draw: Draw) -> pd.DataFrame:
    age, car = draw.uniform(18, 80, rows), draw.choice(CARS, rows, p=[0.4, 0.3, 0.1, 0.2])
    claims = 45 + 0.9 * np.clip(30 - age, 0, None) + 14 * (car == "sport") + draw.gamma(4, 2.5, rows)
    return pd.DataFrame(
        {
            "rival": np.clip(draw.normal(105, 15, rows), 65, 150),
            "claims": claims,
            "income": draw.lognormal(3.5, 0.4, rows),
            "age": age,
            "region": draw.choice(REGIONS, rows),
            "car": car,
        }
    )


def _chance(people: pd.DataFrame, price: Floats) -> Floats:
    """The chance that each accepts: 35–75% at the rival's price, and falling the faster the more it is minded."""
    car, region = people["car"].to_numpy(), people["region"].to_numpy()
    income, age = people["income"].to_numpy(), people["age"].to_numpy()
    mind = 0.07 + 0.05 * (car == "small") - 0.03 * (income > 40) - 0.025 * (age > 60)
    loyal = 0.5 * np.isin(region, ["a", "c", "f"]) + 0.3 * (car == "van") - 0.6 * (age < 25)
    return np.asarray(1 / (1 + np.exp(-(loyal - mind * (price - people["rival"].to_numpy())))))


def _outcomes(people: pd.DataFrame, levers: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    chance = _chance(people, levers["price"].to_numpy(dtype=np.float64))
    return pd.DataFrame({"accepted": (draw.random(len(people)) < chance).astype(int)})


def _worth(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    price = levers["price"].to_numpy(dtype=np.float64)
    return np.asarray((price - people["claims"].to_numpy()) * _chance(people, price))


def _drawn(people: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    return pd.DataFrame({"price": draw.uniform(LOW, HIGH, len(people))})


def _by_underwriters(people: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    """Prices follow the rival's and the claims: who was asked much could also have been asked more elsewhere."""
    usual = 8 + 0.55 * people["rival"] + 0.6 * people["claims"] + 5 * (people["income"] > 40)
    return pd.DataFrame({"price": np.clip(usual + draw.normal(0, 9, len(people)), LOW, HIGH)})


RANDOMISED = World(
    name="randomised_pricing",
    title="What price for each insurance quote?",
    declares=DECLARES | {"assignment": {"design": "randomised"}},
    people=_people,
    habit=_drawn,
    outcomes=_outcomes,
    worth=_worth,
)
CONFOUNDED = World(
    name="confounded_pricing",
    title="What price for each insurance quote, from quotes that underwriters priced?",
    declares=DECLARES | {"assignment": {"design": "observational"}},
    people=_people,
    habit=_by_underwriters,
    outcomes=_outcomes,
    worth=_worth,
)
