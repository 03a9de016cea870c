"""Texts told apart by their addresses: the same texts, whatever objects hold them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.modeler import texts
from drivetrain.modeler.texts import Texts

words = st.none() | st.just(float("nan")) | st.text(st.characters(codec="utf-8"), max_size=3)


def same(a: object, b: object) -> bool:
    return (pd.isna(a) and pd.isna(b)) or a == b  # type: ignore[call-overload, no-any-return]


@given(st.lists(words, max_size=30), st.booleans())
def test_every_row_finds_its_own_text(cells: list[object], apart: bool) -> None:
    """Also where equal texts are objects of their own."""
    held = [str(bytes(c, "utf-8"), "utf-8") if apart and isinstance(c, str) else c for c in cells]
    found = Texts.of(pd.Series(held, dtype=object))
    assert len(found.place) == len(cells)
    assert all(same(found.words[place], cell) for place, cell in zip(found.place, cells, strict=True))


@pytest.mark.parametrize("slots", [1, 2, 1 << 16])
def test_objects_that_share_a_slot_are_told_apart(slots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "SLOTS", 1 << 16)
    if slots < 1 << 16:
        monkeypatch.setattr(texts, "_SPREAD", np.uint32(slots - 1))  # all in one slot, or in very few
    vocabulary = [f"word {place}" for place in range(5000)]
    cells = pd.Series([vocabulary[place * 7 % 5000] for place in range(20_000)], dtype=object)
    found = Texts.of(cells)
    assert (found.words[found.place] == cells.to_numpy()).all()


def test_a_column_of_a_frame_is_read_where_it_lies() -> None:
    frame = pd.DataFrame({"a": ["x", "y", None], "b": ["y", "x", "x"]}, dtype=object)
    for name in frame:
        found = Texts.of(frame[name])
        assert all(same(found.words[p], cell) for p, cell in zip(found.place, frame[name], strict=True))
    assert len(Texts.of(frame.a.iloc[:0]).place) == 0
