"""Benchmarks in pieces: what was measured is not measured again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.pieces import Pieces, spread


def test_a_case_is_measured_once(tmp_path: Path) -> None:
    pieces, asked = Pieces(tmp_path / "kept.jsonl"), []

    def measure() -> dict[str, float]:
        asked.append(1)
        return {"ours": 0.9}

    for _ in range(2):
        assert pieces.measured(("a_world", 2000, 1), measure) == {"ours": 0.9}
    assert pieces.measured(("a_world", 2000, 2), measure) == {"ours": 0.9}
    assert len(asked) == 2
    assert list(Pieces(tmp_path / "kept.jsonl").cases) == [("a_world", 2000, 1), ("a_world", 2000, 2)]
    assert len(pieces.code) == 1
    assert Pieces(None).measured(("a_world", 2000, 1), measure) == {"ours": 0.9}
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("values", "told"), [([0.5], "0.5000"), ([0.4, 0.6, float("nan")], "0.5000 ± 0.1000"), ([float("nan")], "-")]
)
def test_means_stand_with_their_errors(values: list[float], told: str) -> None:
    assert spread(values) == told
