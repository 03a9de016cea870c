"""A new scenario from a file of rows, in a few questions."""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from pathlib import Path

import pandas as pd
import streamlit as st
import target
from drawing import plain
from faults import tell

import drivetrain as dt

MOST_MB = 200
KINDS = ["csv", "tsv", "txt", "parquet", "xlsx"]
"""Endings of files of rows."""


def show(*, opened: bool) -> None:
    """The questions, behind a line that opens them."""
    with st.expander("A new scenario from a file of rows", expanded=opened):
        path = _rows()
        if path is not None:
            try:
                _questions(path)
            except dt.DrivetrainError as error:
                tell(error)
                _not_kept(path)


def _rows() -> Path | None:
    """A file that lies in `scenarios/`, or one that is brought."""
    files = [each for kind in KINDS for each in sorted(target.SCENARIOS.glob(f"*.{kind}"))]
    left, right = st.columns(2)
    with left:
        brought = st.file_uploader("Bring one (CSV, Parquet or Excel)", KINDS, max_upload_size=MOST_MB)
    with right:
        word = st.selectbox("Or take one that is here", ["", *map(str, files)], key="rows_file")
    if brought is not None:
        return _kept(brought.name, brought.getvalue())
    return Path(word) if word else None


def _kept(name: str, content: bytes) -> Path:
    """The file in `scenarios/` with this content: one that is there already, or a new one under a free name."""
    target.SCENARIOS.mkdir(exist_ok=True)
    stem, suffix, mark = dt.drafting.scenario_name(Path(name).stem), Path(name).suffix.lower(), sha256(content).digest()
    for number in count(1):
        path = target.SCENARIOS / (f"{stem}_{number}{suffix}" if number > 1 else f"{stem}{suffix}")
        if not path.exists():
            break
        if path.stat().st_size == len(content) and sha256(path.read_bytes()).digest() == mark:
            return path
    with dt.replacing(path) as temporary:
        temporary.write_bytes(content)
    st.session_state["brought"] = str(path)
    return path


def _not_kept(path: Path) -> None:
    """A file that was just brought and cannot be read does not stay among the scenarios."""
    if st.session_state.pop("brought", None) == str(path):
        path.unlink(missing_ok=True)


def _questions(path: Path) -> None:
    found = _guessed(str(path), path.stat().st_mtime_ns)
    st.session_state.pop("brought", None)  # it can be read, and stays
    st.markdown("**What is each column?** Guessed from names and values: change what is wrong.")
    lines = [
        {"part": each.part, "column": each.label, "because": each.why, "values": _values(each), "missing": each.missing}
        for each in sorted(found, key=lambda each: dt.drafting.PARTS.index(each.part))
    ]
    kinds = {
        "because": st.column_config.TextColumn(width="large"),
        "part": st.column_config.SelectboxColumn("part", options=list(dt.drafting.PARTS), required=True),
    }
    said = st.data_editor(
        pd.DataFrame(lines),
        hide_index=True,
        disabled=["column", "because", "values", "missing"],
        column_config=kinds,
        key=f"parts {path}",
        alt="Each column of the file and the part it plays",
    )
    parts = {line["column"]: line["part"] for line in said.to_dict("records")}
    changed = {name: part for name, part in parts.items() if part != next(e.part for e in found if e.label == name)}
    found = dt.drafting.assigned(found, changed)
    _strange(found)
    guess, bad = dt.drafting.objective(found)
    with st.form(f"new {path}", border=False):
        title = st.text_input("The question", placeholder="What should a ticket cost?")
        left, middle, right = st.columns([1, 3, 1])
        side = left.selectbox("What you want is", ["as high", "as low"], index=int(bad), help="as possible")
        names = ", ".join(each.name for each in found if each.part != "leave out")
        formula = middle.text_input("A formula of these names", guess, help=f"Names: {names}.")
        unit = right.text_input("Its unit, for one row", placeholder="EUR per visitor")
        drawn = st.checkbox("The settings in these rows were drawn at random, as in an experiment")
        if not st.form_submit_button("Write the scenario", type="primary"):
            return
    answers = dt.drafting.Answers(title, formula, side == "as low", unit, "randomised" if drawn else "observational")
    _written(path, dt.drafting.draft(path, found, answers, relative_to=target.SCENARIOS))


def _strange(found: tuple[dt.drafting.Guess, ...]) -> None:
    """Cells that are not of their column's kind: a model cannot read them."""
    for each in found:
        if each.strays and each.part != "leave out":
            st.warning(plain(str(dt.drafting.strange_cells(each))))
    if found[0].missing_as:
        st.caption(plain(f"Read as missing: {', '.join(found[0].missing_as)}."))


@st.cache_data(max_entries=8, show_spinner="Looking at the columns …")
def _guessed(path: str, _changed: int) -> tuple[dt.drafting.Guess, ...]:
    return dt.drafting.guess(path)


def _values(each: dt.drafting.Guess) -> str:
    if each.of_date == "days":
        return " to ".join(dt.rounding.known(end, each.kind, "days") for end in (each.low, each.high))
    if each.kind == "numeric":
        return f"{each.low:,.4g} to {each.high:,.4g}"
    if each.options:
        return ", ".join(each.options[:4]) + (" …" if len(each.options) > 4 else "")
    return "yes or no" if each.kind == "yes_no" else f"{each.distinct:,} different"


def _written(path: Path, text: str) -> None:
    name = dt.drafting.scenario_name(path.stem)
    names = (f"{name}_{number}" if number > 1 else name for number in count(1))
    file = next(each for name in names if not (each := target.SCENARIOS / f"{name}.yaml").exists())
    file.write_text(text, encoding="utf-8")
    st.session_state["next"] = str(file)
    st.rerun()
