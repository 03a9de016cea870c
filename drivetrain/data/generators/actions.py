"""Worlds of campaigns and treatments: several actions with costs, three levers that interact, a budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.generators.world import Draw, World

Floats = NDArray[np.float64]

ACTIONS = ["none", "email", "letter", "call", "gift"]
COSTS = {"none": 0.0, "email": 0.1, "letter": 0.9, "call": 2.5, "gift": 4.0}
CHANNELS = ["web", "shop", "phone"]


def _sigmoid(linear: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-linear)))


def _happened(name: str, chance: Floats, draw: Draw) -> pd.DataFrame:
    return pd.DataFrame({name: (draw.random(len(chance)) < chance).astype(int)})


def _customers(rows: int, draw: Draw) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": draw.uniform(18, 85, rows),
            "months_away": draw.exponential(6, rows),
            "orders": draw.poisson(3, rows).astype(float),
            "margin": draw.gamma(4, 5, rows) + 2,
            "reads": draw.choice(["online", "paper", "neither"], rows, p=[0.5, 0.3, 0.2]),
            "city": draw.choice(list("abcdef"), rows),
        }
    )


def _returns(people: pd.DataFrame, action: NDArray[np.object_]) -> Floats:
    age, away, orders = (people[name].to_numpy() for name in ("age", "months_away", "orders"))
    reads = people["reads"].to_numpy()
    lift = np.select(
        [action == "email", action == "letter", action == "call", action == "gift"],
        [
            0.9 * (reads == "online") * (age < 50) - 0.3 * (reads == "paper"),
            0.8 * (reads == "paper") + 0.4 * (age > 60),
            1.3 * (away > 6) - 0.7 * (reads == "online"),
            0.5 + 0.9 * (orders >= 4) * (away > 3),
        ],
        0.0,
    )
    return _sigmoid(-1.6 + 0.18 * orders - 0.06 * away + 0.2 * np.isin(people["city"], ["a", "d"]) + lift)


DISCRETE = World(
    name="discrete_actions",
    title="Which customer gets which action?",
    declares={
        "objective": {"maximise": "margin * returned - cost", "unit": "EUR per customer"},
        "levers": {
            "action": {
                "kind": "categorical",
                "options": ACTIONS,
                "do_nothing": "none",
                "cost": {name: str(cost) for name, cost in COSTS.items() if cost},
            }
        },
        "inputs": {
            **{name: {"kind": "numeric"} for name in ("age", "months_away", "orders", "margin")},
            **{name: {"kind": "categorical"} for name in ("reads", "city")},
        },
        "outcomes": {"returned": {"kind": "binary"}},
        "assignment": {"design": "randomised"},
        "decide": {"unit": "row"},
    },
    people=_customers,
    habit=lambda people, draw: pd.DataFrame(
        {"action": draw.choice(ACTIONS, len(people), p=[0.35, 0.25, 0.15, 0.15, 0.1])}
    ),
    outcomes=lambda people, levers, draw: _happened(
        "returned", _returns(people, levers["action"].to_numpy(dtype=object)), draw
    ),
    worth=lambda people, levers: np.asarray(
        people["margin"].to_numpy() * _returns(people, levers["action"].to_numpy(dtype=object))
        - levers["action"].map(COSTS).to_numpy(dtype=np.float64)
    ),
)


def _baskets(rows: int, draw: Draw) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "basket": draw.gamma(5, 12, rows) + 10,
            "visits": draw.poisson(4, rows).astype(float),
            "age": draw.uniform(18, 85, rows),
            "home": draw.choice(["town", "village", "abroad"], rows, p=[0.5, 0.35, 0.15]),
        }
    )


def _buys(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    """Discounts work where they are told of; reminders help in the shop with a discount, and annoy on the phone."""
    discount, reminder = (levers[name].to_numpy(dtype=np.float64) for name in ("discount", "reminder"))
    channel, home = levers["channel"].to_numpy(dtype=object), people["home"].to_numpy()
    age, visits = people["age"].to_numpy(), people["visits"].to_numpy()
    pull = np.select([channel == "web", channel == "shop"], [9.0, 5.0], 3.0) + 4 * (visits < 3)
    reach = np.select(
        [channel == "web", channel == "shop"],
        [0.7 * (age < 45) - 0.5 * (age > 65), 0.8 * (home == "town") - 0.6 * (home == "abroad")],
        0.5 * (age > 60) - 0.1,
    )
    nudge = np.select([channel == "shop", channel == "phone"], [-0.2 + 0.9 * (discount > 0.15), -0.7], 0.25)
    return _sigmoid(-1.9 + 0.12 * visits + pull * discount * (1 - discount) + reach + nudge * reminder)


THREE_LEVERS = World(
    name="three_levers",
    title="Which discount, told where, with a reminder or without?",
    declares={
        "objective": {"maximise": "basket * (0.5 - discount) * bought - cost", "unit": "EUR per customer"},
        "levers": {
            "discount": {"kind": "continuous", "min": 0, "max": 0.4, "unit": "share"},
            "channel": {"kind": "categorical", "options": CHANNELS, "cost": {"shop": "0.3", "phone": "1.2"}},
            "reminder": {"kind": "yes_no", "cost": "0.2 * reminder"},
        },
        "inputs": {
            **{name: {"kind": "numeric"} for name in ("basket", "visits", "age")},
            "home": {"kind": "categorical"},
        },
        "outcomes": {"bought": {"kind": "binary"}},
        "assignment": {"design": "randomised"},
        "decide": {"unit": "row"},
    },
    people=_baskets,
    habit=lambda people, draw: pd.DataFrame(
        {
            "discount": draw.uniform(0, 0.4, len(people)),
            "channel": draw.choice(CHANNELS, len(people)),
            "reminder": draw.integers(0, 2, len(people)),
        }
    ),
    outcomes=lambda people, levers, draw: _happened("bought", _buys(people, levers), draw),
    worth=lambda people, levers: np.asarray(
        people["basket"].to_numpy() * (0.5 - levers["discount"].to_numpy(dtype=np.float64)) * _buys(people, levers)
        - levers["channel"].map({"web": 0.0, "shop": 0.3, "phone": 1.2}).to_numpy(dtype=np.float64)
        - 0.2 * levers["reminder"].to_numpy(dtype=np.float64)
    ),
)

ALLOWANCE = 3.0
"""What may be spent for each patient, on average, in `budgeted_treatment`."""


def _patients(rows: int, draw: Draw) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "severity": draw.beta(2, 3, rows),
            "age": draw.uniform(20, 90, rows),
            "days": draw.gamma(3, 4, rows),
            "price_of_it": np.clip(draw.lognormal(2.1, 0.4, rows), 3, 30),
            "clinic": draw.choice(list("abcdefgh"), rows),
        }
    )


def _recovers(people: pd.DataFrame, treated: Floats) -> Floats:
    severity, age, days = (people[name].to_numpy() for name in ("severity", "age", "days"))
    lift = 2.2 * severity * (age < 65) - 0.5 * (days > 18) + 0.3
    return _sigmoid(0.9 - 2.5 * severity - 0.015 * (age - 50) + lift * treated)


def _by_doctors(people: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    """The severe are treated more often, and some clinics treat more than others."""
    linear = -1.2 + 3 * people["severity"].to_numpy() + 0.4 * np.isin(people["clinic"], ["a", "b"])
    return pd.DataFrame({"treated": (draw.random(len(people)) < _sigmoid(linear)).astype(int)})


BUDGETED = World(
    name="budgeted_treatment",
    title="Who is treated, within the budget?",
    declares={
        "objective": {"maximise": "100 * recovered", "unit": "recoveries per 100 patients"},
        "levers": {"treated": {"kind": "yes_no", "do_nothing": False}},
        "inputs": {
            **{name: {"kind": "numeric"} for name in ("severity", "age", "days")},
            "price_of_it": {"kind": "numeric", "unit": "EUR", "description": "What treating this patient costs"},
            "clinic": {"kind": "categorical"},
        },
        "outcomes": {"recovered": {"kind": "binary"}},
        "assignment": {"design": "observational"},
        "decide": {"unit": "row"},
        "constraints": [{"name": "budget", "mean": "price_of_it * treated", "at_most": ALLOWANCE, "unit": "EUR"}],
    },
    people=_patients,
    habit=_by_doctors,
    outcomes=lambda people, levers, draw: _happened(
        "recovered", _recovers(people, levers["treated"].to_numpy(dtype=np.float64)), draw
    ),
    worth=lambda people, levers: 100 * _recovers(people, levers["treated"].to_numpy(dtype=np.float64)),
    allowance=("price_of_it", ALLOWANCE),
)
