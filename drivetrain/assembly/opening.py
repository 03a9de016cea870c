"""Opening the sealed test: an explicit step, counted in the run's record before anything of it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from drivetrain.assembly.folder import open_run
from drivetrain.assembly.result import Run
from drivetrain.data.splits import SEALED
from drivetrain.decisions import seal, verify
from drivetrain.decisions.export import replacing
from drivetrain.errors import Fault, RefusedError, UsageError
from drivetrain.evidence import SealedTest, judge_sealed
from drivetrain.modeler import held_out
from drivetrain.modeler.scores import LOSS_NAMES


def evaluate(
    run: Run | str | Path,
    *,
    open_test: bool = False,
    finish: Callable[[Run, Path], None] = lambda _run, _folder: None,
) -> Run:
    """Value the recommended policy and its simpler rivals on the sealed rows.

    Args:
        run: a finished run, or its folder, whose record is written anew.
        open_test: must be True: each look at sealed rows makes them less of a test.
        finish: rewrites files of the folder, such as a report, before it is sealed again.

    Returns:
        The run with the opening in its record: see `Run.sealed_test`.

    Raises:
        RefusedError: `open_test` was not asked for.
        UsageError: the run was only trained, or sealed no rows.
        DataError: the folder is not a run's, or was changed.
    """
    known = run if isinstance(run, Run) else open_run(run)
    test = _judge(known, open_test=open_test)
    record = {**known.record, **_noted(known, test)}
    told = replace(known, record=record)
    if known.folder is not None:
        verify(known.folder)
        with replacing(known.folder / "record.json") as temporary:
            temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
        finish(told, known.folder)
        seal(known.folder)
    return told


def _judge(run: Run, *, open_test: bool) -> SealedTest:
    evidence, made = run.judged, run.recommendations
    sealed = run.table.fold == SEALED
    if sealed.sum() < 2 or made is None:
        cure = "Write data.split.test: 0.2, and run the scenario again"
        raise UsageError(Fault("the run", "it sealed no rows", "A last test needs rows that nobody has seen", cure))
    if not open_test:
        raise RefusedError(_closed(int(sealed.sum()), int(run.record.get("test_openings", 0))))
    chosen = made.plan.given
    return judge_sealed(run.simulator, run.table, evidence, chosen[sealed])


def _closed(rows: int, times: int) -> Fault:
    often = "never opened" if not times else f"opened {times} time{'' if times == 1 else 's'}"
    return Fault(
        "the sealed test",
        f"its {rows:,} rows are closed, {often}",
        "Rows are a last test only until someone has looked and chosen again: do it once, when all else is decided",
        "Use: drivetrain evaluate RUN --open-test (in Python: open_test=True)",
    )


def _noted(run: Run, test: SealedTest) -> dict[str, Any]:
    """What the record says of an opening: how often, when, and the last one's figures."""
    before = run.record.get("sealed_test") or {"opened": []}
    losses = held_out(run.scenario, run.simulator.models, run.table.test)
    return {
        "test_openings": int(run.record.get("test_openings", 0)) + 1,
        "sealed_test": {
            "opened": [*before["opened"], datetime.now(UTC).isoformat(timespec="seconds")],
            "judged": TypeAdapter(SealedTest).dump_python(test, mode="json"),
            "losses": {
                name: {
                    "loss_name": LOSS_NAMES[each.link.kind],
                    "rows": len(each.at),
                    "loss": each.loss() if len(each.at) else None,
                    "promised": _promised(run, name),
                }
                for name, each in losses.items()
            },
        },
    }


def _promised(run: Run, outcome: str) -> float:
    """The held-out loss of the chosen model, as the contest told it."""
    told = run.record["contest"][outcome]
    return float(next(entry["loss"] for entry in told["entries"] if entry["name"] == told["chosen"]))
