"""Rows that a query selects from files, with DuckDB; no other file can be opened, and none is written to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from drivetrain.errors import DataError, Fault

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_READERS = {".csv": "read_csv({}, sample_size = -1)", ".parquet": "read_parquet({})"}


def query_files(sql: str, files: Mapping[str, Path]) -> pd.DataFrame:
    """What a query selects from files, in an engine that can open nothing but these.

    Args:
        sql: one SELECT, in DuckDB's dialect.
        files: table in the query → its `.csv` or `.parquet` file.

    Raises:
        DataError: DuckDB is not installed, a file is missing or no table, or the query is refused.
    """
    try:
        import duckdb
    except ImportError as error:
        cure = 'pip install "drivetrain[sql]"'
        raise DataError(Fault("data.sql", "a query over files needs DuckDB", "", cure)) from error
    if faults := [fault for name, path in files.items() if (fault := _unreadable(name, path))]:
        raise DataError(*faults)
    with duckdb.connect() as engine:
        try:
            _open(engine, files)
            statements = engine.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise DataError(Fault("data.sql", _not_one(len(statements)), "A query is one SELECT"))
            table: Any = engine.sql(statements[0]).to_arrow_table()
        except duckdb.Error as error:
            cure = f"It may select from: {', '.join(files)}"
            raise DataError(Fault("data.sql", f"DuckDB refuses it ({_first_line(error)})", "", cure)) from error
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, integer_object_nulls=True, date_as_object=True)
    return frame


def _open(engine: DuckDBPyConnection, files: Mapping[str, Path]) -> None:
    """A view for each file, and from then on no way to anything else."""
    paths = ", ".join(_quoted(str(path.resolve())) for path in files.values())
    for line in (
        "SET threads = 1",
        "SET python_enable_replacements = false",
        f"SET allowed_paths = [{paths}]",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        engine.execute(line)
    for name, path in files.items():
        reader = _READERS[path.suffix.lower()].format(_quoted(str(path.resolve())))
        engine.execute(f'CREATE VIEW "{name}" AS SELECT * FROM {reader}')  # noqa: S608 - both parts are quoted


def _unreadable(name: str, path: Path) -> Fault | None:
    if path.suffix.lower() not in _READERS:
        return Fault(f"data.files.{name}", f"'{path.name}' is no .csv or .parquet file", "Queries read these two")
    if not path.is_file():
        return Fault(f"data.files.{name}", f"{path} does not exist", "", "Check the path and the folder")
    return None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _not_one(statements: int) -> str:
    return "found a statement that is no SELECT" if statements == 1 else f"found {statements} statements"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
