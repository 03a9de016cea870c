"""What the dashboard looks at: a run folder, or a scenario that has not been run yet."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from drawing import LINKED, empty, plain
from faults import tell
from work import of, under_way

import drivetrain as dt

RUNS, SCENARIOS = Path("runs"), Path("scenarios")


def page(show: Callable[[dt.Run], None]) -> Callable[[], None]:
    """A page that shows a run, whichever is chosen; what has not been run is sent to the Scenario page."""

    def shown() -> None:
        chosen = choose()
        under_way(RUNS)
        if chosen is None:
            _nothing()
        elif not chosen.is_dir():
            _not_run(chosen)
        else:
            run = opened(chosen)
            if run.evidence is None:
                empty(f"{chosen} was only trained.", "Run its scenario on the Scenario page to get a decision.")
            else:
                _about(run)
                show(run)

    shown.__name__ = show.__module__
    return shown


def free(show: Callable[[Path | None], None]) -> Callable[[], None]:
    """A page that needs no run: it gets what is chosen, whatever that is."""

    def shown() -> None:
        chosen = choose()
        under_way(RUNS)
        show(chosen)

    shown.__name__ = show.__module__
    return shown


def choose() -> Path | None:
    """The run or scenario that is chosen in the sidebar; it stands in the link."""
    known = choices()
    if not known:
        return None
    words = list(known)
    if "next" in st.session_state:  # a widget's value can only be set before the widget is made
        st.session_state["of"] = st.session_state.pop("next")
    with st.sidebar:
        word = st.selectbox("Looking at", words, key="of", **LINKED, help="A run, or a scenario.")
    return known[word if word in known else words[0]]


def choices() -> dict[str, Path]:
    """By their words: what was named on the command line, then runs, then scenarios; nothing else can be opened."""
    named = [Path(word) for word in sys.argv[1:2] if Path(word).exists()]
    scenarios = sorted(SCENARIOS.glob("*.yaml"))
    return {str(path): path for path in [*named, *runs(), *scenarios]}


def runs() -> list[Path]:
    """The run folders that can be opened: in `runs/`, and beside the one that was named."""
    named = [Path(word) for word in sys.argv[1:2] if whole(Path(word))]
    return [*named, *(folder for folder in sorted(RUNS.glob("*")) if whole(folder) and folder not in named)]


def opened(folder: Path) -> dt.Run:
    """A run folder, read and checked once for all who look at it, until it changes."""
    return _opened(str(folder), (folder / "manifest.json").stat().st_mtime_ns if whole(folder) else 0)


def key(run: dt.Run) -> str:
    """What tells one run from every other, for caches."""
    return f"{run.folder} {run.record['made']} {run.record['scenario_sha256']}"


HASHED: dict[str | type, Any] = {"drivetrain.assembly.result.Run": key}
"""For caches of what a run answers: two runs are told apart by their key, and never by what is in them."""


def whole(folder: Path) -> bool:
    """Whether it is a run folder."""
    return (folder / "manifest.json").is_file()


@st.cache_resource(max_entries=4, show_spinner="Opening the run …")
def _opened(folder: str, _changed: int) -> dt.Run:
    _fresh.add(folder)
    return dt.open_run(folder)


_fresh: set[str] = set()
"""Runs opened since `settle` was last called; modules, unlike the script, live as long as the server."""


def settle() -> None:
    """Once a run was opened and its first page drawn: set apart, from garbage, what will stay.

    Streamlit collects garbage after every answer. With torch and a run in memory that takes a fifth of a second each
    time, several times as long as the answer itself, unless Python is told that they are no garbage.
    """
    if _fresh:
        _fresh.clear()
        gc.collect()
        gc.freeze()


def _about(run: dt.Run) -> None:
    """In the sidebar: what was run, on what, when; and the report to take away."""
    with st.sidebar:
        grade = dt.words.grounds(run.judged)[0].lower()
        lines = [
            f"{len(run.table):,} rows of {run.table.source}",
            f"evidence: {grade}",
            f"made {run.record['made'][:10]}",
        ]
        st.caption("  \n".join(map(plain, lines)))
        st.download_button(
            "Download the report",
            lambda: dt.report.html(run),
            file_name=f"{run.scenario.name}.html",
            mime="text/html",
            help="One HTML file that can be mailed: it needs nothing else.",
            width="stretch",
            on_click="ignore",
        )


def _nothing() -> None:
    st.title("Nothing to look at yet")
    st.markdown("A **scenario** says what to make as high as possible, what can be set, and where the data is.")
    empty(
        "There is no run in runs/ and no scenario in scenarios/.",
        "Begin with a file of rows, such as last year's offers and what came of them: a few questions make a scenario "
        "of it. Or name a run when you open the dashboard: drivetrain dashboard runs/cash_incentive.",
    )
    to_scenario("Begin with a file of rows")


def to_scenario(label: str) -> None:
    """The way to the Scenario page."""
    if (pages := st.session_state.get("pages")) is not None:
        st.page_link(pages["Scenario"], label=f"**{label}** →")


def _not_run(path: Path) -> None:
    """A scenario: what it asks, and where it can be answered."""
    try:
        scenario = dt.scenario.load(path)
    except dt.DrivetrainError as error:
        st.title(path.name)
        tell(error)
        st.caption("It cannot be run before that. The Scenario page has the file, and checks it as you write.")
        to_scenario("Mend it on the Scenario page")
        return
    st.title(plain(scenario.title))
    st.write(plain(scenario.description.strip()))
    goal = "Maximise" if scenario.objective.sign > 0 else "Minimise"
    st.markdown(f"{goal} `{scenario.objective.text}` by setting **{plain(', '.join(scenario.levers))}**.")
    made = RUNS / scenario.name
    if of(RUNS, scenario.name) is not None:
        where = "The panel at the left (behind » on a phone)"
        empty("It is being run.", f"{where} tells how far it is; once it is done, a button there opens the answer.")
    elif whole(made):
        empty("It has been run.", f"What was found lies in {made}. To run it again, go to the Scenario page.")
        if st.button("Look at it", type="primary"):
            st.session_state["next"] = str(made)
            st.rerun()
    else:
        empty("It has not been run yet.", "Run it on the Scenario page; this page then shows what was found.")
        to_scenario("Check it and run it")
