"""A bounded gap between groups is in force in a run, and in its folder when that is read back."""

from __future__ import annotations

from pathlib import Path

import drivetrain as dt


def test_a_bounded_gap_is_in_force(small_scenario: Path, tmp_path: Path):
    fair = "decide: {unit: segment, tree: 4}\nfairness: [{by: region, of: price, at_most: 1}]\n"
    text = small_scenario.read_text(encoding="utf-8").replace(
        "visitors.csv", str(small_scenario.parent / "visitors.csv")
    )
    (tmp_path / "fair.yaml").write_text(text + fair, encoding="utf-8")
    trained = dt.train(tmp_path / "fair.yaml", tmp_path / "run")
    (centre,) = trained.record["fairness"]["centres"]
    assert 5 <= centre <= 15
    assert len(trained.record["fairness"]["prices"]) > 1
    for run in (trained, dt.open_run(tmp_path / "run")):
        (bound,) = run.simulator.scenario.constraints
        assert (bound.by, bound.at_least, bound.at_most) == (("region",), centre - 0.5, centre + 0.5)
        assert run.scenario.constraints == ()
