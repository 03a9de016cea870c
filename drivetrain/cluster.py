"""Decide for more rows than fit in memory at once: the file in parts, each by a process of its own, in order.

Every process opens the run once. The parts come back as one file with one line a row, equal to what one process would
have written; the promise of the whole is the sum of the parts'.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow.parquet

from drivetrain.assembly import Run, open_run
from drivetrain.data.delimited import separator
from drivetrain.decisions import Promise, write
from drivetrain.errors import DataError, Fault, RefusedError

ROWS_AT_ONCE = 100_000

_run: Run | None = None


def recommend(
    folder: str | Path, rows: str | Path, out: str | Path, *, workers: int = 2, size: int = ROWS_AT_ONCE
) -> Promise:
    """Decide for the rows of a file, in parts, and write one line a row.

    Args:
        folder: a run folder.
        rows: a CSV or Parquet file with the data's columns.
        out: the file to write: `.csv`, `.parquet`, `.json` or `.xlsx`.
        workers: processes.
        size: rows in a part.

    Raises:
        RefusedError: a decision needs all rows at once: a constraint over their total, segments, or one for all.
        DataError: what is wrong with a part, its rows numbered within the part.
    """
    _refuse_what_needs_all(open_run(folder))
    with TemporaryDirectory(prefix="drivetrain-") as place:
        parts = list(_split(Path(rows), Path(place), size))
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_open, initargs=(str(folder),)) as pool:
            done = list(pool.map(partial(_decide, size=size), range(len(parts)), parts))
        write(pd.concat([pd.read_parquet(path) for path, _ in done], ignore_index=True), out)
    return Promise.together([promise for _, promise in done])


def _refuse_what_needs_all(run: Run) -> None:
    totals = [constraint.name for constraint in run.scenario.constraints if constraint.over != "each"]
    unit = run.scenario.decide.unit if run.judged.recommended in {"segment", "row"} else "row"
    reasons = [f"the constraint {name} holds over all rows" for name in totals]
    reasons += [f"rows share the lever {name}" for name in run.scenario.decide.shared]
    reasons += [f"one decision is made for each {unit}"] if unit != "row" else []
    if reasons:
        cure = "Leave out --workers, so that all rows are decided together"
        raise RefusedError(Fault("rows in parts", reasons[0], "Parts are decided without knowing of each other", cure))


def _split(rows: Path, place: Path, size: int) -> Iterator[Path]:
    """The file's rows as files of `size` rows, of the same format; cells of a CSV stay text."""
    if not rows.is_file():
        raise DataError(Fault(str(rows), "the file does not exist", cure="Name a .csv or .parquet file of rows"))
    if rows.suffix.lower() == ".parquet":
        with pyarrow.parquet.ParquetFile(rows) as source:
            for number, batch in enumerate(source.iter_batches(size)):
                path = place / f"{number}.parquet"
                with pyarrow.parquet.ParquetWriter(path, batch.schema) as sink:
                    sink.write_batch(batch)
                yield path
        return
    mark = separator(rows)
    for number, part in enumerate(pd.read_csv(rows, sep=mark, dtype=str, keep_default_na=False, chunksize=size)):
        path = place / f"{number}{rows.suffix}"
        part.to_csv(path, sep=mark, index=False)
        yield path


def _open(folder: str) -> None:
    global _run  # a process opens its run once, for all its parts
    _run = open_run(folder)


def _decide(number: int, part: Path, size: int) -> tuple[Path, Promise]:
    if _run is None:
        raise RuntimeError("the process did not open its run")
    recommendations = _run.recommend(part)
    out = part.with_name(f"{number} decided.parquet")
    write(recommendations.frame.assign(row=recommendations.frame["row"] + number * size), out)
    return out, recommendations.promise
