"""Texts told apart by their addresses: the same texts, whatever objects hold them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from drivetrain.modeler import texts
from drivetrain.modeler.texts import Texts

VOCABULARY = [f"word {place}" for place in range(5000)]
words = st.none() | st.just(float("nan")) | st.text(st.characters(codec="utf-8"), max_size=3)


def back(found: Texts) -> list[str | None]:
    """Each row's text."""
    return [None if not rank else found.words[rank - 1] for rank in found.rank[found.place].tolist()]


@given(st.lists(words, max_size=30), st.booleans())
def test_every_row_finds_its_own_text(cells: list[object], apart: bool) -> None:
    """Also where equal texts are objects of their own."""
    held = [str(bytes(c, "utf-8"), "utf-8") if apart and isinstance(c, str) else c for c in cells]
    found = Texts.of(pd.Series(held, dtype=object))
    assert back(found) == [None if pd.isna(cell) else cell for cell in cells]
    assert list(found.words) == sorted({cell for cell in cells if isinstance(cell, str)})
    assert found.gaps is any(pd.isna(cell) for cell in cells)


@pytest.mark.parametrize("bits", [0, 3, 63])
def test_objects_that_share_a_slot_are_told_apart(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All in one slot, in a few, and in as many as the last bits of addresses make."""
    monkeypatch.setattr(texts, "_SPREAD", np.uint64(1 << bits if bits else 0))
    cells = pd.Series([VOCABULARY[place * 7 % 5000] for place in range(20_000)], dtype=object)
    assert back(Texts.of(cells)) == cells.tolist()


def test_texts_that_come_late_are_found_as_well() -> None:
    cells = pd.Series([*["word 0"] * texts.FIRST, *VOCABULARY, None], dtype=object)
    assert back(Texts.of(cells)) == cells.tolist()


def test_a_column_of_a_frame_is_read_where_it_lies() -> None:
    frame = pd.DataFrame({"a": ["x", "y", None], "b": ["y", "x", "x"]}, dtype=object)
    assert [back(Texts.of(frame[name])) for name in frame] == [["x", "y", None], ["y", "x", "x"]]
    assert len(Texts.of(frame.a.iloc[:0]).place) == 0
