"""A shop's page with one slot: which of fifteen books to show, when many buyers would have bought without being shown.

After the recommender of Howard, Zwemer & Loukides (2012), "Designing Great Data Products": what counts is the sale that
would not have happened, not the sale.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.generators.world import Draw, World

Floats = NDArray[np.float64]

TASTES = ["crime", "poetry", "science", "travel", "cooking"]
BOOKS = 15
NOTHING = "none"


def _books() -> pd.DataFrame:
    """The shelf: the same in every world, each book with its taste, price, fame and hidden factors."""
    draw = np.random.default_rng(15)
    taste = draw.permutation(np.arange(BOOKS) % len(TASTES))
    frame = pd.DataFrame({"title": [f"{TASTES[t]}_{i:02d}" for i, t in enumerate(taste)], "taste": taste})
    frame["price"] = draw.choice([9, 10, 12, 14], BOOKS)
    frame["fame"] = np.sort(draw.normal(0, 1.2, BOOKS))[::-1]
    return frame


SHELF = _books()


def _sigmoid(linear: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-linear)))


def _people(rows: int, draw: Draw) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "favourite": draw.choice(TASTES, rows),
            "second": draw.choice(TASTES, rows),
            "age": draw.uniform(16, 85, rows),
            "visits": draw.poisson(4, rows).astype(float),
        }
    )


def _likes(people: pd.DataFrame) -> Floats:
    """[N, B] how much each likes each book: taste, and an age at which each book is read."""
    mine = (people[["favourite"]].to_numpy() == np.array(TASTES)[SHELF["taste"]]).astype(float)
    next_best = (people[["second"]].to_numpy() == np.array(TASTES)[SHELF["taste"]]).astype(float)
    aged = np.abs(people["age"].to_numpy()[:, None] - np.linspace(20, 80, BOOKS)[None, ::-1]) / 40
    return np.asarray(1.2 * mine + 0.6 * next_best - 0.8 * aged)


def _unshown(people: pd.DataFrame) -> Floats:
    """[N, B] the chance to buy each book without being shown it: the famous ones sell by themselves."""
    return _sigmoid(-4.5 + 1.6 * SHELF["fame"].to_numpy()[None] + 0.9 * _likes(people))


def _shown(people: pd.DataFrame) -> Floats:
    """[N, B] the chance to buy each book when shown it: what few know gains most."""
    known = _sigmoid(1.5 * SHELF["fame"].to_numpy())[None]
    own = _unshown(people)
    return np.asarray(own + (1 - own) * 0.6 * (1 - known) * _sigmoid(3.0 * _likes(people) - 2.0))


def _places(levers: pd.DataFrame) -> NDArray[np.int64]:
    return np.asarray(pd.Index(SHELF["title"]).get_indexer(pd.Index(levers["shown"])), dtype=np.int64)


def _chances(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    """[N, B] the chance to buy each book, with the one in the slot shown."""
    chance, place, rows = _unshown(people), _places(levers), np.arange(len(people))
    slot = place >= 0
    chance[rows[slot], place[slot]] = _shown(people)[rows[slot], place[slot]]
    return chance


def _outcomes(people: pd.DataFrame, levers: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    bought = draw.random((len(people), BOOKS)) < _chances(people, levers)
    place, rows = _places(levers), np.arange(len(people))
    return pd.DataFrame(
        {
            "sales": bought @ SHELF["price"].to_numpy(dtype=np.float64),
            "bought_it": np.where(place >= 0, bought[rows, place], False).astype(int),
        }
    )


RECOMMENDER = World(
    name="recommender",
    title="Which book should the page show, for sales that would not have happened anyway?",
    declares={},
    people=_people,
    habit=lambda people, draw: pd.DataFrame({"shown": draw.choice([NOTHING, *SHELF["title"]], len(people))}),
    outcomes=_outcomes,
    worth=lambda people, levers: np.asarray(_chances(people, levers) @ SHELF["price"].to_numpy(dtype=np.float64)),
    expects=lambda people, levers: pd.DataFrame({"bought_it": _bought_it(people, levers)}),
)


def _bought_it(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    place, rows = _places(levers), np.arange(len(people))
    return np.where(place >= 0, _chances(people, levers)[rows, place], 0.0)
