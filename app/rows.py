"""Data: which column is what, which rows were used, how settings are spread; and the rows to look at again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
import target
import terms
import who
from drawing import LINKED, beside, draw, empty, label, look, plain, table

import drivetrain as dt

ACTIONS = ["", "keep", "drop", "correct"]
ALL = "nothing: all rows together"


def show(run: dt.Run) -> None:
    """The page."""
    told = run.record["data"]
    st.title("Data")
    st.caption(plain(f"{told['rows']:,} rows of {told['source']} were used, {told['sealed']:,} of them sealed."))
    _roles(run)
    _parts(run)
    _spread(run)
    _surprises(run)


def _roles(run: dt.Run) -> None:
    st.header("Which column is what")
    table(_columns_told(run), "The part of each column, its kind, values and missing ones")


@st.cache_data(hash_funcs=target.HASHED, max_entries=16, show_spinner="Looking at the columns …")
def _columns_told(run: dt.Run) -> pd.DataFrame:
    scenario, frame = run.scenario, run.table.frame
    lines = []
    for part in ("levers", "inputs", "outcomes"):
        for name, each in getattr(scenario, part).items():
            lines.append(
                {
                    "name": name,
                    "part": part[:-1],
                    "column": each.column or name,
                    "kind": each.kind.replace("_", "/"),
                    "unit": each.unit,
                    "values": _values(frame[name]),
                    "missing": _missing(run, name),
                    "what it is": each.description,
                }
            )
    return pd.DataFrame(lines)


def _missing(run: dt.Run, name: str) -> str:
    """How many rows have no value; an outcome with `when` has none by nature where that is no."""
    count, when = int(run.table.frame[name].isna().sum()), getattr(run.scenario.outcomes.get(name), "when", None)
    if when is None:
        return f"{count:,}"
    return f"{count - int((run.table.frame[when] != 1).sum()):,} where {when}"


def _values(column: pd.Series) -> str:
    known = column.dropna()
    if not len(known):
        return "none"
    if pd.api.types.is_numeric_dtype(known.dtype):
        if set(known.unique()) <= {0.0, 1.0}:
            return f"yes in {known.mean():.0%}"
        low, middle, high = (float(each) for each in (known.min(), known.median(), known.max()))
        digits = max(0, 3 - int(np.floor(np.log10(max(abs(low), abs(high)) or 1.0))))  # none finer than the range needs
        low, middle, high = (round(each, digits) + 0.0 for each in (low, middle, high))
        return f"{dt.rounding.plainly(low)} to {dt.rounding.plainly(high)}, half below {dt.rounding.plainly(middle)}"
    counts = known.value_counts()
    return ", ".join(map(str, counts.index[:4])) + (f" and {len(counts) - 4:,} more" if len(counts) > 4 else "")


def _parts(run: dt.Run) -> None:
    st.header("Which rows", help=terms.SEALED)
    fold, told = run.table.fold, run.record["data"]
    split = run.scenario.data.split
    lines = [(f"fold {k + 1}", int((fold == k).sum())) for k in range(split.folds)]
    lines += [("sealed for a last test", int((fold < 0).sum()))]
    lines += [(f"left out: {each['reason']}", each["count"]) for each in told["dropped"]]
    lines += [(f"noted: {each['thing']}: {each['found']}", each["count"]) for each in told["flags"]]
    by = {"random": "at random", "stratified": "at random, alike in outcomes"}.get(split.by, f"by {split.by}")
    by += f", column {split.column}" if split.column else ""
    st.caption(plain(f"Dealt to {split.folds} parts (folds), {by}. Each is judged by models that have not seen it."))
    counted = [{"what": what, "rows": f"{count:,}"} for what, count in lines]
    table(pd.DataFrame(counted), "Rows in each part, left out and noted")


def _spread(run: dt.Run) -> None:
    """How the settings in the data are spread, and whether they hang on an input."""
    st.header("How settings were spread", help=terms.SUPPORT)
    names = list(run.scenario.inputs)
    by = st.selectbox("Groups of rows beside each other, told apart by", [ALL, *names], key="spread_by", **LINKED)
    for number, (place, lever) in enumerate(zip(beside(len(run.scenario.levers)), run.scenario.levers, strict=True)):
        with place:
            label(lever)
            figure = dt.figures.overlap(run, lever, None if by == ALL else by, look())
            draw(figure, f"overlap-{number}", f"How settings of {lever} are spread")
    st.caption(
        "Where two groups got the same settings about as often, their outcomes can be compared; where one never got "
        "what the other did, the data cannot speak for it."
    )


def _surprises(run: dt.Run) -> None:
    """Rows to keep, drop or correct."""
    st.header("Rows to look at again", help=terms.SURPRISE)
    most = st.segmented_control("How many", [20, 50, 200], default=20, required=True, key="worst", **LINKED)
    found = _worst(run, most)
    if found.empty:
        empty("There are none.", "No model was learned, so none can be surprised.")
        return
    st.caption(
        "Say what to do with each: keep it, drop it, or correct a column to a value. The data itself stays as it is: "
        "a cleaning file says what to change, and the scenario names that file."
    )
    found = _with_said(run, found)
    locked = [name for name in found.columns if name not in {"action", "column", "value", "note"}]
    columns = {
        "action": st.column_config.SelectboxColumn("action", options=ACTIONS, width="small"),
        "column": st.column_config.SelectboxColumn("column", options=["", *_columns(run)], width="small"),
        "loss": st.column_config.NumberColumn("loss", format="%.3f"),
        "times": st.column_config.NumberColumn("times the mean", format="%.1f"),
        "predicted": st.column_config.NumberColumn("predicted", format="%.3f"),
    }
    said = st.data_editor(
        found,
        hide_index=True,
        disabled=locked,
        column_config=columns,
        key=f"cleaning-{most}",
        placeholder="",
        alt="The rows that models got most wrong; choose what to do with each",
    )
    _remember(run, said)
    _save(run)


@st.cache_data(hash_funcs=target.HASHED, max_entries=16, show_spinner="Looking for the hardest rows …")
def _worst(run: dt.Run, most: int) -> pd.DataFrame:
    return run.surprises(most)


def _columns(run: dt.Run) -> list[str]:
    return list(dict.fromkeys(run.scenario.columns.values()))


def _said(run: dt.Run) -> dict[int, dict[str, str]]:
    """Row → what was said of it, kept while the reader looks at other pages."""
    kept: dict[int, dict[str, str]] = st.session_state.setdefault(f"said {target.key(run)}", {})
    return kept


def _with_said(run: dt.Run, found: pd.DataFrame) -> pd.DataFrame:
    """What was said before, put back when the page is come back to; while it is open the editor itself remembers."""
    key = f"shown {target.key(run)} {len(found)}"
    if st.session_state.get("on_page") != "data" or key not in st.session_state:
        out = found.copy()
        for place, row in enumerate(out["row"]):
            for name, value in _said(run).get(int(row), {}).items():
                out.loc[out.index[place], name] = value
        st.session_state[key] = out
        st.session_state.pop(f"cleaning-{len(found)}", None)
    st.session_state["on_page"] = "data"
    kept: pd.DataFrame = st.session_state[key]
    return kept


def _remember(run: dt.Run, said: pd.DataFrame) -> None:
    for line in said[["row", "action", "column", "value", "note"]].fillna("").to_dict("records"):
        told = {name: str(line[name]) for name in ("action", "column", "value", "note")}
        if any(told.values()):
            _said(run)[int(line["row"])] = told
        else:
            _said(run).pop(int(line["row"]), None)


def _save(run: dt.Run) -> None:
    if who.only_looks("Saving a cleaning file"):
        return
    said = {row: told for row, told in _said(run).items() if told["action"]}
    path = _place(run)
    counts = ", ".join(f"{sum(t['action'] == a for t in said.values())} to {a}" for a in ACTIONS[1:])
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Save the cleaning file", type="primary", disabled=not said)
        st.caption(plain(f"{len(said)} rows decided ({counts}). It goes to {path}."))
    if pressed:
        lines = pd.DataFrame([{"row": row, **told} for row, told in sorted(said.items())])
        try:
            dt.decided.save(path, lines)
        except dt.DrivetrainError as error:
            st.error("\n\n".join(plain(str(fault)) for fault in error.faults))
            return
        st.success(plain(f"Saved. Write data: {{cleaning: {path.name}}} into the scenario, and run it again."))


def _place(run: dt.Run) -> Path:
    folder = target.SCENARIOS if target.SCENARIOS.is_dir() else Path()
    return folder / f"{run.scenario.name}_cleaning.csv"
