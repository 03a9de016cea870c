"""The run folder: written whole, checked when read; the scenario, the rows, the models, the record, the actions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from drivetrain import modeler, scenario as scenarios
from drivetrain.assembly.record import FORMAT, canonical
from drivetrain.assembly.result import Run
from drivetrain.assembly.surprises import predictions
from drivetrain.data import Dropped, Remark, Table, alike, had
from drivetrain.decisions import Promise, Recommendations, atomic_folder, recover, slots, verify, write
from drivetrain.decisions.table import column_of, columns_of
from drivetrain.errors import DataError, DrivetrainError, Fault, path_of
from drivetrain.evidence import Evidence
from drivetrain.modeler import Progress
from drivetrain.optimizer import Certificate, Plan
from drivetrain.scenario import Scenario
from drivetrain.simulator import Kin, Simulator, Support

FORMATS = ("csv", "parquet", "json", "xlsx")


def keep(
    run: Run,
    out: str | Path | None,
    progress: Progress,
    finish: Callable[[Run, Path], None] = lambda _run, _folder: None,
) -> Run:
    """Write a run folder, whole or not at all, and say where it is; `finish` may add files before it is sealed."""
    if out is None:
        return run
    progress(f"writing {out}")
    with atomic_folder(out) as folder:
        (folder / "scenario.yaml").write_text(_yaml(run.scenario), encoding="utf-8")
        (folder / "record.json").write_text(json.dumps(run.record, indent=1), encoding="utf-8")
        (folder / "support.json").write_text(run.simulator.support.model_dump_json(), encoding="utf-8")
        _write_rows(run.table, folder / "rows.parquet")
        write(predictions(run), folder / "held_out.parquet")
        modeler.write(run.simulator.models, folder / "model")
        if run.recommendations is not None:
            for kind in FORMATS:
                write(run.recommendations.frame, folder / f"recommendations.{kind}")
        finish(run, folder)
    return replace(run, folder=Path(out))


def open_run(folder: str | Path) -> Run:
    """Read a run folder, after checking that every file is the one that was written.

    Args:
        folder: as `run` and `train` wrote it.

    Raises:
        DataError: it is not a run folder, or a file in it is missing, changed or of another version.
        UsageError: it is no path.
    """
    place = path_of("run folder", folder)
    recover(place)
    verify(place)
    try:
        record = json.loads((place / "record.json").read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise DataError(_unreadable(place, f"a record of format {record['format']}"))
        options = {name: tuple(values) for name, values in record["data"].get("options", {}).items()}
        scenario = scenarios.load(place / "scenario.yaml").resolved(options).reserved(record.get("reserves", {}))
        table = _read_rows(scenario, record, place / "rows.parquet")
        scenario = scenario.resolved({}, alike(scenario, table.frame))
        support = Support.model_validate_json((place / "support.json").read_text(encoding="utf-8"))
        evidence, recommendations = _decided(record, scenario, place)
    except DrivetrainError:
        raise
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(_unreadable(place, type(error).__name__)) from error
    centres = (record.get("fairness") or {}).get("centres", [])
    seen = had(scenario, table.training)
    kin = Kin.of(scenario, seen.frame, seen.settings)
    simulator = Simulator(scenario.fair(centres), modeler.read(place / "model"), support, kin)
    return Run(scenario, table, simulator, record, evidence, recommendations, place)


def _decided(record: dict[str, Any], scenario: Scenario, place: Path) -> tuple[Evidence | None, Recommendations | None]:
    if record["evidence"] is None:
        return None, None
    evidence = TypeAdapter(Evidence).validate_python(record["evidence"])
    frame = pd.read_parquet(place / "recommendations.parquet")
    told = record.get("certificate")
    certificate = None if told is None else TypeAdapter(Certificate).validate_python(told)
    several = slots.read(scenario, frame, column_of(next(iter(scenario.levers)))) if scenario.slots > 1 else None
    levers = {name: frame[columns_of(scenario, name)[0]] for name in scenario.levers}
    settings, prices = scenario.space.encode(pd.DataFrame(levers)), record["shadow_prices"]
    plan = Plan(settings, record["method"], prices, record["gap"], certificate, several)
    promise = TypeAdapter(Promise).validate_python(record["promise"])
    return evidence, Recommendations(frame, promise, evidence.recommended, plan, record["remarks"])


def _yaml(scenario: Scenario) -> str:
    """The scenario's own text, comments and all; where Python changed or made it, the declarations alone."""
    if scenario.text and canonical(scenarios.parse(scenario.text)) == canonical(scenario):
        return scenario.text
    out, yaml = StringIO(), YAML(typ="safe", pure=True)
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # levers are known by their order
    yaml.dump(json.loads(canonical(scenario)), out)
    return out.getvalue()


def _write_rows(table: Table, path: Path) -> None:
    extra: dict[str, NDArray[Any]] = {f"lever {i}": table.settings[:, i] for i in range(table.settings.shape[1])}
    extra |= {"row number": table.row, "fold number": table.fold}
    if table.propensity is not None:
        extra["propensity given"] = table.propensity
    if table.weight is not None:
        extra["weight given"] = table.weight
    if table.cluster is not None:
        extra["cluster number"] = table.cluster
    if table.time is not None:
        extra["time given"] = table.time
    write(pd.concat([table.frame, pd.DataFrame(extra)], axis=1), path)


def _read_rows(scenario: Scenario, record: dict[str, Any], path: Path) -> Table:
    stored = pd.read_parquet(path)
    levers = [f"lever {i}" for i in range(len(scenario.levers))]
    kept = [name for name in stored.columns if " " not in name]
    frame = stored[kept].astype({n: object for n in kept if not pd.api.types.is_numeric_dtype(stored[n].dtype)})
    told = record["data"]
    return Table(
        frame=_none_for_missing(frame),
        settings=stored[levers].to_numpy(dtype=np.float64),
        row=stored["row number"].to_numpy(),
        flags=tuple(Remark(**flag) for flag in told["flags"]),
        fingerprint=told["fingerprint"],
        source=told["source"],
        fold=stored["fold number"].to_numpy(),
        dropped=tuple(Dropped(**dropped) for dropped in told["dropped"]),
        options={name: scenario.options[name] for name in scenario.open},
        propensity=stored["propensity given"].to_numpy() if "propensity given" in stored else None,
        weight=stored["weight given"].to_numpy() if "weight given" in stored else None,
        cluster=stored["cluster number"].to_numpy() if "cluster number" in stored else None,
        time=stored["time given"].to_numpy() if "time given" in stored else None,
    )


def _none_for_missing(frame: pd.DataFrame) -> pd.DataFrame:
    texts = [name for name in frame.columns if frame[name].dtype == object]
    return frame.assign(**{name: frame[name].where(frame[name].notna(), None) for name in texts})


def _unreadable(place: Path, found: str) -> Fault:
    return Fault(
        str(place),
        f"found no readable run ({found})",
        "A run folder is written by drivetrain run",
        "Run the scenario again",
    )
