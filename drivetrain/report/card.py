"""A run as one small picture: what every policy is worth, with its interval; an SVG that needs nothing else.

It is a few kilobytes, and the same to the byte for the same run, so that it can live beside the scenario in version
control.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from drivetrain.assembly import Run
from drivetrain.decisions.rounding import number, with_unit
from drivetrain.decisions.words import policy
from drivetrain.evidence import NAMES, Judged
from drivetrain.figures import LIGHT

WIDTH, LEFT, RIGHT, LINE, TOP = 640, 268, 24, 34, 34
TICKS = 5


def card(run: Run) -> str:
    """The picture of a run that was judged, as SVG text.

    Raises:
        UsageError: the run was only trained.
    """
    evidence = run.judged
    known = {each.name for each in evidence.policies}
    shown = [evidence.policy(name) for name in NAMES if name in known]
    low, high, step = _axis([each for judged in shown for each in _ends(run, judged)])
    height = TOP + LINE * len(shown) + 40

    def across(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img">',
        f"<title>{escape(run.scenario.title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{LIGHT.paper}"/>',
    ]
    for value in np.arange(low, high + step / 2, step):
        at, bottom = f"{across(value):.1f}", TOP + LINE * len(shown)
        parts.append(f'<path d="M{at} {TOP - 10}V{bottom}" stroke="{LIGHT.rule}"/>')
        parts.append(_text(at, bottom + 16, f"{value:.6g}", LIGHT.quiet, "middle"))
    unit = with_unit("worth of one row", f"({run.scenario.objective.unit})" if run.scenario.objective.unit else "")
    parts.append(_text(f"{(LEFT + WIDTH - RIGHT) / 2:.1f}", height - 8, unit, LIGHT.quiet, "middle"))
    for place, judged in enumerate(shown):
        ends = [across(each) for each in _ends(run, judged)]
        parts += _line(run, judged, TOP + LINE * place + LINE / 2, across(judged.estimate.value), ends)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(run: Run, judged: Judged, y: float, x: float, ends: list[float]) -> Iterator[str]:
    """One policy: its name, its interval and its value."""
    chosen = judged.name == run.judged.recommended
    colour, weight = (LIGHT.strong, "600") if chosen else (LIGHT.other, "400")
    name = policy(run.scenario, judged.name, run.judged)
    yield _text(str(LEFT - 14), y + 4, name, LIGHT.ink, "end", weight)
    yield f'<path d="M{ends[0]:.1f} {y:g}H{ends[-1]:.1f}" stroke="{colour}" stroke-width="{4 if chosen else 2.5}"/>'
    yield f'<circle cx="{x:.1f}" cy="{y:g}" r="{6 if chosen else 4.5}" fill="{colour}"/>'
    yield _text(f"{x:.1f}", y - 9, number(judged.estimate.value), colour, "middle", weight)


def _ends(run: Run, judged: Judged) -> tuple[float, float]:
    """The interval; of what is only the models' opinion there is none."""
    told = judged.estimate
    return (told.value, told.value) if run.judged.opinion(judged.name) else (told.low, told.high)


def _axis(values: list[float]) -> tuple[float, float, float]:
    """A range of round numbers that holds all values, and the step between its ticks."""
    low, high = min(values), max(values)
    room = (high - low) or abs(high) or 1.0
    rough = room / TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough))
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step), step


def _text(x: str, y: float, text: str, colour: str, anchor: str, weight: str = "400") -> str:
    place = f'x="{x}" y="{y:g}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}"'
    return f"<text {place}>{escape(text)}</text>"
