"""A mail-order house: which offer, or silence, for each customer each month, when every contact tires a little.

After the lifetime-value example of Howard, Zwemer & Loukides (2012), "Designing Great Data Products".
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.generators.world import Draw, World

Floats = NDArray[np.float64]

OFFERS = ["silence", "letter", "discount_5", "discount_15", "call"]
GIVEN = {"discount_5": 0.05, "discount_15": 0.15}
"""The share of the price that is given away."""
COSTS = {"silence": 0.0, "letter": 0.6, "discount_5": 0.6, "discount_15": 0.6, "call": 4.0}
MARGIN = 0.45
MONTHS = 6
DISCOUNT = 0.99


def _sigmoid(linear: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-linear)))


def _people(rows: int, draw: Draw) -> pd.DataFrame:
    orders = draw.gamma(1.6, 2.2, rows).round()
    return pd.DataFrame(
        {
            "months_since": draw.geometric(1 / (1 + 12 / (1 + orders)), rows).clip(max=36).astype(float),
            "orders": orders,
            "basket": draw.gamma(6, 14, rows).round(2),
            "on_sale": draw.beta(1.2, 2.5, rows).round(3),
            "contacts": draw.poisson(1.5, rows).astype(float),
            "channel": draw.choice(["web", "shop", "catalogue"], rows, p=[0.5, 0.2, 0.3]),
        }
    )


def _among(levers: pd.DataFrame, *offers: str) -> Floats:
    return np.asarray(levers["offer"].isin(offers), dtype=np.float64)


def _buys(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    """The chance of an order this month: habit, and what the offer adds, less the more contacts there were."""
    since, orders, sale = (people[name].to_numpy() for name in ("months_since", "orders", "on_sale"))
    patience = np.exp(-0.35 * people["contacts"].to_numpy())
    lift = (
        _among(levers, "letter") * (0.5 + 0.9 * (people["channel"] == "catalogue").to_numpy())
        + _among(levers, "discount_5") * (0.4 + 1.4 * sale)
        + _among(levers, "discount_15") * (0.6 + 3.4 * sale)
        + _among(levers, "call") * (0.5 + 2.6 * (since > 6))
    )
    return _sigmoid(-2.0 + 0.28 * np.minimum(orders, 8) - 0.07 * since + lift * patience)


def leaves(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    """[N] the true chance that a customer leaves for good this month: contacts upon contacts drive away."""
    contact = 1 - _among(levers, "silence")
    tired = np.maximum(people["contacts"].to_numpy() - 1, 0)
    return _sigmoid(-4.2 + contact * (0.15 + 0.55 * tired) + 0.5 * _among(levers, "call") * (tired > 0))


def _later(people: pd.DataFrame) -> Floats:
    """What a customer who stays earns in the half-year to come, discounted by the month."""
    annuity = sum(DISCOUNT**month for month in range(1, MONTHS + 1))
    monthly = _sigmoid(-2.0 + 0.28 * np.minimum(people["orders"].to_numpy(), 8) - 0.35)
    return np.asarray(MARGIN * people["basket"].to_numpy() * monthly * annuity)


def _outcomes(people: pd.DataFrame, levers: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    many = len(people)
    return pd.DataFrame(
        {
            "ordered": (draw.random(many) < _buys(people, levers)).astype(int),
            "left": (draw.random(many) < leaves(people, levers)).astype(int),
        }
    )


def _worth(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    given, cost = levers["offer"].map(GIVEN).fillna(0.0).to_numpy(), levers["offer"].map(COSTS).to_numpy()
    order = (MARGIN - given) * people["basket"].to_numpy()
    return np.asarray(_buys(people, levers) * order - cost + (1 - leaves(people, levers)) * people["later"].to_numpy())


def _with_later(rows: int, draw: Draw) -> pd.DataFrame:
    people = _people(rows, draw)
    return people.assign(later=_later(people).round(2))


LIFETIME = World(
    name="lifetime_value",
    title="Which offer, discount or call, or silence, for each customer this month?",
    declares={},
    people=_with_later,
    habit=lambda people, draw: pd.DataFrame(
        {"offer": draw.choice(OFFERS, len(people), p=[0.4, 0.15, 0.15, 0.15, 0.15])}
    ),
    outcomes=_outcomes,
    worth=_worth,
    expects=lambda people, levers: pd.DataFrame(
        {"contact_cost": levers["offer"].map(COSTS), "called": _among(levers, "call"), "left": leaves(people, levers)}
    ),
)
