"""What a run's models rely on, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, RunFolder


def explain(run: RunFolder, *, json: Json = False) -> None:
    """What models rely on, what they take for what, and which levers act on each other."""
    from drivetrain import assembly
    from drivetrain.decisions.rounding import number, with_unit

    opened = assembly.open_run(run)
    told = opened.explain()
    if json:
        screen.data(told)
        return
    for outcome, each in told["outcomes"].items():
        header = [f"without it, {each['loss_name']} of {outcome} rises by", "", "95 % interval"]
        screen.table(header, [*_relied(each)])
        screen.say()
        if "confusion" in each:
            names = each["confusion"]["options"]
            lines = [[name, *map(str, line)] for name, line in zip(names, each["confusion"]["rows"], strict=True)]
            screen.table([f"{outcome} observed, and held most probable:", *names], lines)
            screen.say()
    if told["interplay"]:
        unit = opened.scenario.objective.unit
        lines = [[" × ".join(e["levers"]), number(e["size"], 3), f"{e['share']:.0%}"] for e in told["interplay"]]
        screen.table(["levers together", with_unit("beyond their sum", unit), "of their joint effect"], lines)


def _relied(told: Mapping[str, Any]) -> Iterator[list[str]]:
    from drivetrain.evidence import Estimate

    for each in sorted(told["by"], key=lambda each: -each["loss"]):
        reach = Estimate(each["loss"], each["error"])
        yield [f"{each['name']} ({each['is']})", f"{reach.value:.4g}", f"{reach.low:.4g} to {reach.high:.4g}"]
