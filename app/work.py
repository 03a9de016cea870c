"""Work under way, on every page: what is being run, how far it is, and a way to stop it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
import who
from drawing import plain

import drivetrain as dt

LEFT = {"failed": "could not be run", "cancelled": "was cancelled", "lost": "was lost", "done": "is done"}


def under_way(folder: Path) -> None:
    """In the sidebar: every run in the making, looked at again every two seconds while there is one."""
    if not (known := dt.background.jobs(folder)):
        return
    with st.sidebar:
        _watched(str(folder), any(job.open for job in known))


def of(folder: Path, name: str) -> dt.background.Job | None:
    """The run of a scenario that is in the making, if there is one."""
    return next((job for job in dt.background.jobs(folder) if job.open and job.out.name == name), None)


def _watched(folder: str, alive: bool) -> None:
    st.fragment(_jobs, run_every=2 if alive else None)(folder, alive)


def _jobs(folder: str, alive: bool) -> None:
    known = dt.background.jobs(folder)
    for job in known:
        _job(job)
    if alive and not any(job.open for job in known):
        st.rerun()  # the whole page: there is a new run to look at


def _job(job: dt.background.Job) -> None:
    name = job.out.name
    with st.container(border=True):
        if job.open:
            st.markdown(f"**{plain(name)}** is being {'stopped' if job.unwanted else 'run'}")
            many = len(job.steps)
            st.caption(f"{plain(job.words)}  \n{many} step{'s' * (many != 1)} done, {clock(job.seconds)}")
            if who.may_change():
                about: dict[str, Any] = {"on_click": dt.background.cancel, "args": (job.out,), "width": "stretch"}
                st.button("Cancel", key=f"cancel-{name}", disabled=job.unwanted, **about)
            return
        st.markdown(f"**{plain(name)}** {LEFT[job.state]}")
        st.caption(clock(job.seconds) if job.state == "done" else plain(job.words))
        if job.state == "done" and st.button("Look at it", key=f"look-{name}", type="primary", width="stretch"):
            if who.may_change():
                dt.background.clear(job.out)
            st.session_state["next"] = str(job.out)
            st.switch_page(st.session_state["pages"]["Decision"])
        if who.may_change():
            st.button("Put away", key=f"clear-{name}", on_click=dt.background.clear, args=(job.out,), width="stretch")


def clock(seconds: float) -> str:
    """Seconds as people say them."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
