"""What the sealed test said, in plain words: the sentences that report, dashboard and command line share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from drivetrain.decisions.rounding import interval, number, span
from drivetrain.decisions.words import policy
from drivetrain.evidence import NAMES, SealedTest
from drivetrain.scenario import Scenario

VERDICTS = {
    0: "The difference from what was promised before is within chance.",
    1: "That is better than was promised before, beyond chance.",
    -1: "That is worse than was promised before, beyond chance: count on this figure, not on the promise.",
}
HEADER = ("policy", "sealed rows (95%)", "promised (95%)")


def openings(record: Mapping[str, Any]) -> str:
    """How often the sealed test was opened, and what that means; empty where it never was."""
    times = int(record.get("test_openings", 0))
    if not times:
        return ""
    last = record["sealed_test"]["opened"][-1]
    return f"Opened once, {last}." if times == 1 else f"Opened {times} times, last {last}: no longer a first look."


def sentences(scenario: Scenario, record: Mapping[str, Any]) -> list[str]:
    """What an opened test says of the recommended policy and of the models; nothing where it is still sealed.

    Args:
        scenario: the run's.
        record: the run's.
    """
    told = record.get("sealed_test")
    if told is None:
        return []
    test, unit = _test(record), scenario.objective.unit
    name, sign = policy(scenario, test.recommended), scenario.objective.sign
    lines = [
        f"On {test.rows:,} sealed rows, which no model had seen, {name} is worth {span(test.chosen.estimate, unit)}.",
        VERDICTS[test.chosen.differs * sign],
    ]
    for other, gain in test.gains.items():
        clear = "" if gain.low > 0 else ", which is not clear of chance"
        before = number(test.promised_gains[other].value)
        lines.append(f"It gains {span(gain, unit)} over {policy(scenario, other)}{clear}; promised was {before}.")
    for outcome, loss in told["losses"].items():
        if loss["loss"] is not None:
            pair = f"{loss['loss']:.4f} on {loss['rows']:,} sealed rows, {loss['promised']:.4f} in the contest"
            lines.append(f"The models of {outcome} have a {loss['loss_name']} of {pair}.")
    return [*lines, openings(record)]


def lines(scenario: Scenario, record: Mapping[str, Any]) -> list[list[str]]:
    """A row under `HEADER` for each policy, simplest first; nothing where the test is still sealed.

    Args:
        scenario: the run's.
        record: the run's.
    """
    if record.get("sealed_test") is None:
        return []
    out = []
    for each in sorted(_test(record).policies, key=lambda opened: list(NAMES).index(opened.name)):
        told = [interval(estimate) for estimate in (each.estimate, each.promised)]
        out.append([policy(scenario, each.name), *(f"{value} ({low} to {high})" for value, low, high in told)])
    return out


def _test(record: Mapping[str, Any]) -> SealedTest:
    return TypeAdapter(SealedTest).validate_python(record["sealed_test"]["judged"])
