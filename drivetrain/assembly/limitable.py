"""What a limit can be drawn on: what a scenario bounds over all rows, and what it could bound."""

from __future__ import annotations

from drivetrain.scenario import Constraint, Scenario

FILLED = "slots_filled"
TRIED = "limit_tried"
"""The name of a constraint that no scenario declares."""


def limitable(scenario: Scenario) -> dict[str, Constraint]:
    """What a limit can be drawn on: declared totals and means; else the mean of cost, of levers and of outcomes.

    Args:
        scenario: what is declared.
    """
    known = {each.name: each for each in scenario.constraints if _plain(each)}
    if scenario.slots > 1 and scenario.space.do_nothing is not None:
        lever, text = next(iter(scenario.levers)), f"1 if {next(iter(scenario.levers))} != {_idle(scenario)!r} else 0"
        keys = {"name": FILLED, "mean": text, "at_most": 0.0, "unit": "slots per row"}
        known[f"slots filled by {lever}"] = Constraint.model_validate(keys)
    formulas = [("cost", "")] if scenario.cost is not None else []
    formulas += [(name, each.unit) for name, each in scenario.levers.items() if each.kind != "categorical"]
    formulas += [(name, each.unit) for name, each in scenario.outcomes.items() if each.kind != "categorical"]
    for text, unit in formulas:
        if text not in known:
            keys = {"name": TRIED, "mean": text, "at_most": 0.0, "unit": unit}
            known[text] = Constraint.model_validate(keys)
    return known


def _plain(constraint: Constraint) -> bool:
    """Whether it bounds a total or a mean of all rows."""
    return constraint.over in {"total", "mean"} and not constraint.by


def _idle(scenario: Scenario) -> str:
    """The option that leaves a slot empty."""
    return str(next(iter(scenario.levers.values())).settled)
