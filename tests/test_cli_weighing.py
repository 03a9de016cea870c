"""Fronts and frontiers from a run folder, as a person or a program asks for them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import drivetrain as dt
from drivetrain import figures
from drivetrain.assembly.folder import keep
from drivetrain.formula import parse
from drivetrain.scenario import Beside, Constraint
from tests.test_cli_examining import call


@pytest.fixture(scope="module")
def weighed(small_run: dt.Run, tmp_path_factory: pytest.TempPathFactory) -> dt.Run:
    """The small run with a second objective and a bound, as a folder read back."""
    own = small_run.scenario
    changes = {
        "objective": own.objective.model_copy(
            update={"beside": (Beside(name="visitors", maximise=parse("bought"), unit="share"),)}
        ),
        "constraints": (Constraint(name="dear", mean=parse("price"), at_most=9.0, unit="EUR"),),
    }
    scenario = own.model_copy(update=changes)
    made = replace(small_run, scenario=scenario, simulator=replace(small_run.simulator, scenario=scenario))
    folder = tmp_path_factory.mktemp("weighed") / "run"
    keep(made, folder, lambda _: None)
    return dt.open_run(folder)


def test_a_front_is_told_and_drawn(weighed: dt.Run) -> None:
    told = json.loads(call("pareto", weighed.folder, "--points", 6, "--json"))
    assert told["objectives"] == {"objective": "maximise", "visitors": "maximise"}
    assert told["settings"] is None  # each row has its own
    worth, share = zip(*((line["objective"], line["visitors"]) for line in told["front"]), strict=True)
    assert list(worth) == sorted(worth, reverse=True)
    assert list(share) == sorted(share)
    assert len(worth) >= 4
    shown = call("pareto", weighed.folder, "--points", 4)
    assert "visitors ↑ share" in shown
    found = weighed.pareto(4)
    figure = figures.pareto(found)
    assert sorted(figure.data[0].x) == pytest.approx(sorted(found.values[:, 1]))
    assert figure.layout.xaxis.title.text == "visitors (share): more is better"


def test_what_a_target_takes_is_told(weighed: dt.Run) -> None:
    assert list(dt.efforts(weighed.scenario)) == ["dear", "change of price"]
    ready = dt.reaching(weighed, "bought", "change of price")
    ends = [float(point.bound or 0) for point in ready.curve(5).points]
    target = sum(ends) / len(ends)
    asked = ("--of", "bought", "--at-least", target, "--with", "change of price")
    told = json.loads(call("reach", weighed.folder, *asked, "--json"))
    found = ready.limits.at(target, upper=False)
    assert (told["with"], told["least"]) == ("change of price", pytest.approx(found.value.value))
    assert found.used == pytest.approx(target, abs=1e-3)
    assert sum(each["share"] for each in told["settings"]) <= 1 + 1e-9
    assert "one more unit of bought would take" in call("reach", weighed.folder, *asked)
    with pytest.raises(dt.UsageError, match="found no target, or two"):
        call("reach", weighed.folder, "--of", "bought")


def test_a_frontier_is_told_and_drawn(weighed: dt.Run) -> None:
    told = json.loads(call("frontier", weighed.folder, "--constraint", "dear", "--points", 5, "--json"))
    assert (told["constraint"], told["at_most"]) == ("dear", 9.0)
    bounds = [line["bound"] for line in told["frontier"]]
    assert bounds == sorted(bounds)
    assert all(line["used"] <= line["bound"] + 1e-5 for line in told["frontier"])
    assert "the scenario says at_most: 9" in call("frontier", weighed.folder, "--constraint", "dear", "--points", 3)
    figure = figures.frontier(weighed, weighed.frontier("dear", 3))
    assert figure.layout.xaxis.title.text == "dear, at most (EUR)"
    with pytest.raises(dt.UsageError, match="Did you mean 'dear'"):
        call("frontier", weighed.folder, "--constraint", "deer")


def test_further_objectives_are_simulated_and_recommended(weighed: dt.Run) -> None:
    assert set(weighed.simulate(price=8).estimates) == {"objective", "visitors", "bought"}
    assert "objective_visitors" in weighed.recommend(weighed.table).frame


def test_one_objective_has_no_front(small_run: dt.Run) -> None:
    with pytest.raises(dt.UsageError, match="one objective"):
        small_run.pareto()
