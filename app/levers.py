"""Levers: move them, for everyone or for one row, and see what models expect; the link holds where they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from drawing import draw, figure_card, look

import drivetrain as dt

EVERYONE = "everyone"
MOST_ROWS = 2_000
"""A curve is drawn from no more rows than these, evenly taken."""


def show(run: dt.Run) -> None:
    """The page."""
    st.title("What if?")
    st.caption(
        "What the models expect when levers move. Predictions only: what is honestly known stands on the Decision page."
    )
    controls, answers = st.columns([1, 2], gap="large")
    with controls:
        rows = _whom(run)
        setting = {name: _lever(run, name) for name in run.scenario.levers}
        _back(run)
    with answers:
        _answers(run, rows, setting)


def _whom(run: dt.Run) -> dt.Rows | None:
    """Everyone, or the row whose number is given."""
    who = st.segmented_control(
        "For whom", [EVERYONE, "one row"], default=EVERYONE, required=True, key="whom", bind="query-params"
    )
    if who == EVERYONE:
        return None
    known = run.table.row + 1
    number = st.number_input(
        "Row number, as in the data", int(known.min()), int(known.max()), int(known[0]), key="row", bind="query-params"
    )
    place = np.flatnonzero(known == number)
    if not len(place):
        st.warning(f"Row {number} was left out of the data. The nearest one that was used is shown.")
        place = np.array([np.abs(known - number).argmin()])
    rows = run.table.subset(place[:1])
    known_of = {
        _with_unit(name, each): _shown(each, rows.frame[name].iloc[0]) for name, each in run.scenario.inputs.items()
    }
    st.table(known_of, border="horizontal")
    return rows


def _shown(declared: Any, value: Any) -> str:
    """An input's value as people read it."""
    if value is None or value != value:
        return "missing"
    if declared.kind == "yes_no":
        return "yes" if value else "no"
    return f"{value:,.6g}" if declared.kind == "numeric" else str(value)


def _with_unit(name: str, declared: Any) -> str:
    return f"{name} ({declared.unit})" if declared.unit else name


def _lever(run: dt.Run, name: str) -> Any:
    """A slider or a choice for one lever, standing at the best single setting."""
    lever, key = run.scenario.levers[name], f"set_{name}"
    start = run.scenario.space.decode(np.array(run.judged.single))[name].iloc[0]
    label = _with_unit(name, lever)
    about = {"key": key, "bind": "query-params", "help": lever.description or None}
    if lever.kind == "categorical":
        return st.selectbox(label, list(lever.options), index=lever.options.index(start), **about)
    if lever.kind == "yes_no":
        return st.toggle(label, value=bool(start), **about)
    if lever.kind == "integer":
        return st.slider(label, lever.min, lever.max, int(start), lever.step, **about)
    step = lever.step or 10.0 ** np.floor(np.log10((lever.max - lever.min) / 100))
    return st.slider(label, float(lever.min), float(lever.max), _stop(run, name, step), float(step), **about)


def _stop(run: dt.Run, name: str, step: float) -> float:
    """The slider's stop nearest to the best single setting that the data supports; the nearest where none is."""
    lever, place, best = run.scenario.levers[name], _place(run, name), np.array(run.judged.single)
    steps = np.floor((best[place] - lever.min) / step) + np.array([0, 1])
    stops = np.clip(lever.min + steps * step, lever.min, lever.max)
    stops = stops[np.argsort(np.abs(stops - best[place]))]
    settings = np.tile(best, (2, 1))
    settings[:, place] = stops
    known = run.simulator.support.holds(settings)
    return round(float(stops[known][0] if known.any() else stops[0]), 10)


def _back(run: dt.Run) -> None:
    def back() -> None:
        for name in run.scenario.levers:
            st.session_state.pop(f"set_{name}", None)

    st.button("Back to the best single setting", on_click=back)


def _answers(run: dt.Run, rows: dt.Rows | None, setting: dict[str, Any]) -> None:
    asked = run.table if rows is None else rows
    what_if = run.simulate(asked, **setting)
    now = run.simulate(asked) if not np.isnan(asked.settings).any() else None
    if not what_if.supported:
        st.warning(
            "The data has not seen enough around this setting: what follows is extrapolation, and would not be "
            "recommended.",
            icon="⚠️",
        )
    _numbers(run, what_if, now)
    shown = asked if len(asked) <= MOST_ROWS else asked.subset(_evenly(len(asked), MOST_ROWS))
    _curve(run, shown, setting, list(what_if.estimates))


def _numbers(run: dt.Run, what_if: dt.WhatIf, now: dt.WhatIf | None) -> None:
    """Objective first, then outcomes: what if, beside now."""
    names = list(what_if.estimates)
    most = 3 if max(len(_label(run, name)) for name in names) <= 20 else 2
    columns = st.columns(min(most, len(names)))
    for place, name in enumerate(names):
        value, low, high = dt.rounding.interval(what_if.estimates[name])
        change = ""
        if now is not None:
            moved = what_if.estimates[name].value - now.estimates[name].value
            change = f"{moved:+.3g} against the data" if abs(moved) > 0 else ""
        better = "normal" if name != "objective" or run.scenario.objective.sign > 0 else "inverse"
        figure_card(
            columns[place % len(columns)],
            _label(run, name),
            value,
            f"models' spread {low} to {high}",
            delta=change or None,
            delta_color=better if name == "objective" else "off",
            help="The interval tells how much the models differ; it is not judged by evidence.",
        )


def _curve(run: dt.Run, rows: dt.Rows, setting: dict[str, Any], names: list[str]) -> None:
    """One response curve: of what, along which lever."""
    of = st.segmented_control(
        "Show", names, default="objective", required=True, key="of_what", bind="query-params", format_func=_named(run)
    )
    lever = next(iter(setting))
    if len(setting) > 1:
        lever = st.segmented_control(
            "Along", list(setting), default=lever, required=True, key="along", bind="query-params"
        )
    others = {name: value for name, value in setting.items() if name != lever}
    answer = run.respond(lever, rows, **others)
    at = {"what if": float(run.scenario.space.parse({lever: setting[lever]})[_place(run, lever)])}
    draw(dt.figures.response(run, answer, of, look(), at), "response")


def _named(run: dt.Run) -> Callable[[str], str]:
    return lambda name: _label(run, name)


def _label(run: dt.Run, name: str) -> str:
    if name == "objective":
        return f"objective, {run.scenario.objective.unit}" if run.scenario.objective.unit else "objective"
    outcome = run.scenario.outcomes.get(name)
    return f"{name}, {outcome.unit}" if outcome is not None and outcome.unit else name


def _place(run: dt.Run, lever: str) -> int:
    return run.scenario.space.names.index(lever)


def _evenly(many: int, most: int) -> Any:
    return np.linspace(0, many - 1, most).round().astype(int)
