"""Whatever a file holds, `parse` gives a scenario or a `ScenarioError`, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from drivetrain.errors import ScenarioError
from drivetrain.scenario import Scenario, build, parse

from .test_broken import GOOD

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["price", "data", "yes", "a + b", "", "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "min", "x y", "0"]), inner),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    with pytest.raises(ScenarioError):
        parse(text)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_cut_and_paste(data: st.DataObject) -> None:
    """Pieces of a good file in the wrong place."""
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        source = data.draw(st.integers(0, len(GOOD) - 1))
        text = text[:start] + GOOD[source : source + data.draw(st.integers(0, 20))] + text[end:]
    with suppress(ScenarioError):
        assert isinstance(parse(text), Scenario)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_wrong_value_anywhere(data: st.DataObject) -> None:
    from ruamel.yaml import YAML

    plain = YAML(typ="safe", pure=True).load(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        node: Any = plain
        while isinstance(node, dict | list) and node:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = data.draw(st.sampled_from(keys))
            if data.draw(st.booleans()) or not isinstance(node[key], dict | list) or not node[key]:
                node[key] = data.draw(values)
                break
            node = node[key]
    with suppress(ScenarioError):
        assert isinstance(build(plain), Scenario)
