"""An insurer's new customers: what premium, which cover, whom to give a voucher, when a customer may stay for years.

After the case of the Optimal Decisions Group in Howard, Zwemer & Loukides (2012), "Designing Great Data Products".
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.generators.world import Draw, World

Floats = NDArray[np.float64]

PLACES = np.linspace(0.8, 1.2, 9).round(2)
"""The price points that were drawn: a premium's place is its share of the best one among the competitors."""
PAYS = {"basic": 0.65, "full": 1.0}
"""The share of a claim that each cover pays."""
APPEAL = {"basic": -0.4, "full": 0.4}
VOUCHER = 30.0
YEARS = 4
DISCOUNT = 1 / 1.0753
SERVICE = 40.0


def _sigmoid(linear: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-linear)))


def _people(rows: int, draw: Draw) -> pd.DataFrame:
    age, group = draw.uniform(18, 80, rows), draw.choice(["small", "family", "sport"], rows, p=[0.45, 0.4, 0.15])
    base = 390 + 60 * (age < 30) + 50 * (group == "sport") - 30 * (group == "small")
    people = pd.DataFrame(
        {
            "age": age,
            "car": group,
            "rival": np.clip(base + draw.normal(0, 45, rows), 220, 800),
            "economy": draw.normal(0, 1, rows),
            "region": draw.choice(["north", "south", "east", "west"], rows),
        }
    )
    return people.assign(risk=_risk(people).round(2))


def _habit(people: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    many = len(people)
    return pd.DataFrame(
        {
            "place": draw.choice(PLACES, many),
            "cover": draw.choice(list(PAYS), many),
            "voucher": draw.integers(0, 2, many),
        }
    )


def _cover(levers: pd.DataFrame, table: dict[str, float]) -> Floats:
    return np.asarray(levers["cover"].map(table), dtype=np.float64)


def _dear(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    """[N] by how much the premium is above the rival's."""
    return np.asarray((levers["place"].to_numpy(dtype=np.float64) - 1) * people["rival"].to_numpy())


def _premium(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    return np.asarray(levers["place"].to_numpy(dtype=np.float64) * people["rival"].to_numpy())


def _minds(people: pd.DataFrame) -> Floats:
    """How much each minds a EUR above the rival: the young compare, the old hardly look."""
    return 0.004 + 0.041 * _sigmoid((42 - people["age"].to_numpy()) / 6)


def accepts(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    """[N] the true chance that a quote is accepted."""
    voucher = levers["voucher"].to_numpy(dtype=np.float64) * (0.2 + 0.9 * _sigmoid((32 - people["age"].to_numpy()) / 5))
    weak = 0.3 * people["economy"].to_numpy()
    return _sigmoid(
        0.4 + weak - _minds(people) * _dear(people, levers) + _cover(levers, APPEAL) * _wants(people) + voucher
    )


def _wants(people: pd.DataFrame) -> Floats:
    """How much full cover appeals: to families most, to owners of small cars not at all."""
    return np.asarray(people["car"].map({"small": -0.5, "family": 1.5, "sport": 1.0}).to_numpy(dtype=np.float64))


def _claims(people: pd.DataFrame) -> Floats:
    risky = 1.3 * (people["age"].to_numpy() < 30) + 1.0 * (people["car"].to_numpy() == "sport")
    return _sigmoid(-2.6 + risky + 0.6 * (people["region"].to_numpy() == "south"))


def _risk(people: pd.DataFrame) -> Floats:
    """[N] what claims are expected to come to in a year under full cover: the actuaries' technical price."""
    size = 1100 + 500 * (people["car"].to_numpy() == "sport") + 250 * (people["car"].to_numpy() == "family")
    return np.asarray(size * _claims(people))


def _stays(people: pd.DataFrame, levers: pd.DataFrame, claimed: Floats) -> Floats:
    """The chance to renew after a year: dearer than the rival, and a claim that the cover hardly paid, drive away."""
    return _sigmoid(1.2 - 0.6 * _minds(people) * _dear(people, levers) - claimed * (2.2 - 2.0 * _cover(levers, PAYS)))


def _annuity(stays: Floats) -> Floats:
    """The expected worth of one a year for as long as a customer stays, four years at most."""
    return np.asarray(sum((DISCOUNT * stays) ** year for year in range(YEARS)))


def _outcomes(people: pd.DataFrame, levers: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    many = len(people)
    accepted = draw.random(many) < accepts(people, levers)
    claims = draw.random((YEARS - 1, many)) < _claims(people)
    stays = np.array([_stays(people, levers, claimed) for claimed in claims.astype(float)])
    years = 1 + np.cumprod(draw.random((YEARS - 1, many)) < stays, axis=0).sum(0)
    return pd.DataFrame(
        {
            "accepted": accepted.astype(int),
            "claimed": np.where(accepted, claims[0], np.nan),
            "years": np.where(accepted, years, np.nan),
        }
    )


def _worth(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    """A year's claims have nothing to do with who stayed until then, so that they come to the risk in every year."""
    claims, pays = _claims(people), _cover(levers, PAYS)
    none, some = np.zeros(len(people)), np.ones(len(people))
    renews = claims * _stays(people, levers, some) + (1 - claims) * _stays(people, levers, none)
    year = _premium(people, levers) - SERVICE - people["risk"].to_numpy() * pays
    voucher = VOUCHER * levers["voucher"].to_numpy(dtype=np.float64)
    return np.asarray(accepts(people, levers) * (year * _annuity(renews) - voucher))


INSURANCE = World(
    name="insurance_pricing",
    title="What premium, which cover and a voucher or not, for each new customer?",
    declares={},
    people=_people,
    habit=_habit,
    outcomes=_outcomes,
    worth=_worth,
    expects=lambda people, levers: pd.DataFrame({"accepted": accepts(people, levers)}),
)
