"""A modest number of the random scenarios that `tests.benchmarks.random_scenarios` has a thousand of."""

from __future__ import annotations

from hypothesis import event, given, settings, strategies as st

from tests.benchmarks.random_scenarios import TIGHT, examine


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_every_rule_is_kept_and_the_best_found(seed: int) -> None:
    kind, violation, loss = examine(seed)
    event(kind)
    assert kind in {"feasible, answered", "infeasible, named so"}
    assert violation <= TIGHT
    assert loss <= 0.01
