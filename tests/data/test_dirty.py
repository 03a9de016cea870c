"""One shop in every dress that files and frames come in: the same table, or a message; never a silent unknown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from drivetrain import data
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


def test_a_hundred_thousand_categories_keep_a_code_each(shop: Shop, frame: pd.DataFrame) -> None:
    many = frame.iloc[np.arange(100_000) % len(frame)].assign(town=[f"town {i}" for i in range(100_000)])
    codes, _, remarks = encoded(shop, many)
    assert len(np.unique(codes)) == 100_000
    assert not remarks


def test_a_text_that_tells_each_row_is_noted(shop: Shop, frame: pd.DataFrame) -> None:
    named = data.read_rows(shop(), frame.assign(town=[f"town {i}" for i in range(len(frame))]))
    assert [flag.count for flag in named.flags if "as names are" in flag.found] == [len(frame)]
    assert not any("as names are" in flag.found for flag in data.read_rows(shop(), frame).flags)
