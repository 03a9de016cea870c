"""A server farm: how many servers, how fast, how cool; each model's losses are the next one's load.

After the engineering example of Howard, Zwemer & Loukides (2012), "Designing Great Data Products": models of the parts,
joined, are optimised together. Electrical losses become heat, heat must be cooled, and cooling draws power.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.generators.world import Draw, World

Floats = NDArray[np.float64]

SERVERS = (40, 120)
CLOCK = (1.6, 3.6)
SETPOINT = (17.0, 30.0)
AIRFLOW = (0.3, 1.0)
LOSSES = 0.92
"""The share of electrical power that becomes heat."""
FANS = 6.0
"""What the fans draw at their best, in kW; they obey a cube law."""


def _people(rows: int, draw: Draw) -> pd.DataFrame:
    hour = draw.integers(0, 24, rows)
    load = 90 + 40 * np.sin((hour - 8) / 24 * 2 * np.pi) + draw.normal(0, 8, rows)
    outside = 16 + 7 * np.sin((hour - 9) / 24 * 2 * np.pi) + draw.normal(0, 3, rows)
    return pd.DataFrame({"load": np.clip(load, 30, 150).round(1), "outside": np.clip(outside, -2, 34).round(1)})


def _habit(people: pd.DataFrame, draw: Draw) -> pd.DataFrame:
    many = len(people)
    return pd.DataFrame(
        {
            "servers": draw.integers(SERVERS[0], SERVERS[1] + 1, many),
            "clock": draw.uniform(*CLOCK, many).round(2),
            "setpoint": draw.uniform(*SETPOINT, many).round(1),
            "airflow": draw.uniform(*AIRFLOW, many).round(2),
        }
    )


def _set(levers: pd.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
    servers, clock, setpoint, airflow = (
        levers[name].to_numpy(dtype=np.float64) for name in ("servers", "clock", "setpoint", "airflow")
    )
    return servers, clock, setpoint, airflow


def _stages(people: pd.DataFrame, levers: pd.DataFrame, noise: Floats) -> dict[str, Floats]:
    """What meters show: power; cooling and the hottest spot's rise for each kW of heat; the wait. Noise [N, 4]."""
    servers, clock, setpoint, airflow = _set(levers)
    load, outside = people["load"].to_numpy(), people["outside"].to_numpy()
    capacity = servers * clock * 0.75
    use = np.clip(load / capacity, 0, 1)
    power = servers * (0.09 + 0.012 * clock**2.2 * (0.35 + 0.65 * use)) + noise[:, 0] * 0.3
    lift = np.maximum(outside - setpoint + 12, 1.5)
    effort = 0.05 + 0.018 * lift + noise[:, 1] * 0.01
    rise = 1 / (2.2 * (0.25 + airflow)) + noise[:, 2] * 0.02
    wait = np.exp(3.1 + 2.1 * np.clip(load / capacity, 0, 1.1) ** 2 - 0.25 * (clock - 2.5) + noise[:, 3] * 0.12)
    return {"power": power, "effort": effort, "rise": rise, "wait": wait}


def _truth(people: pd.DataFrame, levers: pd.DataFrame) -> dict[str, Floats]:
    """What is expected of each stage, and of what the stages come to."""
    told = _stages(people, levers, np.zeros((len(people), 4)))
    *_, setpoint, airflow = _set(levers)
    heat = LOSSES * told["power"]
    return {
        **told,
        "wait": told["wait"] * float(np.exp(0.12**2 / 2)),
        "cooling": heat * told["effort"] + FANS * airflow**3,
        "hottest": setpoint + heat * told["rise"],
    }


def _worth(people: pd.DataFrame, levers: pd.DataFrame) -> Floats:
    told = _truth(people, levers)
    return -(0.2 * (told["power"] + told["cooling"]) + 0.02 * levers["servers"].to_numpy(dtype=np.float64))


SERVER_FARM = World(
    name="server_farm",
    title="How many servers, how fast and how cool, at the lowest cost?",
    declares={},
    people=_people,
    habit=_habit,
    outcomes=lambda people, levers, draw: pd.DataFrame(_stages(people, levers, draw.normal(0, 1, (len(people), 4)))),
    worth=_worth,
    expects=lambda people, levers: pd.DataFrame(_truth(people, levers)),
)
