"""Finding rows among the actions: by words, by remarks, by what they get, in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import target
from drawing import LINKED, in_unit, plain

import drivetrain as dt

ALL, REMARKED, BEYOND, LOCKED = "all rows", "with remarks", "beyond the data", "locked"
BY_HAND = "fixed by a person"
"""What a remark says of a locked row."""


def found(run: dt.Run, now: dt.Recommendations) -> Any:
    """Places of the rows that the filters leave, in the order that is asked for."""
    words, kind, order, way = st.columns([3, 2, 2, 1.4], vertical_alignment="bottom")
    word = words.text_input("Find in reasons and remarks", key="find", **LINKED)
    only = kind.selectbox("Show", [ALL, REMARKED, BEYOND, LOCKED], key="only", **LINKED)
    columns = _sortable(run, now.frame)
    by = order.selectbox("Sort by", list(columns), key="sort", **LINKED)
    down = way.toggle("Largest first", key="down", **LINKED)
    levers = _lever_filters(run, now.frame)
    question = (word or "", only, columns[by], down, levers)
    memory = st.session_state.setdefault("found", {})
    mark = (target.key(run), id(now), question)
    if memory.get("mark") != mark:
        memory |= {"mark": mark, "places": _places(now.frame, question)}
    return memory["places"]


def _sortable(run: dt.Run, frame: pd.DataFrame) -> dict[str, str]:
    names = ["row", "gain", "objective", *columns(run)]
    names += [name for name in frame.columns if name.startswith("expected_")]
    return {name.replace("_", " "): name for name in names if name in frame}


def columns(run: dt.Run) -> list[str]:
    """The columns of all levers; one for each option where rows get several."""
    return [column for name in run.scenario.levers for column in dt.columns_of(run.scenario, name)]


def _lever_filters(run: dt.Run, frame: pd.DataFrame) -> tuple[tuple[Any, Any], ...]:
    """What each lever may be: options, or a range."""
    out: list[tuple[Any, Any]] = []
    with st.expander("Filter by setting and gain"):
        for name, lever in run.scenario.levers.items():
            column = tuple(dt.columns_of(run.scenario, name))
            about = {"key": f"only_{name}", **LINKED}
            if lever.kind == "categorical" and len(lever.options) <= 200:
                if chosen := st.multiselect(plain(name), list(lever.options), **about):
                    out.append((column, tuple(chosen)))
            elif lever.kind == "yes_no":
                said = st.segmented_control(plain(name), ["any", "yes", "no"], default="any", required=True, **about)
                if said != "any":
                    out.append((column, (said == "yes",)))
            elif lever.kind in {"continuous", "integer"}:
                out += _range(run, column[0], plain(in_unit(name, lever.unit)), about)
        if "gain" in frame:
            label = in_unit("expected gain", run.scenario.objective.unit)
            out += _range(run, "gain", plain(label), {"key": "only_gain", **LINKED})
    return tuple(out)


def _range(run: dt.Run, column: str, label: str, about: dict[str, Any]) -> list[tuple[Any, Any]]:
    low, high = _ends(run, column)
    if low == high:
        return []
    chosen = st.slider(label, low, high, (low, high), **about)
    return [] if chosen == (low, high) else [(column, chosen)]


@st.cache_data(hash_funcs=target.HASHED, max_entries=128, show_spinner=False)
def _ends(run: dt.Run, column: str) -> tuple[float, float]:
    """The lowest and highest value of a column of the run's own table."""
    values = run.decided.frame[column]
    return float(values.min()), float(values.max())


def _places(frame: pd.DataFrame, question: tuple[Any, ...]) -> Any:
    """[n] int64."""
    word, only, by, down, levers = question
    kept = np.ones(len(frame), dtype=bool)
    if word:
        kept &= frame["reason"].str.contains(word, case=False, regex=False).to_numpy(dtype=bool) | frame[
            "remarks"
        ].str.contains(word, case=False, regex=False).to_numpy(dtype=bool)
    if only == REMARKED:
        kept &= (frame["remarks"] != "").to_numpy()
    if only == BEYOND:
        kept &= ~frame["supported"].to_numpy(dtype=bool)
    if only == LOCKED:
        kept &= frame["remarks"].str.contains(BY_HAND, regex=False).to_numpy(dtype=bool)
    for column, wanted in levers:
        if isinstance(wanted[0], float):
            kept &= frame[column].between(*wanted).to_numpy()
        else:  # in one of its columns, where rows get several options
            kept &= frame[[column] if isinstance(column, str) else list(column)].isin(wanted).to_numpy().any(1)
    places = np.flatnonzero(kept)
    if by == "row" and not down:
        return places
    values = frame[by].to_numpy()[places]
    codes = values if values.dtype.kind in "fiub" else pd.factorize(values, sort=True)[0]
    return places[np.argsort(-codes.astype(float) if down else codes, kind="stable")]
