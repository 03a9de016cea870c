"""Rows that a query selects: over files with DuckDB, or in a database with SQLAlchemy. Neither is written to."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from drivetrain.errors import DataError, Fault

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import URL

_READERS = {".csv": "read_csv({}, sample_size = -1)", ".parquet": "read_parquet({})"}
_ENVIRONMENT = re.compile(r"^\$\{env:(\w+)\}$")


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


def query_database(sql: str, database: str, folder: Path) -> pd.DataFrame:
    """What a query selects in a database, within a transaction that only reads and is never committed.

    Args:
        sql: one SELECT, in the database's dialect.
        database: an SQLAlchemy URL, or `${env:NAME}`, the environment variable that holds it.
        folder: what the path of an SQLite file is relative to.

    Raises:
        DataError: the variable is not set, its value is no URL, the database cannot be reached, or refuses the query.
    """
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError

    url = _reading(_url(database), folder)
    thing = f"data.database ({url.render_as_string(hide_password=True)})"
    try:
        engine = create_engine(url)
        reading = engine.connect().execution_options(postgresql_readonly=True)
    except (SQLAlchemyError, ImportError) as error:
        cure = 'Check that it runs and its driver is installed; for PostgreSQL: pip install "drivetrain[postgres]"'
        raise DataError(Fault(thing, f"cannot be opened ({_first_line(error)})", "", cure)) from None
    try:
        with reading:
            answer = reading.execute(text(sql.replace(":", r"\:")))
            return pd.DataFrame(answer.fetchall(), columns=[*answer.keys()])
    except SQLAlchemyError as error:
        raise DataError(Fault("data.sql", f"{engine.dialect.name} refuses it ({_first_line(error)})")) from None
    finally:
        engine.dispose()


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


def _url(database: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    variable = _ENVIRONMENT.match(database)
    thing = f"the environment variable {variable[1]} (data.database)" if variable else "data.database"
    given = os.environ.get(variable[1], "") if variable else database
    if not given:
        raise DataError(Fault(thing, "it is not set", "It holds the database's URL", "Set it and run again"))
    try:
        return make_url(given)
    except SQLAlchemyError:
        rule = "It is a database URL: sqlite:///shop.db, postgresql+psycopg://user:password@host/name"
        raise DataError(Fault(thing, "found no URL", rule)) from None


def _reading(url: URL, folder: Path) -> URL:
    """The URL as it is opened: an SQLite file must exist, and is opened to read."""
    if url.get_backend_name() != "sqlite":
        return url
    path = folder / (url.database or "")
    if not path.is_file():
        raise DataError(Fault("data.database", f"{path} does not exist", "", "Check the path and the folder"))
    return url.set(database=f"file:{path.resolve()}", query={"mode": "ro", "uri": "true"})


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _not_one(statements: int) -> str:
    return "found a statement that is no SELECT" if statements == 1 else f"found {statements} statements"


def _first_line(error: Exception) -> str:
    """The engine's own first line; a URL with its password never stands in it."""
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0][:200] if str(cause) else type(cause).__name__
