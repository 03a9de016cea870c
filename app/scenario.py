"""Scenario: the file, checked as it is written; a form for its usual parts; a new one from a file of rows; runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import newcomer
import pandas as pd
import streamlit as st
import target
import who
from drawing import empty, plain, table
from faults import tell

import drivetrain as dt

LONG = 60
"""A formula with more signs than these gets a field of several lines."""


def show(chosen: Path | None) -> None:
    """The page."""
    st.title("Scenario")
    if who.only_looks("Writing and running scenarios"):
        if chosen is not None:
            st.code(_file_text(chosen, _file(chosen)), language="yaml")
        return
    newcomer.show(opened=chosen is None)
    if chosen is None:
        empty("There is no scenario yet.", "Begin with a file of rows, above.")
        return
    path = _file(chosen)
    text = _text(chosen, path)
    st.caption(plain(f"{path}. What is changed here is kept once it is saved."))
    form, file = st.tabs(["Form", "File"], default=None if _parses(path) else "File")
    with file:
        _editor(path, text)
    sound = _checked(st.session_state[_key(path)], path)
    if sound is not None and (told := _astray(sound, path)):
        tell(dt.UsageError(*told))
        return
    with form:
        _form(path, None if sound is None else sound.declared)
    _keep_and_run(path, text, sound)


def _parses(path: Path) -> bool:
    """Whether the file on disk is sound: where it is not, the page opens on it, and not on the form that waits."""
    try:
        dt.scenario.parse(st.session_state[f"on disk {path}"], str(path), path)
    except dt.DrivetrainError:
        return False
    return True


def _file(chosen: Path) -> Path:
    """The scenario file behind what is chosen: of a run the file of its name, which may not exist yet."""
    if not chosen.is_dir():
        return chosen
    return target.SCENARIOS / f"{target.opened(chosen).scenario.name}.yaml"


def _text(chosen: Path, path: Path) -> str:
    """The file's text as it is on disk; the run's own where there is no file."""
    text = _file_text(chosen, path)
    if st.session_state.get(f"on disk {path}") != text:  # first seen, or changed by somebody else
        st.session_state[f"on disk {path}"] = text
        st.session_state[_key(path)] = text
    return text


def _file_text(chosen: Path, path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else target.opened(chosen).scenario.text


def _key(path: Path) -> str:
    return f"draft {path}"


def _editor(path: Path, text: str) -> None:
    """The draft outlives the widget: it is kept under a name of its own while the reader looks at other pages."""
    widget = f"editor {path}"
    if st.session_state.get(widget) != st.session_state[_key(path)]:
        st.session_state[widget] = st.session_state[_key(path)]

    def changed() -> None:
        st.session_state[_key(path)] = st.session_state[widget]

    lines = max(12, min(40, text.count("\n") + 2))
    st.text_area(
        "The file (YAML); it is checked when you leave the field or press Ctrl+Enter",
        key=widget,
        height=lines * 22,
        on_change=changed,
    )


def _checked(text: str, path: Path) -> dt.Scenario | None:
    """The scenario, or what is wrong with it, each fault with its line."""
    try:
        sound = dt.scenario.parse(text, str(path), path)
    except dt.DrivetrainError as error:
        tell(error)
        return None
    st.success("The scenario is sound.")
    st.table({part: plain(said) for part, said in dt.scenario.in_words(sound).items()}, border="horizontal")
    for remark in dt.scenario.remarks(sound):
        st.caption(plain(remark))
    return sound


def _astray(sound: dt.Scenario, path: Path) -> list[dt.Fault]:
    """What a draft from another machine names outside of the scenario's folder, where the file itself does not yet."""
    if who.alone():
        return []
    try:
        known = dt.scenario.outside(dt.scenario.load(path))
    except dt.DrivetrainError:
        known = {}
    rule = "From other machines only files in the scenario's folder can be named"
    cure = "Put the file there, or have it named by whoever keeps this place"
    new = {key: word for key, word in dt.scenario.outside(sound).items() if known.get(key) != word}
    return [dt.Fault(key, f"found {word}", rule, cure) for key, word in new.items()]


def _form(path: Path, sound: dt.Scenario | None) -> None:
    if sound is None:
        empty("The form waits for a sound file.", "Mend the file first, under File; its faults stand below.")
        return
    with st.form(f"form {path}", border=False):
        changes = _question(sound) | _levers(sound) | _numbers(sound) | _rest(sound)
        if not st.form_submit_button("Take over into the file"):
            return
    draft = _key(path)
    try:
        text = dt.scenario.edited(st.session_state[draft], changes)
        dt.scenario.parse(text, str(path))
    except dt.DrivetrainError as error:  # the form stays as it was filled in
        tell(error)
        st.caption("It was not taken over: the file is as it was.")
        return
    st.session_state[draft] = text
    st.rerun()


def _question(sound: dt.Scenario) -> dict[Any, Any]:
    """What is asked."""
    objective = sound.objective
    now = "maximise" if objective.sign > 0 else "minimise"
    title = st.text_input("The question", sound.title)
    left, middle, right = st.columns([1, 3, 1])
    with left:
        side = st.selectbox("Direction", ["maximise", "minimise"], index=["maximise", "minimise"].index(now))
    with middle:
        about: dict[str, Any] = {"help": "A formula over levers, inputs, outcomes, parameters."}
        long = len(objective.text) > LONG
        text = (st.text_area if long else st.text_input)("Objective", objective.text, **about)
    with right:
        unit = st.text_input("Its unit", objective.unit, help="For one row, such as EUR per visitor.")
    other = "minimise" if side == "maximise" else "maximise"
    changes = {("title",): title, ("objective", other): None, ("objective", side): text}
    return changes | ({("objective", "unit"): unit} if unit != objective.unit else {})


def _levers(sound: dt.Scenario) -> dict[Any, Any]:
    """The bounds of numeric levers."""
    lines = [
        {"lever": name, "lowest": each.min, "highest": each.max, "step": each.step, "doing nothing": each.do_nothing}
        for name, each in sound.levers.items()
        if each.kind in {"continuous", "integer"} and not isinstance(each.min, str) and not isinstance(each.max, str)
    ]
    if not lines:
        return {}
    st.markdown("**Levers and their bounds**")
    before = pd.DataFrame(lines)
    after = st.data_editor(
        before, hide_index=True, disabled=["lever"], key="form-levers", placeholder="", alt="Bounds of levers"
    )
    keys = {"lowest": "min", "highest": "max", "step": "step", "doing nothing": "do_nothing"}
    changes: dict[Any, Any] = {}
    for old, new in zip(lines, after.to_dict("records"), strict=True):
        name = str(old["lever"])
        whole = sound.levers[name].kind == "integer"
        for label, key in keys.items():
            value = None if pd.isna(new[label]) else int(new[label]) if whole else float(new[label])
            if value != old[label]:
                changes[("levers", name, key)] = value
    return changes


def _numbers(sound: dt.Scenario) -> dict[Any, Any]:
    """Parameters."""
    if not sound.parameters:
        return {}
    st.markdown("**Numbers with a name**")
    changes: dict[Any, Any] = {}
    columns = st.columns(min(3, len(sound.parameters)))
    for place, (name, each) in enumerate(sound.parameters.items()):
        with columns[place % len(columns)]:
            label = plain(f"{name} ({each.unit})" if each.unit else name)
            value = st.number_input(label, value=each.value, format="%g", help=plain(each.description) or None)
            if value != each.value:
                changes[("parameters", name, "value")] = value
    return changes


def _rest(sound: dt.Scenario) -> dict[Any, Any]:
    """What gets one setting, how settings came about, and limits."""
    changes: dict[Any, Any] = {}
    left, right = st.columns(2)
    with left:
        kinds = ["row", "segment", "once"]
        unit = st.selectbox("One setting for each", kinds, index=kinds.index(sound.decide.unit))
        names = [name for name in sound.decide.by if name in sound.inputs]
        by = st.multiselect("Segments by", list(sound.inputs), default=names)
    with right:
        designs = ["randomised", "observational"]
        now = designs.index(sound.assignment.design)
        design = st.selectbox("How the settings in the data came about", designs, index=now)
    if unit != sound.decide.unit:
        changes[("decide", "unit")] = unit
    if tuple(by) != tuple(sound.decide.by):
        changes[("decide", "by")] = by if unit == "segment" and by else None
    if design != sound.assignment.design:
        changes[("assignment", "design")] = design
    for place, each in enumerate(sound.constraints):
        for key in ("at_most", "at_least"):
            bound = getattr(each, key)
            if isinstance(bound, int | float):
                said = f"{each.name}, {key.replace('_', ' ')}" + (f" ({each.unit})" if each.unit else "")
                value = st.number_input(plain(said), value=float(bound), format="%g")
                if value != bound:
                    changes[("constraints", place, key)] = value
    return changes


def _keep_and_run(path: Path, text: str, sound: dt.Scenario | None) -> None:
    draft = st.session_state[_key(path)]
    changed = draft != text or not path.is_file()
    with st.container(horizontal=True, vertical_alignment="center"):
        save = st.button("Save", disabled=not changed, help="Writes the file, sound or not.")
        undo = st.button("Undo", disabled=draft == text, help="Back to what the file holds.")
        look = st.button("Check the data", disabled=sound is None, help="Reads the rows and looks at every column.")
        run = st.button("Save and run" if changed else "Run", type="primary", disabled=sound is None)
    if undo:
        st.session_state[_key(path)] = text
        st.rerun()
    if save or (run and changed):
        _save(path, draft)
    if look:
        _look(draft, path)
    if run and sound is not None:
        _run(path, sound)
    elif save:
        st.rerun()


def _save(path: Path, draft: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with dt.replacing(path) as temporary:
        temporary.write_text(draft, encoding="utf-8")


def _look(draft: str, path: Path) -> None:
    try:
        with st.spinner("Reading the data …"):
            told = dt.data.load(dt.scenario.parse(draft, str(path), path))
    except dt.DrivetrainError as error:
        tell(error)
        return
    st.success(plain(f"The data is sound: {told.summary}."))
    notes = [{"found": each} for each in told.notes]
    if notes:
        table(pd.DataFrame(notes), "What was left out and noted")


def _run(path: Path, sound: dt.Scenario) -> None:
    """In a process of its own; the sidebar of every page tells how far it is."""
    out = target.RUNS / sound.name
    try:
        target.RUNS.mkdir(exist_ok=True)
        dt.background.start(path, out)
    except dt.DrivetrainError as error:
        tell(error)
        return
    st.rerun()
