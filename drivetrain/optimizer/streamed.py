"""Decisions for more rows than models' contexts of them fit in memory: run by run, where rows decide alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drivetrain.optimizer.choice import Plan, optimise
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator


def alone(scenario: Scenario) -> bool:
    """Whether what one row gets does not depend on which others are asked about."""
    return scenario.decide.unit == "row" and all(each.over == "each" for each in scenario.constraints)


def streamed(simulator: Simulator, frame: pd.DataFrame) -> Plan:
    """`optimise` for rows that decide alone: the same settings, and memory that does not grow but by them.

    Args:
        simulator: who is asked; its scenario's rows decide alone.
        frame: N rows, at least one, with the scenario's inputs as columns.

    Raises:
        DataError, InfeasibleError, RefusedError: as of `optimise`, rows counted within a run.
    """
    plans = [optimise(simulator, crowd, np.arange(len(crowd))) for _, crowd in simulator.crowds(frame)]
    method = max((plan.method for plan in plans), key=len)
    return Plan(np.concatenate([plan.settings for plan in plans]), method, gap=0.0)
