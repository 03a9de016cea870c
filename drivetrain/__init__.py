"""Drivetrain turns predictions into decisions: objective → levers → data → models → recommended actions.

    >>> import drivetrain as dt
    >>> run = dt.run("scenarios/cash_incentive.yaml")  # doctest: +SKIP

Everything public is reachable from here and loaded on first use, so that importing the package, `drivetrain --help`
and `drivetrain check` load neither torch nor fastai.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivetrain import figures, report
    from drivetrain.assembly import Response, Run, WhatIf, compare, evaluate, loop, open_run, run, steady, train
    from drivetrain.data import Rows, Table, read_rows
    from drivetrain.decisions import (
        DecisionLog,
        Promise,
        Recommendations,
        column_of,
        grounds,
        last_test,
        rounding,
        words,
        write,
    )
    from drivetrain.errors import (
        DataError,
        DrivetrainError,
        Fault,
        FormulaError,
        InfeasibleError,
        RefusedError,
        ScenarioError,
        UsageError,
    )
    from drivetrain.evidence import NAMES, Estimate, Evidence
    from drivetrain.scenario import LeverSpace, Scenario
    from drivetrain.scenario import load as load_scenario
    from drivetrain.scenario import parse as parse_scenario

_HOMES = {
    "drivetrain.assembly": (
        "Response",
        "Run",
        "WhatIf",
        "compare",
        "evaluate",
        "loop",
        "open_run",
        "run",
        "steady",
        "train",
    ),
    "drivetrain.data": ("Rows", "Table", "read_rows"),
    "drivetrain.decisions": ("DecisionLog", "Promise", "Recommendations", "column_of", "write"),
    "drivetrain.errors": (
        "DataError",
        "DrivetrainError",
        "Fault",
        "FormulaError",
        "InfeasibleError",
        "RefusedError",
        "ScenarioError",
        "UsageError",
    ),
    "drivetrain.evidence": ("NAMES", "Estimate", "Evidence"),
    "drivetrain.scenario": ("LeverSpace", "Scenario"),
}
_ROOMS = {
    "figures": "drivetrain.figures",
    "grounds": "drivetrain.decisions.grounds",
    "last_test": "drivetrain.decisions.last_test",
    "report": "drivetrain.report",
    "rounding": "drivetrain.decisions.rounding",
    "words": "drivetrain.decisions.words",
}
_WHERE = {name: (home, name) for home, names in _HOMES.items() for name in names}
_WHERE |= {f"{verb}_scenario": ("drivetrain.scenario", verb) for verb in ("load", "parse")}

__all__ = [
    "NAMES",
    "DataError",
    "DecisionLog",
    "DrivetrainError",
    "Estimate",
    "Evidence",
    "Fault",
    "FormulaError",
    "InfeasibleError",
    "LeverSpace",
    "Promise",
    "Recommendations",
    "RefusedError",
    "Response",
    "Rows",
    "Run",
    "Scenario",
    "ScenarioError",
    "Table",
    "UsageError",
    "WhatIf",
    "column_of",
    "compare",
    "evaluate",
    "figures",
    "grounds",
    "last_test",
    "load_scenario",
    "loop",
    "open_run",
    "parse_scenario",
    "read_rows",
    "report",
    "rounding",
    "run",
    "steady",
    "train",
    "words",
    "write",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its room when it is first asked for (PEP 562)."""
    if name in _ROOMS:
        return import_module(_ROOMS[name])
    if name not in _WHERE:
        raise AttributeError(f"module 'drivetrain' has no attribute {name!r}")
    home, real = _WHERE[name]
    return getattr(import_module(home), real)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
