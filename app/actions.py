"""Actions: what each row gets and why; found, changed and locked by hand, chosen again around that, and taken away.

The table is read a page at a time: only the rows in sight ever leave the server.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import finding
import numpy as np
import pandas as pd
import streamlit as st
import target
from drawing import LINKED, draw, empty, in_unit, look, plain
from faults import tell

import drivetrain as dt

SIZES = [50, 100, 500]
KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
Locks = dict[int, dict[str, Any]]
"""Row number → lever → the value that somebody chose."""


def show(run: dt.Run) -> None:
    """The page."""
    made = run.recommendations
    st.title("Actions")
    if made is None:
        empty("This run was only trained: there are no actions yet.", "Run the scenario on the Scenario page.")
        return
    now = _now(run)
    st.caption(plain(f"{len(now):,} rows, by {dt.words.policy(run.scenario, now.policy)}. {_promised(run, now)}"))
    kept = finding.found(run, now)
    if not len(kept):
        empty("No row is left.", "Widen the filters.")
        return
    frame = now.frame
    _table(run, frame, kept)
    _locking(run, now)
    _take_away(run, now, kept)
    _spread(run)


def _now(run: dt.Run) -> dt.Recommendations:
    """The run's recommendations, with what was chosen again around locked rows, where it was."""
    made: dt.Recommendations = st.session_state.get(f"chosen again {target.key(run)}", run.recommendations)
    return made


def _locks(run: dt.Run) -> Locks:
    locks: Locks = st.session_state.setdefault(f"locks {target.key(run)}", {})
    return locks


def _promised(run: dt.Run, now: dt.Recommendations) -> str:
    """Row by row models speak; of the total more is known."""
    gain, against = now.promise.gain, now.promise.against
    if gain is None or against is None or not gain.error:
        return ""
    value, low, high = dt.rounding.interval(gain)
    value = dt.rounding.with_unit(value, dt.rounding.summed(run.scenario.objective.unit))
    return (
        f"Row by row, gains are what the models expect. Their sum, corrected by what was observed, is {value} "
        f"({low} to {high}) against {dt.words.policy(run.scenario, against)}."
    )


def _table(run: dt.Run, frame: pd.DataFrame, kept: Any) -> None:
    """One page of the table, its settings open to be changed."""
    at = _paged(kept)
    locks = _locks(run)
    shown = frame.iloc[at].reset_index(drop=True)
    shown.insert(0, "lock", [int(row) in locks for row in shown["row"]])
    for place, row in enumerate(shown["row"]):
        for name, value in locks.get(int(row), {}).items():
            shown.loc[place, _settable(run)[name]] = value
    open_ = {"lock", *_settable(run).values()}
    key = f"rows {hash((target.key(run), tuple(at.tolist()), st.session_state.get('anew', 0)))}"
    said: Any = st.data_editor(
        shown,
        hide_index=True,
        height=min(480, 38 + 35 * len(shown)),
        disabled=[name for name in shown.columns if name not in open_],
        column_config=_columns(run, shown),
        column_order=_order(run, shown),
        key=key,
        alt="What each row gets and why; settings can be changed, and rows locked",
    )
    _remember(run, frame.iloc[at], said)


def _paged(kept: Any) -> Any:
    """The places of one page of rows."""
    left, middle, right = st.columns([1, 1, 3], vertical_alignment="bottom")
    with middle:
        size = st.selectbox("Rows on a page", SIZES, index=1, key="size", **LINKED)
    pages = -(-len(kept) // size)
    with left:
        number = st.number_input(f"Page, of {pages:,}", 1, pages, min(1, pages), key="page", **LINKED)
    at = kept[(number - 1) * size : number * size]
    right.caption(f"Rows {(number - 1) * size + 1:,} to {(number - 1) * size + len(at):,} of {len(kept):,}.")
    return at


def _settable(run: dt.Run) -> dict[str, str]:
    """What people can fix in a row → its column: every lever; or every slot, where rows get several options."""
    if run.scenario.slots == 1:
        return {name: dt.column_of(name) for name in run.scenario.levers}
    lever = next(iter(run.scenario.levers))
    return {f"{lever}_{place}": column for place, column in enumerate(dt.columns_of(run.scenario, lever), 1)}


def _remember(run: dt.Run, before: pd.DataFrame, said: pd.DataFrame) -> None:
    """A row whose setting was changed is locked; unticking it gives it back."""
    locks = _locks(run)
    changed = False
    for old, new in zip(before.to_dict("records"), said.to_dict("records"), strict=True):
        row = int(new["row"])
        moved = {}
        for name, column in _settable(run).items():
            if not _same(old[column], new[column]):
                moved[name] = new[column]
        told = {name: new[column] for name, column in _settable(run).items()}
        wanted = told if new["lock"] or (moved and row not in locks) else None
        if wanted != locks.get(row):
            changed = True
            locks.pop(row, None) if wanted is None else locks.update({row: wanted})
    if changed:
        st.session_state["anew"] = st.session_state.get("anew", 0) + 1
        st.rerun()


def _same(one: Any, other: Any) -> bool:
    return bool(np.isclose(one, other)) if isinstance(one, float) else one == other


def _locking(run: dt.Run, now: dt.Recommendations) -> None:
    """Choose the other rows again around those that are locked."""
    locks, key = _locks(run), f"chosen again {target.key(run)}"
    done = st.session_state.get(f"{key} with")
    with st.container(border=True):
        head = f"**{len(locks):,} rows are locked.** " if len(locks) != 1 else "**One row is locked.** "
        if not locks:
            head = "**No row is locked.** Tick a row, or change a setting in it, to keep that whatever else is chosen. "
        elif now.policy in {"current", "do_nothing", "single"}:
            head += "The others keep the one setting for all. "
        else:
            head += "The others can be chosen again, within every limit. "
        st.markdown(head)
        with st.container(horizontal=True, vertical_alignment="center"):
            fresh = bool(locks) and done != repr(sorted(locks.items()))
            again = st.button("Choose the others again", type="primary", disabled=not fresh)
            back = st.button("Unlock all", disabled=not locks and done is None)
            if locks and fresh:
                st.caption("The table below the locks is not chosen again yet.")
            elif locks:
                st.caption("Chosen again with these locks; downloads hold this table.")
    if back:
        _locks(run).clear()
        for name in (key, f"{key} with"):
            st.session_state.pop(name, None)
        st.session_state["anew"] = st.session_state.get("anew", 0) + 1
        st.rerun()
    if again:
        try:
            with st.spinner("Choosing again …"):
                st.session_state[key] = run.recommend(locked=locks)
        except dt.DrivetrainError as error:
            tell(error)
            return
        st.session_state[f"{key} with"] = repr(sorted(locks.items()))
        st.session_state["anew"] = st.session_state.get("anew", 0) + 1
        st.rerun()


def _take_away(run: dt.Run, now: dt.Recommendations, kept: Any) -> None:
    with st.container(horizontal=True):
        for kind, mime in KINDS.items():
            st.download_button(
                f"Download {kind}",
                partial(_bytes, run, now, kept, kind),
                file_name=f"{run.scenario.name}.{kind}",
                mime=mime,
                key=f"take-{kind}",
                on_click="ignore",
                help=f"The {len(kept):,} rows that the filters leave, in this order.",
            )


def _bytes(run: dt.Run, now: dt.Recommendations, kept: Any, kind: str) -> bytes:
    """The run's own file where all rows are wanted as they are, else the same written from the rows that are left."""
    whole = now is run.recommendations and np.array_equal(kept, np.arange(len(now)))
    own = run.folder / f"recommendations.{kind}" if run.folder is not None else None
    if whole and own is not None and own.is_file():
        return own.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"actions.{kind}"
        dt.write(now.frame.iloc[kept], path)
        return path.read_bytes()


def _columns(run: dt.Run, frame: pd.DataFrame) -> dict[str, Any]:
    """How columns read: units in their names, three digits; levers with their bounds, options and fineness."""
    numbers = [name for name in frame.columns if pd.api.types.is_float_dtype(frame[name])]
    unit = run.scenario.objective.unit
    labels = {"gain": in_unit("gain", unit), "objective": in_unit("expected objective", unit)}
    out: dict[str, object] = {
        "lock": st.column_config.CheckboxColumn("lock", help="Keep this row as it is", width="small"),
        "row": st.column_config.NumberColumn("row", format="%d", help="Number of the row in the data, from 1"),
        **{
            name: st.column_config.NumberColumn(labels.get(name, name.replace("_", " ")), format=_form(frame[name]))
            for name in numbers
        },
        "reason": st.column_config.TextColumn("reason", width="large"),
    }
    for name, column in _settable(run).items():
        lever = run.scenario.levers.get(name) or next(iter(run.scenario.levers.values()))
        label = in_unit(name, lever.unit)
        if lever.kind == "categorical" and len(lever.options) <= 1000:
            out[column] = st.column_config.SelectboxColumn(label, options=list(lever.options), required=True)
        elif lever.kind in {"continuous", "integer"}:
            low, high = ((each if isinstance(each, int | float) else None) for each in (lever.min, lever.max))
            form = "%d" if lever.kind == "integer" else f"%.{max(0, dt.scenario.places(lever))}f"
            out[column] = st.column_config.NumberColumn(
                label, min_value=low, max_value=high, step=lever.step, format=form, required=True
            )
    return out


def _form(values: pd.Series) -> str:
    """As many decimals as leave three digits to the larger numbers in sight."""
    size = float(values.abs().quantile(0.9)) if values.notna().any() else 0.0
    return f"%.{min(6, max(0, 2 - int(np.floor(np.log10(size)))))}f" if size > 0 else "%.0f"


def _order(run: dt.Run, frame: pd.DataFrame) -> list[str]:
    """What to do and why first, the rest after it."""
    first = ["lock", "row", *finding.columns(run), "gain", "reason", "gain_low", "gain_high"]
    first = [name for name in first if name in frame]
    return [*first, *(name for name in frame.columns if name not in first)]


def _spread(run: dt.Run) -> None:
    gains = dt.figures.gains(run, look())
    if gains is not None:
        st.header("Expected gains, row by row")
        draw(gains, "gains", "How expected gains are spread over rows")
