"""The record of a run: all that is needed to tell later what was done, with what, and how well."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter

from drivetrain.assembly.result import Run
from drivetrain.decisions import Promise, Recommendations
from drivetrain.evidence import Evidence
from drivetrain.scenario import Scenario

FORMAT = 1
PACKAGES = ("drivetrain", "fastai", "numpy", "pandas", "scikit-learn", "scipy", "torch")


def record(
    trained: Run, evidence: Evidence | None, recommendations: Recommendations | None, spent: Mapping[str, float]
) -> dict[str, Any]:
    """What `record.json` will hold; plain JSON values only. `spent` is the time it took, by what it is called there."""
    scenario, table = trained.scenario, trained.table
    return {
        "format": FORMAT,
        "scenario": scenario.name,
        "scenario_sha256": hashlib.sha256(canonical(scenario).encode()).hexdigest(),
        "seed": scenario.seed,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        **{name: round(value, 1) for name, value in spent.items()},
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "data": {
            "source": table.source,
            "fingerprint": table.fingerprint,
            "rows": len(table),
            "sealed": len(table.test),
            "options": {name: list(values) for name, values in table.options.items()},
            "dropped": [{"reason": each.reason, "count": each.count} for each in table.dropped],
            "flags": [{"thing": each.thing, "found": each.found, "count": each.count} for each in table.flags],
        },
        "contest": trained.record["contest"],
        "fairness": trained.record.get("fairness"),
        "reserves": trained.record.get("reserves", {}),
        "guard": trained.record.get("guard"),
        "explanation": trained.record["explanation"],
        "evidence": None if evidence is None else TypeAdapter(Evidence).dump_python(evidence, mode="json"),
        "promise": None if recommendations is None else promise(recommendations.promise),
        "method": None if recommendations is None else recommendations.plan.method,
        "gap": None if recommendations is None else recommendations.plan.gap,
        "certificate": None if recommendations is None else _certificate(recommendations),
        "shadow_prices": {} if recommendations is None else dict(recommendations.plan.shadow_prices),
        "remarks": {} if recommendations is None else dict(recommendations.remarks),
        "test_openings": 0,
    }


def _certificate(recommendations: Recommendations) -> dict[str, Any] | None:
    found = recommendations.plan.certificate
    return None if found is None else asdict(found)


def promise(value: Promise) -> dict[str, Any]:
    """A promise as plain JSON values."""
    out: dict[str, Any] = TypeAdapter(Promise).dump_python(value, mode="json")
    return out


def canonical(scenario: Scenario) -> str:
    """A scenario as JSON, the same for the same declarations however the file was written."""
    return scenario.declared.model_dump_json(exclude_unset=True)
