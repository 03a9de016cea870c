"""The encoder: explicit vocabularies, no silent code, settings as features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from drivetrain.modeler import InputEncoder, stands_apart
from drivetrain.modeler.settings import KNOTS, SettingColumn, SettingEncoder

KINDS = {"town": "categorical", "age": "numeric", "member": "yes_no"}
TRAINED = pd.DataFrame(
    {"town": ["Ulm", "Bonn", None, "Ulm"], "age": [20.0, 40.0, np.nan, 60.0], "member": [1.0, 0, 0, 1]}
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=4)
numbers = st.floats(-1e300, 1e300)


def test_codes_are_places_in_the_sorted_vocabulary_and_0_is_unknown() -> None:
    encoder = InputEncoder.fit(TRAINED, KINDS)
    rows = encoder.encode(TRAINED.assign(town=["Bonn", "Ulm", "ulm", None]))
    assert encoder.vocabularies == {"town": ("Bonn", "Ulm")}
    assert encoder.sizes == [3]
    assert rows.codes[:, 0].tolist() == [1, 2, 0, 0]
    assert rows.remarks["town: unseen category"].tolist() == [False, False, True, False]
    assert rows.remarks["town: missing"].tolist() == [False, False, False, True]


def test_numbers_are_standardised_clamped_to_the_range_seen_and_flagged() -> None:
    encoder = InputEncoder.fit(TRAINED, KINDS)
    rows = encoder.encode(TRAINED.assign(age=[40.0, 1e9, np.nan, -np.inf]))
    scale = np.std([20, 40, 60])
    assert rows.numbers[:, 0].tolist() == pytest.approx([0, 20 / scale, 0, 0])
    assert rows.numbers[:, 1].tolist() == [0, 0, 1, 1]
    assert rows.remarks["age: outside the range seen"].tolist() == [False, True, False, False]
    assert rows.remarks["age: missing"].tolist() == [False, False, True, True]


def test_a_missing_flag_that_training_never_saw_stays_down_but_is_counted() -> None:
    encoder = InputEncoder.fit(TRAINED, KINDS)
    rows = encoder.encode(TRAINED.assign(member=[np.nan, 1.0, 0.0, 0.0]))
    assert rows.numbers[0, 2:].tolist() == [0, 0]
    assert rows.remarks["member: missing"].tolist() == [True, False, False, False]


def test_fitting_and_encoding_at_once_is_both_after_each_other() -> None:
    encoder, rows = InputEncoder.fit_encode(TRAINED, KINDS)
    assert encoder == InputEncoder.fit(TRAINED, KINDS)
    again = encoder.encode(TRAINED)
    assert torch.equal(rows.codes, again.codes)
    assert torch.equal(rows.numbers, again.numbers)
    assert rows.remarks.keys() == again.remarks.keys() == {"town: missing", "age: missing"}


def test_empty_frames_and_all_missing_columns_are_encoded() -> None:
    empty = InputEncoder.fit(TRAINED, KINDS).encode(TRAINED.iloc[:0])
    assert empty.codes.shape == (0, 1)
    assert empty.numbers.shape == (0, 4)
    nothing = pd.DataFrame({"town": pd.Series([None, None], dtype=object), "age": [np.nan, np.nan], "member": [0.0, 1]})
    rows = InputEncoder.fit(nothing, KINDS).encode(nothing)
    assert rows.codes.tolist() == [[0], [0]]
    assert bool(torch.isfinite(rows.numbers).all())


@given(st.lists(st.none() | texts, min_size=1, max_size=20), st.lists(st.none() | texts, max_size=20))
def test_every_seen_category_comes_back_and_no_other(seen: list[str | None], asked: list[str | None]) -> None:
    encoder = InputEncoder.fit(pd.DataFrame({"town": pd.Series(seen, dtype=object)}), {"town": "categorical"})
    words = encoder.vocabularies["town"]
    codes = encoder.encode(pd.DataFrame({"town": pd.Series(asked, dtype=object)})).codes[:, 0].tolist()
    assert [words[code - 1] if code else None for code in codes] == [a if a in words else None for a in asked]


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=numbers | st.just(np.nan)))
def test_numbers_stay_finite_and_keep_their_order(values: np.ndarray) -> None:
    frame = pd.DataFrame({"age": values})
    block = InputEncoder.fit(frame, {"age": "numeric"}).encode(frame).numbers.numpy()
    assert np.isfinite(block).all()
    assert (block[:, 1] == np.isnan(values)).all()
    standard, raw = block[~np.isnan(values), 0], values[~np.isnan(values)]
    assert (np.diff(standard[np.argsort(raw)]) >= 0).all()


def test_an_encoder_survives_json() -> None:
    encoder = InputEncoder.fit(TRAINED, KINDS)
    assert InputEncoder.model_validate_json(encoder.model_dump_json()) == encoder


@pytest.mark.parametrize(
    ("seen", "value", "apart"),
    [
        ([0, 0, 1, 2, 3], 0, True),
        ([0, 0, 1, 2, 3], 3, True),
        ([0, 0, 1, 2, 3], 1, False),  # inside the range
        ([0, 0, 1, 2, 3], 9, False),  # never seen
        ([0, 0, 1, 1, 1], 0, False),  # two values: nothing lies between
        ([0] + [1, 2] * 50, 0, False),  # too rare
        ([0] * 97 + [1, 2, 3], 0, True),
        ([0] * 999 + [1, 2], 0, False),  # next to nothing but it
        ([0, 1, 2], None, False),
        ([], 0, False),
    ],
)
def test_what_stands_apart(seen: list[float], value: float | None, apart: bool) -> None:
    assert stands_apart(np.array(seen, dtype=float), value) is apart


def test_a_setting_column_bends_at_its_knots_and_flags_its_atom() -> None:
    column = SettingColumn.fit("price", np.r_[np.zeros(10), np.linspace(1, 10, 90)], atom=0.0)
    assert column.atom == 0
    assert len(column.knots) == KNOTS
    line, *hinges, flag = column.features(torch.tensor([0.0, 10.0, 5.5]))
    assert line.tolist() == pytest.approx([-1, 1, 0.1])
    assert flag.tolist() == [1, 0, 0]
    for hinge, knot in zip(hinges, column.knots, strict=True):
        assert hinge.tolist() == pytest.approx([0, (10 - knot) / 5, max(0, 5.5 - knot) / 5], abs=1e-6)


def test_few_distinct_values_bend_at_themselves() -> None:
    assert SettingColumn.fit("items", np.array([1.0, 2, 4, 9])).knots == (2.0, 4.0)
    assert SettingColumn.fit("yes", np.array([0.0, 1, 1])).knots == ()


def test_options_are_flags_and_what_does_not_exist_raises_none() -> None:
    column = SettingColumn.fit("channel", np.array([0.0, 1, 2]), options=3)
    assert torch.stack(column.features(torch.tensor([2.0, 0.0, -1.0])), 1).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]


def test_a_constant_column_answers_other_values_within_bounds() -> None:
    column = SettingColumn.fit("bought", np.ones(20))
    assert torch.stack(column.features(torch.tensor([0.0, 1.0]))).abs().max() <= 3


@given(hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e6, 1e6, width=32)), st.floats(-9, 10))
def test_features_are_finite_ten_ranges_around_what_was_seen(seen: np.ndarray, place: float) -> None:
    column = SettingColumn.fit("price", seen, atom=float(seen[0]))
    encoder = SettingEncoder(columns=(column,))
    asked = seen.min() + place * np.ptp(seen)
    features = encoder.encode(torch.tensor([[asked], [float(seen[0])]], dtype=torch.float64))
    assert features.shape == (2, encoder.width)
    assert features.dtype == torch.float32
    assert bool(torch.isfinite(features).all())
    assert list(column.knots) == sorted(set(column.knots))


def test_an_atom_is_found_in_either_precision() -> None:
    column = SettingColumn.fit("price", np.r_[np.full(10, 0.1), np.linspace(1, 2, 50)], atom=0.1)
    for dtype in (torch.float32, torch.float64):
        assert column.features(torch.tensor([0.1], dtype=dtype))[-1].tolist() == [1]


def test_slices_name_the_features_of_each_column() -> None:
    encoder = SettingEncoder(columns=(SettingColumn(name="a", knots=(1.0, 2.0)), SettingColumn(name="b", options=4)))
    assert encoder.slices() == {"a": slice(0, 3), "b": slice(3, 7)}
    assert encoder.width == 7
