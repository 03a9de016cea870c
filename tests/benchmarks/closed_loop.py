"""Rounds of decide → observe → learn on made worlds: value reached and regret, by way of exploring.

    python -m tests.benchmarks.closed_loop [--quick] [--worlds NAME ...] [--ways thompson top_two greedy] [--seeds 1]

Targets: 95% of the oracle's value in ten rounds, with at most half the cumulative regret of uniform exploration. The
last line is one JSON object of figures and targets.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

import drivetrain as dt
from drivetrain.assembly import loop

WORLDS = ("randomised_pricing", "discrete_actions", "renewal_chain", "three_levers")


def main() -> None:
    """Run the loops, print a line for each, and the closing JSON."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--worlds", nargs="+", default=list(WORLDS))
    asked.add_argument("--ways", nargs="+", default=["thompson", "top_two", "greedy"])
    asked.add_argument("--seeds", type=int, default=1)
    asked.add_argument("--rows", type=int, default=2_000)
    told = asked.parse_args()
    dt.steady()
    worlds, ways = (told.worlds[:2], told.ways[:1]) if told.quick else (told.worlds, told.ways)
    print(f"{'world':22}{'way':>10}{'share of oracle':>17}{'regret / uniform':>18}  share after each round")
    found = {}
    for world in worlds:
        for way in ways:
            runs = [loop(world, rows=told.rows, way=way, seed=seed) for seed in range(1, told.seeds + 1)]
            share, regret = (float(np.mean([getattr(each, name) for each in runs])) for name in ("share", "regret"))
            path = np.mean([each.rounds["policy"] for each in runs], axis=0).round(3).tolist()
            found[f"{world} {way}"] = {"share": share, "regret": regret, "path": path}
            print(f"{world:22}{way:>10}{share:17.4f}{regret:18.4f}  {path}", flush=True)
    first = [each for name, each in found.items() if name.endswith(ways[0])]
    least, most = min(each["share"] for each in first), max(each["regret"] for each in first)
    targets = {
        "least share of the oracle's value": {"value": least, "target": 0.95, "met": least >= 0.95},
        "greatest regret beside uniform": {"value": most, "target": 0.5, "met": most <= 0.5},
    }
    print(json.dumps({"figures": found, "targets": targets}))


if __name__ == "__main__":
    main()
