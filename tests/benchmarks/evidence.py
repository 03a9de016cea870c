"""What the recommended policy is truly worth, as a share of the oracle's, on made worlds beside peers.

    python -m tests.benchmarks.evidence [--quick] [--rows 2000 20000] [--seeds 1] [--worlds NAME ...] [--keep FILE]
    python -m tests.benchmarks.evidence --gather --keep FILE

Peers: LightGBM as S-learner (levers are features, the best of a grid is taken) and as T-learner (a model for each
option or bin), EconML's DRPolicyForest and CausalForestDML where it is installed, the best single setting for everyone
as that S-learner finds it and as only the truth knows it, what was done so far, and a random setting. Means over seeds
with their standard errors. Needs the `bench` extra. With `--keep` a long table is measured in pieces: see `pieces`;
what was measured so far is in `measured/evidence.jsonl`. The last line is one JSON object of figures and targets.

Of `three_levers` the truly best single setting stands on the edge of a step (a discount of just above 0.15, told in the
shop, with a reminder; a hair less and it is worth 0.65 of the oracle's), which 2,000 rows cannot show.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

import drivetrain as dt
from drivetrain.data.generators import WORLDS, World, best
from drivetrain.data.generators.actions import COSTS
from tests.benchmarks.pieces import Pieces, spread

FRESH = 10_000
"""New people on whom policies are scored, by the truth."""
GRID = 41
BINS = 8
EARNED = {
    "randomised_pricing": lambda f: (f.price - f.claims) * f.accepted,
    "confounded_pricing": lambda f: (f.price - f.claims) * f.accepted,
    "discrete_actions": lambda f: f.margin * f.returned - f.action.map(COSTS),
    "three_levers": lambda f: (
        f.basket * (0.5 - f.discount) * f.bought
        - f.channel.map({"web": 0, "shop": 0.3, "phone": 1.2})
        - 0.2 * f.reminder
    ),
    "budgeted_treatment": lambda f: 100 * f.recovered,
    "renewal_chain": lambda f: f.premium * f.accepted - f.damage * f.claimed.fillna(0) + 60 * f.renewed.fillna(0),
}
"""What a row of each world turned out to be worth."""


def ours(world: World, rows: int, seed: int, people: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """A whole run with everything at its default, and its recommendations for new people, who have settings already."""
    run = dt.run(world.scenario(rows, seed))
    made = run.recommend(people)
    return made.frame[list(run.scenario.levers)], made.policy


def options(world: World, rows: int) -> pd.DataFrame:
    """A grid over the levers."""
    values: list[list[Any]] = []
    levers = world.scenario(rows).levers
    for lever in levers.values():
        if lever.kind == "categorical":
            values.append(list(lever.options))
        elif lever.kind == "yes_no":
            values.append([0, 1])
        else:
            values.append(list(np.linspace(lever.min, lever.max, GRID if len(levers) == 1 else 17)))
    return pd.DataFrame(list(product(*values)), columns=list(levers))


def coded(frame: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Texts as categories, numbered alike everywhere."""
    texts = [name for name in frame if not pd.api.types.is_numeric_dtype(like[name].dtype)]
    return frame.assign(**{n: pd.Categorical(frame[n], categories=sorted(like[n].unique())) for n in texts})


def model() -> lightgbm.LGBMRegressor:
    return lightgbm.LGBMRegressor(
        n_estimators=200, learning_rate=0.05, num_leaves=15, min_child_samples=40, verbosity=-1, n_jobs=1
    )


def s_learner(world: World, seen: pd.DataFrame, people: pd.DataFrame, tried: pd.DataFrame) -> np.ndarray:
    """[N, G] what one model expects."""
    names = [*people.columns, *tried.columns]
    fitted = model().fit(coded(seen[names], seen), EARNED[world.name](seen))
    out = np.empty((len(people), len(tried)))
    for place, option in enumerate(tried.to_dict("records")):
        out[:, place] = fitted.predict(coded(people.assign(**option)[names], seen))
    return out


def arms(seen: pd.DataFrame, tried: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """The arm of each row seen, and each arm's setting: options as they are, ranges in bins (their middles)."""
    parts, middles = [], []
    for name in tried:
        if tried[name].nunique() > 6:
            many = BINS if len(tried.columns) == 1 else 3
            edges = np.linspace(tried[name].min(), tried[name].max(), many + 1)
            parts.append(np.clip(np.searchsorted(edges, seen[name]) - 1, 0, many - 1))
            middles.append(list((edges[1:] + edges[:-1]) / 2))
        else:
            values = list(tried[name].unique())
            parts.append(seen[name].map({value: i for i, value in enumerate(values)}).to_numpy())
            middles.append(values)
    shape = [len(each) for each in middles]
    return np.ravel_multi_index(parts, shape), pd.DataFrame(list(product(*middles)), columns=list(tried))


def t_learner(world: World, seen: pd.DataFrame, people: pd.DataFrame, tried: pd.DataFrame) -> np.ndarray:
    """[N, A] what a model for each arm expects."""
    arm, settings = arms(seen, tried)
    out = np.full((len(people), len(settings)), -np.inf)
    for place in range(len(settings)):
        own = seen[arm == place]
        if len(own) >= 50:
            fitted = model().fit(coded(own[people.columns], seen), EARNED[world.name](own))
            out[:, place] = fitted.predict(coded(people, seen))
    return out


def policy_forest(world: World, seen: pd.DataFrame, people: pd.DataFrame, tried: pd.DataFrame) -> np.ndarray | None:
    """[N] EconML's doubly robust policy forest over the arms seen 50 times; None where it is not installed."""
    try:
        from econml.policy import DRPolicyForest
    except ImportError:
        return None
    seen, arm, _ = _common(seen, arms(seen, tried)[0])
    known, place = np.unique(arm, return_inverse=True)
    forest = DRPolicyForest(
        model_regression=model(), n_estimators=200, min_samples_leaf=20, cv=3, random_state=0, n_jobs=1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x, own = _numbers(seen[people.columns], people)
        forest.fit(EARNED[world.name](seen).to_numpy(), place, X=x)
        return known[np.asarray(forest.predict(own)).astype(int)]


def causal_forest(world: World, seen: pd.DataFrame, people: pd.DataFrame, tried: pd.DataFrame) -> np.ndarray | None:
    """[N, A] EconML's CausalForestDML over the same arms, each against the commonest; None where not installed."""
    try:
        from econml.dml import CausalForestDML
    except ImportError:
        return None
    seen, arm, many = _common(seen, arms(seen, tried)[0])
    known, counts = np.unique(arm, return_counts=True)
    first = known[counts.argmax()]
    label = np.where(arm == first, -1, arm)  # the smallest is the arm that others are compared with
    forest = CausalForestDML(
        model_y=model(),
        model_t=lightgbm.LGBMClassifier(n_estimators=60, num_leaves=8, verbosity=-1, n_jobs=1),
        discrete_treatment=True, n_estimators=200, min_samples_leaf=20, cv=3, random_state=0, n_jobs=1, inference=False,
    )  # fmt: skip
    out = np.full((len(people), many), -np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x, own = _numbers(seen[people.columns], people)
        forest.fit(EARNED[world.name](seen).to_numpy(), label, X=x)
        out[:, first] = 0.0
        out[:, [each for each in known if each != first]] = forest.const_marginal_effect(own).reshape(len(people), -1)
    return out


def _common(seen: pd.DataFrame, arm: np.ndarray) -> tuple[pd.DataFrame, np.ndarray, int]:
    """Rows of arms that were seen 50 times: fewer cannot be split into folds. And how many arms there are."""
    enough = np.bincount(arm, minlength=int(arm.max()) + 1)[arm] >= 50
    return seen[enough], arm[enough], int(arm.max()) + 1


def _numbers(seen: pd.DataFrame, people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    x = pd.get_dummies(pd.concat([seen, people])).to_numpy(dtype=float)
    return x[: len(seen)], x[len(seen) :]


def allotted(world: World, people: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """The best option for each; within the allowance, by expected gain for cost."""
    if world.allowance is None:
        return values.argmax(1)
    cost, most = people[world.allowance[0]].to_numpy(), world.allowance[1]
    gain = values[:, 1] - values[:, 0]
    order = np.argsort(-gain / cost)
    given = (np.cumsum(cost[order]) <= most * len(cost)) & (gain[order] > 0)
    picked = np.zeros(len(cost), dtype=int)
    picked[order[given]] = 1
    return picked


def constants(world: World, tried: pd.DataFrame) -> pd.DataFrame:
    """The single settings that everyone may get; within an allowance that is doing nothing."""
    return tried if world.allowance is None else tried[tried["treated"] == 0]


def constant(world: World, people: pd.DataFrame, tried: pd.DataFrame) -> float:
    """What the truly best single setting is worth."""
    kept = constants(world, tried)
    each = [world.worth(people, pd.DataFrame([option] * len(people))).mean() for option in kept.to_dict("records")]
    return float(max(each))


def measure(world: World, rows: int, seed: int) -> dict[str, Any]:
    """Every competitor's true value on new people, as a share of the oracle's."""
    seen, fresh = world.frame(rows, seed), world.frame(FRESH, 10_000 + seed)
    declared = world.scenario(rows, seed)
    people, levers = fresh[list(declared.inputs)], fresh[list(declared.levers)]
    top, tried = best(world, people)[1].mean(), options(world, rows)

    def share(settings: pd.DataFrame) -> float:
        return float(world.worth(people, settings.reset_index(drop=True)).mean() / top)

    started = time.perf_counter()
    mine, policy = ours(world, rows, seed, fresh[[*people, *levers]])
    out: dict[str, Any] = {"ours": share(mine), "seconds": time.perf_counter() - started, "policy": policy}
    if world.allowance is not None:
        out["spent"] = float((people[world.allowance[0]] * mine["treated"]).mean() / world.allowance[1])
    expected = s_learner(world, seen, people, tried)
    out["s_learner"] = share(tried.iloc[allotted(world, people, expected)])
    found = pd.Series(expected.mean(0), tried.index)[constants(world, tried).index].idxmax()
    out["constant_found"] = share(tried.loc[[found] * len(people)])
    settings = arms(seen, tried)[1]
    out["t_learner"] = share(settings.iloc[allotted(world, people, t_learner(world, seen, people, tried))])
    forest = policy_forest(world, seen, people, tried) if world.allowance is None else None
    if forest is not None:
        out["policy_forest"] = share(settings.iloc[forest])
    effects = causal_forest(world, seen, people, tried)
    if effects is not None:
        out["causal_forest"] = share(settings.iloc[allotted(world, people, effects)])
    out["constant"] = constant(world, people, tried) / top
    out["current"] = share(levers)
    out["random"] = share(tried.sample(len(people), replace=True, random_state=seed))
    return out


PEERS = ("s_learner", "t_learner", "policy_forest", "causal_forest")
CONSTANTS = {"that only the truth knows": "constant", "that data finds": "constant_found"}
COLUMNS = ("ours", *PEERS, "constant_found", "constant", "current", "random", "seconds")


def targets(found: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Best of all from 20,000 rows (ties within a standard error count); never below the best constant."""
    large = [key for key in found if int(key.split()[1]) >= 20_000]
    best_of_all = sum(_wins(found[key]) for key in large)
    told = {}
    for which, name in CONSTANTS.items():
        least = min(float(np.mean([each["ours"] - each[name] for each in runs])) for runs in found.values())
        told[f"least advantage over the best constant {which}"] = {"value": least, "target": 0.0, "met": least >= 0}
    if large:
        told["cases from 20,000 rows on which none is better"] = {
            "value": best_of_all,
            "target": len(large),
            "met": best_of_all == len(large),
        }
    return told


def _wins(runs: list[dict[str, Any]]) -> bool:
    for peer in PEERS:
        apart = np.array([each[peer] - each["ours"] for each in runs if peer in each])
        error = apart.std(ddof=1) / np.sqrt(len(apart)) if len(apart) > 1 else 0.0
        if len(apart) and apart.mean() > max(error, 0.0):
            return False
    return True


def main() -> None:
    """Measure the cases that are asked for, print a line for each, and the closing JSON."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--rows", type=int, nargs="+", default=[2_000, 20_000])
    asked.add_argument("--seeds", type=int, default=1, help="how many")
    asked.add_argument("--first", type=int, default=1, help="the first of them")
    asked.add_argument("--worlds", nargs="+", default=list(EARNED))
    asked.add_argument("--keep", type=Path, help="a JSON-lines file: what it has is not measured again, what is, added")
    asked.add_argument("--gather", action="store_true", help="measure nothing, tell what the file has")
    given = asked.parse_args()
    dt.steady()
    pieces = Pieces(given.keep)
    print(f"{'share of the oracle':28}" + "".join(f"{name:>17}" for name in COLUMNS) + "  policy")
    if given.gather:
        found = gathered(pieces)
    else:
        seeds = range(given.first, given.first + given.seeds)
        cases = [(name, rows) for rows in ([2_000] if given.quick else given.rows) for name in given.worlds]
        found = {f"{name} {rows}": runs(pieces, name, rows, seeds) for name, rows in cases}
    if pieces.code:
        print(f"measured by {', '.join(pieces.code)}")
    print(json.dumps({"figures": found, "targets": targets(found)}))


def runs(pieces: Pieces, name: str, rows: int, seeds: Iterable[int]) -> list[dict[str, Any]]:
    """One case, told as soon as it is known."""
    found = [pieces.measured((name, rows, seed), partial(measure, WORLDS[name], rows, seed)) for seed in seeds]
    told(f"{name} {rows}", found)
    return found


def gathered(pieces: Pieces) -> dict[str, list[dict[str, Any]]]:
    """Every case of the file, told."""
    found: dict[str, list[dict[str, Any]]] = {}
    for (name, rows, _), one in sorted(pieces.cases.items(), key=lambda piece: (piece[0][1], piece[0])):
        found.setdefault(f"{name} {rows}", []).append(one)
    for case, several in found.items():
        told(case, several)
    return found


def told(case: str, found: list[dict[str, Any]]) -> None:
    """A line of the table."""
    means = [spread([each.get(column, np.nan) for each in found]) for column in COLUMNS]
    chosen = "/".join(each["policy"] for each in found)
    print(f"{case:28}" + "".join(f"{mean:>17}" for mean in means) + f"  {chosen}", flush=True)


if __name__ == "__main__":
    main()
