"""Why: the way from today to the recommendation, what the gain hangs on, and the rows behind one row's answer."""

from __future__ import annotations

from typing import Any

import asking
import pandas as pd
import streamlit as st
import target
import terms
from drawing import LINKED, beside, draw, empty, in_unit, label, look, plain, table

import drivetrain as dt

LEVERS, STAGES = "by lever", "by stage"
MANY = 6
"""More steps than these are told only when asked for: the figure shows them."""


def show(run: dt.Run) -> None:
    """The page."""
    st.title("Why this?")
    st.caption(plain(dt.words.headline(run.scenario, run.judged)))
    _way(run)
    _spent(run)
    _margins(run)
    _hangs(run)
    _groups(run)
    _reasons(run)
    _one(run)


def _way(run: dt.Run) -> None:
    told = _bridge(run)
    start = "today" if told is None else dt.words.policy(run.scenario, told.against)
    st.header(f"From {plain(start)} to the recommendation", help=terms.SHAPLEY)
    if told is None:
        empty("There is no way to show.", _why_not(run))
        return
    lines = [
        {
            "mean over rows": move.what,
            start: move.said(move.before),
            "recommended": move.said(move.after),
            "change": move.said(move.after - move.before, "+"),
        }
        for move in told.moves
    ]
    table(pd.DataFrame(lines), "Settings and expected outcomes, today and as recommended")
    words = {LEVERS: "by option", STAGES: "by slot"} if run.scenario.slots > 1 else {}
    by = st.segmented_control(
        "Split",
        [LEVERS, STAGES],
        default=LEVERS,
        required=True,
        key="split",
        format_func=lambda name: words.get(name, name),
        **LINKED,
    )
    kind = "levers" if by == LEVERS else "stages"
    draw(dt.figures.bridge(run, told, look(), by=kind), "bridge", "Waterfall from today to the recommendation")
    unit = run.scenario.objective.unit
    spread = "models' spread"
    said = [
        f"{step.name}: {dt.rounding.with_unit(dt.rounding.interval(step.change)[0], unit)} "
        f"({dt.rounding.sure(step.change, spread)})."
        for step in (told.levers if kind == "levers" else told.stages)
    ]
    with st.expander("What models differ in") if len(said) > MANY else st.container():
        st.markdown("\n".join(f"- {plain(line)}" for line in said))
    if told.correction is not None:
        st.caption(
            f"The steps are what models expect, over {told.rows:,} rows; the last one is by how much rows that the "
            "models had not seen put them right."
            + (" Each option is taken to add what it adds by itself." if run.scenario.slots > 1 else "")
        )


def _why_not(run: dt.Run) -> str:
    """Why nothing can be taken apart."""
    if run.scenario.slots > 1 and run.scenario.space.do_nothing is None:
        return "Rows get several options at once, and the scenario does not say what doing nothing is (do_nothing)."
    return "Nothing is changed, or the data has no policy to compare with."


@st.cache_resource(hash_funcs=target.HASHED, max_entries=8, show_spinner="Taking the way apart …")
def _bridge(run: dt.Run) -> Any:
    return dt.bridge(run)


def _spent(run: dt.Run) -> None:
    """Share of spend beside share of effect, of levers that cost something."""
    told = _spending(run)
    if told is None:
        return
    st.header("What is spent, and what it brings", help=terms.SPEND)
    if len(told.each) > 1:
        draw(dt.figures.spending(told, look()), "spending", "Share of spend beside share of effect of each lever")
    table(pd.DataFrame(dt.spends.lines(run.scenario, told), columns=dt.spends.HEADER), "Spend, effect and ROI")
    st.caption(plain(dt.spends.note(run.scenario)))


@st.cache_resource(hash_funcs=target.HASHED, max_entries=8, show_spinner="Adding up what is spent …")
def _spending(run: dt.Run) -> Any:
    return dt.spending(run)


def _margins(run: dt.Run) -> None:
    """What one more unit of each numeric lever brings: average and marginal returns."""
    told = _returns(run)
    if told is None:
        return
    st.header("What one more unit brings", help=terms.MARGIN)
    figure = dt.figures.returns(run, told, look())
    if figure is not None:
        draw(figure, "returns", "What one more unit of each lever would bring, before and as recommended")
    before = dt.words.policy(run.scenario, told.against)
    table(pd.DataFrame(dt.margins.lines(told), columns=dt.margins.header(before)), "Returns of each lever")
    st.caption(plain(dt.margins.note(run.scenario)))


@st.cache_resource(hash_funcs=target.HASHED, max_entries=8, show_spinner="Moving each lever a little …")
def _returns(run: dt.Run) -> Any:
    return dt.returns(run)


def _hangs(run: dt.Run) -> None:
    st.header("What the gain hangs on", help=terms.TORNADO)
    told = _swings(run)
    if told is None or not told.each:
        empty("There is nothing to move.", "The scenario has no parameters and no numeric inputs, or nothing changes.")
        return
    draw(dt.figures.swings(run, told, look()), "swings", "How far the gain moves as each thing is moved")
    unit = run.scenario.objective.unit
    first = next((name for name, each in run.scenario.levers.items() if not each.frozen), "setting")
    lines = [
        {
            "what is moved": each.name,
            "from, to": each.what,
            in_unit("gain there", unit): f"{dt.rounding.number(each.low)} to {dt.rounding.number(each.high)}",
            f"best {first} then": " to ".join(dict.fromkeys(filter(None, each.best))) or "–",
        }
        for each in told.each
    ]
    table(pd.DataFrame(lines), "What is moved, from where to where, and the gain there")
    firm = [each for each in told.each if min(each.low, each.high) <= 0]
    st.caption(plain(_undone(firm[0].name)) if firm else "None of these alone takes the gain away.")


def _undone(name: str) -> str:
    if name == "chance in the data":
        return "Chance alone could undo it: the 95% interval of the gain reaches 0."
    return f"The gain would be gone where {name} is that far off."


@st.cache_resource(hash_funcs=target.HASHED, max_entries=8, show_spinner="Moving one thing after the other …")
def _swings(run: dt.Run) -> Any:
    return dt.swings(run)


def _groups(run: dt.Run) -> None:
    """The tree of groups that differ in what is best for them."""
    drawn = dt.figures.tree(run.scenario, run.judged, look())
    if drawn is None:
        return
    st.header("Groups that differ", help=terms.TREE)
    with st.container(key="drawn-tree"):
        draw(drawn, "tree", "Questions that tell groups apart, and what each group gets")
    kept = "This is what is recommended." if run.judged.recommended == "tree" else "It is not what is recommended."
    st.caption(f"{kept} The questions come from honest values, and were judged on rows that they were not made from.")
    lines = [
        {"group": each.who, "gets": each.gets, "rows": f"{each.share:.0%}"}
        for each in dt.groups.groups(run.scenario, run.judged)
    ]
    table(pd.DataFrame(lines), "What each group gets")


def _reasons(run: dt.Run) -> None:
    """Which settings are given, and to how many."""
    frame, unit = run.decided.frame, run.scenario.objective.unit
    names = [column for name in run.scenario.levers for column in dt.columns_of(run.scenario, name)]
    if (frame[names].nunique() <= 1).all():
        return
    st.header("Who gets what")
    shown = [
        (lever, dt.figures.settings(run, lever, look()), f"settings-{place}", f"How many rows get which {lever}")
        for place, lever in enumerate(run.scenario.levers)
        if (frame[list(dt.columns_of(run.scenario, lever))].nunique() > 1).any()
    ]
    gains = dt.figures.gains(run, look())
    if gains is not None:
        told = in_unit("Expected gains, row by row", unit)
        shown.append((told, gains, "gains", "How expected gains are spread over rows"))
    for place, (title, figure, name, alt) in zip(beside(len(shown)), shown, strict=True):
        with place:
            label(title)
            draw(figure, name, alt)


def _one(run: dt.Run) -> None:
    st.header("Behind one row", help=terms.SPLIT)
    place = asking.row(run)
    frame = run.decided.frame
    mine = frame[frame["row"] == run.table.row[place] + 1]
    if len(mine):
        st.markdown(f"**{plain(str(mine['reason'].iloc[0]))}**")
    st.caption(plain(", ".join(f"{name} {value}" for name, value in asking.known(run, place).items())))
    of = "objective"
    outcomes = [name for name, each in run.scenario.outcomes.items() if each.kind != "categorical"]
    if outcomes and run.scenario.inputs:
        of = st.segmented_control(
            "Split", ["objective", *outcomes], default="objective", required=True, key="split_of", **LINKED
        )
    asking.split(run, place, of, ())
    st.markdown("The rows most like it: what they got, and what came of it.", help=terms.ALIKE)
    asking.alike(run, place)
