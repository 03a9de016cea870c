"""What the dashboard looks at: a run folder, or a scenario that has not been run yet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from faults import tell

import drivetrain as dt

RUNS, SCENARIOS = Path("runs"), Path("scenarios")


def page(show: Callable[[dt.Run], None]) -> Callable[[], None]:
    """A page that shows a run, whichever is chosen; a scenario without a run is offered to be run."""

    def shown() -> None:
        chosen = choose()
        if chosen is None:
            _nothing()
        elif chosen.is_dir():
            run = opened(str(chosen), (chosen / "manifest.json").stat().st_mtime_ns if _whole(chosen) else 0)
            if run.evidence is None:
                st.info(f"{chosen} was only trained. Run its scenario to get a decision.")
            else:
                _about(run)
                show(run)
        else:
            _to_run(chosen)

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
        st.markdown("#### Looking at")
        word = st.selectbox("Run or scenario", words, key="of", bind="query-params", label_visibility="collapsed")
    return known[word]


def _about(run: dt.Run) -> None:
    """In the sidebar: what was run, on what, when; and the report to take away."""
    with st.sidebar:
        grade = dt.words.grounds(run.judged)[0].lower()
        lines = [
            f"{len(run.table):,} rows of {run.table.source}",
            f"evidence: {grade}",
            f"made {run.record['made'][:10]}",
        ]
        st.caption("  \n".join(lines))
        st.download_button(
            "Download the report",
            lambda: dt.report.html(run),
            file_name=f"{run.scenario.name}.html",
            mime="text/html",
            help="One HTML file that can be mailed: it needs nothing else.",
            width="stretch",
        )


def choices() -> dict[str, Path]:
    """By their words: what was named on the command line, then runs, then scenarios; nothing else can be opened."""
    named = [Path(word) for word in sys.argv[1:2] if Path(word).exists()]
    runs = sorted(folder for folder in RUNS.glob("*") if _whole(folder))
    scenarios = sorted(SCENARIOS.glob("*.yaml"))
    return {str(path): path for path in [*named, *runs, *scenarios]}


@st.cache_resource(max_entries=4, show_spinner="Opening the run …")
def opened(folder: str, _changed: int) -> dt.Run:
    """A run folder, read and checked once for all who look at it."""
    return dt.open_run(folder)


def _whole(folder: Path) -> bool:
    return (folder / "manifest.json").is_file()


def _nothing() -> None:
    st.title("Nothing to look at yet")
    st.markdown(
        "There is no run in `runs/` and no scenario in `scenarios/`. Name one when you open the dashboard:\n\n"
        "```\ndrivetrain run scenarios/cash_incentive.yaml\ndrivetrain dashboard runs/cash_incentive\n```"
    )


def _to_run(path: Path) -> None:
    """A scenario: what it asks, and a button that answers it."""
    try:
        scenario = dt.load_scenario(path)
    except dt.DrivetrainError as error:
        st.title(path.name)
        tell(error)
        return
    st.title(scenario.title)
    st.write(scenario.description.strip())
    goal = "Maximise" if scenario.objective.sign > 0 else "Minimise"
    st.markdown(f"{goal} `{scenario.objective.text}` by setting **{', '.join(scenario.levers)}**.")
    out = RUNS / scenario.name
    if _whole(out):
        st.caption(f"There is a run of it already: {out}. Running again replaces it.")
    if st.button("Run it", type="primary"):
        _run(scenario, out)


def _run(scenario: dt.Scenario, out: Path) -> None:
    with st.status("Running …", expanded=True) as status:
        try:
            RUNS.mkdir(exist_ok=True)
            dt.run(scenario, out, progress=lambda words: status.update(label=words), finish=dt.report.write)
        except dt.DrivetrainError as error:
            status.update(label="It could not be run", state="error")
            tell(error)
            return
        status.update(label="Done", state="complete")
    st.session_state["next"] = str(out)
    st.rerun()
