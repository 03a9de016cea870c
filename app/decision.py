"""Decision: the recommendation in a sentence, what it is worth beside today, what binds, and whose word it has."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st
import target
import terms
import who
from drawing import draw, empty, figure_card, in_unit, look, plain, table

import drivetrain as dt

Colour = Literal["green", "orange", "gray", "red"]
BADGES: dict[str, Colour] = {"act": "green", "test": "orange", "leave": "gray"}
STATES: dict[str, tuple[str, Colour]] = {
    "open": ("not signed yet", "gray"),
    "approved": ("approved", "green"),
    "rejected": ("rejected", "red"),
}


def show(run: dt.Run) -> None:
    """The page."""
    st.title(plain(run.scenario.title))
    with st.container(border=True):
        _answer(run)
    _numbers(run)
    _signed(run)
    st.header("What the policies are worth", help=terms.HONEST)
    draw(dt.figures.policies(run.scenario, run.judged, look()), "policies", "Value of each policy with its interval")
    st.caption(
        f"The honest value of each policy for {dt.words.one(run.scenario)}, with its 95% interval, judged on rows "
        "that the models had not seen. Diamonds: what the models that chose the policy promise of it."
    )
    alone = []
    for place, lever in enumerate(run.scenario.levers):
        if (curve := dt.figures.value_curve(run, lever, look())) is None:
            alone.append(lever)
            continue
        st.header(f"How the value depends on {plain(lever)}")
        if about := run.scenario.levers[lever].description:
            st.caption(plain(about))
        draw(curve, f"value-{place}", f"Value of one setting of {lever} for all")
        if told := dt.words.top(run.scenario, run.judged, lever):
            st.caption(plain(told))
    if alone:
        empty(f"No honest curve can be drawn of {', '.join(alone)}.", dt.words.UNSEEN_ALONE)
    _bounds(run)
    grade, meaning = dt.words.grounds(run.judged)
    st.header("What this rests on")
    st.markdown(f"**{grade}.** {plain(meaning)}")


def _answer(run: dt.Run) -> None:
    scenario, evidence = run.scenario, run.judged
    what = dt.words.stance(scenario, evidence)
    st.badge(what.title, color=BADGES[what.word])
    promise = run.recommendations.promise if run.recommendations is not None else None
    what_to_do, worth = map(plain, dt.words.advice(scenario, evidence, promise))
    st.markdown(f"## {what_to_do}")
    st.markdown(worth)
    plan = run.recommendations.plan if run.recommendations is not None else None
    proved = "" if plan is None else dt.words.certified(scenario, plan.certificate)
    apart = [line for line in dt.fairness.sentences(scenario, evidence) if scenario.fairness]
    lines = [what.reason, *dt.reasons.sentences(scenario, evidence), *filter(None, [proved]), *apart]
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def _numbers(run: dt.Run) -> None:
    """Three figures: what it is worth, the gain, and the rows that judged."""
    scenario, evidence = run.scenario, run.judged
    value = dt.rounding.interval(evidence.chosen.estimate)[0]
    unit = scenario.objective.unit
    left, middle, right = st.columns(3)
    opinion = "the models' opinion; the data cannot confirm it" if evidence.opinion(evidence.recommended) else ""
    worth = opinion or dt.rounding.sure(evidence.chosen.estimate)
    figure_card(left, in_unit(dt.words.amount(scenario, "Value"), unit), value, worth, help=terms.HONEST)
    beside = dt.words.reference(evidence)
    if beside in evidence.gains:
        gain, over = evidence.gains[beside], f"over {dt.words.policy(scenario, beside)}"
        told = f"{over}: {opinion}" if opinion else f"{over}; {dt.rounding.sure(gain)}"
        label = in_unit(dt.words.amount(scenario, "Gain"), unit)
        figure_card(middle, label, dt.rounding.interval(gain)[0], told, help=terms.INTERVAL)
    elif beside is None:
        figure_card(middle, "Gain", "unknown", "the scenario names nothing to compare with", help=terms.INTERVAL)
    else:
        figure_card(middle, "Gain", "none", "nothing else is clearly better")
    sealed = f"{len(run.table.test):,} more are sealed for a last test"
    figure_card(right, "Rows that judged", f"{evidence.rows:,}", sealed, help=terms.SEALED)


def _signed(run: dt.Run) -> None:
    """Whose word the recommendation has: approve or reject it, with name and reason."""
    if run.folder is None or run.recommendations is None:
        return
    book = run.logbook()
    now = book.now
    word, colour = STATES[now.state]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Sign-off**", width="content")
            st.badge(word, color=colour, width="content")
        for each in reversed(now.signatures):
            st.caption(f"{each.verdict} by {plain(each.by)}, {each.at[:10]}: {plain(each.reason)}")
        if not now.signatures:
            st.caption("Nobody has signed this recommendation. A signature is kept, and cannot be taken back.")
        if who.only_looks("Signing"):
            return
        with st.expander("Approve or reject" if now.state == "open" else "Sign again"):
            _sign(book)


def _sign(book: dt.Logbook) -> None:
    known = who.name()
    with st.form("sign", border=False):
        name = st.text_input("Your name", value=known, disabled=bool(known), key="signer")
        reason = st.text_input("Why", key="signing_reason", placeholder="What convinced you, or what is missing")
        with st.container(horizontal=True):
            yes = st.form_submit_button("Approve", type="primary")
            no = st.form_submit_button("Reject")
    if yes or no:
        try:
            (book.approve if yes else book.reject)(known or name, reason)
        except dt.DrivetrainError as error:
            st.error(" ".join(str(fault) for fault in error.faults))
            return
        st.rerun()


def _bounds(run: dt.Run) -> None:
    """What the constraints are, how much of each is used, and what more room would be worth."""
    if not run.scenario.constraints:
        return
    st.header("What limits it", help=terms.SHADOW)
    lines = dt.bounded.lines(run.scenario, run.record.get("shadow_prices") or {}, used(run))
    table(pd.DataFrame(lines, columns=list(dt.bounded.HEADER)), "Constraints and what more room would be worth")
    st.caption(dt.bounded.NOTE + " Where it is 0 or a dash, the limit costs nothing.")


@st.cache_data(hash_funcs=target.HASHED, max_entries=16, show_spinner="Adding up what is used …")
def used(run: dt.Run) -> dict[str, float]:
    """What the recommended settings use of each constraint, added up once for all readers."""
    return dt.usage(run)
