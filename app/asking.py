"""Whom a what-if is about: everyone, a segment, or one row; and what is asked of them, remembered for all who ask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import target
from drawing import LINKED, draw, in_unit, look, plain, table

import drivetrain as dt

EVERYONE, SEGMENT, ROW = "everyone", "a segment", "one row"
MOST_ROWS = 1_000
"""Interactive answers are means over no more rows than these, evenly taken; what is exact stands on other pages."""

Group = tuple[tuple[str, Any], ...]
"""Column → what it may hold; or `("row", place)` alone."""
Setting = tuple[tuple[str, Any], ...]
"""Lever → its value, every lever; empty for what is recommended."""
Moves = tuple[tuple[str, float], ...]
"""Input → by how much (a number, for a group) or to what (for one row) it is moved."""


def whom(run: dt.Run) -> Group:
    """Everyone, a segment, or the row whose number is given; it stands in the link."""
    kinds = [EVERYONE, *([SEGMENT] if run.scenario.inputs else []), ROW]
    who = st.segmented_control("For whom", kinds, default=EVERYONE, required=True, key="whom", **LINKED)
    if who == ROW:
        return (("row", row(run)),)
    return _segment(run) if who == SEGMENT else ()


def rows(run: dt.Run, group: Group) -> dt.Table:
    """Those rows; at most a thousand of them, evenly taken."""
    return _rows(run, group)


@st.cache_resource(hash_funcs=target.HASHED, max_entries=64, show_spinner=False)
def _rows(run: dt.Run, group: Group) -> dt.Table:
    if group and group[0][0] == "row":
        return run.table.subset(np.array([group[0][1]]))
    return run.table.among(**{name: list(value) for name, value in group}).evenly(MOST_ROWS)


def moved(run: dt.Run, group: Group, moves: Moves) -> dt.Table:
    """Those rows, with the inputs moved that nobody can set."""
    return rows(run, group).shifted(**dict(moves))


def place(run: dt.Run, lever: str) -> int:
    """The place of a lever among all."""
    return run.scenario.space.names.index(lever)


def many(run: dt.Run, group: Group) -> int:
    """How many rows there are of them."""
    return _many(run, group)


@st.cache_data(hash_funcs=target.HASHED, max_entries=256, show_spinner=False)
def _many(run: dt.Run, group: Group) -> int:
    if group and group[0][0] == "row":
        return 1
    return len(run.table.among(**{name: list(value) for name, value in group}))


def told(group: Group, run: dt.Run) -> str:
    """Whom a what-if is about, in words."""
    if not group:
        return EVERYONE
    if group[0][0] == "row":
        return f"row {run.table.row[group[0][1]] + 1}"
    return ", ".join(f"{name} {_range(run, name, value)}" for name, value in group)


def known(run: dt.Run, place: int) -> dict[str, str]:
    """What is known of a row, with units, as people read it."""
    out = {}
    for name, each in run.scenario.inputs.items():
        label = f"{name} ({each.unit})" if each.unit and each.unit != name else name
        out[label] = dt.rounding.known(run.table.frame[name].iloc[place], each.kind, each.of_date)
    return out


def readable(run: dt.Run, frame: pd.DataFrame) -> pd.DataFrame:
    """A table of rows in which yes and no are words, and what does not exist is a dash."""
    declared = {**run.scenario.inputs, **run.scenario.levers, **run.scenario.outcomes}
    out: dict[str, Any] = {}
    for name in frame.columns:
        if name in declared:
            lever = run.scenario.levers.get(name)
            bare = None if lever is None else lever.model_copy(update={"unit": ""})
            said = [value is not None and value == value for value in frame[name]]
            out[in_unit(name, declared[name].unit)] = [
                "–"
                if not there
                else dt.rounding.known(value, declared[name].kind, getattr(declared[name], "of_date", None))
                if bare is None
                else dt.rounding.said(bare, value)
                for value, there in zip(frame[name], said, strict=True)
            ]
        else:
            out[name] = frame[name].map("{:.2f}".format) if name == "alike" else frame[name]
    return pd.DataFrame(out)


def _range(run: dt.Run, name: str, value: Any) -> str:
    kind = run.scenario.inputs[name].kind
    if kind == "categorical":
        return " or ".join(value)
    return dt.rounding.known(value[0], kind) if kind == "yes_no" else f"{value[0]:g} to {value[1]:g}"


def row(run: dt.Run) -> int:
    """The place of the row whose number is given; the nearest one that was used, where that one was left out."""
    known = run.table.row + 1
    number = st.number_input(
        "Row number, as in the data",
        int(known.min()),
        int(known.max()),
        int(known[0]),
        key="row",
        width=240,
        **LINKED,
    )
    place = int(np.abs(known - number).argmin())
    if known[place] != number:
        st.warning(f"Row {number} was left out of the data. The nearest one that was used, {known[place]}, is shown.")
    return place


def alike(run: dt.Run, place: int) -> None:
    """The rows most like one, as a table."""
    table(_alike(run, place), "Rows most like this one, what they got and what came of it")


@st.cache_data(hash_funcs=target.HASHED, max_entries=64, show_spinner=False)
def _alike(run: dt.Run, place: int) -> pd.DataFrame:
    return readable(run, dt.alike(run, place))


def split(run: dt.Run, place: int, of: str, setting: Setting) -> None:
    """What is expected of one row, split by what is known of it."""
    if not run.scenario.inputs:
        return
    told = _split(run, place, setting)
    figure = dt.figures.contributions(run, told, of, look())
    draw(figure, "split", f"What is expected of {of} for row {told.row}, input by input")
    st.caption(
        plain(
            f"Everyone and the row alike under {told.setting}. Each step is what the row's own value adds where other "
            f"rows have theirs, by what models expect; {told.among} rows, evenly taken, stand for everyone."
        )
    )


@st.cache_resource(hash_funcs=target.HASHED, max_entries=128, show_spinner=False)
def _split(run: dt.Run, place: int, setting: Setting) -> Any:
    return dt.contributions(run, int(run.table.row[place]) + 1, **dict(setting))


def _segment(run: dt.Run) -> Group:
    """What each chosen input may hold."""
    names = list(run.scenario.inputs)
    by = st.multiselect("Told apart by", names, default=names[:1], key="by", **LINKED)
    group = []
    for name in by:
        declared, column = run.scenario.inputs[name], run.table.frame[name]
        about = {"key": f"in_{name}", **LINKED}
        label = plain(f"{name} ({declared.unit})" if declared.unit else name)
        if declared.kind == "categorical":
            options = sorted(column.dropna().unique(), key=_natural)
            chosen = st.multiselect(label, options, default=options[:1], **about)
            group.append((name, tuple(chosen)))
        elif declared.kind == "yes_no":
            yes = st.segmented_control(label, ["no", "yes"], default="yes", required=True, **about)
            group.append((name, (1.0, 1.0) if yes == "yes" else (0.0, 0.0)))
        else:
            low, high = float(column.min()), float(column.max())
            if low < high:
                group.append((name, tuple(st.slider(label, low, high, (low, high), **about))))
    return tuple(group)


def _natural(value: str) -> tuple[bool, float, str]:
    """Numbers in their order, before texts."""
    number = value.replace(".", "", 1).isdigit()
    return (not number, float(value) if number else 0.0, value)
