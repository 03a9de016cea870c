"""Leaks: twins of levers and outcomes are refused, strong inputs that are honest are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from drivetrain import data, scenario as language
from drivetrain.data.leaks import _fixes
from drivetrain.errors import DataError
from drivetrain.scenario import Scenario

Shop = Callable[..., Scenario]
ROOT = Path(__file__).parents[2]
N = 400
DRAW = np.random.default_rng(3)


def load(shop: Shop, frame: pd.DataFrame, values: Any, kind: str, **more: Any) -> data.Table:
    inputs = {"age": {"kind": "numeric"}, "hint": {"kind": kind, **more}}
    return data.load(shop(frame.assign(hint=values), inputs=inputs))


def refused(shop: Shop, frame: pd.DataFrame, values: Any, kind: str) -> str:
    with pytest.raises(DataError) as caught:
        load(shop, frame, values, kind)
    assert caught.value.exit_code == 3
    assert "known_before: true under inputs.hint" in str(caught.value)
    assert load(shop, frame, values, kind, known_before=True).frame["hint"].notna().any()
    return str(caught.value)


LEAKS: dict[str, tuple[Callable[[pd.DataFrame], Any], str, str]] = {
    "the outcome itself": (lambda f: f["bought"], "yes_no", "it equals outcome 'bought'"),
    "the outcome, turned": (lambda f: 1 - f["bought"], "yes_no", "it goes one-to-one with outcome 'bought'"),
    "the outcome as text": (lambda f: np.where(f["bought"], "sold", "kept"), "categorical", "one-to-one with outcome"),
    "a number that tells it": (
        lambda f: f["bought"] + DRAW.uniform(0, 0.9, N),
        "numeric",
        "(AUC 1.0000) it tells outcome 'bought'",
    ),
    "one that tells it downwards": (lambda f: DRAW.normal(0, 1, N) - 9 * f["bought"], "numeric", "(AUC 1.0000)"),
    "a date of delivery": (
        lambda f: pd.Series(DRAW.normal(0, 1, N)).where(f["bought"] == 1),
        "numeric",
        "missing exactly as told by outcome",
    ),
    "finer than the outcome": (
        lambda f: np.where(f["bought"], DRAW.choice(["card", "cash"], N), DRAW.choice(["none", "later"], N)),
        "categorical",
        "each of its values goes with only one value of outcome 'bought'",
    ),
    "coarser than the outcome": (
        lambda f: f["mood_of_five"].isin(["a", "b"]),
        "yes_no",
        "it follows from outcome 'mood'",
    ),
    "the lever itself": (lambda f: f["list_price"], "numeric", "it equals lever 'price'"),
    "the lever in cents, rounded": (lambda f: f["list_price"] * 100 // 7, "numeric", "lever 'price'"),
    "the lever as code": (
        lambda f: f["channel"].map({"mail": "m", "sms": "s", "NA": "x"}),
        "categorical",
        "lever 'channel'",
    ),
}


@pytest.mark.parametrize("case", LEAKS)
def test_a_leak_is_refused_unless_vouched_for(shop: Shop, frame: pd.DataFrame, case: str) -> None:
    make, kind, message = LEAKS[case]
    frame = frame.assign(mood_of_five=DRAW.choice(list("abcde"), N))
    changes: dict[str, Any] = {}
    if "mood" in message:
        changes = {
            "outcomes": {"mood": {"kind": "categorical", "column": "mood_of_five"}},
            "objective": {"maximise": "price"},
        }

    def build(rows: pd.DataFrame, **more: Any) -> Scenario:
        return shop(rows, **{**changes, **more})

    assert message in refused(build, frame, make(frame), kind)


def test_a_numeric_outcome_told_by_rank(shop: Shop, frame: pd.DataFrame) -> None:
    paid = DRAW.lognormal(3, 1, N)
    changes = {"outcomes": {"paid": {"kind": "numeric"}}, "objective": {"maximise": "price * paid"}}

    def build(rows: pd.DataFrame, **more: Any) -> Scenario:
        return shop(rows.assign(paid=paid), **{**changes, **more})

    assert "(rank correlation 1.0000) like outcome 'paid'" in refused(build, frame, np.log(paid), "numeric")
    assert "(rank correlation -1.0000)" in refused(build, frame, 1 / paid, "numeric")
    load(build, frame, np.log(paid) + DRAW.normal(0, 0.1, N), "numeric")  # 0.99: strong, and honest


HONEST: dict[str, tuple[Callable[[pd.DataFrame], Any], str]] = {
    "a strong number": (lambda f: f["bought"] + DRAW.normal(0, 0.35, N), "numeric"),
    "a strong category": (
        lambda f: np.where(f["bought"] ^ (DRAW.random(N) < 0.02), "likely", "unlikely"),
        "categorical",
    ),
    "a name for each row": (lambda _: [f"id{i}" for i in range(N)], "categorical"),
    "a number for each row": (lambda _: np.arange(N), "numeric"),
    "households of three": (lambda _: [f"h{i // 3}" for i in range(N)], "categorical"),
    "gaps by chance": (lambda _: pd.Series(DRAW.normal(0, 1, N)).where(DRAW.random(N) < 0.5), "numeric"),
    "nearly always missing": (lambda f: pd.Series(f["bought"]).where(f.index < 15), "numeric"),
    "a constant": (lambda _: np.full(N, 3), "numeric"),
    "last year's price": (lambda f: f["list_price"] + DRAW.normal(0, 1, N), "numeric"),
}


@pytest.mark.parametrize("case", HONEST)
def test_a_strong_input_is_no_leak(shop: Shop, frame: pd.DataFrame, case: str) -> None:
    make, kind = HONEST[case]
    assert len(load(shop, frame, make(frame), kind)) == N


def test_a_constant_is_remarked(shop: Shop, frame: pd.DataFrame) -> None:
    assert any("every row holds the same value" in str(flag) for flag in load(shop, frame, 3, "numeric").flags)


def test_copies_of_rows_prove_nothing(shop: Shop, frame: pd.DataFrame) -> None:
    doubled = pd.concat([frame.assign(income=DRAW.normal(0, 1, N))] * 20)
    assert len(load(shop, doubled, doubled["income"].to_numpy(), "numeric")) == 20 * N


def test_many_rows_are_sampled_first(shop: Shop, frame: pd.DataFrame) -> None:
    many = pd.concat([frame] * 60, ignore_index=True)
    many["age"] = DRAW.normal(40, 10, len(many))
    late = many["bought"] ^ (DRAW.random(len(many)) < 0.002)
    assert len(load(shop, many, late, "yes_no")) == 60 * N
    with pytest.raises(DataError, match="it equals outcome 'bought'"):
        load(shop, many, many["bought"], "yes_no")


def test_what_only_repeats_a_lever_is_remarked() -> None:
    text = (ROOT / "scenarios/cash_incentive.yaml").read_text(encoding="utf-8")
    told = language.parse(text.replace("  age: {", "  paid: {column: any, kind: yes_no}\n  age: {"))
    assert [str(flag) for flag in data.load(told).flags if "follows" in str(flag)] == [
        "column 'any' (input 'paid'): follows from lever 'incentive', one value for each setting (2,824 rows)"
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.floats(0.02, 0.5))
def test_columns_that_have_nothing_to_do_with_each_other_never_fix(seed: int, values: int, share: float) -> None:
    draw = np.random.default_rng(seed)
    a = pd.factorize(draw.integers(0, values, 200))[0]
    b = pd.factorize(draw.random(200) < share)[0]
    assert not _fixes(a, b)
