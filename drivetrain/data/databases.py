"""Rows that a query selects in a database, with SQLAlchemy; one that cannot be kept from writing is not asked."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from drivetrain.errors import DataError, Fault
from drivetrain.scenario.addresses import ENVIRONMENT, shown

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

CONFIRMED = "DRIVETRAIN_READ_ONLY"
"""The environment variable with the databases whose account may only read, which none of ours can enforce."""
_GUARDED = {"postgresql+psycopg", "sqlite+pysqlite"}


def query_database(sql: str, database: str, folder: Path) -> pd.DataFrame:
    """What a query selects in a database.

    PostgreSQL gets it as a server-side cursor in a read-only transaction: one SELECT, which the server itself checks.
    An SQLite file is opened to read, and no other beside it; its driver runs one statement. No other database is
    asked unless the environment variable `DRIVETRAIN_READ_ONLY` names it, as one whose account may only read.

    Args:
        sql: one SELECT, in the database's dialect.
        database: an SQLAlchemy URL, or `${env:NAME}`, the environment variable that holds it.
        folder: what the path of an SQLite file is relative to.

    Raises:
        DataError: the variable is not set, its value is no URL, the database cannot be kept from writing or cannot be
            reached, or it refuses the query.
    """
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError

    url = _reading(_url(database), folder)
    try:
        _require_guarded(url)
        engine = create_engine(url)
        connection = _guarded(engine.connect())
    except (SQLAlchemyError, ImportError) as error:
        cure = 'Check that it runs and its driver is installed; for PostgreSQL: pip install "drivetrain[postgres]"'
        raise DataError(Fault(_thing(url), f"cannot be opened ({_first_line(error)})", "", cure)) from None
    try:
        with connection:
            answer = connection.execute(text(sql.replace(":", r"\:")))
            return pd.DataFrame(answer.fetchall(), columns=[*answer.keys()])
    except SQLAlchemyError as error:
        found = f"{engine.dialect.name} refuses it ({_first_line(error)})"
        raise DataError(Fault("data.sql", found, "A query is one SELECT, and writes nothing")) from None
    finally:
        engine.dispose()


def _require_guarded(url: URL) -> None:
    """Raises: DataError: it could be written to, and nobody has said that its account may not."""
    kind = url.get_backend_name()
    if f"{kind}+{url.get_driver_name()}" in _GUARDED or kind in re.split(r"[\s,]+", os.environ.get(CONFIRMED, "")):
        return
    found = f"{kind} through {url.get_driver_name()} cannot be kept from writing"
    rule = "A query must not change what it reads; SQLite's own driver and PostgreSQL's psycopg see to it"
    cure = f"Use an account that may only read, and confirm it: {CONFIRMED}={kind}"
    if kind == "postgresql":
        cure = "Write postgresql+psycopg://, with the extra: pip install 'drivetrain[postgres]'"
    raise DataError(Fault(_thing(url), found, rule, cure))


def _guarded(connection: Connection) -> Connection:
    """The connection, on which nothing can be written and, in PostgreSQL, nothing but one SELECT is a statement."""
    if connection.dialect.name == "postgresql":
        return connection.execution_options(postgresql_readonly=True, stream_results=True)
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        raw.set_authorizer(lambda what, *_: sqlite3.SQLITE_DENY if what == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK)
    return connection


def _url(database: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    variable = ENVIRONMENT.match(database)
    thing = f"the environment variable {variable[1]} (data.database)" if variable else "data.database"
    given = os.environ.get(variable[1], "") if variable else database
    if not given:
        raise DataError(Fault(thing, "it is not set", "It holds the database's URL", "Set it and run again"))
    try:
        return make_url(given)
    except (SQLAlchemyError, ValueError):
        rule = "It is a database URL: sqlite:///shop.db, postgresql+psycopg://user:password@host/name"
        raise DataError(Fault(thing, "found no URL", rule)) from None


def _reading(url: URL, folder: Path) -> URL:
    """The URL as it is opened: an SQLite file must exist, and is opened to read."""
    if url.get_backend_name() != "sqlite":
        return url
    path = folder / (url.database or "")
    if not path.is_file():
        raise DataError(Fault("data.database", f"{path} does not exist", "", "Check the path and the folder"))
    return url.set(database=path.resolve().as_uri(), query={"mode": "ro", "uri": "true"})


def _thing(url: URL) -> str:
    return f"data.database ({shown(url)})"


def _first_line(error: Exception) -> str:
    """The engine's own first line; a URL with its password never stands in it."""
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0][:200] if str(cause) else type(cause).__name__
