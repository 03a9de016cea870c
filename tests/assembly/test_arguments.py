"""Arguments that make no sense are told as such: the thing, what was found, the rule; never a traceback from inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain.errors import integer
from drivetrain.scenario import Constraint

NONE = (0, -1, 1.5, float("nan"), "x", True, None, [])


@pytest.mark.parametrize("found", NONE)
@pytest.mark.parametrize(
    "ask",
    [
        lambda run, n: run.neighbours(1, n),
        lambda run, n: run.surprises(n),
        lambda run, n: run.pareto(n),
        lambda run, n: run.frontier("budget", n),
        lambda run, n: dt.alike(run, 0, n),
        lambda run, n: dt.reaching(run, "bought").curve(n),
        lambda run, n: dt.Limits.of(run, "price").tradeoff(points=n),
        lambda _, n: dt.loop("randomised_pricing", rounds=n),
        lambda _, n: dt.loop("randomised_pricing", rows=n),
    ],
)
def test_how_many_is_a_whole_number_from_1(small_run: dt.Run, ask: Callable[[dt.Run, Any], Any], found: Any) -> None:
    with pytest.raises(dt.UsageError, match="It is a whole number from 1"):
        ask(small_run, found)


@pytest.mark.parametrize("found", [each for each in NONE if each is not None])
def test_how_many_options_and_rows_may_be_left_out(small_run: dt.Run, found: Any) -> None:
    for ask in (lambda: small_run.rank(None, found), lambda: small_run.experiment(None, 1.0, size=found)):
        with pytest.raises(dt.UsageError, match="It is a whole number from 1"):
            ask()


def test_numbers_of_numpy_are_numbers() -> None:
    assert integer("top", np.int64(3)) == 3


def asked(run: dt.Run) -> Mapping[str, Callable[[], Any]]:
    """A word of what is told → a call."""
    frame, log = pd.DataFrame({"a": [1]}), run.logbook()
    return {
        "settings: found 5": lambda: run.what_if(5),
        "settings: found []": lambda: run.predict([]),
        "settings: found 3": lambda: run.what_if(lambda _: 3),
        "settings: found 0": lambda: run.what_if({"price": 9}, against=0),
        "inputs: found 'x'": lambda: run.what_if({"price": 9}, inputs="x"),
        "income: found '/0', which is no number in 597 of 598 rows": lambda: run.what_if(
            {"price": 9}, inputs={"income": "/0"}
        ),
        "income: found inf": lambda: run.what_if({"price": 9}, inputs={"income": float("inf")}),
        "income: found nan": lambda: run.what_if({"price": 9}, inputs={"income": float("nan")}),
        "locks: found [1]": lambda: run.recommend(locked=[1]),
        "locks: found {1: 5}": lambda: run.recommend(locked={1: 5}),
        "locks: found row x": lambda: run.recommend(locked={"x": {"price": 9}}),
        "3: found an unknown lever": lambda: run.respond(3),
        "row: found 'x'": lambda: run.neighbours("x"),
        "row: found None": lambda: dt.contributions(run, None),
        "place: found 100000, and 598 rows": lambda: dt.alike(run, 100_000),
        "the loss: found 'x'": lambda: run.experiment(None, "x"),
        "the mode: found None": lambda: run.experiment(None, 1.0, mode=None),
        "seed: found -1": lambda: run.experiment(None, 1.0, seed=-1),
        "way: found 'best'": lambda: dt.loop("randomised_pricing", way="best"),
        "of: found 'yesterday'": lambda: dt.spending(run, "yesterday"),
        "bound: found nan": lambda: dt.Limits.of(run, "price").at(float("nan")),
        "bound: found '9'": lambda: dt.Limits.of(run, "price").at("9"),
        "run: found 'runs/a'": lambda: dt.bridge("runs/a"),
        "run: found 'runs/b'": lambda: dt.compare(run, "runs/b"),
        "run folder: found 3": lambda: dt.open_run(3),
        "scenario: found None": lambda: dt.run(None),
        "path: found 3": lambda: dt.write(frame, 3),
        "frame: found list": lambda: dt.write([1], "a.csv"),
        "rows: found 3": lambda: dt.read_rows(run.scenario, 3),
        "folder: found 3": lambda: dt.DecisionLog(3),
        "verdict: found 'maybe'": lambda: log.log.sign(log.now.entry.key, "maybe", "Ada", "because"),
        "the name: found none": lambda: log.approve(None, "because"),
        "outcomes: found 1 rows, 1 marks and 2 amounts": lambda: log.log.feed(log.key, [1], [True], np.ones(2)),
    }


def test_each_says_what_is_wrong(small_run: dt.Run) -> None:
    for words, ask in asked(small_run).items():
        with pytest.raises(dt.UsageError) as caught:
            ask()
        assert words in str(caught.value)


def test_a_missing_input_stays_missing(small_run: dt.Run) -> None:
    """Row 4 has no income, so that no more of it is not known either."""
    told = small_run.what_if({"price": 9}, inputs={"income": "*1.1"})
    assert told.remarks["income: missing"] == 1


def test_a_limit_where_nothing_is_allowed_is_told(small_run: dt.Run) -> None:
    never = Constraint.model_validate({"name": "never", "each": "price", "at_most": 1.0})
    scenario = small_run.scenario.model_copy(update={"constraints": (never,)})
    run = replace(small_run, scenario=scenario, simulator=replace(small_run.simulator, scenario=scenario))
    with pytest.raises(dt.InfeasibleError, match="some row has no setting that is allowed"):
        dt.Limits.of(run, "price").tradeoff()


def test_threads_are_a_whole_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in ("x", "0", "1.5", "-1", ""):
        monkeypatch.setenv("DRIVETRAIN_THREADS", found)
        with pytest.raises(dt.UsageError, match=r"DRIVETRAIN_THREADS: found .* whole number from 1"):
            dt.steady()


def test_scenarios_are_mappings_and_text() -> None:
    for ask in (lambda: dt.scenario.build(3), lambda: dt.scenario.parse(3)):
        with pytest.raises(dt.ScenarioError, match="scenario: found 3"):
            ask()
