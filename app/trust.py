"""Trust: how well the models predict, what the evidence is worth, and which rows were used."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from drawing import draw, look

import drivetrain as dt


def show(run: dt.Run) -> None:
    """The page."""
    st.title("Why trust it?")
    _evidence(run)
    _sealed(run)
    for place, (outcome, told) in enumerate(run.record["contest"].items()):
        _models(run, place, outcome, told)
    if pairs := run.explain()["interplay"]:
        st.subheader("Levers that act on each other")
        draw(dt.figures.interplay(pairs, run.scenario.objective.unit, look()), "interplay")
    _data(run)
    _again(run)


def _evidence(run: dt.Run) -> None:
    grade, meaning = dt.words.grounds(run.judged)
    st.subheader(f"Evidence: {grade.lower()}")
    st.write(meaning)
    if told := dt.words.inflation(run.scenario, run.judged):
        st.write(told)
    for line in dt.grounds.sentences(run.scenario, run.judged):
        st.markdown("- " + line.replace("$", r"\$"))
    if told := dt.grounds.lines(run.judged):
        st.dataframe(pd.DataFrame(told, columns=list(dt.grounds.HEADER)), hide_index=True)
    for each in run.judged.effects:
        unit = run.scenario.outcomes[each.outcome].unit
        st.write(f"Acting at all changes {each.outcome} by {dt.rounding.span(each.estimate, unit)}.")


def _sealed(run: dt.Run) -> None:
    """What the sealed test said; the dashboard never opens it."""
    told = dt.last_test.sentences(run.scenario, run.record)
    if told:
        st.subheader("The sealed test")
        lines = dt.last_test.lines(run.scenario, run.record)
        st.dataframe(pd.DataFrame(lines, columns=list(dt.last_test.HEADER)), hide_index=True)
        st.write(" ".join(told).replace("$", r"\$"))


def _models(run: dt.Run, place: int, outcome: str, told: dict) -> None:
    st.subheader(f"Models of {outcome}")
    left, right = st.columns(2, gap="large")
    with left:
        draw(dt.figures.contest(outcome, told, look()), f"contest-{place}")
        st.caption(dt.figures.judged(told))
    with right:
        if told.get("calibration"):
            declared = run.scenario.outcomes[outcome]
            unit = "share" if declared.kind == "binary" else declared.unit
            draw(dt.figures.calibration(outcome, told, unit, look()), f"calibration-{place}")
            st.caption("Points on the line mean that predictions can be taken at their word.")
    if relied := run.explain()["outcomes"].get(outcome):
        with left:
            draw(dt.figures.importance(outcome, relied, look()), f"importance-{place}")
            st.caption("How much worse held-out rows are predicted when one column's values are dealt anew.")
        if "confusion" in relied:
            with right:
                draw(dt.figures.confusion(outcome, relied["confusion"], look()), f"confusion-{place}")
                st.caption("Lines: what was observed. Columns: what blind models held most probable.")


def _data(run: dt.Run) -> None:
    told = run.record["data"]
    st.subheader("Data")
    st.write(
        f"{told['rows']:,} rows of {told['source']} were used; {told['sealed']:,} of them are sealed for a last test."
    )
    lines = [{"what": f"left out: {each['reason']}", "rows": each["count"]} for each in told["dropped"]]
    lines += [{"what": f"noted: {each['thing']}: {each['found']}", "rows": each["count"]} for each in told["flags"]]
    if lines:
        st.dataframe(pd.DataFrame(lines), hide_index=True)


def _again(run: dt.Run) -> None:
    with st.expander("To get the same again"):
        record = run.record
        versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        st.text(
            f"made      {record['made']}, in {record['seconds']} s\nseed      {record['seed']}\n"
            f"data      sha256 {record['data']['fingerprint']}\nscenario  sha256 {record['scenario_sha256']}\n"
            f"versions  {versions}"
        )
        if run.scenario.text:
            st.code(run.scenario.text, language="yaml")
