"""One shop in every dress that files and frames come in: the same table, or a message; never a silent unknown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import drivetrain as dt
from drivetrain import data
from drivetrain.data.drafting import Answers, draft, guess
from drivetrain.errors import DataError
from drivetrain.modeler import InputEncoder
from drivetrain.scenario import Scenario

Shop = Callable[..., Scenario]
Dress = Callable[[pd.DataFrame], pd.DataFrame]
KINDS = {"age": "numeric", "town": "categorical", "member": "yes_no"}

DRESSES: dict[str, Dress] = {
    "numbers as text": lambda f: f.assign(age=f.age.astype(str), bought=f.bought.astype(str)),
    "numbers as text with blanks": lambda f: f.assign(age=" " + f.age.astype(str) + " "),
    "pandas categories": lambda f: f.assign(town=f.town.astype("category"), age=f.age.astype("category")),
    "categories in another order": lambda f: f.assign(town=pd.Categorical(f.town, ["Ulm", "Köln", "unused", "Bonn"])),
    "nullable": lambda f: f.convert_dtypes(),
    "Arrow": lambda f: f.astype({"age": pd.ArrowDtype(pa.int32()), "town": pd.ArrowDtype(pa.large_string())}),
    "Arrow dictionaries": lambda f: f.assign(town=f.town.astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))),
    "Decimals": lambda f: f.assign(age=[Decimal(int(age)) for age in f.age]),
    "32-bit": lambda f: f.assign(age=f.age.astype(np.float32), bought=f.bought.astype(np.int8)),
    "booleans": lambda f: f.assign(member=f.member == "yes", bought=f.bought == 1),
    "booleans as text": lambda f: f.assign(member=np.where(f.member == "yes", "TRUE", "false")),
    "booleans as numbers": lambda f: f.assign(member=np.where(f.member == "yes", 1.0, 0.0)),
    "mixed objects": lambda f: f.assign(age=[int(a) if i % 2 else str(a) for i, a in enumerate(f.age)]),
}


def encoded(shop: Shop, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    rows = data.read_rows(shop(), frame).frame
    out = InputEncoder.fit(rows, KINDS).encode(rows)
    return out.codes.numpy(), out.numbers.numpy(), dict(out.remarks)


@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_rows_in_another_dress(dress: str, shop: Shop, frame: pd.DataFrame) -> None:
    plain, other = encoded(shop, frame), encoded(shop, DRESSES[dress](frame.copy()))
    np.testing.assert_array_equal(other[0], plain[0])
    np.testing.assert_allclose(other[1], plain[1], rtol=1e-6)
    assert (other[0] > 0).all()  # nothing was taken for unknown
    assert not other[2]


def test_infinities_are_missing_and_counted(shop: Shop, frame: pd.DataFrame) -> None:
    rows = data.read_rows(shop(), frame.assign(age=[np.inf, -np.inf, *frame.age[2:]]))
    assert rows.frame.age.isna().tolist() == [True, True, *[False] * 398]
    assert any("infinite" in flag.found and flag.count == 2 for flag in rows.flags)


def test_mixed_dates_are_told_and_not_guessed(shop: Shop, frame: pd.DataFrame) -> None:
    mixed = ["2026-01-31", "1/31/2026", "Jan 31, 2026", *["2026-02-01"] * 397]
    with pytest.raises(DataError, match=r"'age' \(input\).*row 1 holds '2026-01-31'"):
        data.read_rows(shop(), frame.assign(age=mixed))
    by_time = {"data": {"csv": "shop.csv", "split": {"by": "time", "column": "week"}}}
    with pytest.raises(DataError, match=r"row 2 holds '1/31/2026' \(and 1 more row\).*Write times like 2026-01-31"):
        data.load(shop(frame.assign(week=mixed), **by_time))


def test_no_rows_are_told(shop: Shop, frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no rows"):
        data.read_rows(shop(), frame.iloc[:0])
    with pytest.raises(DataError, match=r"shop.csv: it has columns and no rows. Add the rows to learn from"):
        data.load(shop(frame.iloc[:0]))


def test_a_constant_column_is_noted_and_harmless(shop: Shop, frame: pd.DataFrame) -> None:
    rows = data.read_rows(shop(), frame.assign(age=30, town="Ulm"))
    assert sum("every row holds the same value" in flag.found for flag in rows.flags) == 2
    out = InputEncoder.fit(rows.frame, KINDS).encode(rows.frame)
    assert bool(np.isfinite(out.numbers.numpy()).all())


@pytest.mark.parametrize("known", [True, False])
def test_a_run_whose_inputs_say_nothing(known: bool, shop: Shop, frame: pd.DataFrame) -> None:
    same = {"age": 30, "town": "Ulm", "member": "yes"} if known else dict.fromkeys(["age", "town", "member"])
    scenario = shop(
        frame.assign(**same, bought=frame.index % 2, items=(frame.index == 3).astype(int)),
        model={"kinds": ["joint", "boosting"], "epochs": 1},
        outcomes={"bought": {"kind": "binary"}, "items": {"kind": "count"}},
        assignment={"negative_controls": ["age"]},
    )
    done = dt.run(scenario)
    assert sum(("same value" if known else "missing") in flag.found for flag in done.table.flags) == 3
    assert np.isfinite([each.estimate.value for each in done.judged.policies]).all()


def test_a_hundred_thousand_categories_keep_a_code_each(shop: Shop, frame: pd.DataFrame) -> None:
    many = frame.iloc[np.arange(100_000) % len(frame)].assign(town=[f"town {i}" for i in range(100_000)])
    codes, _, remarks = encoded(shop, many)
    assert len(np.unique(codes)) == 100_000
    assert not remarks


def test_a_text_that_tells_each_row_is_noted(shop: Shop, frame: pd.DataFrame) -> None:
    named = data.read_rows(shop(), frame.assign(town=[f"town {i}" for i in range(len(frame))]))
    assert [flag.count for flag in named.flags if "as names are" in flag.found] == [len(frame)]
    assert not any("as names are" in flag.found for flag in data.read_rows(shop(), frame).flags)


def test_texts_and_numbers_that_stand_for_missing_are_named(shop: Shop, frame: pd.DataFrame) -> None:
    ages = ["?", " - ", "-999", "-999.0", *frame.age[4:].astype(str)]
    with pytest.raises(DataError, match=r"holds '\?'.*say data: \{missing: \['\?', '-'\]\}"):
        data.load(shop(frame.assign(age=ages)))
    said = {"data": {"csv": "shop.csv", "missing": ["?", "-", -999]}}
    table = data.load(shop(frame.assign(age=[*ages[:3], "20", *ages[4:]]), **said))
    assert table.frame.age.isna().tolist() == [True] * 3 + [False] * 397
    assert "column 'age': '-', '-999', '?' read as missing, as data.missing says (3 rows)" in map(str, table.flags)
    typed = data.read_rows(shop(**said), frame.assign(age=[-999, *frame.age[1:]]))
    assert typed.frame.age.isna().tolist() == [True] + [False] * 399
    with pytest.raises(DataError, match=r"row 2 holds 9007199254740993.*stored as float64"):
        data.read_rows(shop(**said), frame.assign(age=[-999, 2**53 + 1, *frame.age[2:]]))


def test_spreadsheet_errors_are_missing_and_counted(shop: Shop, frame: pd.DataFrame) -> None:
    rows = data.read_rows(
        shop(), frame.assign(age=["#DIV/0!", "#REF!", *frame.age[2:]], town=["#N/A", *frame.town[1:]])
    )
    assert rows.frame.age.isna().sum() == 2
    assert {"text '#DIV/0!' read as missing", "text '#N/A' read as missing"} <= {flag.found for flag in rows.flags}


def test_what_looks_like_a_slip_is_noted(shop: Shop, frame: pd.DataFrame) -> None:
    odd = frame.assign(age=[-999, -999, *frame.age[2:]], town=["ulm", "Ulm ", *frame.town[2:]])
    found = {flag.found: flag.count for flag in data.read_rows(shop(), odd).flags}
    assert (
        found["-999 lies far from all other values; if it stands for a missing value, say data: {missing: [-999]}"] == 2
    )
    assert sum(count for what, count in found.items() if "capitals or spaces" in what) == 2
    sound = [flag.found for flag in data.read_rows(shop(), frame).flags]
    assert not [each for each in sound if "far from" in each or "capitals" in each]


def test_no_usable_row_is_one_fault_with_its_reason(shop: Shop, frame: pd.DataFrame) -> None:
    with pytest.raises(DataError) as told:
        data.load(shop(frame.assign(list_price=np.nan)))
    (fault,) = told.value.faults
    assert fault.found == "all rows were left out because lever 'price' is missing (400 rows)"


def test_few_rows_are_told_what_they_suffice_for(shop: Shop, frame: pd.DataFrame) -> None:
    few = frame.assign(bought=1 - frame.index % 2, items=2 - frame.index // 2 % 2)[:44]
    with pytest.raises(DataError, match=r"or say data: \{split: \{folds: 4, test: 0\}\}"):
        data.load(shop(few))
    assert len(data.load(shop(few, data={"csv": "shop.csv", "split": {"folds": 4, "test": 0}}))) == 44


def test_lines_above_the_names_are_told(shop: Shop, frame: pd.DataFrame, tmp_path: Path) -> None:
    text = frame.to_csv(index=False)
    for above in ("Sales report 2026" + "," * 10, "sep=,"):
        (tmp_path / "shop.csv").write_text(f"{above}\n{text}")
        with pytest.raises(DataError, match="Remove what stands above the names"):
            data.load(shop())
    (tmp_path / "shop.csv").write_text(text.replace("\n", ",,\n"))
    with pytest.raises(DataError, match=r"2 of 13 columns have no name"):
        data.load(shop())


def test_a_draft_names_the_texts_that_stand_for_missing(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    frame.assign(age=["-", *frame.age[1:]], town=["?", *frame.town[1:]]).to_csv(path, index=False)
    text = draft(path, guess(path), Answers(), relative_to=tmp_path)
    assert 'data: {csv: shop.csv, missing: ["-"]}' in text
    assert "age: {kind: numeric}" in text
