"""What a run's models rely on, each part from the room that knows it."""

from __future__ import annotations

from typing import Any

from drivetrain import modeler
from drivetrain.data import Table
from drivetrain.simulator import Simulator, interplay


def explained(simulator: Simulator, table: Table) -> dict[str, Any]:
    """`outcomes` and `interplay`, as the record keeps them; plain JSON values.

    Args:
        simulator: all members.
        table: training rows.
    """
    scenario = simulator.scenario
    return {
        "outcomes": modeler.explained(scenario, simulator.models, table),
        "interplay": interplay(simulator, table.frame, table.settings, scenario.seed),
    }
