"""Folds: the same each time, apart from each other, and honest about groups and time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data.splits import SEALED, at_random, by_group, by_time

folds = st.integers(2, 20)
shares = st.floats(0, 0.5)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(0, 500), folds, shares, st.integers(0, 9))
def test_chance_deals_evenly_and_repeatably(rows: int, k: int, test: float, seed: int) -> None:
    fold = at_random(rows, k, test, generator(seed))
    assert (fold == at_random(rows, k, test, generator(seed))).all()
    sizes = np.bincount(fold + 1, minlength=k + 1)
    assert sizes[0] == round(test * rows)
    assert sizes.sum() == rows
    assert np.ptp(sizes[1:]) <= 1


def test_another_seed_deals_otherwise() -> None:
    assert (at_random(100, 5, 0.2, generator(1)) != at_random(100, 5, 0.2, generator(2))).any()


@given(st.lists(st.integers(0, 30), max_size=200), folds, shares)
def test_time_runs_through_the_folds_to_the_test(times: list[int], k: int, test: float) -> None:
    when = np.array(times)
    fold = by_time(when, k, test)
    order = np.where(fold == SEALED, k, fold)
    assert ((order >= 0) & (order <= k)).all()
    ranked = order[np.argsort(when, kind="stable")]
    assert (np.diff(ranked) >= 0).all()
    assert all(len(set(order[when == moment])) == 1 for moment in set(times)), "one moment lies in two parts"


def test_distinct_times_make_blocks_of_one_size() -> None:
    fold = by_time(np.arange(100)[::-1], 5, 0.2)
    assert np.bincount(fold + 1).tolist() == [20, 16, 16, 16, 16, 16]
    assert fold[:20].tolist() == [SEALED] * 20
    assert fold[-1] == 0


def test_no_test_part_where_none_is_asked_for() -> None:
    for fold in (
        at_random(50, 5, 0, generator()),
        by_time(np.arange(50), 5, 0),
        by_group(np.arange(50), 5, 0, generator()),
    ):
        assert SEALED not in fold


@given(st.lists(st.integers(0, 40), max_size=300), folds, shares, st.integers(0, 9))
def test_a_group_never_straddles(members: list[int], k: int, test: float, seed: int) -> None:
    groups = np.array(members, dtype=int)
    fold = by_group(groups, k, test, generator(seed))
    assert (fold == by_group(groups, k, test, generator(seed))).all()
    assert ((fold >= SEALED) & (fold < k)).all()
    assert all(len(set(fold[groups == group])) == 1 for group in set(members))


@pytest.mark.parametrize("sizes", [[1] * 1000, [10] * 100, list(range(1, 45))])
def test_groups_fill_the_parts_as_asked(sizes: list[int]) -> None:
    fold = by_group(np.repeat(np.arange(len(sizes)), sizes), 5, 0.2, generator())
    shares_of_rows = np.bincount(fold + 1) / sum(sizes)
    np.testing.assert_allclose(shares_of_rows, [0.2] + [0.16] * 5, atol=0.02)
