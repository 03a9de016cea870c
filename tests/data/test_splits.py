"""Folds: the same each time, apart from each other, and honest about groups and time."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from drivetrain.data.splits import SEALED, at_random, by_group, by_time, strata, stratified, together

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


@given(st.lists(st.integers(0, 4), max_size=300), folds, shares, st.integers(0, 9))
def test_every_part_gets_its_share_of_each_stratum(members: list[int], k: int, test: float, seed: int) -> None:
    stratum = np.array(members, dtype=np.int64)
    fold = stratified(stratum, k, test, generator(seed))
    assert (fold == stratified(stratum, k, test, generator(seed))).all()
    assert (fold == SEALED).sum() == round(test * len(members))
    for value in set(members):
        inside = fold[stratum == value]
        assert abs((inside == SEALED).sum() - test * len(inside)) <= 1
        assert np.ptp(np.bincount(inside[inside != SEALED], minlength=k)) <= 1


def test_a_rare_outcome_is_in_every_part() -> None:
    rare = np.r_[np.ones(10, dtype=np.int64), np.zeros(990, dtype=np.int64)]
    assert np.bincount(stratified(rare, 4, 0.2, generator())[:10] + 1, minlength=5).tolist() == [2, 2, 2, 2, 2]


def test_strata_are_values_or_tenths() -> None:
    assert strata(np.array([3.0, 1.0, np.nan, 3.0])).tolist() == [1, 0, -1, 1]
    assert strata(np.array(["b", None, "a"], dtype=object)).tolist() == [1, -1, 0]
    tenths = strata(np.r_[np.arange(1000.0), np.nan])
    assert tenths[-1] == -1
    np.testing.assert_allclose(np.bincount(tenths[:-1]), 100, atol=1)


@given(st.lists(st.integers(0, 30), max_size=200), folds, shares, st.integers(0, 9))
def test_copies_never_straddle_and_the_others_stay(members: list[int], k: int, test: float, seed: int) -> None:
    copies = np.array(members, dtype=np.int64)
    dealt = at_random(len(members), k, test, generator(seed))
    fold = together(dealt, copies)
    assert all(len(set(fold[copies == copy])) == 1 for copy in set(members))
    first = [members.index(copy) for copy in set(members)]
    assert (fold[first] == dealt[first]).all()
