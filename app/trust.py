"""Trust: how well the models predict, what the evidence is worth, what is assumed, and how to get the same again."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
import target
import terms
import trial
from drawing import draw, label, look, plain, table

import drivetrain as dt


def show(run: dt.Run) -> None:
    """The page."""
    st.title("Why trust it?")
    _evidence(run)
    _promises(run)
    _sealed(run)
    for place, (outcome, told) in enumerate(run.record["contest"].items()):
        _models(run, place, outcome, told)
    if pairs := explained(run)["interplay"]:
        st.header("Levers that act on each other", help=terms.INTERPLAY)
        figure = dt.figures.interplay(pairs, run.scenario.objective.unit, look())
        draw(figure, "interplay", "How much pairs of levers bring together beyond what each brings alone")
    trial.show(run)
    _again(run)


@st.cache_resource(hash_funcs=target.HASHED, max_entries=8, show_spinner="Asking what the models rely on …")
def explained(run: dt.Run) -> Any:
    """What models rely on, asked once for all readers."""
    return run.explain()


def _evidence(run: dt.Run) -> None:
    grade, meaning = dt.words.grounds(run.judged)
    st.header(f"Evidence: {grade.lower()}", help=terms.HONEST)
    st.write(plain(meaning))
    lines = [*dt.grounds.sentences(run.scenario, run.judged), dt.words.guarded(run.scenario, run.guard)]
    if lines := [line for line in lines if line]:
        with st.expander(f"The {len(lines)} findings behind that"):
            st.markdown("\n".join(f"- {plain(line)}" for line in lines))
    for place, name in enumerate(run.scenario.levers):
        drawn = dt.figures.learners(run.scenario, run.judged, name, look())
        _shown(drawn, f"learners-{place}", f"What {name} does, as two kinds of models see it")
    _shown(dt.figures.chances(run.judged, look()), "overlap", "How likely rows were to get what is recommended")
    _shown(dt.figures.balance(run.judged, look()), "balance", "How unlike all rows those are that speak for it")
    if told := dt.grounds.lines(run.judged):
        label("What other estimators say")
        table(pd.DataFrame(told, columns=list(dt.grounds.HEADER)), "What other estimators say")
    for each in run.judged.effects:
        unit = run.scenario.outcomes[each.outcome].unit
        st.write(plain(f"Acting at all changes {each.outcome} by {dt.rounding.span(each.estimate, unit)}."))


def _promises(run: dt.Run) -> None:
    """Promise against honest value, and how many rows speak for each policy."""
    scenario, evidence = run.scenario, run.judged
    st.header("Promise and honest value", help=terms.PROMISE)
    if told := dt.words.inflation(scenario, evidence):
        st.write(plain(told))
    lines = []
    for name in dt.NAMES:
        each = next((judged for judged in evidence.policies if judged.name == name), None)
        if each is None:
            continue
        value = dt.rounding.interval(each.estimate)[0]
        lines.append(
            {
                "policy": dt.words.policy(scenario, name) + (" (recommended)" if name == evidence.recommended else ""),
                "honest value": value,
                "95% interval": "models' opinion" if evidence.opinion(name) else dt.rounding.between(each.estimate),
                "models' promise": "–" if name == "current" else dt.rounding.number(each.naive),
                "promise, shrunk": "–" if each.shrunk is None else dt.rounding.number(each.shrunk),
                "rows that speak": dt.rounding.number(each.effective),
                "may be recommended": "yes" if each.eligible else "no",
            }
        )
    table(pd.DataFrame(lines), "Honest value and promise of each policy")
    st.caption(
        "Promise, shrunk: moved towards what was observed, as far as that is more than chance; policies are chosen by "
        "it. Rows that speak: about how many rows had a setting near what the policy would have set."
    )


def _shown(figure: Any, name: str, title: str) -> None:
    if figure is not None:
        label(title)
        draw(figure, name, title)


def _sealed(run: dt.Run) -> None:
    """What the sealed test said; the dashboard never opens it."""
    st.header("The sealed test", help=terms.SEALED)
    told = dt.last_test.sentences(run.scenario, run.record)
    if not told:
        rows = len(run.table.test)
        st.write(
            f"{rows:,} rows are sealed, and were never opened. Once all else is decided, "
            "`drivetrain evaluate RUN --open-test` sets what they say beside what was promised."
            if rows
            else "The scenario seals no rows (data.split.test is 0)."
        )
        return
    lines = dt.last_test.lines(run.scenario, run.record)
    table(pd.DataFrame(lines, columns=list(dt.last_test.HEADER)), "What the sealed rows said, beside what was promised")
    st.write(plain(" ".join(told)))


def _models(run: dt.Run, place: int, outcome: str, told: Any) -> None:
    st.header(f"Models of {plain(outcome)}", help=terms.CALIBRATION)
    _through_time(run, place, outcome)
    left, right = st.columns(2, gap="large")
    with left:
        label("Which model errs least")
        draw(dt.figures.contest(outcome, told, look()), f"contest-{place}", f"Held-out losses of models of {outcome}")
        st.caption(plain(dt.figures.judged(told)))
    with right:
        if told.get("calibration"):
            declared = run.scenario.outcomes[outcome]
            unit = "share" if declared.kind == "binary" else declared.unit
            label("Predicted and observed")
            figure = dt.figures.calibration(outcome, told, unit, look())
            draw(figure, f"calibration-{place}", f"Predicted against observed {outcome}")
            st.caption("Points on the line mean that predictions can be taken at their word.")
    if relied := explained(run)["outcomes"].get(outcome):
        with left:
            label("What it relies on")
            figure = dt.figures.importance(outcome, relied, look())
            draw(figure, f"importance-{place}", f"What the model of {outcome} relies on")
            st.caption(
                "How much worse predictions get once a column is shuffled among the rows, so that it tells nothing: "
                "the further right, the more the model needs it."
            )
        if "confusion" in relied:
            with right:
                label("What it mistakes for what")
                figure = dt.figures.confusion(outcome, relied["confusion"], look())
                draw(figure, f"confusion-{place}", f"Observed and most probable {outcome}")
                st.caption(
                    "Lines: what happened. Columns: what models that had not seen the row held most probable. Off the "
                    "diagonal stand mistakes."
                )


def _through_time(run: dt.Run, place: int, outcome: str) -> None:
    """Observed and predicted, period by period, where the scenario says when rows were."""
    told = _periods(run, outcome, run.record.get("test_openings", 0))
    if told is not None:
        label("Observed and predicted over time")
        draw(dt.figures.over_time(run, told, look()), f"time-{place}", f"Observed and predicted {outcome} over time")
        st.caption(plain(told.note))


@st.cache_resource(hash_funcs=target.HASHED, max_entries=32, show_spinner="Asking models about every row …")
def _periods(run: dt.Run, outcome: str, _openings: int) -> Any:
    return dt.over_time(run, outcome) if outcome in run.simulator.models.outcomes else None


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
