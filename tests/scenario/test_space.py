"""Settings to numbers and back; a bad one is refused, never coded as something else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, strategies as st

from drivetrain.errors import DataError, UsageError
from drivetrain.scenario import YES_NO, Categorical, Continuous, Integer, LeverSpace, YesNo, spoken, stepped
from drivetrain.scenario.space import places

SPACE = LeverSpace(
    {
        "price": Continuous(kind="continuous", min=1, max=10, step=0.5, unit="EUR", current=4.0),
        "speed": Continuous(kind="continuous", min=-1, max=1, do_nothing=0.0),
        "calls": Integer(kind="integer", min=0, max=100),
        "channel": Categorical(kind="categorical", options=("sms", "2", "none"), do_nothing="none"),
        "gift": YesNo(kind="yes_no", current=False),
    }
)
settings = st.tuples(
    st.integers(0, 18).map(lambda place: 1 + place / 2),
    st.floats(-1, 1),
    st.integers(0, 100),
    st.integers(0, 2),
    st.integers(0, 1),
)


@given(st.lists(st.tuples(settings, st.lists(st.booleans(), min_size=5, max_size=5)), min_size=1, max_size=5))
def test_round_trip(rows: list[tuple[tuple[float, ...], list[bool]]]) -> None:
    """Missing places included."""
    array = np.array([np.where(missing, np.nan, row) for row, missing in rows], dtype=np.float64)
    # what in 32 bits is an end of the range, or a step, becomes it
    assert np.allclose(SPACE.encode(SPACE.decode(array)), array, rtol=1e-6, atol=1e-6, equal_nan=True)


@given(settings)
def test_parse_reads_what_decode_writes(row: tuple[float, ...]) -> None:
    words = SPACE.decode(np.array([row])).iloc[0].to_dict()
    assert np.array_equal(SPACE.parse({name: str(word) for name, word in words.items()}), np.array(row, dtype=float))


def test_decode_speaks_plainly() -> None:
    frame = SPACE.decode(np.array([[4.5, 0, 7, 1, 1]]))
    assert frame.iloc[0].tolist() == [4.5, 0.0, 7, "2", True]
    assert frame["calls"].dtype == np.int64


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (
            "price",
            [4, 11, 12, 13, 14],
            "in 4 of 5 rows found 11 (row 2), 12 (row 3), 13 (row 4) and others. levers.price goes from "
            "min 1 to max 10 EUR; these rows go from 4 to 14. Widen the lever's range (min: 1, max: 14), or leave",
        ),
        ("price", [4, "cheap", 4, 4, 4], "in 1 of 5 rows found 'cheap' (row 2). It must hold only numbers"),
        ("price", [4, np.inf, 4, 4, 4], "in 1 of 5 rows found inf (row 2)"),
        ("price", [True, 2, 3, 4, 5], "in 1 of 5 rows found True (row 1). It must hold only numbers"),
        ("calls", [1, 1.5, 2, 3, 4], "in 1 of 5 rows found 1.5 (row 2). It must hold whole numbers"),
        (
            "channel",
            ["sms", "fax", None, 2, 2.0],
            "in 1 of 5 rows found 'fax' (row 2). It must hold only the lever's options: sms, 2",
        ),
        ("gift", ["yes", "perhaps", 0, 1, True], "in 1 of 5 rows found 'perhaps' (row 2). It must hold only yes/no"),
    ],
)
def test_bad_settings_are_refused(column: str, values: list[object], message: str) -> None:
    frame = SPACE.decode(np.tile([4.0, 0, 0, 0, 0], (5, 1))).assign(**{column: pd.Series(values, dtype=object)})
    with pytest.raises(DataError) as caught:
        SPACE.encode(frame)
    assert f"lever '{column}': {message}" in str(caught.value)
    assert caught.value.faults[0].cure


def test_all_bad_columns_are_told_at_once() -> None:
    frame = pd.DataFrame({"pric": [4.0], "speed": [3.0], "calls": [1], "channel": ["x"], "gift": ["?"]})
    with pytest.raises(DataError) as caught:
        SPACE.encode(frame)
    assert [fault.thing for fault in caught.value.faults] == [
        f"lever '{name}'" for name in ("price", "speed", "channel", "gift")
    ]
    assert "Did you mean 'pric'?" in str(caught.value)


@pytest.mark.parametrize("dtype", ["category", "string", "object"])
def test_options_are_coded_by_their_declaration(dtype: str) -> None:
    """Not by a pandas category's own order."""
    frame = SPACE.decode(np.tile([4.0, 0, 0, 0, 0], (3, 1)))
    frame["channel"] = pd.Series(["none", "sms", "2"], dtype=dtype)
    assert SPACE.encode(frame)[:, 3].tolist() == [2, 0, 1]


def test_text_numbers_and_words_are_read() -> None:
    frame = pd.DataFrame({"price": ["4.5"], "speed": [0], "calls": ["3"], "channel": [2.0], "gift": ["Yes"]})
    assert SPACE.encode(frame).tolist() == [[4.5, 0, 3, 1, 1]]


def test_parse_refuses_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        SPACE.parse({"prise": 3, "channel": "smss", "calls": "1.5", "speed": "fast", "gift": "maybe", "price": "4.2"})
    text = str(caught.value)
    assert "Did you mean 'price'?" in text
    assert "Did you mean 'sms'?" in text
    assert text.count("\n") == 5
    assert np.isnan(SPACE.parse({"price": 4})).tolist() == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("name", "word", "message"),
    [
        (
            "price",
            "12",
            "price: found '12'. levers.price in the scenario file goes from min 1 to max 10 EUR. "
            "Ask within it; or widen it there, as far as the data goes, and run it.",
        ),
        ("price", "4,5", "A number has a decimal point. Write 4.5."),
        ("price", "4 EUR", "It must be a number from min 1 to max 10 EUR. Write the number alone"),
        ("price", 4.2, "found 4.2. levers.price in the scenario file has steps of 0.5 from min 1. Take 4 or 4.5."),
        ("calls", 1.5, "has steps of 1 from min 0. Take 1 or 2."),
        ("gift", "maybe", "found 'maybe'. levers.gift is a lever of yes and no. Write yes or no."),
    ],
)
def test_one_bad_setting_is_told_with_the_key_and_the_cure(name: str, word: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        SPACE.parse({name: word})
    assert message in str(caught.value)


def test_words_for_yes_and_no_are_those_of_the_data() -> None:
    """What a column of a file may hold, a setting may be called."""
    for yes, no in YES_NO:
        assert SPACE.parse({"gift": yes})[4], yes
        assert not SPACE.parse({"gift": no.upper()})[4], no


@pytest.mark.parametrize(
    ("lever", "count", "expected"),
    [
        ("channel", 2, [0, 1, 2]),
        ("gift", 9, [0, 1]),
        ("speed", 3, [-1, 0, 1]),
        ("price", 19, [1 + place / 2 for place in range(19)]),
        ("price", 4, [1, 4, 7, 10]),
        ("calls", 3, [0, 50, 100]),
    ],
)
def test_grid(lever: str, count: int, expected: list[float]) -> None:
    assert SPACE.grid(lever, count).tolist() == expected


@given(st.integers(2, 60))
def test_grid_values_are_settings(count: int) -> None:
    for name, lever in SPACE.levers.items():
        grid = SPACE.grid(name, count)
        assert (np.diff(grid) > 0).all()
        for value in grid:
            setting = SPACE.decode(np.full((1, 5), value))[name][0] if lever.kind == "categorical" else value
            SPACE.parse({name: setting})


def test_words_for_settings() -> None:
    assert (
        SPACE.describe(np.array([4.5, 0.25, 3, 2, 1])) == "price 4.5 EUR, speed 0.25, calls 3, channel none, gift yes"
    )
    assert SPACE.describe(np.full(5, np.nan)).startswith("price unknown")


def test_current_and_do_nothing() -> None:
    assert SPACE.do_nothing is None  # calls has none
    assert np.array_equal(SPACE.current, [4, np.nan, np.nan, np.nan, 0], equal_nan=True)
    rest = LeverSpace({name: lever for name, lever in SPACE.levers.items() if name != "calls"})
    assert rest.do_nothing is not None
    assert rest.do_nothing.tolist() == [4, 0, 2, 0]


@pytest.mark.parametrize(
    ("low", "high", "value", "said"),
    [
        (0, 3, 0.0945599, "0.095"),
        (0, 3, 0.1, "0.10"),
        (5, 15, 12.5, "12.50"),
        (0, 1e6, 123_456, "123,000"),
        (0, 3, 1, "1.00"),
    ],
)
def test_what_is_said_is_what_is_set(low: float, high: float, value: float, said: str) -> None:
    lever = Continuous(kind="continuous", min=low, max=high)
    space = LeverSpace({"dose": lever})
    rounded = space.rounded("dose", np.array([value]))
    assert spoken(lever, float(rounded[0])) == said
    assert float(said.replace(",", "")) == pytest.approx(float(rounded[0]), abs=1e-9)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.floats(0, 1))
def test_rounding_stays_in_the_range_and_beyond_a_bound(low: float, width: float, share: float) -> None:
    lever = Continuous(kind="continuous", min=low, max=low + width)
    assume(lever.max > lever.min)
    space, value = LeverSpace({"dose": lever}), np.array([low + share * (lever.max - low)])
    step = 10.0 ** -places(lever)
    for how in (np.round, np.ceil, np.floor):
        rounded = space.rounded("dose", value, how)
        assert lever.min <= rounded[0] <= lever.max
        assert abs(rounded[0] - value[0]) <= step * 1.001 + 1e-9 * abs(low)
    assert space.rounded("dose", value, np.ceil)[0] >= min(value[0] - 1e-6 * step - 1e-9, lever.max)


def test_ends_and_steps_that_came_as_32_bit_numbers_are_those_numbers() -> None:
    space = LeverSpace({"price": Continuous(kind="continuous", min=0.59, max=1.59, step=0.1)})
    stored = pd.DataFrame({"price": np.float32([0.59, 1.09, 1.59]).astype(np.float64)})
    assert space.encode(stored)[:, 0].tolist() == [0.59, 1.09, 1.59]
    with pytest.raises(DataError, match=r"found 0\.5899 \(row 1\)"):
        space.encode(pd.DataFrame({"price": [0.5899]}))


def test_ends_with_more_digits_than_people_write_are_within_the_range() -> None:
    low, high = 1.0219080013611848, 8.977679486313688
    space = LeverSpace({"price": Continuous(kind="continuous", min=low, max=high)})
    assert space.encode(pd.DataFrame({"price": [low, high]})).tolist() == [[low], [high]]


def test_steps_stay_in_the_range_to_the_last_bit():
    place = Continuous(kind="continuous", min=0.8, max=1.2, step=0.05)
    assert 0.8 + 8 * 0.05 > 1.2
    told = stepped(place, np.linspace(0.7, 1.3, 500))
    assert not any(place.admits(value) for value in told.tolist())
    assert len(np.unique(told)) == 9
