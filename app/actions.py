"""Actions: what each row gets and why, to be filtered and taken away."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st
from drawing import draw, look

import drivetrain as dt

MOST_SHOWN = 5_000
KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


def show(run: dt.Run) -> None:
    """The page."""
    made = run.recommendations
    st.title("Actions")
    if made is None:
        st.info("This run was only trained: there are no actions yet.")
        return
    st.caption(f"{len(made):,} rows, by {dt.words.policy(run.scenario, made.policy)}. {_promised(run)}")
    chosen = _filtered(made.frame)
    _take_away(run, chosen, whole=len(chosen) == len(made))
    if chosen.empty:
        st.info("No row is left. Widen the filters.")
        return
    if len(chosen) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN:,} of {len(chosen):,} rows are shown; downloads hold all of them.")
    st.dataframe(
        chosen.head(MOST_SHOWN),
        hide_index=True,
        height=460,
        column_config=_columns(run, chosen),
        column_order=_order(run, chosen),
    )
    _spread(run)


def _promised(run: dt.Run) -> str:
    """Row by row models speak; of the total more is known."""
    gain, against = run.recommendations.promise.gain, run.recommendations.promise.against
    if gain is None or not gain.error:
        return ""
    value, low, high = dt.rounding.interval(gain)
    return (
        f"Row by row, gains are what the models expect. Their sum, corrected by what was observed, is {value} "
        f"({low} to {high}) against {dt.words.policy(run.scenario, against)}."
    )


def _filtered(frame: pd.DataFrame) -> pd.DataFrame:
    """By words in the row, by support, and by expected gain."""
    words, kind = st.columns([2, 1])
    word = words.text_input("Find in reasons and remarks", key="find", bind="query-params")
    only = kind.selectbox("Show", ["all rows", "with remarks", "beyond the data"], key="only", bind="query-params")
    kept = pd.Series(True, index=frame.index)
    if word:
        texts = frame["reason"].astype(str) + " " + frame["remarks"].astype(str)
        kept &= texts.str.contains(word, case=False, regex=False)
    if only == "with remarks":
        kept &= frame["remarks"].astype(str) != ""
    if only == "beyond the data":
        kept &= ~frame["supported"].astype(bool)
    return frame[kept]


def _take_away(run: dt.Run, frame: pd.DataFrame, *, whole: bool) -> None:
    with st.container(horizontal=True):
        for kind, mime in KINDS.items():
            st.download_button(
                f"Download {kind}",
                lambda kind=kind: _bytes(run, frame, kind, whole=whole),
                file_name=f"{run.scenario.name}.{kind}",
                mime=mime,
                key=f"take-{kind}",
            )


def _bytes(run: dt.Run, frame: pd.DataFrame, kind: str, *, whole: bool) -> bytes:
    """The run's own file where all rows are wanted, else the same written from the rows that are left."""
    kept = run.folder / f"recommendations.{kind}" if run.folder is not None else None
    if whole and kept is not None and kept.is_file():
        return kept.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"actions.{kind}"
        dt.write(frame, path)
        return path.read_bytes()


def _columns(run: dt.Run, frame: pd.DataFrame) -> dict[str, object]:
    """How columns read: units in their names, three digits."""
    numbers = [name for name in frame.columns if pd.api.types.is_float_dtype(frame[name])]
    return {
        "row": st.column_config.NumberColumn("row", format="%d", help="Number of the row in the data, from 1"),
        **{name: st.column_config.NumberColumn(_named(run, name), format="%.3f") for name in numbers},
        "reason": st.column_config.TextColumn("reason", width="large"),
    }


def _order(run: dt.Run, frame: pd.DataFrame) -> list[str]:
    """What to do and why first, the rest after it."""
    first = ["row", *(_columns_of(run)), "gain", "gain_low", "gain_high", "reason"]
    first = [name for name in first if name in frame]
    return [*first, *(name for name in frame.columns if name not in first)]


def _columns_of(run: dt.Run) -> dict[str, str]:
    """The table's columns of levers, and whose they are."""
    return {dt.column_of(name): name for name in run.scenario.levers}


def _named(run: dt.Run, name: str) -> str:
    lever = run.scenario.levers.get(_columns_of(run).get(name, ""))
    return f"{name}, {lever.unit}" if lever is not None and lever.unit else name.replace("_", " ")


def _spread(run: dt.Run) -> None:
    frame = run.recommendations.frame
    for place, (column, lever) in enumerate(_columns_of(run).items()):
        if frame[column].nunique() > 1:
            st.subheader(f"Who gets which {lever}")
            draw(dt.figures.settings(run, lever, look()), f"settings-{place}")
    gains = dt.figures.gains(run, look())
    if gains is not None:
        st.subheader("Expected gains, row by row")
        draw(gains, "gains")
