"""Rows from a query: the same table as from a file, nothing else opened, and messages for what cannot be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from drivetrain import data
from drivetrain.data.databases import query_database
from drivetrain.data.queries import query_files
from drivetrain.errors import DataError, ScenarioError
from drivetrain.scenario import Scenario

Shop = Callable[..., Scenario]
ALL = "SELECT * FROM shop ORDER BY number"


@pytest.fixture
def numbered(frame: pd.DataFrame, tmp_path: Path) -> pd.DataFrame:
    made = frame.assign(number=range(len(frame)))
    made.to_csv(tmp_path / "numbered.csv", index=False)
    with sqlite3.connect(tmp_path / "shop.db") as base:
        made.to_sql("shop", base, index=False)
    return made


def test_files_and_databases_give_the_same_table_as_a_csv(shop: Shop, frame: pd.DataFrame, numbered: object) -> None:
    want = data.load(shop(frame)).fingerprint
    assert data.load(shop(data={"sql": ALL, "files": {"shop": "numbered.csv"}})).fingerprint == want
    assert data.load(shop(data={"sql": ALL, "database": "sqlite:///shop.db"})).fingerprint == want


def test_the_url_may_come_from_the_environment(
    shop: Shop, frame: pd.DataFrame, numbered: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = shop(data={"sql": ALL, "database": "${env:SHOP_DB}"})
    with pytest.raises(DataError, match=r"environment variable SHOP_DB.*it is not set"):
        data.load(scenario)
    monkeypatch.setenv("SHOP_DB", "no url")
    with pytest.raises(DataError, match="found no URL"):
        data.load(scenario)
    monkeypatch.setenv("SHOP_DB", f"sqlite:///{tmp_path}/shop.db")
    assert len(data.load(scenario)) == len(frame)


def test_files_are_joined(tmp_path: Path) -> None:
    pd.DataFrame({"who": [1, 2, 3], "paid": [9.5, None, 7.0]}).to_parquet(tmp_path / "bills.parquet")
    (tmp_path / "people.csv").write_text("who,town\n2,Bern\n1,Ulm\n")
    files = {"bills": tmp_path / "bills.parquet", "people": tmp_path / "people.csv"}
    frame = query_files("SELECT who, town, paid FROM bills JOIN people USING (who) ORDER BY who", files)
    assert frame.astype(object).where(frame.notna(), None).to_numpy().tolist() == [[1, "Ulm", 9.5], [2, "Bern", None]]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM read_csv('{other}') ORDER BY 1", "other.csv"),
        ("SELECT * FROM '{other}' ORDER BY 1", "other.csv"),
        ("COPY (SELECT 1 ORDER BY 1) TO '{other}'", "no SELECT"),
        ("SELECT 1; SELECT 2 ORDER BY 1", "found 2 statements"),
        ("SET enable_external_access = true --order by", "no SELECT"),
        ("SELECT nothing FROM shop ORDER BY 1", "nothing"),
        ("SELEC 1 ORDER BY 1", "syntax error"),
    ],
)
def test_a_query_over_files_opens_nothing_else(sql: str, told: str, numbered: object, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("secret\n1\n")
    with pytest.raises(DataError, match=told):
        query_files(sql.format(other=other), {"shop": tmp_path / "numbered.csv"})
    assert other.read_text() == "secret\n1\n"


def test_a_database_is_only_read(numbered: pd.DataFrame, tmp_path: Path) -> None:
    for sql in ("DELETE FROM shop", "DROP TABLE shop"):
        with pytest.raises(DataError, match="sqlite refuses it"):
            query_database(sql, "sqlite:///shop.db", tmp_path)
    assert len(query_database(ALL, "sqlite:///shop.db", tmp_path)) == len(numbered)
    with pytest.raises(DataError, match=r"no such column: colour"):
        query_database("SELECT colour FROM shop", "sqlite:///shop.db", tmp_path)
    found = query_database("SELECT 'a:b' AS text, number FROM shop WHERE number < 1", "sqlite:///shop.db", tmp_path)
    assert found.text.tolist() == ["a:b"]


@pytest.mark.parametrize("sql", ["VACUUM INTO '{new}'", "ATTACH '{new}' AS new", "SELECT 1; DELETE FROM shop"])
def test_an_sqlite_query_opens_no_other_file_and_is_one(sql: str, numbered: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="A query is one SELECT"):
        query_database(sql.format(new=tmp_path / "new.db"), "sqlite:///shop.db", tmp_path)
    assert not (tmp_path / "new.db").exists()
    assert len(query_database(ALL, "sqlite:///shop.db", tmp_path)) == len(numbered)


def test_files_of_sqlite_may_have_any_name(numbered: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "shop.db").rename(tmp_path / "a #1.db")
    assert len(query_database(ALL, "sqlite:///a #1.db", tmp_path)) == len(numbered)


@pytest.mark.parametrize(
    "sql",
    [
        "commit; delete from stock; commit; select 1 as a",
        "select 1 as a; commit; delete from stock; commit",
        "select 1; set transaction read write; delete from stock",
        "delete from stock returning number",
        "with gone as (delete from stock returning number) select * from gone",
        "select set_config('transaction_read_only', 'off', false) as a, nextval('counted')",
    ],
)
def test_nothing_is_written_in_a_real_postgresql(sql: str, postgres: str, tmp_path: Path) -> None:
    base = create_engine(postgres)
    pd.DataFrame({"number": [1, 2]}).to_sql("stock", base, index=False, if_exists="replace")
    with base.begin() as now:
        now.execute(text("create sequence if not exists counted"))
    with pytest.raises(DataError, match="postgresql refuses it"):
        query_database(sql, postgres, tmp_path)
    assert query_database("select * from stock order by 1", postgres, tmp_path).number.tolist() == [1, 2]
    base.dispose()


def test_a_real_postgresql(shop: Shop, frame: pd.DataFrame, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    base = create_engine(postgres)
    frame.assign(number=range(len(frame))).to_sql("stock", base, index=False, if_exists="replace")
    monkeypatch.setenv("SHOP_DB", postgres)
    scenario = shop(data={"sql": "SELECT * FROM stock ORDER BY number", "database": "${env:SHOP_DB}"})
    assert data.load(scenario).fingerprint == data.load(shop(frame)).fingerprint
    found = query_database("SELECT 'a:b%' AS text, 2::int AS n", "${env:SHOP_DB}", scenario.folder)
    assert found.to_dict("list") == {"text": ["a:b%"], "n": [2]}
    base.dispose()


def test_what_cannot_be_kept_from_writing_is_asked_only_when_that_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRIVETRAIN_READ_ONLY", raising=False)
    for url in (
        "mysql+pymysql://u:hunter2@h/db",
        "mssql+pyodbc://u:hunter2@h/db",
        "postgresql+pg8000://u:hunter2@h/db",
    ):
        with pytest.raises(DataError, match="cannot be kept from writing") as told:
            query_database(ALL, url, tmp_path)
        assert "hunter2" not in str(told.value)
    monkeypatch.setenv("DRIVETRAIN_READ_ONLY", "oracle, mysql")
    with pytest.raises(DataError, match=r"cannot be opened \(No module named 'pymysql'\)"):
        query_database(ALL, "mysql+pymysql://u@h/db", tmp_path)


def test_what_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"shop\.db does not exist"):
        query_database(ALL, "sqlite:///shop.db", tmp_path)
    assert not (tmp_path / "shop.db").exists()
    with pytest.raises(DataError) as told:
        query_files(ALL, {"a": tmp_path / "a.csv", "b": tmp_path / "b.xlsx"})
    assert "a.csv does not exist" in str(told.value)
    assert "'b.xlsx' is no .csv or .parquet file" in str(told.value)


@pytest.mark.parametrize(
    ("url", "told_as"),
    [
        ("postgresql+psycopg://ada:hunter2@127.0.0.1:1/shop?connect_timeout=2", r"ada:\*\*\*@.*cannot be opened"),
        (
            "postgresql+psycopg://127.0.0.1:1/shop?user=ada&password=hunter2&connect_timeout=2",
            r"password=\*\*\*.*cannot be opened",
        ),
    ],
)
def test_a_password_is_never_shown(url: str, told_as: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB", url)
    with pytest.raises(DataError, match=told_as) as told:
        query_database(ALL, "${env:SHOP_DB}", tmp_path)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"sql": "SELECT 1", "database": "sqlite:///a.db"}, "found no ORDER BY"),
        ({"sql": ALL}, "found neither files nor a database"),
        ({"sql": ALL, "files": {"shop": "a.csv"}, "database": "sqlite:///a.db"}, "found files and a database"),
        ({"csv": "a.csv", "files": {"shop": "a.csv"}}, "found files without a query"),
        ({"csv": "a.csv", "database": "sqlite:///a.db"}, "found database without a query"),
        ({"sql": ALL, "csv": "a.csv", "database": "sqlite:///a.db"}, "found it beside csv"),
        ({"sql": ALL, "database": "postgresql://ada:hunter2@host/shop"}, r"found a secret \(password\)"),
        ({"sql": ALL, "database": "postgresql://host/shop?user=ada&password=hunter2"}, r"found a secret \(password\)"),
        (
            {"sql": ALL, "database": "snowflake://ada@host/shop?Access_Token=hunter2"},
            r"found a secret \(Access_Token\)",
        ),
        (
            {"sql": ALL, "database": "mssql+pyodbc:///?odbc_connect=UID%3Dada%3BPWD%3Dhunter2"},
            r"found a secret \(odbc_connect\)",
        ),
        ({"sql": ALL, "database": "postgresql:/ada:hunter2@host"}, "found no URL"),
    ],
)
def test_flaws_of_a_query(declared: dict[str, object], told: str, shop: Shop) -> None:
    with pytest.raises(ScenarioError, match=told) as error:
        shop(data=declared)
    assert "hunter2" not in str(error.value)
