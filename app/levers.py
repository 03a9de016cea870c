"""Levers: move them, for everyone, a segment or one row, and see what models expect; the link holds it all."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import asking
import curves
import numpy as np
import streamlit as st
import target
import terms
import who
from drawing import LINKED, empty, figure_card, in_unit, plain
from faults import tell

import drivetrain as dt


def show(run: dt.Run) -> None:
    """The page."""
    st.title("What if?")
    st.caption(
        "What the models expect when levers move. Predictions only: what is honestly known stands on the Decision page."
    )
    if any(each.kind == "categorical" and len(each.options) > 200 for each in run.scenario.levers.values()):
        empty("Too many options for sliders.", "Here options are ranked: see the Actions page, or drivetrain rank.")
        return
    _page(run)


@st.fragment
def _page(run: dt.Run) -> None:
    """All that a slider changes; the rest of the page stays as it is."""
    controls, answers = st.columns([1, 2], gap="large")
    with controls, st.container(key="controls"):
        group = asking.whom(run)
        setting = tuple((name, _lever(run, name)) for name in run.scenario.levers)
        _rules(run)
        moves = _moves(run, group)
        _back(run)
    with answers:
        if not asking.many(run, group):
            empty(
                "No row is like this.", "Widen the segment: choose more values, or fewer inputs to tell rows apart by."
            )
            return
        if run.scenario.slots > 1 and not setting[0][1] and run.scenario.space.do_nothing is None:
            empty("Nothing is chosen.", f"Choose up to {run.scenario.slots} options of {setting[0][0]}.")
            return
        _answers(run, group, setting, moves)


def _lever(run: dt.Run, name: str) -> Any:
    """A slider or a choice for one lever, standing at the best single setting."""
    lever, key = run.scenario.levers[name], f"set_{name}"
    start = run.scenario.space.decode(np.array(run.judged.single))[name].iloc[0]
    label = plain(_with_unit(name, lever))
    about: dict[str, Any] = {"key": key, **LINKED}
    about["help"] = plain(lever.description) or None
    if lever.frozen:
        at = run.scenario.space.decode(run.scenario.space.current)[name].iloc[0]
        st.caption(f"**{label}** stays at {plain(dt.rounding.said(lever, at))}: the scenario freezes it.")
        return at
    if run.scenario.slots > 1:
        return _several(run, lever, label, about)
    if lever.kind == "categorical":
        return st.selectbox(label, list(lever.options), index=lever.options.index(start), **about)
    if lever.kind == "yes_no":
        return st.toggle(label, value=bool(start), **about)
    if lever.kind == "integer":
        return st.slider(label, lever.min, lever.max, int(start), lever.step, **about)
    step = lever.step or 10.0 ** np.floor(np.log10((lever.max - lever.min) / 100))
    about["format"] = f"%.{max(0, -int(np.floor(np.log10(step) + 1e-9)))}f" if not lever.step else None
    return st.slider(label, float(lever.min), float(lever.max), _stop(run, name, step), float(step), **about)


def _several(run: dt.Run, lever: Any, label: str, about: dict[str, Any]) -> tuple[str, ...]:
    """The options that a row gets together, standing at those that are best for all; slots left over stay empty."""
    many, options = run.scenario.slots, [each for each in lever.options if each != lever.settled]
    best = [lever.options[int(code)] for code in run.judged.slots or run.judged.single]
    start = [each for each in best if each in options]
    about["help"] = about["help"] or "Slots that are left over stay empty."
    return tuple(st.multiselect(f"{label}, up to {many}", options, start, max_selections=many, **about))


@st.cache_data(hash_funcs=target.HASHED, max_entries=256, show_spinner=False)
def _stop(run: dt.Run, name: str, step: float) -> float:
    """The slider's stop nearest to the best single setting that the data supports; the nearest where none is."""
    lever: Any = run.scenario.levers[name]
    place, best = asking.place(run, name), np.array(run.judged.single)
    steps = np.floor((best[place] - lever.min) / step) + np.array([0, 1])
    stops = np.clip(lever.min + steps * step, lever.min, lever.max)
    stops = stops[np.argsort(np.abs(stops - best[place]))]
    settings = np.tile(best, (2, 1))
    settings[:, place] = stops
    known = run.simulator.support.holds(settings)
    return round(float(stops[known][0] if known.any() else stops[0]), 10)


def _moves(run: dt.Run, group: asking.Group) -> asking.Moves:
    """Inputs that are moved although nobody can set them: by so much for a group, to something for one row."""
    alone = bool(group) and group[0][0] == "row"
    numeric = [name for name, each in run.scenario.inputs.items() if each.kind == "numeric"]
    if not numeric:
        return ()
    out = []
    with st.expander("What nobody can set"):
        st.caption("Move an input, and see what would happen in another year, another place, another market.")
        for name in numeric:
            declared, by = run.scenario.inputs[name], _usual(run, name)
            label = plain(in_unit(f"{name}, more or less" if not alone else f"{name}, moved by", declared.unit))
            step = 10.0 ** np.floor(np.log10(by / 10))
            reach = float(np.ceil(2 * by / step) * step)
            value = st.slider(label, -reach, reach, 0.0, float(step), key=f"move_{name}", **LINKED)
            if value:
                out.append((name, float(value)))
    return tuple(out)


def _rules(run: dt.Run) -> None:
    """What the scenario says of single rows, said where levers are moved."""
    told = dt.rules(run.scenario)
    if told:
        st.caption("  \n".join(f"Rule: {plain(each)}." for each in told))


@st.cache_data(hash_funcs=target.HASHED, max_entries=256, show_spinner=False)
def _usual(run: dt.Run, name: str) -> float:
    """How far rows usually are apart in an input."""
    return float(run.table.frame[name].std()) or 1.0


def _back(run: dt.Run) -> None:
    def back() -> None:
        for name in [
            *(f"set_{name}" for name in run.scenario.levers),
            *(f"move_{name}" for name in run.scenario.inputs),
        ]:
            st.session_state.pop(name, None)

    what = "options for all" if run.scenario.slots > 1 else "single setting"
    st.button(f"Back to the best {what}", on_click=back)


def _answers(run: dt.Run, group: asking.Group, setting: asking.Setting, moves: asking.Moves) -> None:
    what_if, now = _simulated(run, group, setting, moves), _before(run, group, moves)
    if not what_if.supported:
        st.warning(
            "The data has not seen enough around this setting. What follows is a guess beyond it (extrapolation), and "
            "would not be recommended."
        )
    if broken := _breaches(run, group, setting, moves):
        st.warning(
            "Against the scenario's rules: "
            + plain("; ".join(f"{words} ({share:.0%} of rows)" for words, share in broken.items()))
            + ". Such settings are never recommended."
        )
    _numbers(run, what_if, now)
    names = list(what_if.estimates)
    of = st.segmented_control(
        "Show",
        names,
        default="objective",
        required=True,
        key="of_what",
        **LINKED,
        format_func=lambda name: _label(run, name),
    )
    curves.along(run, group, setting, moves, of)
    if sum(not lever.frozen for lever in run.scenario.levers.values()) > 1:
        curves.together(run, group, setting, moves, of)
    if group and group[0][0] == "row":
        _who(run, group[0][1], of, setting)
    _keep(run, group, setting, moves, what_if)


@st.cache_resource(hash_funcs=target.HASHED, max_entries=512, show_spinner=False)
def _simulated(run: dt.Run, group: asking.Group, setting: asking.Setting, moves: asking.Moves) -> dt.WhatIf:
    return run.what_if(dict(setting), rows=asking.moved(run, group, moves), against=False)


@st.cache_resource(hash_funcs=target.HASHED, max_entries=128, show_spinner=False)
def _breaches(run: dt.Run, group: asking.Group, setting: asking.Setting, moves: asking.Moves) -> dict[str, float]:
    return dt.breaches(run, dict(setting), asking.moved(run, group, moves))


@st.cache_resource(hash_funcs=target.HASHED, max_entries=128, show_spinner=False)
def _before(run: dt.Run, group: asking.Group, moves: asking.Moves) -> dt.WhatIf | None:
    """What rows have now, where it is known; several options beside empty slots, since rows have had one each."""
    rows, several = asking.moved(run, group, moves), run.scenario.slots > 1
    if several and run.scenario.space.do_nothing is not None:
        return run.what_if("do_nothing", rows=rows, against=False)
    return None if several or np.isnan(rows.settings).any() else run.what_if(rows=rows, against=False)


def _numbers(run: dt.Run, what_if: dt.WhatIf, now: dt.WhatIf | None) -> None:
    """Objective first, then outcomes: what if, beside now."""
    names = list(what_if.estimates)
    before = "the experiment" if dt.words.policy(run.scenario, "current") != dt.NAMES["current"] else "today"
    before = "empty slots" if run.scenario.slots > 1 else before
    across = 2 if len(names) in {2, 4} else 3
    columns: list[Any] = []
    for place, name in enumerate(names):
        if place % across == 0:
            columns = st.columns(min(across, len(names)))
        told = what_if.estimates[name]
        change = ""
        if now is not None:
            moved = told.value - now.estimates[name].value
            change = f"{'+' if moved > 0 else ''}{dt.rounding.number(moved)}" if abs(moved) > 0 else ""
        better = "normal" if name != "objective" or run.scenario.objective.sign > 0 else "inverse"
        figure_card(
            columns[place % across],
            plain(in_unit(name, dt.figures.unit_of(run, name))),
            dt.rounding.interval(told)[0],
            dt.rounding.sure(told, "models' spread"),
            delta=change or None,
            delta_description=f"against {before}" if change else None,
            delta_color=better if name == "objective" else "off",
            help=terms.SPREAD + " It is not judged by evidence.",
        )


def _keep(run: dt.Run, group: asking.Group, setting: asking.Setting, moves: asking.Moves, what_if: dt.WhatIf) -> None:
    """Keep this what-if for the Compare page; its link asks it again."""
    asked, all_ = len(asking.rows(run, group)), asking.many(run, group)
    few = f"Means over {asked:,} of the {all_:,} rows, evenly taken, so that answers come at once.  \n"
    address = "The address of this page holds all that is set here: send it, and others see the same."
    st.caption(few * (asked < all_) + address)
    if run.folder is None or who.only_looks("Keeping what-ifs"):
        return
    with st.popover("Keep this what-if"), st.form("keep", border=False):
        name = st.text_input("A name for it", placeholder="half price in the north")
        if not st.form_submit_button("Keep it", type="primary"):
            return
    told = [f"{lever} {_said(run.scenario.levers[lever], value)}" for lever, value in setting]
    whom = [asking.told(group, run), *told, *(f"{input_} {by:+g}" for input_, by in moves)]
    link, known = urlencode(st.query_params.to_dict(), doseq=True), what_if.supported
    try:
        dt.what_ifs.keep(
            run.folder.parent, name, run.folder.name, ", ".join(whom), link, what_if.estimates, supported=known
        )
    except dt.DrivetrainError as error:
        tell(error)
        return
    st.success("Kept: the Compare page has it.")


def _said(lever: Any, value: Any) -> str:
    """A setting in words, or the options that rows get together."""
    return " + ".join(value) or "none" if isinstance(value, tuple) else dt.rounding.said(lever, value)


def _who(run: dt.Run, place: int, of: str, setting: asking.Setting) -> None:
    """Who this row is, what that adds to what is expected of it, and the rows most like it."""
    known = {plain(name): value for name, value in asking.known(run, place).items()}
    st.header("This row")
    st.table(known, border="horizontal")
    if of == "objective" or of in run.scenario.outcomes:
        st.header("What each thing known of it adds", help=terms.SPLIT)
        asking.split(run, place, of, setting)
    st.header("Rows most like it", help=terms.ALIKE)
    asking.alike(run, place)


def _with_unit(name: str, declared: Any) -> str:
    return f"{name} ({declared.unit})" if declared.unit else name


def _label(run: dt.Run, name: str) -> str:
    if name == "objective":
        return in_unit("objective", run.scenario.objective.unit)
    outcome = run.scenario.outcomes.get(name)
    return in_unit(name, outcome.unit) if outcome is not None else name
