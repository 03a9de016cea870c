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
    from drivetrain import background, figures, report
    from drivetrain.assembly import (
        Limits,
        Logbook,
        Response,
        Run,
        WhatIf,
        alike,
        breaches,
        bridge,
        compare,
        contributions,
        dependence,
        efforts,
        evaluate,
        limitable,
        loop,
        margins,
        open_run,
        over_time,
        reachable,
        reaching,
        returns,
        rules,
        run,
        spending,
        spends,
        steady,
        surface,
        swings,
        train,
        usage,
    )
    from drivetrain.data import Rows, Table, decided, drafting, read_rows
    from drivetrain.data import load as load_data
    from drivetrain.decisions import (
        DecisionLog,
        Promise,
        Recommendations,
        bounded,
        column_of,
        columns_of,
        fairness,
        grounds,
        groups,
        last_test,
        reasons,
        replacing,
        rounding,
        what_ifs,
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
    from drivetrain.scenario import edited as edited_scenario
    from drivetrain.scenario import load as load_scenario
    from drivetrain.scenario import parse as parse_scenario

_HOMES = {
    "drivetrain.assembly": (
        "Limits",
        "Logbook",
        "Response",
        "Run",
        "WhatIf",
        "breaches",
        "bridge",
        "compare",
        "contributions",
        "dependence",
        "efforts",
        "evaluate",
        "limitable",
        "loop",
        "alike",
        "open_run",
        "over_time",
        "reachable",
        "reaching",
        "returns",
        "rules",
        "run",
        "spending",
        "steady",
        "surface",
        "swings",
        "train",
        "usage",
    ),
    "drivetrain.data": ("Rows", "Table", "read_rows"),
    "drivetrain.decisions": (
        "DecisionLog",
        "Promise",
        "Recommendations",
        "column_of",
        "columns_of",
        "replacing",
        "write",
    ),
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
    "background": "drivetrain.background",
    "bounded": "drivetrain.decisions.bounded",
    "decided": "drivetrain.data.decided",
    "drafting": "drivetrain.data.drafting",
    "fairness": "drivetrain.decisions.fairness",
    "what_ifs": "drivetrain.decisions.what_ifs",
    "figures": "drivetrain.figures",
    "grounds": "drivetrain.decisions.grounds",
    "groups": "drivetrain.decisions.groups",
    "last_test": "drivetrain.decisions.last_test",
    "margins": "drivetrain.assembly.margins",
    "reasons": "drivetrain.decisions.reasons",
    "report": "drivetrain.report",
    "rounding": "drivetrain.decisions.rounding",
    "spends": "drivetrain.assembly.spends",
    "words": "drivetrain.decisions.words",
}
_WHERE = {name: (home, name) for home, names in _HOMES.items() for name in names}
_WHERE["load_data"] = ("drivetrain.data", "load")
_WHERE["edited_scenario"] = ("drivetrain.scenario", "edited")
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
    "Limits",
    "Logbook",
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
    "alike",
    "background",
    "bounded",
    "breaches",
    "bridge",
    "column_of",
    "columns_of",
    "compare",
    "contributions",
    "decided",
    "dependence",
    "drafting",
    "edited_scenario",
    "efforts",
    "evaluate",
    "fairness",
    "figures",
    "grounds",
    "groups",
    "last_test",
    "limitable",
    "load_data",
    "load_scenario",
    "loop",
    "margins",
    "open_run",
    "over_time",
    "parse_scenario",
    "reachable",
    "reaching",
    "read_rows",
    "reasons",
    "replacing",
    "report",
    "returns",
    "rounding",
    "rules",
    "run",
    "spending",
    "spends",
    "steady",
    "surface",
    "swings",
    "train",
    "usage",
    "what_ifs",
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
