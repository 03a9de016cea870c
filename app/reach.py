"""What it takes: the least spend, or change, that gets the objective or an outcome to a target."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
import target
import terms
from drawing import LINKED, draw, empty, figure_card, in_unit, look, plain, table

import drivetrain as dt


def show(run: dt.Run) -> None:
    """The part of the Trade-offs page; nothing where nothing could be made least."""
    targets, efforts = dt.reachable(run.scenario), dt.efforts(run.scenario)
    if not efforts:
        return
    st.header("What it takes to get there", help=terms.REACH)
    left, right = st.columns(2)
    with left:
        of = st.selectbox("To reach", list(targets), key="reach_of", **LINKED, help="Its mean over rows.")
    with right:
        effort = st.selectbox("With the least", list(efforts), key="reach_with", **LINKED)
    try:
        told = _ready(run, of, effort)
        curve = _curve(run, of, effort)
    except dt.DrivetrainError as error:
        empty("There is nothing to reach.", str(error))
        return
    bounds = [float(point.bound) for point in curve.points]
    if len(bounds) < 2 or max(bounds) - min(bounds) < 1e-9 * max(1.0, abs(max(bounds))):
        empty("There is nothing to reach for.", f"Without any {effort} {of} is already as good as it can be.")
        return
    _ask(run, told, curve)


@st.cache_resource(hash_funcs=target.HASHED, max_entries=16, show_spinner="Scoring every setting for a thousand rows …")
def _ready(run: dt.Run, of: str, effort: str) -> Any:
    return dt.reaching(run, of, effort)


@st.cache_resource(hash_funcs=target.HASHED, max_entries=16, show_spinner="Going further and further …")
def _curve(run: dt.Run, of: str, effort: str) -> Any:
    return _ready(run, of, effort).curve()


def _middle(curve: Any) -> float:
    """The target that takes about half of what the furthest one does: between what comes by itself and that."""
    most = max(abs(point.value.value) for point in curve.points)
    half = min(curve.points, key=lambda point: abs(abs(point.value.value) - most / 2))
    return float(half.bound)


@st.fragment
def _ask(run: dt.Run, told: Any, curve: Any) -> None:
    """A target of one's own, answered at once."""
    bounds = [float(point.bound) for point in curve.points]
    low, high = min(bounds), max(bounds)
    label = in_unit("Your target", dt.reachable(run.scenario)[told.of])
    about: dict[str, Any] = {"key": f"target_{told.of}_{told.effort}", "format": "%.4g", **LINKED}
    wanted = st.slider(plain(label), low, high, _middle(curve), (high - low) / 200, **about)
    found = None
    try:
        found = told.limits.at(wanted, upper=told.upper)
    except dt.DrivetrainError as error:
        st.warning(plain(str(error)))
    draw(dt.figures.reach(told, curve, look(), found), "reach", f"The least {told.effort} for every {told.of}")
    if found is None:
        return
    rows = len(run.table)
    left, middle, right = st.columns(3)
    value, spread = dt.rounding.interval(found.value), dt.rounding.sure(found.value, "models' spread")
    each_row = "" if told.unit.startswith("share") or " per " in told.unit else "for one row"
    note = "; ".join(filter(None, [each_row, spread if value[1] != value[2] else ""]))
    figure_card(left, plain(in_unit(f"Least {told.effort}", told.unit)), value[0], note)
    total = dt.rounding.number(found.value.value * rows)
    label = in_unit("For all rows", "" if told.summed == "rows" else told.summed)
    figure_card(middle, plain(label), total, f"{'of' if told.summed == 'rows' else ''} {rows:,} rows together".strip())
    step = dt.bounded.step(low, high)
    more, least = f"{step:g} {curve.constraint.unit}".strip(), 1e-6 * abs(curve.points[-1].value.value)
    price = dt.rounding.number(abs(found.price) * step if abs(found.price) * step > least else 0.0)
    note = " ".join(filter(None, ["more", each_row])) + f", for {more} further"
    figure_card(right, plain(in_unit("The next step takes", told.unit)), price, plain(note), help=terms.SHADOW)
    each = "option" if run.scenario.slots > 1 else "setting"
    lines = [{each: words, "share of rows": f"{share:.0%}"} for words, share in told.limits.told(found)]
    table(pd.DataFrame(lines), "The settings that most rows get to reach the target")
    told_of = f"By what models expect of {curve.rows:,} rows, under the scenario's other limits."
    st.caption(told_of)
