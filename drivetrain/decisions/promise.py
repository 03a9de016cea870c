"""What recommended settings are worth for some rows together: the models' view, corrected by what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivetrain.decisions import slots
from drivetrain.evidence import Estimate, Evidence
from drivetrain.scenario import Scenario
from drivetrain.simulator import Outlook, jackknife


@dataclass(frozen=True)
class Promise:
    """What the recommended settings are worth for some rows together, in the objective's unit."""

    rows: int
    total: Estimate
    """The objective, summed over the rows."""
    against: str | None
    """The policy of comparison, a key of `evidence.NAMES`: doing nothing, or the current one."""
    gain: Estimate | None
    """How much better than that, in the objective's direction, summed over the rows."""

    @classmethod
    def together(cls, parts: Sequence[Promise]) -> Promise:
        """Of all rows; errors add up whole, not in squares: all parts share the evidence that they rest on."""

        def added(estimates: Sequence[Estimate]) -> Estimate:
            return Estimate(sum(e.value for e in estimates), sum(e.error for e in estimates))

        gains = [part.gain for part in parts if part.gain is not None]
        gain = added(gains) if len(gains) == len(parts) else None
        return cls(sum(part.rows for part in parts), added([part.total for part in parts]), parts[0].against, gain)


def promised(
    scenario: Scenario, evidence: Evidence, chosen: Outlook, other: Outlook | None, against: str | None
) -> Promise:
    """What models expect of these rows, corrected by how wrong blind models were on rows with known outcomes.

    Args:
        scenario: what was asked.
        evidence: the corrections.
        chosen: what is expected under the recommended settings.
        other: the same under the policy of comparison; None where there is none.
        against: that policy, a key of `evidence.NAMES`.
    """
    many = chosen.objective.shape[1]
    if scenario.slots > 1:
        return _of_slots(scenario, evidence, chosen, other)
    fix = evidence.chosen.correction
    total = Estimate(many * (float(chosen.objective.mean()) + fix.value), many * fix.error)
    if other is None or against is None:
        return Promise(many, total, None, None)
    if against == evidence.recommended:  # all the same, but for what people have fixed
        each = scenario.objective.sign * (chosen.objective - other.objective).sum(1)
        return Promise(many, total, against, Estimate(float(each.mean()), float(jackknife(each, chosen.folds).max())))
    if against not in evidence.gain_corrections:
        return Promise(many, total, None, None)
    fix = evidence.gain_corrections[against]
    gain = scenario.objective.sign * float((chosen.objective - other.objective).mean())
    return Promise(many, total, against, Estimate(many * (gain + fix.value), many * fix.error))


def _of_slots(scenario: Scenario, evidence: Evidence, chosen: Outlook, other: Outlook | None) -> Promise:
    """The same where rows get several options: each slot is corrected by what the data's one slot shows."""
    rows = chosen.objective.shape[1]
    fix, gain_fix = slots.corrected(scenario, evidence, rows)
    total = Estimate(rows * float(chosen.objective.mean()) + fix.value, fix.error)
    if other is None or gain_fix is None:
        return Promise(rows, total, None, None)
    gain = scenario.objective.sign * float((chosen.objective - other.objective).mean())
    return Promise(rows, total, "do_nothing", Estimate(rows * gain + gain_fix.value, gain_fix.error))
