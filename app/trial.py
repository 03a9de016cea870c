"""The next randomised test, designed on the page and taken away as a file: who gets what, drawn with which chance."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st
import target
import terms
from drawing import empty, in_unit, plain
from faults import guarded

import drivetrain as dt

MODES = {
    "settle whether to act": "decide",
    "try what may be best (Thompson)": "thompson",
    "try the two likeliest to be best": "top_two",
}
SHARE = 0.01
"""Of what the rows earn, proposed as what may be given up."""


def show(run: dt.Run) -> None:
    """The section."""
    made = run.recommendations
    if made is None:
        return
    st.header("The next test", help=terms.TRIAL)
    if totals := [each.name for each in run.scenario.constraints if each.over != "each"]:
        empty(f"A draw for each row cannot keep {totals[0]}, which holds over all rows.", "Test without it.")
        return
    kept = f"next test {target.key(run)}"
    with st.form(kept, border=False):
        told = _asked(run)
        if st.form_submit_button("Design it"):
            with st.spinner("Designing the test …"):
                st.session_state[f"{kept} made"] = guarded(lambda: _designed(run, told))
    if designed := st.session_state.get(f"{kept} made"):
        _taken(run, designed)


def _asked(run: dt.Run) -> dict[str, Any]:
    """Who takes part, what may be lost, and what for."""
    unit, chosen = dt.rounding.summed(run.scenario.objective.unit), run.judged.chosen.estimate.value
    file = st.file_uploader(
        "Who takes part: rows with the inputs' columns; where none are given, the run's own",
        type=["csv", "tsv", "txt", "parquet"],
    )
    what, most, many = st.columns(3, vertical_alignment="bottom")
    mode = what.selectbox("What for", list(MODES))
    label = in_unit("What may be given up for learning, summed over the rows", unit)
    proposed = float(f"{abs(chosen) * SHARE * len(run.table):.1g}")
    loss = most.number_input(plain(label), min_value=0.0, value=proposed)
    size = many.number_input("Rows left to chance, at most", min_value=1, value=len(run.table), step=1)
    return {"file": file, "loss": float(loss), "mode": MODES[mode], "size": int(size)}


def _designed(run: dt.Run, told: dict[str, Any]) -> Any:
    asked = {"mode": told["mode"], "size": told["size"], "seed": run.scenario.seed}
    if told["file"] is None:
        return run.experiment(run.table, told["loss"], **asked)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{Path(told['file'].name).suffix}"
        path.write_bytes(told["file"].getvalue())
        return run.experiment(path, told["loss"], **asked)


def _taken(run: dt.Run, designed: Any) -> None:
    """What the test is likely to show, and the assignment as a file."""
    for line in designed.sentences(run.scenario.objective.unit):
        st.write(plain(line))
    st.caption("With what came of it in the outcomes' columns, the file is data: assignment: {propensity: propensity}")
    st.download_button(
        "Download the assignment",
        lambda: designed.frame.to_csv(index=False).encode(),
        file_name=f"{run.scenario.name}-next-test.csv",
        mime="text/csv",
        key="take-trial",
        on_click="ignore",
    )
