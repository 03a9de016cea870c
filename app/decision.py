"""Decision: the recommendation in a sentence, what it is compared with, how flat it is, and what is assumed."""

from __future__ import annotations

import streamlit as st
from drawing import draw, figure_card, look

import drivetrain as dt

BADGES = {"act": "green", "test": "orange", "leave": "gray"}


def show(run: dt.Run) -> None:
    """The page."""
    scenario, evidence = run.scenario, run.judged
    st.title(scenario.title)
    with st.container(border=True):
        _answer(run)
    _numbers(run)
    st.subheader("What the policies are worth", divider=False)
    draw(dt.figures.policies(scenario, evidence, look()), "policies")
    st.caption(
        "The honest value of each policy for one row, with its 95 % interval, judged on rows that the models had not "
        "seen. Diamonds: what the models that chose the policy promise of it."
    )
    for place, lever in enumerate(scenario.levers):
        st.subheader(f"How the value depends on {lever}")
        draw(dt.figures.value_curve(run, lever, look()), f"value-{place}")
        if told := dt.words.top(scenario, evidence, lever):
            st.caption(told)
    _assumed(run)


def _answer(run: dt.Run) -> None:
    scenario, evidence = run.scenario, run.judged
    what = dt.words.stance(scenario, evidence)
    st.badge(what.title, color=BADGES[what.word])
    promise = run.recommendations.promise if run.recommendations is not None else None
    st.markdown(f"### {_plain(dt.words.headline(scenario, evidence, promise))}")
    st.markdown("\n".join(f"- {_plain(line)}" for line in [what.reason, *dt.words.reasons(scenario, evidence)]))


def _numbers(run: dt.Run) -> None:
    """Three figures: what it is worth, the gain, and the rows that judged."""
    scenario, evidence = run.scenario, run.judged
    value, low, high = dt.rounding.interval(evidence.chosen.estimate)
    unit = scenario.objective.unit
    left, middle, right = st.columns(3)
    opinion = "the models' opinion; the data cannot confirm it" if evidence.opinion(evidence.recommended) else ""
    figure_card(left, f"Value for one row{_in(unit)}", value, opinion or f"95 % interval {low} to {high}")
    beside = dt.words.reference(evidence)
    if beside in evidence.gains:
        gain, low, high = dt.rounding.interval(evidence.gains[beside])
        label = f"Gain over {dt.words.policy(scenario, beside)}{_in(unit)}"
        figure_card(middle, label, gain, opinion or f"95 % interval {low} to {high}")
    else:
        figure_card(middle, "Gain", "none", "nothing else is clearly better")
    figure_card(
        right, "Rows that judged", f"{evidence.rows:,}", f"{len(run.table.test):,} more are sealed for a last test"
    )


def _assumed(run: dt.Run) -> None:
    grade, meaning = dt.words.grounds(run.judged)
    st.subheader("What this rests on")
    st.markdown(f"**{grade}.** {meaning}")


def _in(unit: str) -> str:
    return f", {unit}" if unit else ""


def _plain(text: str) -> str:
    """Text from a scenario, with the signs that markdown would read kept as they are."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|$~:" else sign for sign in text)
