"""Where the decision log is kept: five tables in SQLite or PostgreSQL, opened so that nothing written is ever lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
)
from sqlalchemy.exc import SQLAlchemyError

from drivetrain.errors import DataError, Fault, UsageError, path_of
from drivetrain.scenario.addresses import shown

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

ENVIRONMENT = "DRIVETRAIN_LOG"
"""The environment variable with the database's URL, such as postgresql+psycopg://user:password@host/name."""
FILE = "decisions.sqlite"

_READS: dict[str, Any] = {"reads": True, "postgresql_readonly": True}

_all = MetaData()


def _of(*, first: bool = False) -> Column[str]:
    """Which decision a line belongs to."""
    return Column("decision", String(64), ForeignKey("decisions.key"), primary_key=first, nullable=False, index=True)


DECISIONS = Table(
    "decisions",
    _all,
    Column("key", String(64), primary_key=True),
    Column("entered", String(32), nullable=False),
    Column("scenario", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("policy", String(32), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("total", Float(53), nullable=False),
    Column("total_error", Float(53), nullable=False),
    Column("expected", Float(53), nullable=False),
    Column("folder", Text, nullable=False),
)
SIGNATURES = Table(
    "signatures",
    _all,
    Column("number", Integer, primary_key=True),
    _of(),
    Column("verdict", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(32), nullable=False),
)
EXPORTS = Table(
    "exports",
    _all,
    Column("number", Integer, primary_key=True),
    _of(),
    Column("file", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("at", String(32), nullable=False),
)
ACTIONS = Table(
    "actions",
    _all,
    _of(first=True),
    Column("row", BigInteger, primary_key=True),
    Column("setting", Text, nullable=False),
    Column("expected", Float(53), nullable=False),
)
OUTCOMES = Table(
    "outcomes",
    _all,
    _of(first=True),
    Column("row", BigInteger, primary_key=True),
    Column("followed", Integer, nullable=False),
    Column("earned", Float(53), nullable=False),
    Column("at", String(32), nullable=False),
)


def connect(beside: str | Path | None = None) -> Engine:
    """The database of the decision log, its tables made where they are missing.

    Args:
        beside: the folder of the SQLite file `decisions.sqlite`, where the environment names no other database.

    Raises:
        UsageError: the environment's URL is none, or neither it nor a folder is given.
        DataError: the database cannot be reached or opened.
    """
    url = _url(beside)
    try:
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _durable)
            event.listen(engine, "begin", _at_once)
        with engine.connect().execution_options(**_READS) as connection:
            known = set(inspect(connection).get_table_names())
        if not known >= set(_all.tables):
            _all.create_all(engine)
    except (SQLAlchemyError, ImportError) as error:
        cure = 'Check the database; PostgreSQL needs: pip install "drivetrain[postgres]"'
        raise DataError(Fault(_shown(url), f"cannot be opened ({_why(error)})", cure=cure)) from None
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One look at the log, which waits for no writer and lets none wait.

    Raises:
        DataError: the database refuses.
    """
    try:
        with engine.connect().execution_options(**_READS) as connection:
            yield connection
    except SQLAlchemyError as error:
        raise DataError(Fault(_shown(engine.url), f"refuses ({_why(error)})", cure="Check the database")) from None


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction: all of it is on the disk when the block ends well, none of it otherwise.

    Raises:
        DataError: the database refuses.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise DataError(Fault(_shown(engine.url), f"refuses ({_why(error)})", cure="Check the database")) from None


def _url(beside: str | Path | None) -> URL:
    if given := os.environ.get(ENVIRONMENT):
        try:
            return make_url(given)
        except SQLAlchemyError:
            rule = "It is a database URL: sqlite:///decisions.sqlite, postgresql+psycopg://user:password@host/name"
            raise UsageError(Fault(ENVIRONMENT, "found no URL in this variable", rule)) from None
    if beside is None:
        raise UsageError(Fault("the decision log", "found no place for it", "", f"Set {ENVIRONMENT}, or name a folder"))
    return URL.create("sqlite", database=str(path_of("folder", beside).resolve() / FILE))


def _durable(connection: DBAPIConnection, _: Any) -> None:
    """Readers never wait, and what is committed survives a power cut; SQLAlchemy begins transactions itself."""
    connection.isolation_level = None
    for line in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 30000"):
        connection.execute(f"PRAGMA {line}")


def _at_once(connection: Connection) -> None:
    """A writer takes its turn before it reads, so that two of them never act on what the other is changing."""
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")


def _shown(url: URL) -> str:
    return f"the decision log {shown(url)}"


def _why(error: Exception) -> str:
    """The database's own first line; a URL with its password never stands in it."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).splitlines()[0][:160] if str(cause) else ''}"
