"""Parts decided by processes of their own equal the whole decided by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from drivetrain import cluster
from drivetrain.assembly import Run
from drivetrain.errors import DataError, RefusedError
from drivetrain.scenario import Decide


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_parts_equal_the_whole(small_run: Run, tmp_path: Path, kind: str) -> None:
    frame = small_run.table.frame[list(small_run.scenario.inputs)].rename(columns=small_run.scenario.columns)
    rows, out = tmp_path / f"rows.{kind}", tmp_path / "out.parquet"
    frame.to_csv(rows, index=False) if kind == "csv" else frame.to_parquet(rows)
    assert small_run.folder is not None
    promise = cluster.recommend(small_run.folder, rows, out, workers=2, size=250)
    whole = small_run.recommend(rows)
    pd.testing.assert_frame_equal(pd.read_parquet(out), whole.frame, check_dtype=False, rtol=1e-5, atol=1e-6)
    assert promise.rows == len(frame)
    assert promise.total.value == pytest.approx(whole.promise.total.value, rel=1e-4)
    assert promise.total.error == pytest.approx(whole.promise.total.error, rel=1e-6)


def test_what_needs_all_rows_at_once_is_refused(small_run: Run) -> None:
    evidence = replace(small_run.judged, recommended="segment")
    scenario = small_run.scenario.model_copy(update={"decide": Decide(unit="segment", by=("region",))})
    with pytest.raises(RefusedError, match="each segment"):
        cluster._refuse_what_needs_all(replace(small_run, evidence=evidence, scenario=scenario))


def test_a_missing_file_is_named(small_run: Run, tmp_path: Path) -> None:
    assert small_run.folder is not None
    with pytest.raises(DataError, match=r"gone\.csv"):
        cluster.recommend(small_run.folder, tmp_path / "gone.csv", tmp_path / "out.csv")
