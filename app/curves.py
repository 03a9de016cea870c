"""What models expect along a lever, along an input, and over two levers at once: the figures of the Levers page."""

from __future__ import annotations

from typing import Any

import asking
import numpy as np
import streamlit as st
import target
import terms
from drawing import LINKED, draw, look, plain

import drivetrain as dt

MOST_SIGNS = 40
"""Names that are longer together are a list to choose from; shorter ones lie beside each other."""


def along(run: dt.Run, group: asking.Group, setting: asking.Setting, moves: asking.Moves, of: str) -> None:
    """One curve: of what, along which lever or input; where many rows are asked about, some of them one by one."""
    names = [name for name, _ in setting if not run.scenario.levers[name].frozen]
    names += [name for name in run.scenario.inputs if name not in names]
    if not names:
        return
    lever, each = names[0], False
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(" ".join(names)) > MOST_SIGNS:
            lever = st.selectbox("Along", names, key="along", **LINKED)
        elif len(names) > 1:
            lever = st.segmented_control("Along", names, default=lever, required=True, key="along", **LINKED)
        if not (group and group[0][0] == "row"):
            each = st.toggle("Single rows", key="each", **LINKED, help=terms.SINGLE)
    if lever not in run.scenario.levers:
        told = _dependence(run, lever, group, setting, moves)
        draw(dt.figures.dependence(run, told, of, look(), each=each), "response", f"{of} along {lever}")
        st.caption("Nobody sets this: it is what the models have learned, the levers being as set.", help=terms.INPUT)
        return
    others = tuple((name, value) for name, value in setting if name != lever)
    answer = _response(run, lever, group, others, moves)
    draw(
        dt.figures.response(run, answer, of, look(), _marks(run, lever, dict(setting)[lever]), each=each),
        "response",
        f"{of} along {lever}",
    )
    said = ["One slot with each option, the others empty: several are taken to add what each adds by itself."]
    said = said if run.scenario.slots > 1 else []
    if against := int((answer.allowed < 1).sum()):
        start = "The other levers being as set, " if len(setting) > 1 else ""
        many = f"{against} of its {len(answer.allowed)} {'options' if run.scenario.slots > 1 else 'settings'}"
        said.append(f"{start}{many} break a rule of the scenario in some rows.")
    if said:
        st.caption("  \n".join(map(plain, said)))


def _marks(run: dt.Run, lever: str, value: Any) -> dict[str, Any]:
    """What is marked on the curve: where the lever stands, what is recommended for everyone, and today's setting."""
    place, space, several = asking.place(run, lever), run.scenario.space, isinstance(value, tuple)
    marks = {"what if": [float(space.parse({lever: each})[place]) for each in (value if several else (value,))]}
    if run.judged.recommended == "single":
        marks["recommended"] = list(run.judged.slots) if several else [run.judged.single[place]]
    today = space.current[place] if not np.isnan(space.current[place]) else None
    if today is not None:
        marks["today"] = [float(today)]
    return marks


def together(run: dt.Run, group: asking.Group, setting: asking.Setting, moves: asking.Moves, of: str) -> None:
    """Two levers at once."""
    st.header("Two levers at once", help=terms.SUPPORT)
    names = [name for name, _ in setting if not run.scenario.levers[name].frozen]
    left, right = st.columns(2)
    with left:
        across = st.selectbox("Across", names, key="across", **LINKED)
    with right:
        rest = [name for name in names if name != across]
        up = st.selectbox("Upwards", rest, key="upwards", **LINKED)
    others = tuple((name, value) for name, value in setting if name not in {across, up})
    answer = _surface(run, (across, up), group, others, moves)
    now, single = run.scenario.space.parse(dict(setting)), np.array(run.judged.single)
    pair = [asking.place(run, across), asking.place(run, up)]
    at = {"what if": tuple(now[pair]), "best single setting": tuple(single[pair])}
    draw(dt.figures.surface(run, answer, of, look(), at), "surface", f"{of} over {across} and {up}")
    st.caption("The strongest blue is best. Blank: the data has not seen enough around such a pair.")


@st.cache_resource(hash_funcs=target.HASHED, max_entries=256, show_spinner=False)
def _response(run: dt.Run, lever: str, group: asking.Group, others: asking.Setting, moves: asking.Moves) -> dt.Response:
    return run.respond(lever, asking.moved(run, group, moves), **dict(others))


@st.cache_resource(hash_funcs=target.HASHED, max_entries=128, show_spinner=False)
def _dependence(run: dt.Run, name: str, group: asking.Group, setting: asking.Setting, moves: asking.Moves) -> Any:
    return dt.dependence(run, name, dict(setting), rows=asking.moved(run, group, moves))


@st.cache_resource(hash_funcs=target.HASHED, max_entries=64, show_spinner="Asking about every pair of settings …")
def _surface(
    run: dt.Run, pair: tuple[str, str], group: asking.Group, others: asking.Setting, moves: asking.Moves
) -> Any:
    return dt.surface(run, *pair, asking.moved(run, group, moves).evenly(200), **dict(others))
