"""What it takes to reach a target: the least that is spent, or changed, so that the objective or an outcome gets there.

The question of a limit the other way round: what was bounded is made least, and what was made best is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from drivetrain.assembly.limits import Limits, Tradeoff, scored
from drivetrain.assembly.result import Run, of_run
from drivetrain.decisions.rounding import summed
from drivetrain.errors import Fault, UsageError, nearest
from drivetrain.formula import Formula, parse
from drivetrain.scenario import Categorical, Constraint, Continuous, Integer, Lever, Objective, Scenario

TARGET = "target"
SHARE = "share of rows"
"""The unit of what a row does or does not get."""


@dataclass(frozen=True)
class Effort:
    """What can be made least."""

    formula: Formula
    unit: str
    """For one row."""
    bound: str | None = None
    """The constraint that bounds it, and that gives way: what is asked is how much of it would do."""


@dataclass(frozen=True)
class Reach:
    """The least effort for every target; all of it is what models expect."""

    of: str
    """`objective` or an outcome."""
    effort: str
    """What is made least, a key of `efforts`."""
    upper: bool
    """Whether the target is reached from above: something that is to be low."""
    limits: Limits
    """Answers `at(target, upper=reach.upper)`; its `value` is the effort of one row, and its `price` how much of it one
    more unit of the target takes."""

    @property
    def unit(self) -> str:
        """Of the effort, for one row."""
        return self.limits.run.scenario.objective.unit

    @property
    def summed(self) -> str:
        """The unit of the effort of all rows together."""
        return "rows" if self.unit == SHARE else summed(self.unit)

    def curve(self, points: int = 11) -> Tradeoff:
        """Targets evenly from what comes without any effort to the furthest that can be reached.

        Raises:
            InfeasibleError: no settings meet the constraints.
        """
        return self.limits.tradeoff(upper=self.upper, points=points)


def reachable(scenario: Scenario) -> dict[str, str]:
    """What a target can be set for → its unit: the objective, and every outcome that is a number."""
    known = {name: each.unit for name, each in scenario.outcomes.items() if each.kind != "categorical"}
    return {"objective": scenario.objective.unit, **known}


def efforts(scenario: Scenario) -> dict[str, Effort]:
    """What can be made least: what declared totals and means bound from above, costs, and how far levers are moved."""
    bounded = [each for each in scenario.constraints if each.over in {"total", "mean"} and each.at_most is not None]
    known = {each.name: Effort(scenario.expand(each.formula), each.unit, each.name) for each in bounded if not each.by}
    asked = {each.formula.text for each in known.values()}
    if scenario.cost is not None and scenario.cost.text not in asked:
        known["cost"] = Effort(scenario.cost, scenario.objective.unit)
    for name, lever in scenario.levers.items():
        told = None if lever.frozen else _moved(name, lever, scenario.slots)
        if told is not None and told[1].formula.text not in asked:
            known.setdefault(*told)
    return known


@of_run
def reaching(run: Run, of: str = "objective", effort: str | None = None, *, upper: bool | None = None) -> Reach:
    """Get ready to ask what a target takes.

    Args:
        run: any run.
        of: what the target is set for, a key of `reachable`: its mean over rows.
        effort: what is made least, a key of `efforts`; the first where left out.
        upper: whether the mean must not be above the target; where left out, of an objective that is minimised.

    Raises:
        UsageError: no such target or effort.
        RefusedError: the data supports no setting.
    """
    scenario = run.scenario
    targets, known = reachable(scenario), efforts(scenario)
    if of not in targets:
        raise UsageError(Fault(of, "found no target of that name", "", nearest(of, list(targets))))
    if not known:
        rule = "Something must be spent or moved: a cost, a bounded total, or a lever that can be left alone"
        raise UsageError(Fault("effort", "found nothing that could be made least", rule, "Give a lever a cost"))
    chosen = next(iter(known)) if effort is None else effort
    if chosen not in known:
        raise UsageError(Fault(chosen, "found nothing of that name to make least", "", nearest(chosen, list(known))))
    below = upper if upper is not None else of == "objective" and scenario.objective.sign < 0
    formula = scenario.expand(scenario.objective.formula) if of == "objective" else parse(of)
    least = known[chosen]
    kept = tuple(each for each in scenario.constraints if each.name != least.bound)
    objective = Objective(minimise=least.formula, unit=least.unit)
    turned = scenario.model_copy(update={"objective": objective, "constraints": kept})
    asked = replace(run, scenario=turned, simulator=replace(run.simulator, scenario=turned))
    ends = (0.0, None) if below else (None, 0.0)
    target = Constraint(name=TARGET, mean=formula, unit=targets[of], at_most=ends[0], at_least=ends[1])
    return Reach(of, chosen, below, scored(asked, target, ("minimise",) if below else ("maximise",)))


def _moved(name: str, lever: Lever, slots: int) -> tuple[str, Effort] | None:
    """How far a lever is moved from doing nothing, or from 0; None of one that cannot be left alone."""
    settled = lever.settled
    if isinstance(lever, Continuous | Integer):
        if settled == lever.min or (settled is None and lever.min == 0):
            return name, Effort(parse(name), lever.unit)
        if settled is None:
            return None
        return f"change of {name}", Effort(parse(f"abs({name} - {float(settled)!r})"), lever.unit)
    if settled is None:
        return None
    if isinstance(lever, Categorical):
        if slots > 1:  # each filled slot is one more
            return f"slots filled by {name}", Effort(parse(f"1 if {name} != {settled!r} else 0"), "slots per row")
        return f"rows with another {name}", Effort(parse(f"1 if {name} != {settled!r} else 0"), SHARE)
    return f"rows with {'no ' if settled else ''}{name}", Effort(parse(f"1 if {name} != {int(settled)} else 0"), SHARE)
