"""Trade-offs: what a limit costs, what more room is worth, and the best settings under a limit of your own."""

from __future__ import annotations

from typing import Any

import pandas as pd
import reach
import streamlit as st
import target
import terms
from decision import used
from drawing import LINKED, beside, draw, empty, figure_card, in_unit, label, look, plain, table

import drivetrain as dt


def show(run: dt.Run) -> None:
    """The page."""
    st.title("Trade-offs")
    st.caption(
        "What models expect of the best settings under a limit. To have such a policy judged, write the limit into "
        "the scenario and run it."
    )
    if any(each.kind == "categorical" and len(each.options) > 200 for each in run.scenario.levers.values()):
        empty("Too many options for limits.", "Here options are ranked for each row on its own.")
        return
    _front(run)
    _limit(run)
    reach.show(run)
    _first(run)
    _prices(run)
    _fair(run)


def _front(run: dt.Run) -> None:
    """Several objectives: the choices that waste nothing."""
    if not run.scenario.objective.beside:
        return
    st.header("Between the objectives", help=terms.FRONT)
    found = _pareto(run)
    names = [goal.name for goal in found.goals]
    across, upright = 1, 0
    if len(names) > 2:
        left, right = st.columns(2)
        across = names.index(left.selectbox("Across", names, index=1, key="front_across", **LINKED))
        upright = names.index(right.selectbox("Upwards", names, index=0, key="front_up", **LINKED))
    figure = dt.figures.pareto(found, look(), across, upright)
    draw(figure, "pareto", f"The best {names[upright]} for every {names[across]}")
    place = st.slider("A point of the front, the best in the objective first", 1, len(found), 1, key="front", **LINKED)
    lines = [
        {"objective": in_unit(goal.name, goal.unit), "expected for one row": dt.rounding.number(value)}
        for goal, value in zip(found.goals, found.values[place - 1], strict=True)
    ]
    table(pd.DataFrame(lines), "What the chosen point brings in every objective")
    shared = found.shared(run.scenario.space)
    if shared is not None:
        table(shared.iloc[[place - 1]], "The setting of the chosen point")


@st.cache_resource(hash_funcs=target.HASHED, max_entries=8, show_spinner="Looking for the front …")
def _pareto(run: dt.Run) -> Any:
    return run.pareto(15, run.table.evenly(1_000))


def _limit(run: dt.Run) -> None:
    if run.scenario.objective.beside:
        st.header("Under a limit")
    known = dt.limitable(run.scenario)
    left, right = st.columns([2, 1])
    with left:
        name = st.selectbox(
            "What is limited",
            list(known),
            key="limited",
            **LINKED,
            format_func=lambda name: _said(known[name], name),
            help="Declared constraints come first; then the mean of cost, of each lever and of each outcome.",
        )
    floor = known[name].bound("at_least") is not None and known[name].bound("at_most") is None
    with right:
        side = st.segmented_control(
            "Bound",
            ["at most", "at least"],
            default="at least" if floor else "at most",
            required=True,
            key=f"side_{name}",
            **LINKED,
        )
    try:
        limits = _limits(run, name)
        told = _tradeoff(run, name, side == "at most")
    except dt.DrivetrainError as error:
        empty("There is no trade-off to draw.", str(error))
        return
    if len(told.points) < 2 or told.points[0].bound == told.points[-1].bound:
        empty("There is nothing to give up.", "The best settings are already as far on that side as any can be.")
        return
    _drag(run, limits, told, name)


def _said(constraint: Any, name: str) -> str:
    return name if constraint.name == name else f"mean of {name}"


@st.cache_resource(hash_funcs=target.HASHED, max_entries=16, show_spinner="Scoring every setting for a thousand rows …")
def _limits(run: dt.Run, name: str) -> dt.Limits:
    return dt.Limits.of(run, name)


@st.cache_resource(hash_funcs=target.HASHED, max_entries=32, show_spinner="Drawing the limit tighter and tighter …")
def _tradeoff(run: dt.Run, name: str, upper: bool) -> Any:
    return _limits(run, name).tradeoff(upper=upper)


@st.fragment
def _drag(run: dt.Run, limits: dt.Limits, told: Any, name: str) -> None:
    """A limit of one's own, chosen again at once."""
    bounds = [float(point.bound) for point in told.points]
    low, high = min(bounds), max(bounds)
    start = dt.limitable(run.scenario)[name]
    declared = start.bound("at_most" if told.upper else "at_least")
    first = declared if declared is not None and low <= declared <= high else (low + high) / 2
    unit = told.constraint.unit
    where = f"limit_{name}_{'most' if told.upper else 'least'}"
    bound = st.slider(
        plain(in_unit("Your limit", unit)),
        low,
        high,
        float(first),
        (high - low) / 200,
        key=where,
        format="%.4g",
        **LINKED,
    )
    found = None
    try:
        found = limits.at(bound, upper=told.upper)
    except dt.DrivetrainError as error:
        st.warning(plain(str(error)))
    draw(dt.figures.limit(run, told, look(), found), "frontier", f"Value against a limit on {name}")
    if found is None:
        return
    worth, free = found.value.value, told.free.value.value
    objective = run.scenario.objective
    left, middle, right = st.columns(3)
    value, spread = dt.rounding.interval(found.value)[0], dt.rounding.sure(found.value, "models' spread")
    figure_card(left, in_unit("Value for one row", objective.unit), value, spread)
    lost = dt.rounding.number(objective.sign * (free - worth))
    figure_card(middle, in_unit("The limit costs", objective.unit), lost, "a row, against no such limit")
    step = dt.bounded.step(low, high)
    price, room = dt.rounding.number(found.price * step), f"{step:g} {told.constraint.unit}".strip()
    all_ = told.constraint.over == "total"
    summed = dt.rounding.summed(objective.unit) if all_ else objective.unit
    note = "more, summed over rows" if all_ else "more, for one row"
    figure_card(right, plain(in_unit(f"{room} more room brings", summed)), price, note, help=terms.SHADOW)
    each = "option" if run.scenario.slots > 1 else "setting"
    lines = [{each: words, "share of rows": f"{share:.0%}"} for words, share in limits.told(found)]
    table(pd.DataFrame(lines), "The settings that most rows get under the limit")
    st.caption(
        f"Chosen anew for {told.rows:,} rows"
        + (f", which stand for all {len(run.table):,}." if told.rows < len(run.table) else ".")
        + (f" Not kept here: {', '.join(limits.unkept)}." if limits.unkept else "")
    )


def _first(run: dt.Run) -> None:
    """Whom to act on first: the Qini curve, and value against what is used of a budget."""
    scenario, evidence = run.scenario, run.judged
    told = [
        ("What acting on the best rows first brings", dt.figures.uplift(scenario, evidence, look()), "uplift"),
        ("What more of the budget brings", dt.figures.uplift(scenario, evidence, look(), budget=True), "uplift-budget"),
    ]
    shown = [each for each in told if each[1] is not None]
    if not shown:
        return
    st.header("Whom to act on first", help=terms.QINI)
    for place, (title, figure, name) in zip(beside(len(shown)), shown, strict=True):
        with place:
            label(title)
            draw(figure, name, title)
    for line in dt.grounds.first(scenario, evidence):
        st.caption(plain(line))


def _prices(run: dt.Run) -> None:
    if not run.scenario.constraints:
        return
    st.header("The scenario's own limits", help=terms.SHADOW)
    lines = dt.bounded.lines(run.scenario, run.record.get("shadow_prices") or {}, used(run))
    table(pd.DataFrame(lines, columns=list(dt.bounded.HEADER)), "Constraints and their shadow prices")
    st.caption(dt.bounded.NOTE)


def _fair(run: dt.Run) -> None:
    """Fairness against profit: how far groups are apart, and what closer would cost."""
    lines = dt.fairness.lines(run.scenario, run.judged)
    if not lines:
        return
    st.header("Fairness against profit", help=terms.FAIR)
    for place, figure in enumerate(dt.figures.fairness(run, look())):
        draw(figure, f"fairness-{place}", "The objective against how far groups may be apart")
        st.caption("The best settings whose groups are no further apart than that, by what models expect.")
    told = dt.fairness.sentences(run.scenario, run.judged)
    st.markdown("\n".join(f"- {plain(line)}" for line in told))
    table(pd.DataFrame(lines, columns=dt.fairness.HEADER), "Differences between groups under the recommended policy")
    st.caption(dt.fairness.NOTE)
