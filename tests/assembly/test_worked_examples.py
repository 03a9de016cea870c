"""The four worked examples of the Drivetrain article, scored by the truth that no run ever sees."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

import drivetrain as dt
from drivetrain.data.generators import WORLDS, World

SCENARIOS = Path(__file__).parents[2] / "scenarios"
Floats = NDArray[np.float64]


def run_of(name: str, factory: pytest.TempPathFactory) -> dt.Run:
    return dt.run(SCENARIOS / f"{name}.yaml", factory.mktemp(name) / "run")


def recommended(run: dt.Run) -> pd.DataFrame:
    assert run.recommendations is not None
    frame = run.recommendations.frame
    return pd.DataFrame({name: frame[dt.column_of(name)] for name in run.scenario.levers})


def every(world: World, people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    """[N, G] the true worth of every row under each of G settings."""
    each = (pd.DataFrame([setting] * len(people), index=people.index) for _, setting in levers.iterrows())
    return np.column_stack([world.worth(people, told) for told in each])


def bound(worth: Floats, uses: list[Floats], limits: list[float]) -> float:
    """No policy within the limits is worth more, a row: the Lagrangian dual, uses [N, G] or [G], at most `limits`."""

    def dual(prices: Floats) -> float:
        net = worth - sum(price * use for price, use in zip(prices, uses, strict=True))
        return float(net.max(1).mean() + prices @ np.array(limits))

    start = np.full(len(limits), 1.0)
    return float(minimize(dual, start, method="Nelder-Mead", bounds=[(0, None)] * len(limits)).fun)


@pytest.fixture(scope="module")
def insurance(tmp_path_factory: pytest.TempPathFactory) -> dt.Run:
    return run_of("insurance_pricing", tmp_path_factory)


def test_insurance_earns_what_it_promises_and_keeps_its_share(insurance: dt.Run) -> None:
    world, people, made = WORLDS["insurance_pricing"], insurance.table.frame, recommended(insurance)
    assert world.expects is not None
    some = people.sample(4000, random_state=1)
    grid = list(product(np.linspace(0.7, 1.2, 51), ["basic", "full"], [0, 1]))
    levers = pd.DataFrame(grid, columns=["place", "cover", "voucher"])
    accepted = np.column_stack(
        [world.expects(some, pd.DataFrame([s] * len(some), index=some.index))["accepted"] for _, s in levers.iterrows()]
    )
    worth = every(world, some, levers)
    oracle = bound(worth, [-accepted], [-0.82])
    made = made.assign(voucher=made["voucher"].astype(int)).set_index(people.index)
    earned = world.worth(some, made.loc[some.index]).mean()
    print(f"insurance_pricing: {earned:.1f} of {oracle:.1f} ({earned / oracle:.1%})")
    assert earned > worth.mean(0)[accepted.mean(0) >= 0.82].max()  # the best premium for everyone
    promised = insurance.judged.chosen.estimate
    assert promised.low < earned < promised.high
    assert world.expects(people, made)["accepted"].mean() >= 0.82 * 0.99


@pytest.fixture(scope="module")
def lifetime(tmp_path_factory: pytest.TempPathFactory) -> dt.Run:
    return run_of("lifetime_value", tmp_path_factory)


def test_lifetime_value_knows_when_to_be_silent(lifetime: dt.Run) -> None:
    world, people, made = WORLDS["lifetime_value"], lifetime.table.frame, recommended(lifetime)
    levers = pd.DataFrame({"offer": ["silence", "letter", "discount_5", "discount_15", "call"]})
    contact, call = np.array([0, 0.6, 0.6, 0.6, 4.0]), np.array([0, 0, 0, 0, 1.0])
    worth = every(world, people, levers)
    oracle, earned = bound(worth, [contact, call], [0.6, 0.05]), world.worth(people, made).mean()
    print(f"lifetime_value: {earned:.2f} of {oracle:.2f} ({earned / oracle:.1%})")
    assert earned >= 0.97 * oracle
    assert earned > worth.mean(0)[contact <= 0.6].max()
    assert (made["offer"] == "call").mean() <= 0.05 + 1e-9
    assert 0.1 < (made["offer"] == "silence").mean() < 0.9


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dt.Run:
    return run_of("recommender", tmp_path_factory)


def test_the_recommender_sells_what_would_not_have_been_sold(books: dt.Run) -> None:
    """Against ranking by P(buy | shown), learned by the same model from the same rows."""
    world, people, made = WORLDS["recommender"], books.table.frame, recommended(books)
    levers = pd.DataFrame({"shown": list(books.scenario.resolved(books.table.options).levers["shown"].options)})
    worth = every(world, people, levers)
    silent = worth[:, levers["shown"].tolist().index("none")].mean()
    oracle, earned = worth.max(1).mean(), world.worth(people, made).mean()
    print(f"recommender: {earned:.3f} of {oracle:.3f} ({earned / oracle:.1%}), additional {earned - silent:.3f}")
    assert earned >= 0.97 * oracle
    assert earned > worth.mean(0).max()
    naive = WORLDS["recommender"].expects
    assert naive is not None
    bought = np.column_stack(
        [naive(people, pd.DataFrame([s] * len(people)))["bought_it"] for _, s in levers.iterrows()]
    )
    famous = worth[np.arange(len(people)), bought.argmax(1)].mean()
    print(f"ranking by the true P(buy | shown): {famous - silent:.3f} additional")
    assert earned - silent > 1.1 * (famous - silent)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> dt.Run:
    return run_of("server_farm", tmp_path_factory)


def test_the_server_farm_is_cheap_and_keeps_cool(farm: dt.Run) -> None:
    world, people, made = WORLDS["server_farm"], farm.table.frame, recommended(farm)
    assert world.expects is not None
    assert len(made.drop_duplicates()) == 1
    told = world.expects(people, made)
    assert (told["hottest"] > 40 * 1.01).mean() <= 0.01
    assert (told["wait"] > 90 * 1.01).mean() <= 0.01
    some = people.sample(300, random_state=1)
    grid = product(range(40, 121, 5), np.linspace(1.6, 3.6, 11), np.linspace(17, 30, 14), np.linspace(0.3, 1, 8))
    best = np.inf
    for setting in pd.DataFrame(grid, columns=["servers", "clock", "setpoint", "airflow"]).to_dict("records"):
        each = pd.DataFrame([setting] * len(some), index=some.index)
        seen = world.expects(some, each)
        if seen["hottest"].max() <= 40 and seen["wait"].max() <= 90:
            best = min(best, float(-world.worth(some, each).mean()))
    cost = float(-world.worth(some, made.iloc[: len(some)].set_index(some.index)).mean())
    print(f"server_farm: {cost:.3f} against {best:.3f} at best")
    assert best <= cost < -world.worth(people, farm.table.frame).mean()  # cheaper than what was tried
