"""Commands that weigh one thing against another: several objectives, the objective and a bound, a target and effort."""

from __future__ import annotations

from typing import Annotated

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, RunFolder
from drivetrain.errors import Fault, UsageError


def pareto(
    run: RunFolder,
    *,
    points: Annotated[int, typer.Option(help="How many choices to look for.", min=3, max=1000)] = 21,
    json: Json = False,
) -> None:
    """The choices between several objectives that waste nothing, as models expect."""
    from drivetrain import assembly
    from drivetrain.decisions.rounding import number, with_unit

    opened = assembly.open_run(run)
    found = opened.pareto(points)
    if json:
        records = found.frame.to_dict("records")
        settings = found.shared(opened.scenario.space)
        told = [dict(settings.iloc[i]) for i in range(len(found))] if settings is not None else None
        ways = {goal.name: "maximise" if goal.sign > 0 else "minimise" for goal in found.goals}
        screen.data({"objectives": ways, "front": records, "settings": told})
        return
    heads = [with_unit(f"{goal.name} {'↑' if goal.sign > 0 else '↓'}", goal.unit) for goal in found.goals]
    lines = [[number(value, 4) for value in line] for line in found.values]
    if (settings := found.shared(opened.scenario.space)) is not None:
        heads += [str(name) for name in settings]
        lines = [[*line, *map(_word, settings.iloc[i])] for i, line in enumerate(lines)]
    screen.table(heads, lines)
    screen.say(f"{len(found)} choices, none of them better than another in everything, as the models expect")


def frontier(
    run: RunFolder,
    *,
    constraint: Annotated[str, typer.Option(help="The constraint whose bound moves.", show_default=False)],
    points: Annotated[int, typer.Option(help="How many bounds to try.", min=2, max=1000)] = 15,
    json: Json = False,
) -> None:
    """What the objective could be worth at other bounds of a constraint, as models expect."""
    from drivetrain import assembly
    from drivetrain.decisions.rounding import number

    found = assembly.open_run(run).frontier(constraint, points)
    if json:
        screen.data(
            {"constraint": found.constraint, found.side: found.declared, "frontier": found.frame.to_dict("records")}
        )
        return
    heads = [f"{constraint} {found.side}", "objective, a row", "used", "worth of one more unit"]
    lines = [[number(value, 4) for value in line] for line in found.frame.to_numpy()]
    screen.table(heads, lines)
    screen.say(f"as the models expect; the scenario says {found.side}: {found.declared:g}")


def reach(
    run: RunFolder,
    *,
    of: Annotated[str, typer.Option(help="The objective, or an outcome: its mean over rows.")] = "objective",
    at_least: Annotated[float | None, typer.Option(help="The target.", show_default=False)] = None,
    at_most: Annotated[float | None, typer.Option(help="The target, of what is to be low.", show_default=False)] = None,
    effort: Annotated[
        str | None, typer.Option("--with", help="What is made least. [default: the first bounded or cost]")
    ] = None,
    json: Json = False,
) -> None:
    """The least spend, or change, that reaches a target, as models expect."""
    from drivetrain import assembly
    from drivetrain.decisions.rounding import interval, number, with_unit

    if (at_least is None) == (at_most is None):
        raise UsageError(Fault("reach", "found no target, or two", "It has one", "Add --at-least or --at-most"))
    upper = at_most is not None
    target = at_most if at_most is not None else at_least
    told = assembly.reaching(assembly.open_run(run), of, effort, upper=upper)
    found = told.limits.at(target, upper=upper)
    settings = told.limits.told(found)
    if json:
        screen.data(
            {
                "of": of,
                "target": target,
                "with": told.effort,
                "least": found.value.value,
                "error": found.value.error,
                "one_more": found.price,
                "settings": [{"setting": words, "share": share} for words, share in settings],
            }
        )
        return
    value, low, high = interval(found.value)
    screen.say(f"{told.effort}: {with_unit(value, told.unit)} for one row (models' spread {low} to {high})")
    screen.say(f"one more unit of {of} would take {with_unit(number(abs(found.price)), told.unit)} more")
    screen.table(["setting", "share of rows"], [[words, f"{share:.0%}"] for words, share in settings])


def _word(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
